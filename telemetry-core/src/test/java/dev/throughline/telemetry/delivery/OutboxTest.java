// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.ClosedPort;
import dev.throughline.telemetry.LogCapture;
import dev.throughline.telemetry.Wait;
import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OutboxTest {

  private final LogCapture log = new LogCapture();

  @AfterEach
  void release() {
    log.close();
  }

  @Test
  void anExplanationThatThrowsIsLeftOut() throws IOException {
    Outbox outbox =
        new Outbox(
            ComponentLoader.forClassLoader(getClass().getClassLoader()),
            (receiver, answer) -> {
              throw new NoClassDefFoundError("an explanation");
            },
            new Guard("test"));
    ClosedPort nobody = new ClosedPort();
    String endpoint = "http://" + nobody.authority() + "/v1/traces";
    OtlpHttpSpanExporter exporter =
        OtlpHttpSpanExporter.builder().setComponentLoader(outbox).setEndpoint(endpoint).build();
    SpanPipeline pipeline =
        outbox.spanPipeline(
            List.of(),
            outbox.spanExporter(exporter),
            new BatchSettings(Duration.ofMillis(1), 10, 1, Duration.ofSeconds(1)));
    SdkTracerProvider spans = SdkTracerProvider.builder().addSpanProcessor(pipeline).build();
    try {
      spans.get("test").spanBuilder("s").startSpan().end();
      Wait.until("the failure is told", () -> log.warnings().size() == 2);
    } finally {
      // First, or the provider would wait for an answer.
      outbox.abandon();
      spans.close();
      nobody.close();
    }

    assertThat(log.warnings())
        .anyMatch(line -> line.contains("Explanation.of"))
        .anyMatch(
            line ->
                line.startsWith(
                    "Delivery of spans to "
                        + endpoint
                        + " fails and is tried again: Failed to connect to localhost"));
  }
}
