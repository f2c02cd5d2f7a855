// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.IMetricsTracker;
import com.zaxxer.hikari.pool.HikariPool;
import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.BatchCallback;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import java.lang.ref.WeakReference;
import java.sql.Wrapper;
import java.util.Map;
import java.util.WeakHashMap;
import javax.sql.CommonDataSource;
import org.jspecify.annotations.Nullable;

/**
 * Records the metrics of a HikariCP pool. A data source of HikariCP's takes one metrics tracker, so
 * that place stays free for the application: counts are observed from outside, and times are
 * tracked within the pool, where the application's own tracker replaces this one.
 *
 * <p>Without HikariCP this class fails to load.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/db/database-metrics/">Connection pool
 *     metrics</a>
 */
final class HikariMetrics implements IMetricsTracker {

  /** A pool that is wrapped twice is to be observed once. */
  private static final Map<HikariDataSource, WeakReference<HikariMetrics>> BY_POOL =
      new WeakHashMap<>();

  private final HikariDataSource pool;
  private final OpenTelemetry openTelemetry;
  private final Guard guard;
  private final DoubleHistogram waitTime;
  private final DoubleHistogram useTime;
  private final DoubleHistogram createTime;
  private final LongCounter timeouts;
  private final ObservableLongMeasurement count;
  private final ObservableLongMeasurement idleMin;
  private final ObservableLongMeasurement max;
  private final ObservableLongMeasurement pending;
  private final BatchCallback observation;

  /** The pool's name; null until the pool has started, since it may get its name then. */
  private volatile @Nullable Attributes attributes;

  /** The metrics of the pool that a source is, or leads to; null if there is none. */
  static @Nullable HikariMetrics of(
      CommonDataSource source, OpenTelemetry openTelemetry, Guard guard) throws Exception {
    HikariDataSource pool = null;
    if (source instanceof HikariDataSource itself) {
      pool = itself;
    } else if (source instanceof Wrapper wrapper && wrapper.isWrapperFor(HikariDataSource.class)) {
      pool = wrapper.unwrap(HikariDataSource.class);
    }
    if (pool == null) {
      return null;
    }
    MySqlTelemetry.switchOffIn(pool);
    synchronized (BY_POOL) {
      WeakReference<HikariMetrics> known = BY_POOL.get(pool);
      HikariMetrics metrics = known == null ? null : known.get();
      if (metrics == null || metrics.openTelemetry != openTelemetry) {
        metrics = new HikariMetrics(pool, openTelemetry, guard);
        BY_POOL.put(pool, new WeakReference<>(metrics));
        metrics.track();
      }
      return metrics;
    }
  }

  private HikariMetrics(HikariDataSource pool, OpenTelemetry openTelemetry, Guard guard) {
    this.pool = pool;
    this.openTelemetry = openTelemetry;
    this.guard = guard;
    Meter meter = openTelemetry.getMeter(JdbcTelemetry.SCOPE);
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
            meter, JdbcKeys.CONNECTION_CREATE_TIME, "The time it took to create a new connection.");
    timeouts =
        meter
            .counterBuilder(JdbcKeys.CONNECTION_TIMEOUTS)
            .setUnit("{timeout}")
            .setDescription(
                "The number of connection timeouts that have occurred trying to obtain a connection"
                    + " from the pool.")
            .build();
    count =
        observed(
            meter,
            JdbcKeys.CONNECTION_COUNT,
            "{connection}",
            "The number of connections that are currently in the state described by the state"
                + " attribute.");
    idleMin =
        observed(
            meter,
            JdbcKeys.CONNECTION_IDLE_MIN,
            "{connection}",
            "The minimum number of idle open connections allowed.");
    max =
        observed(
            meter,
            JdbcKeys.CONNECTION_MAX,
            "{connection}",
            "The maximum number of open connections allowed.");
    pending =
        observed(
            meter,
            JdbcKeys.CONNECTION_PENDING_REQUESTS,
            "{request}",
            "The number of current pending requests for an open connection.");
    observation = meter.batchCallback(this::observe, count, idleMin, max, pending);
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
      Meter meter, String name, String unit, String description) {
    return meter
        .upDownCounterBuilder(name)
        .setUnit(unit)
        .setDescription(description)
        .buildObserver();
  }

  @Nullable String poolName() {
    return pool.getPoolName();
  }

  /** Has times tracked from when the pool runs, which may be from its first connection on. */
  void track() {
    if (attributes != null) {
      return;
    }
    try {
      if (pool.getHikariPoolMXBean() instanceof HikariPool running) {
        track(running);
      }
    } catch (Throwable t) {
      guard.caught("HikariPool.setMetricsTrackerFactory", t);
    }
  }

  private synchronized void track(HikariPool running) {
    if (attributes == null) {
      attributes = Attributes.of(JdbcKeys.POOL_NAME, pool.getPoolName());
      if (pool.getMetricsTrackerFactory() == null && pool.getMetricRegistry() == null) {
        // The data source itself would from then on refuse the application's own.
        running.setMetricsTrackerFactory((poolName, stats) -> this);
      }
    }
  }

  private void observe() {
    track();
    Attributes name = attributes;
    if (pool.isClosed()) {
      close();
    } else if (name != null) {
      var running = pool.getHikariPoolMXBean();
      count.record(
          running.getIdleConnections(), name.toBuilder().put(JdbcKeys.POOL_STATE, "idle").build());
      count.record(
          running.getActiveConnections(),
          name.toBuilder().put(JdbcKeys.POOL_STATE, "used").build());
      idleMin.record(pool.getMinimumIdle(), name);
      max.record(pool.getMaximumPoolSize(), name);
      pending.record(running.getThreadsAwaitingConnection(), name);
    }
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
    Attributes name = attributes;
    if (name != null) {
      guard.run("LongCounter.add", () -> timeouts.add(1, name));
    }
  }

  @Override
  public void close() {
    guard.run("BatchCallback.close", observation::close);
  }

  private void record(DoubleHistogram histogram, double seconds) {
    Attributes name = attributes;
    if (name != null) {
      guard.run("DoubleHistogram.record", () -> histogram.record(seconds, name));
    }
  }
}
