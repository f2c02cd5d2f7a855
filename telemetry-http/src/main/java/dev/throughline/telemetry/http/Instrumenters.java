// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.Propagation;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Starts the requests of one side: plain HTTP, Connect RPC. */
final class Instrumenters {

  private final RequestInstrumenter<Exchange, Exchange> http;
  private final RequestInstrumenter<Exchange, Exchange> connect;
  private final Guard guard;
  private final Routes routes;
  private final Map<String, String> procedures;

  private Instrumenters(
      HttpTelemetryBuilder builder,
      RequestInstrumenter<Exchange, Exchange> http,
      RequestInstrumenter<Exchange, Exchange> connect) {
    this.http = http;
    this.connect = connect;
    guard = builder.telemetry.guard(HttpTelemetry.SCOPE);
    routes = new Routes(builder.routes);
    procedures = new HashMap<>(builder.procedures);
  }

  static Instrumenters ofServers(HttpTelemetryBuilder builder) {
    Telemetry telemetry = builder.telemetry;
    Instrumenters servers =
        new Instrumenters(
            builder,
            telemetry
                .instrumenter(HttpTelemetry.SCOPE, new HttpConvention(SpanKind.SERVER, builder))
                .setParentPolicy(builder.parentPolicy)
                .setDurationHistogram(HttpKeys.SERVER_DURATION, "Duration of HTTP server requests.")
                .setActiveCounter(
                    HttpKeys.ACTIVE_REQUESTS, "Number of HTTP server requests that are active.")
                .build(),
            telemetry
                .instrumenter(HttpTelemetry.SCOPE, new ConnectConvention(SpanKind.SERVER))
                .setParentPolicy(builder.parentPolicy)
                .setDurationHistogram(HttpKeys.RPC_SERVER_DURATION, "Duration of incoming calls.")
                .build());
    servers.procedures.keySet().removeAll(builder.excludedPaths);
    return servers;
  }

  static Instrumenters ofClients(HttpTelemetryBuilder builder) {
    Telemetry telemetry = builder.telemetry;
    return new Instrumenters(
        builder,
        telemetry
            .instrumenter(HttpTelemetry.SCOPE, new HttpConvention(SpanKind.CLIENT, builder))
            .setDurationHistogram(HttpKeys.CLIENT_DURATION, "Duration of HTTP client requests.")
            .build(),
        telemetry
            .instrumenter(HttpTelemetry.SCOPE, new ConnectConvention(SpanKind.CLIENT))
            .setDurationHistogram(HttpKeys.RPC_CLIENT_DURATION, "Duration of outgoing calls.")
            .build());
  }

  Guard guard() {
    return guard;
  }

  /** Context and baggage of requests; asked before anything is made for one. */
  Propagation propagation() {
    return http.propagation();
  }

  /**
   * Starts a request.
   *
   * @return null if the application is to go on as if this were not there, also since the request
   *     can't be read
   */
  @Nullable InstrumentedRequest<Exchange, Exchange> start(Exchange exchange) {
    try {
      String procedure = procedures.get(exchange.path());
      if (procedure != null) {
        exchange.setConnectCall(
            ConnectCall.of(procedure, exchange.method(), exchange.header("Content-Type")));
      }
      if (exchange.connectCall() != null) {
        return connect.start(Context.current(), exchange);
      }
      exchange.setEarlyRoute(routes.match(exchange.path()));
      return http.start(Context.current(), exchange);
    } catch (Throwable t) {
      guard.caught("HttpRequest", t);
      return null;
    }
  }
}
