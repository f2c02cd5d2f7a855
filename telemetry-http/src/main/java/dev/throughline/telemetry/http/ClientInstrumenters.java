// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.opentelemetry.context.Context;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Starts the requests of clients: plain HTTP, Connect RPC. */
final class ClientInstrumenters {

  private final RequestInstrumenter<ClientExchange, HttpResponse<?>> http;
  private final RequestInstrumenter<ClientExchange, HttpResponse<?>> connect;
  private final Guard guard;
  private final Map<String, String> procedures;

  ClientInstrumenters(Telemetry telemetry, HttpTelemetryBuilder builder) {
    guard = telemetry.guard(HttpTelemetry.SCOPE);
    procedures = Map.copyOf(builder.procedures);
    http =
        telemetry
            .instrumenter(
                HttpTelemetry.SCOPE,
                new ClientConvention(
                    new CapturedHeaders(HttpKeys.REQUEST_HEADER, builder.requestHeaders),
                    new CapturedHeaders(HttpKeys.RESPONSE_HEADER, builder.responseHeaders)))
            .setDurationHistogram(HttpKeys.CLIENT_DURATION, "Duration of HTTP client requests.")
            .build();
    connect =
        telemetry
            .instrumenter(HttpTelemetry.SCOPE, new ConnectClientConvention())
            .setDurationHistogram(HttpKeys.RPC_CLIENT_DURATION, "Duration of outgoing calls.")
            .build();
  }

  /**
   * The request as we see it.
   *
   * @return null where it is to go out as it is: with telemetry off and nothing to pass on, and
   *     where it can't be read, so that the client refuses it
   */
  @Nullable ClientExchange exchange(HttpRequest request) {
    if (http.propagation().hasNothingToSend(Context.current())) {
      return null;
    }
    try {
      return new ClientExchange(request, procedures);
    } catch (Throwable t) {
      guard.caught("HttpRequest", t);
      return null;
    }
  }

  @Nullable InstrumentedRequest<ClientExchange, HttpResponse<?>> start(ClientExchange exchange) {
    return (exchange.connectCall() == null ? http : connect).start(Context.current(), exchange);
  }

  HttpRequest outgoing(ClientExchange exchange, HttpRequest request) {
    try {
      return exchange.outgoing();
    } catch (Throwable t) {
      // A request of someone else's making that the JDK's builder refuses goes out as it is.
      guard.caught("HttpRequest.newBuilder", t);
      return request;
    }
  }
}
