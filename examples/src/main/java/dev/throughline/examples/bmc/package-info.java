// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** A simulated BMC: Redfish, IPMI, a VNC screen and a serial console on ports of its own. */
@NullMarked
package dev.throughline.examples.bmc;

import org.jspecify.annotations.NullMarked;
