// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TransparencyKit;
import dev.throughline.telemetry.testing.TransparencyKit.Mode;
import java.util.List;

/**
 * The ways in which the transparency tests of this module have telemetry; an heir of the kit for
 * the modes that it shares.
 */
abstract class Transparency extends TransparencyKit<Object> {

  /** Each message has a span, and each place is looked at for a context. */
  static final Mode EVERYTHING =
      new Mode("on with every option", "otel.traces.sampler", "always_on");

  static final List<Mode> MODES = List.of(ON, EVERYTHING, UNSAMPLED, REQUEST_IDS, OFF);

  private Transparency() {}

  static WebSocketTelemetry webSockets(Telemetry telemetry, Mode mode) {
    WebSocketTelemetryBuilder builder = WebSocketTelemetry.builder(telemetry);
    if (mode.equals(EVERYTHING)) {
      // With FIRST_MESSAGE an endpoint without a handler of text has one of ours.
      builder.addContextSource(ContextSource.QUERY).addContextSource(ContextSource.SUB_PROTOCOL);
    }
    return mode.equals(ON) || mode.equals(OFF)
        ? builder.build()
        : builder.setMessageSpans(WebSocketKit.ALL).build();
  }
}
