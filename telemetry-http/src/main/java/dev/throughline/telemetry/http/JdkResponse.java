// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of a response of the JDK's server, as its own {@link HttpExchange#setStreams} takes it:
 * it passes everything on, and ends the request once the handler has returned and the response is
 * over. That is when it is closed, when a write fails, when its whole length is written, or when
 * the server has closed the connection.
 */
final class JdkResponse extends OutputStream {

  // The JDK's timer: nothing tells of an exchange that another thread closes without an answer.
  private static final Executor LATER = CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS);

  private final InstrumentedRequest<Exchange, Exchange> request;
  private final HttpExchange exchange;
  private final OutputStream body;
  private final Guard guard;
  private final @Nullable ConnectCall call;

  // Written by one thread at a time; the handler may have handed its exchange to another.
  private volatile boolean returned;
  private volatile boolean closed;
  private volatile @Nullable Throwable thrown;
  private volatile @Nullable Throwable failure;
  private long written;

  private JdkResponse(
      InstrumentedRequest<Exchange, Exchange> request,
      HttpExchange exchange,
      OutputStream body,
      Guard guard) {
    this.request = request;
    this.exchange = exchange;
    this.body = body;
    this.guard = guard;
    call = request.request().connectCall();
  }

  /** Watches a response; one whose exchange takes no other stream is over when its handler is. */
  static JdkResponse watch(
      InstrumentedRequest<Exchange, Exchange> request, HttpExchange exchange, Guard guard) {
    OutputStream body = OutputStream.nullOutputStream();
    try {
      body = exchange.getResponseBody();
      JdkResponse response = new JdkResponse(request, exchange, body, guard);
      exchange.setStreams(null, response);
      if (exchange.getResponseBody() == response) {
        return response;
      }
    } catch (Throwable t) {
      guard.caught("HttpExchange.setStreams", t);
    }
    JdkResponse unseen = new JdkResponse(request, exchange, body, guard);
    unseen.closed = true;
    return unseen;
  }

  void handlerReturned() {
    returned = true;
    endOnceOver();
  }

  void handlerThrew(Throwable thrown, Filter filter) {
    this.thrown = thrown;
    List<Filter> filters = exchange.getHttpContext().getFilters();
    if (exchange.getResponseCode() == -1 && !filters.isEmpty() && filters.get(0) != filter) {
      // A filter before ours may still answer.
      returned = true;
      LATER.execute(this::end);
    } else {
      end();
    }
  }

  @Override
  public void write(int b) throws IOException {
    try {
      body.write(b);
    } catch (Throwable t) {
      failed(t);
      throw t;
    }
    if (call != null) {
      call.see(exchange.getResponseCode(), new byte[] {(byte) b}, 0, 1);
    }
    wrote(1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      body.write(bytes, offset, length);
    } catch (Throwable t) {
      failed(t);
      throw t;
    }
    if (call != null) {
      call.see(exchange.getResponseCode(), bytes, offset, length);
    }
    wrote(length);
  }

  @Override
  public void flush() throws IOException {
    try {
      body.flush();
    } catch (Throwable t) {
      failed(t);
      throw t;
    }
  }

  @Override
  public void close() throws IOException {
    try {
      body.close();
    } catch (Throwable t) {
      failed(t);
      throw t;
    } finally {
      // Closed before its headers, the server's own stream refuses, and can still be used.
      closed = exchange.getResponseCode() != -1;
      endIfOver();
    }
  }

  private void wrote(int length) {
    written += length;
    if (failure != null) {
      // The write that failed was longer than the response, and the handler has tried again.
      failure = null;
    }
    endIfOver();
  }

  private void failed(Throwable thrown) {
    if (exchange.getResponseCode() != -1) {
      failure = thrown;
      endIfOver();
    }
  }

  private void endIfOver() {
    if (returned && isOver()) {
      end();
    }
  }

  private boolean isOver() {
    return closed || failure != null || thrown != null || isWhole();
  }

  /** Whether a body whose length was announced is written; not everybody closes it then. */
  private boolean isWhole() {
    return exchange.getResponseCode() != -1
        && Long.toString(written).equals(exchange.getResponseHeaders().getFirst("Content-length"));
  }

  private void endOnceOver() {
    if (isOver() || isConnectionClosed()) {
      end();
    } else {
      LATER.execute(this::endOnceOver);
    }
  }

  /** A socket that is closed says that its local address is the wildcard. */
  private boolean isConnectionClosed() {
    try {
      return exchange.getLocalAddress().getAddress().isAnyLocalAddress();
    } catch (Throwable t) {
      guard.caught("HttpExchange.getLocalAddress", t);
      return true;
    }
  }

  private void end() {
    request.end(request.request(), thrown == null ? failure : thrown);
  }
}
