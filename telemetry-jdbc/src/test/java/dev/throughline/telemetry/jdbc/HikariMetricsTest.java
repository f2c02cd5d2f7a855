// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.IMetricsTracker;
import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.testing.TelemetryExtension;
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
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

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
      assertThat(narrow.getMetricsTrackerFactory()).isNotNull();
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
    config.setMetricsTrackerFactory((name, stats) -> new IMetricsTracker() {});
    try (HikariDataSource pool = new HikariDataSource(config)) {
      Object before = pool.getMetricsTrackerFactory();
      wrap(pool).getConnection().close();
      assertThat(pool.getMetricsTrackerFactory()).isSameAs(before);
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
      HikariMetrics.attach(pool, throwing, new Guard(JdbcTelemetry.SCOPE));
      try (Connection held = pool.getConnection()) {
        assertThatThrownBy(pool::getConnection).isInstanceOf(SQLException.class);
        assertThat(held.isValid(1)).isTrue();
      }
      pool.close();
      recorded.expectWarn(
          switch (method) {
            case "batchCallback" -> "Meter.batchCallback threw";
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
