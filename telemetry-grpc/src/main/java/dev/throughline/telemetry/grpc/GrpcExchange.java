// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** A call as one side of it sees it, and what has passed of its messages. */
final class GrpcExchange {

  private static final VarHandle SENT;
  private static final VarHandle RECEIVED;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      SENT = lookup.findVarHandle(GrpcExchange.class, "sent", long.class);
      RECEIVED = lookup.findVarHandle(GrpcExchange.class, "received", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final MethodDescriptor<?, ?> method;
  final @Nullable String authority;

  /** The call's metadata while the call is started or answered; nobody needs it longer. */
  @Nullable Metadata headers;

  /** How a stream's end is told; null for a call of one message each way. */
  @Nullable CallEnd end;

  /** The other end of the connection; on a client it is known once the call is under way. */
  volatile @Nullable SocketAddress peer;

  // Each is counted by one thread at a time, which gRPC asks for, and read by any.
  private long sent;
  private long received;

  GrpcExchange(MethodDescriptor<?, ?> method, @Nullable String authority) {
    this.method = method;
    this.authority = authority;
  }

  /** Counts a message that is sent, and tells which one it is, from 1. */
  long countSent() {
    long number = sent + 1;
    SENT.setRelease(this, number);
    return number;
  }

  /** Counts a message no more that could not be sent. */
  void discountSent() {
    SENT.setRelease(this, sent - 1);
  }

  /** Counts a message that was received, and tells which one it was, from 1. */
  long countReceived() {
    long number = received + 1;
    RECEIVED.setRelease(this, number);
    return number;
  }

  long sent() {
    return (long) SENT.getAcquire(this);
  }

  long received() {
    return (long) RECEIVED.getAcquire(this);
  }
}
