// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.examples.service.Json;
import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Receives the spans of pages: OTLP over HTTP with JSON, from pages of any origin, as a Collector
 * does where its {@code cors} allows them.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/otlp/#otlphttp">OTLP/HTTP</a>
 */
final class PageReceiver implements AutoCloseable {

  private static final String TRACES = "/v1/traces";

  private final TelemetryStore store;
  private final HttpServer server;

  /** A receiver that listens on a free port of the loopback interface. */
  PageReceiver(TelemetryStore store) throws IOException {
    this.store = store;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(TRACES, this::receive);
    server.start();
  }

  /** Where pages send their spans. */
  URI traces() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + TRACES);
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getResponseHeaders().set("Access-Control-Allow-Origin", "*");
      exchange.getResponseHeaders().set("Access-Control-Allow-Headers", "Content-Type");
      boolean asksFirst = exchange.getRequestMethod().equals("OPTIONS");
      if (!asksFirst) {
        store.addSpans(spans(Json.read(exchange.getRequestBody().readAllBytes())));
      }
      exchange.sendResponseHeaders(asksFirst ? 204 : 200, -1);
    }
  }

  private static List<ReceivedSpan> spans(JsonNode request) {
    List<ReceivedSpan> spans = new ArrayList<>();
    for (JsonNode resource : request.path("resourceSpans")) {
      String service =
          attributes(resource.at("/resource/attributes")).getOrDefault("service.name", "");
      for (JsonNode scope : resource.path("scopeSpans")) {
        scope.path("spans").forEach(span -> spans.add(span(span, service)));
      }
    }
    return spans;
  }

  private static ReceivedSpan span(JsonNode span, String service) {
    boolean failed = span.at("/status/code").asInt() == 2;
    return new ReceivedSpan(
        span.path("traceId").asText(),
        span.path("spanId").asText(),
        span.path("parentSpanId").asText(),
        span.path("name").asText(),
        SpanKind.forNumber(span.path("kind").asInt()),
        service,
        span.path("startTimeUnixNano").asLong(),
        span.path("endTimeUnixNano").asLong(),
        failed ? span.at("/status/message").asText() : null,
        attributes(span.path("attributes")));
  }

  private static SortedMap<String, String> attributes(JsonNode attributes) {
    SortedMap<String, String> texts = new TreeMap<>();
    for (JsonNode attribute : attributes) {
      texts.put(attribute.path("key").asText(), attribute.at("/value/stringValue").asText());
    }
    return texts;
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
