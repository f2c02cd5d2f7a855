// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/** All uses that core makes of OpenTelemetry's internals. For core itself. */
@NullMarked
package dev.throughline.telemetry.internals;

import org.jspecify.annotations.NullMarked;
