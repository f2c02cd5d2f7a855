// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a carrier whose headers may stand on several lines, as the W3C recommendations say: {@code
 * tracestate} and {@code baggage} lines are joined, a doubled {@code traceparent} is invalid and
 * read as absent.
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
    if (lines.size() == 1) {
      return lines.get(0);
    }
    return switch (name) {
      case "traceparent" -> null;
      case "tracestate", "baggage" -> String.join(",", lines);
      default -> lines.get(0);
    };
  }

  @Override
  public final Iterator<String> getAll(@Nullable C carrier, String name) {
    List<String> lines = carrier == null ? null : lines(carrier, name);
    return lines == null || lines.isEmpty() ? Collections.emptyIterator() : lines.iterator();
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
