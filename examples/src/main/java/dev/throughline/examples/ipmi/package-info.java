// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** IPMI 1.5 messages in their RMCP frames, as the Agent and the simulated BMC exchange them. */
@NullMarked
package dev.throughline.examples.ipmi;

import org.jspecify.annotations.NullMarked;
