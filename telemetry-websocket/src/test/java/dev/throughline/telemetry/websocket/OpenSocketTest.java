// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A process whose socket is open: what it has exported by the time that it is killed. */
class OpenSocketTest {

  private static final Pattern SEGMENT =
      Pattern.compile("'websocket\\.session' : .*throughline\\.segment\\.number=(\\d+).*");
  private static final Pattern SIDE =
      Pattern.compile("throughline\\.websocket\\.side=(client|server)");

  @Test
  @Timeout(60)
  void aProcessThatIsKilledLosesTheLastSegment() throws Exception {
    killAfter(4, Duration.ofMillis(400));
  }

  /** The same as somebody would run it. */
  @Test
  @Tag("full")
  @Timeout(120)
  void aSocketOfTwentySecondsIsSeenEveryTwo() throws Exception {
    killAfter(9, Duration.ofSeconds(2));
  }

  private static void killAfter(int segments, Duration limit) throws Exception {
    Process process = start(limit);
    List<Integer> clients = new ArrayList<>();
    List<Integer> servers = new ArrayList<>();
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Matcher segment = SEGMENT.matcher(line);
        Matcher side = SIDE.matcher(line);
        if (segment.find() && side.find()) {
          (side.group(1).equals("client") ? clients : servers)
              .add(Integer.valueOf(segment.group(1)));
          if (clients.size() >= segments && servers.size() >= segments) {
            // Not the process itself, which would close its output.
            process.toHandle().destroyForcibly();
          }
        }
      }
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.waitFor()).isNotZero();
    for (List<Integer> seen : List.of(clients, servers)) {
      assertThat(seen).hasSizeGreaterThanOrEqualTo(segments);
      for (int i = 0; i < seen.size(); i++) {
        assertThat(seen.get(i)).isEqualTo(i + 1);
      }
    }
  }

  private static Process start(Duration limit) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                OpenSocket.class.getName())
            .redirectErrorStream(true);
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.matches("(OTEL|TELEMETRY|TRACING)_.*|.*JAVA.*OPTIONS"));
    builder.environment().put("OTEL_TRACES_EXPORTER", "console");
    builder.environment().put("OTEL_METRICS_EXPORTER", "none");
    builder.environment().put("OTEL_LOGS_EXPORTER", "none");
    builder.environment().put("TELEMETRY_SEGMENT_LIMIT", limit.toMillis() + "ms");
    return builder.start();
  }
}
