// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.lang.invoke.MethodType.methodType;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.lang.invoke.CallSite;
import java.lang.invoke.ConstantCallSite;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
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
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Writes a class that has the interfaces of another class, and hands each call to a handler, as
 * {@link Proxy} does. But what the handler throws arrives as it is: a {@code Proxy} wraps a checked
 * exception that no method declares, as code in Kotlin throws. The class stands beside the other
 * one, so it also has interfaces that are private to their package.
 *
 * <p>Each of its methods is one {@code invokedynamic}, which {@link #link} links to the handler.
 *
 * @see <a href="https://docs.oracle.com/javase/specs/jvms/se17/html/jvms-4.html">The class file
 *     format</a>
 */
final class ProxyClass {

  /** The end of its name, after that of the other class; there may be several of this class. */
  private static final String SUFFIX =
      "$$Traced" + Integer.toHexString(System.identityHashCode(ProxyClass.class));

  private static final String HANDLER = "handler";
  private static final String LINKER = "linker";
  private static final String BOOTSTRAP = "bootstrap";
  private static final String APPLY =
      methodType(Object.class, Object.class, Object.class).descriptorString();

  // Of the class file's constants.
  private static final int UTF8 = 1;
  private static final int CLASS = 7;
  private static final int FIELD = 9;
  private static final int METHOD = 10;
  private static final int INTERFACE_METHOD = 11;
  private static final int NAME_AND_TYPE = 12;
  private static final int METHOD_HANDLE = 15;
  private static final int INVOKE_DYNAMIC = 18;

  // Instructions; those for values have one for each kind from int on.
  private static final int ILOAD = 21;
  private static final int ALOAD_0 = 42;
  private static final int ALOAD_1 = 43;
  private static final int ALOAD_2 = 44;
  private static final int IRETURN = 172;
  private static final int ARETURN = 176;
  private static final int RETURN = 177;
  private static final int GETSTATIC = 178;
  private static final int GETFIELD = 180;
  private static final int PUTFIELD = 181;
  private static final int INVOKESPECIAL = 183;
  private static final int INVOKEINTERFACE = 185;
  private static final int INVOKEDYNAMIC = 186;
  private static final int CHECKCAST = 192;

  /** From when on interfaces have default methods; nothing newer is used. */
  private static final int JAVA_8 = 52;

  private static final int SUPER = 0x20;
  private static final int INVOKE_STATIC = 6;

  private final Map<String, Method> methods = new LinkedHashMap<>();
  private final Map<String, Integer> constants = new HashMap<>();
  private final Bytes pool = new Bytes();
  private final Bytes body = new Bytes();
  private final Predicate<Method> passes;
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

  /**
   * The constructor of a class that has the interfaces of another one.
   *
   * @param passes says of which methods the call goes to {@link Traced#bare} at once
   * @return takes an {@code InvocationHandler}, and gives an {@code Object}
   */
  static MethodHandle maker(Class<?> type, Predicate<Method> passes)
      throws ReflectiveOperationException {
    Set<Class<?>> interfaces = new LinkedHashSet<>();
    for (Class<?> t = type; t != null; t = t.getSuperclass()) {
      collect(t, type, interfaces);
    }
    MethodHandle maker;
    try {
      maker = write(type, interfaces, passes);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      // In a module that is not open, or a native image.
      interfaces.removeIf(each -> !Modifier.isPublic(each.getModifiers()));
      MethodType newProxyInstance =
          methodType(Object.class, ClassLoader.class, Class[].class, InvocationHandler.class);
      maker =
          MethodHandles.insertArguments(
              MethodHandles.lookup().findStatic(Proxy.class, "newProxyInstance", newProxyInstance),
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

  private static synchronized MethodHandle write(
      Class<?> type, Set<Class<?>> interfaces, Predicate<Method> passes)
      throws ReflectiveOperationException {
    Lookup beside = MethodHandles.privateLookupIn(type, MethodHandles.lookup());
    ProxyClass proxyClass = new ProxyClass(type, interfaces, passes);
    Class<?> made;
    try {
      made = beside.findClass(proxyClass.name.replace('/', '.'));
    } catch (ClassNotFoundException e) {
      made = beside.defineClass(proxyClass.toBytes());
      BiFunction<String, MethodType, CallSite> linker = proxyClass::link;
      beside.findStaticVarHandle(made, LINKER, BiFunction.class).set(linker);
    }
    return beside.findConstructor(made, methodType(void.class, InvocationHandler.class));
  }

  /**
   * Links a method, if nothing is to be done in it then to that of the object behind the handler:
   * what a row holds is not boxed on its way.
   *
   * @param type that of the method, before whose parameters stand the handler and the object
   */
  private CallSite link(String methodName, MethodType type) {
    MethodType own = type.dropParameterTypes(0, 2);
    Method method = requireNonNull(methods.get(methodName + own.descriptorString()));
    try {
      return new ConstantCallSite(
          passes.test(method) ? passing(method, own) : handling(method, own, type));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(methodName, e);
    }
  }

  private static MethodHandle passing(Method method, MethodType own)
      throws ReflectiveOperationException {
    MethodHandle bare =
        MethodHandles.lookup()
            .findGetter(Traced.class, "bare", Object.class)
            .asType(methodType(Object.class, InvocationHandler.class));
    MethodHandle passing =
        MethodHandles.lookup().unreflect(method).asType(own.insertParameterTypes(0, Object.class));
    return MethodHandles.dropArguments(
        MethodHandles.filterArguments(passing, 0, bare), 1, Object.class);
  }

  private static MethodHandle handling(Method method, MethodType own, MethodType type)
      throws ReflectiveOperationException {
    MethodHandle invoke =
        MethodHandles.lookup()
            .findVirtual(
                InvocationHandler.class,
                "invoke",
                methodType(Object.class, Object.class, Method.class, Object[].class));
    MethodHandle handling = MethodHandles.insertArguments(invoke, 2, method);
    return (own.parameterCount() == 0
            ? MethodHandles.insertArguments(handling, 2, (Object) null)
            : handling.asCollector(Object[].class, own.parameterCount()))
        .asType(type);
  }

  private ProxyClass(Class<?> type, Set<Class<?>> interfaces, Predicate<Method> passes)
      throws NoSuchMethodException {
    this.passes = passes;
    // The name of a hidden class has a slash, too.
    name = internal(type).replaceFirst("/(?=0x)", "_") + SUFFIX;
    handler = member(FIELD, name, HANDLER, InvocationHandler.class.descriptorString());
    add(Object.class.getMethod("equals", Object.class));
    add(Object.class.getMethod("hashCode"));
    add(Object.class.getMethod("toString"));
    for (Class<?> each : interfaces) {
      for (Method method : each.getMethods()) {
        add(method);
      }
    }
    int flags = Modifier.PUBLIC | Modifier.FINAL;
    body.u2(flags | SUPER, type(name), type("java/lang/Object"), interfaces.size());
    interfaces.forEach(each -> body.u2(type(internal(each))));
    body.u2(2);
    body.u2(flags, utf8(HANDLER), utf8(InvocationHandler.class.descriptorString()), 0);
    int shared = Modifier.PUBLIC | Modifier.STATIC;
    body.u2(shared, utf8(LINKER), utf8(BiFunction.class.descriptorString()), 0);
    body.u2(2 + methods.size());
    Bytes constructor = new Bytes().u1(ALOAD_0, INVOKESPECIAL);
    constructor.u2(member(METHOD, "java/lang/Object", "<init>", "()V"));
    constructor.u1(ALOAD_0, ALOAD_1, PUTFIELD).u2(handler).u1(RETURN);
    MethodType takesHandler = methodType(void.class, InvocationHandler.class);
    method(Modifier.PUBLIC, "<init>", takesHandler, 2, constructor);
    // return (CallSite) linker.apply(name, type)
    MethodType bootstrap = methodType(CallSite.class, Lookup.class, String.class, MethodType.class);
    Bytes link = new Bytes().u1(GETSTATIC);
    link.u2(member(FIELD, name, LINKER, BiFunction.class.descriptorString()));
    link.u1(ALOAD_1, ALOAD_2, INVOKEINTERFACE);
    link.u2(member(INTERFACE_METHOD, internal(BiFunction.class), "apply", APPLY)).u1(3, 0);
    link.u1(CHECKCAST).u2(type(internal(CallSite.class))).u1(ARETURN);
    method(shared, BOOTSTRAP, bootstrap, 3, link);
    methods.values().forEach(this::method);
    int itself = member(METHOD, name, BOOTSTRAP, bootstrap.descriptorString());
    int handle = constant(new Bytes().u1(METHOD_HANDLE, INVOKE_STATIC).u2(itself));
    body.u2(1, utf8("BootstrapMethods"), 0, 6, 1, handle, 0);
  }

  private void add(Method method) {
    if (!Modifier.isStatic(method.getModifiers())
        && methods.putIfAbsent(method.getName() + type(method).descriptorString(), method)
            == null) {
      method.trySetAccessible();
    }
  }

  private static MethodType type(Method method) {
    return methodType(method.getReturnType(), method.getParameterTypes());
  }

  private void method(Method method) {
    MethodType type = type(method);
    Bytes code = new Bytes().u1(ALOAD_0, GETFIELD).u2(handler).u1(ALOAD_0);
    int local = 1;
    for (Class<?> parameter : type.parameterArray()) {
      code.u1(ILOAD + kind(parameter), local);
      local += parameter == long.class || parameter == double.class ? 2 : 1;
    }
    MethodType site = type.insertParameterTypes(0, InvocationHandler.class, Object.class);
    Bytes dynamic = new Bytes().u1(INVOKE_DYNAMIC);
    dynamic.u2(0, nameAndType(method.getName(), site.descriptorString()));
    code.u1(INVOKEDYNAMIC).u2(constant(dynamic), 0);
    Class<?> result = type.returnType();
    code.u1(result == void.class ? RETURN : IRETURN + kind(result));
    method(Modifier.PUBLIC, method.getName(), type, local, code);
  }

  private void method(int flags, String methodName, MethodType type, int locals, Bytes code) {
    Bytes attribute = new Bytes().u2(locals + 2, locals, 0, code.size());
    attribute.all(code.toByteArray()).u2(0, 0);
    body.u2(flags, utf8(methodName), utf8(type.descriptorString()), 1);
    body.u2(utf8("Code"), 0, attribute.size()).all(attribute.toByteArray());
  }

  private byte[] toBytes() {
    return new Bytes()
        .u2(0xCAFE, 0xBABE, 0, JAVA_8, constants.size() + 1)
        .all(pool.toByteArray())
        .all(body.toByteArray())
        .toByteArray();
  }

  private static String internal(Class<?> type) {
    return type.getName().replace('.', '/');
  }

  /** Int, long, float, double or reference: the order in which instructions are numbered. */
  private static int kind(Class<?> type) {
    return !type.isPrimitive() ? 4 : "JFD".indexOf(type.descriptorString()) + 1;
  }

  private int utf8(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    return constant(new Bytes().u1(UTF8).u2(bytes.length).all(bytes));
  }

  private int type(String internal) {
    return constant(new Bytes().u1(CLASS).u2(utf8(internal)));
  }

  private int nameAndType(String member, String descriptor) {
    return constant(new Bytes().u1(NAME_AND_TYPE).u2(utf8(member), utf8(descriptor)));
  }

  private int member(int tag, String owner, String member, String descriptor) {
    return constant(new Bytes().u1(tag).u2(type(owner), nameAndType(member, descriptor)));
  }

  /** The number of a constant, which is added unless it is there. */
  private int constant(Bytes bytes) {
    Integer known = constants.putIfAbsent(bytes.toString(ISO_8859_1), constants.size() + 1);
    if (known == null) {
      pool.all(bytes.toByteArray());
      return constants.size();
    }
    return known;
  }
}
