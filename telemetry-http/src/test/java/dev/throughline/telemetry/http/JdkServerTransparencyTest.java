// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsExchange;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.HttpTransparencyKit;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.condition.EnabledOnJre;
import org.junit.jupiter.api.condition.JRE;

/** The JDK's server answers the same with our filter on it. */
@EnabledOnJre(value = JRE.JAVA_17, disabledReason = "Matrices of scenarios run on one JDK")
class JdkServerTransparencyTest extends HttpTransparencyKit<HttpServer> {

  private static final byte[] LARGE = "0123456789abcdef".repeat(200_000).getBytes(UTF_8);

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @Override
  protected HttpServer start(@Nullable Telemetry telemetry, Mode mode) throws Exception {
    HttpServer server = create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    server.setExecutor(threads);
    Map<String, HttpHandler> handlers = handlers();
    HttpTelemetry http =
        telemetry == null
            ? null
            : HttpTelemetry.builder(telemetry)
                .setExcludedPaths(mode.equals(EXCLUDED) ? handlers.keySet() : List.of())
                .addConnectProcedure("/rpc/kit.v1.KitService/Say")
                .build();
    handlers.forEach(
        (path, handler) -> {
          HttpContext context = server.createContext(path, handler);
          if (path.equals("/secure")) {
            context.setAuthenticator(new Authenticator());
          }
          if (path.equals("/zipped")) {
            context.getFilters().add(Filters.zipping());
          }
          if (http != null) {
            http.addTo(context);
          }
          if (path.equals("/zipped-before")) {
            context.getFilters().add(0, Filters.zipping());
          }
          if (path.equals("/mapped")) {
            context.getFilters().add(0, Filters.mappingErrors());
          }
          if (path.equals("/twice") && http != null) {
            context.getFilters().add(http.createHttpServerFilter());
          }
        });
    server.start();
    return server;
  }

  /** Plain HTTP here. */
  HttpServer create(InetSocketAddress address) throws Exception {
    return HttpServer.create(address, 0);
  }

  @Override
  protected int port(HttpServer server) {
    return server.getAddress().getPort();
  }

  @Override
  protected void stop(HttpServer server) {
    server.stop(0);
  }

  @AfterAll
  void stopThreads() {
    threads.shutdownNow();
  }

  @Override
  protected List<Scenario<HttpServer>> scenarios() {
    List<Scenario<HttpServer>> scenarios = new ArrayList<>();
    for (String path : handlers().keySet()) {
      if (!List.of("/events", "/head").contains(path)) {
        scenarios.add(get(path));
        scenarios.add(request("POST " + path, "{\"a\":1}", "Content-Type: application/json"));
      }
    }
    for (String path : List.of("/plain", "/chunked", "/empty", "/head")) {
      scenarios.add(request("HEAD " + path, ""));
    }
    scenarios.add(get("/secure", "Authorization: Basic " + basic("ada:pw")));
    scenarios.add(get("/secure", "Authorization: Basic " + basic("ada:no")));
    scenarios.add(request("BREW /plain", ""));
    scenarios.add(
        request("POST /echo", "continue", "Expect: 100-continue", "Content-Type: text/plain"));
    scenarios.add(raw("HTTP/1.0", "GET /chunked HTTP/1.0\r\n\r\n"));
    scenarios.add(
        raw(
            "two requests of one connection",
            "GET /plain HTTP/1.1\r\nHost: h\r\n\r\nGET /chunked HTTP/1.1\r\nHost: h\r\n"
                + "Connection: close\r\n\r\n"));
    scenarios.add(abort("a client that leaves", "GET /events HTTP/1.1\r\nHost: h\r\n\r\n", 100));
    return scenarios;
  }

  private static String basic(String credentials) {
    return Base64.getEncoder().encodeToString(credentials.getBytes(UTF_8));
  }

