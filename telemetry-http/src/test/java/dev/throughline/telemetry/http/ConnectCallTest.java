// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConnectCallTest {

  @ParameterizedTest
  @CsvSource({
    "POST, application/json, true",
    "POST, application/connect+proto, true",
    "POST, , true",
    "GET, , true",
    "POST, application/grpc+proto, false",
    "POST, application/grpc-web+proto, false",
    "PUT, application/json, false",
    "HEAD, , false"
  })
  void isNotEveryRequestToAProcedure(String method, @Nullable String contentType, boolean call) {
    assertThat(ConnectCall.of("a.v1.S/M", method, contentType) != null).isEqualTo(call);
  }

  @ParameterizedTest
  @CsvSource({
    "200, '{\"code\":\"not_found\"}', ",
    "404, '{\"code\":\"not_found\"}', not_found",
    "400, '{ \"code\" : \"out_of_range\", \"message\":\"x\"}', out_of_range",
    "400, '{\"message\":\"no code\"}', internal",
    "401, '', unauthenticated",
    "403, '', permission_denied",
    "404, '', unimplemented",
    "429, '', unavailable",
    "503, '<html>', unavailable",
    "500, '{\"code\":\"made_up\"}', unknown",
    "0, '', "
  })
  void tellsTheCodeOfAUnaryCall(int status, String body, @Nullable String code) {
    ConnectCall call = ConnectCall.of("s/m", "POST", "application/json");
    byte[] bytes = body.getBytes(UTF_8);
    call.see(status, bytes, 0, bytes.length);
    assertThat(call.errorCode(status)).isEqualTo(code);
  }

  @Test
  void tellsTheCodeOfAStreamHoweverItsBytesAreCut() {
    byte[] stream =
        concat(
            envelope(0, "{\"code\":\"aborted\"}"),
            envelope(0, ""),
            envelope(2, "{\"error\":{\"code\":\"data_loss\"}}"));
    Random random = new Random(1);
    for (int round = 0; round < 1_000; round++) {
      ConnectCall call = streaming();
      int at = 0;
      while (at < stream.length) {
        int length = Math.min(stream.length - at, random.nextInt(7));
        call.see(200, stream, at, length);
        at += length;
      }
      assertThat(call.errorCode(200)).isEqualTo("data_loss");
    }
  }

  @Test
  void aStreamThatEndsWellHasNoCode() {
    ConnectCall call = streaming();
    byte[] end = envelope(2, "{}");
    call.see(200, end, 0, end.length);
    assertThat(call.errorCode(200)).isNull();
  }

  @Test
  void aStreamWithoutItsEndHasFailed() {
    ConnectCall call = streaming();
    byte[] message = envelope(0, "{}");
    call.see(200, message, 0, message.length);
    assertThat(call.errorCode(200)).isEqualTo("internal");
    assertThat(streaming().errorCode(200)).isEqualTo("internal");
  }

  @Test
  void whatIsThrownAwayTellsNothing() {
    ConnectCall call = ConnectCall.of("s/m", "POST", "application/json");
    byte[] first = "{\"code\":\"not_found\"}".getBytes(UTF_8);
    call.see(404, first, 0, first.length);
    call.forget();
    byte[] second = "{\"code\":\"aborted\"}".getBytes(UTF_8);
    call.see(409, second, 0, second.length);
    assertThat(call.errorCode(409)).isEqualTo("aborted");
  }

  @Test
  void aCompressedEndTellsNothing() {
    ConnectCall call = streaming();
    byte[] end = envelope(3, "{\"error\":{\"code\":\"data_loss\"}}");
    call.see(200, end, 0, end.length);
    assertThat(call.errorCode(200)).isNull();
  }

  @Test
  void anyBytesAreTaken() {
    Random random = new Random(2);
    for (int round = 0; round < 10_000; round++) {
      byte[] noise = new byte[random.nextInt(64)];
      random.nextBytes(noise);
      ConnectCall call = streaming();
      call.see(200, noise, 0, noise.length);
      call.see(200, noise, 0, noise.length);
      // Noise may look like an end, and mostly does not.
      assertThat(call.errorCode(200)).isIn(null, "internal");
    }
    ConnectCall unary = ConnectCall.of("s/m", "POST", "application/json");
    byte[] large = new byte[1_000_000];
    unary.see(500, large, 0, large.length);
    assertThat(unary.errorCode(500)).isEqualTo("unknown");
  }

  private static ConnectCall streaming() {
    return ConnectCall.of("s/m", "POST", "application/connect+json");
  }

  private static byte[] envelope(int flags, String message) {
    byte[] bytes = message.getBytes(UTF_8);
    return ByteBuffer.allocate(5 + bytes.length)
        .put((byte) flags)
        .putInt(bytes.length)
        .put(bytes)
        .array();
  }

  private static byte[] concat(byte[]... parts) {
    ByteBuffer all = ByteBuffer.allocate(1024);
    for (byte[] part : parts) {
      all.put(part);
    }
    byte[] bytes = new byte[all.position()];
    all.flip().get(bytes);
    return bytes;
  }
}
