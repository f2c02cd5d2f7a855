// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.ClientCall;
import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/**
 * The end of a client's stream whose listener never hears of it. gRPC calls a listener on an
 * executor of the caller's, which may run no more, and once the whole answer was read, which nobody
 * may do. It says so to the tracers of a stream, or lets go of the call.
 */
final class ClientStreamEnd extends ClientStreamTracer.Factory {

  /** For a status that gRPC tells nobody, since nobody reads the answer to its end. */
  static final Status UNREAD = Status.OK.withDescription("never read");

  // Weak: what is watched until it ends must not be what keeps it.
  private final @Nullable WeakReference<Context> context;
  private final @Nullable Deadline deadline;
  private final boolean mayMissClose;
  private @Nullable WeakReference<ClientCall<?, ?>> call;
  private long lastReceived;

  // Of the attempts of a call, which is retried or hedged.
  private int open;
  private boolean unread;
  private @Nullable Status closed;

  /** Of a call whose callbacks may run on an executor of the caller's, and be missed. */
  ClientStreamEnd(Context context, @Nullable Deadline deadline, boolean mayMissClose) {
    this.context = context == Context.ROOT ? null : new WeakReference<>(context);
    this.deadline = deadline;
    this.mayMissClose = mayMissClose;
  }

  /** Watches a call, which its transport refers to for as long as there may be callbacks. */
  void watch(ClientCall<?, ?> started) {
    call = new WeakReference<>(started);
  }

  /**
   * The status that the call ended with; null while it goes on.
   *
   * @param received how many messages were read by now
   */
  synchronized @Nullable Status status(long received) {
    boolean isRead = received != lastReceived;
    lastReceived = received;
    boolean isLost = call != null && call.get() == null;
    Status status = open == 0 && (mayMissClose || isLost) ? closed : null;
    Context of = context == null ? null : context.get();
    if (status == null && of != null && of.isCancelled()) {
      status = GrpcExchange.cancelled(of);
    }
    boolean isLate = isOver(deadline) || (of != null && isOver(of.getDeadline()));
    // To the transport a deadline that passes is a cancellation.
    if (isLate && (status == null || status.getCode() == Status.Code.CANCELLED)) {
      return Status.DEADLINE_EXCEEDED;
    }
    return status == null && (isLost || (unread && !isRead)) ? UNREAD : status;
  }

  private static boolean isOver(@Nullable Deadline deadline) {
    return deadline != null && deadline.isExpired();
  }

  @Override
  public synchronized ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    open++;
    return new ClientStreamTracer() {
      @Override
      public void inboundTrailers(Metadata trailers) {
        heard(true, null);
      }

      @Override
      public void streamClosed(Status status) {
        heard(false, status);
      }
    };
  }

  private synchronized void heard(boolean isUnread, @Nullable Status status) {
    unread = isUnread;
    if (status != null) {
      open--;
      closed = status;
    }
  }
}
