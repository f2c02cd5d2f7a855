// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import dev.throughline.telemetry.doctor.Diagnostics;
import dev.throughline.telemetry.settings.Environment;
import java.io.PrintStream;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Says why telemetry does not arrive: {@code java -cp ... dev.throughline.telemetry.Doctor}, with
 * the class path and the variables of the service.
 *
 * <p>It looks at the settings, the versions on the class path and the OpenTelemetry Java agent; at
 * each OTLP endpoint's name, port, TLS, protocol and clock; and at whether each signal is taken. It
 * sends one span, {@code telemetry.doctor}, and requests without metrics and log records.
 *
 * <p>What it finds is a table for people, or with {@code --json} an object for programs. It exits
 * with 0 if nothing failed, 1 if something did, and 2 if it was called wrongly.
 */
public final class Doctor {

  // The JDK drops loggers that nobody holds, and their levels.
  private static final Logger EXPORTERS = Logger.getLogger("io.opentelemetry");

  private Doctor() {}

  /**
   * Looks, prints what it found to standard output, and ends the JVM.
   *
   * @param args {@code --json}, or nothing
   */
  public static void main(String[] args) {
    // They tell the same, with stack traces.
    EXPORTERS.setLevel(Level.OFF);
    System.exit(run(new Environment(Map.of(), false), System.out, args));
  }

  /** As {@link #main}, to wherever, and without the end. */
  static int run(Environment environment, PrintStream out, String... args) {
    return Diagnostics.run(environment, out, args);
  }
}
