// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.toy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.toy.ToyAdapter.Letter;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** An adapter takes under 80 lines, and what is told about it is what compiles here. */
class ToyAdapterTest {

  private static final Path ADAPTER = Path.of("src/test/java/dev/throughline/toy/ToyAdapter.java");
  private static final Path INSTRUMENTER =
      Path.of("src/main/java/dev/throughline/telemetry/instrument/RequestInstrumenter.java");

  @Test
  void recordsItsRequestsAndSendsTheirContext() {
    Map<String, String> headers = new HashMap<>();
    List<SpanData> finished;
    try (Letters letters = new Letters()) {
      Telemetry telemetry = letters.telemetry();
      String answer =
          ToyAdapter.wrap(telemetry, letter -> "dear sender").send(new Letter("agent", headers));
      assertThat(answer).isEqualTo("dear sender");
      IllegalStateException thrown = new IllegalStateException("no such house");
      ToyAdapter.Post closed =
          ToyAdapter.wrap(
              telemetry,
              letter -> {
                throw thrown;
              });
      assertThatThrownBy(() -> closed.send(new Letter("nobody", new HashMap<>()))).isSameAs(thrown);
      finished = letters.finished();
    }
    assertThat(finished).extracting(SpanData::getName).containsOnly("letter.send").hasSize(2);
    assertThat(headers.get("traceparent")).contains(finished.get(0).getSpanId());
  }

  @Test
  void passesAContextOnWithTelemetryOff() {
    String traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Map<String, String> headers = new HashMap<>();
    try (Letters letters = new Letters("otel.sdk.disabled", "true");
        Scope ignored =
            letters.telemetry().extract(Map.of("traceparent", traceparent)).makeCurrent()) {
      ToyAdapter.wrap(letters.telemetry(), letter -> "dear sender")
          .send(new Letter("agent", headers));
      assertThat(letters.finished()).isEmpty();
    }
    assertThat(headers).containsEntry("traceparent", traceparent);
  }

  @Test
  void takesUnder80Lines() throws IOException {
    assertThat(
            Files.readAllLines(ADAPTER).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("import"))
                .filter(line -> !line.startsWith("//"))
                .count())
        .isLessThan(80);
  }

  @Test
  void theTemplateIsWhatCompilesHere() throws IOException {
    Matcher template =
        Pattern.compile("<pre>\\{@code\\n(.*?)\\n \\* \\}</pre>", Pattern.DOTALL)
            .matcher(Files.readString(INSTRUMENTER));
    assertThat(template.find()).isTrue();
    String code = template.group(1).replaceAll("(?m)^ \\* ?", "");
    assertThat(Files.readString(ADAPTER)).containsIgnoringWhitespaces(code);
  }
}
