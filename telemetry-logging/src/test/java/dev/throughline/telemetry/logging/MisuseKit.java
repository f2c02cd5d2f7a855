// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/**
 * Scopes that are closed in another way than they should be: what the MDC says is still what is
 * current. Without the extension, which fails a test for such scopes.
 */
abstract class MisuseKit {

  private final ExecutorService pool = Executors.newSingleThreadExecutor();
  private Telemetry telemetry;

  @BeforeEach
  void install() throws Exception {
    MDC.clear();
    // Where the MDC is inherited, this thread is made before there is anything to inherit.
    pool.submit(() -> {}).get();
    telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .build();
    LoggingTelemetry.create(telemetry).install();
  }

  @AfterEach
  void close() {
    pool.shutdownNow();
    telemetry.close();
    assertThat(Context.current()).isSameAs(Context.root());
    assertThat(MdcKit.mdc()).isEmpty();
  }

  private Context span(String name) {
    return telemetry.span(name).start().context();
  }

  private static void assertMdcIsOf(Context context) {
    assertThat(Context.current()).isSameAs(context);
    assertThat(MdcKit.mdc())
        .hasSize(3)
        .containsEntry("span_id", Span.fromContext(context).getSpanContext().getSpanId());
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // that is the misuse
  void closedOutOfOrder() {
    Context first = span("first");
    Context second = span("second");
    Scope outer = first.makeCurrent();
    Scope inner = second.makeCurrent();
    outer.close();
    assertMdcIsOf(second);
    inner.close();
    assertMdcIsOf(first);
    outer.close();
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // that is the misuse
  void closedTwice() {
    Context first = span("first");
    try (Scope outer = first.makeCurrent()) {
      Scope inner = span("second").makeCurrent();
      inner.close();
      inner.close();
      assertMdcIsOf(first);
    }
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // that is the misuse
  void closedOnAnotherThread() throws Exception {
    Context context = span("first");
    Scope scope = context.makeCurrent();
    pool.submit(
            () -> {
              MDC.put("trace_id", "the application's");
              // Strict context tells.
              assertThatThrownBy(scope::close).isInstanceOf(IllegalStateException.class);
              assertThat(MdcKit.mdc()).containsEntry("trace_id", "the application's").hasSize(1);
            })
        .get();
    assertMdcIsOf(context);
    scope.close();
  }
}
