// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/** The WebSocket ladder, in the adapter's own package: it drives a client without a network. */
@NullMarked
package dev.throughline.telemetry.websocket;

import org.jspecify.annotations.NullMarked;
