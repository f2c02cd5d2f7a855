// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
  private static final String NAME = HEX + "ghijklmnopqrstuvwxyz-_.";

  private Envelope() {}

  /**
   * The look at a message's beginning.
   *
   * @param fault whether the magic is there, and no envelope
   * @param payload where the payload begins
   * @param fields the context; null if there is no envelope
   */
  record Opened(boolean fault, int payload, @Nullable Fields fields) {
    static final Opened NONE = new Opened(false, 0, null);
    private static final Opened FAULT = new Opened(true, 0, null);
  }

  /**
   * Looks at the beginning of a message.
   *
   * @param message its characters, or its bytes as characters
   * @param whole whether nothing follows
   * @return null if more of the message will tell
   */
  static @Nullable Opened open(CharSequence message, boolean whole) {
    int length = message.length();
    for (int i = 0; i < Math.min(length, MAGIC.length()); i++) {
      if (message.charAt(i) != MAGIC.charAt(i)) {
        return Opened.NONE;
      }
    }
    if (length < MAGIC.length()) {
      return whole ? Opened.NONE : null;
    }
    int context = 0;
    for (int i = MAGIC.length(); i < Math.min(length, HEAD); i++) {
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
      return whole ? Opened.FAULT : null;
    }
    Fields fields = Fields.parse(message.subSequence(HEAD, HEAD + context).toString());
    return fields == null ? Opened.FAULT : new Opened(false, HEAD + context, fields);
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

    private final List<String> pairs = new ArrayList<>(4);

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
    static @Nullable Fields parse(String lines) {
      Fields fields = new Fields();
      int end;
      for (int start = 0; start < lines.length(); start = end + 1) {
        int colon = lines.indexOf(':', start);
        end = lines.indexOf('\n', start);
        if (colon < 0 || end < colon) {
          return null;
        }
        String name = lines.substring(start, colon);
        String value = lines.substring(colon + 1, end);
        if (!isName(name) || !isValue(value)) {
          return null;
        }
        fields.pairs.add(name);
        fields.pairs.add(value);
      }
      return fields;
    }

    /** Adds a line; what can't stand in one is left out. */
    static void append(StringBuilder lines, String name, String value) {
      String lower = name.toLowerCase(Locale.ROOT);
      if (isName(lower) && isValue(value)) {
        lines.append(lower).append(':').append(value).append('\n');
      }
    }

    private static boolean isName(String name) {
      for (int i = 0; i < name.length(); i++) {
        if (NAME.indexOf(name.charAt(i)) < 0) {
          return false;
        }
      }
      return !name.isEmpty();
    }

    private static boolean isValue(String value) {
      for (int i = 0; i < value.length(); i++) {
        if (value.charAt(i) < ' ' || value.charAt(i) > '~') {
          return false;
        }
      }
      return true;
    }
  }
}
