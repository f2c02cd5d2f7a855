// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsExchange;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Ends a request of the JDK's server when the handler has returned and the response is done,
 * whichever comes last; where the handler returned after it had sent headers, the end is then.
 */
final class ExchangeEnd {

  private final InstrumentedRequest<ServerExchange, ServerExchange> request;
  private final HttpExchange exchange;
  private @Nullable OutputStream watched;

  // Written by the server's thread, read by the one that the handler may have handed the exchange.
  private volatile boolean returned;
  private volatile boolean done;

  ExchangeEnd(InstrumentedRequest<ServerExchange, ServerExchange> request, HttpExchange exchange) {
    this.request = request;
    this.exchange = exchange;
  }

  /** The exchange to hand to the handler. */
  HttpExchange traced() {
    return exchange instanceof HttpsExchange https
        ? new TracedHttpsExchange(https, this)
        : new TracedExchange(exchange, this);
  }

  void responding() {
    request.responding();
  }

  void handlerReturned() {
    returned = true;
    if (done || exchange.getResponseCode() != -1) {
      end(null);
    }
  }

  void handlerThrew(Throwable thrown) {
    end(thrown);
  }

  void responseDone() {
    done = true;
    if (returned) {
      end(null);
    }
  }

  private void end(@Nullable Throwable thrown) {
    request.end(request.request(), thrown);
  }

  /** The response's body, watched for its close and, in a Connect RPC call, for its error code. */
  synchronized OutputStream watch(OutputStream body) {
    if (watched == null) {
      watched = new WatchedBody(body);
    }
    return watched;
  }

  private final class WatchedBody extends FilterOutputStream {

    private final @Nullable ConnectCall call = request.request().connectCall();

    WatchedBody(OutputStream body) {
      super(body);
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      if (call != null) {
        call.see(exchange.getResponseCode(), new byte[] {(byte) b}, 0, 1);
      }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      if (call != null) {
        call.see(exchange.getResponseCode(), bytes, offset, length);
      }
    }

    @Override
    public void close() throws IOException {
      // Not super.close(), which flushes: the server's own stream decides that.
      out.close();
      responseDone();
    }
  }
}
