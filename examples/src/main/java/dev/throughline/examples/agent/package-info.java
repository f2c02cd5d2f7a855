// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** The Agent: stands beside the hardware and speaks its protocols. */
@NullMarked
package dev.throughline.examples.agent;

import org.jspecify.annotations.NullMarked;
