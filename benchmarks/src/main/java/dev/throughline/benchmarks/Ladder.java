// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.benchmarks.Jmh.Cost;
import dev.throughline.telemetry.http.HttpClientLadder;
import dev.throughline.telemetry.http.HttpServerLadder;
import dev.throughline.telemetry.websocket.WebSocketLadder;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;

/** The ladders that JMH climbs. */
enum Ladder {
  SPAN(
      "span",
      SpanLadder.class,
      "A span with two attributes, current while a little work runs",
      "p_sdk"),
  OFF("off", OffLadder.class, "The same span where nothing is to be recorded", "p_noop"),
  HTTP_SERVER(
      "http-server",
      HttpServerLadder.class,
      "A server's request over a request object: twelve attributes, duration histogram",
      "r_instrumenter"),
  HTTP_CLIENT(
      "http-client",
      HttpClientLadder.class,
      "A client's request over a request object: six attributes, duration histogram, headers",
      "r_instrumenter"),
  JDK_CLIENT(
      "jdk-client",
      JdkClientLadder.class,
      "A request of the JDK's client over loopback",
      "p_library"),
  JDBC(
      "jdbc",
      JdbcLadder.class,
      "A row by its key from H2 in memory, with a statement that is prepared once",
      "p_library"),
  GRPC_INPROCESS(
      "grpc-inprocess",
      GrpcInProcessLadder.class,
      "A unary gRPC call, both sides, on one thread without a socket",
      "p_library"),
  GRPC_STREAM(
      "grpc-stream",
      GrpcStreamLadder.class,
      "A gRPC stream of sixteen messages each way, both sides, on one thread without a socket",
      "p_library"),
  GRPC_NETTY(
      "grpc-netty",
      GrpcNettyLadder.class,
      "A unary gRPC call, both sides, over loopback",
      "p_library"),
  WEBSOCKET(
      "websocket",
      WebSocketLadder.class,
      "A text message of an open WebSocket, on one thread without a socket",
      "p_sdk"),
  CONTEXT("context", ContextLadder.class, "A task handed to an executor within a span", "p_sdk"),
  MDC("mdc", MdcLadder.class, "The scope of a span, with its three ids in the MDC", "p_byHand");

  private final String word;
  private final Class<?> benchmarks;
  private final String title;
  private final String peer;

  Ladder(String word, Class<?> benchmarks, String title, String peer) {
    this.word = word;
    this.benchmarks = benchmarks;
    this.title = title;
    this.peer = peer;
  }

  /** As the command line has it. */
  String word() {
    return word;
  }

  String title() {
    return title;
  }

  Class<?> benchmarks() {
    return benchmarks;
  }

  /** The method that the others are compared with. */
  String peer() {
    return peer;
  }

  /** What of a cost is compared: where other threads do most of the work, the bytes of all. */
  double comparedBytes(Cost cost) {
    return overLoopback() ? cost.bytes() : cost.callerBytes();
  }

  String compared() {
    return overLoopback() ? "All" : "The latter";
  }

  private boolean overLoopback() {
    return this == JDK_CLIENT || this == GRPC_NETTY;
  }

  /** What the rows say by their methods, in the order of the rows. */
  Map<String, String> rungs() {
    Map<String, String> rungs = new LinkedHashMap<>();
    Arrays.stream(benchmarks.getMethods())
        .filter(method -> method.isAnnotationPresent(Benchmark.class))
        .map(Method::getName)
        .sorted()
        .forEach(name -> rungs.put(name, rung(name)));
    return rungs;
  }

  private String rung(String method) {
    return Arrays.stream(benchmarks.getMethods())
        .filter(candidate -> candidate.getName().equals(method))
        .map(candidate -> candidate.getAnnotation(Rung.class))
        .filter(rung -> rung != null)
        .map(Rung::value)
        .findFirst()
        .orElse(method);
  }
}
