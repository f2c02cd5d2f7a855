// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * Statements of any {@code DataSource} in the trace, by the stable database conventions: {@link
 * dev.throughline.telemetry.jdbc.JdbcTelemetry}.
 */
@NullMarked
package dev.throughline.telemetry.jdbc;

import org.jspecify.annotations.NullMarked;
