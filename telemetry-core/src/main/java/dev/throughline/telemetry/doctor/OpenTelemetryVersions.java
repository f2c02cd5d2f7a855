// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.doctor;

import static java.util.Map.entry;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The versions of the OpenTelemetry artifacts on the class path, by what their manifests say. */
final class OpenTelemetryVersions {

  private static final Map<String, String> WITNESSES =
      Map.ofEntries(
          entry("opentelemetry-api", "io.opentelemetry.api.OpenTelemetry"),
          entry(
              "opentelemetry-api-incubator", "io.opentelemetry.api.incubator.trace.ExtendedTracer"),
          entry("opentelemetry-common", "io.opentelemetry.common.ComponentLoader"),
          entry("opentelemetry-context", "io.opentelemetry.context.Context"),
          entry(
              "opentelemetry-exporter-common",
              "io.opentelemetry.exporter.internal.marshal.Marshaler"),
          entry(
              "opentelemetry-exporter-otlp",
              "io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter"),
          entry(
              "opentelemetry-exporter-sender-okhttp",
              "io.opentelemetry.exporter.sender.okhttp.internal.OkHttpGrpcSenderProvider"),
          entry("opentelemetry-sdk", "io.opentelemetry.sdk.OpenTelemetrySdk"),
          entry("opentelemetry-sdk-common", "io.opentelemetry.sdk.resources.Resource"),
          entry(
              "opentelemetry-sdk-extension-autoconfigure",
              "io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk"),
          entry(
              "opentelemetry-sdk-extension-autoconfigure-spi",
              "io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties"),
          entry("opentelemetry-sdk-logs", "io.opentelemetry.sdk.logs.SdkLoggerProvider"),
          entry("opentelemetry-sdk-metrics", "io.opentelemetry.sdk.metrics.SdkMeterProvider"),
          entry("opentelemetry-sdk-trace", "io.opentelemetry.sdk.trace.SdkTracerProvider"));

  private OpenTelemetryVersions() {}

  /**
   * Which artifacts stand on the class path in which version, where there is more than one.
   *
   * @param classLoader where the service's OpenTelemetry comes from
   * @return null where all are of one version, or do not tell
   */
  static @Nullable String mix(@Nullable ClassLoader classLoader) {
    Map<String, List<String>> artifactsByVersion = new TreeMap<>();
    WITNESSES.forEach(
        (artifact, witness) -> {
          String version = version(witness, classLoader);
          if (version != null) {
            artifactsByVersion.computeIfAbsent(version, v -> new ArrayList<>()).add(artifact);
          }
        });
    if (artifactsByVersion.size() < 2) {
      return null;
    }
    StringBuilder mix = new StringBuilder();
    artifactsByVersion.forEach(
        (version, artifacts) -> {
          artifacts.sort(null);
          mix.append(mix.length() == 0 ? "" : "; ").append(version).append(": ");
          mix.append(String.join(", ", artifacts));
        });
    return mix.toString();
  }

  private static @Nullable String version(String className, @Nullable ClassLoader classLoader) {
    try {
      Package declared = Class.forName(className, false, classLoader).getPackage();
      String version = declared == null ? null : declared.getImplementationVersion();
      return version == null ? null : version.replace("-alpha", "");
    } catch (ClassNotFoundException | LinkageError e) {
      return null;
    }
  }
}
