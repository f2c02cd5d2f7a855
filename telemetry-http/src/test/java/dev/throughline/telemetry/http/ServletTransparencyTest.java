// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.HttpTransparencyKit;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.UnavailableException;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A servlet container answers the same with our filter in front, also to Connect RPC calls. */
abstract class ServletTransparencyTest extends HttpTransparencyKit<WebApp> {

  private static final String RPC = "/rpc/kit.v1.KitService";
  private static final byte[] LARGE = "0123456789abcdef".repeat(20_000).getBytes(UTF_8);

  private final WebApp.Container container;

  ServletTransparencyTest(WebApp.Container container) {
    this.container = container;
  }

  @Override
  protected WebApp start(@Nullable Telemetry telemetry, Mode mode) throws Exception {
    WebApp app = app();
    if (telemetry == null) {
      return app.start(null);
    }
    HttpTelemetryBuilder http =
        HttpTelemetry.builder(telemetry)
            .setExcludedPaths(mode.equals(EXCLUDED) ? app.servlets.keySet() : List.of());
    app.servlets.keySet().stream()
        .filter(path -> path.startsWith(RPC) && !mode.equals(EXCLUDED))
        .forEach(path -> http.addConnectProcedure("/app" + path));
    return app.start(http.build());
  }

  @Override
  protected int port(WebApp app) {
    return app.port;
  }

  @Override
  protected void stop(WebApp app) throws Exception {
    app.close();
  }

