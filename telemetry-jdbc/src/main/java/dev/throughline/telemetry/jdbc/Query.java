// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.jdbc.SqlAnalyzer.Analyzed;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A statement or batch as spans and metrics show it; made once for a text and then kept. */
final class Query {

  private static final String BATCH = "BATCH";

  final Database database;
  final Analyzed shown;
  final String name;
  final @Nullable Long batchSize;
  final Attributes point;

  Query(Database database, Analyzed shown, @Nullable Long batchSize) {
    this.database = database;
    this.shown = shown;
    this.batchSize = batchSize;
    name = shown.summary() == null ? database.target() : shown.summary();
    AttributesBuilder attributes = Attributes.builder();
    put(attributes, JdbcKeys.DB_SYSTEM_NAME, database.system());
    put(attributes, JdbcKeys.DB_NAMESPACE, database.namespace());
    put(attributes, JdbcKeys.SERVER_ADDRESS, database.address());
    put(attributes, JdbcKeys.SERVER_PORT, database.port());
    put(attributes, JdbcKeys.DB_QUERY_SUMMARY, shown.summary());
    put(attributes, JdbcKeys.DB_OPERATION_NAME, shown.operation());
    put(attributes, JdbcKeys.DB_COLLECTION_NAME, shown.collection());
    put(attributes, JdbcKeys.DB_STORED_PROCEDURE_NAME, shown.procedure());
    point = attributes.build();
  }

  private static <T> void put(
      AttributesBuilder attributes, AttributeKey<T> key, @Nullable T value) {
    if (value != null) {
      attributes.put(key, value);
    }
  }

  /**
   * What stands for several, as the conventions say; the query itself where there is one.
   *
   * @param queries what was added to the batch, each text once, and not more than are to be shown
   * @see <a href="https://opentelemetry.io/docs/specs/semconv/db/database-spans/">Batch
   *     operations</a>
   */
  static Query batch(Database database, Collection<Query> queries, long size) {
    if (size == 1 && queries.size() == 1) {
      return queries.iterator().next();
    }
    String summary = common(queries, Analyzed::summary);
    String operation = common(queries, Analyzed::operation);
    String texts =
        queries.stream()
            .map(query -> query.shown.text())
            .filter(Objects::nonNull)
            .distinct()
            .collect(Collectors.joining("; "));
    return new Query(
        database,
        new Analyzed(
            texts.isEmpty() ? null : SqlText.limited(texts),
            summary == null ? BATCH : BATCH + " " + summary,
            operation == null ? BATCH : BATCH + " " + operation,
            common(queries, Analyzed::collection),
            common(queries, Analyzed::procedure)),
        size);
  }

  private static @Nullable String common(
      Collection<Query> queries, Function<Analyzed, @Nullable String> part) {
    List<@Nullable String> parts =
        queries.stream().map(query -> part.apply(query.shown)).distinct().limit(2).toList();
    return parts.size() == 1 ? parts.get(0) : null;
  }
}
