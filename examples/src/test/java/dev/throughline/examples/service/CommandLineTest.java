// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;

class CommandLineTest {

  @Test
  void argumentsAreOptionsAndWords() {
    Arguments arguments =
        new Arguments(new String[] {"vnc", "--port=8", "srv-1", "--once"}, "port", "once", "x");

    assertThat(arguments.words()).containsExactly("vnc", "srv-1");
    assertThat(arguments.number("port", 1)).isEqualTo(8);
    assertThat(arguments.number("x", 1)).isEqualTo(1);
    assertThat(arguments.get("once")).isEqualTo("true");
    assertThat(arguments.get("x")).isNull();
    assertThat(arguments.get("x", "y")).isEqualTo("y");
  }

  @Test
  void argumentsRefuseWhatIsNotKnownAndMissWhatIsNeeded() {
    Arguments arguments = new Arguments(new String[] {"--port=-1"}, "port", "agent");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Arguments(new String[] {"--prot=1"}, "port"))
        .withMessage("There is no option --prot");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> arguments.number("port", 0))
        .withMessage("--port wants a number, and not -1");
    assertThatIllegalArgumentException().isThrownBy(() -> arguments.require("agent"));
  }

  @Test
  void aReadyLineIsReadAsItIsPrinted() {
    ReadyLine line = new ReadyLine("bmc", Map.of("redfish", 2, "ipmi", 1));

    assertThat(line).hasToString("READY bmc ipmi=1 redfish=2");
    assertThat(ReadyLine.parse(line.toString())).contains(line);
    assertThat(line.uri("redfish")).hasToString("http://127.0.0.1:2");
    assertThat(ReadyLine.parse("")).isEmpty();
    assertThat(ReadyLine.parse("READY")).isEmpty();
    assertThat(ReadyLine.parse("Picked up JAVA_TOOL_OPTIONS")).isEmpty();
    assertThat(ReadyLine.parse("READY bmc ipmi")).isEmpty();
  }
}
