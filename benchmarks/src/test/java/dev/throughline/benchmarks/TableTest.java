// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TableTest {

  @Test
  void aColumnMayBeEmptyFromTopToBottom() {
    Table table = new Table("path", "B/op", "");
    table.add("span", "1,000", "");
    assertEquals(
        """
        | path |  B/op |    |
        | ---- | ----: | -: |
        | span | 1,000 |    |
        """,
        table.toString());
  }
}
