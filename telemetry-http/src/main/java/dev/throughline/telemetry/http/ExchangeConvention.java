// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The way of context and request ids through the headers, on either side. */
abstract class ExchangeConvention implements RequestConvention<Exchange, Exchange> {

  static final TextMapGetter<Exchange> GETTER =
      new HeaderGetter<>() {
        @Override
        protected @Nullable List<String> lines(Exchange exchange, String name) {
          return exchange.headers(name);
        }
      };

  private final SpanKind kind;
  final boolean served;

  ExchangeConvention(SpanKind kind) {
    this.kind = kind;
    served = kind == SpanKind.SERVER;
  }

  @Override
  public final SpanKind kind() {
    return kind;
  }

  @Override
  public final @Nullable TextMapGetter<Exchange> requestGetter() {
    return served ? GETTER : null;
  }

  @Override
  public final @Nullable HeaderSetter<Exchange> requestSetter() {
    return served ? null : Exchange::setHeader;
  }

  @Override
  public final @Nullable HeaderSetter<Exchange> responseSetter() {
    return served ? Exchange::setHeader : null;
  }

  @Override
  public final boolean sends(Exchange exchange, String header) {
    return exchange.sendsHeader(header);
  }

  /** Whether what was thrown is the client's error, which a server tells by an exception. */
  final boolean isClientsError(int status) {
    return served && status >= 400 && status < 500;
  }
}
