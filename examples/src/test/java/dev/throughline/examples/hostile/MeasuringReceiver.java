// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;

/** Takes OTLP over HTTP, says so, and keeps of a span only what is too long in it. */
final class MeasuringReceiver implements AutoCloseable {

  private static final int LONGEST_VALUE = 4_096;
  // The service's own, with what a client sent in it.
  private static final Map<String, Integer> LONGER =
      Map.of("db.query.text", 16 * 1_024, "exception.stacktrace", 16 * 1_024);

  private final ExecutorService threads = Executors.newFixedThreadPool(2);
  private final HttpServer server;
  private final Set<String> tooLong = new ConcurrentSkipListSet<>();
  private final Map<String, List<Span>> watched = new ConcurrentHashMap<>();
  private final AtomicLong spans = new AtomicLong();

  MeasuringReceiver() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::receive);
    server.start();
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** The values that were longer than they may be, e.g. {@code url.path of GET: 100000}. */
  Set<String> tooLong() {
    return new TreeSet<>(tooLong);
  }

  long spans() {
    return spans.get();
  }

  /** The spans of a trace, which must be asked for before it begins. */
  List<Span> watch(String traceId) {
    return watched.computeIfAbsent(traceId, id -> new CopyOnWriteArrayList<>());
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (InputStream body = exchange.getRequestBody()) {
      boolean gzip = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
      byte[] bytes = (gzip ? new GZIPInputStream(body) : body).readAllBytes();
      if (exchange.getRequestURI().getPath().equals("/v1/traces")) {
        ExportTraceServiceRequest.parseFrom(bytes).getResourceSpansList().stream()
            .flatMap(resource -> resource.getScopeSpansList().stream())
            .flatMap(scope -> scope.getSpansList().stream())
            .forEach(this::measure);
      }
    }
    exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
    exchange.sendResponseHeaders(200, -1);
    exchange.close();
  }

  private void measure(Span span) {
    spans.incrementAndGet();
    List<Span> wanted = watched.get(hex(span.getTraceId()));
    if (wanted != null) {
      wanted.add(span);
    }
    measure("name", span.getName());
    measure("status", span.getStatus().getMessage());
    span.getAttributesList().forEach(this::measure);
    span.getEventsList().forEach(event -> event.getAttributesList().forEach(this::measure));
    span.getLinksList().forEach(link -> link.getAttributesList().forEach(this::measure));
  }

  private void measure(KeyValue attribute) {
    AnyValue value = attribute.getValue();
    measure(attribute.getKey(), value.getStringValue());
    value.getArrayValue().getValuesList().stream()
        .map(AnyValue::getStringValue)
        .forEach(each -> measure(attribute.getKey(), each));
  }

  private void measure(String what, String text) {
    if (text.length() > LONGER.getOrDefault(what, LONGEST_VALUE)) {
      tooLong.add(what + ": " + text.length());
    }
  }

  static String hex(ByteString id) {
    return HexFormat.of().formatHex(id.toByteArray());
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
