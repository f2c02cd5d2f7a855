// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.examples.service.Refusal;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A console that is viewed over a WebSocket of the JDK, one message after the other. */
final class ConsoleSocket implements AutoCloseable {

  private static final byte[] END = new byte[0];

  private final Duration timeout;
  private final Inbox inbox = new Inbox();
  private final WebSocket socket;
  private byte[] message = END;
  private int position;

  /**
   * Connects.
   *
   * @param builder records the socket where telemetry made it
   * @param timeout of the upgrade, and of each message that is waited for
   */
  ConsoleSocket(WebSocket.Builder builder, URI uri, Duration timeout) throws Refusal {
    this.timeout = timeout;
    try {
      socket = await(builder.buildAsync(uri, inbox));
    } catch (IOException e) {
      throw new Refusal(502, "The Gateway did not open the console: " + e.getMessage());
    }
  }

  /** The next line of text. */
  String readLine() throws IOException {
    return new String(next(), UTF_8);
  }

  void writeLine(String line) throws IOException {
    await(socket.sendText(line, true));
  }

  /** The binary messages, as the stream of bytes that they are. */
  InputStream input() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        read(one, 0, 1);
        return one[0] & 0xFF;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        while (length > 0 && position == message.length) {
          message = next();
          position = 0;
        }
        int count = Math.min(length, message.length - position);
        System.arraycopy(message, position, bytes, offset, count);
        position += count;
        return count;
      }
    };
  }

  /** What is flushed is one binary message. */
  OutputStream output() {
    return new BufferedOutputStream(
        new OutputStream() {
          @Override
          public void write(int next) throws IOException {
            write(new byte[] {(byte) next}, 0, 1);
          }

          @Override
          public void write(byte[] bytes, int offset, int length) throws IOException {
            await(socket.sendBinary(ByteBuffer.wrap(bytes, offset, length), true));
          }
        });
  }

  private byte[] next() throws IOException {
    try {
      byte[] next = inbox.messages.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
      if (next == null) {
        throw new SocketTimeoutException("The console said nothing");
      }
      if (next == END) {
        throw new EOFException("The console is closed: " + inbox.reason);
      }
      return next;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while waiting for the console", e);
    }
  }

  private <T> T await(CompletableFuture<T> future) throws IOException {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException(Objects.requireNonNullElse(e.getCause(), e));
    } catch (TimeoutException e) {
      throw new SocketTimeoutException("The Gateway did not answer in time");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while waiting for the Gateway", e);
    }
  }

  /** Says goodbye, and waits for the other side's: then all spans of the session have ended. */
  @Override
  public void close() {
    try {
      await(socket.sendClose(WebSocket.NORMAL_CLOSURE, ""));
      await(inbox.closed);
    } catch (IOException e) {
      socket.abort();
    }
  }

  /** Gathers whole messages. */
  private static final class Inbox implements WebSocket.Listener {

    final BlockingQueue<byte[]> messages = new LinkedBlockingQueue<>();
    final CompletableFuture<Void> closed = new CompletableFuture<>();
    volatile String reason = "";
    private final StringBuilder text = new StringBuilder();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
      text.append(part);
      if (last) {
        messages.add(text.toString().getBytes(UTF_8));
        text.setLength(0);
      }
      socket.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
      byte[] bytes = new byte[part.remaining()];
      part.get(bytes);
      messages.add(bytes);
      socket.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String why) {
      end(code + " " + why);
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable thrown) {
      end(String.valueOf(thrown));
    }

    private void end(String why) {
      reason = why;
      messages.add(END);
      closed.complete(null);
    }
  }
}
