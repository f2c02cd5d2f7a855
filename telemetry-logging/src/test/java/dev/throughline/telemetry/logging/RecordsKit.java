// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Lines of a log as records, by OpenTelemetry's appender for each back end. */
abstract class RecordsKit {

  @RegisterExtension final TelemetryExtension recorded = TelemetryExtension.create();

  static final Logger logger = LoggerFactory.getLogger("com.acme.Service");
  // What a slow machine may take for anything here.
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private Telemetry telemetry;

  /** Sets the level of all lines, and takes what is logged for good. */
  abstract void setLevel(String level);

  /** Has the back end read its configuration anew, which drops all appenders. */
  abstract void reconfigure();

  /** Has a logger's lines end there, or go on to the loggers above it. */
  abstract void setAdditive(String logger, boolean additive);

  /**
   * Gives a logger an appender of the application's.
   *
   * @return its lines
   */
  abstract List<String> append(String logger);

  /** The names of the root logger's appenders. */
  abstract List<String> appenders();

  @BeforeEach
  void install() {
    setLevel("DEBUG");
    telemetry = recorded.telemetry();
    LoggingTelemetry.create(telemetry).install();
  }

  @AfterEach
  void restore() {
    setLevel("WARN");
    MDC.clear();
  }

  static Map<String, Object> attributes(LogRecordData log) {
    Map<String, Object> attributes = new HashMap<>();
    log.getAttributes().forEach((key, value) -> attributes.put(key.getKey(), value));
    return attributes;
  }

  @Test
  void aLineIsARecordOfItsSpan() {
    MDC.put("tenant", "acme");
    try (ActiveSpan span = telemetry.span("vnc.connect").baggage("session_id", "s-1").open()) {
      logger.warn("Connecting to {}", "bmc-1");
      LogRecordData log = recorded.takeLog();
      assertThat(log.getSpanContext()).isEqualTo(span.span().getSpanContext());
      assertThat(log.getBodyValue().asString()).isEqualTo("Connecting to bmc-1");
      assertThat(log.getSeverity()).isEqualTo(Severity.WARN);
      assertThat(log.getSeverityText()).isEqualTo("WARN");
      assertThat(log.getInstrumentationScopeInfo().getName()).isEqualTo("com.acme.Service");
      assertThat(log.getTimestampEpochNanos()).isPositive();
      assertThat(attributes(log))
          .contains(
              entry("tenant", "acme"),
              entry("session_id", "s-1"),
              entry("code.file.path", "RecordsKit.java"),
              entry("code.function.name", RecordsKit.class.getName() + ".aLineIsARecordOfItsSpan"))
          .containsKey("code.line.number")
          .doesNotContainKeys("trace_id", "span_id", "trace_flags", "code.filepath");
    }
    recorded.takeSpan();
  }

  @Test
  void aLineHasItsException() {
    logger.error("Failed", new IllegalStateException("no answer"));
    LogRecordData log = recorded.takeLog();
    assertThat(log.getSeverity()).isEqualTo(Severity.ERROR);
    assertThat(log.getSpanContext().isValid()).isFalse();
    assertThat(attributes(log))
        .contains(
            entry("exception.type", "java.lang.IllegalStateException"),
            entry("exception.message", "no answer"))
        .extractingByKey("exception.stacktrace")
        .asString()
        .contains("aLineHasItsException");
  }

  @Test
  void aLineHasItsKeyValuePairs() {
    logger.atInfo().addKeyValue("cluster_id", "cls-123").log("Processing");
    assertThat(recorded.takeLog().getAttributes().get(AttributeKey.stringKey("cluster_id")))
        .isEqualTo("cls-123");
  }

  @Test
  void severitiesAreThoseOfTheLevels() {
    logger.trace("not on");
    logger.debug("debug");
    logger.info("info");
    assertThat(recorded.takeLogs(2))
        .extracting(LogRecordData::getSeverity)
        .containsExactly(Severity.DEBUG, Severity.INFO);
  }

  @Test
  void whatTheLibraryLogsIsNoRecord() {
    LoggerFactory.getLogger("dev.throughline.telemetry.delivery.BatchExport").info("dropped");
    LoggerFactory.getLogger("io.opentelemetry.exporter.internal.http.HttpExporter").warn("failed");
    LoggerFactory.getLogger("okhttp3.internal.http2.Http2").info(">> HEADERS");
    logger.info("the application's");
    assertThat(recorded.takeLog().getBodyValue().asString()).isEqualTo("the application's");
  }

