// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestConvention;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The least adapter for the JDK's server that the server kit passes, and what breaks it. It is no
 * example: it looks up the body in its own endpoints instead of on the wire.
 */
final class ReferenceServer {

  /** A way to be wrong. */
  enum Fault {
    NONE,
    READS_NO_HEADERS,
    READS_FIRST_LINES_ALONE,
    LEAKS_ITS_SCOPE,
    NEVER_ENDS,
    RECORDS_MORE_SPANS,
    SWALLOWS_EXCEPTIONS,
    CALLS_4XX_AN_ERROR,
    SHOWS_THE_QUERY,
    RECORDS_HEALTH_CHECKS,
    COUNTS_MILLISECONDS,
    TAKES_THE_LAST_PROXY,
    KEEPS_THE_METHOD,
    NAMES_BY_PATH,
    SHARES_ITS_CONTEXT,
    ECHOES_NOTHING,
    IS_NEVER_OFF,
    LETS_HOOKS_THROW
  }

  private static final List<Double> SECONDS =
      Arrays.asList(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1d, 2.5, 5d, 7.5, 10d);
  private static final Pattern CODE = Pattern.compile("\"code\":\"(\\w+)\"");
  private static final Set<String> SERVER_ERRORS = Set.of("internal", "unavailable", "unknown");

  private final Fault fault;
  private ExecutorService threads;
  private HttpServer server;

  ReferenceServer(Fault fault) {
    this.fault = fault;
  }

