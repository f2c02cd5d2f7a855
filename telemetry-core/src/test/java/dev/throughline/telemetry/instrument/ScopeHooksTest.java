// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScopeHooksTest {

  private final List<String> seen = new ArrayList<>();
  private final List<Telemetry> built = new ArrayList<>();

  private final class Recording implements ScopeHook {

    private final String name;

    Recording(String name) {
      this.name = name;
    }

    @Override
    public Scope entered(Context before, Context now, Scope scope) {
      seen.add(name + " " + Span.fromContext(now).getSpanContext().isValid());
      return () -> {
        scope.close();
        seen.add(name + " left");
      };
    }

    @Override
    public void closed() {
      seen.add(name + " closed");
    }
  }

  private Telemetry telemetry(ScopeHook hook) {
    Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .build();
    built.add(telemetry);
    if (hook != null) {
      telemetry.setScopeHook(hook);
    }
    return telemetry;
  }

  @AfterEach
  void close() {
    built.forEach(Telemetry::close);
    assertThat(Context.current()).isSameAs(Context.root());
  }

  @Test
  void goesAlongWithTheContextsOfItsTelemetry() {
    Telemetry hooked = telemetry(new Recording("a"));
    Telemetry other = telemetry(null);
    other.span("other").run(() -> {});
    assertThat(seen).isEmpty();
    hooked
        .span("mine")
        .run(
            () -> {
              other.span("below").run(() -> {});
              try (Scope none = Context.root().makeCurrent()) {
                seen.add("root");
              }
              try (Scope same = Context.current().makeCurrent()) {
                seen.add("same");
              }
            });
    assertThat(seen)
        .containsExactly(
            "a true", "a true", "a left", "a false", "root", "a left", "same", "a left");
  }

  @Test
  void eachTelemetryHasItsOwn() {
    Telemetry a = telemetry(new Recording("a"));
    Telemetry b = telemetry(new Recording("b"));
    a.span("a").run(() -> b.span("b").run(() -> {}));
    assertThat(seen).containsExactly("a true", "b true", "b left", "a left");
  }

  @Test
  void isLetGoOfWhenTheTelemetryIsClosed() {
    Telemetry telemetry = telemetry(new Recording("a"));
    telemetry.close();
    telemetry.span("late").run(() -> {});
    assertThat(seen).containsExactly("a closed");
  }

  @Test
  void oneThatThrowsDoesNotReachTheApplication() {
    Telemetry telemetry =
        telemetry(
            new ScopeHook() {
              @Override
              public Scope entered(Context before, Context now, Scope scope) {
                throw new NoSuchMethodError("another version");
              }

              @Override
              public void closed() {
                throw new IllegalStateException("closed");
              }
            });
    telemetry
        .span("work")
        .run(span -> assertThat(Span.current().getSpanContext().isValid()).isTrue());
    telemetry.close();
  }

  @Test
  void thereIsNoneWithTelemetryOff() {
    Telemetry.noop().setScopeHook(new Recording("a"));
    Telemetry.noop().span("work").run(() -> {});
    assertThat(seen).isEmpty();
  }
}
