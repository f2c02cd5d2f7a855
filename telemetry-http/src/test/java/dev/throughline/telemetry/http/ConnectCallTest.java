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
    "POST, /a.v1.S/M, , application/json, 1, a.v1.S/M",
    "POST, /a.v1.S/M, , application/proto, 1, a.v1.S/M",
    "POST, /prefix/a.v1.S/M, , application/json, 1, a.v1.S/M",
    "POST, /a.v1.S/M, , application/connect+proto, , a.v1.S/M",
    "GET, /a.v1.S/M, connect=v1&encoding=json, , , a.v1.S/M",
    "GET, /a.v1.S/M, encoding=json&connect=v1, , , a.v1.S/M",
    "POST, /a.v1.S/M, , application/json, , ",
    "POST, /a.v1.S/M, , text/plain, 1, ",
    "POST, /a.v1.S/M, , , 1, ",
    "GET, /a.v1.S/M, xconnect=v1, , , ",
    "GET, /a.v1.S/M, , application/connect+json, , ",
    "POST, /M, , application/json, 1, ",
    "POST, //M, , application/json, 1, ",
    "POST, /a.v1.S/, , application/json, 1, "
  })
  void isToldByTheRequest(
      String method,
      String path,
      @Nullable String query,
      @Nullable String contentType,
      @Nullable String version,
      @Nullable String rpc) {
    ConnectCall call = ConnectCall.of(method, path, query, contentType, version);
    assertThat(call == null ? null : call.method()).isEqualTo(rpc);
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
    ConnectCall call = ConnectCall.of("POST", "/s/m", null, "application/json", "1");
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
      assertThat(call.errorCode(200)).isNull();
    }
    ConnectCall unary = ConnectCall.of("POST", "/s/m", null, "application/json", "1");
    byte[] large = new byte[1_000_000];
    unary.see(500, large, 0, large.length);
    assertThat(unary.errorCode(500)).isEqualTo("unknown");
  }

  private static ConnectCall streaming() {
    return ConnectCall.of("POST", "/s/m", null, "application/connect+json", "1");
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
