// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.ParentPolicy;
import dev.throughline.telemetry.instrument.Propagation;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** Records the calls of one side: their start, their messages, their end. */
final class CallTelemetry {

  private static final AttributeKey<Long> MESSAGE_NUMBER =
      AttributeKey.longKey("grpc.message.number");

  final Guard guard;
  private final Telemetry telemetry;

  private final MetadataCarrier carrier = new MetadataCarrier();
  private final BiPredicate<Metadata, String> isInMetadata = carrier::isIn;
  private final CallConvention convention;
  private final RequestInstrumenter<GrpcExchange, Status> instrumenter;
  private final Propagation propagation;
  private final int messageEvents;

  /** Of {@code CLIENT} or {@code SERVER} calls. */
  CallTelemetry(GrpcTelemetryBuilder builder, SpanKind kind) {
    boolean isClient = kind == SpanKind.CLIENT;
    telemetry = builder.telemetry;
    guard = telemetry.guard(GrpcTelemetry.SCOPE);
    convention = new CallConvention(kind, builder.excludedServices, carrier);
    messageEvents = builder.messageEvents;
    instrumenter =
        telemetry
            .instrumenter(GrpcTelemetry.SCOPE, convention)
            .setDurationHistogram(
                isClient ? GrpcKeys.CLIENT_DURATION : GrpcKeys.SERVER_DURATION,
                isClient ? "Duration of outgoing calls." : "Duration of incoming calls.")
            .setParentPolicy(isClient ? ParentPolicy.CHILD : builder.parentPolicy)
            .build();
    propagation = instrumenter.propagation();
  }

  /** Whether a call that goes out in this context is to be left as it is. */
  boolean hasNothingToSend(Context context) {
    return propagation.hasNothingToSend(context);
  }

  /** Whether a call that came in is to be left as it is. */
  boolean hasNothingFrom(Metadata headers) {
    return propagation.hasNothingFrom(headers, isInMetadata);
  }

  @Nullable InstrumentedRequest<GrpcExchange, Status> start(Context parent, GrpcExchange exchange) {
    return instrumenter.start(parent, exchange);
  }

  /** Whether both record the same calls. */
  boolean isSameAs(CallTelemetry other) {
    return telemetry == other.telemetry;
  }

  /** What a server sends in the place of its headers, or of its trailers where it sent none. */
  Metadata responding(InstrumentedRequest<GrpcExchange, Status> call, Metadata headers) {
    if (!call.writesResponseHeaders()) {
      return headers;
    }
    GrpcExchange exchange = call.request();
    try {
      // The application may send its own with other answers as well.
      Metadata sent = new Metadata();
      sent.merge(headers);
      exchange.headers = sent;
      call.responding();
      return sent;
    } catch (Throwable t) {
      guard.caught("Metadata.merge", t);
      return headers;
    } finally {
      exchange.headers = null;
    }
  }

  void sending(@Nullable InstrumentedRequest<GrpcExchange, Status> call) {
    if (call != null) {
      long number = call.request().countSent();
      if (number <= messageEvents) {
        addEvent(call, "grpc.message.sent", number);
      }
    }
  }

  /** Takes the count back; an event, which says when it was handed over, can't be. */
  void notSent(@Nullable InstrumentedRequest<GrpcExchange, Status> call) {
    if (call != null) {
      call.request().discountSent();
    }
  }

  void received(@Nullable InstrumentedRequest<GrpcExchange, Status> call) {
    if (call != null) {
      long number = call.request().countReceived();
      if (number <= messageEvents) {
        addEvent(call, "grpc.message.received", number);
      }
    }
  }

  private void addEvent(InstrumentedRequest<GrpcExchange, Status> call, String name, long number) {
    try {
      Span.fromContext(call.context()).addEvent(name, Attributes.of(MESSAGE_NUMBER, number));
    } catch (Throwable t) {
      guard.caught("Span.addEvent", t);
    }
  }

  /** Ends a call that gRPC or the peer ended. */
  void end(@Nullable InstrumentedRequest<GrpcExchange, Status> call, Status status) {
    if (call != null) {
      call.end(status, convention.isFailure(status.getCode()) ? status.getCause() : null);
    }
  }
}
