// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.trace.Span;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletMapping;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The application's code runs in the request's context, on whichever thread a container runs it.
 */
class ServletContextTest {

  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  private static final Map<WebApp.Container, WebApp> APPS = new EnumMap<>(WebApp.Container.class);

  /** Each call of the application by its container: its name, and the span that was current. */
  private static final BlockingQueue<Call> CALLS = new LinkedBlockingQueue<>();

  private static final Set<String> EARLIER = new HashSet<>();

  private record Call(String name, String spanId) {}

  private static void called(String name) {
    CALLS.add(new Call(name, Span.current().getSpanContext().getSpanId()));
  }

  @BeforeEach
  void forget() {
    CALLS.clear();
  }

  @AfterAll
  static void stop() throws Exception {
    for (WebApp app : APPS.values()) {
      app.close();
    }
    APPS.clear();
  }

  static Stream<Arguments> paths() {
    return Stream.of(WebApp.Container.values())
        .flatMap(
            container ->
                Stream.of(
                    Arguments.of(container, "/start", List.of("start", "onComplete")),
                    Arguments.of(container, "/given", List.of("start", "onComplete")),
                    Arguments.of(container, "/wrapped", List.of("start", "onComplete")),
                    Arguments.of(container, "/late", List.of("onTimeout", "onComplete")),
                    Arguments.of(container, "/boom", List.of("onError")),
                    Arguments.of(container, "/again", List.of("onStartAsync", "onComplete")),
                    Arguments.of(container, "/dispatched", List.of("start", "onComplete")),
                    Arguments.of(container, "/streams", STREAMS),
                    Arguments.of(container, "/streams-before", STREAMS),
                    Arguments.of(container, "/streams-of-async", STREAMS)));
  }

  private static final List<String> STREAMS =
      List.of("onDataAvailable", "onAllDataRead", "onWritePossible", "onComplete");

  @ParameterizedTest
  @MethodSource("paths")
  void itsContextIsCurrent(WebApp.Container container, String path, List<String> names)
      throws Exception {
    answer(app(container), path);
    assertCalledInContext(names);
  }

  static Stream<Arguments> leaving() {
    return Stream.of(WebApp.Container.values())
        .flatMap(
            container ->
                Stream.of(
                    Arguments.of(container, "/streams", "onError of the reader"),
                    Arguments.of(container, "/endless", "onError of the writer")));
  }

  @ParameterizedTest
  @MethodSource("leaving")
  void itsContextIsCurrentWhenTheClientHasLeft(WebApp.Container container, String path, String name)
      throws Exception {
    try (Socket socket = send(app(container), path, 10, "abc")) {
      socket.setSoLinger(true, 0);
      if (path.equals("/endless")) {
        socket.getInputStream().readNBytes(100);
      } else {
        awaitCall("onDataAvailable");
      }
    }
    assertCalledInContext(List.of(name));
  }

  @ParameterizedTest
  @EnumSource(WebApp.Container.class)
  void aRequestThatCannotBeReadIsServed(WebApp.Container container) throws Exception {
    for (String route : List.of("/app/work", "/other")) {
      try (WebApp app = new WebApp(container)) {
        app.filters.add(
            (request, response, chain) ->
                chain.doFilter(new Unreadable((HttpServletRequest) request), response));
        app.filters.add(
            HttpTelemetry.builder(telemetry.telemetry()).addRoute(route).build().createFilter());
        app.on("/work", (request, response) -> response.getWriter().print("work"));
        app.start(null);
        assertThat(answer(app, "/work")).startsWith("HTTP/1.1 200");
      }
      telemetry.expectWarn("threw in dev.throughline.telemetry.http");
    }
    assertThat(telemetry.takeSpan().getName()).isEqualTo("POST /app/work");
  }

  private static final class Unreadable extends HttpServletRequestWrapper {

    Unreadable(HttpServletRequest request) {
      super(request);
    }

    @Override
    public HttpServletMapping getHttpServletMapping() {
      throw new IllegalStateException("of a filter");
    }
  }

  private static String answer(WebApp app, String path) throws IOException {
    try (Socket socket = send(app, path, 3, "abc")) {
      return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }
  }

  private static void awaitCall(String name) throws InterruptedException {
    Call call;
    do {
      call = CALLS.poll(30, TimeUnit.SECONDS);
      assertThat(call).as(name).isNotNull();
    } while (!call.name().equals(name));
  }

  private static void assertCalledInContext(List<String> names) throws InterruptedException {
    String spanId = telemetry.takeSpan().getSpanId();
    for (String name : names) {
      Call call;
      do {
        call = CALLS.poll(30, TimeUnit.SECONDS);
        assertThat(call).as(name).isNotNull();
        // A container may complete an earlier request after its span has ended.
        assertThat(call.spanId())
            .as(call.name())
            .matches(id -> id.equals(spanId) || EARLIER.contains(id));
      } while (!call.equals(new Call(name, spanId)));
    }
    EARLIER.add(spanId);
  }

