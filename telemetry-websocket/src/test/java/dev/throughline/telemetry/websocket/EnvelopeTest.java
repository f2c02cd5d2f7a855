// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.websocket.Envelope.Opened;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class EnvelopeTest {

  private static final String CONTEXT = "traceparent:" + WebSocketKit.TRACEPARENT + "\n";

  @Test
  void isTheSameByteByByteAsItsPageHasIt() throws Exception {
    String page = Files.readString(Path.of("..", "docs", "websocket-envelope.md"));
    List<String> examples =
        Pattern.compile("(?s)```\n(0{8} .*?)```")
            .matcher(page)
            .results()
            .map(example -> bytes(example.group(1)))
            .toList();
    assertThat(examples)
        .containsExactly(Envelope.of(CONTEXT) + "hello", Envelope.of("") + "\u001eTL1");
    assertThat(page)
        .contains("`" + Envelope.HEADER + ": " + Envelope.VERSION + "`")
        .contains("`" + Envelope.SUB_PROTOCOL + "`")
        .contains("`{protocol}" + Envelope.SUB_PROTOCOL_SUFFIX + "`")
        .contains("`" + Envelope.DECOY_SUB_PROTOCOL + ", " + Envelope.SUB_PROTOCOL + "`")
        .contains("`0000` to `%04x`".formatted(Envelope.MAX_CONTEXT));
    assertThat(Envelope.of("")).isEqualTo(Envelope.EMPTY);
  }

  /** What a hex dump shows. */
  private static String bytes(String dump) {
    StringBuilder bytes = new StringBuilder();
    for (String line : dump.lines().toList()) {
      String hex = line.substring(8, line.indexOf('|')).strip();
      for (String one : hex.split(" +")) {
        bytes.append((char) Integer.parseInt(one, 16));
      }
    }
    return bytes.toString();
  }

  @Test
  void givesBackWhatWasPutIn() {
    StringBuilder lines = new StringBuilder();
    Envelope.Fields.append(lines, "TraceParent", "00-a");
    Envelope.Fields.append(lines, "baggage", "a=1,b=2;p");
    Envelope.Fields.append(lines, "bad name", "dropped");
    Envelope.Fields.append(lines, "bad-value", "new\nline");
    Envelope.Fields.append(lines, "baggage", "c=3");
    Opened opened = Envelope.open(Envelope.of(lines) + "payload", true);

    assertThat(opened.fault()).isFalse();
    assertThat(opened.payload()).isEqualTo(Envelope.HEAD + lines.length());
    assertThat(opened.fields().lines("traceparent")).containsExactly("00-a");
    assertThat(opened.fields().lines("baggage")).containsExactly("a=1,b=2;p", "c=3");
    assertThat(opened.fields().lines("bad-value")).isNull();
  }

  @Test
  void aContextThatIsTooLongHasNone() {
    String longest = "a:" + "x".repeat(Envelope.MAX_CONTEXT - 3) + "\n";
    assertThat(Envelope.of(longest)).startsWith("\u001eTL14000");
    assertThat(Envelope.open(Envelope.of(longest), true).fields()).isNotNull();
    assertThat(Envelope.of("x" + longest)).isNull();
    assertThat(Envelope.open("\u001eTL14001" + "x" + longest, true).fault()).isTrue();
  }

  @Test
  void tellsAtEachLengthWhetherMoreIsToCome() {
    String message = Envelope.of(CONTEXT) + "payload";
    for (int length = 0; length <= message.length(); length++) {
      Opened soFar = Envelope.open(message.substring(0, length), false);
      Opened whole = Envelope.open(message.substring(0, length), true);
      if (length >= Envelope.HEAD + CONTEXT.length()) {
        assertThat(List.of(soFar, whole)).noneMatch(Opened::fault);
        assertThat(List.of(soFar, whole))
            .extracting(opened -> opened.fields().lines("traceparent"))
            .containsOnly(List.of(WebSocketKit.TRACEPARENT));
      } else {
        assertThat(soFar).isNull();
        assertThat(whole.fields()).isNull();
        assertThat(whole.fault()).isEqualTo(length >= 4);
      }
    }
  }

  @Test
  void countsBytesAsUtf8Has() {
    for (String text : List.of("", "a", "\u00e9", "\u20ac", "\ud83d\ude80", "a\u00e9\u20acz")) {
      assertThat(MessageType.TEXT.bytes().applyAsLong(text))
          .isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
    }
  }
}
