// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.throughline.examples.service.Refusal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class TokensTest {

  private static final String KEY = "0123456789abcdef0123456789abcdef";
  private static final Clock NOW =
      Clock.fixed(Instant.parse("2026-07-01T12:00:00Z"), ZoneOffset.UTC);

  /** Made by another implementation; valid until 2100. */
  private static final String FOREIGN =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
          + ".eyJzdWIiOiJhZGEiLCJjdXN0b21lcl9pZCI6ImFjbWUiLCJleHAiOjQxMDI0NDQ4MDB9"
          + ".xjNlL3GNmlxa-8c3miZ9HznBY9TND0nyErjVcLOModY";

  private final Tokens tokens = new Tokens(KEY, NOW);

  @Test
  void knowsTheCustomerOfAToken() throws Refusal {
    assertThat(tokens.customerOf(tokens.sign("ada", "acme"))).isEqualTo("acme");
    assertThat(tokens.customerOf(FOREIGN)).isEqualTo("acme");
  }

  @Test
  void refusesATokenOfAnotherKey() {
    assertRefused(new Tokens(KEY + "x", NOW).sign("ada", "acme"), "The token is not valid");
  }

  @Test
  void refusesAChangedToken() {
    for (int i = 0; i < FOREIGN.length(); i++) {
      char other = FOREIGN.charAt(i) == 'A' ? 'B' : 'A';
      assertRefused(
          FOREIGN.substring(0, i) + other + FOREIGN.substring(i + 1), "The token is not valid");
    }
  }

  @Test
  void refusesATokenWithoutASignature() {
    assertRefused(
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
            + ".eyJzdWIiOiJhZGEiLCJjdXN0b21lcl9pZCI6ImFjbWUiLCJleHAiOjQxMDI0NDQ4MDB9.",
        "The token is not valid");
    assertRefused("", "The token is not valid");
    assertRefused("...", "The token is not valid");
  }

  @Test
  void refusesATokenThatHasExpired() {
    Clock before = Clock.offset(NOW, Duration.ofHours(-1));

    assertRefused(new Tokens(KEY, before).sign("ada", "acme"), "The token has expired");
  }

  @Test
  void wantsALongKey() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Tokens(KEY.substring(1), NOW));
  }

  private void assertRefused(String token, String reason) {
    assertThatExceptionOfType(Refusal.class)
        .isThrownBy(() -> tokens.customerOf(token))
        .withMessage(reason)
        .matches(refusal -> refusal.status() == 401);
  }
}
