// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.TelemetryBuilder;
import dev.throughline.telemetry.instrument.ScopeHooks;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * Telemetry for a test class, whose spans, metrics and log records stay in memory and are taken
 * from there. For JUnit 5 and 6.
 *
 * <pre>{@code
 * @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();
 *
 * @Test void createsOneTrace() {
 *   service(telemetry.telemetry()).createSession();
 *   assertThat(telemetry).tree("""
 *       POST /CreateVNCSession  SERVER
 *         session.create
 *       """);
 * }
 * }</pre>
 *
 * <p>A test fails for what it leaves behind: finished spans that it did not take, spans that it did
 * not end, scopes that it did not close, and, where Logback logs, a WARN or ERROR of the library
 * that it did not expect. Where the test has failed already, that is suppressed by its failure.
 *
 * <p>A static field gives the class one telemetry, cleared before each test; an instance field
 * gives each test its own. Nothing is shared between classes, so they may run at once; the tests of
 * a class that share a static field may not.
 */
public final class TelemetryExtension
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

  static {
    // A test may use the context before it asks for the telemetry.
    ScopeHooks.prepare();
  }

  private final Map<String, String> properties;
  private final Duration timeout;
  private final Spans spans = new Spans();
  private final Inbox<LogRecordData> logs = new Inbox<>();
  private final Inbox<Warning> warnings = new Inbox<>();
  private final Scopes scopes = new Scopes();
  private final AtomicReference<@Nullable String> running = new AtomicReference<>();
  private @Nullable Recording recording;
  private int classes;

  private record Recording(Telemetry telemetry, Metrics metrics) {}

  TelemetryExtension(TelemetryExtensionBuilder builder) {
    properties = Map.copyOf(builder.properties);
    timeout = builder.timeout;
  }

  /** An extension with the standard settings, which wait five seconds at the most. */
  public static TelemetryExtension create() {
    return builder().build();
  }

  /** A builder of an extension with other settings. */
  public static TelemetryExtensionBuilder builder() {
    return new TelemetryExtensionBuilder();
  }

  /** The telemetry to hand to what is tested; closed after the last test. */
  public Telemetry telemetry() {
    return recording().telemetry;
  }

  /** Takes the finished span that ended first, and waits for it. */
  public SpanData takeSpan() {
    return spans.take(1, timeout).get(0);
  }

  /** Takes the finished spans that ended first, and waits for them; in the order they ended. */
  public List<SpanData> takeSpans(int count) {
    return spans.take(count, timeout);
  }

  /**
   * Takes all finished spans as soon as a condition holds of them; in the order they ended.
   *
   * @param until looked at whenever a span ends
   */
  public List<SpanData> takeSpans(Predicate<? super List<SpanData>> until) {
    return spans.take(until, timeout);
  }

  /** What a metric's instrument recorded since the test began, as soon as there is any of it. */
  public MetricData metric(String name) {
    return metric(name, metric -> true);
  }

  /**
   * What a metric's instrument recorded since the test began, as soon as a condition holds of it.
   *
   * @param name e.g. {@code http.server.request.duration}
   */
  public MetricData metric(String name, Predicate<? super MetricData> until) {
    return recording().metrics.await(name, until, timeout);
  }

  /** All that instruments recorded since the test began, as it is now. */
  public List<MetricData> metrics() {
    return recording().metrics.collect();
  }

  /** Takes the oldest log record, and waits for it. */
  public LogRecordData takeLog() {
    return takeLogs(1).get(0);
  }

  /** Takes the oldest log records, and waits for them. */
  public List<LogRecordData> takeLogs(int count) {
    if (logs.await(timeout, records -> records.size() >= count) == null) {
      throw new AssertionError(
          "Waited %s ms for %s log records. Emitted: %s."
              .formatted(timeout.toMillis(), count, logs.peek()));
    }
    return logs.take(count);
  }

  /**
   * Takes the oldest WARN or ERROR of the library that matches, and waits for it.
   *
   * @param regex to be found in the message
   * @throws IllegalStateException if Logback is not what logs
   */
  public void expectWarn(String regex) {
    if (!LibraryLog.watch()) {
      throw new IllegalStateException("A WARN is seen only where Logback is SLF4J's back end");
    }
    Predicate<Warning> wanted = warning -> Pattern.compile(regex).matcher(warning.message()).find();
    warnings.await(timeout, logged -> logged.stream().anyMatch(wanted));
    if (warnings.takeFirst(wanted) == null) {
      throw new AssertionError(
          "Waited %s ms for a WARN with \"%s\". Logged: %s."
              .formatted(timeout.toMillis(), regex, warnings.peek()));
    }
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    Owner.claim(this);
    synchronized (this) {
      classes++;
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    String other = running.compareAndExchange(null, context.getUniqueId());
    if (other != null) {
      throw new IllegalStateException(
          "The tests of a class share its TelemetryExtension and can't run at the same time: put"
              + " @Execution(SAME_THREAD) on the class, or the extension into an instance field");
    }
    Owner.claim(this);
    WatchedStorage.install();
    LibraryLog.watch();
    spans.begin();
    scopes.begin();
    logs.takeAll();
    recording().metrics.clear();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!context.getUniqueId().equals(running.get())) {
      // It did not begin, and what is recorded belongs to another.
      return;
    }
    Throwable failure = context.getExecutionException().orElse(null);
    // There is no point in waiting for more trouble after the first.
    Duration patience = failure == null ? timeout : Duration.ZERO;
    Leftovers leftovers = new Leftovers();
    leftovers.add("span not ended", spans.giveUpRunning(patience));
    leftovers.addScopes(scopes.closeLeaks(patience));
    leftovers.add("span not taken", Spans.names(spans.takeLeftovers()));
    closeAfterLast();
    leftovers.add("log line not expected", warnings.takeAll());
    Owner.release();
    running.set(null);
    if (!(failure instanceof TestAbortedException)) {
      leftovers.failIfAny();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    synchronized (this) {
      classes--;
    }
    closeAfterLast();
    Leftovers leftovers = new Leftovers();
    leftovers.add("log line not expected", warnings.takeAll());
    Owner.release();
    leftovers.failIfAny();
  }

  Duration timeout() {
    return timeout;
  }

  Spans spans() {
    return spans;
  }

  Scopes scopes() {
    return scopes;
  }

  Inbox<Warning> warnings() {
    return warnings;
  }

  private synchronized Recording recording() {
    Recording current = recording;
    if (current == null) {
      // The threads that telemetry starts work for this test, too.
      Owner.claim(this);
      try {
        current = record();
      } finally {
        Owner.release();
      }
      recording = current;
    }
    return current;
  }

  private Recording record() {
    Metrics metrics = new Metrics();
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("test")
            .addSpanProcessor(spans)
            .addMetricReader(metrics.reader())
            .addLogRecordProcessor((context, log) -> logs.add(log.toLogRecordData()));
    properties.forEach(builder::addProperty);
    Recording made = new Recording(builder.build(), metrics);
    Owner.add(this);
    return made;
  }

  private synchronized void closeAfterLast() {
    if (classes == 0 && recording != null) {
      recording.telemetry.close();
      recording = null;
      Owner.remove(this);
    }
  }
}
