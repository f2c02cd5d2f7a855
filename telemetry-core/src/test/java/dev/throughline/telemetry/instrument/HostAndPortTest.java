// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostAndPortTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      nullValues = "-",
      value = {
        "gateway gateway -",
        "gateway:8080 gateway 8080",
        "GATEWAY.example.com:80 GATEWAY.example.com 80",
        "gateway_1:80 gateway_1 80",
        "10.0.0.7:443 10.0.0.7 443",
        "münchen.example:80 münchen.example 80",
        "gateway: gateway -",
        "gateway:0 gateway -",
        "gateway:65535 gateway 65535",
        "gateway:65536 gateway -",
        "gateway:99999999999999999999 gateway -",
        "gateway:-1 gateway -",
        "gateway:+80 gateway -",
        "gateway:８０ gateway -",
        "gateway:http gateway -",
        "[::1]:80 ::1 80",
        "[::1] ::1 -",
        "[::1]: ::1 -",
        "[2001:db8::7%25eth0]:80 2001:db8::7%25eth0 80",
        "[::ffff:10.0.0.7]:80 ::ffff:10.0.0.7 80",
        "::1 ::1 -",
        "2001:db8::7 2001:db8::7 -",
        "fe80::1%eth0 fe80::1%eth0 -",
        "user@gateway:80 gateway 80",
        "user:secret@gateway gateway -",
        "us@er:sec@ret@[::1]:80 ::1 80",
        "user:secret@ - -",
        "'  gateway:80  ' gateway 80",
        ":80 - -",
        ": - -",
        "'' - -",
        "'   ' - -",
        "[::1 - -",
        "[] - -",
        "[]:80 - -",
        "[gateway]:80 - -",
        "[::1]80 - -",
        "[::1]]:80 - -",
        "::1]:80 - -",
        "gateway:80:90 - -",
        "a:b:c - -",
        "'a b' - -",
        "gateway/path - -",
        "http://gateway:80 - -",
        "gateway?x - -",
        "<script> - -",
        "gateway\\one - -",
      })
  void readsWhateverATextSays(String text, String host, Long port) {
    assertThat(HostAndPort.parse(text)).isEqualTo(new HostAndPort(host, port));
  }

  @Test
  void noTextIsNeitherHostNorPort() {
    assertThat(HostAndPort.parse(null)).isSameAs(HostAndPort.NONE);
    assertThat(HostAndPort.parse("a\r\nb").host()).isNull();
    assertThat(HostAndPort.parse("a\u0000:80").host()).isNull();
    assertThat(HostAndPort.parse("a".repeat(255)).host()).hasSize(255);
    assertThat(HostAndPort.parse("a".repeat(256)).host()).isNull();
    assertThat(HostAndPort.parse("1:".repeat(200)).host()).isNull();
  }

  @Test
  void aPortIsAddedToAHostThatHasNone() {
    assertThat(HostAndPort.parse("gateway").orPort(443))
        .isEqualTo(new HostAndPort("gateway", 443L));
    assertThat(HostAndPort.parse("gateway:80").orPort(443).port()).isEqualTo(80);
    assertThat(HostAndPort.parse("a b").orPort(443)).isSameAs(HostAndPort.NONE);
  }

  @Test
  void noTextMakesItThrow() {
    String letters = "[]:%.@ a1f-_/\\\u0000\r\n é";
    Random random = new Random(1);
    for (int i = 0; i < 50_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(12); n > 0; n--) {
        text.append(letters.charAt(random.nextInt(letters.length())));
      }
      HostAndPort read = HostAndPort.parse(text.toString());
      assertThat(read.port() == null || read.host() != null).as(text.toString()).isTrue();
      if (read.host() != null) {
        assertThat(read.host())
            .as(text.toString())
            .isNotEmpty()
            .doesNotContainPattern("[\\s\\[\\]@]");
      }
    }
  }
}
