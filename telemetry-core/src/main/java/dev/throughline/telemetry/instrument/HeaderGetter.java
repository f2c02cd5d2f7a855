// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Reads a carrier whose headers may stand on several lines, as the W3C recommendations say: {@code
 * tracestate} and {@code baggage} lines are joined, a doubled {@code traceparent} is invalid and
 * read as absent. A member of {@code baggage} whose percent-encoding is broken is left out, since
 * OpenTelemetry's parser logs an exception for each.
 *
 * @see <a href="https://www.w3.org/TR/trace-context/#tracestate-header">W3C Trace Context</a>
 * @see <a href="https://www.w3.org/TR/baggage/#baggage-http-header-format">W3C Baggage</a>
 */
public abstract class HeaderGetter<C> implements TextMapGetter<C> {

  /**
   * All lines of a header, in order.
   *
   * @param name in any case; the carrier decides whether case matters
   * @return null or empty where the carrier has none
   */
  protected abstract @Nullable List<String> lines(C carrier, String name);

  /** Another getter, read through the rules of this class. */
  public static <C> TextMapGetter<C> over(TextMapGetter<C> getter) {
    return getter instanceof HeaderGetter ? getter : new Over<>(getter);
  }

  @Override
  public Iterable<String> keys(C carrier) {
    return Collections.emptyList();
  }

  @Override
  public final @Nullable String get(@Nullable C carrier, String name) {
    List<String> lines = carrier == null ? null : lines(carrier, name);
    if (lines == null || lines.isEmpty()) {
      return null;
    }
    boolean one = lines.size() == 1;
    return switch (name) {
      case "traceparent" -> one ? lines.get(0) : null;
      case "tracestate" -> one ? lines.get(0) : String.join(",", lines);
      case "baggage" -> decodable(one ? lines.get(0) : String.join(",", lines));
      default -> lines.get(0);
    };
  }

  @Override
  public final Iterator<String> getAll(@Nullable C carrier, String name) {
    List<String> lines = carrier == null ? null : lines(carrier, name);
    if (lines == null || lines.isEmpty()) {
      return Collections.emptyIterator();
    }
    if (!name.equals("baggage") || areDecodable(lines)) {
      return lines.iterator();
    }
    return lines.stream().map(HeaderGetter::decodable).iterator();
  }

  private static boolean areDecodable(List<String> lines) {
    for (int i = 0; i < lines.size(); i++) {
      if (!isDecodable(lines.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static String decodable(String baggage) {
    if (isDecodable(baggage)) {
      return baggage;
    }
    StringJoiner members = new StringJoiner(",");
    for (String member : baggage.split(",", -1)) {
      if (isDecodable(member)) {
        members.add(member);
      }
    }
    return members.toString();
  }

  /** Whether each percent sign begins an escape; one at the end of its text is read as absent. */
  private static boolean isDecodable(String baggage) {
    if (baggage.indexOf('%') < 0) {
      return true;
    }
    boolean key = true;
    boolean properties = false;
    for (int i = 0; i < baggage.length(); i++) {
      switch (baggage.charAt(i)) {
        case ',' -> {
          key = true;
          properties = false;
        }
        case '=' -> key = false;
        case ';' -> properties = !key;
        case '%' -> {
          if (!key && !isEscape(baggage, i, properties)) {
            return false;
          }
        }
        default -> {}
      }
    }
    return true;
  }

  private static boolean isEscape(String baggage, int at, boolean properties) {
    return isEnd(baggage, at + 1, properties)
        || (isHex(baggage.charAt(at + 1))
            && (isEnd(baggage, at + 2, properties) || isHex(baggage.charAt(at + 2))));
  }

  /** Properties are one text with the semicolons in it, up to the end of the member. */
  private static boolean isEnd(String baggage, int at, boolean properties) {
    int end = at;
    while (end < baggage.length() && baggage.charAt(end) <= ' ') {
      end++;
    }
    return end == baggage.length()
        || baggage.charAt(end) == ','
        || (baggage.charAt(end) == ';' && !properties);
  }

  private static boolean isHex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }

  private static final class Over<C> extends HeaderGetter<C> {

    private final TextMapGetter<C> getter;

    Over(TextMapGetter<C> getter) {
      this.getter = getter;
    }

    @Override
    public Iterable<String> keys(C carrier) {
      return getter.keys(carrier);
    }

    @Override
    protected @Nullable List<String> lines(C carrier, String name) {
      Iterator<String> all = getter.getAll(carrier, name);
      if (all == null || !all.hasNext()) {
        return null;
      }
      String first = all.next();
      if (!all.hasNext()) {
        return Collections.singletonList(first);
      }
      List<String> lines = new ArrayList<>();
      lines.add(first);
      all.forEachRemaining(lines::add);
      return Collections.unmodifiableList(lines);
    }
  }
}
