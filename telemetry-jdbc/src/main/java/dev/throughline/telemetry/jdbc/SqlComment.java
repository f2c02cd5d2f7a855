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
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sends the trace context to the database, in a comment of a statement.
 *
 * @see <a href="https://google.github.io/sqlcommenter/spec/">sqlcommenter</a>
 */
final class SqlComment {

  /**
   * A comment that is there may swallow another, or be ended by it; drivers find an escape such as
   * {@code {call …}} by its closing brace; and what follows a {@code FORMAT} may be data.
   */
  private static final Pattern LEFT_ALONE =
      Pattern.compile("^\\s*\\{|--|/\\*|#|//|\\bFORMAT\\b", Pattern.CASE_INSENSITIVE);

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
    return add(inStatements, context, arguments);
  }

  /** The arguments for a statement that is being prepared. */
  @Nullable Object @Nullable [] inPrepared(
      Context context, @Nullable Object @Nullable [] arguments) {
    return add(inPrepared, context, arguments);
  }

  private @Nullable Object @Nullable [] add(
      boolean adds, Context context, @Nullable Object @Nullable [] arguments) {
    if (!adds || arguments == null || !(arguments[0] instanceof String sql)) {
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
    int end = sql.length();
    // Behind a semicolon it would be a second statement, to PostgreSQL's driver for one.
    while (end > 0 && (sql.charAt(end - 1) == ';' || sql.charAt(end - 1) <= ' ')) {
      end--;
    }
    if (end == 0
        || !Span.fromContext(context).getSpanContext().isValid()
        || LEFT_ALONE.matcher(sql).find()) {
      return sql;
    }
    // Baggage stays here: who reads a database's log need not read what came with a request.
    Map<String, String> fields = new TreeMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(context, fields, (carrier, key, value) -> fields.put(key, value));
    StringBuilder comment = new StringBuilder(" /*");
    String separator = "";
    for (Map.Entry<String, String> field : fields.entrySet()) {
      // Encoded, a value has neither the quote nor the slash that would end it or the comment.
      comment
          .append(separator)
          .append(field.getKey())
          .append("='")
          .append(URLEncoder.encode(field.getValue(), UTF_8).replace("+", "%20"))
          .append('\'');
      separator = ",";
    }
    return new StringBuilder(sql).insert(end, comment.append("*/")).toString();
  }
}
