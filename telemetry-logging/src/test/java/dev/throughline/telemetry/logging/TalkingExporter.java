// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.logs.ConfigurableLogRecordExporterProvider;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicInteger;

/** An exporter that logs a line each time, as the service's own code; by name "talking". */
public final class TalkingExporter
    implements LogRecordExporter, ConfigurableLogRecordExporterProvider {

  static final AtomicInteger records = new AtomicInteger();

  @Override
  public LogRecordExporter createExporter(ConfigProperties config) {
    return new TalkingExporter();
  }

  @Override
  public String getName() {
    return "talking";
  }

  @Override
  public CompletableResultCode export(Collection<LogRecordData> logs) {
    RecordsKit.logger.info("export {}", records.addAndGet(logs.size()));
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode flush() {
    return CompletableResultCode.ofSuccess();
  }

  @Override
  public CompletableResultCode shutdown() {
    return CompletableResultCode.ofSuccess();
  }
}
