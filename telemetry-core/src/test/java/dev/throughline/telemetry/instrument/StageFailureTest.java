// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class StageFailureTest {

  @Test
  void isWhatTheWrapperWasPutAround() {
    Exception cause = new IllegalStateException("of the test");
    assertThat(StageFailure.cause(new CompletionException(cause))).isSameAs(cause);
    assertThat(StageFailure.cause(new ExecutionException(cause))).isSameAs(cause);
  }

  @Test
  void isItselfWithoutAWrapperOrACause() {
    Exception plain = new IllegalStateException(new RuntimeException("its cause"));
    assertThat(StageFailure.cause(plain)).isSameAs(plain);
    Exception empty = new CompletionException("no cause", null);
    assertThat(StageFailure.cause(empty)).isSameAs(empty);
    assertThat(StageFailure.cause(null)).isNull();
  }
}
