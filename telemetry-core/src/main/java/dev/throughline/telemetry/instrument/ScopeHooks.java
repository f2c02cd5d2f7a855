// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import dev.throughline.telemetry.internals.OpenTelemetryInternals;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import io.opentelemetry.context.ContextStorage;
import io.opentelemetry.context.Scope;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The hook of one telemetry, and what calls it. OpenTelemetry's context storage is the JVM's, so
 * what wraps it has no settings of its own: a context carries the hook of the telemetry that it was
 * made for. A context without one has that of the process's telemetry, {@code Telemetry.init},
 * whose contexts carry none and cost nothing more.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/otel/context/">OpenTelemetry's context</a>
 */
public final class ScopeHooks {

  private static final ContextKey<Guarded> KEY =
      ContextKey.named("dev.throughline.telemetry.scope-hook");

  private static volatile @Nullable Guarded process;
  private static volatile boolean carried;
  private static volatile boolean wrapped;

  static {
    ContextStorage.addWrapper(
        storage -> {
          wrapped = true;
          return new HookedStorage(storage);
        });
    OpenTelemetryInternals.loadScopes();
  }

  private final Guard guard;
  private volatile @Nullable Guarded hook;
  private volatile @Nullable Context root;

  /**
   * No hook yet.
   *
   * @param guard counts what the hook throws
   */
  public ScopeHooks(Guard guard) {
    this.guard = guard;
  }

  /** A hook, and the guard of the telemetry that it is of. */
  private static final class Guarded {
    final ScopeHook hook;
    final Guard guard;

    Guarded(ScopeHook hook, Guard guard) {
      this.hook = hook;
      this.guard = guard;
    }
  }

  /**
   * Wraps OpenTelemetry's context storage, which can be done until it is first used and no longer.
   */
  public static void prepare() {
    // The static initializer does it, once.
  }

  /**
   * The hook that goes along with a context.
   *
   * @return null where none does
   */
  public static @Nullable ScopeHook of(Context context) {
    Guarded found = in(context);
    return found == null ? null : found.hook;
  }

  private static @Nullable Guarded in(Context context) {
    if (carried) {
      Guarded own = context.get(KEY);
      if (own != null) {
        return own;
      }
    }
    return process;
  }

  /**
   * Has a hook go along with the contexts of this telemetry.
   *
   * @param ofProcess whether this telemetry is the process's, and the hook goes along with the
   *     contexts of nobody as well
   */
  public void set(ScopeHook hook, boolean ofProcess) {
    // Makes the storage, if nobody has used it yet.
    ContextStorage.get();
    if (!wrapped) {
      LoggerFactory.getLogger(ScopeHooks.class)
          .warn(
              "The MDC is not filled, because OpenTelemetry's context was in use before the first"
                  + " Telemetry was built; build it first thing in main()");
      return;
    }
    Guarded guarded = new Guarded(hook, guard);
    if (ofProcess) {
      process = guarded;
    } else {
      carried = true;
      root = Context.root().with(KEY, guarded);
    }
    this.hook = guarded;
  }

  /** Lets go of the hook, for contexts that are made from now on. */
  public void clear() {
    Guarded last = hook;
    if (last == null) {
      return;
    }
    hook = null;
    root = null;
    if (process == last) {
      process = null;
    }
    try {
      last.hook.closed();
    } catch (Throwable t) {
      guard.caught("ScopeHook.closed", t);
    }
  }

  /** The context with the hook of this telemetry; the context itself where there is none to add. */
  public Context carry(Context context) {
    Guarded own = hook;
    if (own == null || in(context) == own) {
      return context;
    }
    Context carrying = root;
    return carrying != null && context == Context.root() ? carrying : context.with(KEY, own);
  }

  private static final class HookedStorage implements ContextStorage {

    private final ContextStorage storage;

    HookedStorage(ContextStorage storage) {
      this.storage = storage;
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker") // the caller's to close
    public Scope attach(Context context) {
      if (process == null && !carried) {
        return storage.attach(context);
      }
      Context before = storage.current();
      Scope scope = storage.attach(context);
      if (before == null) {
        before = storage.root();
      }
      if (before == context) {
        return scope;
      }
      Guarded found = in(context);
      if (found == null) {
        found = in(before);
      }
      if (found == null) {
        return scope;
      }
      try {
        return found.hook.entered(before, context, scope);
      } catch (Throwable t) {
        found.guard.caught("ScopeHook.entered", t);
        return scope;
      }
    }

    @Override
    public @Nullable Context current() {
      return storage.current();
    }

    @Override
    public Context root() {
      return storage.root();
    }
  }
}
