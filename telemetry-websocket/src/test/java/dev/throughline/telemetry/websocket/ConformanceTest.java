// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.websocket.WebSocketKit.attributes;
import static dev.throughline.telemetry.websocket.WebSocketKit.send;
import static dev.throughline.telemetry.websocket.WebSocketKit.take;
import static dev.throughline.telemetry.websocket.WebSocketKit.whole;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.exporter.internal.marshal.Marshaler;
import io.opentelemetry.exporter.internal.otlp.metrics.MetricsRequestMarshaler;
import io.opentelemetry.exporter.internal.otlp.traces.TraceRequestMarshaler;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.Session;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Holds upgrades against the HTTP conventions, and writes every kind of span and metric that this
 * module records to {@code target/otlp.jsonl}, one OTLP/JSON request a line, for other checkers.
 */
class ConformanceTest {

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final InMemoryMetricReader metrics = InMemoryMetricReader.create();

  @Test
  void followsTheConventions() throws Exception {
    try (Telemetry conformance =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("conformance")
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addSpanProcessor(SimpleSpanProcessor.create(spans))
            .addMetricReader(metrics)
            .build()) {
      WebSocketTelemetry webSockets =
          WebSocketTelemetry.builder(conformance).setMessageSpans(WebSocketKit.ALL).build();
      for (Containers containers : Containers.values()) {
        exchange(containers, webSockets);
      }
      Collection<MetricData> recorded = metrics.collectAllMetrics();
      List<SpanData> ended = spans.getFinishedSpanItems();
      write(ended, recorded);
      assertThat(ended).hasSizeGreaterThan(30).allSatisfy(ConformanceTest::conforms);
      assertThat(recorded)
          .extracting(MetricData::getName)
          .containsExactlyInAnyOrder(
              WebSocketKeys.ACTIVE_SESSIONS,
              WebSocketKeys.SESSION_DURATION,
              WebSocketKeys.MESSAGES,
              WebSocketKeys.IO);
    }
  }

  private static void conforms(SpanData span) {
    Map<String, Object> attributes = attributes(span);
    boolean failed = span.getStatus().getStatusCode() == StatusCode.ERROR;
    assertThat(attributes.containsKey("error.type")).as("error.type of %s", span).isEqualTo(failed);
    switch (span.getKind()) {
      case SERVER -> {
        assertThat(span.getName()).isEqualTo("GET " + attributes.get("http.route"));
        assertThat(attributes)
            .containsKeys("http.request.method", "url.path", "url.scheme", "server.address");
      }
      case CLIENT -> {
        assertThat(span.getName()).isEqualTo("GET");
        assertThat(attributes)
            .containsKeys("http.request.method", "url.full", "server.address", "server.port");
      }
      default -> assertThat(span.getName()).startsWith("websocket.");
    }
  }

  private static void write(List<SpanData> spans, Collection<MetricData> metrics)
      throws IOException {
    try (OutputStream out = Files.newOutputStream(Path.of("target", "otlp.jsonl"))) {
      for (Marshaler request :
          List.of(TraceRequestMarshaler.create(spans), MetricsRequestMarshaler.create(metrics))) {
        request.writeJsonTo(out);
        out.write('\n');
      }
    }
  }

  private static void exchange(Containers containers, WebSocketTelemetry webSockets)
      throws Exception {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    Containers.Client client = containers.client();
    try (client;
        Containers.Running server =
            containers.start(
                List.of(
                    webSockets.wrap(
                        Scripted.on(
                                session ->
                                    session.addMessageHandler(
                                        String.class, whole(text -> send(session, text))))
                            .onClose((session, reason) -> seen.add("closed"))
                            .at("/echo/{name}"))),
                null)) {
      Session session =
          webSockets
              .wrap(client.container())
              .connectToServer(
                  Scripted.on(s -> s.addMessageHandler(String.class, whole(seen::add))),
                  ClientEndpointConfig.Builder.create().build(),
                  server.uri("/echo/one?secret=1"));
      session.getBasicRemote().sendText("hello");
      assertThat(take(seen)).isEqualTo("hello");
      session.close();
      assertThat(take(seen)).isEqualTo("closed");
      WebSocket.Builder builder = webSockets.newBuilder(HttpClient.newHttpClient());
      WebSocket.Listener listener = new WebSocket.Listener() {};
      builder.buildAsync(server.uri("/echo/two"), listener).get(10, TimeUnit.SECONDS).abort();
      assertThat(take(seen)).isEqualTo("closed");
      assertThatThrownBy(
              () -> builder.buildAsync(server.uri("/none"), listener).get(10, TimeUnit.SECONDS))
          .isNotNull();
    }
  }
}
