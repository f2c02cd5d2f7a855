// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.instrument.Memo;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoutesTest {

  @ParameterizedTest
  @CsvSource({
    "/items/7, /items/{id}",
    "/items/7/power, /items/{id}/power",
    "/items, ",
    "/items/, ",
    "/items/7/, ",
    "/files/a/b/c, /files/*",
    "/files/, /files/*",
    "/, /",
    "'', "
  })
  void matchesTheRouteTable(String path, String route) {
    Routes routes = new Routes(List.of("/items/{id}", "/items/{id}/power", "/files/*", "/"));
    assertThat(routes.match(path)).isEqualTo(route);
  }

  @Test
  void remembersByAllPartsOfTheKey() {
    Memo<String> memo = new Memo<>();
    memo.put("a", "b", null, null, 1, 2, "value");
    assertThat(memo.get("a", "b", null, null, 1, 2)).isEqualTo("value");
    assertThat(memo.get("a", null, "b", null, 1, 2)).isNull();
    assertThat(memo.get("a", "b", null, null, 2, 1)).isNull();
    for (int i = 0; i < 10_000; i++) {
      memo.put("a", null, null, null, i, 0, "" + i);
      assertThat(memo.get("a", null, null, null, i, 0)).isEqualTo("" + i);
    }
  }
}
