// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.Guard;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Ends a request when its asynchronous processing is complete. */
final class ServletAsyncEnd implements AsyncListener {

  // An error page follows at once; where none does, its connection is gone.
  private static final Executor LATER = CompletableFuture.delayedExecutor(5, TimeUnit.SECONDS);

  private final ServletExchange exchange;
  private final boolean threwBeside;
  private final Guard guard;
  private volatile @Nullable Throwable thrown;
  private volatile boolean timedOut;

  private ServletAsyncEnd(ServletExchange exchange, @Nullable Throwable thrown, Guard guard) {
    this.exchange = exchange;
    this.thrown = thrown;
    this.guard = guard;
    threwBeside = thrown != null;
  }

  static void listen(ServletExchange exchange, @Nullable Throwable thrown, Guard guard) {
    ServletAsyncEnd listener = new ServletAsyncEnd(exchange, thrown, guard);
    try {
      exchange.request.getAsyncContext().addListener(listener);
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
      if (!Containers.isJetty(exchange.request)) {
        exchange.setUnanswered();
      }
      end();
    }
  }

  private void end() {
    ConnectCall call = exchange.connectCall();
    if (call != null) {
      call.mayBeUnseen();
    }
    int status = exchange.status();
    Throwable error =
        thrown == null && timedOut && status >= 500
            ? new TimeoutException("asynchronous request timed out")
            : thrown;
    if (exchange.mayHaveErrorPage()
        && Containers.awaitsErrorPage(exchange.request, status, guard)) {
      exchange.afterErrorPage = () -> exchange.end(error);
      LATER.execute(
          () -> {
            exchange.decideStatus(status);
            exchange.end(error);
          });
    } else {
      exchange.end(error);
    }
  }
}
