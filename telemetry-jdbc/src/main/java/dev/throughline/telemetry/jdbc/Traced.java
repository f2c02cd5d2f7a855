// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.ResultSet;
import java.sql.Wrapper;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Handles the calls of a proxy that stands before an object of a driver's and has all of its
 * interfaces: so what a vendor adds, or a later JDK, passes by itself.
 */
abstract class Traced implements InvocationHandler {

  /** What {@code isWrapperFor} says yes to where there is a proxy of ours below a pool. */
  interface Mark {}

  /** By a driver's class, what makes objects that stand before its own. */
  private static final ClassValue<MethodHandle> MAKERS =
      new ClassValue<>() {
        @Override
        protected MethodHandle computeValue(Class<?> type) {
          try {
            return ProxyClass.maker(type, Traced::passes);
          } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
          }
        }
      };

  /** Methods that do not give what is wrapped, and are minded all the same. */
  private static final Pattern MINDED =
      Pattern.compile("^(execute|commit|rollback|isWrapperFor)|(Batch|Listener)$");

  final JdbcTelemetry telemetry;
  final Object bare;
  private @Nullable Object proxy;

  Traced(JdbcTelemetry telemetry, Object bare) {
    this.telemetry = telemetry;
    this.bare = bare;
  }

  /** Whether a call may go to the bare object at once, since no handler has a use for it. */
  private static boolean passes(Method method) {
    Class<?> owner = method.getDeclaringClass();
    if (owner == ResultSet.class) {
      return !method.getName().equals("getStatement");
    }
    Class<?> result = method.getReturnType();
    return owner != Object.class
        && result != Object.class
        && !result.isInterface()
        && !MINDED.matcher(method.getName()).find();
  }

  /** The handler of a proxy of ours; null for any other object. */
  static @Nullable Traced of(@Nullable Object object) {
    return object != null && ProxyClass.handlerOf(object) instanceof Traced traced ? traced : null;
  }

  /**
   * The proxy, which is made now.
   *
   * @return the bare object where none can be made
   */
  @SuppressWarnings("unchecked") // it has every interface of the bare object that callers see
  final <T> T proxy(T bare) {
    try {
      Object made = (Object) MAKERS.get(bare.getClass()).invokeExact((InvocationHandler) this);
      proxy = made;
      return (T) made;
    } catch (Throwable t) {
      telemetry.guard.caught("ProxyClass.maker", t);
      return bare;
    }
  }

  /** The proxy, or the bare object where none could be made. */
  final Object proxy() {
    return proxy == null ? bare : proxy;
  }

  @Override
  public final @Nullable Object invoke(
      Object self, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    Object argument = arguments != null && arguments.length == 1 ? arguments[0] : null;
    return switch (method.getName()) {
      case "equals" ->
          method.getDeclaringClass() == Object.class ? isEqual(argument) : call(method, arguments);
      case "isWrapperFor" -> argument == Mark.class || isTrue(call(method, arguments));
      case "unwrap" -> unwrapped(self, method, arguments, argument);
      default -> handle(method, arguments);
    };
  }

  private static boolean isTrue(@Nullable Object value) {
    return Boolean.TRUE.equals(value);
  }

  private boolean isEqual(@Nullable Object other) {
    Traced traced = of(other);
    return traced != null && (traced == this || traced.bare.equals(bare));
  }

  /** The driver's own object for the driver's own types, and this one for those of the JDK. */
  private @Nullable Object unwrapped(
      Object self, Method method, @Nullable Object @Nullable [] arguments, @Nullable Object type)
      throws Throwable {
    Object found = call(method, arguments);
    return found == bare
            && type instanceof Class<?> asked
            && asked.getName().startsWith("java")
            && asked.isInstance(self)
        ? self
        : found;
  }

  /** A call other than the above. */
  abstract @Nullable Object handle(Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable;

  /** Calls the bare object; what it throws is thrown on. */
  final @Nullable Object call(Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(bare, arguments);
    } catch (InvocationTargetException e) {
      throw e.getTargetException();
    }
  }

  /**
   * What a call gives: the wrapped object, unless the method promises what only the bare one is.
   */
  static Object fitting(Method method, Object wrapped, Object result) {
    return method.getReturnType().isInstance(wrapped) ? wrapped : result;
  }

  /** Calls the bare object within a span. */
  final @Nullable Object execute(
      Query query, Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
    InstrumentedRequest<Query, Throwable> request = telemetry.calls.start(Context.current(), query);
    if (request == null) {
      return call(method, arguments);
    }
    Scope scope = request.makeCurrent();
    Throwable thrown = null;
    try {
      return call(method, telemetry.comment.inStatement(request.context(), arguments));
    } catch (Throwable t) {
      thrown = t;
      throw t;
    } finally {
      scope.close();
      request.end(thrown, null);
    }
  }

  /** The time as spans have it. */
  static long epochNanosBefore(long nanos) {
    Instant then = Instant.now().minusNanos(nanos);
    return TimeUnit.SECONDS.toNanos(then.getEpochSecond()) + then.getNano();
  }

  /** Whether there is one of ours within an object already, below a pool perhaps. */
  final boolean isTraced(Wrapper wrapper) {
    if (of(wrapper) != null) {
      return true;
    }
    try {
      return wrapper.isWrapperFor(Mark.class);
    } catch (Throwable t) {
      telemetry.guard.caught("Wrapper.isWrapperFor", t);
      return false;
    }
  }
}
