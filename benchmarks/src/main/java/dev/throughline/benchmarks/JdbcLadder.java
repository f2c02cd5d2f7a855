// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.throughline.telemetry.jdbc.JdbcTelemetry;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.otel.bridge.OtelCurrentTraceContext;
import io.micrometer.tracing.otel.bridge.OtelTracer;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.lang.reflect.Proxy;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import net.ttddyy.dsproxy.support.ProxyDataSourceBuilder;
import net.ttddyy.observation.tracing.DataSourceObservationListener;
import net.ttddyy.observation.tracing.JdbcObservationDocumentation;
import net.ttddyy.observation.tracing.QueryTracingObservationHandler;
import org.h2.jdbcx.JdbcDataSource;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A row by its key from H2 in memory, with a statement that is prepared once: set, execute, read,
 * close. What a rung costs is what it adds to the bare one.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
// Else OpenTelemetry's library has the names of before, and no metric.
@Fork(jvmArgsAppend = "-Dotel.semconv-stability.opt-in=database")
public class JdbcLadder {

  private static final String SQL = "SELECT name FROM users WHERE id = ?";

  /** For JMH. */
  public JdbcLadder() {}

  /** H2 as it is. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Bare {
    final PreparedStatement select = prepare(h2());

    /** For JMH. */
    public Bare() {}
  }

  /** Ours, off. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Off extends Subjects.Off {
    final PreparedStatement select = prepare(JdbcTelemetry.create(telemetry).wrap(h2()));

    /** For JMH. */
    public Off() {}
  }

  /** Ours, unsampled. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Unsampled extends Subjects.Unsampled {
    final PreparedStatement select = prepare(JdbcTelemetry.create(telemetry).wrap(h2()));

    /** For JMH. */
    public Unsampled() {}
  }

  /** Ours, on. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class On extends Subjects.On {
    final DataSource source = JdbcTelemetry.create(telemetry).wrap(h2());
    final PreparedStatement select = prepare(source);

    /** For JMH. */
    public On() {}
  }

  /** OpenTelemetry's library. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Library extends Subjects.Sdk {
    final DataSource source =
        io.opentelemetry.instrumentation.jdbc.datasource.JdbcTelemetry.create(sdk).wrap(h2());
    final PreparedStatement select = prepare(source);

    /** For JMH. */
    public Library() {}
  }

  /** Micrometer's listener of datasource-proxy, for queries alone. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Micrometer extends Subjects.Sdk {
    final PreparedStatement select = prepare(micrometer());

    /** For JMH. */
    public Micrometer() {}

    private DataSource micrometer() {
      ObservationRegistry registry = ObservationRegistry.create();
      registry
          .observationConfig()
          .observationHandler(
              new QueryTracingObservationHandler(
                  new OtelTracer(
                      sdk.getTracer("benchmark"), new OtelCurrentTraceContext(), event -> {})));
      DataSourceObservationListener listener = new DataSourceObservationListener(registry);
      listener.setSupportedTypes(Set.of(JdbcObservationDocumentation.QUERY));
      return ProxyDataSourceBuilder.create(h2())
          .listener(listener)
          .methodListener(listener)
          .build();
    }
  }

  /** datasource-proxy with nothing to do. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class EmptyProxy {
    final PreparedStatement select = prepare(ProxyDataSourceBuilder.create(h2()).build());

    /** For JMH. */
    public EmptyProxy() {}
  }

  /** A proxy of the statement that passes all calls on. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class PassingProxy {
    final PreparedStatement select = proxy(prepare(h2()));

    /** For JMH. */
    public PassingProxy() {}

    private static PreparedStatement proxy(PreparedStatement bare) {
      return (PreparedStatement)
          Proxy.newProxyInstance(
              JdbcLadder.class.getClassLoader(),
              new Class<?>[] {PreparedStatement.class},
              (self, method, arguments) -> method.invoke(bare, arguments));
    }
  }

  /** HikariCP's statements and result sets, which are delegates. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Delegates {
    final HikariDataSource pool = new HikariDataSource();
    final PreparedStatement select;

    /** For JMH. */
    public Delegates() {
      pool.setDataSource(h2());
      select = prepare(pool);
    }

    /** Stops the pool's threads. */
    @TearDown
    public void close() {
      pool.close();
    }
  }

  /** The same data straight on the SDK, around H2's own statement. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Sdk extends Subjects.Sdk {
    static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("db.system.name");
    static final AttributeKey<String> NAMESPACE = AttributeKey.stringKey("db.namespace");
    static final AttributeKey<String> SUMMARY = AttributeKey.stringKey("db.query.summary");
    static final AttributeKey<String> TEXT = AttributeKey.stringKey("db.query.text");
    static final AttributeKey<String> OPERATION = AttributeKey.stringKey("db.operation.name");
    static final AttributeKey<String> COLLECTION = AttributeKey.stringKey("db.collection.name");

    final PreparedStatement select = prepare(h2());
    final Tracer tracer = sdk.getTracer("benchmark");
    final DoubleHistogram duration =
        sdk.getMeter("benchmark")
            .histogramBuilder("db.client.operation.duration")
            .setUnit("s")
            .setExplicitBucketBoundariesAdvice(
                List.of(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1d, 5d, 10d))
            .build();
    final Attributes point =
        Attributes.builder()
            .put(SYSTEM, "h2database")
            .put(NAMESPACE, "ladder")
            .put(SUMMARY, "SELECT users")
            .put(OPERATION, "SELECT")
            .put(COLLECTION, "users")
            .build();

    /** For JMH. */
    public Sdk() {}
  }

  @Benchmark
  @Rung("bare")
  public String a_bare(Bare subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("Throughline, off")
  public String b_off(Off subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("Throughline, unsampled")
  public String c_unsampled(Unsampled subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("Throughline, on")
  public String d_on(On subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("opentelemetry-jdbc, stable names and metric")
  public String p_library(Library subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("datasource-micrometer, queries alone, no metric")
  public String q_micrometer(Micrometer subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("datasource-proxy, no listener")
  public String r_emptyProxy(EmptyProxy subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("java.lang.reflect.Proxy that passes all on")
  public String s_passingProxy(PassingProxy subject) throws SQLException {
    return select(subject.select);
  }

  @Benchmark
  @Rung("HikariCP's delegates, statement and rows")
  public String t_delegates(Delegates subject) throws SQLException {
    return select(subject.select);
  }

  /** The floor: what wrappers written by hand could come down to. */
  @Benchmark
  @Rung("OpenTelemetry SDK, by hand")
  public String z_sdk(Sdk subject) throws SQLException {
    PreparedStatement select = subject.select;
    select.setInt(1, 7);
    Context parent = Context.current();
    long start = System.nanoTime();
    Span span =
        subject
            .tracer
            .spanBuilder("SELECT users")
            .setSpanKind(SpanKind.CLIENT)
            .setParent(parent)
            .setAttribute(Sdk.SYSTEM, "h2database")
            .setAttribute(Sdk.NAMESPACE, "ladder")
            .setAttribute(Sdk.SUMMARY, "SELECT users")
            .setAttribute(Sdk.TEXT, SQL)
            .setAttribute(Sdk.OPERATION, "SELECT")
            .setAttribute(Sdk.COLLECTION, "users")
            .startSpan();
    Context context = parent.with(span);
    ResultSet rows;
    try (io.opentelemetry.context.Scope ignored = context.makeCurrent()) {
      rows = select.executeQuery();
    } finally {
      span.end();
      subject.duration.record((System.nanoTime() - start) / 1e9, subject.point, context);
    }
    return read(rows);
  }

  private static String select(PreparedStatement select) throws SQLException {
    select.setInt(1, 7);
    return read(select.executeQuery());
  }

  private static String read(ResultSet rows) throws SQLException {
    try (rows) {
      rows.next();
      return rows.getString(1);
    }
  }

  private static DataSource h2() {
    JdbcDataSource source = new JdbcDataSource();
    source.setURL("jdbc:h2:mem:ladder;DB_CLOSE_DELAY=-1");
    try (java.sql.Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE IF NOT EXISTS users (id INT PRIMARY KEY, name VARCHAR(40))");
      statement.execute("MERGE INTO users VALUES (7, 'ada')");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return source;
  }

  private static PreparedStatement prepare(DataSource source) {
    try {
      return source.getConnection().prepareStatement(SQL);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
