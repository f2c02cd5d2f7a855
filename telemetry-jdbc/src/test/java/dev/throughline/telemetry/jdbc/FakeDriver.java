// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A driver that notes what it is asked, answers with objects of its own, and throws where it is
 * told to.
 */
final class FakeDriver {

  static final String URL = "jdbc:postgresql://db/fake";

  /** Calls, as {@code type.method(arguments)}; those of look-ups too. */
  final List<String> calls = new ArrayList<>();

  private final Map<String, Throwable> throwing = new HashMap<>();
  private final Map<String, Object> answers = new HashMap<>();
  private final Map<String, Consumer<Object[]>> actions = new HashMap<>();

  /** Has every call of a method throw, by its name. */
  FakeDriver failing(String method, Throwable thrown) {
    throwing.put(method, thrown);
    return this;
  }

  /** Has a method answer, by its name. */
  FakeDriver answering(String method, Object answer) {
    answers.put(method, answer);
    return this;
  }

  /** Has something done when a method is called, by its name. */
  FakeDriver doing(String method, Runnable action) {
    actions.put(method, arguments -> action.run());
    return this;
  }

  /** The first arguments that these methods are called with from now on, in order. */
  List<String> noted(String... methods) {
    List<String> noted = new ArrayList<>();
    for (String method : methods) {
      actions.put(
          method,
          arguments -> {
            if (arguments != null) {
              noted.add(String.valueOf(arguments[0]));
            }
          });
    }
    return noted;
  }

  <T> T make(Class<T> type) {
    return type.cast(
        Proxy.newProxyInstance(
            FakeDriver.class.getClassLoader(), new Class<?>[] {type}, new Answers(type)));
  }

  private final class Answers implements InvocationHandler {

    private final Class<?> type;
    private final Map<Method, Object> given = new HashMap<>();

    Answers(Class<?> type) {
      this.type = type;
    }

    @Override
    public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
      String name = method.getName();
      if (method.getDeclaringClass() == Object.class) {
        return switch (name) {
          case "equals" -> self == arguments[0];
          case "hashCode" -> System.identityHashCode(self);
          default -> "fake " + type.getSimpleName();
        };
      }
      calls.add(
          type.getSimpleName()
              + "."
              + name
              + (arguments == null ? "()" : List.of(describe(arguments))));
      actions.getOrDefault(name, ignored -> {}).accept(arguments);
      Throwable thrown = throwing.get(name);
      if (thrown != null) {
        throw thrown;
      }
      if (answers.containsKey(name)) {
        return answers.get(name);
      }
      return given.computeIfAbsent(method, FakeDriver.this::answer);
    }
  }

  private static Object[] describe(Object[] arguments) {
    Object[] described = new Object[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      described[i] =
          arguments[i] == null || arguments[i] instanceof Number
              ? String.valueOf(arguments[i])
              : arguments[i].getClass() + "@" + System.identityHashCode(arguments[i]);
    }
    return described;
  }

  private Object answer(Method method) {
    Class<?> type = method.getReturnType();
    if (method.getName().equals("getURL") && type == String.class) {
      return URL;
    }
    if (method.getName().equals("isWrapperFor")) {
      return false;
    }
    return sample(type, this);
  }

  /** Some value of a type, the same for each fake that is asked once. */
  static Object sample(Class<?> type, FakeDriver driver) {
    if (type == void.class) {
      return null;
    }
    if (type == boolean.class) {
      return true;
    }
    if (type == byte.class) {
      return (byte) 7;
    }
    if (type == short.class) {
      return (short) 7;
    }
    if (type == int.class) {
      return 7;
    }
    if (type == long.class) {
      return 7L;
    }
    if (type == float.class) {
      return 7f;
    }
    if (type == double.class) {
      return 7d;
    }
    if (type == String.class) {
      return new String("text");
    }
    if (type == Class.class) {
      return FakeDriver.class;
    }
    if (type == Object.class) {
      return new Object();
    }
    if (type.isArray()) {
      return java.lang.reflect.Array.newInstance(type.getComponentType(), 0);
    }
    if (type.isInterface()) {
      return driver.make(type);
    }
    if (type.isEnum()) {
      return type.getEnumConstants()[0];
    }
    return made(type);
  }

  private static Object made(Class<?> type) {
    if (java.util.Date.class.isAssignableFrom(type)) {
      try {
        return type.getConstructor(long.class).newInstance(7L);
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    }
    return switch (type.getName()) {
      case "java.math.BigDecimal" -> java.math.BigDecimal.TEN;
      case "java.util.Calendar" -> java.util.Calendar.getInstance();
      case "java.util.Properties" -> new java.util.Properties();
      case "java.util.logging.Logger" -> java.util.logging.Logger.getAnonymousLogger();
      case "java.io.InputStream" -> java.io.InputStream.nullInputStream();
      case "java.io.Reader" -> java.io.Reader.nullReader();
      case "java.io.PrintWriter" -> new java.io.PrintWriter(java.io.Writer.nullWriter());
      case "java.sql.SQLWarning" -> new java.sql.SQLWarning("warning");
      case "java.net.URL" -> url();
      default -> throw new AssertionError("no sample of " + type);
    };
  }

  private static java.net.URL url() {
    try {
      return java.net.URI.create("http://localhost/").toURL();
    } catch (java.net.MalformedURLException e) {
      throw new AssertionError(e);
    }
  }

  /** What a wrapped object stands for; the object itself where it is none. */
  static Object bare(Object object) {
    Traced traced = Traced.of(object);
    return traced == null ? object : traced.bare;
  }

  /** Whether objects of this type are to be wrapped wherever they come from. */
  static boolean isWrapped(Object object) {
    return object instanceof Connection
        || object instanceof Statement
        || object instanceof DatabaseMetaData
        || object instanceof ResultSet;
  }

  /** Calls a method as an application does. */
  static Object call(Object target, Method method, Object... arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getTargetException();
    }
  }
}
