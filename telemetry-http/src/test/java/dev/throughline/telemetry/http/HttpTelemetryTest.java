// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpTelemetryTest {

  @RegisterExtension
  static final TelemetryExtension telemetry =
      TelemetryExtension.builder()
          .addProperty("telemetry.request.id.header", "X-Request-Id")
          .build();

  private static final String TRACEPARENT =
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private AutoCloseable server = () -> {};

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  @Test
  void aHandlerDeclaresItsRoute() throws Exception {
    URI base =
        serve(
            HttpTelemetry.create(telemetry.telemetry()),
            exchange -> {
              HttpTelemetry.route("/tenants/{tenant}");
              exchange.sendResponseHeaders(204, -1);
            });
    get(base.resolve("/tenants/acme"));
    SpanData span = telemetry.takeSpan();
    assertThat(span.getName()).isEqualTo("GET /tenants/{tenant}");
    assertThat(attribute(span, "http.route")).isEqualTo("/tenants/{tenant}");
    assertThat(
            telemetry
                .metric("http.server.request.duration")
                .getHistogramData()
                .getPoints()
                .iterator()
                .next()
                .getAttributes()
                .get(AttributeKey.stringKey("http.route")))
        .isEqualTo("/tenants/{tenant}");
  }

  @Test
  void aRouteOutsideARequestIsIgnored() {
    HttpTelemetry.route("/nowhere");
    HttpTelemetry.route(null);
    assertThat(Span.current().getSpanContext().isValid()).isFalse();
  }

  @Test
  void aPublicEdgeLinksWhatComesIn() throws Exception {
    URI base =
        serve(
            HttpTelemetry.builder(telemetry.telemetry()).setPublicEdge(true).build(),
            exchange -> exchange.sendResponseHeaders(204, -1));
    get(base, "traceparent", TRACEPARENT, "baggage", "customer_id=stranger");
    SpanData span = telemetry.takeSpan();
    assertThat(attribute(span, "baggage.customer_id")).isNull();
    assertThat(span.getParentSpanContext().isValid()).isFalse();
    assertThat(span.getTraceId()).isNotEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
    assertThat(span.getLinks())
        .singleElement()
        .satisfies(
            link ->
                assertThat(link.getSpanContext().getTraceId())
                    .isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736"));
  }

  @Test
  void theExcludedPathsAreTheServicesToName() throws Exception {
    URI base =
        serve(
            HttpTelemetry.builder(telemetry.telemetry()).setExcludedPaths(List.of("/ping")).build(),
            exchange -> exchange.sendResponseHeaders(204, -1));
    get(base.resolve("/ping"));
    get(base.resolve("/health"));
    assertThat(attribute(telemetry.takeSpan(), "url.path")).isEqualTo("/health");
  }

  @Test
  void credentialsAreNotCaptured() throws Exception {
    URI base =
        serve(
            HttpTelemetry.builder(telemetry.telemetry())
                .setCapturedRequestHeaders(List.of("Authorization", "X-Plain"))
                .build(),
            exchange -> exchange.sendResponseHeaders(204, -1));
    get(base, "Authorization", "Bearer abc", "X-Plain", "seen");
    SpanData span = telemetry.takeSpan();
    assertThat(
            span.getAttributes()
                .get(AttributeKey.stringArrayKey("http.request.header.authorization")))
        .containsExactly("REDACTED");
    assertThat(span.getAttributes().get(AttributeKey.stringArrayKey("http.request.header.x-plain")))
        .containsExactly("seen");
  }

  @Test
  void aHeaderIsWrittenBeforeTheJdkServerCommits() throws Exception {
    URI base =
        serve(
            HttpTelemetry.create(telemetry.telemetry()),
            exchange -> {
              exchange.sendResponseHeaders(200, 2);
              exchange.getResponseBody().write("ok".getBytes());
              exchange.close();
            });
    HttpResponse<String> response = get(base);
    assertThat(response.headers().firstValue("X-Request-Id"))
        .hasValue(attribute(telemetry.takeSpan(), "request.id"));
  }

  @Test
  void aHeaderIsWrittenBeforeTheContainerCommits() throws Exception {
    Server jetty = new Server();
    server = jetty::stop;
    ServerConnector connector = new ServerConnector(jetty);
    connector.setHost("localhost");
    jetty.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler("/app");
    context.addServlet(new ServletHolder(new Responses()), "/*");
    HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
    context.addServletContainerInitializer(
        (classes, servletContext) -> {
          http.configure(servletContext);
          http.configure(servletContext);
        });
    jetty.setHandler(context);
    jetty.start();
    URI base = URI.create("http://localhost:" + connector.getLocalPort());
    for (String way :
        List.of("nothing", "stream", "writer", "flush", "error", "redirect", "large")) {
      HttpResponse<String> response = get(base.resolve("/app/" + way));
      SpanData span = telemetry.takeSpan();
      assertThat(response.headers().firstValue("X-Request-Id"))
          .as(way)
          .hasValue(attribute(span, "request.id"));
      assertThat(attribute(span, "http.route")).isEqualTo("/app/*");
    }
    get(base.resolve("/app/health"));
  }

  @Test
  void theWrappedClientIsTheClientInAllElse() throws Exception {
    HttpClient wrapped = HttpTelemetry.create(telemetry.telemetry()).wrap(client);
    assertThat(wrapped.version()).isEqualTo(client.version());
    assertThat(wrapped.followRedirects()).isEqualTo(client.followRedirects());
    assertThat(wrapped.sslContext()).isSameAs(client.sslContext());
    assertThat(wrapped.executor()).isEqualTo(client.executor());
    assertThat(wrapped.connectTimeout()).isEqualTo(client.connectTimeout());
    assertThat(wrapped.proxy()).isEqualTo(client.proxy());
    assertThat(wrapped.cookieHandler()).isEqualTo(client.cookieHandler());
    assertThat(wrapped.authenticator()).isEqualTo(client.authenticator());
    assertThat(wrapped.newWebSocketBuilder()).isNotNull();
    // Whatever the JDK that runs this adds to the client, the wrapper passes on.
    for (Method method : HttpClient.class.getMethods()) {
      if (method.getDeclaringClass() == HttpClient.class
          && !java.lang.reflect.Modifier.isStatic(method.getModifiers())) {
        assertThat(
                wrapped
                    .getClass()
                    .getMethod(method.getName(), method.getParameterTypes())
                    .getDeclaringClass())
            .as(method.toString())
            .isEqualTo(wrapped.getClass());
      }
    }
  }

  @Test
  void closingTheWrapperClosesTheClient() throws Exception {
    HttpClient wrapped = HttpTelemetry.create(telemetry.telemetry()).wrap(client);
    Method close = wrapped.getClass().getMethod("close");
    close.setAccessible(true);
    close.invoke(wrapped);
    Method isTerminated = wrapped.getClass().getMethod("isTerminated");
    isTerminated.setAccessible(true);
    // Before JDK 21 a client has no end.
    assertThat(isTerminated.invoke(wrapped)).isEqualTo(Runtime.version().feature() >= 21);
  }

  @Test
  void pushPromisesPassThrough() throws Exception {
    HttpResponse.PushPromiseHandler<String> pushes = (initiating, push, acceptor) -> {};
    AtomicReference<Object> passed = new AtomicReference<>();
    HttpClient recording =
        new ForwardingClient(client) {
          @Override
          public <T> CompletableFuture<HttpResponse<T>> sendAsync(
              HttpRequest request,
              HttpResponse.BodyHandler<T> handler,
              HttpResponse.PushPromiseHandler<T> pushPromiseHandler) {
            passed.set(pushPromiseHandler);
            return super.sendAsync(request, handler, pushPromiseHandler);
          }
        };
    URI base =
        serve(
            HttpTelemetry.create(dev.throughline.telemetry.Telemetry.noop()),
            exchange -> exchange.sendResponseHeaders(204, -1));
    HttpTelemetry.create(telemetry.telemetry())
        .wrap(recording)
        .sendAsync(HttpRequest.newBuilder(base).build(), BodyHandlers.ofString(), pushes)
        .get(10, TimeUnit.SECONDS);
    assertThat(passed.get()).isSameAs(pushes);
    assertThat(telemetry.takeSpan().getName()).isEqualTo("GET");
  }

  @Test
  void aClientThatIsWrappedTwiceRecordsOnce() {
    HttpTelemetry http = HttpTelemetry.create(telemetry.telemetry());
    HttpClient wrapped = http.wrap(client);
    assertThat(http.wrap(wrapped)).isSameAs(wrapped);
    assertThat(HttpTelemetry.create(telemetry.telemetry()).wrap(wrapped)).isSameAs(wrapped);
  }

  @ParameterizedTest
  @CsvSource({
    "host=for=evil, 127.0.0.1",
    "by=10.0.0.1;FOR=203.0.113.7, 203.0.113.7",
    "'by=10.0.0.1, for=203.0.113.7', 127.0.0.1",
    "'host=\"a;for=evil,for=evil\";for=203.0.113.7', 203.0.113.7",
    "host=\"a\\\";for=evil\";for=203.0.113.7, 203.0.113.7",
    "for=\"[2001:db8::1]:4711\", 2001:db8::1",
    "for=\"[evil]\", 127.0.0.1",
    "for=, 127.0.0.1",
    "\"for=evil, 127.0.0.1"
  })
  void theClientIsWhatForwardedSaysIfItIsAnAddress(String forwarded, String address)
      throws Exception {
    URI base =
        serve(
            HttpTelemetry.create(telemetry.telemetry()),
            exchange -> exchange.sendResponseHeaders(204, -1));
    get(URI.create("http://127.0.0.1:" + base.getPort() + "/"), "Forwarded", forwarded);
    assertThat(attribute(telemetry.takeSpan(), "client.address")).isEqualTo(address);
  }

  @Test
  void noClientMakesAnRpcOfARequest() throws Exception {
    URI base =
        serve(
            HttpTelemetry.builder(telemetry.telemetry()).addRoute("/servers/{id}").build(),
            exchange -> exchange.sendResponseHeaders(401, -1));
    for (int i = 0; i < 3; i++) {
      get(base.resolve("/servers/" + i + "?connect=v1"), "Connect-Protocol-Version", "1");
      get(base.resolve("/health?connect=v1"));
    }
    assertThat(telemetry.takeSpans(3))
        .extracting(SpanData::getName)
        .containsOnly("GET /servers/{id}");
    assertThat(telemetry.metrics())
        .extracting(metric -> metric.getName())
        .doesNotContain("rpc.server.call.duration")
        .contains("http.server.request.duration");
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> HttpTelemetry.create(null)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> HttpTelemetry.create(telemetry.telemetry()).wrap(null))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> HttpTelemetry.builder(telemetry.telemetry()).addRoute("items"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("items");
    for (String path : List.of("", "/", "/M", "//M", "/a.v1.S/", "a.v1.S/M")) {
      assertThatThrownBy(
              () -> HttpTelemetry.builder(telemetry.telemetry()).addConnectProcedure(path))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private URI serve(HttpTelemetry http, HttpHandler handler) throws IOException {
    HttpServer jdk =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server = () -> jdk.stop(0);
    HttpContext context = jdk.createContext("/", handler);
    http.addTo(context);
    // A second call adds no second span.
    http.addTo(context);
    jdk.start();
    return URI.create("http://localhost:" + jdk.getAddress().getPort() + "/");
  }

  private HttpResponse<String> get(URI uri, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  private static String attribute(SpanData span, String key) {
    return span.getAttributes().get(AttributeKey.stringKey(key));
  }

  private static class ForwardingClient extends HttpClient {
    private final HttpClient client;

    ForwardingClient(HttpClient client) {
      this.client = client;
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
      return client.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
      return client.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
      return client.followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
      return client.proxy();
    }

    @Override
    public SSLContext sslContext() {
      return client.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
      return client.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
      return client.authenticator();
    }

    @Override
    public Version version() {
      return client.version();
    }

    @Override
    public Optional<Executor> executor() {
      return client.executor();
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
        throws IOException, InterruptedException {
      return client.send(request, handler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
        HttpRequest request, HttpResponse.BodyHandler<T> handler) {
      return client.sendAsync(request, handler);
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
        HttpRequest request,
        HttpResponse.BodyHandler<T> handler,
        HttpResponse.PushPromiseHandler<T> pushPromiseHandler) {
      return client.sendAsync(request, handler, pushPromiseHandler);
    }
  }

  private static final class Responses extends jakarta.servlet.http.HttpServlet {

    private static final long serialVersionUID = 1;

    @Override
    protected void doGet(
        jakarta.servlet.http.HttpServletRequest request,
        jakarta.servlet.http.HttpServletResponse response)
        throws IOException {
      switch (request.getPathInfo()) {
        case "/stream" -> response.getOutputStream().print("ok");
        case "/writer" -> response.getWriter().print("ok");
        case "/flush" -> response.flushBuffer();
        case "/error" -> response.sendError(404);
        case "/redirect" -> response.sendRedirect("/app/stream");
        case "/large" -> response.getOutputStream().write(new byte[1_000_000]);
        default -> response.setStatus(204);
      }
    }
  }
}
