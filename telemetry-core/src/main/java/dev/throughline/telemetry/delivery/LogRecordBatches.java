// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.ReadWriteLogRecord;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import java.util.Collection;

/** Exports log records in batches. */
final class LogRecordBatches implements LogRecordProcessor {

  private final BatchExport<ReadWriteLogRecord, LogRecordData> batches;

  LogRecordBatches(BatchExport<ReadWriteLogRecord, LogRecordData> batches) {
    this.batches = batches;
  }

  @Override
  public void onEmit(Context context, ReadWriteLogRecord logRecord) {
    batches.add(logRecord);
  }

  @Override
  public CompletableResultCode forceFlush() {
    return batches.flush();
  }

  @Override
  public CompletableResultCode shutdown() {
    return batches.shutdown();
  }

  @Override
  public String toString() {
    return "LogRecordBatches{batches=" + batches + "}";
  }

  /** A log record exporter that is given batches. */
  record Target(LogRecordExporter exporter)
      implements BatchTarget<ReadWriteLogRecord, LogRecordData> {

    @Override
    public String type() {
      return "LogRecordExporter";
    }

    @Override
    public LogRecordData data(ReadWriteLogRecord logRecord) {
      return logRecord.toLogRecordData();
    }

    @Override
    public CompletableResultCode export(Collection<LogRecordData> batch) {
      return exporter.export(batch);
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  /** An exporter whose faults stay its own: beside it others are given the same records. */
  record Guarded(LogRecordExporter exporter, Guard guard) implements LogRecordExporter {

    @Override
    public CompletableResultCode export(Collection<LogRecordData> records) {
      return SpanPipeline.guarded(
          guard, "LogRecordExporter.export", () -> exporter.export(records));
    }

    @Override
    public CompletableResultCode flush() {
      return SpanPipeline.guarded(guard, "LogRecordExporter.flush", exporter::flush);
    }

    @Override
    public CompletableResultCode shutdown() {
      return SpanPipeline.guarded(guard, "LogRecordExporter.shutdown", exporter::shutdown);
    }
  }
}
