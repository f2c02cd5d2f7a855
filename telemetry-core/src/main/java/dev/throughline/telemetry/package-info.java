// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * Telemetry for a service: start with {@link dev.throughline.telemetry.Telemetry#init}, write spans
 * with {@link dev.throughline.telemetry.Telemetry#span}.
 */
@NullMarked
package dev.throughline.telemetry;

import org.jspecify.annotations.NullMarked;
