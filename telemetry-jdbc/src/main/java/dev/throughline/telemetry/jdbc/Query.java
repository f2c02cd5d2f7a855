// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A statement or batch as spans and metrics have it; made once for a text and then kept. */
final class Query {

  private static final String BATCH = "BATCH";

  final Database database;
  final String name;
  final @Nullable String text;
  final @Nullable String summary;
  final @Nullable String operation;
  final @Nullable String collection;
  final @Nullable String procedure;
  final @Nullable Long batchSize;
  final Attributes point;

  Query(
      Database database,
      @Nullable String text,
      @Nullable String summary,
      @Nullable String operation,
      @Nullable String collection,
      @Nullable String procedure) {
    this.database = database;
    this.text = text;
    this.summary = summary;
    this.operation = operation;
    this.collection = collection;
    this.procedure = procedure;
    batchSize = null;
    name = summary == null ? database.target() : summary;
    AttributesBuilder attributes =
        Attributes.builder().put(JdbcKeys.DB_SYSTEM_NAME, database.system());
    put(attributes, JdbcKeys.DB_NAMESPACE, database.namespace());
    put(attributes, JdbcKeys.SERVER_ADDRESS, database.address());
    put(attributes, JdbcKeys.SERVER_PORT, database.port());
    put(attributes, JdbcKeys.DB_QUERY_SUMMARY, summary);
    put(attributes, JdbcKeys.DB_OPERATION_NAME, operation);
    put(attributes, JdbcKeys.DB_COLLECTION_NAME, collection);
    put(attributes, JdbcKeys.DB_STORED_PROCEDURE_NAME, procedure);
    point = attributes.build();
  }

  private Query(Query batch, long batchSize) {
    database = batch.database;
    name = batch.name;
    text = batch.text;
    summary = batch.summary;
    operation = batch.operation;
    collection = batch.collection;
    procedure = batch.procedure;
    point = batch.point;
    this.batchSize = batchSize;
  }

  private static <T> void put(
      AttributesBuilder attributes,
      io.opentelemetry.api.common.AttributeKey<T> key,
      @Nullable T value) {
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
    String summary = common(queries, query -> query.summary);
    String operation = common(queries, query -> query.operation);
    Set<String> texts = new LinkedHashSet<>();
    for (Query query : queries) {
      if (query.text != null) {
        texts.add(query.text);
      }
    }
    return new Query(
        new Query(
            database,
            texts.isEmpty() ? null : SqlText.limited(String.join("; ", texts)),
            summary == null ? BATCH : BATCH + " " + summary,
            operation == null ? BATCH : BATCH + " " + operation,
            common(queries, query -> query.collection),
            common(queries, query -> query.procedure)),
        size);
  }

  private static @Nullable String common(
      Collection<Query> queries, Function<Query, @Nullable String> part) {
    Iterator<Query> each = queries.iterator();
    String first = each.hasNext() ? part.apply(each.next()) : null;
    while (each.hasNext()) {
      if (!Objects.equals(first, part.apply(each.next()))) {
        return null;
      }
    }
    return first;
  }
}
