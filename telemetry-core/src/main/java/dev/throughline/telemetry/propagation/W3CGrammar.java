// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.propagation;

/**
 * The grammar of the W3C's headers: a header that came in is sent on as it came only if it is valid
 * by it, since a control character in it would end the header, and begin another.
 *
 * @see <a href="https://www.w3.org/TR/trace-context/#trace-context-http-headers-format">Trace
 *     Context</a>
 * @see <a href="https://www.w3.org/TR/baggage/#baggage-http-header-format">Baggage</a>
 */
final class W3CGrammar {

  private static final int TRACEPARENT_LENGTH = 55;

  private W3CGrammar() {}

  /** Four fields of hexadecimal digits; those of a later version may be followed by more. */
  static boolean isTraceparent(String header) {
    if (header.length() < TRACEPARENT_LENGTH) {
      return false;
    }
    for (int i = 0; i < header.length(); i++) {
      char c = header.charAt(i);
      boolean dash = i == 2 || i == 35 || i == 52 || i == TRACEPARENT_LENGTH;
      boolean fits = i < TRACEPARENT_LENGTH ? isHex(c) : c > ' ' && c <= '~';
      if (dash ? c != '-' : !fits) {
        return false;
      }
    }
    return true;
  }

  /** List members of a key and a value of printable characters. */
  static boolean isTracestate(String header) {
    for (String member : header.split(",", -1)) {
      String entry = member.strip();
      int equals = entry.indexOf('=');
      if (!entry.isEmpty()
          && (equals <= 0
              || !consistsOf(entry.substring(0, equals), Characters.STATE_KEY)
              || !consistsOf(entry.substring(equals + 1), Characters.STATE_VALUE))) {
        return false;
      }
    }
    return hasNoControlCharacters(header);
  }

  /** List members of a key, a value, and properties; white space around each of them. */
  static boolean isBaggage(String header) {
    for (String member : header.split(",", -1)) {
      String[] parts = member.split(";", -1);
      for (int i = 0; i < parts.length; i++) {
        if (!isPair(parts[i], i > 0)) {
          return false;
        }
      }
    }
    return hasNoControlCharacters(header);
  }

  private static boolean isPair(String part, boolean isProperty) {
    int equals = part.indexOf('=');
    if (equals < 0) {
      return isProperty && isToken(part.strip());
    }
    return isToken(part.substring(0, equals).strip())
        && consistsOf(part.substring(equals + 1).strip(), Characters.BAGGAGE_VALUE);
  }

  private static boolean isToken(String text) {
    return !text.isEmpty() && consistsOf(text, Characters.TOKEN);
  }

  /** What is stripped may be no more than spaces and tabs. */
  private static boolean hasNoControlCharacters(String header) {
    return consistsOf(header, Characters.SPACED);
  }

  private static boolean isHex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  }

  private enum Characters {
    TOKEN {
      @Override
      boolean has(char c) {
        return STATE_VALUE.has(c) && "\"(),/:;<=>?@[\\]{} ".indexOf(c) < 0;
      }
    },
    STATE_KEY {
      @Override
      boolean has(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || "_-*/@".indexOf(c) >= 0;
      }
    },
    STATE_VALUE {
      @Override
      boolean has(char c) {
        return c >= ' ' && c <= '~' && c != ',' && c != '=';
      }
    },
    BAGGAGE_VALUE {
      @Override
      boolean has(char c) {
        return c > ' ' && c <= '~' && c != '"' && c != ',' && c != ';' && c != '\\';
      }
    },
    SPACED {
      @Override
      boolean has(char c) {
        return (c >= ' ' && c <= '~') || c == '\t';
      }
    };

    abstract boolean has(char c);
  }

  private static boolean consistsOf(String text, Characters characters) {
    for (int i = 0; i < text.length(); i++) {
      if (!characters.has(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }
}
