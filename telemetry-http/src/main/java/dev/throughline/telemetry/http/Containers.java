// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import dev.throughline.telemetry.instrument.Guard;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.function.Consumer;

/**
 * Asks Jetty and Tomcat by reflection for the moment when the answer to a request is decided, of
 * which the Servlet API does not tell.
 */
final class Containers {

  private Containers() {}

  static boolean isJetty(ServletRequest request) {
    return own(request).getClass().getName().startsWith("org.eclipse.jetty.");
  }

  /**
   * Runs an action when the response is complete; at once if the request is not Jetty's. Jetty
   * decides on the answer to what was thrown when all filters and request listeners have returned.
   */
  static void whenComplete(ServletRequest request, Runnable action, Guard guard) {
    if (isJetty(request)) {
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

  /**
   * Whether Tomcat is yet to dispatch to an error page for this status: after a dispatch of an
   * asynchronous request it does so when it has told its listeners that all is complete.
   */
  static boolean awaitsErrorPage(ServletRequest request, int status, Guard guard) {
    ServletRequest own = own(request);
    if (!own.getClass().getName().startsWith("org.apache.catalina.")) {
      return false;
    }
    try {
      Field field = own.getClass().getDeclaredField("request");
      field.setAccessible(true);
      Object core = field.get(own);
      Object response = core.getClass().getMethod("getResponse").invoke(core);
      if (response.getClass().getMethod("isErrorReportRequired").invoke(response).equals(false)) {
        return false;
      }
      Object context = core.getClass().getMethod("getContext").invoke(core);
      Method find = context.getClass().getMethod("findErrorPage", int.class);
      return find.invoke(context, status) != null || find.invoke(context, 0) != null;
    } catch (Throwable t) {
      guard.caught("Context.findErrorPage", t);
      return false;
    }
  }

  private static ServletRequest own(ServletRequest request) {
    ServletRequest own = request;
    while (own instanceof ServletRequestWrapper wrapper) {
      own = wrapper.getRequest();
    }
    return own;
  }
}
