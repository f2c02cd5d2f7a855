// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import dev.throughline.telemetry.instrument.ScopeHooks;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Scopes that were opened since the test began and are not yet closed as they should be. */
final class Scopes {

  private final Set<OpenScope> open = new LinkedHashSet<>();

  Scope opened(Context context, Scope scope) {
    OpenScope opened = new OpenScope(context, scope);
    synchronized (open) {
      open.add(opened);
    }
    return opened;
  }

  void begin() {
    synchronized (open) {
      open.clear();
    }
  }

  /**
   * Waits for all to be closed, and closes those of this thread that are not, so that the next test
   * does not inherit their context.
   *
   * @return where each that was left open was opened
   */
  List<Throwable> closeLeaks(Duration timeout) {
    List<OpenScope> leaked = awaitClosed(timeout);
    Collections.reverse(leaked);
    for (OpenScope scope : leaked) {
      if (scope.thread == Thread.currentThread()) {
        scope.scope.close();
      }
    }
    Collections.reverse(leaked);
    return leaked.stream().map(OpenScope::leak).toList();
  }

  private List<OpenScope> awaitClosed(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (open) {
      // A scope of this thread would have been closed by now.
      while (open.stream().anyMatch(scope -> scope.thread != Thread.currentThread())) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          break;
        }
        try {
          TimeUnit.NANOSECONDS.timedWait(open, left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          break;
        }
      }
      List<OpenScope> leaked = new ArrayList<>(open);
      open.clear();
      return leaked;
    }
  }

  /** So that the trace begins with who opened the scope. */
  private static StackTraceElement[] withoutStorage(StackTraceElement[] frames) {
    int from = 0;
    while (from < frames.length - 1 && isStorage(frames[from].getClassName())) {
      from++;
    }
    return Arrays.copyOfRange(frames, from, frames.length);
  }

  private static boolean isStorage(String className) {
    return className.startsWith("io.opentelemetry.")
        || className.startsWith(ScopeHooks.class.getName())
        || className.startsWith(Scopes.class.getName())
        || className.equals(WatchedStorage.class.getName());
  }

  private final class OpenScope implements Scope {

    final Thread thread = Thread.currentThread();
    final Scope scope;
    private final Context context;
    private final Throwable openedAt;
    private String misuse = "";

    OpenScope(Context context, Scope scope) {
      this.context = context;
      this.scope = scope;
      openedAt = new Throwable("opened on thread " + thread.getName());
      openedAt.setStackTrace(withoutStorage(openedAt.getStackTrace()));
    }

    @Override
    public void close() {
      synchronized (open) {
        if (Thread.currentThread() != thread) {
          misuse = ", closed on thread " + Thread.currentThread().getName();
        } else if (Context.current() != context) {
          misuse = ", closed while another context was current";
        } else if (open.remove(this)) {
          open.notifyAll();
        }
      }
      scope.close();
    }

    Throwable leak() {
      if (misuse.isEmpty()) {
        return openedAt;
      }
      Throwable misused = new Throwable(openedAt.getMessage() + misuse);
      misused.setStackTrace(openedAt.getStackTrace());
      return misused;
    }
  }
}
