// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MemoTest {

  private final Memo<String> memo = new Memo<>();

  @Test
  void remembersEachForItself() {
    assertThat(memo.get("GET", "/a", null, "x", 80, 200)).isNull();
    String value = new String("value");
    assertThat(memo.put("GET", "/a", null, "x", 80, 200, value)).isSameAs(value);
    assertThat(memo.get("GET", "/a", null, "x", 80, 200)).isSameAs(value);
    assertThat(memo.get("GET", "/a", "x", null, 80, 200)).isNull();
    assertThat(memo.get("GET", "/a", null, "x", 200, 80)).isNull();
    assertThat(memo.get("GET", "/b", null, "x", 80, 200)).isNull();
  }

  /** Host names of a peer's choice held 128 MB. */
  @Test
  void keepsNoMoreThanItsBoundOfCharacters() {
    String longest = "h".repeat(1_024);
    assertThat(memo.put(longest, null, null, null, 0, 0, "kept")).isEqualTo("kept");
    assertThat(memo.get(longest, null, null, null, 0, 0)).isEqualTo("kept");
    for (String[] each :
        new String[][] {
          {longest + "h", null, null, null},
          {longest, "x", null, null},
          {"x", null, longest, null},
          {"", "x", null, longest},
          {longest.substring(3), "b", "c", "de"},
        }) {
      assertThat(memo.put(each[0], each[1], each[2], each[3], 0, 0, "made")).isEqualTo("made");
      assertThat(memo.get(each[0], each[1], each[2], each[3], 0, 0)).isNull();
    }
  }
}
