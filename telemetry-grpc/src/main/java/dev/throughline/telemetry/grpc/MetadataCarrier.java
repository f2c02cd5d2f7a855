// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import dev.throughline.telemetry.instrument.HeaderGetter;
import dev.throughline.telemetry.instrument.HeaderSetter;
import io.grpc.Metadata;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Reads and writes context in a call's metadata. */
final class MetadataCarrier extends HeaderGetter<GrpcExchange>
    implements HeaderSetter<GrpcExchange> {

  // Some propagators make names of what comes in.
  private static final int MOST_KEYS = 64;

  private final ConcurrentHashMap<String, Metadata.Key<String>> keys = new ConcurrentHashMap<>();

  /** Whether metadata has a value of this name. */
  boolean isIn(Metadata headers, String name) {
    Metadata.Key<String> key = key(name);
    return key != null && headers.containsKey(key);
  }

  @Override
  protected @Nullable List<String> lines(GrpcExchange exchange, String name) {
    Metadata headers = exchange.headers;
    Metadata.Key<String> key = key(name);
    Iterable<String> values = headers == null || key == null ? null : headers.getAll(key);
    if (values == null) {
      return null;
    }
    Iterator<String> all = values.iterator();
    String first = all.next();
    if (!all.hasNext()) {
      return List.of(first);
    }
    List<String> lines = new ArrayList<>();
    lines.add(first);
    all.forEachRemaining(lines::add);
    return lines;
  }

  @Override
  public void set(GrpcExchange exchange, String name, String value) {
    Metadata headers = exchange.headers;
    Metadata.Key<String> key = key(name);
    if (headers == null || key == null) {
      return;
    }
    // Metadata that is sent a second time still has what the first call wrote.
    headers.discardAll(key);
    headers.put(key, value);
  }

  /** Null for a name that metadata can't have. */
  private Metadata.@Nullable Key<String> key(String name) {
    Metadata.Key<String> known = keys.get(name);
    if (known != null) {
      return known;
    }
    Metadata.Key<String> key;
    try {
      key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    } catch (IllegalArgumentException e) {
      return null;
    }
    if (keys.size() < MOST_KEYS) {
      keys.put(name, key);
    }
    return key;
  }
}
