// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/** Ladders: what a path costs bare, off, unsampled and on, beside what it stands on. */
@NullMarked
package dev.throughline.benchmarks;

import org.jspecify.annotations.NullMarked;
