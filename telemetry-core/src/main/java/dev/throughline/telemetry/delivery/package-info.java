// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/** The way from an ended span to an acknowledged export. */
@NullMarked
package dev.throughline.telemetry.delivery;

import org.jspecify.annotations.NullMarked;
