// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.internals;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.logs.LoggerProvider;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.api.trace.TracerBuilder;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.propagation.ContextPropagators;

/**
 * OpenTelemetry's global instance, which can be set but once: it is always that of the telemetry
 * which became global last. Tracers and meters that were asked for before stay with theirs.
 */
public final class LatestOpenTelemetry implements OpenTelemetry {

  private volatile OpenTelemetry latest;

  /** Begins with the first telemetry's. */
  public LatestOpenTelemetry(OpenTelemetry first) {
    latest = first;
  }

  /** From now on it is that of another telemetry. */
  public void set(OpenTelemetry next) {
    latest = next;
  }

  @Override
  public TracerProvider getTracerProvider() {
    return latest.getTracerProvider();
  }

  @Override
  public TracerBuilder tracerBuilder(String instrumentationScopeName) {
    return latest.tracerBuilder(instrumentationScopeName);
  }

  @Override
  public MeterProvider getMeterProvider() {
    return latest.getMeterProvider();
  }

  @Override
  public LoggerProvider getLogsBridge() {
    return latest.getLogsBridge();
  }

  @Override
  public ContextPropagators getPropagators() {
    return latest.getPropagators();
  }

  @Override
  public String toString() {
    return "LatestOpenTelemetry{" + latest + "}";
  }
}
