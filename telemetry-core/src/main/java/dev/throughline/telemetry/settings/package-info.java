// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * The settings: one table of those that are understood, their checks, and the values that hold. For
 * core itself; adapters are given what they need.
 */
@NullMarked
package dev.throughline.telemetry.settings;

import org.jspecify.annotations.NullMarked;
