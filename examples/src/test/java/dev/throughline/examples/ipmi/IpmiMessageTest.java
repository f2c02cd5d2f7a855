// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.ipmi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class IpmiMessageTest {

  private static final IpmiRequest POWER_CYCLE =
      new IpmiRequest(IpmiRequest.CHASSIS, 5, IpmiRequest.CHASSIS_CONTROL, List.of(2));

  /** What every IPMI tool sends first, as packet captures show it. */
  @Test
  void writesGetChannelAuthenticationCapabilitiesAsOthersDo() {
    IpmiRequest request = new IpmiRequest(0x06, 0, 0x38, List.of(0x8E, 0x04));

    assertThat(hex(request.toDatagram()))
        .isEqualTo("0600ff07" + "000000000000000000" + "09" + "2018c8" + "810038" + "8e04" + "b5");
  }

  @Test
  void writesResponses() {
    IpmiResponse response = IpmiResponse.to(POWER_CYCLE, IpmiResponse.INVALID_COMMAND, 0xFE);

    assertThat(hex(response.toDatagram()))
        .isEqualTo("0600ff07" + "000000000000000000" + "09" + "81047b" + "201402" + "c1fe" + "0b");
  }

  @Test
  void readsWhatItWrites() {
    IpmiResponse response = IpmiResponse.to(POWER_CYCLE, IpmiResponse.OK, 1, 0, 255);

    assertThat(IpmiRequest.fromDatagram(POWER_CYCLE.toDatagram())).contains(POWER_CYCLE);
    assertThat(IpmiResponse.fromDatagram(response.toDatagram())).contains(response);
    assertThat(response.answers(POWER_CYCLE)).isTrue();
  }

  @Test
  void doesNotTakeOneForTheOther() {
    byte[] response = IpmiResponse.to(POWER_CYCLE, IpmiResponse.OK).toDatagram();

    assertThat(IpmiRequest.fromDatagram(response)).isEmpty();
    assertThat(IpmiResponse.fromDatagram(POWER_CYCLE.toDatagram())).isEmpty();
  }

  @Test
  void findsAnyByteThatWasChanged() {
    byte[] intact = POWER_CYCLE.toDatagram();
    for (int i = 0; i < intact.length; i++) {
      for (int change = 1; change < 256; change++) {
        byte[] changed = intact.clone();
        changed[i] ^= (byte) change;
        assertThat(IpmiRequest.fromDatagram(changed)).as("byte %d ^ %d", i, change).isEmpty();
      }
    }
  }

  @Test
  void findsAnyByteThatIsMissingOrTooMuch() {
    byte[] intact = POWER_CYCLE.toDatagram();
    for (int length = 0; length <= intact.length + 1; length++) {
      byte[] cut = Arrays.copyOf(intact, length);
      assertThat(IpmiRequest.fromDatagram(cut).isPresent())
          .as("%d bytes", length)
          .isEqualTo(length == intact.length);
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    IpmiRequest large = new IpmiRequest(0, 0, 0, Collections.nCopies(249, 0));

    assertThatIllegalArgumentException().isThrownBy(large::toDatagram);
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
