// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** Starts the fleet, runs its jobs, and prints the traces that came in over OTLP. */
@NullMarked
package dev.throughline.examples.fleet;

import org.jspecify.annotations.NullMarked;
