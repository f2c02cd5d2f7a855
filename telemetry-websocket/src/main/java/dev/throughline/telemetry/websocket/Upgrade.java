// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.HostAndPort;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A request for an upgrade and its answer, on either side. */
final class Upgrade {

  static final int SWITCHING_PROTOCOLS = 101;

  static final String PROTOCOLS_HEADER = "Sec-WebSocket-Protocol";
  static final String CONTEXT_SUB_PROTOCOL = "traceparent.";

  /** Reads what came in with a request that is served. */
  static final HeaderGetter<Upgrade> GETTER =
      new HeaderGetter<>() {
        @Override
        protected @Nullable List<String> lines(Upgrade upgrade, String name) {
          return upgrade.received.get(name);
        }
      };

  final boolean served;
  final URI uri;
  final @Nullable String route;

  /** The host and port that were asked for. */
  final HostAndPort server;

  /** The headers that go out with a request that is sent. */
  final Map<String, String> added = new TreeMap<>();

  /** 0 until there is an answer. */
  int status;

  /** Whether both sides have named the envelope. */
  boolean envelopes;

  /** The context that the session goes on in. */
  Context context = Context.root();

  private final Map<String, List<String>> headers;

  /** The fields of a context that came in: those of the headers, or else of where one looks. */
  private Map<String, List<String>> received = Map.of();

  private Upgrade(
      boolean served, URI uri, @Nullable String route, Map<String, List<String>> headers) {
    this.served = served;
    this.uri = uri;
    this.route = route;
    this.headers = headers;
    String host = header("Host");
    HostAndPort asked = HostAndPort.parse(served && host != null ? host : uri.getRawAuthority());
    this.server = asked.orPort(HttpAttributes.defaultPort(scheme()));
  }

  /** One that is sent. */
  static Upgrade sent(URI uri) {
    return new Upgrade(false, uri, null, Map.of());
  }

  /**
   * One that came in.
   *
   * @param template the endpoint's path, below the application's own
   */
  static Upgrade received(
      URI uri, String template, Map<String, List<String>> headers, Set<ContextSource> sources) {
    Map<String, List<String>> byName = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    byName.putAll(headers);
    Upgrade upgrade = new Upgrade(true, uri, route(uri, template), byName);
    upgrade.received = byName;
    if (!byName.containsKey("traceparent")) {
      upgrade.look(sources);
    }
    return upgrade;
  }

  /**
   * The template with the application's own path before it. Of that path nothing is left of the
   * client's own choice: no parameters, dot segments, doubled slashes or escapes.
   *
   * @return null if there is no template
   */
  private static @Nullable String route(URI uri, String template) {
    if (template.isEmpty()) {
      return null;
    }
    List<String> segments = segments(uri.getRawPath() == null ? "" : uri.getRawPath());
    int above = segments.size() - segments(template).size();
    return above <= 0 ? template : "/" + String.join("/", segments.subList(0, above)) + template;
  }

  private static List<String> segments(String path) {
    List<String> segments = new ArrayList<>();
    for (String raw : path.split("/", -1)) {
      String segment = decoded(raw.split(";", -1)[0]);
      if (segment.equals("..")) {
        segments.subList(Math.max(0, segments.size() - 1), segments.size()).clear();
      } else if (!segment.isEmpty() && !segment.equals(".")) {
        segments.add(segment);
      }
    }
    return segments;
  }

