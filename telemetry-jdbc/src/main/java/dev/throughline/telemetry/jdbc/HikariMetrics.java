// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.IMetricsTracker;
import com.zaxxer.hikari.metrics.MetricsTrackerFactory;
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
        pool.setMetricsTrackerFactory(new Factory(openTelemetry, guard));
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

  private static final class Factory implements MetricsTrackerFactory {

    private final Meter meter;
    private final Guard guard;
    private final DoubleHistogram waitTime;
    private final DoubleHistogram useTime;
    private final DoubleHistogram createTime;
    private final LongCounter timeouts;
    private final ObservableLongMeasurement count;
    private final ObservableLongMeasurement idleMin;
    private final ObservableLongMeasurement max;
    private final ObservableLongMeasurement pending;

    Factory(OpenTelemetry openTelemetry, Guard guard) {
      this.guard = guard;
      meter = openTelemetry.getMeter(JdbcTelemetry.SCOPE);
      waitTime =
          histogram(
              JdbcKeys.CONNECTION_WAIT_TIME,
              "The time it took to obtain an open connection from the pool.");
      useTime =
          histogram(
              JdbcKeys.CONNECTION_USE_TIME,
              "The time between borrowing a connection and returning it to the pool.");
      createTime =
          histogram(
              JdbcKeys.CONNECTION_CREATE_TIME, "The time it took to create a new connection.");
      timeouts =
          meter
              .counterBuilder(JdbcKeys.CONNECTION_TIMEOUTS)
              .setUnit("{timeout}")
              .setDescription(
                  "The number of connection timeouts that have occurred trying to obtain a"
                      + " connection from the pool.")
              .build();
      count =
          observed(
              JdbcKeys.CONNECTION_COUNT,
              "{connection}",
              "The number of connections that are currently in the state described by the state"
                  + " attribute.");
      idleMin =
          observed(
              JdbcKeys.CONNECTION_IDLE_MIN,
              "{connection}",
              "The minimum number of idle open connections allowed.");
      max =
          observed(
              JdbcKeys.CONNECTION_MAX,
              "{connection}",
              "The maximum number of open connections allowed.");
      pending =
          observed(
              JdbcKeys.CONNECTION_PENDING_REQUESTS,
              "{request}",
              "The number of current pending requests for an open connection.");
    }

    private DoubleHistogram histogram(String name, String description) {
      return meter
          .histogramBuilder(name)
          .setUnit("s")
          .setDescription(description)
          .setExplicitBucketBoundariesAdvice(JdbcTelemetry.SECONDS)
          .build();
    }

    private ObservableLongMeasurement observed(String name, String unit, String description) {
      return meter
          .upDownCounterBuilder(name)
          .setUnit(unit)
          .setDescription(description)
          .buildObserver();
    }

    @Override
    public IMetricsTracker create(String poolName, PoolStats stats) {
      try {
        return new Tracker(this, poolName, stats);
      } catch (Throwable t) {
        guard.caught("Meter.batchCallback", t);
        return new IMetricsTracker() {};
      }
    }
  }

  private static final class Tracker implements IMetricsTracker {

    private final Factory metrics;
    private final Attributes pool;
    private final BatchCallback observation;

    Tracker(Factory metrics, String poolName, PoolStats stats) {
      this.metrics = metrics;
      pool = Attributes.of(JdbcKeys.POOL_NAME, poolName);
      Attributes idle = pool.toBuilder().put(JdbcKeys.POOL_STATE, "idle").build();
      Attributes used = pool.toBuilder().put(JdbcKeys.POOL_STATE, "used").build();
      observation =
          metrics.meter.batchCallback(
              () -> {
                metrics.count.record(stats.getIdleConnections(), idle);
                metrics.count.record(stats.getActiveConnections(), used);
                metrics.idleMin.record(stats.getMinConnections(), pool);
                metrics.max.record(stats.getMaxConnections(), pool);
                metrics.pending.record(stats.getPendingThreads(), pool);
              },
              metrics.count,
              metrics.idleMin,
              metrics.max,
              metrics.pending);
    }

    @Override
    public void recordConnectionCreatedMillis(long millis) {
      record(metrics.createTime, millis / 1e3);
    }

    @Override
    public void recordConnectionAcquiredNanos(long nanos) {
      record(metrics.waitTime, nanos / 1e9);
    }

    @Override
    public void recordConnectionUsageMillis(long millis) {
      record(metrics.useTime, millis / 1e3);
    }

    @Override
    public void recordConnectionTimeout() {
      guarded("LongCounter.add", () -> metrics.timeouts.add(1, pool));
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
        metrics.guard.caught(what, t);
      }
    }
  }
}
