// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.Guard;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import java.util.function.Consumer;

/**
 * The moment when Jetty is through with a request, by reflection: Jetty decides on the answer to
 * what was thrown when all filters and request listeners have returned.
 */
final class JettyCompletion {

  private JettyCompletion() {}

  static boolean isOf(ServletRequest request) {
    return own(request).getClass().getName().startsWith("org.eclipse.jetty.");
  }

  /** Runs an action when the response is complete; at once if the request is not Jetty's. */
  static void run(ServletRequest request, Runnable action, Guard guard) {
    if (isOf(request)) {
      try {
        ServletRequest own = own(request);
        Object core = own.getClass().getMethod("getRequest").invoke(own);
        Class<?> type =
            Class.forName(
                "org.eclipse.jetty.server.Request", false, core.getClass().getClassLoader());
        Consumer<Throwable> listener = failure -> action.run();
        type.getMethod("addCompletionListener", type, Consumer.class).invoke(null, core, listener);
        return;
      } catch (Throwable t) {
        guard.caught("Request.addCompletionListener", t);
      }
    }
    action.run();
  }

  private static ServletRequest own(ServletRequest request) {
    ServletRequest own = request;
    while (own instanceof ServletRequestWrapper wrapper) {
      own = wrapper.getRequest();
    }
    return own;
  }
}
