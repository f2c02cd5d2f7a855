// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.http.HttpClient;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The life cycle methods that {@link HttpClient} has since JDK 21, by reflection. */
final class ClientLifecycle {

  private static final @Nullable Method SHUTDOWN = method("shutdown");
  private static final @Nullable Method SHUTDOWN_NOW = method("shutdownNow");
  private static final @Nullable Method IS_TERMINATED = method("isTerminated");
  private static final @Nullable Method AWAIT_TERMINATION =
      method("awaitTermination", Duration.class);
  private static final @Nullable Method CLOSE = method("close");

  private ClientLifecycle() {}

  static void shutdown(HttpClient client) {
    call(SHUTDOWN, client);
  }

  static void shutdownNow(HttpClient client) {
    call(SHUTDOWN_NOW, client);
  }

  static boolean isTerminated(HttpClient client) {
    return Boolean.TRUE.equals(call(IS_TERMINATED, client));
  }

  static boolean awaitTermination(HttpClient client, Duration duration)
      throws InterruptedException {
    Method method = AWAIT_TERMINATION;
    if (method == null) {
      return true;
    }
    try {
      return (boolean) method.invoke(client, duration);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof InterruptedException interrupted) {
        throw interrupted;
      }
      throw unchecked(e);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  static void close(HttpClient client) {
    call(CLOSE, client);
  }

  private static @Nullable Object call(@Nullable Method method, HttpClient client) {
    if (method == null) {
      return null;
    }
    try {
      return method.invoke(client);
    } catch (InvocationTargetException e) {
      throw unchecked(e);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the client threw, as it threw it; these methods declare nothing checked. */
  private static RuntimeException unchecked(InvocationTargetException e) {
    Throwable cause = e.getCause();
    if (cause instanceof Error error) {
      throw error;
    }
    return cause instanceof RuntimeException unchecked
        ? unchecked
        : new IllegalStateException(cause);
  }

  private static @Nullable Method method(String name, Class<?>... parameters) {
    try {
      return HttpClient.class.getMethod(name, parameters);
    } catch (NoSuchMethodException e) {
      return null;
    }
  }
}
