// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * What adapters are built from: {@link dev.throughline.telemetry.instrument.RequestInstrumenter}
 * owns a request's way from start to end, a {@link
 * dev.throughline.telemetry.instrument.RequestConvention} describes the request.
 */
@NullMarked
package dev.throughline.telemetry.instrument;

import org.jspecify.annotations.NullMarked;
