// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import java.io.IOException;

/** Records the requests of the JDK's HTTP server. */
final class JdkServerFilter extends Filter {

  private final ServerInstrumenters instrumenters;

  JdkServerFilter(ServerInstrumenters instrumenters) {
    this.instrumenters = instrumenters;
  }

  @Override
  public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
    InstrumentedRequest<ServerExchange, ServerExchange> request =
        isIgnored(exchange) ? null : instrumenters.start(new JdkExchange(exchange));
    if (request == null) {
      chain.doFilter(exchange);
      return;
    }
    ExchangeEnd end = new ExchangeEnd(request, exchange);
    try (Scope ignored = request.makeCurrent()) {
      chain.doFilter(end.traced());
    } catch (Throwable t) {
      end.handlerThrew(t);
      throw t;
    }
    end.handlerReturned();
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
