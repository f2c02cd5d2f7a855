// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/** Metrics that Prometheus pulls, and the metrics of the JVM and of telemetry itself. */
@NullMarked
package dev.throughline.telemetry.metrics;

import org.jspecify.annotations.NullMarked;