  URI start(HttpServerKit.Setup setup) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    threads = Executors.newCachedThreadPool();
    server.setExecutor(threads);
    for (HttpServerKit.Endpoint endpoint : setup.endpoints()) {
      HttpContext context =
          server.createContext(
              route(endpoint.path()), exchange -> endpoint.handler().handle(new Call(exchange)));
      if (setup.telemetry() != null) {
        context.getFilters().add(new Adapter(setup));
      }
    }
    server.start();
    return URI.create("http://localhost:" + server.getAddress().getPort());
  }

  void stop() {
    server.stop(0);
    threads.shutdown();
  }

  /** The paths of this server are prefixes. */
  static String route(String path) {
    int variable = path.indexOf('{');
    return variable < 0 ? path : path.substring(0, variable);
  }

  private static final class Call implements HttpServerKit.Call {

    private final HttpExchange exchange;

    Call(HttpExchange exchange) {
      this.exchange = exchange;
    }

    @Override
    public String method() {
      return exchange.getRequestMethod();
    }

    @Override
    public void setHeader(String name, String value) {
      exchange.getResponseHeaders().set(name, value);
    }

    @Override
    public void send(int status, byte[] body) throws IOException {
      responding();
      exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
      try (OutputStream out = watched()) {
        out.write(body);
      }
    }

    @Override
    public OutputStream sendChunked(int status) throws IOException {
      responding();
      exchange.sendResponseHeaders(status, 0);
      return watched();
    }

    private static void responding() {
      InstrumentedRequest<?, ?> request = InstrumentedRequest.fromContext(Context.current());
      if (request != null) {
        request.responding();
      }
    }

    private OutputStream watched() {
      InstrumentedRequest<?, ?> request = InstrumentedRequest.fromContext(Context.current());
      OutputStream out = exchange.getResponseBody();
      return request == null ? out : new Watched(out, ((Request) request.request()).body);
    }
  }

  private static final class Watched extends FilterOutputStream {

    private final ByteArrayOutputStream seen;

    Watched(OutputStream out, ByteArrayOutputStream seen) {
      super(out);
      this.seen = seen;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      seen.write(bytes, offset, length);
    }
  }

  private static final class Request {
    final HttpExchange exchange;
    final ByteArrayOutputStream body = new ByteArrayOutputStream();

    Request(HttpExchange exchange) {
      this.exchange = exchange;
    }

    String path() {
      return exchange.getRequestURI().getRawPath();
    }

    String rpc() {
      return exchange.getRequestHeaders().containsKey("Connect-Protocol-Version")
          ? path().substring(1)
          : null;
    }

    String code() {
      Matcher code = CODE.matcher(body.toString(UTF_8));
      return code.find() ? code.group(1) : null;
    }

    String first(String header) {
      return exchange.getRequestHeaders().getFirst(header);
    }
  }

  private final class Adapter extends Filter {

    private final Telemetry telemetry;
    private final RequestInstrumenter<Request, Request> http;
    private final RequestInstrumenter<Request, Request> rpc;
    private volatile Context shared;

    Adapter(HttpServerKit.Setup setup) {
      telemetry =
          fault == Fault.IS_NEVER_OFF
              ? Telemetry.builder()
                  .ignoreEnvironment()
                  .addProperty("otel.traces.exporter", "none")
                  .addProperty("otel.metrics.exporter", "none")
                  .addProperty("otel.logs.exporter", "none")
                  .build()
              : setup.telemetry();
      http = instrumenter(new Convention(setup), "http.server.request.duration");
      rpc = instrumenter(new Convention(setup), "rpc.server.call.duration");
    }

    private RequestInstrumenter<Request, Request> instrumenter(
        Convention convention, String metric) {
      return telemetry
          .instrumenter("reference", convention)
          .setDurationHistogram(
              metric, "", fault == Fault.COUNTS_MILLISECONDS ? List.of(5d, 10d) : SECONDS)
          .setActiveCounter("http.server.active_requests", "")
          .build();
    }

    @Override
    public String description() {
      return "reference";
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker")
    public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
      Request request = new Request(exchange);
      if (fault == Fault.LETS_HOOKS_THROW) {
        telemetry.tracer().spanBuilder("unguarded");
      }
      InstrumentedRequest<Request, Request> started =
          (request.rpc() == null ? http : rpc).start(Context.current(), request);
      if (started == null) {
        chain.doFilter(exchange);
        return;
      }
      Context context = started.context();
      if (fault == Fault.SHARES_ITS_CONTEXT) {
        shared = shared == null ? context : shared;
        context = shared;
      }
      if (fault == Fault.RECORDS_MORE_SPANS) {
        telemetry.span("again").run(() -> {});
      }
      Throwable thrown = null;
      Scope scope = context.makeCurrent();
      try {
        chain.doFilter(exchange);
      } catch (RuntimeException e) {
        thrown = e;
        if (fault != Fault.SWALLOWS_EXCEPTIONS) {
          throw e;
        }
        exchange.sendResponseHeaders(500, -1);
      } finally {
        if (fault != Fault.LEAKS_ITS_SCOPE) {
          scope.close();
        }
        if (fault != Fault.NEVER_ENDS) {
          started.end(request, thrown);
        }
      }
    }
  }

  private final class Convention implements RequestConvention<Request, Request> {

    private final HttpServerKit.Setup setup;

    Convention(HttpServerKit.Setup setup) {
      this.setup = setup;
    }

    @Override
    public SpanKind kind() {
      return SpanKind.SERVER;
    }

    @Override
    public boolean shouldStart(Request request) {
      return fault == Fault.RECORDS_HEALTH_CHECKS || !request.path().equals("/health");
    }

    @Override
    public String spanName(Request request) {
      if (request.rpc() != null) {
        return request.rpc();
      }
      String method = method(request);
      return (method.equals("_OTHER") ? "HTTP" : method)
          + " "
          + (fault == Fault.NAMES_BY_PATH
              ? request.path()
              : request.exchange.getHttpContext().getPath());
    }

    private String method(Request request) {
      String method = request.exchange.getRequestMethod();
      return fault == Fault.KEEPS_THE_METHOD || Set.of("GET", "HEAD", "POST").contains(method)
          ? method
          : "_OTHER";
    }

    @Override
    public void onStart(AttributeSink attributes, Request request) {
      URI uri = request.exchange.getRequestURI();
      String host = request.first("Host");
      put(attributes, "server.address", host.substring(0, host.indexOf(':')));
      attributes.set(
          AttributeKey.longKey("server.port"), Long.valueOf(host.substring(host.indexOf(':') + 1)));
      if (request.rpc() != null) {
        put(attributes, "rpc.system.name", "connectrpc");
        put(attributes, "rpc.method", request.rpc());
        return;
      }
      put(attributes, "http.request.method", method(request));
      if (method(request).equals("_OTHER")) {
        put(attributes, "http.request.method_original", request.exchange.getRequestMethod());
      }
      put(attributes, "http.route", request.exchange.getHttpContext().getPath());
      put(attributes, "url.path", uri.getRawPath());
      put(attributes, "url.scheme", "http");
      put(attributes, "url.query", query(uri.getRawQuery()));
      put(attributes, "client.address", client(request));
      put(attributes, "network.protocol.version", "1.1");
      put(attributes, "user_agent.original", request.first("User-Agent"));
      for (String name : setup.requestHeaders()) {
        attributes.set(
            AttributeKey.stringArrayKey("http.request.header." + name.toLowerCase(Locale.ROOT)),
            request.exchange.getRequestHeaders().get(name));
      }
    }

    private String query(String query) {
      if (query == null || fault == Fault.SHOWS_THE_QUERY) {
        return query;
      }
      return query.replaceAll("=[^&]*", "=REDACTED").replaceAll("(^|&)[^&=]+(?=&|$)", "$1REDACTED");
    }

    private String client(Request request) {
      String forwarded = request.first("Forwarded");
      if (forwarded != null) {
        return forwarded.replaceAll("for=\"?\\[?([0-9a-f.:]*[0-9a-f]).*", "$1").replace("]", "");
      }
      String list = request.first("X-Forwarded-For");
      if (list != null) {
        List<String> proxies = List.of(list.split(", "));
        return proxies.get(fault == Fault.TAKES_THE_LAST_PROXY ? proxies.size() - 1 : 0);
      }
      return request.exchange.getRemoteAddress().getAddress().getHostAddress();
    }

    @Override
    public void onEnd(
        AttributeSink attributes, Request request, Request response, Throwable error) {
      if (request.rpc() != null) {
        put(attributes, "rpc.response.status_code", request.code());
        return;
      }
      long status = request.exchange.getResponseCode();
      if (status > 0) {
        attributes.set(AttributeKey.longKey("http.response.status_code"), status);
      }
      for (String name : setup.responseHeaders()) {
        attributes.set(
            AttributeKey.stringArrayKey("http.response.header." + name.toLowerCase(Locale.ROOT)),
            request.exchange.getResponseHeaders().get(name));
      }
    }

    @Override
    public String errorType(Request request, Request response, Throwable error) {
      if (error != null) {
        return error.getClass().getName();
      }
      if (request.rpc() != null) {
        String code = request.code();
        return code != null && SERVER_ERRORS.contains(code) ? code : null;
      }
      int status = request.exchange.getResponseCode();
      return status >= (fault == Fault.CALLS_4XX_AN_ERROR ? 400 : 500) ? "" + status : null;
    }

    @Override
    public Attributes durationAttributes(Request request, Request response, Throwable error) {
      AttributesBuilder attributes = Attributes.builder();
      if (request.rpc() != null) {
        attributes.put("rpc.system.name", "connectrpc").put("rpc.method", request.rpc());
        put(attributes, "rpc.response.status_code", request.code());
      } else {
        attributes
            .put("http.request.method", method(request))
            .put("http.response.status_code", request.exchange.getResponseCode())
            .put("http.route", request.exchange.getHttpContext().getPath())
            .put("network.protocol.version", "1.1")
            .put("url.scheme", "http");
      }
      put(attributes, "error.type", errorType(request, response, error));
      return attributes.build();
    }

    @Override
    public Attributes activeAttributes(Request request) {
      return request.rpc() != null
          ? null
          : Attributes.builder()
              .put("http.request.method", method(request))
              .put("url.scheme", "http")
              .build();
    }

    @Override
    public TextMapGetter<Request> requestGetter() {
      return new HeaderGetter<>() {
        @Override
        protected List<String> lines(Request request, String name) {
          List<String> lines = request.exchange.getRequestHeaders().get(name);
          if (lines == null || fault == Fault.READS_NO_HEADERS) {
            return null;
          }
          return fault == Fault.READS_FIRST_LINES_ALONE ? lines.subList(0, 1) : lines;
        }
      };
    }

    @Override
    public HeaderSetter<Request> responseSetter() {
      return (request, name, value) -> {
        if (fault != Fault.ECHOES_NOTHING) {
          request.exchange.getResponseHeaders().set(name, value);
        }
      };
    }

    private static void put(AttributeSink attributes, String key, String value) {
      attributes.set(AttributeKey.stringKey(key), value);
    }

    private static void put(AttributesBuilder attributes, String key, String value) {
      if (value != null) {
        attributes.put(key, value);
      }
    }
  }
}
