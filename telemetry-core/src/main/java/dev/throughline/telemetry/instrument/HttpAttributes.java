// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import io.opentelemetry.api.common.AttributeKey;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of HTTP requests that plain HTTP and the protocols above it share, of servers and
 * of clients.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">HTTP spans</a>
 */
public final class HttpAttributes {

  /** {@code http.request.method} of a method that the conventions do not know. */
  public static final String OTHER_METHOD = "_OTHER";

  public static final AttributeKey<String> HTTP_REQUEST_METHOD = stringKey("http.request.method");
  public static final AttributeKey<String> HTTP_REQUEST_METHOD_ORIGINAL =
      stringKey("http.request.method_original");
  public static final AttributeKey<Long> HTTP_RESPONSE_STATUS_CODE =
      longKey("http.response.status_code");
  public static final AttributeKey<String> HTTP_ROUTE = stringKey("http.route");
  public static final AttributeKey<String> NETWORK_PROTOCOL_VERSION =
      stringKey("network.protocol.version");
  public static final AttributeKey<String> SERVER_ADDRESS = stringKey("server.address");
  public static final AttributeKey<Long> SERVER_PORT = longKey("server.port");
  public static final AttributeKey<String> URL_FULL = stringKey("url.full");
  public static final AttributeKey<String> URL_PATH = stringKey("url.path");
  public static final AttributeKey<String> URL_QUERY = stringKey("url.query");
  public static final AttributeKey<String> URL_SCHEME = stringKey("url.scheme");
  public static final AttributeKey<String> USER_AGENT_ORIGINAL = stringKey("user_agent.original");

  private HttpAttributes() {}

  /**
   * Sets what a server knows of a request at its start; the query without its values.
   *
   * @param path undecoded
   */
  public static void setServed(
      AttributeSink attributes,
      String method,
      @Nullable String route,
      String path,
      String scheme,
      @Nullable String query,
      @Nullable String userAgent) {
    setMethod(attributes, method);
    attributes.set(HTTP_ROUTE, route);
    attributes.set(URL_PATH, path);
    attributes.set(URL_SCHEME, scheme);
    if (query != null) {
      attributes.set(URL_QUERY, RedactedUrl.query(query));
    }
    attributes.set(USER_AGENT_ORIGINAL, userAgent);
  }

  /** Sets what a client knows of a request at its start; the URL without credentials and values. */
  public static void setSent(AttributeSink attributes, String method, URI uri) {
    setMethod(attributes, method);
    attributes.set(URL_FULL, RedactedUrl.of(uri));
  }

  private static void setMethod(AttributeSink attributes, String method) {
    String known = method(method);
    attributes.set(HTTP_REQUEST_METHOD, known);
    if (known.equals(OTHER_METHOD)) {
      attributes.set(HTTP_REQUEST_METHOD_ORIGINAL, method);
    }
  }

  /** Sets the host and the port that a client asked for. */
  public static void setServer(AttributeSink attributes, HostAndPort server) {
    attributes.set(SERVER_ADDRESS, server.host());
    attributes.set(SERVER_PORT, server.port());
  }

  /**
   * Sets what is known of a response.
   *
   * @param status nothing is set if it is 0
   * @param version of the protocol, e.g. {@code 1.1}
   */
  public static void setAnswered(AttributeSink attributes, int status, @Nullable String version) {
    if (status > 0) {
      attributes.set(HTTP_RESPONSE_STATUS_CODE, status);
      attributes.set(NETWORK_PROTOCOL_VERSION, version);
    }
  }

  /**
   * {@code http.request.method}: one that the conventions know, else {@link #OTHER_METHOD}; method
   * names are case-sensitive.
   */
  public static String method(String method) {
    return switch (method) {
      case "GET",
          "POST",
          "PUT",
          "DELETE",
          "HEAD",
          "OPTIONS",
          "PATCH",
          "CONNECT",
          "TRACE",
          "QUERY" ->
          method;
      default -> OTHER_METHOD;
    };
  }

  /** The port of a scheme, for URLs that name none. */
  public static int defaultPort(@Nullable String scheme) {
    return "https".equals(scheme) ? 443 : 80;
  }
}
