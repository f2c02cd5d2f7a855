// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.io.IOException;

/** Records the requests of the JDK's HTTP server. */
final class JdkServerFilter extends Filter {

  private final Instrumenters instrumenters;

  JdkServerFilter(Instrumenters instrumenters) {
    this.instrumenters = instrumenters;
  }

  @Override
  public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
    InstrumentedRequest<Exchange, Exchange> request =
        isIgnored(exchange) || isRecorded(exchange)
            ? null
            : instrumenters.start(new JdkExchange(exchange));
    if (request == null) {
      chain.doFilter(exchange);
      return;
    }
    if (instrumenters.propagation().isOff()) {
      try (Scope ignored = request.makeCurrent()) {
        chain.doFilter(exchange);
      }
      return;
    }
    // Now, since nothing tells when a handler sends the response's headers.
    request.responding();
    JdkResponse response = JdkResponse.watch(request, exchange, instrumenters.guard());
    try (Scope ignored = request.makeCurrent()) {
      chain.doFilter(exchange);
    } catch (Throwable t) {
      response.handlerThrew(t, this);
      throw t;
    }
    response.handlerReturned();
  }

  /** By a filter of ours that stands before this one. */
  private static boolean isRecorded(HttpExchange exchange) {
    InstrumentedRequest<?, ?> served = InstrumentedRequest.fromContext(Context.current());
    return served != null
        && served.request() instanceof JdkExchange recorded
        && recorded.answersWith(exchange.getResponseHeaders());
  }

  private boolean isIgnored(HttpExchange exchange) {
    return instrumenters
        .propagation()
        .hasNothingFrom(
            exchange, (received, field) -> received.getRequestHeaders().containsKey(field));
  }

  @Override
  public String description() {
    return "Throughline";
  }
}
