// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeaderGetterTest {

  private static final HeaderGetter<List<String>> GETTER =
      new HeaderGetter<>() {
        @Override
        protected List<String> lines(List<String> carrier, String name) {
          return carrier;
        }
      };

  /** As the parser reads it if nobody looks at it first. */
  private static final TextMapGetter<List<String>> UNCHECKED =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(List<String> carrier) {
          return List.of();
        }

        @Override
        public @Nullable String get(@Nullable List<String> carrier, String key) {
          return carrier == null ? null : carrier.get(0);
        }
      };

  // A logger that nobody holds is collected, with its handler.
  private final Logger parser = Logger.getLogger("io.opentelemetry.api.baggage.propagation.Parser");
  private final List<LogRecord> logged = new ArrayList<>();
  private final Handler capture =
      new Handler() {
        @Override
        public void publish(LogRecord record) {
          logged.add(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    parser.setUseParentHandlers(false);
    parser.setLevel(Level.ALL);
    parser.addHandler(capture);
  }

  @AfterEach
  void stop() {
    parser.removeHandler(capture);
    parser.setLevel(null);
    parser.setUseParentHandlers(true);
  }

  private static Map<String, String> baggage(TextMapGetter<List<String>> getter, String... lines) {
    Map<String, String> entries = new java.util.TreeMap<>();
    Baggage.fromContext(
            W3CBaggagePropagator.getInstance().extract(Context.root(), List.of(lines), getter))
        .forEach(
            (key, entry) ->
                entries.put(key, entry.getValue() + ';' + entry.getMetadata().getValue()));
    return entries;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a=1,b=2 | a=1,b=2",
        "a=%20,b=2 | a=%20,b=2",
        "a=%G,b=2 | b=2",
        "a=%2G,b=2 | b=2",
        "b=2,a=%+1 | b=2",
        "b=2,a=1;p=%zz | b=2",
        "a=%\uff11\uff11,b=2 | b=2",
        "a=100%,b=2 | a=100%,b=2",
        "a=%2;p,b=% | a=%2;p,b=%",
        "a=1;p=%;q,b=2 | b=2",
        "a=% ,b=%\t;p | a=% ,b=%\t;p",
      })
  void aMemberThatCannotBeDecodedIsLeftOut(String header, String read) {
    assertThat(GETTER.get(List.of(header), "baggage")).isEqualTo(read);
    assertThat(GETTER.getAll(List.of(header), "baggage")).toIterable().containsExactly(read);
  }

  @Test
  void eachLineIsReadForItself() {
    assertThat(baggage(GETTER, "a=%zz", "b=2", "c=%x,d=4"))
        .containsExactly(Map.entry("b", "2;"), Map.entry("d", "4;"));
    assertThat(GETTER.get(List.of("a=%zz", "b=2"), "baggage")).isEqualTo("b=2");
    assertThat(GETTER.get(List.of("a=%zz"), "tracestate")).isEqualTo("a=%zz");
    assertThat(GETTER.get(List.of("00-a", "00-b"), "traceparent")).isNull();
    assertThat(logged).isEmpty();
  }

  /** Eight kilobytes of them were megabytes of exceptions in the log. */
  @Test
  void aStrangersBaggageLogsNothing() {
    try (Telemetry telemetry =
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.traces.exporter", "none")
                .addProperty("otel.metrics.exporter", "none")
                .addProperty("otel.logs.exporter", "none")
                .build();
        Telemetry off =
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.sdk.disabled", "true")
                .build()) {
      String header = "a=%G,".repeat(1_600) + "customer_id=c1";
      for (Telemetry each : List.of(telemetry, off)) {
        Context context = each.extract(Map.of("baggage", header));
        assertThat(Baggage.fromContext(context).getEntryValue("customer_id")).isEqualTo("c1");
      }
    }
    assertThat(logged).isEmpty();
  }

  /** The parser with the check before it reads what the parser alone does, and logs nothing. */
  @Test
  void nothingElseIsLost() {
    Random random = new Random(20_261_201);
    String letters = "%%%2Gfa=,; \t\"\\\u00fc:";
    int broken = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder header = new StringBuilder("k=v");
      int length = random.nextInt(24);
      for (int c = 0; c < length; c++) {
        header.append(letters.charAt(random.nextInt(letters.length())));
      }
      Map<String, String> alone = baggage(UNCHECKED, header.toString());
      if (!logged.isEmpty()) {
        broken++;
        logged.clear();
      }
      Map<String, String> checked = baggage(GETTER, header.toString());
      assertThat(logged).as(header.toString()).isEmpty();
      assertThat(checked).as(header.toString()).isEqualTo(alone);
    }
    assertThat(broken).isPositive();
  }
}
