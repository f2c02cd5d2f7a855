// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedactedUrlTest {

  @ParameterizedTest
  @CsvSource({
    "a=1, a=REDACTED",
    "a=1&b=2, a=REDACTED&b=REDACTED",
    "a=, a=REDACTED",
    "a=1=2, a=REDACTED",
    "token, REDACTED",
    "a=1&token, a=REDACTED&REDACTED",
    "token&a=1, REDACTED&a=REDACTED",
    "a=1&&b=2&, a=REDACTED&&b=REDACTED&",
    "'', ''"
  })
  void redactsTheValuesOfAQuery(String query, String redacted) {
    assertThat(RedactedUrl.query(query)).isEqualTo(redacted);
  }

  @ParameterizedTest
  @CsvSource({
    "http://h/p, http://h/p",
    "http://h:8080/p?a=1#f, http://h:8080/p?a=REDACTED",
    "https://u:p@h/p, https://REDACTED:REDACTED@h/p",
    "https://token@h/p, https://REDACTED@h/p",
    "http://[::1]:80/p?x, http://[::1]:80/p?REDACTED",
    "http://under_score:81/p?a=1, http://under_score:81/p?a=REDACTED"
  })
  void redactsAUrl(String url, String redacted) {
    assertThat(RedactedUrl.of(URI.create(url))).isEqualTo(redacted);
  }
}
