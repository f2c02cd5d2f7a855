// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import org.jspecify.annotations.Nullable;

/** Records the calls of a server, and runs their handlers in the context that came in. */
final class TracingServerInterceptor implements ServerInterceptor {

  /** The call that is being started on a thread. */
  private static final ThreadLocal<TracingServerInterceptor.@Nullable TracedCall<?, ?>> STARTING =
      new ThreadLocal<>();

  private final CallTelemetry calls;

  TracingServerInterceptor(CallTelemetry calls) {
    this.calls = calls;
  }

  @Override
  public <Q, S> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
    if (calls.hasNothingFrom(headers)) {
      return next.startCall(call, headers);
    }
    TracingServerInterceptor.TracedCall<?, ?> outer = STARTING.get();
    if (outer != null && outer.starts(headers, calls)) {
      return next.startCall(call, headers);
    }
    GrpcExchange exchange = exchange(call, headers);
    InstrumentedRequest<GrpcExchange, Status> request = calls.start(Context.current(), exchange);
    if (request == null) {
      return next.startCall(call, headers);
    }
    TracedCall<Q, S> traced = new TracedCall<>(call, request);
    STARTING.set(traced);
    try (Scope ignored = request.makeCurrent()) {
      return new TracedListener<>(traced, requireNonNull(next.startCall(traced, headers)));
    } catch (Throwable t) {
      traced.answer(Status.fromThrowable(t));
      request.end(Status.fromThrowable(t), t);
      throw t;
    } finally {
      STARTING.set(outer);
      exchange.headers = null;
    }
  }

  private GrpcExchange exchange(ServerCall<?, ?> call, Metadata headers) {
    String authority = null;
    try {
      authority = call.getAuthority();
    } catch (Throwable t) {
      calls.guard.caught("ServerCall.getAuthority", t);
    }
    GrpcExchange exchange = new GrpcExchange(call.getMethodDescriptor(), authority);
    exchange.headers = headers;
    if (exchange.method.getType() != MethodType.UNARY) {
      exchange.context = io.grpc.Context.current();
    }
    try {
      exchange.peer = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    } catch (Throwable t) {
      calls.guard.caught("ServerCall.getAttributes", t);
    }
    return exchange;
  }

  private final class TracedCall<Q, S> extends SimpleForwardingServerCall<Q, S> {

    private final InstrumentedRequest<GrpcExchange, Status> request;

    TracedCall(ServerCall<Q, S> call, InstrumentedRequest<GrpcExchange, Status> request) {
      super(call);
      this.request = request;
    }

    @Override
    public void sendHeaders(Metadata headers) {
      delegate().sendHeaders(calls.responding(request, headers));
    }

    @Override
    public void sendMessage(S message) {
      // A client may end the call for it before it is sent as far as this thread knows.
      calls.sending(request);
      try {
        delegate().sendMessage(message);
      } catch (Throwable t) {
        calls.notSent(request);
        throw t;
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      GrpcExchange exchange = request.request();
      if (exchange.closed == null) {
        exchange.closed = status;
      }
      delegate().close(status, calls.responding(request, trailers));
    }

    /** With what gRPC tells the client when a listener throws, unless the call is closed. */
    private void thrown(Throwable thrown) {
      Status status = request.request().closed;
      answer(GrpcInternals.ofCallback(thrown));
      request.end(status == null ? Status.UNKNOWN : status, thrown);
    }

    /** Answers as gRPC would, which does so past this call, without what is to be written. */
    private void answer(Status status) {
      try {
        if (request.request().closed == null
            && request.writesResponseHeaders()
            && GrpcInternals.throwsToServer()) {
          close(status, new Metadata());
        }
      } catch (Throwable t) {
        calls.guard.caught("ServerCall.close", t);
      }
    }

    /** Whether this is the same call in an interceptor that was put in twice. */
    private boolean starts(Metadata headers, CallTelemetry calls) {
      return request.request().headers == headers
          && TracingServerInterceptor.this.calls.isSameAs(calls);
    }
  }

  private final class TracedListener<Q, S> extends SimpleForwardingServerCallListener<Q> {

    private final TracedCall<Q, S> call;

    TracedListener(TracedCall<Q, S> call, ServerCall.Listener<Q> listener) {
      super(listener);
      this.call = call;
    }

    @Override
    public void onMessage(Q message) {
      calls.received(call.request);
      try (Scope ignored = call.request.makeCurrent()) {
        delegate().onMessage(message);
      } catch (Throwable t) {
        call.thrown(t);
        throw t;
      }
    }

    @Override
    public void onHalfClose() {
      try (Scope ignored = call.request.makeCurrent()) {
        delegate().onHalfClose();
      } catch (Throwable t) {
        call.thrown(t);
        throw t;
      }
    }

    @Override
    public void onReady() {
      try (Scope ignored = call.request.makeCurrent()) {
        delegate().onReady();
      } catch (Throwable t) {
        call.thrown(t);
        throw t;
      }
    }

    @Override
    public void onCancel() {
      Status cancelled = GrpcExchange.cancelled(io.grpc.Context.current());
      try (Scope ignored = call.request.makeCurrent()) {
        delegate().onCancel();
      } catch (Throwable t) {
        call.request.end(cancelled, t);
        throw t;
      }
      // Its cause is how gRPC passes the cancellation on, nothing that went wrong here.
      call.request.end(cancelled, null);
    }

    @Override
    public void onComplete() {
      Status status = call.request.request().closed;
      try (Scope ignored = call.request.makeCurrent()) {
        delegate().onComplete();
      } catch (Throwable t) {
        call.thrown(t);
        throw t;
      }
      calls.end(call.request, status == null ? Status.UNKNOWN : status);
    }
  }
}
