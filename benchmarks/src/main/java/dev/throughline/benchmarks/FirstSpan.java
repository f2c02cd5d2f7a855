// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import brave.Tracing;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.io.IOException;
import zipkin2.reporter.BytesMessageSender;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/**
 * Processes that end their first span, say so, and stay until their input ends. Each has its own
 * class, so that it loads nothing of the others.
 */
final class FirstSpan {

  private static final String SERVICE = "start-up";

  private FirstSpan() {}

  private static void ended() throws IOException {
    System.out.write('\n');
    System.out.flush();
    int unused = System.in.read();
    // A shutdown is not start-up.
    Runtime.getRuntime().halt(0);
  }

  private static void end(OpenTelemetry openTelemetry) throws IOException {
    openTelemetry.getTracer(SERVICE).spanBuilder("first.span").startSpan().end();
    ended();
  }

  /** What every JVM costs. */
  static final class Empty {
    private Empty() {}

    public static void main(String[] args) throws IOException {
      ended();
    }
  }

  /** Ours. */
  static final class Throughline {
    private Throughline() {}

    @SuppressWarnings("MustBeClosedChecker") // the process ends here
    public static void main(String[] args) throws IOException {
      Telemetry telemetry = Telemetry.init(SERVICE);
      telemetry.span("first.span").run(() -> {});
      ended();
    }
  }

  /** OpenTelemetry's own set-up. */
  static final class AutoConfigure {
    private AutoConfigure() {}

    public static void main(String[] args) throws IOException {
      end(AutoConfiguredOpenTelemetrySdk.initialize().getOpenTelemetrySdk());
    }
  }

  /** The three signals to OTLP, without reading a setting. */
  static final class HandWired {
    private HandWired() {}

    public static void main(String[] args) throws IOException {
      Resource resource =
          Resource.getDefault()
              .merge(
                  Resource.builder().put(AttributeKey.stringKey("service.name"), SERVICE).build());
      end(
          OpenTelemetrySdk.builder()
              .setTracerProvider(
                  SdkTracerProvider.builder()
                      .setResource(resource)
                      .addSpanProcessor(
                          BatchSpanProcessor.create(OtlpGrpcSpanExporter.getDefault()))
                      .build())
              .setMeterProvider(
                  SdkMeterProvider.builder()
                      .setResource(resource)
                      .registerMetricReader(
                          PeriodicMetricReader.create(OtlpGrpcMetricExporter.getDefault()))
                      .build())
              .setLoggerProvider(
                  SdkLoggerProvider.builder()
                      .setResource(resource)
                      .addLogRecordProcessor(
                          BatchLogRecordProcessor.builder(OtlpGrpcLogRecordExporter.getDefault())
                              .build())
                      .build())
              .setPropagators(
                  ContextPropagators.create(
                      TextMapPropagator.composite(
                          W3CTraceContextPropagator.getInstance(),
                          W3CBaggagePropagator.getInstance())))
              .build());
    }
  }

  /** With the agent in the JVM. */
  static final class Agent {
    private Agent() {}

    public static void main(String[] args) throws IOException {
      end(GlobalOpenTelemetry.get());
    }
  }

  /** Brave with its reporter, which knows traces alone. */
  static final class Brave {
    private Brave() {}

    public static void main(String[] args) throws IOException {
      BytesMessageSender sender = URLConnectionSender.create("http://localhost:9411/api/v2/spans");
      Tracing tracing =
          Tracing.newBuilder()
              .localServiceName(SERVICE)
              .addSpanHandler(AsyncZipkinSpanHandler.create(sender))
              .build();
      tracing.tracer().newTrace().name("first.span").start().finish();
      ended();
    }
  }
}
