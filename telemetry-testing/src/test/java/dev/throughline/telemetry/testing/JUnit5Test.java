// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The same compiled extension and kits on JUnit 5, in a JVM of its own. */
class JUnit5Test {

  private static final Path CONSOLE =
      Path.of("target/junit5/junit-platform-console-standalone.jar");

  @Test
  void extensionAndKitsRunOnJUnit5() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dsun.net.httpserver.nodelay=true",
                "-cp",
                CONSOLE + File.pathSeparator + classPathWithoutJUnit(),
                "org.junit.platform.console.ConsoleLauncher",
                "execute",
                "--disable-banner",
                "--disable-ansi-colors",
                "--details=tree",
                "--details-theme=ascii",
                "--select-class=" + JUnit5.class.getName(),
                "--select-class=" + TelemetryExtensionTest.Leaving.class.getName(),
                "--select-method=" + ReferenceClientTest.class.getName() + "#sendsItsContext")
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(output)
        .contains(
            "onJUnit5() [OK]",
            "span not taken: left",
            "span not ended: running",
            "scope not closed: opened on thread main",
            "log line not expected: WARN dev.throughline.Anything: oops 1",
            // Without OpenTelemetry's strict storage, ours sees what that one keeps to itself.
            "scope not closed: opened on thread main, closed on thread closer",
            "sendsItsContext() [OK]")
        .containsPattern("\\[ +9 tests failed +]")
        .containsPattern("\\[ +1 tests aborted +]");
    assertThat(process.exitValue()).isEqualTo(1);
  }

  /** Not named as a test, for Surefire has no JUnit 5 here. */
  static class JUnit5 {

    @Test
    void onJUnit5() {
      String from = Test.class.getProtectionDomain().getCodeSource().getLocation().getPath();
      assertThat(from).endsWith("junit-platform-console-standalone.jar");
    }
  }

  private static String classPathWithoutJUnit() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(path -> !Path.of(path).getFileName().toString().matches("(junit-|opentest4j).*"))
        .collect(Collectors.joining(File.pathSeparator));
  }
}
