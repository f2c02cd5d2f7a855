// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * WebSockets in the trace: the upgrade, the session, and those messages that are chosen. Start with
 * {@link dev.throughline.telemetry.websocket.WebSocketTelemetry}.
 */
@NullMarked
package dev.throughline.telemetry.websocket;

import org.jspecify.annotations.NullMarked;
