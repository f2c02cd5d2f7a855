// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.http.HttpServletRequest;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Ends a request when its asynchronous processing is complete. */
final class ServletAsyncEnd implements AsyncListener {

  private final InstrumentedRequest<ServerExchange, ServerExchange> started;
  private final boolean threwBeside;
  private final boolean answered;
  private volatile @Nullable Throwable thrown;
  private volatile boolean timedOut;

  private ServletAsyncEnd(
      InstrumentedRequest<ServerExchange, ServerExchange> started,
      @Nullable Throwable thrown,
      boolean answered) {
    this.started = started;
    this.thrown = thrown;
    this.answered = answered;
    threwBeside = thrown != null;
  }

  static void listen(
      InstrumentedRequest<ServerExchange, ServerExchange> started,
      HttpServletRequest request,
      @Nullable Throwable thrown) {
    ServletAsyncEnd listener = new ServletAsyncEnd(started, thrown, JettyCompletion.isOf(request));
    try {
      request.getAsyncContext().addListener(listener);
    } catch (IllegalStateException e) {
      // It completed on another thread between the question and this call.
      listener.end();
    }
  }

  @Override
  public void onComplete(AsyncEvent event) {
    end();
  }

  @Override
  public void onTimeout(AsyncEvent event) {
    timedOut = true;
    endIfThrewBeside();
  }

  @Override
  public void onError(AsyncEvent event) {
    thrown = ServletFilter.cause(event.getThrowable());
    endIfThrewBeside();
  }

  @Override
  public void onStartAsync(AsyncEvent event) {
    // A dispatch that goes asynchronous again drops its listeners.
    event.getAsyncContext().addListener(this);
  }

  /** Tomcat closes the connection, and does not always complete, when its servlet also threw. */
  private void endIfThrewBeside() {
    if (threwBeside) {
      if (!answered && started.request() instanceof ServletExchange exchange) {
        exchange.setUnanswered();
      }
      end();
    }
  }

  private void end() {
    ServerExchange exchange = started.request();
    ConnectCall call = exchange.connectCall();
    if (call != null) {
      call.mayBeUnseen();
    }
    Throwable error = thrown;
    if (error == null && timedOut && exchange.status() >= 500) {
      error = new TimeoutException("asynchronous request timed out");
    }
    started.end(exchange, error);
  }
}
