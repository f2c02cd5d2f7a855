// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.doctor;

import dev.throughline.telemetry.delivery.Answer;
import dev.throughline.telemetry.delivery.Receiver;
import dev.throughline.telemetry.settings.Environment;
import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** Finds out what is wrong between a service and its receiver. */
public final class Diagnostics {

  private Diagnostics() {}

  /**
   * Looks at everything, and prints what it found.
   *
   * @param args {@code --json}, or nothing
   * @return 0 if nothing failed, 1 if something did, 2 if it was called wrongly
   */
  public static int run(Environment environment, PrintStream out, String... args) {
    return Checkup.run(environment, out, args);
  }

  /**
   * Why an export failed, and what to do about it, in one line. If what was thrown says too little,
   * the receiver is asked once more, which may take some seconds.
   *
   * @return null if no more is known than the answer says
   */
  public static @Nullable String explain(Receiver receiver, Answer answer) {
    return Diagnosis.explain(receiver, answer);
  }

  /**
   * Which OpenTelemetry artifacts are on the class path in which version, if there is more than
   * one.
   *
   * @param classLoader where the service's OpenTelemetry comes from
   * @return null if all are of one version, or do not tell
   */
  public static @Nullable String mixOfVersions(@Nullable ClassLoader classLoader) {
    return OpenTelemetryVersions.mix(classLoader);
  }
}
