// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * Finds out step by step why telemetry does not reach its receiver. For core itself; users run
 * {@code dev.throughline.telemetry.Doctor}.
 */
@NullMarked
package dev.throughline.telemetry.doctor;

import org.jspecify.annotations.NullMarked;
