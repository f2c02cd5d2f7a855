// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import org.jspecify.annotations.Nullable;

/** Records the calls of a client and sends context with them. */
final class TracingClientInterceptor implements ClientInterceptor {

  /** The call that is being started on a thread. */
  private static final ThreadLocal<TracingClientInterceptor.@Nullable TracedCall<?, ?>> STARTING =
      new ThreadLocal<>();

  private final CallTelemetry calls;

  TracingClientInterceptor(CallTelemetry calls) {
    this.calls = calls;
  }

  @Override
  public <Q, S> ClientCall<Q, S> interceptCall(
      MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
    Context parent = Context.current();
    if (calls.hasNothingToSend(parent)) {
      return next.newCall(method, options);
    }
    GrpcExchange exchange = new GrpcExchange(method, authority(next));
    try {
      if (method.getType() == MethodType.UNARY) {
        return new TracedCall<>(next.newCall(method, options), exchange, parent);
      }
      ClientStreamEnd end =
          new ClientStreamEnd(
              io.grpc.Context.current(), options.getDeadline(), options.getExecutor() != null);
      exchange.end = end;
      TracedCall<Q, S> traced =
          new TracedCall<>(
              next.newCall(method, options.withStreamTracerFactory(end)), exchange, parent);
      end.watch(traced);
      return traced;
    } catch (Throwable t) {
      neverStarted(exchange, parent, t);
      throw t;
    }
  }

  private @Nullable String authority(Channel channel) {
    try {
      return channel.authority();
    } catch (Throwable t) {
      calls.guard.caught("Channel.authority", t);
      return null;
    }
  }

  private void neverStarted(GrpcExchange exchange, Context parent, Throwable thrown) {
    InstrumentedRequest<GrpcExchange, Status> request = calls.start(parent, exchange);
    if (request != null) {
      request.end(Status.fromThrowable(thrown), thrown);
    }
  }

  private final class TracedCall<Q, S> extends SimpleForwardingClientCall<Q, S> {

    private final GrpcExchange exchange;
    private final Context parent;
    private @Nullable InstrumentedRequest<GrpcExchange, Status> request;

    TracedCall(ClientCall<Q, S> call, GrpcExchange exchange, Context parent) {
      super(call);
      this.exchange = exchange;
      this.parent = parent;
    }

    /** Not when it was made: a call that nobody starts is none, and now there is metadata. */
    @Override
    public void start(Listener<S> listener, Metadata headers) {
      TracingClientInterceptor.TracedCall<?, ?> outer = STARTING.get();
      // Without a listener it throws.
      if (listener == null || (outer != null && outer.starts(headers, calls))) {
        delegate().start(listener, headers);
        return;
      }
      exchange.headers = headers;
      STARTING.set(this);
      try {
        startTraced(listener, headers);
      } finally {
        STARTING.set(outer);
        exchange.headers = null;
      }
    }

    private void startTraced(Listener<S> listener, Metadata headers) {
      InstrumentedRequest<GrpcExchange, Status> started = calls.start(parent, exchange);
      request = started;
      Listener<S> traced = new TracedListener<>(this, listener);
      if (started == null) {
        delegate().start(traced, headers);
        return;
      }
      try (Scope ignored = started.makeCurrent()) {
        delegate().start(traced, headers);
      } catch (Throwable t) {
        started.end(Status.fromThrowable(t), t);
        throw t;
      }
    }

    /** Whether this is the same call in an interceptor that was put in twice. */
    private boolean starts(Metadata headers, CallTelemetry calls) {
      return exchange.headers == headers && TracingClientInterceptor.this.calls.isSameAs(calls);
    }

    @Override
    public void sendMessage(Q message) {
      // A server may end the call for it before it is sent as far as this thread knows.
      calls.sending(request);
      try {
        delegate().sendMessage(message);
      } catch (Throwable t) {
        calls.notSent(request);
        throw t;
      }
    }

    private void seePeer() {
      if (exchange.peer == null) {
        try {
          exchange.peer = getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        } catch (Throwable t) {
          calls.guard.caught("ClientCall.getAttributes", t);
        }
      }
    }
  }

  /** Runs in the context that the call was made in, as code after a call that blocks would. */
  private final class TracedListener<Q, S> extends SimpleForwardingClientCallListener<S> {

    private final TracedCall<Q, S> call;

    TracedListener(TracedCall<Q, S> call, ClientCall.Listener<S> listener) {
      super(listener);
      this.call = call;
    }

    @Override
    public void onHeaders(Metadata headers) {
      call.seePeer();
      try (Scope ignored = call.parent.makeCurrent()) {
        delegate().onHeaders(headers);
      }
    }

    @Override
    public void onMessage(S message) {
      calls.received(call.request);
      try (Scope ignored = call.parent.makeCurrent()) {
        delegate().onMessage(message);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      call.seePeer();
      calls.end(call.request, status);
      try (Scope ignored = call.parent.makeCurrent()) {
        delegate().onClose(status, trailers);
      }
    }

    @Override
    public void onReady() {
      try (Scope ignored = call.parent.makeCurrent()) {
        delegate().onReady();
      }
    }
  }
}
