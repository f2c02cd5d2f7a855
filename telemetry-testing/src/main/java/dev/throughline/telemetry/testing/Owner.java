// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import org.jspecify.annotations.Nullable;

/**
 * Whose test a piece of code works for, where tests of several classes run at once: the one that
 * started the context's span; else the one that runs on this thread, or on the thread that made it;
 * else the only one that there is.
 */
final class Owner {

  private static final List<TelemetryExtension> recording = new CopyOnWriteArrayList<>();

  private static final InheritableThreadLocal<@Nullable Claim> CLAIM =
      new InheritableThreadLocal<>() {
        @Override
        protected @Nullable Claim childValue(@Nullable Claim parent) {
          return parent == null ? null : new Claim(parent.owner, true, null);
        }
      };

  private record Claim(TelemetryExtension owner, boolean inherited, @Nullable Claim outer) {}

  private Owner() {}

  static void add(TelemetryExtension extension) {
    recording.add(extension);
  }

  static void remove(TelemetryExtension extension) {
    recording.remove(extension);
  }

  /** Has this thread, and those it makes, work for this test until {@link #release}. */
  static void claim(TelemetryExtension owner) {
    CLAIM.set(new Claim(owner, false, CLAIM.get()));
  }

  static void release() {
    Claim claim = CLAIM.get();
    if (claim == null || claim.outer == null) {
      CLAIM.remove();
    } else {
      CLAIM.set(claim.outer);
    }
  }

  /**
   * The extension whose test this thread works for.
   *
   * @return null where that can't be told
   */
  static @Nullable TelemetryExtension of(Context context) {
    Span span = Span.fromContextOrNull(context);
    if (span != null) {
      String id = span.getSpanContext().getSpanId();
      for (TelemetryExtension extension : recording) {
        if (extension.spans().hasStarted(id)) {
          return extension;
        }
      }
    }
    Thread thread = Thread.currentThread();
    Claim claim = CLAIM.get();
    if (claim != null && !claim.inherited) {
      return claim.owner;
    }
    if (thread instanceof ForkJoinWorkerThread worker
        && worker.getPool() != ForkJoinPool.commonPool()) {
      // JUnit's own, where it runs classes at once: this one has no extension.
      return null;
    }
    if (claim != null
        && !(thread instanceof ForkJoinWorkerThread)
        && recording.contains(claim.owner)) {
      return claim.owner;
    }
    // A thread that belongs to nobody, or to everybody, works for whoever is the only one here.
    return sole();
  }

  private static @Nullable TelemetryExtension sole() {
    TelemetryExtension sole = null;
    for (TelemetryExtension extension : recording) {
      if (sole != null) {
        return null;
      }
      sole = extension;
    }
    return sole;
  }
}
