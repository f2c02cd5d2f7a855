// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.trace.data.SpanData;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.UnavailableException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The servlet filter through errors, resets and dispatches, on Jetty and on Tomcat. */
class ServletFilterTest {

  @RegisterExtension
  static final TelemetryExtension telemetry =
      TelemetryExtension.builder()
          .addProperty("telemetry.request.id.header", "X-Request-Id")
          .build();

  /** What throws, though the client may get a status of success. */
  private static final List<String> THROW = List.of("/committed", "/unavailable");

  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");

  private static final Map<WebApp.Container, WebApp> APPS = new EnumMap<>(WebApp.Container.class);
  private static final Map<WebApp.Container, WebApp> BY_HAND =
      new EnumMap<>(WebApp.Container.class);

  @AfterAll
  static void stop() throws Exception {
    for (Map<WebApp.Container, WebApp> apps : List.of(APPS, BY_HAND)) {
      for (WebApp app : apps.values()) {
        app.close();
      }
      apps.clear();
    }
  }

  static Stream<Arguments> answers() {
    return on(
        "/plain",
        "/param?q=%zz",
        "/boom",
        "/boom-after",
        "/denied",
        "/wrapped",
        "/committed",
        "/error",
        "/error-with-page",
        "/error-and-boom",
        "/status-and-boom",
        "/unavailable",
        "/redirect",
        "/redirect-303",
        "/redirect-flag",
        "/redirect-307",
        "/reset",
        "/reset-and-flush",
        "/reset-and-error",
        "/forward",
        "/include",
        "/async",
        "/async-0",
        "/async-boom",
        "/async-denied",
        "/async-error",
        "/async-conflict",
        "/async-gone",
        "/async-gone-twice",
        "/async-late",
        "/async-loop");
  }

  static Stream<Arguments> excluded() {
    return on("/health", "/healthz", "/livez", "/readyz", "/metrics");
  }

  private static Stream<Arguments> on(String... paths) {
    return Stream.of(WebApp.Container.values())
        .flatMap(container -> Stream.of(paths).map(path -> Arguments.of(container, path)));
  }

  @ParameterizedTest
  @MethodSource("answers")
  void recordsWhatTheClientGot(WebApp.Container container, String path) throws Exception {
    List<String> head = get(container, path);
    long status = status(head);
    SpanData span = telemetry.takeSpan();
    assertThat(span.getAttributes().get(STATUS)).isEqualTo(status);
    assertThat(span.getStatus().getStatusCode())
        .isEqualTo(
            status >= 500 || (status < 400 && THROW.contains(path))
                ? StatusCode.ERROR
                : StatusCode.UNSET);
    assertThat(span.getAttributes().get(AttributeKey.stringKey("url.path")))
        .isEqualTo("/app" + path.replaceFirst("\\?.*", ""));
    assertThat(
            head.stream().filter(line -> line.toLowerCase(Locale.ROOT).startsWith("x-request-id:")))
        .as("the request id of %s", head)
        .hasSize(1);
    noneActive();
  }

  @ParameterizedTest
  @MethodSource("answers")
  void recordsWhatTheClientGotByAFilterRegisteredByHand(WebApp.Container container, String path)
      throws Exception {
    List<String> head = get(byHand(container), path);
    assertThat(telemetry.takeSpan().getAttributes().get(STATUS)).isEqualTo(status(head));
  }

  @ParameterizedTest
  @MethodSource("excluded")
  void whatIsExcludedLeavesNothingByAnyDispatch(WebApp.Container container, String path)
      throws Exception {
    get(container, path);
    get(container, "/plain");
    assertThat(telemetry.takeSpan().getName()).isEqualTo("GET /app/plain");
  }

  @ParameterizedTest
  @EnumSource(WebApp.Container.class)
  void anErrorPageOfARequestThatNeverCameThisFarIsNotItself(WebApp.Container container)
      throws Exception {
    try (WebApp app = new WebApp(container)) {
      HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
      app.filters.add(
          (request, response, chain) -> {
            if (request.getDispatcherType() == jakarta.servlet.DispatcherType.REQUEST) {
              ((HttpServletResponse) response).sendError(503);
            } else {
              chain.doFilter(request, response);
            }
          });
      app.filters.add(http.createFilter());
      app.on("/page", (request, response) -> response.getWriter().print("page"));
      app.on("/work", (request, response) -> response.getWriter().print("work"));
      app.on("/health", (request, response) -> response.getWriter().print("up"));
      app.errorPages.put(503, "/page");
      app.start(null);
      get(app, "/health");
      get(app, "/work?q=1");
    }
    SpanData span = telemetry.takeSpan();
    assertThat(span.getAttributes().get(AttributeKey.stringKey("url.path"))).isEqualTo("/app/work");
    assertThat(span.getAttributes().get(STATUS)).isEqualTo(503);
  }

