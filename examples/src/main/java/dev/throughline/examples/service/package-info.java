// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** What all services of the fleet are built from: JSON over HTTP, arguments, start and stop. */
@NullMarked
package dev.throughline.examples.service;

import org.jspecify.annotations.NullMarked;
