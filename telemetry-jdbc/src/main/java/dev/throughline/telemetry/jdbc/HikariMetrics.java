// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.IMetricsTracker;
import com.zaxxer.hikari.metrics.PoolStats;
import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.BatchCallback;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import java.sql.Wrapper;
import java.util.function.Supplier;
import javax.sql.CommonDataSource;
import org.jspecify.annotations.Nullable;

/**
 * Records the metrics of a HikariCP pool.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/db/database-metrics/">Connection pool
 *     metrics</a>
 */
final class HikariMetrics {

  private HikariMetrics() {}

  /**
   * Has a pool recorded, unless its metrics go elsewhere already.
   *
   * @return the pool's name, which a pool that starts lazily has later; of others always null
   */
  static Supplier<@Nullable String> attach(
      CommonDataSource source, OpenTelemetry openTelemetry, Guard guard) {
    try {
      return Pool.attach(source, openTelemetry, guard);
    } catch (NoClassDefFoundError e) {
      // The service has no HikariCP.
    } catch (Throwable t) {
      guard.caught("HikariDataSource.setMetricsTrackerFactory", t);
    }
    return () -> null;
  }

  /** In a class of its own, since HikariCP need not be there. */
  private static final class Pool {

    static Supplier<@Nullable String> attach(
        CommonDataSource source, OpenTelemetry openTelemetry, Guard guard) throws Exception {
      HikariDataSource pool = null;
      if (source instanceof HikariDataSource itself) {
        pool = itself;
      } else if (source instanceof Wrapper wrapper
          && wrapper.isWrapperFor(HikariDataSource.class)) {
        pool = wrapper.unwrap(HikariDataSource.class);
      }
      if (pool == null) {
        return () -> null;
      }
      if (pool.getMetricsTrackerFactory() == null && pool.getMetricRegistry() == null) {
        pool.setMetricsTrackerFactory(
            (poolName, stats) -> track(poolName, stats, openTelemetry, guard));
      }
      if (!pool.isRunning()
          && MySqlTelemetry.isMySql(pool.getJdbcUrl())
          && !pool.getJdbcUrl().contains(MySqlTelemetry.PROPERTY)) {
        pool.getDataSourceProperties()
            .putIfAbsent(MySqlTelemetry.PROPERTY, MySqlTelemetry.DISABLED);
      }
      if (pool.getDataSource() != null) {
        MySqlTelemetry.switchOff(pool.getDataSource());
      }
      return pool::getPoolName;
    }
  }

  private static IMetricsTracker track(
      String poolName, PoolStats stats, OpenTelemetry openTelemetry, Guard guard) {
    try {
      return new Tracker(poolName, stats, openTelemetry.getMeter(JdbcTelemetry.SCOPE), guard);
    } catch (Throwable t) {
      guard.caught("Meter.batchCallback", t);
      return new IMetricsTracker() {};
    }
  }

  private static final class Tracker implements IMetricsTracker {

    private final Guard guard;
    private final Attributes pool;
    private final DoubleHistogram waitTime;
    private final DoubleHistogram useTime;
    private final DoubleHistogram createTime;
    private final LongCounter timeouts;
    private final BatchCallback observation;

    Tracker(String poolName, PoolStats stats, Meter meter, Guard guard) {
      this.guard = guard;
      pool = Attributes.of(JdbcKeys.POOL_NAME, poolName);
      waitTime =
          histogram(
              meter,
              JdbcKeys.CONNECTION_WAIT_TIME,
              "The time it took to obtain an open connection from the pool.");
      useTime =
          histogram(
              meter,
              JdbcKeys.CONNECTION_USE_TIME,
              "The time between borrowing a connection and returning it to the pool.");
      createTime =
          histogram(
              meter,
              JdbcKeys.CONNECTION_CREATE_TIME,
              "The time it took to create a new connection.");
      timeouts =
          meter
              .counterBuilder(JdbcKeys.CONNECTION_TIMEOUTS)
              .setUnit("{timeout}")
              .setDescription(
                  "The number of connection timeouts that have occurred trying to obtain a"
                      + " connection from the pool.")
              .build();
      ObservableLongMeasurement count =
          observed(
              meter,
              JdbcKeys.CONNECTION_COUNT,
              "The number of connections that are currently in the state described by the state"
                  + " attribute.");
      ObservableLongMeasurement idleMin =
          observed(
              meter,
              JdbcKeys.CONNECTION_IDLE_MIN,
              "The minimum number of idle open connections allowed.");
      ObservableLongMeasurement max =
          observed(
              meter, JdbcKeys.CONNECTION_MAX, "The maximum number of open connections allowed.");
      ObservableLongMeasurement pending =
          meter
              .upDownCounterBuilder(JdbcKeys.CONNECTION_PENDING_REQUESTS)
              .setUnit("{request}")
              .setDescription("The number of current pending requests for an open connection.")
              .buildObserver();
      Attributes idle = pool.toBuilder().put(JdbcKeys.POOL_STATE, "idle").build();
      Attributes used = pool.toBuilder().put(JdbcKeys.POOL_STATE, "used").build();
      observation =
          meter.batchCallback(
              () -> {
                count.record(stats.getIdleConnections(), idle);
                count.record(stats.getActiveConnections(), used);
                idleMin.record(stats.getMinConnections(), pool);
                max.record(stats.getMaxConnections(), pool);
                pending.record(stats.getPendingThreads(), pool);
              },
              count,
              idleMin,
              max,
              pending);
    }

    private static DoubleHistogram histogram(Meter meter, String name, String description) {
      return meter
          .histogramBuilder(name)
          .setUnit("s")
          .setDescription(description)
          .setExplicitBucketBoundariesAdvice(JdbcTelemetry.SECONDS)
          .build();
    }

    private static ObservableLongMeasurement observed(
        Meter meter, String name, String description) {
      return meter
          .upDownCounterBuilder(name)
          .setUnit("{connection}")
          .setDescription(description)
          .buildObserver();
    }

    @Override
    public void recordConnectionCreatedMillis(long millis) {
      record(createTime, millis / 1e3);
    }

    @Override
    public void recordConnectionAcquiredNanos(long nanos) {
      record(waitTime, nanos / 1e9);
    }

    @Override
    public void recordConnectionUsageMillis(long millis) {
      record(useTime, millis / 1e3);
    }

    @Override
    public void recordConnectionTimeout() {
      guarded("LongCounter.add", () -> timeouts.add(1, pool));
    }

    @Override
    public void close() {
      guarded("BatchCallback.close", observation::close);
    }

    private void record(DoubleHistogram histogram, double seconds) {
      guarded("DoubleHistogram.record", () -> histogram.record(seconds, pool));
    }

    private void guarded(String what, Runnable call) {
      try {
        call.run();
      } catch (Throwable t) {
        guard.caught(what, t);
      }
    }
  }
}