  @ParameterizedTest
  @EnumSource(WebApp.Container.class)
  void aRequestThatPassesTwoFiltersIsRecordedOnce(WebApp.Container container) throws Exception {
    try (WebApp app = new WebApp(container)) {
      HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
      app.filters.add(http.createFilter());
      app.filters.add(HttpTelemetry.create(telemetry.telemetry()).createFilter());
      app.on("/work", (request, response) -> response.getWriter().print("work"));
      app.on(
          "/forward",
          (request, response) -> request.getRequestDispatcher("/work").forward(request, response));
      app.start(http);
      get(app, "/forward");
    }
    assertThat(telemetry.takeSpan().getName()).isEqualTo("GET /app/forward");
  }

  @ParameterizedTest
  @EnumSource(WebApp.Container.class)
  void noClientChoosesTheRouteTheSchemeOrTheVersion(WebApp.Container container) throws Exception {
    WebApp app = app(container);
    for (String line :
        List.of(
            "GET /x/../app/plain HTTP/1.1",
            "GET ftp://localhost/app/plain HTTP/1.1",
            "GET /app/plain HTTP/1.7")) {
      // A container may refuse such a line before any filter.
      if (send(app, line).get(0).contains(" 200 ")) {
        SpanData span = telemetry.takeSpan();
        assertThat(span.getName()).isEqualTo("GET /app/plain");
        assertThat(span.getAttributes().get(AttributeKey.stringKey("url.scheme")))
            .isEqualTo("http");
        assertThat(span.getAttributes().get(AttributeKey.stringKey("network.protocol.version")))
            .isIn("1.1", null);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(WebApp.Container.class)
  void whatThrowsBesideItsAsyncContextEnds(WebApp.Container container) throws Exception {
    List<String> head = get(container, "/async-and-boom");
    SpanData span = telemetry.takeSpan();
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(span.getAttributes().get(STATUS)).isEqualTo(head.isEmpty() ? null : status(head));
    noneActive();
  }

  private static long status(List<String> head) {
    return Long.parseLong(head.get(0).split(" ")[1]);
  }

  private static void noneActive() {
    telemetry.metric(
        "http.server.active_requests",
        metric ->
            metric.getLongSumData().getPoints().stream()
                .mapToLong(LongPointData::getValue)
                .allMatch(value -> value == 0));
  }

  private static synchronized WebApp app(WebApp.Container container) throws Exception {
    WebApp app = APPS.get(container);
    if (app == null) {
      app = app(new WebApp(container)).start(HttpTelemetry.create(telemetry.telemetry()));
      APPS.put(container, app);
    }
    return app;
  }

  private static synchronized WebApp byHand(WebApp.Container container) throws Exception {
    WebApp app = BY_HAND.get(container);
    if (app == null) {
      app = app(new WebApp(container));
      app.filters.add(HttpTelemetry.create(telemetry.telemetry()).createFilter());
      app.start(null);
      BY_HAND.put(container, app);
    }
    return app;
  }

  private static WebApp app(WebApp app) {
    app.on("/plain", (request, response) -> response.getWriter().print("plain"));
    app.on("/param", (request, response) -> response.getWriter().print(request.getParameter("q")));
    errors(app);
    resets(app);
    dispatches(app);
    app.exceptionPages.put(SecurityException.class, "/page-403");
    app.errorPages.put(410, "/page-403");
    app.errorPages.put(503, "/page");
    app.errorPages.put(404, "/page-410");
    return app;
  }

  private static void errors(WebApp app) {
    app.on(
        "/boom",
        (request, response) -> {
          throw new IllegalStateException("boom");
        });
    app.on(
        "/boom-after",
        (request, response) -> {
          response.getWriter().print("half");
          throw new IllegalStateException("boom");
        });
    app.on(
        "/denied",
        (request, response) -> {
          throw new SecurityException("no");
        });
    app.on(
        "/wrapped",
        (request, response) -> {
          throw new ServletException("outer", new IllegalArgumentException("inner"));
        });
    app.on(
        "/committed",
        (request, response) -> {
          response.getWriter().print("part");
          response.flushBuffer();
          throw new IllegalStateException("late");
        });
    app.on("/error", (request, response) -> response.sendError(409));
    app.on("/error-with-page", (request, response) -> response.sendError(410));
    app.on(
        "/error-and-boom",
        (request, response) -> {
          response.sendError(409);
          throw new IllegalStateException("after");
        });
    app.on(
        "/status-and-boom",
        (request, response) -> {
          response.setStatus(404);
          throw new IllegalStateException("after");
        });
    app.on(
        "/unavailable",
        (request, response) -> {
          throw new UnavailableException("gone");
        });
    app.on(
        "/page-403",
        (request, response) -> {
          response.setStatus(403);
          response.getWriter().print("no");
        });
    app.on("/page", (request, response) -> response.getWriter().print("page"));
  }

  private static void resets(WebApp app) {
    app.on("/redirect", (request, response) -> response.sendRedirect("/x"));
    app.on("/redirect-303", (request, response) -> response.sendRedirect("/x", 303));
    app.on("/redirect-flag", (request, response) -> response.sendRedirect("/x", false));
    app.on("/redirect-307", (request, response) -> response.sendRedirect("/x", 307, true));
    app.on(
        "/reset",
        (request, response) -> {
          response.getWriter().print("half");
          response.reset();
          response.setStatus(500);
        });
    app.on(
        "/reset-and-flush",
        (request, response) -> {
          response.addHeader("X-Request-Id", "the application's");
          response.reset();
          response.flushBuffer();
        });
    app.on(
        "/reset-and-error",
        (request, response) -> {
          response.reset();
          response.sendError(500);
        });
  }

  private static void dispatches(WebApp app) {
    app.on(
        "/forward",
        (request, response) -> request.getRequestDispatcher("/plain").forward(request, response));
    app.on(
        "/include",
        (request, response) -> request.getRequestDispatcher("/plain").include(request, response));
    app.on("/async", (request, response) -> answerLater(request.startAsync(request, response)));
    app.on("/async-0", (request, response) -> answerLater(request.startAsync()));
    app.on("/async-boom", (request, response) -> request.startAsync().dispatch("/boom"));
    app.on("/async-denied", (request, response) -> request.startAsync().dispatch("/denied"));
    app.on(
        "/async-error",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          async.start(
              () -> {
                try {
                  ((HttpServletResponse) async.getResponse()).sendError(418);
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
                async.complete();
              });
        });
    app.on("/async-conflict", (request, response) -> request.startAsync().dispatch("/error"));
    app.on("/async-gone", (request, response) -> request.startAsync().dispatch("/error-with-page"));
    app.on("/gone-twice", (request, response) -> response.sendError(404));
    app.on(
        "/async-gone-twice", (request, response) -> request.startAsync().dispatch("/gone-twice"));
    app.on("/page-410", (request, response) -> response.sendError(410));
    app.on("/async-late", (request, response) -> request.startAsync().setTimeout(50));
    app.on(
        "/async-and-boom",
        (request, response) -> {
          request.startAsync().setTimeout(50);
          throw new IllegalStateException("after");
        });
    app.on(
        "/async-loop",
        (request, response) -> {
          int turn = request.getAttribute("turn") == null ? 0 : (int) request.getAttribute("turn");
          request.setAttribute("turn", turn + 1);
          if (turn < 3) {
            request.startAsync().dispatch();
          } else {
            response.getWriter().print("looped");
          }
        });
    app.on("/health", (request, response) -> response.sendError(503));
    app.on("/healthz", (request, response) -> request.startAsync().dispatch("/plain"));
    app.on(
        "/livez",
        (request, response) -> request.getRequestDispatcher("/plain").forward(request, response));
    app.on(
        "/readyz",
        (request, response) -> {
          throw new SecurityException("not ready");
        });
    app.on(
        "/metrics",
        (request, response) -> request.getRequestDispatcher("/plain").include(request, response));
  }

  private static void answerLater(AsyncContext async) {
    async.start(
        () -> {
          try {
            async.getResponse().getWriter().print("later");
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
          async.complete();
        });
  }

  private static List<String> get(WebApp.Container container, String path) throws Exception {
    return get(app(container), path);
  }

  private static List<String> get(WebApp app, String path) throws IOException {
    return send(app, "GET /app" + path + " HTTP/1.1");
  }

  /** The head of the answer; over a socket, since no client sends such paths. */
  private static List<String> send(WebApp app, String requestLine) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), app.port)) {
      socket.setSoTimeout(30_000);
      socket
          .getOutputStream()
          .write(
              (requestLine + "\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                  .getBytes(ISO_8859_1));
      String answer = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
      return answer.split("\r\n\r\n", 2)[0].lines().toList();
    }
  }
}
