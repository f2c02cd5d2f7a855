// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.HttpServerKit;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The kit's endpoints as servlets, for any container. */
abstract class ServletKit extends HttpServerKit {

  private static final String ASYNC_AT_ONCE = "/async-at-once";

  /** The servlets by the patterns that they are mapped to; all support asynchronous processing. */
  static Map<String, HttpServlet> servlets(Setup setup) {
    Map<String, HttpServlet> servlets = new LinkedHashMap<>();
    for (Endpoint endpoint : setup.endpoints()) {
      servlets.put(
          pattern(endpoint.path()),
          servlet(
              (request, response) ->
                  endpoint.handler().handle(new ServletCall(request, response))));
    }
    servlets.put(ASYNC, servlet((request, response) -> answerLater(setup, request)));
    servlets.put(
        ASYNC_DISPATCH, servlet((request, response) -> request.startAsync().dispatch(HELLO)));
    servlets.put(
        ASYNC_TIMEOUT, servlet((request, response) -> request.startAsync().setTimeout(100)));
    servlets.put(ASYNC_AT_ONCE, servlet((request, response) -> answerAtOnce(request)));
    servlets.put(
        FORWARD,
        servlet(
            (request, response) -> request.getRequestDispatcher(HELLO).forward(request, response)));
    return servlets;
  }

  static HttpTelemetry http(Setup setup) {
    if (setup.telemetry() == null) {
      return null;
    }
    HttpTelemetryBuilder http =
        HttpTelemetry.builder(setup.telemetry())
            .setCapturedRequestHeaders(setup.requestHeaders())
            .setCapturedResponseHeaders(setup.responseHeaders());
    PROCEDURES.forEach(http::addConnectProcedure);
    return http.build();
  }

  private static String pattern(String path) {
    int variable = path.indexOf("{");
    return variable < 0 ? path : path.substring(0, variable) + "*";
  }

  @Override
  protected String route(String path) {
    return pattern(path);
  }

  private static void answerLater(Setup setup, HttpServletRequest request) {
    AsyncContext async = request.startAsync();
    async.setTimeout(10_000);
    new Thread(
            () -> {
              try {
                setup
                    .asyncHandler()
                    .handle(
                        new ServletCall(
                            (HttpServletRequest) async.getRequest(),
                            (HttpServletResponse) async.getResponse()));
              } catch (IOException e) {
                throw new IllegalStateException(e);
              } finally {
                async.complete();
              }
            })
        .start();
  }

  private static void answerAtOnce(HttpServletRequest request) throws IOException {
    AsyncContext async = request.startAsync();
    try {
      CompletableFuture.runAsync(
              () -> {
                try {
                  async.getResponse().flushBuffer();
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .join();
    } finally {
      async.complete();
    }
  }

  @Test
  void echoesTheRequestIdOfAnAnswerThatIsOutBeforeItsServletReturns() throws Exception {
    stop();
    try (Telemetry named =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("telemetry.request.id.header", "X-Request-Id")
            .build()) {
      URI base = start(new Setup(named, List.of(), call -> {}, List.of(), List.of()));
      HttpRequest request =
          HttpRequest.newBuilder(base.resolve(ASYNC_AT_ONCE)).header("X-Request-Id", "r-1").build();
      assertThat(
              HttpClient.newHttpClient()
                  .send(request, BodyHandlers.discarding())
                  .headers()
                  .allValues("X-Request-Id"))
          .containsExactly("r-1");
    }
  }

  private static HttpServlet servlet(Answer answer) {
    return new HttpServlet() {
      @Override
      protected void service(HttpServletRequest request, HttpServletResponse response)
          throws ServletException, IOException {
        answer.answer(request, response);
      }
    };
  }

  @FunctionalInterface
  private interface Answer {
    void answer(HttpServletRequest request, HttpServletResponse response)
        throws ServletException, IOException;
  }

  private record ServletCall(HttpServletRequest request, HttpServletResponse response)
      implements Call {

    @Override
    public String method() {
      return request.getMethod();
    }

    @Override
    public void setHeader(String name, String value) {
      response.setHeader(name, value);
    }

    @Override
    public void send(int status, byte[] body) throws IOException {
      response.setStatus(status);
      if (body.length > 0) {
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
      }
    }

    @Override
    public OutputStream sendChunked(int status) throws IOException {
      response.setStatus(status);
      return response.getOutputStream();
    }
  }
}
