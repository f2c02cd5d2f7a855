// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.CloseReason;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.OnClose;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.server.PathParam;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The methods of an annotated endpoint, by what their parameters take.
 *
 * @see <a href="https://jakarta.ee/specifications/websocket/2.2/">Jakarta WebSocket 2.2, chapter
 *     4</a>
 */
record AnnotatedMethods(
    @Nullable Bound onOpen,
    @Nullable Bound onClose,
    @Nullable Bound onError,
    List<Bound> onMessage) {

  private static final Set<Class<?>> IN_PARTS =
      Set.of(String.class, ByteBuffer.class, byte[].class);

  /** What goes into a parameter. */
  private enum Source {
    SESSION,
    CONFIG,
    PATH,
    REASON,
    THROWN,
    MESSAGE,
    LAST
  }

  /** What a method may be given, beside its session. */
  record Given(
      Session session,
      @Nullable EndpointConfig config,
      @Nullable CloseReason reason,
      @Nullable Throwable thrown,
      @Nullable Object message,
      boolean last) {}

  /**
   * The methods of a class.
   *
   * @throws IllegalArgumentException if one of them has a parameter that nothing goes into
   */
  static AnnotatedMethods of(Class<?> type) {
    Bound onOpen = null;
    Bound onClose = null;
    Bound onError = null;
    List<Bound> onMessage = new ArrayList<>();
    for (Method method : type.getMethods()) {
      if (method.isBridge() || Modifier.isStatic(method.getModifiers())) {
        continue;
      }
      if (method.isAnnotationPresent(OnOpen.class)) {
        onOpen = Bound.of(method, Source.CONFIG);
      }
      if (method.isAnnotationPresent(OnClose.class)) {
        onClose = Bound.of(method, Source.REASON);
      }
      if (method.isAnnotationPresent(OnError.class)) {
        onError = Bound.of(method, Source.THROWN);
      }
      if (method.isAnnotationPresent(OnMessage.class)) {
        onMessage.add(Bound.of(method, Source.MESSAGE));
      }
    }
    return new AnnotatedMethods(onOpen, onClose, onError, List.copyOf(onMessage));
  }

  /** An object of a class without parameters in its constructor. */
  static <T> T instance(Class<T> type) {
    try {
      return type.getDeclaredConstructor().newInstance();
    } catch (InvocationTargetException e) {
      throw sneaky(e.getCause() == null ? e : e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(type.getName() + " can't be made", e);
    }
  }

  /** Throws as it is what the application threw, which may declare anything. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  static <T extends Throwable> RuntimeException sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }

  /** A method, and what goes into its parameters. */
  static final class Bound {

    private final Method method;
    private final List<Source> sources;
    private final List<Class<?>> types;
    private final List<String> paths;
    private @Nullable Class<?> messageType;
    private boolean inParts;

    private Bound(Method method) {
      this.method = method;
      sources = new ArrayList<>();
      types = new ArrayList<>();
      paths = new ArrayList<>();
    }

    static Bound of(Method method, Source own) {
      Bound bound = new Bound(method);
      boolean parts =
          own == Source.MESSAGE
              && method.getParameterCount() > 1
              && List.of(method.getParameterTypes()).stream().anyMatch(IN_PARTS::contains);
      for (Parameter parameter : method.getParameters()) {
        bound.add(parameter, own, parts);
      }
      if (own == Source.MESSAGE && bound.messageType == null) {
        throw new IllegalArgumentException(method + " takes no message");
      }
      // A class need not be public for its methods to be called.
      method.setAccessible(true);
      return bound;
    }

    private void add(Parameter parameter, Source own, boolean parts) {
      Class<?> type = parameter.getType();
      PathParam path = parameter.getAnnotation(PathParam.class);
      Source source;
      if (path != null) {
        source = Source.PATH;
      } else if (type == Session.class) {
        source = Source.SESSION;
      } else if (own == Source.MESSAGE && parts && type == boolean.class) {
        source = Source.LAST;
        inParts = true;
      } else if (own == Source.MESSAGE
          ? messageType == null
          : type.isAssignableFrom(typeOf(own)) && type != Object.class) {
        source = own;
      } else {
        throw new IllegalArgumentException(
            "Nothing goes into the parameter " + parameter + " of " + method);
      }
      if (source == Source.MESSAGE) {
        messageType = type;
      }
      sources.add(source);
      types.add(type);
      paths.add(path == null ? "" : path.value());
    }

    private static Class<?> typeOf(Source source) {
      return switch (source) {
        case CONFIG -> EndpointConfig.class;
        case REASON -> CloseReason.class;
        case THROWN -> Throwable.class;
        default -> Object.class;
      };
    }

    Class<?> messageType() {
      return messageType == null ? void.class : messageType;
    }

    /** Whether the method takes messages in parts. */
    boolean inParts() {
      return inParts;
    }

    /** Whether the method's messages are text that it takes as a number or the like. */
    boolean takesValue() {
      return messageType().isPrimitive()
          || MethodType.methodType(messageType()).unwrap().returnType().isPrimitive();
    }

    long maxMessageSize() {
      return method.getAnnotation(OnMessage.class).maxMessageSize();
    }

    /**
     * Calls the method.
     *
     * @return what it returns; null where that is nothing
     */
    @Nullable Object call(Object endpoint, Given given) {
      Object[] arguments = new Object[sources.size()];
      for (int i = 0; i < arguments.length; i++) {
        Object argument = argument(i, given);
        if (argument != null) {
          arguments[i] = argument;
        }
      }
      try {
        return method.invoke(endpoint, arguments);
      } catch (InvocationTargetException e) {
        throw sneaky(e.getCause() == null ? e : e.getCause());
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
    }

    private @Nullable Object argument(int index, Given given) {
      return switch (sources.get(index)) {
        case SESSION -> given.session;
        case CONFIG -> given.config;
        case REASON -> given.reason;
        case THROWN -> given.thrown;
        case MESSAGE -> given.message;
        case LAST -> given.last;
        case PATH -> {
          String value = given.session.getPathParameters().get(paths.get(index));
          yield value == null ? null : value(value, types.get(index));
        }
      };
    }
  }

  /** A string as what a method takes: itself, or a number or the like. */
  static Object value(String value, Class<?> type) {
    Class<?> primitive = MethodType.methodType(type).unwrap().returnType();
    if (primitive == int.class) {
      return Integer.valueOf(value);
    } else if (primitive == long.class) {
      return Long.valueOf(value);
    } else if (primitive == boolean.class) {
      return Boolean.valueOf(value);
    } else if (primitive == double.class) {
      return Double.valueOf(value);
    } else if (primitive == float.class) {
      return Float.valueOf(value);
    } else if (primitive == short.class) {
      return Short.valueOf(value);
    } else if (primitive == byte.class) {
      return Byte.valueOf(value);
    } else if (primitive == char.class) {
      return value.charAt(0);
    }
    return value;
  }
}
