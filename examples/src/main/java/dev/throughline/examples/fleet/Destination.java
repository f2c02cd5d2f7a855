// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the environment wants telemetry to go, and the environment that takes it there.
 *
 * @param off why there is none; null where there is
 * @param endpoint somebody else's receiver; null where the fleet is to have its own
 */
record Destination(
    @Nullable String off, @Nullable String endpoint, Map<String, String> environment) {

  private static final String OTLP = "OTEL_EXPORTER_OTLP_";
  private static final String ENDPOINT = OTLP + "ENDPOINT";
  private static final String TRACES_ENDPOINT = OTLP + "TRACES_ENDPOINT";
  private static final String EXPORT_DELAY = "OTEL_BSP_SCHEDULE_DELAY";
  private static final String SHORT_EXPORT_DELAY_MILLIS = "100";

  static Destination of(Map<String, String> environment) {
    String off = null;
    if (environment.getOrDefault("OTEL_SDK_DISABLED", "").strip().equalsIgnoreCase("true")) {
      off = "OTEL_SDK_DISABLED=true";
    } else if (environment.getOrDefault("TRACING_ENABLED", "").strip().equalsIgnoreCase("false")) {
      off = "TRACING_ENABLED=false";
    }
    String endpoint = environment.getOrDefault(TRACES_ENDPOINT, "").strip();
    if (endpoint.isEmpty()) {
      endpoint = environment.getOrDefault(ENDPOINT, "").strip();
    }
    return new Destination(off, endpoint.isEmpty() ? null : endpoint, environment);
  }

  /** Whether the fleet is to have a receiver of its own. */
  boolean isOwn() {
    return off == null && endpoint == null;
  }

  /**
   * The environment of a process.
   *
   * @param receiver the endpoint of the fleet's own receiver; null where it has none
   */
  Map<String, String> environment(Role role, @Nullable String receiver) {
    Map<String, String> child = new HashMap<>(environment);
    child.put("OTEL_SERVICE_NAME", role.service());
    if (receiver != null) {
      // Whatever else is set there was meant for another receiver.
      child.keySet().removeIf(name -> name.startsWith(OTLP) || name.endsWith("S_EXPORTER"));
      child.put(ENDPOINT, receiver);
      child.putIfAbsent(EXPORT_DELAY, SHORT_EXPORT_DELAY_MILLIS);
    }
    return child;
  }
}
