// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Telemetry that is built and closed again and again leaves nothing behind. */
@Timeout(240)
class CyclesTest {

  @Test
  void leaveNoThreadAndNoSocket() throws IOException {
    leaveNothing(20);
  }

  @Test
  @Tag("full")
  void leaveNoThreadAndNoSocketAfterAHundred() throws IOException {
    leaveNothing(100);
  }

  private static void leaveNothing(int cycles) throws IOException {
    try (OtlpReceiver grpc = OtlpReceiver.grpc();
        OtlpReceiver http = OtlpReceiver.http();
        ClosedPort refusing = new ClosedPort();
        HangingReceiver hanging = new HangingReceiver();
        ChildJvm good = child(cycles, grpc.authority(), http.authority());
        ChildJvm refused = child(cycles, refusing.authority(), refusing.authority());
        ChildJvm hung = child(cycles, hanging.authority(), hanging.authority())) {
      for (ChildJvm child : List.of(good, refused, hung)) {
        assertThat(child.awaitExit()).isZero();
        assertThat(child.said("left ")).containsExactly("nothing");
      }
      assertThat(grpc.spans()).hasSize(cycles / 2);
      assertThat(http.spans()).hasSize(cycles / 2);
    }
  }

  private static ChildJvm child(int cycles, String grpc, String http) {
    return ChildJvm.of(CyclesMain.class)
        .environment("CYCLES", String.valueOf(cycles))
        .environment("GRPC", grpc)
        .environment("HTTP", http)
        .start();
  }

  /** Builds telemetry, records something, closes it: over gRPC and HTTP by turns. */
  static final class CyclesMain {

    public static void main(String[] args) throws IOException {
      TreeMap<String, Integer> before = threads();
      for (int i = 0; i < Integer.parseInt(System.getenv("CYCLES")); i++) {
        cycle(i % 2 == 0 ? "grpc" : "http/protobuf", System.getenv(i % 2 == 0 ? "GRPC" : "HTTP"));
      }
      long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
      while (!isClean(before) && System.nanoTime() - end < 0) {
        LockSupport.parkNanos(50_000_000);
      }
      System.out.println(
          "left " + (isClean(before) ? "nothing" : threads() + ", sockets: " + sockets()));
    }

    /** The JDK keeps one socket of its own, by which it closes those that are being read. */
    private static boolean isClean(TreeMap<String, Integer> before) throws IOException {
      return threads().equals(before) && sockets() <= 1;
    }

    private static void cycle(String protocol, String endpoint) {
      try (Telemetry telemetry =
          Telemetry.builder()
              .ignoreEnvironment()
              .setServiceName("cycles")
              .addProperty("otel.exporter.otlp.endpoint", endpoint)
              .addProperty("otel.exporter.otlp.protocol", protocol)
              .addProperty("telemetry.close.timeout", "100ms")
              .build()) {
        telemetry.meter().counterBuilder("sessions").build().add(1);
        telemetry.openTelemetry().getLogsBridge().get("t").logRecordBuilder().setBody("b").emit();
        telemetry.span("work").run(() -> {});
        if (System.getenv("GRPC").equals(System.getenv("HTTP"))) {
          return;
        }
        // The close alone may take no longer than a slow machine does to connect.
        telemetry.flush(Duration.ofSeconds(20));
      }
    }

    /** How many live, by their names. */
    private static TreeMap<String, Integer> threads() {
      TreeMap<String, Integer> threads = new TreeMap<>();
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        // Those that OkHttp and Okio have for the whole process end once they had nothing to do for
        // a minute.
        if (!List.of("OkHttp TaskRunner", "Okio Watchdog").contains(thread.getName())) {
          threads.merge(thread.getName(), 1, Integer::sum);
        }
      }
      return threads;
    }

    private static long sockets() throws IOException {
      Path own = Path.of("/proc/self/fd");
      if (!Files.isDirectory(own)) {
        return 0;
      }
      try (Stream<Path> files = Files.list(own)) {
        return files.filter(CyclesMain::isSocket).count();
      }
    }

    private static boolean isSocket(Path file) {
      try {
        return Files.readSymbolicLink(file).toString().startsWith("socket:");
      } catch (IOException e) {
        // Closed meanwhile.
        return false;
      }
    }
  }
}
