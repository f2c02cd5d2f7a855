// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * All that this module knows of gRPC's internals: how a server answers a call whose handler threw.
 * On another version the answer is gRPC's own, without the request id.
 */
final class GrpcInternals {

  private static final String INTERNALS = "io.grpc.internal.";
  private static final String PUBLIC = "io.grpc.";
  private static final String OURS = TracingServerInterceptor.class.getName();

  private GrpcInternals() {}

  /**
   * Whether what the caller throws goes to gRPC itself, with no interceptor on its way that could
   * make an answer of it.
   */
  static boolean throwsToServer() {
    return StackWalker.getInstance()
        .walk(
            frames -> {
              Iterator<StackWalker.StackFrame> all = frames.iterator();
              while (all.hasNext()) {
                String name = all.next().getClassName();
                if (name.startsWith(INTERNALS)) {
                  return true;
                }
                // gRPC's forwarding classes catch nothing; those of io.grpc.util do.
                boolean forwards =
                    name.startsWith(PUBLIC) && name.indexOf('.', PUBLIC.length()) < 0;
                if (!forwards
                    && !name.startsWith(OURS)
                    && !name.equals(GrpcInternals.class.getName())) {
                  return false;
                }
              }
              return false;
            });
  }

  /** What gRPC answers with if a callback throws. */
  static Status ofCallback(Throwable thrown) {
    return Status.UNKNOWN.withDescription(Description.TEXT).withCause(thrown);
  }

  /** Older versions give none. */
  private static final class Description {

    private static final String KNOWN = "Application error processing RPC";
    private static final String GIVEN_BY =
        "/io/grpc/internal/ServerImpl$JumpToApplicationThreadServerStreamListener.class";

    static final @Nullable String TEXT = isGiven() ? KNOWN : null;

    private static boolean isGiven() {
      try (InputStream in = Status.class.getResourceAsStream(GIVEN_BY)) {
        return in != null
            && new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).contains(KNOWN);
      } catch (IOException e) {
        return false;
      }
    }
  }
}
