// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MessageWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The component loader of an exporter whose receiver is to be tried: each request is sent once, on
 * the thread that exports it, and its answer kept.
 */
public final class Probe extends SenderProvider {

  private @Nullable Wire wire;
  private @Nullable Answer answer;

  /**
   * @param others where everything but senders is found
   */
  public Probe(ComponentLoader others) {
    super(others);
  }

  /**
   * Where the exporter that was made last sends to.
   *
   * @throws IllegalStateException if it asked for no sender
   */
  public Receiver receiver() {
    return wire().receiver();
  }

  /** The answer to the request that was sent last; null if there was none. */
  public @Nullable Answer answer() {
    return answer;
  }

  /** Sends a request that has nothing in it, which is a valid one. */
  public Answer sendNothing() {
    return send(
        wire(),
        new MessageWriter() {
          @Override
          public void writeMessage(OutputStream output) {}

          @Override
          public int getContentLength() {
            return 0;
          }
        });
  }

  private Wire wire() {
    if (wire == null) {
      throw new IllegalStateException("The exporter has no sender of OTLP");
    }
    return wire;
  }

  private static Answer send(Wire wire, MessageWriter message) {
    try {
      return wire.send(List.of(wire.encoding().encode(message, Body::array)));
    } catch (IOException | RuntimeException e) {
      return Answer.refused(Answer.Cause.OTHER, "it could not be sent: " + e);
    }
  }

  @Override
  Outlet outlet(Wire wire, boolean retries) {
    this.wire = wire;
    return new Outlet() {
      @Override
      public void send(MessageWriter message) {
        answer = Probe.send(wire, message);
      }

      @Override
      public CompletableResultCode shutdown() {
        wire.close();
        return CompletableResultCode.ofSuccess();
      }
    };
  }
}
