// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The envelope that carries a context before a message's payload; {@code
 * docs/websocket-envelope.md} has it byte by byte. All of it is ASCII, so it is the same in text
 * and in binary messages.
 */
final class Envelope {

  /** The header by which either side names the envelope during the upgrade. */
  static final String HEADER = "throughline-envelope";

  static final String VERSION = "1";

  /** The sub-protocol that stands for the header where headers can't be set or read. */
  static final String SUB_PROTOCOL = "throughline.1";

  /** Offered before it, for servers that take the first protocol whatever it is. */
  static final String DECOY_SUB_PROTOCOL = "throughline.0";

  /** Behind a protocol of the application's: both. */
  static final String SUB_PROTOCOL_SUFFIX = "+" + SUB_PROTOCOL;

  /** The first character, a record separator; no other message needs a second look. */
  static final char FIRST = '\u001e';

  static final String MAGIC = FIRST + "TL1";

  static final int HEAD = MAGIC.length() + 4;
  static final int MAX_CONTEXT = 16_384;

  /** Before a payload that begins like an envelope and is none. */
  static final String EMPTY = MAGIC + "0000";

  private static final String HEX = "0123456789abcdef";

  private Envelope() {}

  /** What a message begins with. */
  enum Found {
    /** No envelope: all of it is payload. */
    NONE,
    /** Perhaps an envelope; more of the message will tell. */
    MORE,
    /** The magic, and then no envelope: all of it is payload. */
    FAULT,
    /** An envelope. */
    ENVELOPE
  }

  /**
   * The look at a message's beginning.
   *
   * @param payload where the payload begins
   * @param fields the context, where there is an envelope
   */
  record Opened(Found found, int payload, @Nullable Fields fields) {

    static final Opened NONE = new Opened(Found.NONE, 0, null);
    static final Opened MORE = new Opened(Found.MORE, 0, null);
    static final Opened FAULT = new Opened(Found.FAULT, 0, null);
  }

  /**
   * Looks at the beginning of a message.
   *
   * @param message its characters, or its bytes as characters
   * @param whole whether nothing follows
   */
  static Opened open(CharSequence message, boolean whole) {
    int length = message.length();
    for (int i = 0; i < MAGIC.length(); i++) {
      if (i == length) {
        return whole ? Opened.NONE : Opened.MORE;
      }
      if (message.charAt(i) != MAGIC.charAt(i)) {
        return Opened.NONE;
      }
    }
    int context = 0;
    for (int i = MAGIC.length(); i < HEAD; i++) {
      if (i == length) {
        return whole ? Opened.FAULT : Opened.MORE;
      }
      int digit = HEX.indexOf(message.charAt(i));
      if (digit < 0) {
        return Opened.FAULT;
      }
      context = context * 16 + digit;
    }
    if (context > MAX_CONTEXT) {
      return Opened.FAULT;
    }
    if (length < HEAD + context) {
      return whole ? Opened.FAULT : Opened.MORE;
    }
    Fields fields = Fields.parse(message.subSequence(HEAD, HEAD + context));
    return fields == null ? Opened.FAULT : new Opened(Found.ENVELOPE, HEAD + context, fields);
  }

  /**
   * An envelope without payload.
   *
   * @param fields lines of {@code name:value}, each with its end
   * @return null where they are too long
   */
  static @Nullable String of(CharSequence fields) {
    int length = fields.length();
    if (length > MAX_CONTEXT) {
      return null;
    }
    StringBuilder envelope = new StringBuilder(HEAD + length).append(MAGIC);
    for (int shift = 12; shift >= 0; shift -= 4) {
      envelope.append(HEX.charAt(length >> shift & 15));
    }
    return envelope.append(fields).toString();
  }

  /** The context of a message: names and values in turn. */
  static final class Fields {

    private final List<String> pairs;

    private Fields(List<String> pairs) {
      this.pairs = pairs;
    }

    boolean isEmpty() {
      return pairs.isEmpty();
    }

    /** Null where there is none of this name. */
    @Nullable List<String> lines(String name) {
      List<String> lines = null;
      for (int i = 0; i < pairs.size(); i += 2) {
        if (pairs.get(i).equals(name)) {
          if (lines == null) {
            lines = new ArrayList<>(1);
          }
          lines.add(pairs.get(i + 1));
        }
      }
      return lines;
    }

    /**
     * Reads lines of {@code name:value}.
     *
     * @return null where one of them is not like that
     */
    static @Nullable Fields parse(CharSequence lines) {
      List<String> pairs = new ArrayList<>(4);
      int start = 0;
      int colon = -1;
      for (int i = 0; i < lines.length(); i++) {
        char c = lines.charAt(i);
        if (c == '\n') {
          if (colon < 0) {
            return null;
          }
          pairs.add(lines.subSequence(start, colon).toString());
          pairs.add(lines.subSequence(colon + 1, i).toString());
          start = i + 1;
          colon = -1;
        } else if (colon < 0 && c == ':') {
          if (i == start) {
            return null;
          }
          colon = i;
        } else if (colon < 0 ? !isName(c) : !isValue(c)) {
          return null;
        }
      }
      return start == lines.length() ? new Fields(pairs) : null;
    }

    /** Adds a line; what can't stand in one is left out. */
    static void append(StringBuilder lines, String name, String value) {
      int start = lines.length();
      for (int i = 0; i < name.length(); i++) {
        char c = lower(name.charAt(i));
        if (!isName(c)) {
          lines.setLength(start);
          return;
        }
        lines.append(c);
      }
      lines.append(':');
      for (int i = 0; i < value.length(); i++) {
        if (!isValue(value.charAt(i))) {
          lines.setLength(start);
          return;
        }
      }
      lines.append(value).append('\n');
    }

    private static char lower(char c) {
      return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
    }

    private static boolean isName(char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    }

    private static boolean isValue(char c) {
      return c >= ' ' && c <= '~';
    }
  }
}
