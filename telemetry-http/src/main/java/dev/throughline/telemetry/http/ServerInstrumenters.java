// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.Propagation;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import dev.throughline.telemetry.instrument.RequestInstrumenterBuilder;
import io.opentelemetry.context.Context;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Starts the requests of every kind of server: what is left out, plain HTTP, Connect RPC. */
final class ServerInstrumenters {

  private final RequestInstrumenter<ServerExchange, ServerExchange> http;
  private final RequestInstrumenter<ServerExchange, ServerExchange> connect;
  private final Routes routes;

  ServerInstrumenters(Telemetry telemetry, HttpTelemetryBuilder builder) {
    routes = new Routes(builder.routes);
    Set<String> excluded = Set.copyOf(builder.excludedPaths);
    RequestInstrumenterBuilder<ServerExchange, ServerExchange> http =
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
                HttpKeys.ACTIVE_REQUESTS, "Number of HTTP server requests that are active.");
    RequestInstrumenterBuilder<ServerExchange, ServerExchange> connect =
        telemetry
            .instrumenter(HttpTelemetry.SCOPE, new ConnectServerConvention())
            .setParentPolicy(builder.parentPolicy)
            .setDurationHistogram(HttpKeys.RPC_SERVER_DURATION, "Duration of incoming calls.");
    this.http = http.build();
    this.connect = connect.build();
  }

  /** What comes in with requests; asked before anything is made for one. */
  Propagation propagation() {
    return http.propagation();
  }

  /** Starts a request; null where the server is to go on as if this were not there. */
  @Nullable InstrumentedRequest<ServerExchange, ServerExchange> start(ServerExchange exchange) {
    ConnectCall call =
        ConnectCall.of(
            exchange.method(),
            exchange.path(),
            exchange.query(),
            exchange.header("Content-Type"),
            exchange.header("Connect-Protocol-Version"));
    if (call != null) {
      exchange.setConnectCall(call);
      return connect.start(Context.current(), exchange);
    }
    String route = routes.match(exchange.path());
    exchange.setEarlyRoute(route == null ? exchange.serverRoute() : route);
    return http.start(Context.current(), exchange);
  }
}
