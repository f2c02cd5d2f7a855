// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.AttributeSink;
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
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;

/** The least adapter for the JDK's client that the client kit passes, and what breaks it. */
final class ReferenceClient implements HttpClientKit.Client {

  /** A way to be wrong. */
  enum Fault {
    NONE,
    SENDS_NO_CONTEXT,
    SENDS_ITS_PARENT,
    CALLS_4XX_NO_ERROR,
    SHOWS_CREDENTIALS,
    WRAPS_EXCEPTIONS,
    FORGETS_CANCELLED_REQUESTS,
    RECORDS_EACH_REDIRECT,
    HANDS_THE_BODY_OVER_ANYWHERE,
    THROWS_IN_ITS_HOOK,
    THROWS_BEFORE_IT_IS_GUARDED
  }

  private static final List<Double> SECONDS =
      Arrays.asList(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1d, 2.5, 5d, 7.5, 10d);

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NORMAL)
          .build();
  private final Fault fault;
  private final RequestInstrumenter<Sent, HttpResponse<?>> instrumenter;

  ReferenceClient(Telemetry telemetry, Fault fault) {
    this.fault = fault;
    instrumenter =
        telemetry == null
            ? null
            : telemetry
                .instrumenter("reference", new Convention())
                .setDurationHistogram("http.client.request.duration", "", SECONDS)
                .build();
  }

  private record Sent(URI uri, String method, HttpRequest.Builder builder) {}

  @Override
  public HttpClientKit.Response send(HttpClientKit.Request request) throws Exception {
    Sent sent = sent(request);
    InstrumentedRequest<Sent, HttpResponse<?>> started = start(sent);
    try {
      HttpResponse<String> response = client.send(sent.builder.build(), handler(request, started));
      end(started, response, null);
      return answer(response);
    } catch (Exception e) {
      end(started, null, e);
      throw fault == Fault.WRAPS_EXCEPTIONS ? new IllegalStateException(e) : e;
    }
  }

  @Override
  public CompletableFuture<HttpClientKit.Response> sendAsync(HttpClientKit.Request request) {
    Sent sent = sent(request);
    InstrumentedRequest<Sent, HttpResponse<?>> started = start(sent);
    CompletableFuture<HttpResponse<String>> future =
        client.sendAsync(sent.builder.build(), handler(request, started));
    AtomicBoolean cancelled = new AtomicBoolean();
    future.whenComplete(
        (response, thrown) -> {
          if (!cancelled.get() || fault != Fault.FORGETS_CANCELLED_REQUESTS) {
            end(
                started,
                response,
                thrown instanceof CompletionException ? thrown.getCause() : thrown);
          }
        });
    CompletableFuture<HttpClientKit.Response> answer =
        new CompletableFuture<>() {
          @Override
          public boolean cancel(boolean mayInterrupt) {
            cancelled.set(true);
            return future.cancel(mayInterrupt);
          }
        };
    future.whenComplete(
        (response, thrown) -> {
          if (thrown == null) {
            answer.complete(answer(response));
          } else {
            answer.completeExceptionally(
                thrown instanceof CompletionException ? thrown.getCause() : thrown);
          }
        });
    return answer;
  }

  private static Sent sent(HttpClientKit.Request request) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(request.uri()).method(request.method(), BodyPublishers.noBody());
    request.headers().forEach(builder::header);
    if (request.timeout() != null) {
      builder.timeout(request.timeout());
    }
    return new Sent(request.uri(), request.method(), builder);
  }

  private static HttpClientKit.Response answer(HttpResponse<String> response) {
    return new HttpClientKit.Response(response.statusCode(), response.body());
  }

  private InstrumentedRequest<Sent, HttpResponse<?>> start(Sent sent) {
    if (fault == Fault.THROWS_BEFORE_IT_IS_GUARDED && instrumenter != null) {
      throw new IllegalStateException(fault.name());
    }
    return instrumenter == null ? null : instrumenter.start(Context.current(), sent);
  }

  private void end(
      InstrumentedRequest<Sent, HttpResponse<?>> started,
      HttpResponse<?> response,
      Throwable thrown) {
    if (started == null) {
      return;
    }
    started.end(response, thrown);
    if (fault == Fault.RECORDS_EACH_REDIRECT
        && response != null
        && response.previousResponse().isPresent()) {
      start(started.request()).end(response.previousResponse().get(), null);
    }
  }

  private BodyHandler<String> handler(
      HttpClientKit.Request request, InstrumentedRequest<Sent, HttpResponse<?>> started) {
    Context context =
        started == null || fault == Fault.HANDS_THE_BODY_OVER_ANYWHERE
            ? Context.root()
            : started.context();
    return info -> {
      try (Scope ignored = context.makeCurrent()) {
        request.onBody().run();
        return BodyHandlers.ofString().apply(info);
      }
    };
  }

  private final class Convention implements RequestConvention<Sent, HttpResponse<?>> {

    @Override
    public SpanKind kind() {
      return SpanKind.CLIENT;
    }

    @Override
    public String spanName(Sent sent) {
      if (fault == Fault.THROWS_IN_ITS_HOOK) {
        throw new IllegalStateException(fault.name());
      }
      return sent.method.equals("GET") ? "GET" : "HTTP";
    }

    @Override
    public void onStart(AttributeSink attributes, Sent sent) {
      URI uri = sent.uri;
      if (sent.method.equals("GET")) {
        attributes.set(AttributeKey.stringKey("http.request.method"), "GET");
      } else {
        attributes.set(AttributeKey.stringKey("http.request.method"), "_OTHER");
        attributes.set(AttributeKey.stringKey("http.request.method_original"), sent.method);
      }
      String url = uri.toString().replaceAll("=[^&]*", "=REDACTED");
      attributes.set(
          AttributeKey.stringKey("url.full"),
          fault == Fault.SHOWS_CREDENTIALS
              ? url
              : url.replaceAll("//[^:/]*:[^@/]*@", "//REDACTED:REDACTED@"));
      attributes.set(AttributeKey.stringKey("server.address"), uri.getHost());
      attributes.set(AttributeKey.longKey("server.port"), (long) uri.getPort());
    }

    @Override
    public void onEnd(
        AttributeSink attributes, Sent sent, HttpResponse<?> response, Throwable error) {
      if (response != null) {
        attributes.set(
            AttributeKey.longKey("http.response.status_code"), (long) response.statusCode());
        attributes.set(AttributeKey.stringKey("network.protocol.version"), "1.1");
      }
    }

    @Override
    public String errorType(Sent sent, HttpResponse<?> response, Throwable error) {
      if (error != null) {
        return error.getClass().getName();
      }
      int least = fault == Fault.CALLS_4XX_NO_ERROR ? 500 : 400;
      return response.statusCode() >= least ? "" + response.statusCode() : null;
    }

    @Override
    public Attributes durationAttributes(Sent sent, HttpResponse<?> response, Throwable error) {
      AttributesBuilder attributes =
          Attributes.builder()
              .put("http.request.method", sent.method)
              .put("server.address", sent.uri.getHost())
              .put("server.port", sent.uri.getPort());
      if (response != null) {
        attributes
            .put("http.response.status_code", response.statusCode())
            .put("network.protocol.version", "1.1");
      }
      String errorType = errorType(sent, response, error);
      if (errorType != null) {
        attributes.put("error.type", errorType);
      }
      return attributes.build();
    }

    @Override
    public HeaderSetter<Sent> requestSetter() {
      return (sent, name, value) -> {
        if (fault == Fault.SENDS_NO_CONTEXT) {
          return;
        }
        String sentValue = value;
        if (fault == Fault.SENDS_ITS_PARENT && name.equals("traceparent")) {
          sentValue = value.substring(0, 36) + "00f067aa0ba902b7-01";
        }
        sent.builder.setHeader(name, sentValue);
      };
    }
  }
}