  private Map<String, HttpHandler> handlers() {
    Map<String, HttpHandler> handlers = new LinkedHashMap<>();
    handlers.put("/plain", exchange -> send(exchange, 200, "plain"));
    handlers.put("/twice", exchange -> send(exchange, 200, "recorded once"));
    handlers.put("/secure", exchange -> send(exchange, 200, "" + exchange.getPrincipal()));
    handlers.put("/zipped", exchange -> send(exchange, 200, "zipped"));
    handlers.put("/zipped-before", exchange -> send(exchange, 200, "zipped"));
    handlers.put("/rpc/kit.v1.KitService/Say", exchange -> send(exchange, 200, "{}"));
    handlers.put("/large", exchange -> send(exchange, 200, new String(LARGE, UTF_8)));
    handlers.put("/umlaut", exchange -> send(exchange, 200, "grün — 緑"));
    handlers.put(
        "/echo",
        exchange -> send(exchange, 200, new String(exchange.getRequestBody().readAllBytes())));
    handlers.put("/class", exchange -> send(exchange, 200, describe(exchange)));
    handlers.put(
        "/chunked",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          try (OutputStream body = exchange.getResponseBody()) {
            body.write('a');
            body.flush();
            body.write(" b c".getBytes(UTF_8));
            body.write("xyzzy".getBytes(UTF_8), 1, 2);
          }
        });
    handlers.put("/empty", exchange -> exchange.sendResponseHeaders(200, -1));
    handlers.put("/head", exchange -> exchange.sendResponseHeaders(200, 5));
    handlers.put("/204", exchange -> exchange.sendResponseHeaders(204, -1));
    handlers.put("/304", exchange -> exchange.sendResponseHeaders(304, -1));
    handlers.put("/404", exchange -> send(exchange, 404, "missing"));
    handlers.put(
        "/moved",
        exchange -> {
          exchange.getResponseHeaders().set("Location", "/plain");
          exchange.sendResponseHeaders(302, -1);
        });
    handlers.put(
        "/throws",
        exchange -> {
          throw new IllegalStateException("of the handler");
        });
    handlers.put(
        "/mapped",
        exchange -> {
          throw new IllegalArgumentException("of the client");
        });
    handlers.put(
        "/throws-late",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write("part".getBytes(UTF_8));
          throw new IOException("of the handler");
        });
    handlers.put(
        "/throws-when-answered",
        exchange -> {
          send(exchange, 200, "all");
          throw new IllegalStateException("of the handler");
        });
    handlers.put("/closes", HttpExchange::close);
    handlers.put("/closes-later", exchange -> threads.execute(exchange::close));
    handlers.put("/later", exchange -> threads.execute(() -> sendLater(exchange)));
    handlers.put("/closes-body-first", exchange -> sendAfter(exchange, body -> body.close()));
    handlers.put("/writes-first", exchange -> sendAfter(exchange, body -> body.write('x')));
    handlers.put("/flushes-first", exchange -> sendAfter(exchange, OutputStream::flush));
    handlers.put(
        "/too-long",
        exchange -> {
          exchange.sendResponseHeaders(200, 4);
          String failure = failure(exchange, body -> body.write("too long".getBytes(UTF_8)));
          exchange.getResponseBody().write(failure.substring(0, 4).getBytes(UTF_8));
          exchange.close();
        });
    handlers.put(
        "/too-short",
        exchange -> {
          exchange.sendResponseHeaders(200, 4);
          exchange.getResponseBody().write('x');
          exchange.close();
        });
    handlers.put(
        "/answers-twice",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          try (OutputStream body = exchange.getResponseBody()) {
            try {
              exchange.sendResponseHeaders(500, 0);
            } catch (IOException e) {
              body.write(e.toString().getBytes(UTF_8));
            }
          }
        });
    handlers.put("/events", exchange -> threads.execute(() -> events(exchange)));
    return handlers;
  }

  private static String describe(HttpExchange exchange) {
    return String.join(
        "\n",
        exchange.getClass().getName(),
        "" + (exchange instanceof HttpsExchange),
        exchange.getHttpContext().getPath(),
        "" + exchange.getResponseCode(),
        "" + exchange.getHttpContext().getAttributes().size(),
        "" + Arrays.asList(exchange.getRequestBody().getClass().getName()));
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    boolean none = exchange.getRequestMethod().equals("HEAD") || bytes.length == 0;
    boolean zipped = exchange.getResponseHeaders().containsKey("Content-Encoding");
    exchange.sendResponseHeaders(status, none ? -1 : zipped ? 0 : bytes.length);
    if (!none) {
      exchange.getResponseBody().write(bytes);
    }
    exchange.close();
  }

  private void sendLater(HttpExchange exchange) {
    try {
      send(exchange, 200, "later");
    } catch (IOException e) {
      exchange.close();
    }
  }

  @FunctionalInterface
  private interface Write {
    void to(OutputStream body) throws IOException;
  }

  private static String failure(HttpExchange exchange, Write write) {
    try {
      write.to(exchange.getResponseBody());
      return "nothing";
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static void sendAfter(HttpExchange exchange, Write write) throws IOException {
    send(exchange, 200, failure(exchange, write));
  }

  private void events(HttpExchange exchange) {
    try {
      exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
      exchange.sendResponseHeaders(200, 0);
      try (OutputStream body = exchange.getResponseBody()) {
        while (!Thread.currentThread().isInterrupted()) {
          body.write("data: now\n\n".getBytes(UTF_8));
          body.flush();
        }
      }
    } catch (IOException e) {
      note(e.getClass().getName());
    }
  }

  private static final class Authenticator extends BasicAuthenticator {

    Authenticator() {
      super("kit");
    }

    @Override
    public boolean checkCredentials(String user, String password) {
      return password.equals("pw");
    }
  }

  private static final class Filters {

    private Filters() {}

    /** As the JDK wants it: the stream is taken before the headers are sent, and used after. */
    static Filter zipping() {
      return new Filter() {
        @Override
        public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
          exchange.getResponseHeaders().set("Content-Encoding", "gzip");
          exchange.setStreams(null, new Zipped(exchange.getResponseBody()));
          chain.doFilter(exchange);
        }

        @Override
        public String description() {
          return "zipping";
        }
      };
    }

    static Filter mappingErrors() {
      return new Filter() {
        @Override
        public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
          try {
            chain.doFilter(exchange);
          } catch (IllegalArgumentException e) {
            send(exchange, 400, e.getMessage());
          }
        }

        @Override
        public String description() {
          return "mapping errors";
        }
      };
    }
  }

  private static final class Zipped extends FilterOutputStream {

    private @Nullable GZIPOutputStream zip;

    Zipped(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) throws IOException {
      zip().write(b);
    }

    @Override
    public void close() throws IOException {
      zip().close();
    }

    private GZIPOutputStream zip() throws IOException {
      if (zip == null) {
        zip = new GZIPOutputStream(out);
      }
      return zip;
    }
  }
}
