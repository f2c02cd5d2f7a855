// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.RequestConvention;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import dev.throughline.telemetry.internals.OpenTelemetryInternals;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.proto.trace.v1.Span;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The OpenTelemetry Java agent in the same process. */
class JavaAgentTest {

  private static final Path AGENT = Path.of("target", "agent", "opentelemetry-javaagent.jar");

  @Test
  void isNotRunningHere() {
    assertThat(OpenTelemetryInternals.isAgentRunning()).isFalse();
  }

  @Test
  void isAdoptedAndLeftTheWorkOfAdapters() {
    assertThat(AGENT).exists();
    try (OtlpReceiver receiver = OtlpReceiver.grpc();
        ChildJvm child =
            ChildJvm.of(AgentMain.class)
                .option("-javaagent:" + AGENT)
                .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://" + receiver.authority())
                .environment("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
                .environment("OTEL_METRICS_EXPORTER", "none")
                .environment("OTEL_LOGS_EXPORTER", "none")
                .environment("OTEL_SERVICE_NAME", "agent-service")
                .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("said "))
          .containsExactly(
              "running: true",
              "global: true",
              "enabled: true",
              "adapter starts a request: false",
              "carrier of the adapter: {}",
              "carrier of the service has traceparent: true",
              "flush: true");
      assertThat(child.output())
          .anyMatch(line -> line.contains("is the OpenTelemetry Java agent's"))
          .noneMatch(line -> line.contains("Telemetry of agent-service: traces to"));

      assertThat(receiver.spans())
          .extracting(Span::getName)
          .containsExactlyInAnyOrder("vnc.connect", "after the close");
      Span span =
          receiver.spans().stream()
              .filter(s -> s.getName().equals("vnc.connect"))
              .findFirst()
              .get();
      assertThat(span.getAttributesList())
          .anySatisfy(
              attribute -> {
                assertThat(attribute.getKey()).isEqualTo("baggage.session_id");
                assertThat(attribute.getValue().getStringValue()).isEqualTo("s-1");
              });
      assertThat(receiver.resource().getAttributesList())
          .anyMatch(attribute -> attribute.getKey().equals("telemetry.distro.name"));
    }
  }

  /** A service that was built with Throughline and is run with the agent. */
  static final class AgentMain {

    private static void say(String what, Object value) {
      System.out.println("said " + what + ": " + value);
    }

    public static void main(String[] args) {
      Telemetry telemetry = Telemetry.init("from-main");
      say("running", OpenTelemetryInternals.isAgentRunning());
      say("global", Telemetry.global() == telemetry);
      say("enabled", telemetry.isEnabled());
      RequestInstrumenter<Map<String, String>, String> adapter =
          telemetry.instrumenter("adapter", new MapConvention()).build();
      telemetry
          .span("vnc.connect")
          .baggage("session_id", "s-1")
          .run(
              () -> {
                Map<String, String> carrier = new HashMap<>();
                say("adapter starts a request", adapter.start(Context.current(), carrier) != null);
                say("carrier of the adapter", carrier);
                telemetry.inject(carrier);
                say("carrier of the service has traceparent", carrier.containsKey("traceparent"));
              });
      say("flush", telemetry.flush(Duration.ofSeconds(5)).complete());
      telemetry.close();
      // The agent's instance is the agent's to close.
      GlobalOpenTelemetry.getTracer("t").spanBuilder("after the close").startSpan().end();
    }
  }

  private static final class MapConvention
      implements RequestConvention<Map<String, String>, String> {

    @Override
    public SpanKind kind() {
      return SpanKind.CLIENT;
    }

    @Override
    public String spanName(Map<String, String> request) {
      return "of the adapter";
    }

    @Override
    public void onStart(AttributeSink attributes, Map<String, String> request) {}

    @Override
    public void onEnd(
        AttributeSink attributes, Map<String, String> request, String response, Throwable error) {}

    @Override
    public String errorType(Map<String, String> request, String response, Throwable error) {
      return null;
    }

    @Override
    public Attributes durationAttributes(
        Map<String, String> request, String response, Throwable error) {
      return Attributes.empty();
    }

    @Override
    public HeaderSetter<Map<String, String>> requestSetter() {
      return Map::put;
    }
  }
}
