// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.throughline.telemetry.testing.TelemetryExtension;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.ConnectionPoolDataSource;
import javax.sql.DataSource;
import javax.sql.PooledConnection;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Wrapped objects are the bare ones in all that callers see, whatever these throw and implement.
 */
class ProxyClassTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  @AfterEach
  void takeSpans() {
    recorded.takeSpans(spans -> true);
  }

  private JdbcTelemetry jdbc() {
    return JdbcTelemetry.builder(recorded.telemetry()).setWaitThreshold(Duration.ofDays(1)).build();
  }

  @SuppressWarnings("unchecked")
  private <T> T traced(T bare) {
    Traced handler =
        new Traced(jdbc(), bare) {
          @Override
          Object handle(Method method, Object[] arguments) throws Throwable {
            return call(method, arguments);
          }
        };
    T made = handler.proxy(bare);
    assertThat(made).isNotSameAs(bare);
    assertThat(Traced.of(made)).isSameAs(handler);
    return made;
  }

  // Classes with a driver's interfaces, whose methods are written by what is tested here.

  private abstract static class Source
      implements DataSource, XADataSource, ConnectionPoolDataSource, Closeable, Routing {}

  private abstract static class Link implements Connection, AutoCloseable {}

  private abstract static class Call implements CallableStatement {}

  private abstract static class Meta implements DatabaseMetaData {}

  private abstract static class PoolLink implements XAConnection, PooledConnection {}

  /** Private to its package, as an application's own interfaces are. */
  interface Routing {
    String route(String tenant) throws IOException;

    default String home() {
      return "home of " + route();
    }

    String route();
  }

  /** An object of a driver whose methods throw as they are told. */
  private static final class Thrower implements InvocationHandler {

    private final IOException thrown = new IOException("the vault is sealed");
    private String method = "";

    @Override
    public Object invoke(Object self, Method called, Object[] arguments) throws Throwable {
      if (called.getName().equals(method)) {
        throw thrown;
      }
      Class<?> type = called.getReturnType();
      if (called.getDeclaringClass() == Object.class) {
        return type == int.class ? 7 : type == boolean.class ? self == arguments[0] : "thrower";
      }
      if (Connection.class.isAssignableFrom(type)) {
        return of(Link.class);
      }
      if (Statement.class.isAssignableFrom(type)) {
        return of(Call.class);
      }
      if (type == DatabaseMetaData.class) {
        return of(Meta.class);
      }
      if (type == XAConnection.class || type == PooledConnection.class) {
        return of(PoolLink.class);
      }
      return type == boolean.class ? (Object) false : FakeDriver.sample(type, new FakeDriver());
    }

    Object of(Class<?> type) throws Throwable {
      return ProxyClass.maker(type, method -> false).invoke((InvocationHandler) this);
    }
  }

  static Stream<Class<?>> types() {
    return Stream.of(
        DataSource.class,
        XADataSource.class,
        XAConnection.class,
        PooledConnection.class,
        Connection.class,
        Statement.class,
        PreparedStatement.class,
        CallableStatement.class,
        DatabaseMetaData.class);
  }

  private static Object get(Object source, Class<?> type) throws SQLException {
    return switch (type.getSimpleName()) {
      case "DataSource", "XADataSource" -> source;
      case "XAConnection" -> ((XADataSource) source).getXAConnection();
      case "PooledConnection" -> ((ConnectionPoolDataSource) source).getPooledConnection();
      case "Connection" -> ((DataSource) source).getConnection();
      case "Statement" -> ((DataSource) source).getConnection().createStatement();
      case "PreparedStatement" ->
          ((DataSource) source).getConnection().prepareStatement("SELECT 1");
      case "CallableStatement" -> ((DataSource) source).getConnection().prepareCall("SELECT 1");
      default -> ((DataSource) source).getConnection().getMetaData();
    };
  }

  @ParameterizedTest
  @MethodSource("types")
  void aCheckedExceptionThatNobodyDeclaresArrivesAsItIs(Class<?> type) throws Throwable {
    Thrower thrower = new Thrower();
    DataSource source = jdbc().wrap((DataSource) thrower.of(Source.class));
    for (Method method : type.getMethods()) {
      if (Modifier.isStatic(method.getModifiers())) {
        continue;
      }
      thrower.method = "";
      Object wrapped = get(source, type);
      assertThat(Traced.of(wrapped)).isNotNull();
      thrower.method = method.getName();
      Object[] arguments =
          Arrays.stream(method.getParameterTypes())
              .map(parameter -> FakeDriver.sample(parameter, new FakeDriver()))
              .toArray();
      Throwable seen = catchThrowable(() -> FakeDriver.call(wrapped, method, arguments));
      assertThat(seen).as("%s", method).isSameAs(thrower.thrown);
    }
    thrower.method = "";
  }

  private static final class Tenants implements Cloneable, Routing, Closeable, Comparable<String> {

    private final List<String> calls = new ArrayList<>();

    @Override
    public String route(String tenant) throws IOException {
      throw new IOException(tenant);
    }

    @Override
    public String route() {
      return "here";
    }

    @Override
    public void close() {
      calls.add("close");
    }

    @Override
    public int compareTo(String other) {
      return 42;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Tenants;
    }

    @Override
    public int hashCode() {
      return 17;
    }

    @Override
    public String toString() {
      return "tenants";
    }
  }

  @Test
  @SuppressWarnings("unchecked")
  void itHasTheInterfacesOfItsPackageAndTheDefaultMethods() throws Exception {
    Tenants bare = new Tenants();
    Routing wrapped = this.<Routing>traced(bare);
    assertThat(wrapped.home()).isEqualTo("home of here");
    assertThat(catchThrowable(() -> wrapped.route("acme")))
        .isInstanceOf(IOException.class)
        .hasMessage("acme");
    assertThat(wrapped).isInstanceOf(Cloneable.class);
    assertThat(((Comparable<String>) wrapped).compareTo("x")).isEqualTo(42);
    ((Closeable) wrapped).close();
    assertThat(bare.calls).containsExactly("close");
    assertThat(wrapped).hasSameHashCodeAs(bare).hasToString("tenants").isEqualTo(wrapped);
    assertThat(wrapped.equals(this.<Routing>traced(new Tenants()))).isTrue();
    assertThat(wrapped.equals("tenants")).isFalse();
  }

  /** All kinds of parameters and results. */
  public interface Kinds {
    /** Each kind of value, two of which take two places. */
    String all(
        boolean a, byte b, char c, short d, int e, long f, float g, double h, Object i, int[] j);

    /** Nothing. */
    void nothing();

    /** One of the kind. */
    boolean aBoolean();

    /** One of the kind. */
    byte aByte();

    /** One of the kind. */
    char aChar();

    /** One of the kind. */
    short aShort();

    /** One of the kind. */
    int anInt();

    /** One of the kind. */
    long aLong();

    /** One of the kind. */
    float aFloat();

    /** One of the kind. */
    double aDouble();

    /** One of the kind. */
    long[][] anArray();
  }

  private static final class AllKinds implements Kinds {
    @Override
    public String all(
        boolean a, byte b, char c, short d, int e, long f, float g, double h, Object i, int[] j) {
      return a + " " + b + c + d + e + f + g + h + i + j.length;
    }

    @Override
    public void nothing() {}

    @Override
    public boolean aBoolean() {
      return true;
    }

    @Override
    public byte aByte() {
      return Byte.MIN_VALUE;
    }

    @Override
    public char aChar() {
      return 'x';
    }

    @Override
    public short aShort() {
      return Short.MIN_VALUE;
    }

    @Override
    public int anInt() {
      return Integer.MIN_VALUE;
    }

    @Override
    public long aLong() {
      return Long.MIN_VALUE;
    }

    @Override
    public float aFloat() {
      return Float.MIN_VALUE;
    }

    @Override
    public double aDouble() {
      return Double.MIN_VALUE;
    }

    @Override
    public long[][] anArray() {
      return new long[][] {{1}, {2, 3}};
    }
  }

  @Test
  void everyKindOfValuePasses() throws Throwable {
    Kinds bare = new AllKinds();
    Kinds wrapped = traced(bare);
    Object[] values = {true, (byte) 1, 'c', (short) 2, 3, 4L, 5f, 6d, "seven", new int[8]};
    for (Method method : Kinds.class.getMethods()) {
      Object[] arguments = method.getParameterCount() == 0 ? new Object[0] : values;
      assertThat(FakeDriver.call(wrapped, method, arguments))
          .as("%s", method)
          .isEqualTo(FakeDriver.call(bare, method, arguments));
    }
  }

  /** A number of something. */
  public interface First {
    /** A number. */
    Number number();
  }

  /** Something to compare. */
  public interface Second {
    /** The same by another name. */
    Comparable<?> number();
  }

  private static final class Both implements First, Second {
    @Override
    public Integer number() {
      return 7;
    }
  }

  @Test
  void interfacesThatDifferInAResultHoldBoth() {
    First wrapped = this.<First>traced(new Both());
    assertThat(wrapped.number()).isEqualTo(7);
    assertThat(((Second) wrapped).number()).isEqualTo(7);
  }

  @Test
  void aClassOfAModuleThatIsNotOpenHasAProxyOfTheJdk() {
    List<String> bare = new ArrayList<>(List.of("a"));
    List<String> wrapped = traced(bare);
    assertThat(Proxy.isProxyClass(wrapped.getClass())).isTrue();
    assertThat(wrapped.get(0)).isEqualTo("a");
  }

  /** Of a driver in a class loader below ours. */
  public interface Deployed extends Routing2 {
    /** Where to. */
    String where();
  }

  interface Routing2 {
    default String hidden() {
      return "hidden";
    }
  }

  /** Of a driver, some of whose methods need a library that is not there. */
  public interface Incomplete {
    /** Needs it. */
    Missing missing();
  }

  /** Is not there. */
  public interface Missing {}

  /** A driver's class. */
  public static class DeployedDriver implements Deployed {
    @Override
    public String where() {
      return "below";
    }
  }

  /** A driver's class that lacks something. */
  public static class IncompleteDriver implements Incomplete {
    @Override
    public Missing missing() {
      return null;
    }
  }

  /** As that of a web application. */
  private static final class Below extends ClassLoader {

    private static final String OUTER = ProxyClassTest.class.getName() + "$";

    Below() {
      super(ProxyClassTest.class.getClassLoader());
    }

    Object driver(String name) throws ReflectiveOperationException {
      return loadClass(OUTER + name).getConstructor().newInstance();
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.equals(OUTER + "Missing")) {
        throw new ClassNotFoundException(name);
      }
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null || !name.startsWith(OUTER)) {
        return loaded != null ? loaded : super.loadClass(name, resolve);
      }
      try (InputStream file = getResourceAsStream(name.replace('.', '/') + ".class")) {
        if (file == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] bytes = file.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  @Test
  void aDriverOfAnotherClassLoaderHasItsOwnInterfaces() throws Exception {
    Object bare = new Below().driver("DeployedDriver");
    Object wrapped = traced(bare);
    Class<?> deployed = bare.getClass().getInterfaces()[0];
    assertThat(deployed).isNotSameAs(Deployed.class);
    assertThat(wrapped).isInstanceOf(deployed);
    assertThat(deployed.getMethod("where").invoke(wrapped)).isEqualTo("below");
    Method hidden = deployed.getMethod("hidden");
    hidden.setAccessible(true);
    assertThat(hidden.invoke(wrapped)).isEqualTo("hidden");
  }

  @Test
  void whereNoneCanBeMadeTheBareObjectStays() throws Exception {
    Object bare = new Below().driver("IncompleteDriver");
    Traced handler = new TracedSource(jdbc(), bare, null);
    assertThat(handler.proxy(bare)).isSameAs(bare);
    assertThat(handler.proxy()).isSameAs(bare);
    recorded.expectWarn("ProxyClass.maker threw");
  }

  @Test
  void unwrapAndIsWrapperForHoldOfASourceWithMoreInterfaces() throws Throwable {
    try (com.zaxxer.hikari.HikariDataSource pool = new com.zaxxer.hikari.HikariDataSource()) {
      pool.setJdbcUrl("jdbc:h2:mem:proxies");
      DataSource wrapped = jdbc().wrap(pool);
      wrapped.getConnection().close();
      assertThat(wrapped).isInstanceOf(Closeable.class);
      assertThat(wrapped.isWrapperFor(com.zaxxer.hikari.HikariDataSource.class)).isTrue();
      assertThat((Object) wrapped.unwrap(com.zaxxer.hikari.HikariDataSource.class)).isSameAs(pool);
      assertThat(wrapped.unwrap(DataSource.class)).isSameAs(wrapped);
      assertThat(wrapped.isWrapperFor(Routing.class)).isFalse();
      assertThat(catchThrowable(() -> wrapped.unwrap(Routing.class)))
          .isInstanceOf(SQLException.class);
    }
  }
}
