// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.MeterProvider;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The delivery of one {@code Telemetry}: it hands out what exports its spans, metrics and log
 * records, sends what OTLP exporters encode, and knows what became of it.
 */
public final class Outbox extends SenderProvider {

  private static final Logger logger = LoggerFactory.getLogger(Delivery.class);

  static final String MODULE = "dev.throughline.telemetry.delivery";

  // Of the memory; each signal may borrow of what others don't use.
  private static final double SPANS_SHARE = 0.75;
  private static final double LOG_RECORDS_SHARE = 0.1875;
  private static final double METRICS_SHARE = 0.0625;

  private final Explanation explanation;
  private final Guard guard;
  private final Ledger spans;
  private final Ledger logRecords;
  private final Ledger metricPoints;
  private final Ledger strays;
  private final List<Sender> senders = new CopyOnWriteArrayList<>();
  private final List<BatchExport<?, ?>> batches = new CopyOnWriteArrayList<>();
  private @Nullable Spool spool;
  // Of the exporter that was made last, until it is known what it exports.
  private @Nullable Sender newest;

  /** Finds out for people why a request came to nothing, and what to do about it. */
  @FunctionalInterface
  public interface Explanation {

    /**
     * Called at most once a minute for a signal, on a thread that may wait.
     *
     * @return null if no more is known than the answer says
     */
    @Nullable String of(Receiver receiver, Answer answer);
  }

  /**
   * @param others where everything but senders is found
   * @param telemetrys the guard of the telemetry that this is of
   */
  public Outbox(ComponentLoader others, Explanation explanation, Guard telemetrys) {
    super(others);
    this.explanation = explanation;
    guard = telemetrys.of(MODULE);
    spans = new Ledger("spans", "OTEL_BSP_MAX_QUEUE_SIZE", guard);
    logRecords = new Ledger("log records", "OTEL_BLRP_MAX_QUEUE_SIZE", guard);
    metricPoints = new Ledger(Ledger.METRIC_POINTS, "", guard);
    strays = new Ledger("other telemetry", "", guard);
  }

  /** Sets how much memory all that waits may hold; before anything is made here. */
  public void limitMemory(long bytes) {
    Memory memory = new Memory(bytes);
    spans.limit((long) (bytes * SPANS_SHARE), memory);
    logRecords.limit((long) (bytes * LOG_RECORDS_SHARE), memory);
    metricPoints.limit((long) (bytes * METRICS_SHARE), memory);
  }

  /**
   * Opens the spool; before anything is made here. A folder that can't be opened is logged, and
   * delivery goes on in memory alone.
   *
   * @param syncInterval how much of the newest a crash of the machine may cost
   */
  public void openSpool(Path folder, long maxBytes, Duration syncInterval) {
    try {
      spool = Spool.open(folder, maxBytes, syncInterval, guard);
    } catch (IOException | RuntimeException e) {
      logger.warn("There is no spool: {} can't be used: {}", folder, String.valueOf(e));
    }
  }

  /** Takes over what an earlier process has left on disk, for the exporter that was made last. */
  public SpanExporter spanExporter(SpanExporter exporter) {
    takeOver(spans);
    return new SpanPipeline.Guarded(exporter, guard);
  }

  /** As {@link #spanExporter}. */
  public LogRecordExporter logRecordExporter(LogRecordExporter exporter) {
    takeOver(logRecords);
    return new LogRecordBatches.Guarded(exporter, guard);
  }

  private void takeOver(Ledger ledger) {
    Sender sender = newest;
    newest = null;
    if (sender != null) {
      sender.takeOver(ledger);
    }
  }

  /**
   * The one span processor; its exporting thread starts now.
   *
   * @param taps in the order in which they see a span
   * @param exporter takes the batches of sampled spans; null where nothing is exported in batches
   */
  public SpanPipeline spanPipeline(
      List<SpanProcessor> taps, @Nullable SpanExporter exporter, BatchSettings settings) {
    return new SpanPipeline(
        taps,
        exporter == null
            ? null
            : started(
                new BatchExport<>(
                    "telemetry-span-export",
                    new SpanPipeline.Target(exporter),
                    settings,
                    spans,
                    guard)),
        guard);
  }

