// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** The command line client, where each trace begins. */
@NullMarked
package dev.throughline.examples.cli;

import org.jspecify.annotations.NullMarked;
