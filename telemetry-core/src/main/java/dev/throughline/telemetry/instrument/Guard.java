// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.api.OpenTelemetry;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a throwing hook away from the application: what is caught is counted, and logged as one
 * WARN that names the hook, then at most once a minute for that hook.
 *
 * <p>Fatal is {@link VirtualMachineError} alone, and is thrown on. A {@link LinkageError} is what a
 * version mismatch on the class path throws, and that must not break the application.
 */
public final class Guard {

  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

  // Of the whole process, as what throws mostly is: a library, a driver, its version.
  private static final ConcurrentHashMap<String, LongAdder> MODULES = new ConcurrentHashMap<>();

  private final String module;
  private final LongAdder ofModule;
  private final LongAdder hits = new LongAdder();
  private final ConcurrentHashMap<String, Hook> hooks = new ConcurrentHashMap<>();

  /**
   * A guard for one module.
   *
   * @param module the module's instrumentation scope, e.g. {@code dev.throughline.telemetry.http};
   *     the WARN names it
   * @throws NullPointerException if {@code module} is null
   */
  public Guard(String module) {
    this.module = requireNonNull(module, "module");
    ofModule = counted(module);
  }

  /**
   * Takes what a hook threw.
   *
   * @param hook what was called, e.g. {@code ServerConvention.spanName}; a constant, since one
   *     throttle is kept for each
   * @param thrown what it threw
   * @throws VirtualMachineError if {@code thrown} is one
   */
  public void caught(String hook, Throwable thrown) {
    caught(hook, thrown, System.nanoTime());
  }

  void caught(String hook, Throwable thrown, long now) {
    if (thrown instanceof VirtualMachineError fatal) {
      throw fatal;
    }
    hits.increment();
    ofModule.increment();
    try {
      Hook state = hooks.get(hook);
      if (state == null) {
        state = hooks.computeIfAbsent(hook, Hook::new);
      }
      state.caught(module, thrown, now);
    } catch (Throwable fromLogging) {
      // A logging back end that throws must not break the application either.
      if (fromLogging instanceof VirtualMachineError fatal) {
        throw fatal;
      }
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

  /**
   * An OpenTelemetry that works as another does, but for its observable instruments: each callback
   * that throws leaves out its own instrument and no other.
   */
  public OpenTelemetry observing(OpenTelemetry openTelemetry) {
    return new GuardedOpenTelemetry(openTelemetry, this);
  }

  /** How often a hook threw that this guards. */
  public long hits() {
    return hits.sum();
  }

  /** Without a lambda, whose first one costs a service that is off some of its start. */
  private static LongAdder counted(String module) {
    LongAdder made = new LongAdder();
    LongAdder there = MODULES.putIfAbsent(module, made);
    return there == null ? made : there;
  }

  /** How often hooks threw in this process, by module; one that has a guard is there from then. */
  public static Map<String, Long> hitsByModule() {
    Map<String, Long> byModule = new TreeMap<>();
    MODULES.forEach((module, count) -> byModule.put(module, count.sum()));
    return byModule;
  }

  private static final class Hook {

    // In a class of its own, so that a service without a throwing hook never looks a logger up.
    private static final Logger logger = LoggerFactory.getLogger(Guard.class);

    private final String name;
    private boolean logged;
    private long loggedAtNanos;
    private long sinceLogged;

    Hook(String name) {
      this.name = name;
    }

    void caught(String module, Throwable thrown, long now) {
      long silent;
      synchronized (this) {
        if (logged && now - loggedAtNanos < QUIET_NANOS) {
          sinceLogged++;
          return;
        }
        silent = sinceLogged;
        sinceLogged = 0;
        logged = true;
        loggedAtNanos = now;
      }
      logger.warn(
          "{} threw in {}; the application goes on without it ({} more since the last such line)",
          name,
          module,
          silent,
          thrown);
    }
  }
}
