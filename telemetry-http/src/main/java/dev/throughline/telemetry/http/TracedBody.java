// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A response's body as the application takes it, on the client's threads, with the request's
 * context current there; in a Connect RPC call the bytes are looked at for the error code.
 */
final class TracedBody<T> implements BodySubscriber<T> {

  private final BodySubscriber<T> subscriber;
  private final Context context;
  private final @Nullable ConnectCall call;
  private final int status;

  private TracedBody(
      BodySubscriber<T> subscriber, Context context, @Nullable ConnectCall call, int status) {
    this.subscriber = subscriber;
    this.context = context;
    this.call = call;
    this.status = status;
  }

  static <T> BodyHandler<T> handler(
      BodyHandler<T> handler, Context context, @Nullable ConnectCall call) {
    return info -> {
      try (Scope ignored = context.makeCurrent()) {
        BodySubscriber<T> subscriber = handler.apply(info);
        // The client has an exception of its own for a handler that returns none.
        return subscriber == null
            ? subscriber
            : new TracedBody<>(subscriber, context, call, info.statusCode());
      }
    };
  }

  @Override
  public CompletionStage<T> getBody() {
    try (Scope ignored = context.makeCurrent()) {
      return subscriber.getBody();
    }
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    try (Scope ignored = context.makeCurrent()) {
      subscriber.onSubscribe(subscription);
    }
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    if (call != null) {
      for (ByteBuffer buffer : buffers) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        call.see(status, bytes, 0, bytes.length);
      }
    }
    try (Scope ignored = context.makeCurrent()) {
      subscriber.onNext(buffers);
    }
  }

  @Override
  public void onError(Throwable thrown) {
    try (Scope ignored = context.makeCurrent()) {
      subscriber.onError(thrown);
    }
  }

  @Override
  public void onComplete() {
    try (Scope ignored = context.makeCurrent()) {
      subscriber.onComplete();
    }
  }
}