  @Override
  protected List<Scenario<WebApp>> scenarios() {
    List<Scenario<WebApp>> scenarios = new ArrayList<>();
    for (String path : app().servlets.keySet()) {
      if (path.endsWith("/events")) {
        scenarios.add(abort(path, "GET /app" + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 100));
      } else {
        scenarios.add(
            request(
                "POST /app" + path,
                "{}",
                "Content-Type: application/json",
                "Connect-Protocol-Version: 1"));
      }
    }
    for (String path : List.of("/writer", "/stream", "/large", "/status", "/boom")) {
      scenarios.add(get("/app" + path));
      scenarios.add(request("HEAD /app" + path, ""));
    }
    scenarios.add(get("/app/forwards?connect=v1"));
    scenarios.add(get("/app/parameters?a=1&b=%C3%BC&a=2"));
    scenarios.add(get("/app/parameters?a=%zz"));
    scenarios.add(get("/app/forwards-with-parameters?a=1&b=2"));
    scenarios.add(request("BREW /app/writer", ""));
    scenarios.add(request("POST /app/echo", "continue", "Expect: 100-continue"));
    scenarios.add(
        raw(
            "a bad chunk",
            "POST /app/echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n"));
    scenarios.add(raw("HTTP/1.0", "GET /app/large HTTP/1.0\r\n\r\n"));
    scenarios.add(
        raw(
            "two requests of one connection",
            "GET /app/writer HTTP/1.1\r\nHost: localhost\r\n\r\n"
                + "GET /app/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    return scenarios;
  }

  private WebApp app() {
    WebApp app = new WebApp(container);
    plain(app, "");
    plain(app, RPC);
    app.on("/page", (request, response) -> response.getWriter().print("page"));
    app.on(
        "/denied-page",
        (request, response) -> {
          response.setStatus(403);
          response
              .getWriter()
              .print("denied: " + request.getAttribute("jakarta.servlet.error.message"));
        });
    app.on(
        "/parameters",
        (request, response) ->
            response
                .getWriter()
                .print(
                    Collections.list(request.getParameterNames())
                        + " "
                        + request.getParameter("a")
                        + request.getParameter("b")));
    app.on(
        "/forwards-with-parameters",
        (request, response) ->
            request.getRequestDispatcher("/parameters?a=0&c=3").forward(request, response));
    app.exceptionPages.put(SecurityException.class, "/denied-page");
    app.errorPages.put(409, "/page");
    return app;
  }

  private void plain(WebApp app, String prefix) {
    app.on(prefix + "/writer", (request, response) -> print(response, "{\"a\":\"é\"}"));
    app.on(
        prefix + "/stream",
        (request, response) -> {
          response.setContentType("application/json");
          ServletOutputStream out = response.getOutputStream();
          out.write('{');
          out.print("\"a\":");
          out.println(1);
          out.println("}");
          out.println();
          out.write("é".getBytes(UTF_8));
        });
    app.on(
        prefix + "/formats",
        (request, response) -> {
          response.setLocale(Locale.GERMANY);
          response.setContentType("text/plain;charset=UTF-8");
          PrintWriter writer = response.getWriter();
          writer.format("%.2f ", 1.5).printf("%,d ", 1234567);
          writer.format(Locale.US, "%.2f", 1.5).append('x').append("yz", 0, 1);
          writer.println(true);
          writer.println(new char[] {'a', 'b'});
          writer.print((Object) null);
          writer.print((String) null);
          writer.write(new char[] {'a', 'b', 'c'}, 1, 1);
          writer.write("abc", 1, 1);
          writer.println();
          response.addHeader("X-Error", "" + writer.checkError());
        });
    app.on(prefix + "/large", (request, response) -> response.getOutputStream().write(LARGE));
    app.on(
        prefix + "/large-text", (request, response) -> print(response, new String(LARGE, UTF_8)));
    app.on(
        prefix + "/length",
        (request, response) -> {
          response.setContentLength(2);
          print(response, "{}");
        });
    app.on(
        prefix + "/both",
        (request, response) -> {
          response.getWriter().print("a");
          try {
            response.getOutputStream();
          } catch (IllegalStateException e) {
            response.getWriter().print(e.getClass().getName());
          }
        });
    app.on(
        prefix + "/buffer",
        (request, response) -> {
          response.getWriter();
          response.setBufferSize(65_536);
          print(response, "" + (response.getBufferSize() >= 65_536));
        });
    app.on(
        prefix + "/flushes",
        (request, response) -> {
          PrintWriter writer = response.getWriter();
          writer.print("{}");
          boolean before = response.isCommitted();
          writer.flush();
          writer.print(before + " " + response.isCommitted());
          response.flushBuffer();
        });
    app.on(
        prefix + "/closes",
        (request, response) -> {
          PrintWriter writer = response.getWriter();
          writer.print("closed");
          writer.close();
          writer.print("lost");
        });
    app.on(prefix + "/status", (request, response) -> response.setStatus(204));
    app.on(prefix + "/not-modified", (request, response) -> response.setStatus(304));
    app.on(prefix + "/empty", (request, response) -> response.setContentType("text/html"));
    app.on(
        prefix + "/echo",
        (request, response) ->
            response.getOutputStream().write(request.getInputStream().readAllBytes()));
    resets(app, prefix);
    errors(app, prefix);
    dispatches(app, prefix);
    asynchronous(app, prefix);
  }

  private static void resets(WebApp app, String prefix) {
    app.on(
        prefix + "/resets",
        (request, response) -> {
          print(response, "{\"half\":");
          response.reset();
          response.setStatus(500);
          print(response, "{\"code\":\"internal\"}");
        });
    app.on(
        prefix + "/resets-buffer",
        (request, response) -> {
          print(response, "{\"half\":");
          response.resetBuffer();
          response.setStatus(500);
          response.getWriter().print("{\"code\":\"internal\"}");
        });
    app.on(
        prefix + "/resets-to-stream",
        (request, response) -> {
          print(response, "{\"half\":");
          response.reset();
          response.setStatus(500);
          response.getOutputStream().write("{\"code\":\"internal\"}".getBytes(UTF_8));
        });
    app.on(
        prefix + "/resets-too-late",
        (request, response) -> {
          print(response, "part");
          response.flushBuffer();
          try {
            response.reset();
          } catch (IllegalStateException e) {
            response.getWriter().print(e.getClass().getName());
          }
        });
  }

  private static void errors(WebApp app, String prefix) {
    app.on(prefix + "/redirects", (request, response) -> response.sendRedirect("/app/page"));
    app.on(
        prefix + "/redirects-303", (request, response) -> response.sendRedirect("/app/page", 303));
    app.on(
        prefix + "/redirects-kept",
        (request, response) -> {
          response.getWriter().print("see other");
          response.sendRedirect("/app/page", 307, false);
        });
    app.on(
        prefix + "/redirects-flag",
        (request, response) -> response.sendRedirect("/app/page", false));
    app.on(
        prefix + "/error",
        (request, response) -> {
          response.getWriter().print("half");
          response.sendError(503);
        });
    app.on(prefix + "/conflict", (request, response) -> response.sendError(409, "in use"));
    app.on(
        prefix + "/boom",
        (request, response) -> {
          response.getWriter().print("half");
          throw new IllegalStateException("of the servlet");
        });
    app.on(
        prefix + "/boom-late",
        (request, response) -> {
          response.getWriter().print("half");
          response.flushBuffer();
          throw new IllegalStateException("of the servlet");
        });
    app.on(
        prefix + "/denied",
        (request, response) -> {
          throw new SecurityException("of the servlet");
        });
    app.on(
        prefix + "/wrapped",
        (request, response) -> {
          throw new ServletException("outer", new IllegalArgumentException("inner"));
        });
    app.on(
        prefix + "/error-and-boom",
        (request, response) -> {
          response.sendError(400);
          throw new IllegalStateException("of the servlet");
        });
    app.on(
        prefix + "/status-and-boom",
        (request, response) -> {
          response.setStatus(404);
          throw new IllegalStateException("of the servlet");
        });
    app.on(
        prefix + "/io",
        (request, response) -> {
          throw new IOException("of the servlet");
        });
    app.on(
        prefix + "/gone",
        (request, response) -> {
          throw new UnavailableException("gone");
        });
  }

  private static void dispatches(WebApp app, String prefix) {
    app.on(
        prefix + "/forwards",
        (request, response) -> {
          response.getWriter().print("thrown away");
          request.getRequestDispatcher("/page").forward(request, response);
        });
    app.on(
        prefix + "/forwards-to-empty",
        (request, response) -> request.getRequestDispatcher("/empty").forward(request, response));
    app.on(
        prefix + "/includes",
        (request, response) -> {
          response.getWriter().print("[");
          request.getRequestDispatcher("/page").include(request, response);
          response.getWriter().print("]");
        });
    app.on(
        prefix + "/forwards-to-boom",
        (request, response) -> request.getRequestDispatcher("/boom").forward(request, response));
  }

  private void asynchronous(WebApp app, String prefix) {
    app.on(
        prefix + "/async",
        (request, response) -> answerLater(request.startAsync(request, response), "{\"a\":1}"));
    app.on(prefix + "/async-0", (request, response) -> answerLater(request.startAsync(), "{}"));
    app.on(
        prefix + "/async-dispatches",
        (request, response) -> {
          if (request.getDispatcherType() == DispatcherType.ASYNC) {
            print(response, "dispatched");
          } else {
            request.startAsync(request, response).dispatch();
          }
        });
    app.on(
        prefix + "/async-dispatches-to-a-forward",
        (request, response) -> request.startAsync().dispatch(prefix + "/forwards"));
    app.on(
        prefix + "/async-dispatches-to-an-error",
        (request, response) -> request.startAsync().dispatch(prefix + "/conflict"));
    app.on(prefix + "/conflict", (request, response) -> response.sendError(409));
    app.on(
        prefix + "/async-objects",
        (request, response) -> AsyncObjects.answer(request, response, false));
    app.on(
        prefix + "/async-objects-given",
        (request, response) -> AsyncObjects.answer(request, response, true));
    app.on(
        prefix + "/async-objects-wrapped",
        (request, response) ->
            AsyncObjects.answer(
                new HttpServletRequestWrapper(request),
                new HttpServletResponseWrapper(response),
                true));
    app.on(prefix + "/not-async", AsyncObjects::answerAtOnce);
    app.on(
        prefix + "/async-boom",
        (request, response) -> request.startAsync().dispatch(prefix + "/boom"));
    app.on(
        prefix + "/async-denied",
        (request, response) -> request.startAsync().dispatch(prefix + "/denied"));
    app.on(
        prefix + "/async-error",
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
    app.on(prefix + "/async-times-out", (request, response) -> request.startAsync().setTimeout(50));
    app.on(
        prefix + "/async-reads",
        (request, response) -> readAndWrite(request.startAsync(request, response)));
    app.on(
        prefix + "/events",
        (request, response) -> {
          response.setContentType("text/event-stream");
          ServletOutputStream out = response.getOutputStream();
          try {
            for (int i = 0; i < 1_000_000; i++) {
              out.write("data: now\n\n".getBytes(UTF_8));
              out.flush();
            }
          } catch (IOException e) {
            note("the client has left");
            throw e;
          }
        });
  }

  private static void print(HttpServletResponse response, String text) throws IOException {
    response.setContentType("application/json");
    response.getWriter().print(text);
  }

  private static void answerLater(AsyncContext async, String text) {
    async.setTimeout(30_000);
    async.start(
        () -> {
          try {
            print((HttpServletResponse) async.getResponse(), text);
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
          async.complete();
        });
  }

  private static void readAndWrite(AsyncContext async) throws IOException {
    async.setTimeout(30_000);
    ServletInputStream in = ((HttpServletRequest) async.getRequest()).getInputStream();
    in.setReadListener(
        new ReadListener() {
          @Override
          public void onDataAvailable() throws IOException {
            while (in.isReady() && in.read() >= 0) {
              continue;
            }
          }

          @Override
          public void onAllDataRead() throws IOException {
            ServletOutputStream out = async.getResponse().getOutputStream();
            out.setWriteListener(
                new WriteListener() {
                  private boolean written;

                  @Override
                  public void onWritePossible() throws IOException {
                    while (out.isReady()) {
                      if (written) {
                        async.complete();
                        return;
                      }
                      written = true;
                      out.write("read".getBytes(UTF_8));
                    }
                  }

                  @Override
                  public void onError(Throwable thrown) {
                    async.complete();
                  }
                });
          }

          @Override
          public void onError(Throwable thrown) {
            async.complete();
          }
        });
  }
}
