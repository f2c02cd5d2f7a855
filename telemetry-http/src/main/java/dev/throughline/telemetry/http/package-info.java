// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * HTTP servers and clients in the trace, by the stable HTTP semantic conventions, and Connect RPC
 * by the RPC conventions: {@link dev.throughline.telemetry.http.HttpTelemetry}.
 */
@NullMarked
package dev.throughline.telemetry.http;

import org.jspecify.annotations.NullMarked;
