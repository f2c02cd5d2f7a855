// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of the JVM: something to be done as it begins, and something once the other shutdown
 * hooks are through, which may still answer requests: Spring Boot's and Kubernetes' take thirty
 * seconds.
 *
 * <p>The JDK has no word for "after all hooks". They are started at once and have no order; none
 * can be added once they run; which threads are hooks is known to a private table alone; a thread
 * that is no hook is gone when the last of them ends; and a fixed time to wait would be too short
 * for one service, and hold up the stop of another. But the thread that has started the hooks joins
 * one after the other, in the order of an identity hash table, and whom it waits for now can be
 * asked of the JVM. So a hook that is the last in the table, and waits until it is joined, ends
 * after all others; the JVM waits for them anyway, so that this takes no time.
 *
 * <p>A thread is the last if its identity hash code has the last place of the table, which a new
 * thread has once in 64 times. There are two such hooks, since an earlier one in the same place
 * would send one of them to the table's beginning. If the JVM does not tell, neither waits.
 */
final class JvmStop {

  private static final Logger logger = LoggerFactory.getLogger(Telemetry.class);
  private static final int HOOKS = 2;
  // The lower bits of a hash code are its place, for a table of up to 42 hooks.
  private static final int LAST_PLACE = 63;
  // Each hook has a place of its own; this many, so that eight telemetries can be open at once.
  private static final int PLACES = 16;
  private static final AtomicInteger TAKEN = new AtomicInteger();
  private static final long LOOK_NANOS = 5_000_000;

  private final Runnable begin;
  private final Runnable end;
  private final AtomicInteger waiting = new AtomicInteger(HOOKS);
  private final List<Thread> hooks = new ArrayList<>();

  /**
   * @param begin is called as the JVM begins to stop
   * @param end is called once the others are through
   */
  JvmStop(Runnable begin, Runnable end) {
    this.begin = begin;
    this.end = end;
  }

  /** False if the JVM is stopping already. */
  boolean register() {
    for (int i = 0; i < HOOKS; i++) {
      Thread hook = hook(LAST_PLACE - Math.floorMod(TAKEN.getAndIncrement(), PLACES));
      try {
        Runtime.getRuntime().addShutdownHook(hook);
      } catch (IllegalStateException e) {
        return false;
      }
      hooks.add(hook);
    }
    return true;
  }

  void unregister() {
    try {
      hooks.forEach(Runtime.getRuntime()::removeShutdownHook);
    } catch (IllegalStateException e) {
      // The JVM is stopping, its hooks stay.
    }
  }

  /** Whether the JVM is stopping. */
  static boolean isUnderWay() {
    Thread probe = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(probe);
      Runtime.getRuntime().removeShutdownHook(probe);
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  private Thread hook(int place) {
    Thread hook;
    do {
      hook = new Thread(this::run, "telemetry-shutdown-hook");
    } while ((System.identityHashCode(hook) & LAST_PLACE) != place);
    // Some wait for all other threads of the application to end.
    hook.setDaemon(true);
    return hook;
  }

  private void run() {
    begin.run();
    try {
      awaitOthers();
    } catch (Throwable t) {
      logger.debug("The other shutdown hooks are not waited for", t);
    }
    if (waiting.decrementAndGet() == 0) {
      end.run();
    }
  }

  /** Comes back once the JVM joins this thread. */
  private static void awaitOthers() {
    long joiner = joiner();
    if (joiner < 0) {
      return;
    }
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    int own = System.identityHashCode(Thread.currentThread());
    while (true) {
      ThreadInfo info = threads.getThreadInfo(joiner);
      LockInfo joined = info == null ? null : info.getLockInfo();
      if (info == null || (joined != null && joined.getIdentityHashCode() == own)) {
        return;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  /** The id of the thread that runs the hooks; -1 if it is not known. */
  @SuppressWarnings("deprecation") // Its successor came with JDK 19.
  private static long joiner() {
    for (var thread : Thread.getAllStackTraces().entrySet()) {
      for (StackTraceElement frame : thread.getValue()) {
        if (frame.getClassName().equals("java.lang.ApplicationShutdownHooks")
            && frame.getMethodName().equals("runHooks")) {
          return thread.getKey().getId();
        }
      }
    }
    return -1;
  }
}