  /** A processor that exports log records in batches; its exporting thread starts now. */
  public LogRecordProcessor logRecordProcessor(LogRecordExporter exporter, BatchSettings settings) {
    return new LogRecordBatches(
        started(
            new BatchExport<>(
                "telemetry-log-export",
                new LogRecordBatches.Target(exporter),
                settings,
                logRecords,
                guard)));
  }

  private <T, D> BatchExport<T, D> started(BatchExport<T, D> batch) {
    batches.add(batch);
    return batch;
  }

  /** An exporter whose metric points are counted. */
  public MetricExporter metricExporter(MetricExporter exporter) {
    metricPoints.use();
    takeOver(metricPoints);
    return new CountedMetrics(exporter, metricPoints, guard);
  }

  /**
   * Records the counts as metrics.
   *
   * @param all also those of signals that are not exported from here
   */
  public void recordCounts(MeterProvider meterProvider, boolean all) {
    if (all) {
      List.of(spans, logRecords, metricPoints).forEach(Ledger::use);
    }
    Meter meter = meterProvider.get(MODULE);
    spans.record(meter, DeliveryKeys.SPANS, DeliveryKeys.SPANS_ENDED, "{span}");
    logRecords.record(
        meter, DeliveryKeys.LOG_RECORDS, DeliveryKeys.LOG_RECORDS_EMITTED, "{log_record}");
    metricPoints.record(
        meter, DeliveryKeys.METRIC_POINTS, DeliveryKeys.METRIC_POINTS_SENT, "{data_point}");
  }

  /** The counts of all that was recorded since the start. */
  public Delivery counts() {
    Delivery.Counts ofSpans = spans.counts();
    Delivery.Counts ofLogRecords = logRecords.counts();
    Delivery.Counts ofMetricPoints = metricPoints.counts();
    return new Delivery(
        ofSpans.isComplete()
            && ofLogRecords.isComplete()
            && ofMetricPoints.isComplete()
            && !(spans.isTakingOver() || logRecords.isTakingOver() || metricPoints.isTakingOver()),
        ofSpans,
        ofLogRecords,
        ofMetricPoints);
  }

  /** Why something was lost, for each signal that knows, in one line; empty where none does. */
  public String reasons() {
    StringBuilder reasons = new StringBuilder();
    for (Ledger ledger : List.of(spans, logRecords, metricPoints)) {
      String reason = ledger.reason();
      if (reason != null && reasons.indexOf(reason) < 0) {
        reasons.append(reasons.isEmpty() ? "" : "; ").append(reason);
      }
    }
    return reasons.toString();
  }

  /**
   * From now on the thread that ends a span, or emits a log record, sends it and waits for the
   * answer.
   *
   * @param patience how long each waits; none waits while its receiver has not answered one that
   *     waited before
   */
  public void sendDirectly(Duration patience) {
    senders.forEach(Sender::hurry);
    batches.forEach(batch -> batch.sendDirectly(patience));
  }

  /** Gives up what waits and what is on its way, and counts it as failed. */
  public void abandon() {
    batches.forEach(BatchExport::stop);
    senders.forEach(Sender::close);
    List.of(spans, logRecords, metricPoints, strays).forEach(Ledger::abandon);
    try {
      for (BatchExport<?, ?> batch : batches) {
        // Items that wait are counted by the thread that takes it, unless an exporter holds that
        // up.
        batch.join(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (spool != null) {
      spool.close();
    }
  }

  @Override
  Outlet outlet(Wire wire, boolean retries) {
    Sender sender = new Sender(wire, retries, spool, strays, explanation, guard);
    senders.add(sender);
    newest = sender;
    return sender;
  }
}
