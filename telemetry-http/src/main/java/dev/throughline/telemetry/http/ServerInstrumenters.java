// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.Propagation;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.opentelemetry.context.Context;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Starts the requests of every kind of server: what is left out, plain HTTP, Connect RPC. */
final class ServerInstrumenters {

  private final RequestInstrumenter<ServerExchange, ServerExchange> http;
  private final RequestInstrumenter<ServerExchange, ServerExchange> connect;
  private final Routes routes;
  private final Map<String, String> procedures;
  private final Guard guard;

  ServerInstrumenters(Telemetry telemetry, HttpTelemetryBuilder builder) {
    guard = telemetry.guard(HttpTelemetry.SCOPE);
    routes = new Routes(builder.routes);
    Set<String> excluded = Set.copyOf(builder.excludedPaths);
    procedures = new HashMap<>(builder.procedures);
    procedures.keySet().removeAll(excluded);
    http =
        telemetry
            .instrumenter(
                HttpTelemetry.SCOPE,
                new ServerConvention(
                    new CapturedHeaders(HttpKeys.REQUEST_HEADER, builder.requestHeaders),
                    new CapturedHeaders(HttpKeys.RESPONSE_HEADER, builder.responseHeaders),
                    excluded))
            .setParentPolicy(builder.parentPolicy)
            .setDurationHistogram(HttpKeys.SERVER_DURATION, "Duration of HTTP server requests.")
            .setActiveCounter(
                HttpKeys.ACTIVE_REQUESTS, "Number of HTTP server requests that are active.")
            .build();
    connect =
        telemetry
            .instrumenter(HttpTelemetry.SCOPE, new ConnectServerConvention())
            .setParentPolicy(builder.parentPolicy)
            .setDurationHistogram(HttpKeys.RPC_SERVER_DURATION, "Duration of incoming calls.")
            .build();
  }

  Guard guard() {
    return guard;
  }

  /** What comes in with requests; asked before anything is made for one. */
  Propagation propagation() {
    return http.propagation();
  }

  /** Starts a request; null where the server is to go on as if this were not there. */
  @Nullable InstrumentedRequest<ServerExchange, ServerExchange> start(ServerExchange exchange) {
    String procedure = procedures.get(exchange.path());
    ConnectCall call =
        procedure == null
            ? null
            : ConnectCall.of(procedure, exchange.method(), exchange.header("Content-Type"));
    if (call != null) {
      exchange.setConnectCall(call);
      return connect.start(Context.current(), exchange);
    }
    String route = routes.match(exchange.path());
    exchange.setEarlyRoute(route == null ? exchange.serverRoute() : route);
    return http.start(Context.current(), exchange);
  }
}
