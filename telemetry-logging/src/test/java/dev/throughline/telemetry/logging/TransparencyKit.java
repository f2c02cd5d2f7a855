// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.logs.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.MarkerFactory;

/**
 * The same lines bare and beside the module: the application's own appenders write the same, in the
 * same order, and what reaches the application is the same.
 */
abstract class TransparencyKit {

  private static final Logger logger = LoggerFactory.getLogger("com.acme.Transparency");
  private static final Logger audit = LoggerFactory.getLogger("com.acme.audit.Transparency");
  private static final Object UNREADABLE = new RecordsKit.Unreadable();
  private static final Logger silent = LoggerFactory.getLogger("com.acme.silent.Transparency");

  /**
   * Configures the back end: an appender at the root, one at {@code com.acme.audit}, which is not
   * additive, and {@code com.acme.silent} without any; all lines from INFO on.
   *
   * @return whatever these two write, each line as a layout of level, logger, message, the MDC's
   *     {@code tenant}, and the exception
   */
  abstract List<String> configure();

  /** Has the back end as its file has it. */
  abstract void restore();

  /** Whether lines become records on this back end. */
  boolean hasRecords() {
    return true;
  }

  private List<String> written;

  @BeforeEach
  void begin() {
    written = configure();
  }

  @AfterEach
  void end() {
    MDC.clear();
    restore();
  }

  @ParameterizedTest
  @ValueSource(strings = {"on", "off", "unsampled", "no records"})
  void theApplicationsLinesStayAsTheyWere(String mode) {
    List<String> bare = new ArrayList<>(scenario());
    assertThat(bare).hasSizeGreaterThan(15);
    written.clear();
    AtomicInteger records = new AtomicInteger();
    var builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.sdk.disabled", mode.equals("off") ? "true" : "false")
            .addProperty(
                "otel.traces.sampler", mode.equals("unsampled") ? "always_off" : "always_on");
    if (!mode.equals("no records")) {
      builder.addLogRecordProcessor(
          (context, log) -> {
            records.incrementAndGet();
            assertThat(log.toLogRecordData().getSeverity()).isNotEqualTo(Severity.DEBUG);
          });
    }
    try (Telemetry telemetry = builder.build()) {
      LoggingTelemetry.create(telemetry).install();
      telemetry.span("work").run(() -> assertThat(scenario()).isEqualTo(bare));
    }
    assertThat(records.get() > 0)
        .isEqualTo(hasRecords() && (mode.equals("on") || mode.equals("unsampled")));
    written.clear();
    assertThat(scenario()).isEqualTo(bare);
  }

  /** Lines of each kind, and what was thrown at their caller. */
  private List<String> scenario() {
    MDC.put("tenant", "acme");
    logger.debug("not on");
    logger.info("plain");
    logger.warn("arguments {} {}", 1, List.of("a"));
    logger.error("exception", new IllegalStateException("no answer"));
    logger.warn((String) null);
    logger.warn("");
    logger.warn("control \t, and ünïcödé \uD83D\uDE00");
    logger.warn(MarkerFactory.getMarker("AUDIT"), "marked");
    logger.atWarn().addKeyValue("k", "v").addKeyValue("n", 7).log("pairs");
    logger.warn("of a logger in an argument {}", new Logging());
    audit.warn("of a logger that is not additive");
    audit.error("and its exception", new IllegalArgumentException("bad"));
    silent.error("of a logger without an appender");
    attempt(() -> logger.warn("argument {}", UNREADABLE));
    attempt(() -> logger.atWarn().addKeyValue("k", UNREADABLE).log("unreadable pair"));
    attempt(() -> logger.warn("exception", new Unreadable()));
    MDC.remove("tenant");
    logger.info("last");
    written.add("MDC: " + (MDC.get("tenant") == null ? Map.of() : MDC.get("tenant")));
    return written;
  }

  private void attempt(Runnable line) {
    try {
      line.run();
      written.add("returned");
    } catch (RuntimeException e) {
      written.add("threw " + e);
    }
  }

  private static final class Logging {
    @Override
    public String toString() {
      logger.warn("from toString");
      return "logged";
    }
  }

  private static final class Unreadable extends RuntimeException {

    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw new IllegalStateException("getMessage");
    }
  }
}
