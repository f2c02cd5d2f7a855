// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A server's request and its response without a socket. */
final class ObjectExchange extends ServerExchange {

  private static final String TRACEPARENT =
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  private static final String B3 = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1";

  static final Map<String, List<String>> WITHOUT_CONTEXT = headers();
  static final Map<String, List<String>> WITH_CONTEXT = headers("traceparent", TRACEPARENT);
  static final Map<String, List<String>> WITH_BAGGAGE =
      headers(
          "traceparent",
          TRACEPARENT,
          "baggage",
          "customer_id=c1,server_id=7,session_id=s-1,datacenter=d,agent_id=a,bmc_type=ipmi");
  static final Map<String, List<String>> WITH_B3 = headers("b3", B3);

  private final Map<String, List<String>> headers;

  ObjectExchange(Map<String, List<String>> headers) {
    this.headers = headers;
  }

  private static Map<String, List<String>> headers(String... namesAndValues) {
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.put("Host", List.of("manager:8080"));
    headers.put("User-Agent", List.of("curl/8.0"));
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.put(namesAndValues[i], List.of(namesAndValues[i + 1]));
    }
    return headers;
  }

  @Override
  String method() {
    return "GET";
  }

  @Override
  String path() {
    return "/servers/7";
  }

  @Override
  @Nullable String query() {
    return null;
  }

  @Override
  String scheme() {
    return "http";
  }

  @Override
  String protocol() {
    return "HTTP/1.1";
  }

  @Override
  @Nullable String header(String name) {
    List<String> lines = headers.get(name);
    return lines == null ? null : lines.get(0);
  }

  @Override
  @Nullable List<String> headers(String name) {
    return headers.get(name);
  }

  @Override
  @Nullable List<String> responseHeaders(String name) {
    return null;
  }

  @Override
  void setHeader(String name, String value) {}

  @Override
  String peerAddress() {
    return "10.0.0.9";
  }

  @Override
  int peerPort() {
    return 40_000;
  }

  @Override
  @Nullable String serverName() {
    return null;
  }

  @Override
  int serverPort() {
    return 0;
  }

  @Override
  String serverRoute() {
    return "/servers/{id}";
  }

  @Override
  int status() {
    return 200;
  }
}