  private static Socket send(WebApp app, String path, int length, String body) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), app.port);
    socket.setSoTimeout(30_000);
    String head =
        "POST /app%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n";
    socket.getOutputStream().write((head.formatted(path, length) + body).getBytes(ISO_8859_1));
    return socket;
  }

  private static synchronized WebApp app(WebApp.Container container) throws Exception {
    WebApp app = APPS.get(container);
    if (app == null) {
      app = app(new WebApp(container)).start(HttpTelemetry.create(telemetry.telemetry()));
      APPS.put(container, app);
    }
    return app;
  }

  private static WebApp app(WebApp app) {
    app.on("/start", (request, response) -> start(listened(request.startAsync())));
    app.on("/given", (request, response) -> start(listened(request.startAsync(request, response))));
    app.on(
        "/wrapped",
        (request, response) -> {
          HttpServletRequest wrapped = new HttpServletRequestWrapper(request);
          start(listened(wrapped.startAsync(wrapped, response)));
        });
    app.on("/late", (request, response) -> listened(request.startAsync()).setTimeout(50));
    app.on(
        "/boom",
        (request, response) -> {
          listened(request.startAsync()).setTimeout(50);
          throw new IllegalStateException("boom");
        });
    app.on(
        "/again",
        (request, response) -> {
          if (request.getDispatcherType() == DispatcherType.REQUEST) {
            listened(request.startAsync()).dispatch();
          } else {
            listened(request.startAsync()).complete();
          }
        });
    app.on(
        "/dispatched",
        (request, response) -> {
          if (request.getDispatcherType() == DispatcherType.REQUEST) {
            request.startAsync().dispatch();
          } else {
            start(listened(request.startAsync()));
          }
        });
    app.on(
        "/streams",
        (request, response) -> {
          AsyncContext async = listened(request.startAsync());
          exchange(async, request.getInputStream(), response.getOutputStream());
        });
    app.on(
        "/streams-before",
        (request, response) -> {
          ServletInputStream in = request.getInputStream();
          ServletOutputStream out = response.getOutputStream();
          exchange(listened(request.startAsync()), in, out);
        });
    app.on(
        "/streams-of-async",
        (request, response) -> {
          AsyncContext async = listened(request.startAsync());
          exchange(
              async, async.getRequest().getInputStream(), async.getResponse().getOutputStream());
        });
    app.on("/endless", ServletContextTest::endless);
    return app;
  }

  private static void start(AsyncContext async) {
    async.start(
        () -> {
          called("start");
          async.complete();
        });
  }

  private static AsyncContext listened(AsyncContext async) {
    async.setTimeout(30_000);
    async.addListener(
        new AsyncListener() {
          @Override
          public void onComplete(AsyncEvent event) {
            called("onComplete");
          }

          @Override
          public void onTimeout(AsyncEvent event) {
            called("onTimeout");
            event.getAsyncContext().complete();
          }

          @Override
          public void onError(AsyncEvent event) {
            called("onError");
          }

          @Override
          public void onStartAsync(AsyncEvent event) {
            called("onStartAsync");
          }
        });
    return async;
  }

  /** Reads all, then writes. */
  private static void exchange(AsyncContext async, ServletInputStream in, ServletOutputStream out) {
    in.setReadListener(
        new ReadListener() {
          @Override
          public void onDataAvailable() throws IOException {
            called("onDataAvailable");
            while (in.isReady() && in.read() >= 0) {
              continue;
            }
          }

          @Override
          public void onAllDataRead() {
            called("onAllDataRead");
            out.setWriteListener(new Writer(async, out, 1));
          }

          @Override
          public void onError(Throwable thrown) {
            called("onError of the reader");
            async.complete();
          }
        });
  }

  private static void endless(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    ServletOutputStream out = response.getOutputStream();
    out.setWriteListener(new Writer(request.startAsync(), out, Integer.MAX_VALUE));
  }

  private static final class Writer implements WriteListener {

    private static final byte[] CHUNK = "0123456789".repeat(1_000).getBytes(UTF_8);

    private final AsyncContext async;
    private final ServletOutputStream out;
    private int left;

    Writer(AsyncContext async, ServletOutputStream out, int left) {
      this.async = async;
      this.out = out;
      this.left = left;
    }

    @Override
    public void onWritePossible() throws IOException {
      called("onWritePossible");
      while (out.isReady()) {
        if (left-- == 0) {
          async.complete();
          return;
        }
        out.write(CHUNK);
      }
    }

    @Override
    public void onError(Throwable thrown) {
      called("onError of the writer");
      async.complete();
    }
  }
}
