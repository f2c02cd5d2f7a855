// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.HeaderGetter;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BaggageMemoryTest {

  private final AtomicInteger parsed = new AtomicInteger();
  private final AtomicInteger written = new AtomicInteger();
  private final BaggageMemory memory = new BaggageMemory(new Counting());

  @Test
  void parsesAHeaderOnce() {
    Baggage first = extract("customer_id=c%201,session_id=s-1;p=1");
    Baggage second = extract("customer_id=c%201,session_id=s-1;p=1");
    assertThat(parsed).hasValue(1);
    assertThat(second).isEqualTo(first).hasSameHashCodeAs(first);
    assertThat(second.getEntryValue("customer_id")).isEqualTo("c 1");
    assertThat(second.getEntryValue("absent")).isNull();
    assertThat(second.size()).isEqualTo(2);
    assertThat(second.asMap()).containsOnlyKeys("customer_id", "session_id");
    assertThat(second.getEntry("session_id").getMetadata().getValue()).isEqualTo("p=1");
    StringBuilder keys = new StringBuilder();
    second.forEach((key, entry) -> keys.append(key).append(' '));
    assertThat(keys.toString()).contains("customer_id ", "session_id ");
    assertThat(extract("customer_id=c2").getEntryValue("customer_id")).isEqualTo("c2");
  }

  @Test
  void sendsOnWhatNobodyChanged() {
    Map<String, String> carrier = new HashMap<>();
    memory.inject(Context.root().with(extract("customer_id=c%201 , a=b;p=1")), carrier, Map::put);
    assertThat(carrier).containsExactly(Map.entry("baggage", "customer_id=c%201 , a=b;p=1"));
    assertThat(written).hasValue(0);
  }

  @Test
  void writesWhatWasChanged() {
    Map<String, String> carrier = new HashMap<>();
    Baggage changed = extract("customer_id=c1").toBuilder().put("session_id", "s-1").build();
    memory.inject(Context.root().with(changed), carrier, Map::put);
    assertThat(carrier.get("baggage")).contains("customer_id=c1", "session_id=s-1");
    assertThat(written).hasValue(1);
  }

  @Test
  void neverTakesOneHeaderForAnother() {
    for (int i = 0; i < 10_000; i++) {
      assertThat(extract("session_id=s-" + i).getEntryValue("session_id")).isEqualTo("s-" + i);
      assertThat(extract("session_id=s-" + i / 2).getEntryValue("session_id"))
          .isEqualTo("s-" + i / 2);
    }
  }

  @Test
  void leavesLongHeadersAndForeignGettersToTheParser() {
    String longHeader = "k=" + "x".repeat(2_000);
    extract(longHeader);
    extract(longHeader);
    assertThat(parsed).hasValue(2);
    TextMapGetter<Map<String, String>> foreign =
        new TextMapGetter<>() {
          @Override
          public Iterable<String> keys(Map<String, String> carrier) {
            return carrier.keySet();
          }

          @Override
          public String get(@Nullable Map<String, String> carrier, String key) {
            return carrier.get(key);
          }
        };
    memory.extract(Context.root(), Map.of("baggage", "a=b"), foreign);
    memory.extract(Context.root(), Map.of("baggage", "a=b"), foreign);
    assertThat(parsed).hasValue(4);
  }

  @Test
  void aHeaderThatCarriesNothingChangesNothing() {
    assertThat(memory.extract(Context.root(), "", getter(null))).isSameAs(Context.root());
  }

  @Test
  void isWhatTelemetryPropagatesBaggageBy() {
    try (Telemetry telemetry =
        Telemetry.builder()
            .ignoreEnvironment()
            .addProperty("otel.traces.exporter", "none")
            .addProperty("otel.metrics.exporter", "none")
            .build()) {
      Map<String, String> carrier = new HashMap<>();
      telemetry
          .span("work")
          .parent(telemetry.extract(Map.of("baggage", "odd = spelling ;p")))
          .run(() -> telemetry.inject(carrier));
      assertThat(carrier.get("baggage")).isEqualTo("odd = spelling ;p");
    }
  }

  private Baggage extract(String header) {
    return Baggage.fromContext(memory.extract(Context.root(), header, getter(List.of(header))));
  }

  private static HeaderGetter<String> getter(@Nullable List<String> lines) {
    return new HeaderGetter<>() {
      @Override
      protected @Nullable List<String> lines(String carrier, String name) {
        return lines;
      }
    };
  }

  private final class Counting implements TextMapPropagator {

    private final TextMapPropagator w3c = W3CBaggagePropagator.getInstance();

    @Override
    public Collection<String> fields() {
      return w3c.fields();
    }

    @Override
    public <C> void inject(Context context, @Nullable C carrier, TextMapSetter<C> setter) {
      written.incrementAndGet();
      w3c.inject(context, carrier, setter);
    }

    @Override
    public <C> Context extract(Context context, @Nullable C carrier, TextMapGetter<C> getter) {
      parsed.incrementAndGet();
      return w3c.extract(context, carrier, getter);
    }
  }
}
