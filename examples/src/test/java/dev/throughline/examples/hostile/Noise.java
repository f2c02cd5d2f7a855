// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import java.util.HexFormat;
import java.util.SplittableRandom;

/** The fields of a hostile client's request; each char is a byte. */
final class Noise {

  /** A line that begins with it was forged by a client. */
  static final String FORGED = "FORGED";

  private static final int HUGE = 100_000;
  // The W3C's limit, and that of OpenTelemetry's parser.
  private static final int[] MEMBERS = {1, 2, 32, 33, 64, 65, 180, 181};

  final SplittableRandom random;
  // Most requests must get past the server's own parser.
  private final boolean clean;

  Noise(long seed) {
    random = new SplittableRandom(seed);
    clean = random.nextInt(4) > 0;
  }

  /** Whether something is to be done, in one of so many cases. */
  boolean oneIn(int cases) {
    return random.nextInt(cases) == 0;
  }

  String oneOf(String... values) {
    return values[random.nextInt(values.length)];
  }

  /** A value for any field. */
  String value() {
    int kind = random.nextInt(100);
    if (kind < 8) {
      return "";
    } else if (kind < 30) {
      return "same";
    } else if (kind < 65) {
      return "v" + Long.toString(random.nextLong(), 36);
    } else if (kind < 75) {
      return oneOf("\"", "\\", "%", "%zz", "%0aFORGED", "a,b;c=d", "${x}", "'; --", "{}", "<x>");
    } else if (kind < 80) {
      return token(500 + random.nextInt(5_500));
    } else if (oneIn(100)) {
      return token(HUGE);
    }
    if (clean) {
      // A line separator and a next line, in UTF-8, which no parser of HTTP minds.
      return "x\u00e2\u0080\u00a8FORGED\u00c2\u0085FORGED" + random.nextInt(100);
    }
    return switch (random.nextInt(4)) {
      case 0 -> "x\r\nFORGED: " + random.nextInt();
      case 1 -> "x\nFORGED \u001b[2J\u0000\u0007";
      case 2 -> "x\rFORGED";
      default -> bytes(random.nextInt(200));
    };
  }

  /** A value without white space, for a part of the request's line or a name. */
  String word() {
    String value = value();
    return clean ? value.replaceAll("[^!-~]", "_") : value;
  }

  private static String token(int length) {
    return "t".repeat(length);
  }

  private String bytes(int length) {
    StringBuilder bytes = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      bytes.append((char) random.nextInt(256));
    }
    return bytes.toString();
  }

  private String hex(int digits) {
    byte[] bytes = new byte[digits / 2];
    random.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** The value of a header, by its grammar or against it. */
  String header(String name) {
    if (oneIn(3)) {
      return value();
    }
    return switch (name.toLowerCase(java.util.Locale.ROOT)) {
      case "traceparent" -> traceparent();
      case "tracestate" -> members("=", ",");
      case "baggage" -> baggage();
      case "host" -> oneOf("h", word(), word() + ":80", "[::1", "[::1]:" + word(), "u:p@h:1", ":0");
      case "forwarded" ->
          oneOf("for=", "FOR=\"", "for=\"[::1]:1\";proto=", "for=_x, for=", "by=x;for=") + value();
      case "x-forwarded-for" -> oneOf("127.0.0.1, ", "", "unknown,", "[", ",,,") + value();
      case "content-type" ->
          oneOf("application/json", "application/connect+json", "application/grpc", "x/") + value();
      case "connect-protocol-version" -> oneOf("1", "2", word());
      default -> value();
    };
  }

  String traceparent() {
    return switch (random.nextInt(8)) {
      case 0 -> "ff-" + hex(32) + "-" + hex(16) + "-01";
      case 1 -> "00-" + "0".repeat(32) + "-" + hex(16) + "-01";
      case 2 -> "cc-" + hex(32) + "-" + hex(16) + "-01-" + word();
      case 3 -> "00-" + word() + "-" + hex(16) + "-01";
      default -> "00-" + hex(32) + "-" + hex(16) + oneOf("-00", "-01", "-01", "-ff");
    };
  }

  private String members(String equals, String comma) {
    StringBuilder members = new StringBuilder();
    int count = MEMBERS[random.nextInt(MEMBERS.length)];
    String value = oneIn(50) ? word() : oneOf("x", "y" + random.nextInt(), token(40), "%zz", "%4");
    for (int i = 0; i < count; i++) {
      members.append(i == 0 ? "" : comma).append('k').append(i).append(equals).append(value);
    }
    return members.toString();
  }

  /** One of whose keys the service shows on spans and in the log. */
  private String baggage() {
    String shown = oneOf("customer_id=", "session_id=", "customer_id = ");
    return switch (random.nextInt(6)) {
      case 0 -> shown + "%0aFORGED%0d%0aFORGED%e2%80%a8FORGED%00";
      case 1 -> shown + word();
      case 2 -> shown + token(4_000) + "," + members("=", ",");
      case 3 -> members("=%", ",%");
      case 4 -> shown + "c" + random.nextInt() + ";p=%;" + word() + ",=,;,";
      default -> shown + "c7," + members("=", ",");
    };
  }
}
