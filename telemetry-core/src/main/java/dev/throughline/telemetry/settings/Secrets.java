// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Values of settings as people may read them: on one line, and without what is secret. */
public final class Secrets {

  /** Is shown instead. */
  public static final String MASK = "***";

  private static final int LONGEST = 200;
  private static final int LONGEST_PATH = 120;
  private static final Pattern HEADER = Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+)=[^=].*");
  private static final Pattern SECRET_NAME =
      Pattern.compile("(?i).*(?:passw|pwd|secret|token|key|credential|auth).*");
  private static final Pattern CREDENTIALS = Pattern.compile("(?i)\\b(bearer|basic)(\\s+|%20)\\S+");
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)\\S*@");

  // Shorter ones are no keys; and a 1 would be seen nowhere.
  private static final int SHORTEST_KEY = 3;
  private static final int SHORTEST_OTHER = 6;

  private Secrets() {}

  /**
   * The secrets of an endpoint and of headers, in each form in which they may come back: whole,
   * without its scheme ({@code Bearer}, {@code Basic}), decoded, and percent-encoded.
   *
   * @return the longest first
   */
  public static List<String> of(URI endpoint, Map<String, List<String>> headers) {
    Set<String> secrets = new HashSet<>();
    headers.forEach(
        (name, values) -> {
          if (!name.equalsIgnoreCase("user-agent")) {
            values.forEach(value -> addHeader(secrets, name, value));
          }
        });
    add(secrets, endpoint.getUserInfo(), SHORTEST_KEY);
    String query = endpoint.getRawQuery();
    if (query != null) {
      for (String pair : query.split("&", -1)) {
        String value = pair.substring(pair.indexOf('=') + 1);
        add(secrets, value, SHORTEST_OTHER);
        add(secrets, URLDecoder.decode(value, StandardCharsets.UTF_8), SHORTEST_OTHER);
      }
    }
    return secrets.stream().sorted(Comparator.comparing(String::length).reversed()).toList();
  }

  private static void addHeader(Set<String> secrets, String name, String value) {
    int shortest = SECRET_NAME.matcher(name).matches() ? SHORTEST_KEY : SHORTEST_OTHER;
    add(secrets, value, shortest);
    String[] parts = value.strip().split("\\s+", 2);
    if (parts.length == 2) {
      add(secrets, parts[1], shortest);
      if (parts[0].equalsIgnoreCase("basic")) {
        try {
          String decoded = new String(Base64.getDecoder().decode(parts[1]), StandardCharsets.UTF_8);
          add(secrets, decoded, SHORTEST_KEY);
          add(secrets, decoded.substring(decoded.indexOf(':') + 1), SHORTEST_KEY);
        } catch (IllegalArgumentException e) {
          // It is none of RFC 7617.
        }
      }
    }
  }

  private static void add(Set<String> secrets, @Nullable String secret, int shortest) {
    if (secret != null && !secret.isBlank() && secret.length() >= shortest) {
      secrets.add(secret);
      secrets.add(URLEncoder.encode(secret, StandardCharsets.UTF_8));
      secrets.add(URLEncoder.encode(secret, StandardCharsets.UTF_8).replace("+", "%20"));
    }
  }

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