  @Test
  void anExporterThatLogsMakesNoLoop() {
    // A processor of OpenTelemetry's own, whose thread nobody has marked.
    makesNoLoop(
        telemetry(
            BatchLogRecordProcessor.builder(new TalkingExporter())
                .setScheduleDelay(Duration.ofMillis(1))
                .build()));
  }

  @Test
  void anExporterOfTheSettingsThatLogsMakesNoLoop() {
    makesNoLoop(exporting("otel.logs.exporter", "talking"));
  }

  private static void makesNoLoop(Telemetry other) {
    TalkingExporter.records.set(0);
    try (other) {
      LoggingTelemetry.create(other).install();
      other.span("work").run(() -> logger.info("one"));
      // Were the exporter's line a record, the next flush would export it.
      for (int i = 0; i < 3; i++) {
        assertThat(other.flush(PATIENCE).complete()).isTrue();
      }
    }
    assertThat(TalkingExporter.records).hasValue(1);
  }

  @Test
  void whatLogsOnTheWayOfAnExportMakesNoLoop() throws Exception {
    AtomicInteger selected = new AtomicInteger();
    HttpServer receiver =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext(
        "/",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          // Each export looks for its proxy again.
          exchange.getResponseHeaders().set("Connection", "close");
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    receiver.start();
    ProxySelector before = ProxySelector.getDefault();
    ProxySelector.setDefault(
        new ProxySelector() {
          @Override
          public List<Proxy> select(URI uri) {
            selected.incrementAndGet();
            logger.info("no proxy for {}", uri);
            return List.of(Proxy.NO_PROXY);
          }

          @Override
          public void connectFailed(URI uri, SocketAddress address, IOException failure) {}
        });
    try (Telemetry other =
        exporting(
            "otel.exporter.otlp.endpoint",
            "http://127.0.0.1:" + receiver.getAddress().getPort() + "/v1/logs",
            "otel.exporter.otlp.protocol",
            "http/protobuf")) {
      LoggingTelemetry.create(other).install();
      for (int i = 1; i <= 3; i++) {
        other.span("work").run(() -> logger.info("one"));
        assertThat(other.flush(PATIENCE).logRecords().delivered()).isEqualTo(i);
      }
      assertThat(other.delivery().logRecords().created()).isEqualTo(3);
      assertThat(selected.get()).isPositive();
    } finally {
      ProxySelector.setDefault(before);
      receiver.stop(0);
    }
  }

  private static Telemetry exporting(String... settings) {
    var builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none");
    for (int i = 0; i < settings.length; i += 2) {
      builder.addProperty(settings[i], settings[i + 1]);
    }
    return builder.build();
  }

  @Test
  void anExporterThatLogsOnTheSameThreadMakesNoLoop() {
    AtomicInteger records = new AtomicInteger();
    try (Telemetry other =
        telemetry(
            (context, log) -> {
              records.incrementAndGet();
              logger.info("exporting");
            })) {
      LoggingTelemetry.create(other).install();
      other.span("work").run(() -> logger.info("one"));
    }
    assertThat(records).hasValue(1);
  }

  @Test
  void linesWithinASpanOfAnotherTelemetryAreTheOthers() {
    AtomicInteger others = new AtomicInteger();
    try (Telemetry other = telemetry((context, log) -> others.incrementAndGet())) {
      LoggingTelemetry.create(other).install();
      other.span("work").run(() -> logger.info("the other's"));
      telemetry.span("work").run(() -> logger.info("mine"));
    }
    assertThat(others).hasValue(1);
    assertThat(recorded.takeLog().getBodyValue().asString()).isEqualTo("mine");
    recorded.takeSpan();
  }

  @Test
  void aProcessorThatThrowsDoesNotReachTheApplication() {
    AtomicInteger records = new AtomicInteger();
    try (Telemetry other =
        telemetry(
            (context, log) -> {
              records.incrementAndGet();
              throw new NoSuchMethodError("another version");
            })) {
      LoggingTelemetry.create(other).install();
      other.span("work").run(() -> logger.info("goes on"));
    }
    assertThat(records).hasValue(1);
    guardLogged("LogRecordProcessor.onEmit threw in dev.throughline.telemetry");
  }

  /** What the guard logs, where that is seen. */
  void guardLogged(String line) {
    recorded.expectWarn(line);
  }

  @Test
  void goesOnAfterTheBackEndWasConfiguredAnew() {
    reconfigure();
    setLevel("DEBUG");
    logger.info("after");
    assertThat(recorded.takeLog().getBodyValue().asString()).isEqualTo("after");
  }

  @Test
  void isGoneOnceTheTelemetryIsClosed() {
    List<String> before = appenders();
    assertThat(before).anyMatch(name -> name.startsWith("throughline"));
    try (Telemetry other = telemetry((context, log) -> {})) {
      LoggingTelemetry logging = LoggingTelemetry.create(other);
      logging.install();
      logging.install();
      assertThat(appenders()).hasSize(before.size() + 1);
    }
    assertThat(appenders()).isEqualTo(before);
  }

  @Test
  void aSecondInstallForOneTelemetryRecordsOnce() {
    LoggingTelemetry.create(telemetry).install();
    logger.info("first");
    telemetry.span("work").run(() -> logger.info("second"));
    logger.info("last");
    assertThat(recorded.takeLogs(3))
        .extracting(log -> log.getBodyValue().asString())
        .containsExactly("first", "second", "last");
    recorded.takeSpan();
  }

  @Test
  void aLineThatDoesNotReachTheRootIsARecord() {
    String name = "com.acme.audit" + System.nanoTime();
    List<String> lines = append(name);
    setAdditive(name, false);
    LoggerFactory.getLogger(name).warn("at the logger itself");
    LoggerFactory.getLogger(name + ".Orders").warn("below it");
    LoggerFactory.getLogger(name + ".Orders$Inner").warn("of a nested class");
    setAdditive(name, true);
    LoggerFactory.getLogger(name).warn("additive again");
    setAdditive(name, false);
    reconfigure();
    List<String> after = append(name);
    setAdditive(name, false);
    LoggerFactory.getLogger(name).warn("configured again");
    logger.warn("last");

    assertThat(recorded.takeLogs(6))
        .extracting(log -> log.getBodyValue().asString())
        .containsExactly(
            "at the logger itself",
            "below it",
            "of a nested class",
            "additive again",
            "configured again",
            "last");
    assertThat(lines)
        .containsExactly("at the logger itself", "below it", "of a nested class", "additive again");
    assertThat(after).containsExactly("configured again");
  }

  @Test
  void aLoggerThatIsSilencedIsNoRecord() {
    String name = "com.acme.silent" + System.nanoTime();
    setAdditive(name, false);
    LoggerFactory.getLogger(name).warn("nowhere");
    LoggerFactory.getLogger(name + ".Below").warn("nowhere either");
    logger.warn("last");
    assertThat(recorded.takeLog().getBodyValue().asString()).isEqualTo("last");
  }

  @Test
  void whatCannotBeReadCostsItselfAlone() {
    logger.warn("argument {}", new Unreadable());
    List<Object> endless = new ArrayList<>();
    List<Object> other = new ArrayList<>(List.of(endless));
    endless.add(other);
    logger.warn("endless {}", endless);
    logger.warn("last");
    List<LogRecordData> logs = recorded.takeLogs(3);
    assertThat(logs.get(0).getBodyValue().asString()).startsWith("argument [");
    assertThat(logs.get(1).getBodyValue().asString()).startsWith("endless ");
    assertThat(logs.get(2).getBodyValue().asString()).isEqualTo("last");
  }

  @Test
  void anExceptionThatCausesItselfIsARecord() {
    Exception first = new Exception("first");
    Exception second = new Exception("second", first);
    first.initCause(second);
    logger.warn("circle", second);
    assertThat(attributes(recorded.takeLog()))
        .contains(entry("exception.message", "second"))
        .extractingByKey("exception.stacktrace")
        .asString()
        .contains("first");
  }

  static final class Unreadable {
    @Override
    public String toString() {
      throw new IllegalStateException("toString");
    }
  }

  @Test
  void thereIsNoAppenderWhereNoRecordGoesAnywhere() {
    List<String> before = appenders();
    try (Telemetry other = telemetry(null)) {
      LoggingTelemetry.create(other).install();
      assertThat(appenders()).isEqualTo(before);
    }
  }

  private static Telemetry telemetry(LogRecordProcessor processor) {
    var builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none");
    if (processor != null) {
      builder.addLogRecordProcessor(processor);
    }
    return builder.build();
  }
}