  private void look(Set<ContextSource> sources) {
    Map<String, List<String>> found = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    String query = uri.getRawQuery();
    if (query != null && sources.contains(ContextSource.QUERY)) {
      for (String parameter : query.split("&", -1)) {
        int equals = parameter.indexOf('=');
        String value = decoded(parameter.substring(equals + 1));
        // A value that no header could hold is no context's.
        if (equals > 0 && value.chars().allMatch(c -> c >= ' ' && c <= '~')) {
          String name = parameter.substring(0, equals);
          found.computeIfAbsent(name, first -> new ArrayList<>()).add(value);
        }
      }
    }
    if (!found.containsKey("traceparent") && sources.contains(ContextSource.SUB_PROTOCOL)) {
      List<String> contexts =
          protocols(headers.get(PROTOCOLS_HEADER)).stream()
              .filter(protocol -> protocol.startsWith(CONTEXT_SUB_PROTOCOL))
              .map(protocol -> protocol.substring(CONTEXT_SUB_PROTOCOL.length()))
              .toList();
      if (!contexts.isEmpty()) {
        found.put("traceparent", contexts);
      }
    }
    if (found.containsKey("traceparent")) {
      received = found;
    }
  }

  /** A plus sign is one: baggage and tracestate are encoded by percent. */
  private static String decoded(String value) {
    try {
      return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return value;
    }
  }

  /** The sub-protocols that a header's lines name. */
  static List<String> protocols(@Nullable List<String> lines) {
    return lines == null
        ? List.of()
        : lines.stream()
            .flatMap(line -> Stream.of(line.split(",", -1)))
            .map(String::strip)
            .toList();
  }

  /** Whether the context came in by other means than the headers. */
  boolean foundElsewhere() {
    return !received.isEmpty() && received != headers;
  }

  /** Whether a trace came in, by whatever means. */
  boolean hasContext() {
    return received.containsKey("traceparent");
  }

  /** The first line of a header. */
  @Nullable String header(String name) {
    List<String> lines = headers.get(name);
    return lines == null || lines.isEmpty() ? null : lines.get(0);
  }

  /** {@code http} or {@code https}, whatever the URL says. */
  private String scheme() {
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    return scheme.equals("wss") || scheme.equals("https") ? "https" : "http";
  }

  /**
   * Upgrades, as the HTTP requests that they are.
   *
   * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">HTTP spans</a>
   */
  record Convention(boolean server) implements RequestConvention<Upgrade, Upgrade> {

    @Override
    public SpanKind kind() {
      return server ? SpanKind.SERVER : SpanKind.CLIENT;
    }

    @Override
    public String spanName(Upgrade upgrade) {
      return upgrade.route == null ? "GET" : "GET " + upgrade.route;
    }

    @Override
    public void onStart(AttributeSink attributes, Upgrade upgrade) {
      URI uri = upgrade.uri;
      HttpAttributes.setServer(attributes, upgrade.server);
      if (server) {
        HttpAttributes.setServed(
            attributes,
            "GET",
            upgrade.route,
            uri.getRawPath() == null ? "" : uri.getRawPath(),
            upgrade.scheme(),
            uri.getRawQuery(),
            upgrade.header("User-Agent"));
      } else {
        HttpAttributes.setSent(attributes, "GET", uri);
      }
    }

    @Override
    public void onEnd(
        AttributeSink attributes,
        Upgrade upgrade,
        @Nullable Upgrade answered,
        @Nullable Throwable error) {
      // None of the clients and containers upgrades HTTP/2.
      HttpAttributes.setAnswered(attributes, upgrade.status, "1.1");
    }

    @Override
    public @Nullable String errorType(
        Upgrade upgrade, @Nullable Upgrade answered, @Nullable Throwable error) {
      if (upgrade.status >= (server ? 500 : 400)) {
        return Integer.toString(upgrade.status);
      }
      return error == null ? null : error.getClass().getName();
    }

    @Override
    public Attributes durationAttributes(
        Upgrade upgrade, @Nullable Upgrade answered, @Nullable Throwable error) {
      return Attributes.empty();
    }

    @Override
    public @Nullable TextMapGetter<Upgrade> requestGetter() {
      return server ? GETTER : null;
    }

    @Override
    public @Nullable HeaderSetter<Upgrade> requestSetter() {
      return server ? null : (upgrade, name, value) -> upgrade.added.put(name, value);
    }
  }
}
