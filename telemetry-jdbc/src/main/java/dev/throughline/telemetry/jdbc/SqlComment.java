// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import java.net.URLEncoder;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The trace context as a comment of a statement.
 *
 * @see <a href="https://google.github.io/sqlcommenter/spec/">sqlcommenter</a>
 */
final class SqlComment {

  private final boolean inStatements;
  private final boolean inPrepared;
  private final Guard guard;

  SqlComment(boolean inStatements, boolean inPrepared, Guard guard) {
    this.inStatements = inStatements;
    this.inPrepared = inPrepared;
    this.guard = guard;
  }

  /** The arguments for a statement that is executed now, with the comment if it is to have one. */
  @Nullable Object @Nullable [] inStatement(
      Context context, @Nullable Object @Nullable [] arguments) {
    return inStatements ? add(context, arguments) : arguments;
  }

  /** The arguments for a statement that is being prepared. */
  @Nullable Object @Nullable [] inPrepared(
      Context context, @Nullable Object @Nullable [] arguments) {
    return inPrepared ? add(context, arguments) : arguments;
  }

  private @Nullable Object @Nullable [] add(
      Context context, @Nullable Object @Nullable [] arguments) {
    if (arguments == null || arguments.length == 0 || !(arguments[0] instanceof String sql)) {
      return arguments;
    }
    try {
      @Nullable Object[] commented = arguments.clone();
      commented[0] = add(context, sql);
      return commented;
    } catch (Throwable t) {
      guard.caught("SqlComment.add", t);
      return arguments;
    }
  }

  private static String add(Context context, String sql) {
    if (!Span.fromContext(context).getSpanContext().isValid() || mayHaveComment(sql)) {
      return sql;
    }
    // Baggage stays here: who reads a database's log need not read what came with a request.
    Map<String, String> fields = new TreeMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(
            context,
            fields,
            (carrier, key, value) -> {
              if (carrier != null) {
                carrier.put(key, value);
              }
            });
    StringBuilder commented = new StringBuilder(sql).append(" /*");
    String separator = "";
    for (Map.Entry<String, String> field : fields.entrySet()) {
      // Encoded, a value has neither the quote nor the slash that would end it or the comment.
      commented
          .append(separator)
          .append(field.getKey())
          .append("='")
          .append(URLEncoder.encode(field.getValue(), UTF_8).replace("+", "%20"))
          .append('\'');
      separator = ",";
    }
    return commented.append("*/").toString();
  }

  /** A comment that is open, or that runs to the end, would swallow another or be ended by it. */
  private static boolean mayHaveComment(String sql) {
    return sql.contains("--") || sql.contains("/*") || sql.indexOf('#') >= 0;
  }
}
