// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HostAndPort;
import dev.throughline.telemetry.instrument.HttpAttributes;
import io.opentelemetry.context.Context;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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

  private final boolean served;
  private final URI uri;
  private final @Nullable String route;
  private final Map<String, List<String>> headers;
  private final HostAndPort server;

  /** The fields of a context that came in: those of the headers, or else of where one looks. */
  private Map<String, List<String>> received = Map.of();

  /** What goes out with a request that is sent. */
  private final Map<String, String> added = new TreeMap<>();

  private int status;
  private boolean envelopes;
  private Context context = Context.root();

  private Upgrade(
      boolean server, URI uri, @Nullable String route, Map<String, List<String>> headers) {
    this.served = server;
    this.uri = uri;
    this.route = route;
    this.headers = headers;
    String host = header("Host");
    HostAndPort asked = HostAndPort.parse(server && host != null ? host : uri.getRawAuthority());
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
      int parameters = raw.indexOf(';');
      String segment = decoded(parameters < 0 ? raw : raw.substring(0, parameters));
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
        // What no header could hold is no context's.
        if (equals > 0 && value.chars().allMatch(c -> c >= ' ' && c <= '~')) {
          found
              .computeIfAbsent(parameter.substring(0, equals), name -> new ArrayList<>())
              .add(value);
        }
      }
    }
    if (!found.containsKey("traceparent") && sources.contains(ContextSource.SUB_PROTOCOL)) {
      for (String protocol : protocols(headers.get(PROTOCOLS_HEADER))) {
        if (protocol.startsWith(CONTEXT_SUB_PROTOCOL)) {
          found
              .computeIfAbsent("traceparent", name -> new ArrayList<>())
              .add(protocol.substring(CONTEXT_SUB_PROTOCOL.length()));
        }
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
    List<String> protocols = new ArrayList<>();
    if (lines != null) {
      for (String line : lines) {
        for (String protocol : line.split(",", -1)) {
          protocols.add(protocol.strip());
        }
      }
    }
    return protocols;
  }

  boolean isServer() {
    return served;
  }

  URI uri() {
    return uri;
  }

  String path() {
    return uri.getRawPath() == null ? "" : uri.getRawPath();
  }

  @Nullable String query() {
    return uri.getRawQuery();
  }

  @Nullable String route() {
    return route;
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
  String scheme() {
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    return scheme.equals("wss") || scheme.equals("https") ? "https" : "http";
  }

  /** What was asked for. */
  HostAndPort server() {
    return server;
  }

  void add(String name, String value) {
    added.put(name, value);
  }

  Map<String, String> added() {
    return added;
  }

  /** 0 where no answer came. */
  int status() {
    return status;
  }

  void setStatus(int status) {
    this.status = status;
  }

  /** Whether both sides have named the envelope. */
  boolean envelopes() {
    return envelopes;
  }

  void setEnvelopes(boolean envelopes) {
    this.envelopes = envelopes;
  }

  /** What the session goes on in. */
  Context context() {
    return context;
  }

  void setContext(Context context) {
    this.context = context;
  }
}
