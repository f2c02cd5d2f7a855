// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.grpc.GrpcTelemetry;
import dev.throughline.telemetry.settings.Settings;

/** An adapter that knows another, and a room that is closed to it: for the test of the doors. */
public interface Sideways {

  /** Knows another adapter. */
  GrpcTelemetry adapter();

  /** Knows a room of core's. */
  Settings settings();
}
