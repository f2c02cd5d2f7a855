// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.lang.invoke.MethodType.methodType;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes a class that has the interfaces of another class, and hands each call to a handler, as
 * {@link Proxy} does. But what the handler throws arrives as it is: a {@code Proxy} wraps a checked
 * exception that no method declares, as code in Kotlin throws. The class stands beside the other
 * one, so it also has interfaces that are private to their package.
 *
 * @see <a href="https://docs.oracle.com/javase/specs/jvms/se17/html/jvms-4.html">The class file
 *     format</a>
 */
final class ProxyClass {

  /** What its name ends with, after that of the other class; there may be several of this class. */
  private static final String SUFFIX =
      "$$Traced" + Integer.toHexString(System.identityHashCode(ProxyClass.class));

  private static final String HANDLER = "handler";
  private static final String METHODS = "methods";
  private static final String HANDLER_TYPE = InvocationHandler.class.descriptorString();
  private static final String METHODS_TYPE = Method[].class.descriptorString();

  // Of the class file's constants.
  private static final int UTF8 = 1;
  private static final int CLASS = 7;
  private static final int FIELD = 9;
  private static final int METHOD = 10;
  private static final int INTERFACE_METHOD = 11;
  private static final int NAME_AND_TYPE = 12;

  // Instructions; those for values have one for each kind from int on.
  private static final int ACONST_NULL = 1;
  private static final int SIPUSH = 17;
  private static final int ILOAD = 21;
  private static final int ALOAD_0 = 42;
  private static final int ALOAD_1 = 43;
  private static final int AALOAD = 50;
  private static final int AASTORE = 83;
  private static final int POP = 87;
  private static final int DUP = 89;
  private static final int IRETURN = 172;
  private static final int RETURN = 177;
  private static final int GETSTATIC = 178;
  private static final int GETFIELD = 180;
  private static final int PUTFIELD = 181;
  private static final int INVOKEVIRTUAL = 182;
  private static final int INVOKESPECIAL = 183;
  private static final int INVOKESTATIC = 184;
  private static final int INVOKEINTERFACE = 185;
  private static final int ANEWARRAY = 189;
  private static final int CHECKCAST = 192;

  /** The flag that each class has today. */
  private static final int SUPER = 0x20;

  /** The handler, this, the method, the array, the array again, an index, and a long. */
  private static final int DEEPEST_STACK = 8;

  private final Map<String, Method> methods = new LinkedHashMap<>();
  private final Map<String, Integer> constants = new HashMap<>();
  private final Bytes pool = new Bytes();
  private final Bytes body = new Bytes();
  private final String name;
  private final int handler;

  /** Parts of a class file. */
  private static final class Bytes extends ByteArrayOutputStream {

    Bytes u1(int... values) {
      for (int value : values) {
        write(value);
      }
      return this;
    }

    Bytes u2(int... values) {
      for (int value : values) {
        u1(value >> 8, value);
      }
      return this;
    }

    Bytes all(byte[] bytes) {
      writeBytes(bytes);
      return this;
    }
  }

  private ProxyClass(Class<?> type, Set<Class<?>> interfaces) throws NoSuchMethodException {
    // The name of a hidden class has a slash, too.
    name = internal(type).replaceFirst("/(?=0x)", "_") + SUFFIX;
    handler = member(FIELD, name, HANDLER, HANDLER_TYPE);
    add(Object.class.getMethod("equals", Object.class));
    add(Object.class.getMethod("hashCode"));
    add(Object.class.getMethod("toString"));
    for (Class<?> each : interfaces) {
      for (Method method : each.getMethods()) {
        if (!Modifier.isStatic(method.getModifiers())) {
          add(method);
        }
      }
    }
    int flags = Modifier.PUBLIC | Modifier.FINAL;
    body.u2(flags | SUPER, type(name), type(internal(Object.class)), interfaces.size());
    interfaces.forEach(each -> body.u2(type(internal(each))));
    body.u2(2, flags, utf8(HANDLER), utf8(HANDLER_TYPE), 0);
    body.u2(Modifier.PUBLIC | Modifier.STATIC, utf8(METHODS), utf8(METHODS_TYPE), 0);
    body.u2(1 + methods.size());
    Bytes constructor = new Bytes().u1(ALOAD_0, INVOKESPECIAL);
    constructor.u2(member(METHOD, internal(Object.class), "<init>", "()V"));
    constructor.u1(ALOAD_0, ALOAD_1, PUTFIELD).u2(handler).u1(RETURN);
    method("<init>", "(" + HANDLER_TYPE + ")V", 2, constructor);
    int index = 0;
    for (Method method : methods.values()) {
      method(method, index++);
    }
    body.u2(0);
  }

