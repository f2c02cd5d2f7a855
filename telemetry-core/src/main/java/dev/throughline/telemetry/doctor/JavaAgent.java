// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.doctor;

/** The OpenTelemetry Java agent, if it runs in this process. */
final class JavaAgent {

  private JavaAgent() {}

  /**
   * Looks for the agent itself, on the bootstrap class path that it adds its classes to: that a
   * global instance is set also holds for any other SDK.
   */
  static boolean isRunning() {
    try {
      Class.forName("io.opentelemetry.javaagent.bootstrap.AgentInitializer", false, null);
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }
}
