// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a throwing hook away from the application: what is caught is counted, and logged as one
 * WARN that names the hook, then at most once a minute for that hook.
 *
 * <p>Fatal is {@link VirtualMachineError} alone, and is thrown on, unless it is a {@link
 * StackOverflowError}: that is a hook's own recursion, or the application's, which still has room
 * for itself. A {@link LinkageError} is what a version mismatch on the class path throws. Neither
 * may break the application.
 */
public final class Guard {

  private final String module;
  // Those of all guards of one telemetry.
  private final ConcurrentHashMap<String, LongAdder> modules;
  private final LongAdder ofModule;
  private final LongAdder hits = new LongAdder();
  private final ConcurrentHashMap<String, Hook> hooks = new ConcurrentHashMap<>();

  /**
   * The first guard of a telemetry; the guards of its modules come {@linkplain #of from it}.
   *
   * @param module the module's instrumentation scope, e.g. {@code dev.throughline.telemetry.http};
   *     the WARN names it
   * @throws NullPointerException if {@code module} is null
   */
  public Guard(String module) {
    this(module, new ConcurrentHashMap<>());
  }

  private Guard(String module, ConcurrentHashMap<String, LongAdder> modules) {
    this.module = requireNonNull(module, "module");
    this.modules = modules;
    // Without a lambda, whose first one costs a service that is off some of its start.
    LongAdder made = new LongAdder();
    LongAdder there = modules.putIfAbsent(module, made);
    ofModule = there == null ? made : there;
  }

  /**
   * A guard for another module of the same telemetry, with its own throttles.
   *
   * @throws NullPointerException if {@code module} is null
   */
  public Guard of(String module) {
    return new Guard(module, modules);
  }

  /**
   * Takes what a hook threw.
   *
   * @param hook what was called, e.g. {@code ServerConvention.spanName}; a constant, since one
   *     throttle is kept for each
   * @param thrown what it threw
   * @throws VirtualMachineError if {@code thrown} {@linkplain #isFatal is fatal}
   */
  public void caught(String hook, Throwable thrown) {
    caught(hook, thrown, System.nanoTime());
  }

  void caught(String hook, Throwable thrown, long now) {
    throwIfFatal(thrown);
    try {
      hits.increment();
      ofModule.increment();
      Hook state = hooks.get(hook);
      if (state == null) {
        state = hooks.computeIfAbsent(hook, Hook::new);
      }
      state.caught(module, thrown, now);
    } catch (Throwable fromLogging) {
      // A logging back end that throws must not break the application either.
      throwIfFatal(fromLogging);
    }
  }

  /** Whether a throwable is the JVM's own failure, which nobody can contain. */
  public static boolean isFatal(Throwable thrown) {
    return thrown instanceof VirtualMachineError && !(thrown instanceof StackOverflowError);
  }

  private static void throwIfFatal(Throwable thrown) {
    if (isFatal(thrown)) {
      throw (VirtualMachineError) thrown;
    }
  }

  /** Calls a hook that returns nothing. */
  public void run(String hook, Runnable action) {
    try {
      action.run();
    } catch (Throwable t) {
      caught(hook, t);
    }
  }

  /** How often a hook threw that this guards. */
  public long hits() {
    return hits.sum();
  }

  /**
   * How often hooks threw in this telemetry, by module; one that has a guard is there from then.
   */
  public Map<String, Long> hitsByModule() {
    Map<String, Long> byModule = new TreeMap<>();
    modules.forEach((name, count) -> byModule.put(name, count.sum()));
    return byModule;
  }

  private static final class Hook {

    // In a class of its own, so that a service without a throwing hook never looks a logger up.
    private static final Logger logger = LoggerFactory.getLogger(Guard.class);

    private final String name;
    private final Throttle throttle = new Throttle();

    Hook(String name) {
      this.name = name;
    }

    void caught(String module, Throwable thrown, long now) {
      long silent = throttle.acquire(now);
      if (silent == Throttle.HELD_BACK) {
        return;
      }
      logger.warn(
          "{} threw in {}; the application goes on without it ({} more since the last such line)",
          name,
          module,
          silent,
          Printable.of(thrown));
    }
  }
}
