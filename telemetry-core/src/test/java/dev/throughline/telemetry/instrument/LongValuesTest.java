// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.toy.Letters;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LongValuesTest {

  private static final AttributeKey<String> TEXT = AttributeKey.stringKey("url.path");
  private static final AttributeKey<List<String>> TEXTS =
      AttributeKey.stringArrayKey("http.request.header.x");

  @Test
  void textsAreCut() {
    String fits = "x".repeat(4_096);
    assertThat(LongValues.cut(TEXT, fits, 4_096)).isSameAs(fits);
    assertThat(LongValues.cut(TEXT, fits + "y", 4_096)).isEqualTo(fits);
    assertThat(LongValues.cut(TEXTS, List.of("a", fits + "y"), 4_096))
        .isEqualTo(List.of("a", fits));
    List<String> same = List.of("a", fits);
    assertThat(LongValues.cut(TEXTS, same, 4_096)).isSameAs(same);
    assertThat(LongValues.cut(AttributeKey.longKey("n"), 7L, 4_096)).isEqualTo(7L);
  }

  @Test
  void noCharacterIsCutInTwo() {
    assertThat(LongValues.cut(TEXT, "x".repeat(4_095) + "\ud83d\ude00", 4_096))
        .isEqualTo("x".repeat(4_095));
  }

  @Test
  void theTextOfAStatementIsTheApplicationsOwn() {
    String statement = "SELECT " + "x".repeat(10_000);
    assertThat(LongValues.cut(AttributeKey.stringKey("db.query.text"), statement, 4_096))
        .isSameAs(statement);
  }

  @ParameterizedTest
  @CsvSource({
    ", , 4096",
    "otel.attribute.value.length.limit, 5000, 5000",
    "otel.span.attribute.value.length.limit, 100, 100"
  })
  void theLimitOfTheSdkWins(String setting, String value, int length) {
    try (Letters letters = setting == null ? new Letters() : new Letters(setting, value)) {
      assertThat(letters.sent("x".repeat(6_000))).hasSize(length);
    }
  }

  @Test
  void anExceptionsMessageIsCutAndSoIsItsStackTrace() {
    String text = "x".repeat(100_000);
    try (Letters letters = new Letters()) {
      for (RuntimeException thrown :
          List.of(
              new IllegalStateException(text), new IllegalStateException("y", new Error(text)))) {
        try {
          letters
              .telemetry()
              .span("work")
              .run(
                  () -> {
                    throw thrown;
                  });
        } catch (IllegalStateException e) {
          assertThat(e).isSameAs(thrown);
        }
        SpanData span = letters.lastFinished();
        assertThat(span.getStatus().getDescription()).hasSizeLessThanOrEqualTo(4_096);
        assertThat(span.getEvents())
            .singleElement()
            .satisfies(
                event -> {
                  Attributes attributes = event.getAttributes();
                  assertThat(event.getName()).isEqualTo("exception");
                  assertThat(attributes.get(AttributeKey.stringKey("exception.type")))
                      .isEqualTo("java.lang.IllegalStateException");
                  assertThat(attributes.get(AttributeKey.stringKey("exception.message")))
                      .isNotEmpty()
                      .hasSizeLessThanOrEqualTo(4_096);
                  assertThat(attributes.get(AttributeKey.stringKey("exception.stacktrace")))
                      .startsWith("java.lang.IllegalStateException: ")
                      .hasSize(16_384);
                });
      }
    }
  }

  @Test
  void aSpansNameIsCut() {
    try (Letters letters = new Letters()) {
      RequestConvention<String, String> longName =
          new RequestConvention<>() {
            @Override
            public SpanKind kind() {
              return SpanKind.SERVER;
            }

            @Override
            public String spanName(String name) {
              return name;
            }

            @Override
            public void onStart(AttributeSink attributes, String name) {}

            @Override
            public void onEnd(
                AttributeSink attributes,
                String name,
                @Nullable String response,
                @Nullable Throwable error) {}

            @Override
            public @Nullable String errorType(
                String name, @Nullable String response, @Nullable Throwable error) {
              return null;
            }

            @Override
            public Attributes durationAttributes(
                String name, @Nullable String response, @Nullable Throwable error) {
              return Attributes.empty();
            }
          };
      letters
          .telemetry()
          .instrumenter("test", longName)
          .build()
          .start(Context.root(), "n".repeat(100_000))
          .end(null, null);
      assertThat(letters.lastFinished().getName()).isEqualTo("n".repeat(4_096));
    }
  }

  @Test
  void aValueOfTheApplicationsOwnIsNotCut() {
    try (Letters letters = new Letters()) {
      Telemetry telemetry = letters.telemetry();
      telemetry.span("work").attribute("own", "x".repeat(6_000)).run(() -> {});
      assertThat(letters.last(AttributeKey.stringKey("own"))).hasSize(6_000);
    }
  }
}
