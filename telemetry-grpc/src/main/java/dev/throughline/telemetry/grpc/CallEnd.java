// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * The end of a stream as its transport tells it, for streams whose listener is never called again:
 * callbacks of an iterator run on the thread that reads it, and nobody may read it to its end.
 */
final class CallEnd extends ClientStreamTracer.Factory {

  private final Context context;
  private final @Nullable Deadline deadline;
  private volatile @Nullable Status closed;

  /**
   * @param context the gRPC context of the call, which is cancelled when a server's call has ended
   * @param deadline null if there is none, and on servers
   */
  CallEnd(Context context, @Nullable Deadline deadline) {
    this.context = context;
    this.deadline = deadline;
  }

  /** What a server answers with; it has ended once it was sent. */
  void closing(Status status) {
    closed = status;
  }

  /** The status that a client's call ended with; null while it goes on. */
  @Nullable Status ofClient() {
    Status status = closed == null && context.isCancelled() ? cancelled() : closed;
    boolean late = deadline != null && deadline.isExpired();
    // To the transport a deadline that passes is a cancellation.
    return late && (status == null || status.getCode() == Status.Code.CANCELLED)
        ? Status.DEADLINE_EXCEEDED
        : status;
  }

  /** The status that a server's call ended with; null while it goes on. */
  @Nullable Status ofServer() {
    if (!context.isCancelled()) {
      return null;
    }
    Status status = closed;
    return status == null ? cancelled() : status;
  }

  private Status cancelled() {
    Status status = Contexts.statusFromCancelled(context);
    return status == null ? Status.CANCELLED : status;
  }

  /** Called for each attempt of a call that is retried. */
  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    closed = null;
    return new ClientStreamTracer() {
      @Override
      public void streamClosed(Status status) {
        closed = status;
      }
    };
  }
}
