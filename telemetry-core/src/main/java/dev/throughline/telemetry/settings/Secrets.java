// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import java.util.regex.Pattern;

/** Values of settings as people may read them: on one line, and without what is secret. */
public final class Secrets {

  static final String MASK = "***";

  private static final int LONGEST = 200;
  private static final int LONGEST_PATH = 120;
  private static final Pattern HEADER = Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+)=[^=].*");
  private static final Pattern SECRET_NAME =
      Pattern.compile("(?i).*(?:passw|pwd|secret|token|key|credential|auth).*");
  private static final Pattern CREDENTIALS = Pattern.compile("(?i)\\b(bearer|basic)(\\s+|%20)\\S+");
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)\\S*@");

  private Secrets() {}

  /**
   * A value without its secrets: those of headers and of attributes that are called so, what an
   * endpoint has before its host and behind its path, and keys.
   *
   * @param key the setting's
   */
  public static String mask(String key, String value) {
    if (value.isBlank()) {
      return "";
    }
    String masked;
    if (key.endsWith(".headers")) {
      masked = headers(value);
    } else if (key.endsWith(".endpoint")) {
      masked = endpoint(value);
    } else if (key.equals("otel.resource.attributes")) {
      masked = attributes(value);
    } else if (key.endsWith(".client.key") || key.endsWith("certificate")) {
      masked = isPath(value) ? value : MASK;
    } else {
      masked = text(value);
    }
    return onOneLine(masked);
  }

  /** A text of any origin, e.g. the message of an exception. */
  public static String text(String text) {
    String masked = USER_INFO.matcher(text).replaceAll(MASK + "@");
    return CREDENTIALS.matcher(masked).replaceAll("$1 " + MASK);
  }

  private static String headers(String value) {
    StringBuilder masked = new StringBuilder();
    for (String pair : value.split(",", -1)) {
      var header = HEADER.matcher(pair.trim());
      masked.append(masked.length() == 0 ? "" : ",");
      masked.append(header.matches() ? header.group(1) + "=" + MASK : MASK);
    }
    return masked.toString();
  }

  private static String endpoint(String value) {
    int scheme = value.indexOf("://");
    int start = scheme < 0 ? 0 : scheme + "://".length();
    int userInfo = value.lastIndexOf('@');
    String masked =
        userInfo < start
            ? value
            : value.substring(0, start) + MASK + "@" + value.substring(userInfo + 1);
    return masked.replaceFirst("([?#]).*", "$1" + MASK.replace("*", "\\*"));
  }

  private static String attributes(String value) {
    StringBuilder masked = new StringBuilder();
    boolean secret = false;
    for (String pair : value.split(",", -1)) {
      int end = pair.indexOf('=');
      String name = end < 0 ? pair : pair.substring(0, end);
      // A comma within the value before it, perhaps.
      secret = SECRET_NAME.matcher(name).matches() || (secret && end < 0);
      masked.append(masked.length() == 0 ? "" : ",");
      masked.append(secret ? (end < 0 ? "" : name + "=") + MASK : pair);
    }
    return text(masked.toString());
  }

  /** Not the key itself, where its file should be named. */
  private static boolean isPath(String value) {
    return value.length() <= LONGEST_PATH && !value.contains("-----") && !value.contains("\n");
  }

  /** A text without control characters, cut where it is long. */
  static String onOneLine(String value) {
    String line = value.replaceAll("\\p{Cntrl}", " ");
    return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "...";
  }
}
