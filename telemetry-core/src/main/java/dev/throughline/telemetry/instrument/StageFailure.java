// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** The exception that a {@code CompletionStage} or a {@code Future} failed with, unwrapped. */
public final class StageFailure {

  private StageFailure() {}

  /**
   * The cause of a {@link CompletionException} or an {@link ExecutionException}, which the JDK puts
   * around what a stage failed with; any other exception as it is.
   *
   * @return null for null
   */
  public static @Nullable Throwable cause(@Nullable Throwable thrown) {
    if (thrown instanceof CompletionException || thrown instanceof ExecutionException) {
      Throwable cause = thrown.getCause();
      return cause == null ? thrown : cause;
    }
    return thrown;
  }
}
