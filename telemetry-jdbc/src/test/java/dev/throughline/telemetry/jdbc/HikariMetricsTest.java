// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.IMetricsTracker;
import com.zaxxer.hikari.metrics.micrometer.MicrometerMetricsTrackerFactory;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HikariMetricsTest {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  private static HikariDataSource pool(String name, int size) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(H2.memory("pooled"));
    config.setPoolName(name);
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(1);
    config.setConnectionTimeout(250);
    return new HikariDataSource(config);
  }

  private DataSource wrap(DataSource pool) {
    return JdbcTelemetry.builder(recorded.telemetry())
        .setWaitThreshold(Duration.ofDays(1))
        .build()
        .wrap(pool);
  }

  @Test
  void aPoolIsCounted() throws Exception {
    try (HikariDataSource narrow = pool("narrow", 1);
        HikariDataSource wide = pool("wide", 3)) {
      DataSource wrapped = wrap(narrow);
      wrap(wide);
      assertThat(narrow.getMetricsTrackerFactory()).isNull();
      assertThat(narrow.getMetricRegistry()).isNull();
      try (Connection held = wrapped.getConnection()) {
        assertThat(held.isValid(1)).isTrue();
        assertThatThrownBy(wrapped::getConnection).isInstanceOf(SQLException.class);
        MetricData count =
            recorded.metric(
                "db.client.connection.count",
                metric -> Long.valueOf(1).equals(longs(metric).get("narrow used")));
        assertThat(count.getUnit()).isEqualTo("{connection}");
        assertThat(longs(count)).containsEntry("narrow idle", 0L).containsEntry("wide used", 0L);
      }
      assertThat(longs(recorded.metric("db.client.connection.max")))
          .isEqualTo(Map.of("narrow null", 1L, "wide null", 3L));
      assertThat(longs(recorded.metric("db.client.connection.idle.min")))
          .isEqualTo(Map.of("narrow null", 1L, "wide null", 1L));
      assertThat(longs(recorded.metric("db.client.connection.pending_requests")))
          .isEqualTo(Map.of("narrow null", 0L, "wide null", 0L));
      assertThat(longs(recorded.metric("db.client.connection.timeouts")))
          .isEqualTo(Map.of("narrow null", 1L));
      for (String metric : new String[] {"wait_time", "use_time"}) {
        MetricData histogram = recorded.metric("db.client.connection." + metric);
        assertThat(histogram.getUnit()).isEqualTo("s");
        HistogramPointData point = histogram.getHistogramData().getPoints().iterator().next();
        assertThat(DatabaseKit.attributes(point))
            .isEqualTo(Map.of("db.client.connection.pool.name", "narrow"));
        assertThat(point.getSum()).isBetween(0.0, 10.0);
      }
    }
  }

  private static Map<String, Long> longs(MetricData metric) {
    return metric.getLongSumData().getPoints().stream()
        .collect(
            Collectors.toMap(
                point ->
                    DatabaseKit.attributes(point).get("db.client.connection.pool.name")
                        + " "
                        + DatabaseKit.attributes(point).get("db.client.connection.state"),
                LongPointData::getValue));
  }

  @Test
  void aTrackerThatIsThereStays() throws Exception {
    HikariConfig config = new HikariConfig();
    config.setDataSource(H2.memory("pooled"));
    config.setPoolName("tracked");
    LongAdder acquired = new LongAdder();
    config.setMetricsTrackerFactory(
        (name, stats) ->
            new IMetricsTracker() {
              @Override
              public void recordConnectionAcquiredNanos(long nanos) {
                acquired.increment();
              }
            });
    try (HikariDataSource pool = new HikariDataSource(config)) {
      Object before = pool.getMetricsTrackerFactory();
      wrap(pool).getConnection().close();
      assertThat(pool.getMetricsTrackerFactory()).isSameAs(before);
      assertThat(acquired.sum()).isEqualTo(1);
      assertThat(longs(recorded.metric("db.client.connection.max")))
          .isEqualTo(Map.of("tracked null", 10L));
    }
  }

  /** How an application has a pool's metrics recorded by Micrometer. */
  private enum Binding {
    REGISTRY {
      @Override
      void bind(HikariDataSource pool, MeterRegistry registry) {
        pool.setMetricRegistry(registry);
      }
    },
    FACTORY {
      @Override
      void bind(HikariDataSource pool, MeterRegistry registry) {
        pool.setMetricsTrackerFactory(new MicrometerMetricsTrackerFactory(registry));
      }
    },
    UNLESS_SET {
      @Override
      void bind(HikariDataSource pool, MeterRegistry registry) {
        if (pool.getMetricRegistry() == null && pool.getMetricsTrackerFactory() == null) {
          FACTORY.bind(pool, registry);
        }
      }
    };

    abstract void bind(HikariDataSource pool, MeterRegistry registry);
  }

  /** When it does so. */
  private enum When {
    NOT_STARTED,
    STARTED,
    STARTED_BY_A_WRAPPED_CONNECTION
  }

  static Stream<Arguments> bindings() {
    return Arrays.stream(Binding.values())
        .flatMap(binding -> Arrays.stream(When.values()).map(when -> Arguments.of(binding, when)));
  }

  @ParameterizedTest
  @MethodSource("bindings")
  void theApplicationsOwnMetricsTakeThePlace(Binding binding, When when) throws Exception {
    try (HikariDataSource lazy = new HikariDataSource();
        HikariDataSource eager = pool("eager", 2)) {
      lazy.setDataSource(H2.memory("pooled"));
      lazy.setMinimumIdle(1);
      lazy.setMaximumPoolSize(2);
      HikariDataSource pool = when == When.STARTED ? eager : lazy;
      DataSource wrapped = wrap(pool);
      if (when == When.STARTED_BY_A_WRAPPED_CONNECTION) {
        wrapped.getConnection().close();
      }
      SimpleMeterRegistry registry = new SimpleMeterRegistry();

      binding.bind(pool, registry);

      try (Connection held = wrapped.getConnection()) {
        assertThat(held.isValid(1)).isTrue();
        String name = pool.getPoolName();
        assertThat(registry.get("hikaricp.connections.max").gauge().value()).isEqualTo(2);
        assertThat(registry.get("hikaricp.connections.acquire").timer().count()).isEqualTo(1);
        assertThat(longs(recorded.metric("db.client.connection.count")))
            .containsEntry(name + " used", 1L);
        assertThat(longs(recorded.metric("db.client.connection.max"))).containsKey(name + " null");
      }
    }
  }

  @Test
  void aPoolThatStartsLaterIsTracked() throws Exception {
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setDataSource(H2.memory("pooled"));
      DataSource wrapped = wrap(pool);
      wrapped.getConnection().close();
      wrapped.getConnection().close();
      HistogramPointData waits =
          recorded
              .metric("db.client.connection.wait_time")
              .getHistogramData()
              .getPoints()
              .iterator()
              .next();
      assertThat(DatabaseKit.attributes(waits))
          .isEqualTo(Map.of("db.client.connection.pool.name", pool.getPoolName()));
      assertThat(waits.getCount()).isEqualTo(1);
    }
  }

  @Test
  void aPoolThatIsWrappedTwiceIsCountedOnce() throws Exception {
    try (HikariDataSource pool = pool("twice", 1)) {
      wrap(pool);
      wrap(pool).getConnection().close();
      assertThat(longs(recorded.metric("db.client.connection.max")))
          .isEqualTo(Map.of("twice null", 1L));
      assertThat(
              recorded
                  .metric("db.client.connection.wait_time")
                  .getHistogramData()
                  .getPoints()
                  .iterator()
                  .next()
                  .getCount())
          .isEqualTo(1);
    }
  }

  @Test
  void aPoolThatWasClosedIsCountedNoMore() throws Exception {
    HikariDataSource tracked = pool("closed", 1);
    HikariDataSource ofTheApplication = pool("closed too", 1);
    wrap(tracked);
    wrap(ofTheApplication);
    ofTheApplication.setMetricRegistry(new SimpleMeterRegistry());
    assertThat(longs(recorded.metric("db.client.connection.max"))).hasSize(2);
    tracked.close();
    ofTheApplication.close();
    try (HikariDataSource open = pool("open", 1)) {
      wrap(open);
      assertThat(longs(recorded.metric("db.client.connection.max")))
          .isEqualTo(Map.of("open null", 1L));
    }
  }

  @Test
  void aPoolWithinAnotherSourceIsFound() throws Exception {
    try (HikariDataSource pool = pool("within", 1)) {
      DataSource outer =
          (DataSource)
              Proxy.newProxyInstance(
                  DataSource.class.getClassLoader(),
                  new Class<?>[] {DataSource.class},
                  (self, method, arguments) -> method.invoke(pool, arguments));
      wrap(outer).getConnection().close();
      assertThat(longs(recorded.metric("db.client.connection.max")))
          .isEqualTo(Map.of("within null", 1L));
    }
  }

  @Test
  void metricsThatThrowDoNotReachThePool() throws Exception {
    for (String method : new String[] {"batchCallback", "record", "add", "close"}) {
      OpenTelemetry throwing =
          (OpenTelemetry) throwing(recorded.telemetry().openTelemetry(), method);
      HikariDataSource pool = pool("throwing", 1);
      JdbcTelemetry.create(Telemetry.of(throwing)).wrap(pool);
      try (Connection held = pool.getConnection()) {
        assertThatThrownBy(pool::getConnection).isInstanceOf(SQLException.class);
        assertThat(held.isValid(1)).isTrue();
      }
      pool.close();
      recorded.expectWarn(
          switch (method) {
            case "batchCallback" -> "HikariMetrics.of threw";
            case "record" -> "DoubleHistogram.record threw";
            case "add" -> "LongCounter.add threw";
            default -> "BatchCallback.close threw";
          });
    }
  }

  /** The same OpenTelemetry, of which one method throws wherever it is. */
  private static Object throwing(Object target, String failing) {
    return Proxy.newProxyInstance(
        HikariMetricsTest.class.getClassLoader(),
        interfaces(target.getClass()),
        new Throwing(target, failing));
  }

  private record Throwing(Object target, String failing) implements InvocationHandler {

    @Override
    public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
      if (method.getName().equals(failing)) {
        throw new IllegalStateException("of " + failing);
      }
      Object result = FakeDriver.call(target, method, bare(arguments));
      if (result == target) {
        return self;
      }
      return method.getReturnType().getName().startsWith("io.opentelemetry.api.")
          ? throwing(result, failing)
          : result;
    }

    private static Object[] bare(Object[] arguments) {
      if (arguments == null) {
        return null;
      }
      Object[] bare = arguments.clone();
      for (int i = 0; i < bare.length; i++) {
        if (bare[i] instanceof Object[] array) {
          bare[i] = bare(array);
        } else if (bare[i] instanceof Proxy
            && Proxy.getInvocationHandler(bare[i]) instanceof Throwing throwing) {
          bare[i] = throwing.target;
        }
      }
      return bare;
    }
  }

  private static Class<?>[] interfaces(Class<?> type) {
    return Stream.<Class<?>>iterate(type, each -> each != null, Class::getSuperclass)
        .flatMap(each -> Arrays.stream(each.getInterfaces()))
        .filter(each -> each.getName().startsWith("io.opentelemetry.api."))
        .filter(each -> Modifier.isPublic(each.getModifiers()))
        .distinct()
        .toArray(Class<?>[]::new);
  }
}
