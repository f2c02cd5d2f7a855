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
import java.lang.annotation.Annotation;
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

  /**
   * A value that goes into a parameter of a method.
   *
   * @see Bound#call
   */
  private interface Argument {
    @Nullable Object of(AnnotatedEndpoint endpoint, Session session, Object own, boolean last);
  }

  /**
   * The methods of a class.
   *
   * @throws IllegalArgumentException if one of them has a parameter that nothing goes into, or two
   *     are for the same
   */
  static AnnotatedMethods of(Class<?> type) {
    List<Bound> onMessage = new ArrayList<>();
    for (Method method : annotated(type, OnMessage.class)) {
      onMessage.add(Bound.of(method, Object.class));
    }
    return new AnnotatedMethods(
        only(type, OnOpen.class, EndpointConfig.class),
        only(type, OnClose.class, CloseReason.class),
        only(type, OnError.class, Throwable.class),
        List.copyOf(onMessage));
  }

  private static List<Method> annotated(Class<?> type, Class<? extends Annotation> annotation) {
    List<Method> methods = new ArrayList<>();
    for (Method method : type.getMethods()) {
      if (method.isAnnotationPresent(annotation)
          && !method.isBridge()
          && !Modifier.isStatic(method.getModifiers())) {
        methods.add(method);
      }
    }
    return methods;
  }

  private static @Nullable Bound only(
      Class<?> type, Class<? extends Annotation> annotation, Class<?> own) {
    List<Method> methods = annotated(type, annotation);
    if (methods.size() > 1) {
      throw new IllegalArgumentException("Two methods of the same annotation: " + methods);
    }
    return methods.isEmpty() ? null : Bound.of(methods.get(0), own);
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

  /**
   * A method, and what goes into its parameters.
   *
   * @param messageType what it takes as a message; {@code void} unless it is for messages
   * @param inParts whether it takes messages in parts
   * @param maxMessageSize in bytes, as its annotation has it; negative for no limit
   */
  record Bound(
      Method method,
      List<Argument> arguments,
      Class<?> messageType,
      boolean inParts,
      long maxMessageSize) {

    static Bound of(Method method, Class<?> ownType) {
      boolean takesMessages = ownType == Object.class;
      Class<?> messageType = void.class;
      boolean inParts = false;
      List<Argument> arguments = new ArrayList<>();
      for (Parameter parameter : method.getParameters()) {
        Class<?> type = parameter.getType();
        String path = pathParam(parameter);
        if (path != null) {
          arguments.add((endpoint, session, own, last) -> endpoint.path(session, path, type));
        } else if (type == Session.class) {
          arguments.add((endpoint, session, own, last) -> session);
        } else if (takesMessages && type == boolean.class && takesParts(method)) {
          arguments.add((endpoint, session, own, last) -> last);
          inParts = true;
        } else if (takesMessages
            ? messageType == void.class
            : type.isAssignableFrom(ownType) && type != Object.class) {
          arguments.add((endpoint, session, own, last) -> own);
          messageType = takesMessages ? type : void.class;
        } else {
          throw new IllegalArgumentException(
              "Nothing goes into the parameter " + parameter + " of " + method);
        }
      }
      if (takesMessages && messageType == void.class) {
        throw new IllegalArgumentException(method + " takes no message");
      }
      // A class need not be public for its methods to be called.
      method.setAccessible(true);
      OnMessage message = method.getAnnotation(OnMessage.class);
      return new Bound(
          method,
          List.copyOf(arguments),
          messageType,
          inParts,
          message == null ? -1 : message.maxMessageSize());
    }

    /** The path parameter that goes in; by name, since a client may be alone on its class path. */
    private static @Nullable String pathParam(Parameter parameter) {
      for (Annotation annotation : parameter.getAnnotations()) {
        if (annotation.annotationType().getName().equals("jakarta.websocket.server.PathParam")) {
          return ((PathParam) annotation).value();
        }
      }
      return null;
    }

    /** Whether a boolean beside the message says that a part is the last. */
    private static boolean takesParts(Method method) {
      for (Parameter parameter : method.getParameters()) {
        if (IN_PARTS.contains(parameter.getType()) && pathParam(parameter) == null) {
          return true;
        }
      }
      return false;
    }

    /** Whether a message is of the type that the method takes. */
    boolean takes(Object message) {
      return MethodType.methodType(messageType).wrap().returnType().isInstance(message);
    }

    /**
     * Calls the method.
     *
     * @param own the message or the part of one, the configuration, the reason, or the exception
     * @param last whether nothing follows a part
     * @return null if it returns nothing
     */
    @Nullable Object call(AnnotatedEndpoint endpoint, Session session, Object own, boolean last) {
      try {
        @Nullable Object[] values = new @Nullable Object[arguments.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = arguments.get(i).of(endpoint, session, own, last);
        }
        return method.invoke(endpoint.instance, values);
      } catch (InvocationTargetException e) {
        throw sneaky(e.getCause() == null ? e : e.getCause());
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Whether a type is that of a number or the like, boxed or not. */
  static boolean isValue(Class<?> type) {
    return MethodType.methodType(type).unwrap().returnType().isPrimitive();
  }

  /** A string as a method takes it: itself, or a number or the like; null is none of these. */
  static Object value(@Nullable String value, Class<?> type) {
    Class<?> wrapper = MethodType.methodType(type).wrap().returnType();
    if (value != null && wrapper == String.class) {
      return value;
    }
    if (value != null && wrapper == Character.class) {
      return value.charAt(0);
    }
    try {
      return wrapper.getMethod("valueOf", String.class).invoke(null, value);
    } catch (InvocationTargetException e) {
      throw sneaky(e.getCause() == null ? e : e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(type + " is not made of text", e);
    }
  }
}
