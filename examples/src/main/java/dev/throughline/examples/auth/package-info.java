// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** The tokens that the Manager signs and the Gateway checks. */
@NullMarked
package dev.throughline.examples.auth;

import org.jspecify.annotations.NullMarked;
