// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.jdbc.SqlAnalyzer.Analyzed;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what was made of statements, by their text. Bounded in number and in characters, since
 * a text may hold what a stranger sent, and asked without allocating: a text has two slots to be
 * in, each of which keeps the latest.
 */
final class Queries {

  private static final int SLOTS = 2_048;
  private static final int LONGEST_KEPT = 8 * 1024;
  private static final int MOST_CHARACTERS = 2 * 1024 * 1024;

  private record Entry(String sql, Database database, boolean raw, Query query) {

    boolean is(String sql, Database database, boolean raw) {
      return this.sql.equals(sql) && this.raw == raw && this.database.equals(database);
    }

    int characters() {
      String text = query.shown.text();
      return sql.length() + (text == null ? 0 : text.length());
    }
  }

  private final AtomicReferenceArray<@Nullable Entry> slots = new AtomicReferenceArray<>(SLOTS);
  private final AtomicInteger characters = new AtomicInteger();
  private final AtomicInteger nextToForget = new AtomicInteger();
  private final QueryText mode;
  private final BiFunction<String, Database, Analyzed> analyzer;
  private final Guard guard;

  Queries(QueryText mode, BiFunction<String, Database, Analyzed> analyzer, Guard guard) {
    this.mode = mode;
    this.analyzer = analyzer;
    this.guard = guard;
  }

  /**
   * The query of a text.
   *
   * @param prepared whether its values are parameters
   */
  Query get(Database database, @Nullable String sql, boolean prepared) {
    boolean raw = prepared && mode == QueryText.RAW;
    if (sql == null || sql.length() > LONGEST_KEPT) {
      return make(database, sql, raw);
    }
    int hash = sql.hashCode();
    int slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    Entry first = slots.get(slot);
    if (first != null && first.is(sql, database, raw)) {
      return first.query;
    }
    Entry second = slots.get(slot ^ 1);
    if (second != null && second.is(sql, database, raw)) {
      return second.query;
    }
    Entry made = new Entry(sql, database, raw, make(database, sql, raw));
    put(slot ^ 1, first);
    put(slot, made);
    while (characters.get() > MOST_CHARACTERS) {
      put(nextToForget.getAndIncrement() & (SLOTS - 1), null);
    }
    return made.query;
  }

  private void put(int slot, @Nullable Entry entry) {
    Entry before = slots.getAndSet(slot, entry);
    characters.addAndGet(
        (entry == null ? 0 : entry.characters()) - (before == null ? 0 : before.characters()));
  }

  /** What the analyzer finds; a query without a text where it throws. */
  private Query make(Database database, @Nullable String sql, boolean raw) {
    if (sql != null) {
      try {
        Analyzed found = analyzer.apply(SqlText.safe(sql, database), database);
        String text = raw ? SqlText.limited(sql) : shown(found.text());
        return new Query(
            database,
            new Analyzed(
                text, found.summary(), found.operation(), found.collection(), found.procedure()),
            null);
      } catch (Throwable t) {
        guard.caught("SqlQueryAnalyzer.analyze", t);
      }
    }
    return new Query(database, Analyzed.NOTHING, null);
  }

  private @Nullable String shown(@Nullable String sanitized) throws NoSuchAlgorithmException {
    if (sanitized == null || mode == QueryText.NONE) {
      return null;
    }
    if (mode == QueryText.HASHED) {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(sanitized.getBytes(UTF_8));
      return HexFormat.of().formatHex(hash);
    }
    return sanitized;
  }
}
