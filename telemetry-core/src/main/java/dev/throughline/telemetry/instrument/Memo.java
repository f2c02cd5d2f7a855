// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what was made of a few strings and numbers, so that a repeated request finds its
 * attributes and its span's name without allocating a key. Bounded: each of 512 slots keeps the
 * latest, and strings of 1,024 characters together, since a peer may choose them. Thread-safe.
 */
public final class Memo<V> {

  private static final int SLOTS = 512;
  private static final int LONGEST_KEPT = 1024;

  private final AtomicReferenceArray<@Nullable Entry<V>> slots = new AtomicReferenceArray<>(SLOTS);

  /** What was put for these; null where nothing was, or something else took its slot since. */
  public @Nullable V get(
      String a, @Nullable String b, @Nullable String c, @Nullable String d, int i, int j) {
    int hash = hash(a, b, c, d, i, j);
    Entry<V> entry = slots.get(hash & (SLOTS - 1));
    return entry != null && entry.hash == hash && entry.matches(a, b, c, d, i, j)
        ? entry.value
        : null;
  }

  /**
   * Remembers a value for these, unless they are too long.
   *
   * @return the value
   */
  public V put(
      String a, @Nullable String b, @Nullable String c, @Nullable String d, int i, int j, V value) {
    if (a.length() + length(b) + length(c) + length(d) > LONGEST_KEPT) {
      return value;
    }
    int hash = hash(a, b, c, d, i, j);
    slots.set(hash & (SLOTS - 1), new Entry<>(hash, a, b, c, d, i, j, value));
    return value;
  }

  private static int length(@Nullable String text) {
    return text == null ? 0 : text.length();
  }

  private static int hash(
      String a, @Nullable String b, @Nullable String c, @Nullable String d, int i, int j) {
    int hash = a.hashCode();
    hash = 31 * hash + (b == null ? 0 : b.hashCode());
    hash = 31 * hash + (c == null ? 0 : c.hashCode());
    hash = 31 * hash + (d == null ? 0 : d.hashCode());
    hash = 31 * hash + i;
    hash = 31 * hash + j;
    return hash ^ (hash >>> 16);
  }

  private static final class Entry<V> {
    final int hash;
    final String a;
    final @Nullable String b;
    final @Nullable String c;
    final @Nullable String d;
    final int i;
    final int j;
    final V value;

    Entry(
        int hash,
        String a,
        @Nullable String b,
        @Nullable String c,
        @Nullable String d,
        int i,
        int j,
        V value) {
      this.hash = hash;
      this.a = a;
      this.b = b;
      this.c = c;
      this.d = d;
      this.i = i;
      this.j = j;
      this.value = value;
    }

    boolean matches(
        String a, @Nullable String b, @Nullable String c, @Nullable String d, int i, int j) {
      return this.i == i
          && this.j == j
          && this.a.equals(a)
          && Objects.equals(this.b, b)
          && Objects.equals(this.c, c)
          && Objects.equals(this.d, d);
    }
  }
}
