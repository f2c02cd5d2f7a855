// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.throughline.telemetry.testing.TelemetryExtension;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.ConnectionBuilder;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sqlite.SQLiteDataSource;

/**
 * Every method of every JDBC interface of the JDK that runs this, on wrapped objects beside bare
 * ones: the same calls reach the driver, the same comes back, the same is thrown.
 */
class InvisibleTest {

  private static final Set<String> LOOK_UPS =
      Set.of("getMetaData", "getURL", "getDatabaseProductName", "isWrapperFor", "getStatement");

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  @TempDir Path folder;

  @AfterEach
  void takeSpans() {
    recorded.takeSpans(spans -> true);
  }

  private static DataSource wrap(DataSource source) {
    return JdbcTelemetry.create(recorded.telemetry()).wrap(source);
  }

  static Stream<Class<?>> types() {
    return Stream.of(
        DataSource.class,
        ConnectionBuilder.class,
        Connection.class,
        Statement.class,
        PreparedStatement.class,
        CallableStatement.class,
        ResultSet.class,
        DatabaseMetaData.class);
  }

  private static List<Method> methods(Class<?> type) {
    return Arrays.stream(type.getMethods())
        .filter(method -> !Modifier.isStatic(method.getModifiers()))
        .sorted(Comparator.comparing(Method::toString))
        .toList();
  }

  /** An object of the type, as an application gets it. */
  private static Object get(DataSource source, Class<?> type) throws SQLException {
    if (type == DataSource.class) {
      return source;
    }
    if (type == ConnectionBuilder.class) {
      return source.createConnectionBuilder();
    }
    Connection connection = source.getConnection();
    return switch (type.getSimpleName()) {
      case "Connection" -> connection;
      case "Statement" -> connection.createStatement();
      case "PreparedStatement" -> connection.prepareStatement("SELECT id FROM users");
      case "CallableStatement" -> connection.prepareCall("SELECT id FROM users");
      case "DatabaseMetaData" -> connection.getMetaData();
      default -> connection.createStatement().executeQuery("SELECT id FROM users");
    };
  }

  @ParameterizedTest
  @MethodSource("types")
  void whatGoesToTheDriverAndComesBackIsTheSame(Class<?> type) throws Throwable {
    for (Method method : methods(type)) {
      FakeDriver driver = new FakeDriver();
      DataSource source = driver.make(DataSource.class);
      Object wrapped = get(wrap(source), type);
      Object bare = FakeDriver.bare(wrapped);
      Object[] arguments = samples(method, driver);
      driver.calls.clear();
      Object fromBare = FakeDriver.call(bare, method, arguments);
      List<String> expected = List.copyOf(driver.calls);
      driver.calls.clear();

      Object fromWrapped = FakeDriver.call(wrapped, method, arguments);

      String call = type.getSimpleName() + "." + method.getName();
      assertThat(driver.calls)
          .as(call)
          .filteredOn(made -> expected.contains(made) || !isLookUp(made))
          .isEqualTo(expected);
      assertSame(call, fromBare, fromWrapped);
    }
  }

  private static boolean isLookUp(String made) {
    return LOOK_UPS.stream().anyMatch(name -> made.contains("." + name));
  }

  private static Object[] samples(Method method, FakeDriver driver) {
    return Arrays.stream(method.getParameterTypes())
        .map(parameter -> FakeDriver.sample(parameter, driver))
        .toArray();
  }

