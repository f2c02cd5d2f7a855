// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * Trace ids in SLF4J's MDC, and log records over OTLP: {@link
 * dev.throughline.telemetry.logging.LoggingTelemetry} is the door.
 */
@NullMarked
package dev.throughline.telemetry.logging;

import org.jspecify.annotations.NullMarked;
