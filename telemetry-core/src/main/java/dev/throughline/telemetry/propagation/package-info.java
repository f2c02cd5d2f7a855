// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * Trace context and baggage between carriers and OpenTelemetry's context. For core itself; adapters
 * go through {@code Telemetry} and {@code instrument}.
 */
@NullMarked
package dev.throughline.telemetry.propagation;

import org.jspecify.annotations.NullMarked;
