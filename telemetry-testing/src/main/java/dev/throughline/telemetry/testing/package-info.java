// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * Tests of telemetry: {@link dev.throughline.telemetry.testing.TelemetryExtension} records what a
 * test class makes and fails the test for what it leaves behind, {@link
 * dev.throughline.telemetry.testing.TelemetryAssertions} compares trees of spans, and adapters
 * inherit the kits.
 */
@NullMarked
package dev.throughline.telemetry.testing;

import org.jspecify.annotations.NullMarked;
