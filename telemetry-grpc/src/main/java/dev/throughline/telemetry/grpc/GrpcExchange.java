// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.net.SocketAddress;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;

/** A call as one side of it sees it, and what has passed of its messages. */
final class GrpcExchange {

  private static final AtomicLongFieldUpdater<GrpcExchange> SENT =
      AtomicLongFieldUpdater.newUpdater(GrpcExchange.class, "sent");
  private static final AtomicLongFieldUpdater<GrpcExchange> RECEIVED =
      AtomicLongFieldUpdater.newUpdater(GrpcExchange.class, "received");

  final MethodDescriptor<?, ?> method;
  final @Nullable String authority;

  /** The call's metadata while the call is started or answered; nobody needs it longer. */
  @Nullable Metadata headers;

  /** Knows the end of a client's stream; null for other calls. */
  @Nullable ClientStreamEnd end;

  /** The context of a server's stream, which gRPC cancels once it has ended; null for others. */
  @Nullable Context context;

  /** The other end of the connection; on a client it is known once the call is under way. */
  volatile @Nullable SocketAddress peer;

  /** The status that a server's handler closed the call with; null until then. */
  volatile @Nullable Status closed;

  // Each is counted by one thread at a time, which gRPC asks for, and read by any.
  volatile long sent;
  volatile long received;

  GrpcExchange(MethodDescriptor<?, ?> method, @Nullable String authority) {
    this.method = method;
    this.authority = authority;
  }

  /** The status of a call that has ended, as its cancelled context shows. */
  static Status cancelled(Context context) {
    Status status = Contexts.statusFromCancelled(context);
    return status == null ? Status.CANCELLED : status;
  }

  /** The status that a stream ended with, though no listener heard; null while it goes on. */
  @Nullable Status ended() {
    if (end != null) {
      return end.status(received);
    }
    Context served = context;
    if (served == null || !served.isCancelled()) {
      return null;
    }
    Status status = closed;
    return status == null ? cancelled(served) : status;
  }

  /** Counts a message that is sent, and tells which one it is, from 1. */
  long countSent() {
    long number = sent + 1;
    SENT.lazySet(this, number);
    return number;
  }

  /** Counts a message no more that could not be sent. */
  void discountSent() {
    SENT.lazySet(this, sent - 1);
  }

  /** Counts a message that was received, and tells which one it was, from 1. */
  long countReceived() {
    long number = received + 1;
    RECEIVED.lazySet(this, number);
    return number;
  }
}
