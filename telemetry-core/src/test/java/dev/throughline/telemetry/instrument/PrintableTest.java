// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class PrintableTest {

  @Test
  void escapesControlCharactersAlone() {
    assertThat(Printable.of("a\r\nb\u001b[31m\u0085\0\u2028\u2029"))
        .isEqualTo("a\\u000d\\u000ab\\u001b[31m\\u0085\\u0000\\u2028\\u2029");
    String plain = "plain é 漢";
    assertThat(Printable.of(plain)).isSameAs(plain);
  }

  @Test
  void anExceptionKeepsItsPlaceAndItsCauses() {
    Exception thrown =
        new IllegalArgumentException(
            "header\r\nX-Injected: yes", new IllegalStateException("why\nnot"));
    StringWriter printed = new StringWriter();
    Printable.of(thrown).printStackTrace(new PrintWriter(printed, true));
    assertThat(printed.toString())
        .contains("java.lang.IllegalArgumentException: header\\u000d\\u000aX-Injected: yes")
        .contains("java.lang.IllegalStateException: why\\u000anot")
        .contains("PrintableTest.anExceptionKeepsItsPlaceAndItsCauses");
  }

  @Test
  void aLongTextIsCut() {
    assertThat(Printable.of("\n" + "x".repeat(1_000_000)))
        .startsWith("\\u000axx")
        .endsWith("x... (1000001 characters in all)")
        .hasSizeLessThan(4_200);
    assertThat(Printable.of(new IllegalStateException("x".repeat(1_000_000))).toString())
        .hasSizeLessThan(4_400);
    String longest = "x".repeat(4_096);
    assertThat(Printable.of(longest)).isSameAs(longest);
  }

  @Test
  void anExceptionWithoutAnyIsItself() {
    Exception thrown = new IllegalArgumentException("plain");
    assertThat(Printable.of(thrown)).isSameAs(thrown);
  }

  @Test
  void causesInALoopComeToAnEnd() {
    Exception first = new IllegalStateException("first\n");
    Exception second = new IllegalStateException("second", first);
    first.initCause(second);
    assertThat(Printable.of(first)).hasMessageContaining("first\\u000a");
  }
}
