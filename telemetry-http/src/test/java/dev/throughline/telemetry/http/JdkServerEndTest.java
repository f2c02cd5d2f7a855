// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpPrincipal;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each request of the JDK's server ends, whoever ends its response and in whatever way. */
class JdkServerEndTest {

  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch answered = new CountDownLatch(1);
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    threads.shutdownNow();
  }

  @Test
  void aStreamOfAnotherThreadEndsWhenItsClientHasLeft() throws Exception {
    serve(later(JdkServerEndTest::streamEvents));
    leave();
    SpanData span = ended();
    assertThat(status(span)).isEqualTo(200);
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
  }

  @Test
  void aStreamThatIsLeftOpenEndsWhenItsClientHasLeft() throws Exception {
    serve(
        later(
            exchange -> {
              exchange.sendResponseHeaders(200, 0);
              writeUntilItFails(exchange.getResponseBody());
            }));
    leave();
    assertThat(status(ended())).isEqualTo(200);
  }

  @Test
  void whatAnotherThreadClosesWithoutAnAnswerEnds() throws Exception {
    serve(later(HttpExchange::close));
    assertThat(get()).isEmpty();
    assertThat(status(ended())).isNull();
  }

  @Test
  void whatTheServerClosesEnds() throws Exception {
    CountDownLatch open = new CountDownLatch(1);
    serve(exchange -> open.countDown());
    try (Socket socket = request()) {
      assertThat(open.await(30, TimeUnit.SECONDS)).isTrue();
      server.stop(0);
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThat(status(ended())).isNull();
  }

  @Test
  void aWholeBodyThatNobodyClosesEnds() throws Exception {
    HttpHandler handler =
        exchange -> {
          exchange.sendResponseHeaders(200, 4);
          exchange.getResponseBody().write("body".getBytes(UTF_8));
          // The server of JDK 25 keeps what is not flushed until the body is closed.
          exchange.getResponseBody().flush();
        };
    for (HttpHandler each : new HttpHandler[] {handler, later(handler)}) {
      serve(each);
      try (Socket socket = request()) {
        assertThat(new String(socket.getInputStream().readNBytes(15), UTF_8))
            .startsWith("HTTP/1.1");
        assertThat(status(ended())).isEqualTo(200);
      }
      server.removeContext("/x");
    }
  }

  @Test
  void endsWithItsStreamNotBeforeIt() throws Exception {
    CountDownLatch more = new CountDownLatch(1);
    serve(
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write("first".getBytes(UTF_8));
          exchange.getResponseBody().flush();
          threads.execute(
              () -> {
                try (OutputStream body = exchange.getResponseBody()) {
                  more.await();
                  body.write("last".getBytes(UTF_8));
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
        });
    try (Socket socket = request()) {
      socket.getInputStream().readNBytes(80);
      active(1);
      more.countDown();
      assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8)).contains("last");
    }
    assertThat(status(ended())).isEqualTo(200);
  }

  @Test
  void whatAFilterBeforeOursAnswersIsTheStatus() throws Exception {
    HttpContext context =
        serve(
            exchange -> {
              throw new IllegalArgumentException("of the client");
            });
    context.getFilters().add(0, new MapsErrors());
    assertThat(get()).startsWith("HTTP/1.1 400");
    SpanData span = ended();
    assertThat(status(span)).isEqualTo(400);
    assertThat(span.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
  }

  @Test
  void whatNoFilterBeforeOursAnswersHasNoStatus() throws Exception {
    HttpContext context =
        serve(
            exchange -> {
              throw new IllegalStateException("of the handler");
            });
    context.getFilters().add(0, new MapsErrors());
    assertThat(get()).isEmpty();
    SpanData span = ended();
    assertThat(status(span)).isNull();
    assertThat(span.getAttributes().get(AttributeKey.stringKey("error.type")))
        .isEqualTo(IllegalStateException.class.getName());
  }

  @Test
  void anExchangeOfAFilterThatTakesNoStreamEndsWithItsHandler() throws Exception {
    HttpContext context = server.createContext("/x", exchange -> answer(exchange, 200));
    HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
    context.getFilters().add(new Wraps(Wrapper::new));
    context.getFilters().add(http.createHttpServerFilter());
    context.getFilters().add(HttpTelemetry.create(telemetry.telemetry()).createHttpServerFilter());
    assertThat(get()).startsWith("HTTP/1.1 200");
    assertThat(status(ended())).isEqualTo(200);
    telemetry.expectWarn("HttpExchange.setStreams threw.*");
  }

  @Test
  void aRequestThatCannotBeReadIsServed() throws Exception {
    HttpContext context = server.createContext("/x", exchange -> answer(exchange, 200));
    context.getFilters().add(new Wraps(Unreadable::new));
    context.getFilters().add(HttpTelemetry.create(telemetry.telemetry()).createHttpServerFilter());
    assertThat(get()).startsWith("HTTP/1.1 200");
    telemetry.expectWarn("HttpRequest threw.*");
  }

  private HttpContext serve(HttpHandler handler) {
    HttpContext context = server.createContext("/x", handler);
    HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
    http.addTo(context);
    // The second records nothing.
    context.getFilters().add(HttpTelemetry.create(telemetry.telemetry()).createHttpServerFilter());
    return context;
  }

  private HttpHandler later(HttpHandler handler) {
    return exchange ->
        threads.execute(
            () -> {
              try {
                handler.handle(exchange);
              } catch (IOException e) {
                answered.countDown();
              }
            });
  }

  private static void streamEvents(HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(200, 0);
    try (OutputStream body = exchange.getResponseBody()) {
      writeUntilItFails(body);
    }
  }

  private static void writeUntilItFails(OutputStream body) throws IOException {
    while (!Thread.currentThread().isInterrupted()) {
      body.write("data: now\n\n".getBytes(UTF_8));
      body.flush();
    }
  }

  private static void answer(HttpExchange exchange, int status) throws IOException {
    exchange.sendResponseHeaders(status, -1);
  }

  private void leave() throws IOException {
    try (Socket socket = request()) {
      socket.getInputStream().readNBytes(100);
      socket.setSoLinger(true, 0);
    }
  }

  private String get() throws IOException {
    try (Socket socket = request()) {
      return new String(socket.getInputStream().readAllBytes(), UTF_8);
    }
  }

  private Socket request() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getAddress().getPort());
    socket.setSoTimeout(30_000);
    socket
        .getOutputStream()
        .write("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".getBytes(UTF_8));
    return socket;
  }

  private static SpanData ended() {
    SpanData span = telemetry.takeSpan();
    active(0);
    return span;
  }

  private static void active(long count) {
    telemetry.metric(
        "http.server.active_requests",
        metric ->
            metric.getLongSumData().getPoints().stream().mapToLong(LongPointData::getValue).sum()
                == count);
  }

  private static @Nullable Long status(SpanData span) {
    return span.getAttributes().get(AttributeKey.longKey("http.response.status_code"));
  }

  private static final class MapsErrors extends Filter {

    @Override
    public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
      try {
        chain.doFilter(exchange);
      } catch (IllegalArgumentException e) {
        answer(exchange, 400);
      }
    }

    @Override
    public String description() {
      return "maps errors";
    }
  }

  private static final class Wraps extends Filter {

    private final UnaryOperator<HttpExchange> wrap;

    Wraps(UnaryOperator<HttpExchange> wrap) {
      this.wrap = wrap;
    }

    @Override
    public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
      chain.doFilter(wrap.apply(exchange));
    }

    @Override
    public String description() {
      return "wraps";
    }
  }

  /** An exchange of a filter's own, which takes no streams. */
  private static class Wrapper extends HttpExchange {

    private final HttpExchange exchange;

    Wrapper(HttpExchange exchange) {
      this.exchange = exchange;
    }

    @Override
    public Headers getRequestHeaders() {
      return exchange.getRequestHeaders();
    }

    @Override
    public Headers getResponseHeaders() {
      return exchange.getResponseHeaders();
    }

    @Override
    public URI getRequestURI() {
      return exchange.getRequestURI();
    }

    @Override
    public String getRequestMethod() {
      return exchange.getRequestMethod();
    }

    @Override
    public HttpContext getHttpContext() {
      return exchange.getHttpContext();
    }

    @Override
    public void close() {
      exchange.close();
    }

    @Override
    public InputStream getRequestBody() {
      return exchange.getRequestBody();
    }

    @Override
    public OutputStream getResponseBody() {
      return exchange.getResponseBody();
    }

    @Override
    public void sendResponseHeaders(int status, long length) throws IOException {
      exchange.sendResponseHeaders(status, length);
    }

    @Override
    public InetSocketAddress getRemoteAddress() {
      return exchange.getRemoteAddress();
    }

    @Override
    public int getResponseCode() {
      return exchange.getResponseCode();
    }

    @Override
    public InetSocketAddress getLocalAddress() {
      return exchange.getLocalAddress();
    }

    @Override
    public String getProtocol() {
      return exchange.getProtocol();
    }

    @Override
    public Object getAttribute(String name) {
      return exchange.getAttribute(name);
    }

    @Override
    public void setAttribute(String name, Object value) {
      exchange.setAttribute(name, value);
    }

    @Override
    public void setStreams(InputStream in, OutputStream out) {
      throw new UnsupportedOperationException("no streams");
    }

    @Override
    public HttpPrincipal getPrincipal() {
      return exchange.getPrincipal();
    }
  }

  private static final class Unreadable extends Wrapper {

    Unreadable(HttpExchange exchange) {
      super(exchange);
    }

    @Override
    public URI getRequestURI() {
      throw new IllegalStateException("of a filter");
    }
  }
}
