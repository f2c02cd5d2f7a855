// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import dev.throughline.telemetry.instrument.RequestInstrumenterBuilder;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Starts the requests of every kind of server: what is left out, plain HTTP, Connect RPC. */
final class ServerInstrumenters {

  /** The advised boundaries of the duration histograms, in seconds. */
  static final List<Double> SECONDS =
      List.of(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1d, 2.5, 5d, 7.5, 10d);

  private final RequestInstrumenter<ServerExchange, ServerExchange> http;
  private final RequestInstrumenter<ServerExchange, ServerExchange> connect;
  private final Routes routes;
  private final String @Nullable [] fieldsWhenOff;

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
            .setDurationHistogram(
                HttpKeys.SERVER_DURATION, "Duration of HTTP server requests.", SECONDS)
            .setActiveCounter(
                HttpKeys.ACTIVE_REQUESTS, "Number of HTTP server requests that are active.");
    RequestInstrumenterBuilder<ServerExchange, ServerExchange> connect =
        telemetry
            .instrumenter(HttpTelemetry.SCOPE, new ConnectServerConvention())
            .setParentPolicy(builder.parentPolicy)
            .setDurationHistogram(
                HttpKeys.RPC_SERVER_DURATION, "Duration of incoming calls.", SECONDS);
    builder.responseHooks.forEach(http::addResponseHook);
    builder.responseHooks.forEach(connect::addResponseHook);
    fieldsWhenOff =
        telemetry.isEnabled()
            ? null
            : telemetry
                .openTelemetry()
                .getPropagators()
                .getTextMapPropagator()
                .fields()
                .toArray(new String[0]);
    this.http = http.build();
    this.connect = connect.build();
  }

  /**
   * The headers without which a request is none of our business, since telemetry is off: asked for
   * before anything is made for it.
   *
   * @return null where requests are recorded
   */
  String @Nullable [] fieldsWhenOff() {
    return fieldsWhenOff;
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
