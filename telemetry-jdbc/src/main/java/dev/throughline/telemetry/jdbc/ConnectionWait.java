// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import org.jspecify.annotations.Nullable;

/**
 * A {@code getConnection} that took long.
 *
 * @param database what the source last gave connections to; null before the first
 * @param poolName null where the pool is not known
 */
record ConnectionWait(@Nullable Database database, @Nullable String poolName) {}
