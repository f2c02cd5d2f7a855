// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** The Gateway: opens sessions with servers, each through the Agent of its data centre. */
@NullMarked
package dev.throughline.examples.gateway;

import org.jspecify.annotations.NullMarked;
