// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a service loads before it begins its own work; each of these runs in a JVM of its own. */
class StartUpTest {

  private static final String STARTED = "started";
  // The supertype of a request's body, which the verifier looks at.
  private static final String OKHTTP =
      "\\[.*] (?!okhttp3\\.RequestBody )(okhttp3|okio|kotlin)\\..*";

  private static ChildJvm.Launch launch(String protocol, OtlpReceiver receiver) {
    return ChildJvm.of(Main.class)
        .option("-Xlog:class+load")
        .environment("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .environment("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.authority());
  }

  private static List<String> until(String line, ChildJvm child) {
    List<String> output = child.output();
    return output.subList(0, output.indexOf(line));
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpc", "http/protobuf"})
  void whatSendsIsLoadedByTheFirstRequest(String protocol) throws IOException {
    try (OtlpReceiver receiver =
            protocol.equals("grpc") ? OtlpReceiver.grpc() : OtlpReceiver.http();
        ChildJvm child = launch(protocol, receiver).start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.output()).contains("all was delivered: true");
      assertThat(until(STARTED, child))
          .anyMatch(line -> line.contains("] io.opentelemetry.sdk.trace.SdkTracerProvider "))
          .noneMatch(line -> line.matches(OKHTTP));
      assertThat(child.output()).anyMatch(line -> line.matches(OKHTTP));
    }
  }

  @Test
  void offLoadsNothingOfTheSdk() throws IOException {
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        ChildJvm child =
            launch("grpc", receiver).environment("OTEL_SDK_DISABLED", "true").start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(until(STARTED, child))
          .anyMatch(line -> line.contains("] dev.throughline.telemetry.Telemetry "))
          .noneMatch(line -> line.contains("] io.opentelemetry.sdk."));
    }
  }

  /** Starts telemetry, ends a span, and delivers it. */
  static final class Main {

    public static void main(String[] args) {
      try (Telemetry telemetry = Telemetry.init("start-up")) {
        telemetry.span("first.span").run(() -> {});
        System.out.println(STARTED);
        System.out.println("all was delivered: " + telemetry.flush(Wait.LIMIT).complete());
      }
    }
  }
}
