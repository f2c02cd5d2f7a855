// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.impl.InstrumentationUtil;
import io.opentelemetry.context.Context;
import org.junit.jupiter.api.Test;

/** OpenTelemetry's internals are where {@link Internals} looks for them. */
class InternalsTest {

  @Test
  void senderSuppressesWhatItRuns() {
    assertThat(Internals.isSuppressed(Context.current())).isFalse();
    InstrumentationUtil.suppressInstrumentation(
        () -> assertThat(Internals.isSuppressed(Context.current())).isTrue());
  }

  @Test
  void appendersReadWhichNamesAreStable() throws Exception {
    Internals.chooseStableNames();
    Class<?> stability = Class.forName(Internals.SEMCONV_STABILITY);
    assertThat(stability.getMethod("emitStableCodeSemconv").invoke(null)).isEqualTo(true);
    assertThat(stability.getMethod("emitOldCodeSemconv").invoke(null)).isEqualTo(false);
    assertThat(System.getProperty("otel.semconv-stability.opt-in")).isNull();
  }
}
