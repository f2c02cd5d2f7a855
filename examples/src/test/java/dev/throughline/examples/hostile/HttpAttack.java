// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import java.io.IOException;

/** Requests of HTTP/1, plain and Connect RPC. */
final class HttpAttack extends Attack {

  private static final String[] HEADERS = {
    "Host",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "User-Agent",
    "traceparent",
    "tracestate",
    "baggage",
    "X-Request-Id",
    "Connect-Protocol-Version",
    "Content-Type",
    "X-Captured"
  };

  HttpAttack(int port, Counts counts) {
    super(port, counts);
  }

  @Override
  void request(Noise noise) throws IOException {
    open();
    counts.sent.incrementAndGet();
    write(text(noise));
    answer();
  }

  private static String text(Noise noise) {
    StringBuilder request = new StringBuilder(1_024);
    request.append(noise.oneIn(8) ? noise.word() : noise.oneOf("GET", "GET", "POST", "get"));
    request.append(' ').append(target(noise)).append(' ');
    request.append(noise.oneIn(20) ? "HTTP/" + noise.value() : noise.oneOf("HTTP/1.1", "HTTP/1.0"));
    request.append("\r\n");
    boolean hasHost = false;
    for (String header : HEADERS) {
      if (noise.oneIn(2)) {
        hasHost |= header.equals("Host");
        for (int times = noise.oneIn(20) ? 3 : 1; times > 0; times--) {
          request.append(header).append(": ").append(noise.header(header)).append("\r\n");
        }
      }
    }
    if (!hasHost) {
      request.append("Host: h\r\n");
    }
    if (noise.oneIn(30)) {
      request.append(noise.word()).append(": ").append(noise.value()).append("\r\n");
    }
    return request.append("Connection: keep-alive\r\nContent-Length: 0\r\n\r\n").toString();
  }

  private static String target(Noise noise) {
    return switch (noise.random.nextInt(12)) {
      case 0 -> noise.word() + "://h/" + noise.word();
      case 1 -> noise.oneOf("http", "https", "evil" + noise.random.nextInt()) + "://h/app/x";
      case 2 -> noise.oneOf("*", "", "?", "//", "/..", "/./../", "/%2e%2e/x", "/%zz", "h:1");
      case 3 -> "/app/../app/" + noise.word() + "/..;x=" + noise.word();
      case 4 -> "/pkg.Service/" + noise.oneOf("Get", "Get", noise.word());
      case 5 -> "/app/q?" + noise.word() + "=" + noise.word() + "&" + "a&".repeat(100);
      case 6 -> "/forward/" + noise.word();
      default -> noise.oneOf("/", "/app/", "/servers/") + noise.word();
    };
  }
}
