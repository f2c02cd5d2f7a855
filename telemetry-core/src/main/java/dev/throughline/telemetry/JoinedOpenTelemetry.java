// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.logs.LoggerProvider;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.propagation.ContextPropagators;

/** Metrics and logs of one instance with a tracer provider that makes no spans. */
final class JoinedOpenTelemetry implements OpenTelemetry {

  private final OpenTelemetry recording;
  private final ContextPropagators propagators;

  JoinedOpenTelemetry(OpenTelemetry recording, ContextPropagators propagators) {
    this.recording = recording;
    this.propagators = propagators;
  }

  @Override
  public TracerProvider getTracerProvider() {
    return TracerProvider.noop();
  }

  @Override
  public MeterProvider getMeterProvider() {
    return recording.getMeterProvider();
  }

  @Override
  public LoggerProvider getLogsBridge() {
    return recording.getLogsBridge();
  }

  @Override
  public ContextPropagators getPropagators() {
    return propagators;
  }
}
