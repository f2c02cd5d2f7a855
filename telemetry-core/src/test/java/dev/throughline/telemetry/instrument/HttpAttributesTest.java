// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.AttributeKey;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpAttributesTest {

  private final Map<String, Object> set = new HashMap<>();
  private final AttributeSink sink =
      new AttributeSink() {
        @Override
        public <T> void set(AttributeKey<T> key, @Nullable T value) {
          if (value != null) {
            set.put(key.getKey(), value);
          }
        }
      };

  @ParameterizedTest
  @CsvSource({"GET, GET", "QUERY, QUERY", "get, _OTHER", "BREW, _OTHER"})
  void knowsTheMethodsOfTheConventions(String method, String value) {
    assertThat(HttpAttributes.method(method)).isEqualTo(value);
  }

  @Test
  void showsARequestThatIsServed() {
    HttpAttributes.setServed(sink, "BREW", "/pots/{id}", "/pots/7", "http", "key=secret", null);
    assertThat(set)
        .containsOnly(
            Map.entry("http.request.method", "_OTHER"),
            Map.entry("http.request.method_original", "BREW"),
            Map.entry("http.route", "/pots/{id}"),
            Map.entry("url.path", "/pots/7"),
            Map.entry("url.scheme", "http"),
            Map.entry("url.query", "key=REDACTED"));
  }

  @Test
  void showsARequestThatIsSent() {
    HttpAttributes.setSent(sink, "GET", URI.create("http://u:secret@agent:8082/a?b=c"));
    HttpAttributes.setServer(sink, HostAndPort.parse("agent:8082"));
    HttpAttributes.setAnswered(sink, 204, "1.1");
    assertThat(set)
        .containsOnly(
            Map.entry("http.request.method", "GET"),
            Map.entry("url.full", "http://REDACTED:REDACTED@agent:8082/a?b=REDACTED"),
            Map.entry("server.address", "agent"),
            Map.entry("server.port", 8082L),
            Map.entry("http.response.status_code", 204L),
            Map.entry("network.protocol.version", "1.1"));
  }

  @Test
  void nothingIsKnownOfAResponseThatDidNotCome() {
    HttpAttributes.setAnswered(sink, 0, "1.1");
    HttpAttributes.setServer(sink, HostAndPort.NONE);
    assertThat(set).isEmpty();
  }

  @Test
  void eachNumberIsBoxedOnceWhileItRepeats() {
    for (int number : new int[] {0, 200, 404, 8080, 49_152, 65_535, -1, 1_000_000}) {
      assertThat(BoxedNumbers.of(number)).isEqualTo(number).isSameAs(BoxedNumbers.of(number));
    }
  }
}