  /** What the driver made passes as it is; of what is wrapped, what is within. */
  private static void assertSame(String call, Object fromBare, Object fromWrapped) {
    if (FakeDriver.isWrapped(fromBare) && !call.endsWith(".getObject")) {
      assertThat(fromWrapped).as(call).isNotSameAs(fromBare);
      if (call.matches("\\w+Statement.getConnection|Statement.getConnection|.*getStatement")
          || call.equals("DatabaseMetaData.getConnection")) {
        // The one that the application has already, whichever the fake made up.
        return;
      }
      assertThat(FakeDriver.bare(fromWrapped)).as(call).isSameAs(fromBare);
    } else if (fromBare instanceof Number || fromBare instanceof Boolean) {
      assertThat(fromWrapped).as(call).isEqualTo(fromBare);
    } else {
      assertThat(FakeDriver.bare(fromWrapped)).as(call).isSameAs(fromBare);
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void whatTheDriverThrowsArrivesAsItIs(Class<?> type) throws Throwable {
    for (Method method : methods(type)) {
      List<Throwable> thrown =
          new ArrayList<>(List.of(new IllegalStateException("of a driver"), new Error("of it")));
      if (Arrays.asList(method.getExceptionTypes()).contains(SQLException.class)) {
        thrown.add(new SQLException("of a driver", "08006", 17));
      }
      for (Throwable each : thrown) {
        FakeDriver driver = new FakeDriver();
        Object wrapped = get(wrap(driver.make(DataSource.class)), type);
        driver.failing(method.getName(), each);

        Throwable seen =
            catchThrowable(() -> FakeDriver.call(wrapped, method, samples(method, driver)));

        assertThat(seen).as("%s.%s", type, method.getName()).isSameAs(each);
      }
    }
    recorded.takeSpans(spans -> true);
  }

  /** On databases that answer: equal results, or exceptions of the same class and message. */
  @ParameterizedTest
  @ValueSource(strings = {"h2", "sqlite"})
  void aRealDriverDoesTheSame(String name) throws Throwable {
    DataSource source = name.equals("h2") ? H2.memory("invisible") : sqlite();
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40))");
      statement.execute("INSERT INTO users VALUES (1, 'ada'), (2, 'grace')");
    }
    List<String> differences = new ArrayList<>();
    int compared = 0;
    for (Class<?> type : types().skip(2).toList()) {
      if (name.equals("sqlite") && type == CallableStatement.class) {
        continue; // it has none
      }
      for (Method method : methods(type)) {
        String bare = outcome(source, type, method);
        String wrapped = outcome(wrap(source), type, method);
        compared++;
        if (!bare.equals(wrapped)) {
          differences.add(type.getSimpleName() + "." + method + ": " + bare + " / " + wrapped);
        }
      }
    }
    assertThat(differences).isEmpty();
    assertThat(compared).isGreaterThan(500);
  }

  private DataSource sqlite() {
    SQLiteDataSource source = new SQLiteDataSource();
    source.setUrl("jdbc:sqlite:" + folder.resolve("invisible.db"));
    return source;
  }

  private static String outcome(DataSource source, Class<?> type, Method method)
      throws SQLException {
    Object target = get(source, type);
    Connection connection = connection(target);
    try {
      if (target instanceof ResultSet rows) {
        rows.next();
      }
      Object[] arguments =
          Arrays.stream(method.getParameterTypes()).map(InvisibleTest::argument).toArray();
      String result;
      try {
        result = described(FakeDriver.call(target, method, arguments));
      } catch (Throwable t) {
        result = t.getClass().getName() + ": " + t.getMessage();
      }
      return withoutIdentity(
          result
              + (connection.isClosed()
                  ? " closed"
                  : " " + connection.getAutoCommit() + connection.isReadOnly()));
    } finally {
      if (!connection.isClosed()) {
        connection.setAutoCommit(true);
        connection.close();
      }
    }
  }

  /** Numbers that tell one object, or one time, from another. */
  private static String withoutIdentity(String text) {
    return text.replaceAll("[0-9]+", "#").replaceAll("@[0-9a-f#]+", "@");
  }

  private static Connection connection(Object target) throws SQLException {
    if (target instanceof Connection connection) {
      return connection;
    }
    if (target instanceof Statement statement) {
      return statement.getConnection();
    }
    return target instanceof DatabaseMetaData metaData
        ? metaData.getConnection()
        : ((ResultSet) target).getStatement().getConnection();
  }

  private static Object argument(Class<?> type) {
    if (type == int.class) {
      return 1;
    }
    if (type == String.class) {
      return "SELECT name FROM users";
    }
    if (type == Class.class) {
      return Connection.class;
    }
    return type.isPrimitive() ? FakeDriver.sample(type, new FakeDriver()) : null;
  }

  private static String described(Object result) {
    Object bare = FakeDriver.bare(result);
    if (bare == null || bare instanceof Number || bare instanceof CharSequence) {
      return Objects.toString(bare);
    }
    if (bare instanceof int[] counts) {
      return Arrays.toString(counts);
    }
    if (bare instanceof Boolean) {
      return bare.toString();
    }
    return bare.getClass().getName();
  }

  @Test
  void equalsHolds() throws Exception {
    DataSource source = wrap(H2.memory("equal"));
    try (Connection one = source.getConnection();
        Connection two = source.getConnection();
        Statement statement = one.createStatement();
        ResultSet rows = statement.executeQuery("SELECT 1")) {
      assertThat(one.equals(one)).isTrue();
      assertThat(one.equals(two)).isFalse();
      assertThat(one.hashCode()).isEqualTo(FakeDriver.bare(one).hashCode());
      assertThat(one.toString()).isEqualTo(FakeDriver.bare(one).toString());
      assertThat(one.equals(null)).isFalse();
      assertThat(source.equals(source)).isTrue();
      assertThat(rows.equals(statement.getResultSet())).isTrue();
      assertThat(rows).isSameAs(statement.getResultSet());
      assertThat(rows.hashCode()).isEqualTo(FakeDriver.bare(rows).hashCode());
      assertThat(rows.toString()).isEqualTo(FakeDriver.bare(rows).toString());
    }
  }

  @Test
  void vendorsTypesPassThrough() throws Exception {
    SQLiteDataSource sqlite = (SQLiteDataSource) sqlite();
    try (Connection connection = wrap(sqlite).getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT 1")) {
      Class<?> vendors = FakeDriver.bare(connection).getClass();
      assertThat(connection.isWrapperFor(vendors)).isTrue();
      assertThat((Object) connection.unwrap(vendors)).isSameAs(FakeDriver.bare(connection));
      assertThat(connection.unwrap(Connection.class)).isSameAs(connection);
      assertThat(statement.unwrap(Statement.class)).isSameAs(statement);
      assertThat(rows.unwrap(ResultSet.class)).isSameAs(rows);
      assertThat((Object) rows.unwrap(FakeDriver.bare(rows).getClass()))
          .isSameAs(FakeDriver.bare(rows));
      for (Object each : new Object[] {connection, statement, rows}) {
        for (Class<?> type : FakeDriver.bare(each).getClass().getInterfaces()) {
          assertThat(each).isInstanceOf(type);
        }
      }
    }
  }

  /** What JDBC does not know and a driver's public interface has. */
  public interface VendorConnection extends Connection {
    /** Something of the vendor's. */
    String vendorName() throws SQLException;
  }

  @Test
  void aVendorsInterfaceIsOneOfTheWrappedObjects() throws Exception {
    FakeDriver driver = new FakeDriver();
    driver.answering("getConnection", driver.make(VendorConnection.class));
    Connection connection = wrap(driver.make(DataSource.class)).getConnection();
    assertThat(connection).isInstanceOf(VendorConnection.class);
    assertThat(((VendorConnection) connection).vendorName()).isEqualTo("text");
  }
}
