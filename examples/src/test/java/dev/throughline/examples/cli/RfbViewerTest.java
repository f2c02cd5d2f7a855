// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.SequenceInputStream;
import java.net.ProtocolException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a viewer makes of what a screen says. */
class RfbViewerTest {

  private static final String GREETING = "RFB 003.008\n";
  private static final String INIT = "0101 00000000 0002 0001 20180001" + "00".repeat(12);

  private final ByteArrayOutputStream said = new ByteArrayOutputStream();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "RFB 003.889n |                  | does not speak RFB 3.8",
        "RFB 003.008n | 00 00000002 6e6f | refused: no",
        "RFB 003.008n | 0102             | asks for a password",
        "RFB 003.008n | 0101 00000001 00000002 6e6f | refused: no",
        "RFB 003.008n | 00 7fffffff      | a text of 2147483647 bytes",
      })
  void aScreenMaySayNo(String version, String rest, String reason) {
    RfbViewer viewer = viewer(version.replace('n', '\n'), rest == null ? "" : rest);

    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(viewer::shakeHands)
        .withMessageContaining(reason);
  }

  @Test
  void looksAtTheScreen() throws IOException {
    String frame = "0000 0001 0000 0000 0001 0001 00000000 ffffffff";
    RfbViewer viewer = viewer(GREETING, INIT + "00000002 6869" + frame);

    assertThat(viewer.shakeHands()).isEqualTo(new RfbViewer.Screen("hi", 2, 1));
    viewer.awaitFrame();
    assertThat(said.toString(US_ASCII)).startsWith(GREETING);
    assertThat(HexFormat.of().formatHex(said.toByteArray()))
        .endsWith("01" + "01" + "03000000000000400040");
  }

  @Test
  void takesNoOtherEncoding() throws IOException {
    String frame = "0000 0001 0000 0000 0001 0001 00000005";
    RfbViewer viewer = viewer(GREETING, INIT + "00000000" + frame);
    viewer.shakeHands();

    assertThatExceptionOfType(ProtocolException.class).isThrownBy(viewer::awaitFrame);
  }

  private RfbViewer viewer(String greeting, String rest) {
    byte[] bytes = HexFormat.of().parseHex(rest.replace(" ", ""));
    return new RfbViewer(
        new SequenceInputStream(
            new ByteArrayInputStream(greeting.getBytes(US_ASCII)), new ByteArrayInputStream(bytes)),
        said);
  }
}