  private void add(Method method) {
    if (methods.putIfAbsent(method.getName() + descriptor(method), method) == null) {
      method.trySetAccessible();
    }
  }

  /**
   * What makes objects of a class that has the interfaces of another one.
   *
   * @return takes an {@code InvocationHandler}, and gives an {@code Object}
   */
  static MethodHandle maker(Class<?> type) throws ReflectiveOperationException {
    Set<Class<?>> interfaces = new LinkedHashSet<>();
    for (Class<?> t = type; t != null; t = t.getSuperclass()) {
      collect(t, type, interfaces);
    }
    MethodHandle maker;
    try {
      maker = write(type, interfaces);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      // In a module that is not open, or a native image.
      interfaces.removeIf(each -> !Modifier.isPublic(each.getModifiers()));
      maker =
          MethodHandles.insertArguments(
              MethodHandles.lookup()
                  .findStatic(
                      Proxy.class,
                      "newProxyInstance",
                      methodType(
                          Object.class, ClassLoader.class, Class[].class, InvocationHandler.class)),
              0,
              type.getClassLoader(),
              interfaces.toArray(new Class<?>[0]));
    }
    return maker.asType(methodType(Object.class, InvocationHandler.class));
  }

  /** The handler of an object that was made here; null for any other object. */
  static @Nullable Object handlerOf(Object object) {
    Class<?> type = object.getClass();
    if (Proxy.isProxyClass(type)) {
      return Proxy.getInvocationHandler(object);
    }
    if (!type.getName().endsWith(SUFFIX)) {
      return null;
    }
    try {
      Field field = type.getField(HANDLER);
      field.setAccessible(true);
      return field.get(object);
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }

  private static void collect(Class<?> type, Class<?> of, Set<Class<?>> found) {
    for (Class<?> each : type.getInterfaces()) {
      if (isVisible(each, of)) {
        found.add(each);
      }
      collect(each, of, found);
    }
  }

  /** Whether a class beside another one may have the interface, and we may call it. */
  private static boolean isVisible(Class<?> each, Class<?> beside) {
    Module ours = ProxyClass.class.getModule();
    String packageName = each.getPackageName();
    boolean isAccessible =
        Modifier.isPublic(each.getModifiers())
            ? each.getModule().isExported(packageName, ours)
            : packageName.equals(beside.getPackageName())
                && each.getModule().isOpen(packageName, ours);
    try {
      return isAccessible
          && !each.isSealed()
          && Class.forName(each.getName(), false, beside.getClassLoader()) == each;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  private static synchronized MethodHandle write(Class<?> type, Set<Class<?>> interfaces)
      throws ReflectiveOperationException {
    Lookup beside = MethodHandles.privateLookupIn(type, MethodHandles.lookup());
    ProxyClass proxyClass = new ProxyClass(type, interfaces);
    Class<?> made;
    try {
      made = beside.findClass(proxyClass.name.replace('/', '.'));
    } catch (ClassNotFoundException e) {
      made = beside.defineClass(proxyClass.toBytes());
      beside
          .findStaticVarHandle(made, METHODS, Method[].class)
          .set(proxyClass.methods.values().toArray(new Method[0]));
    }
    return beside.findConstructor(made, methodType(void.class, InvocationHandler.class));
  }

  private byte[] toBytes() {
    int java8 = 52; // from when on interfaces have default methods; nothing newer is used
    return new Bytes()
        .u2(0xCAFE, 0xBABE, 0, java8, constants.size() + 1)
        .all(pool.toByteArray())
        .all(body.toByteArray())
        .toByteArray();
  }

  /** {@code return (T) handler.invoke(this, methods[index], new Object[] {…})}. */
  private void method(Method method, int index) {
    Class<?>[] parameters = method.getParameterTypes();
    Bytes code = new Bytes().u1(ALOAD_0, GETFIELD).u2(handler).u1(ALOAD_0, GETSTATIC);
    code.u2(member(FIELD, name, METHODS, METHODS_TYPE)).u1(SIPUSH).u2(index).u1(AALOAD);
    if (parameters.length == 0) {
      code.u1(ACONST_NULL);
    } else {
      code.u1(SIPUSH).u2(parameters.length).u1(ANEWARRAY).u2(type(internal(Object.class)));
    }
    int local = 1;
    for (int i = 0; i < parameters.length; i++) {
      Class<?> parameter = parameters[i];
      code.u1(DUP, SIPUSH).u2(i).u1(ILOAD + kind(parameter), local);
      if (parameter.isPrimitive()) {
        Class<?> boxed = boxed(parameter);
        String valueOf = methodType(boxed, parameter).descriptorString();
        code.u1(INVOKESTATIC).u2(member(METHOD, internal(boxed), "valueOf", valueOf));
      }
      code.u1(AASTORE);
      local += parameter == long.class || parameter == double.class ? 2 : 1;
    }
    String invoke =
        methodType(Object.class, Object.class, Method.class, Object[].class).descriptorString();
    code.u1(INVOKEINTERFACE)
        .u2(member(INTERFACE_METHOD, internal(InvocationHandler.class), "invoke", invoke))
        .u1(4, 0);
    Class<?> result = method.getReturnType();
    if (result == void.class) {
      code.u1(POP, RETURN);
    } else {
      String boxed = internal(boxed(result));
      code.u1(CHECKCAST).u2(type(boxed));
      if (result.isPrimitive()) {
        String value = methodType(result).descriptorString();
        code.u1(INVOKEVIRTUAL).u2(member(METHOD, boxed, result.getName() + "Value", value));
      }
      code.u1(IRETURN + kind(result));
    }
    method(method.getName(), descriptor(method), local, code);
  }

  private void method(String methodName, String descriptor, int locals, Bytes code) {
    Bytes attribute =
        new Bytes().u2(DEEPEST_STACK, locals, 0, code.size()).all(code.toByteArray()).u2(0, 0);
    body.u2(Modifier.PUBLIC, utf8(methodName), utf8(descriptor), 1, utf8("Code"));
    body.u2(0, attribute.size()).all(attribute.toByteArray());
  }

  private static String descriptor(Method method) {
    return methodType(method.getReturnType(), method.getParameterTypes()).descriptorString();
  }

  private static String internal(Class<?> type) {
    return type.isArray() ? type.descriptorString() : type.getName().replace('.', '/');
  }

  private static Class<?> boxed(Class<?> type) {
    return methodType(type).wrap().returnType();
  }

  /** Int, long, float, double or reference: the order in which instructions are numbered. */
  private static int kind(Class<?> type) {
    return !type.isPrimitive() ? 4 : "JFD".indexOf(type.descriptorString()) + 1;
  }

  private int utf8(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    return constant("text " + text, new Bytes().u1(UTF8).u2(bytes.length).all(bytes));
  }

  private int type(String internal) {
    return constant("type " + internal, new Bytes().u1(CLASS).u2(utf8(internal)));
  }

  private int member(int tag, String owner, String member, String descriptor) {
    int type = type(owner);
    int nameAndType =
        constant(
            member + " " + descriptor,
            new Bytes().u1(NAME_AND_TYPE).u2(utf8(member), utf8(descriptor)));
    return constant(owner + "." + member + descriptor, new Bytes().u1(tag).u2(type, nameAndType));
  }

  /** The number of a constant, which is added unless it is there. */
  private int constant(String key, Bytes bytes) {
    Integer known = constants.putIfAbsent(key, constants.size() + 1);
    if (known == null) {
      pool.all(bytes.toByteArray());
      return constants.size();
    }
    return known;
  }
}
