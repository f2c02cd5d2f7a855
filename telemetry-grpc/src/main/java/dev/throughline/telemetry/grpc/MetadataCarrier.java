// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.HeaderGetter;
import io.grpc.Metadata;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads and writes context in a call's metadata. */
final class MetadataCarrier extends HeaderGetter<GrpcExchange>
    implements TextMapSetter<GrpcExchange> {

  private final Map<String, Metadata.Key<String>> keys = new HashMap<>();
  private final List<Metadata.Key<String>> fields = new ArrayList<>();

  MetadataCarrier(Telemetry telemetry) {
    for (String field :
        telemetry.openTelemetry().getPropagators().getTextMapPropagator().fields()) {
      Metadata.Key<String> key = Metadata.Key.of(field, Metadata.ASCII_STRING_MARSHALLER);
      keys.put(field, key);
      fields.add(key);
    }
  }

  /** Whether there is anything to be read. */
  boolean isIn(Metadata headers) {
    for (int i = 0; i < fields.size(); i++) {
      if (headers.containsKey(fields.get(i))) {
        return true;
      }
    }
    return false;
  }

  @Override
  protected @Nullable List<String> lines(GrpcExchange exchange, String name) {
    Metadata headers = exchange.headers;
    Iterable<String> values = headers == null ? null : headers.getAll(key(name));
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
  public void set(@Nullable GrpcExchange exchange, String name, String value) {
    Metadata headers = exchange == null ? null : exchange.headers;
    if (headers == null) {
      return;
    }
    Metadata.Key<String> key = key(name);
    // Metadata that is sent a second time still has what the first call wrote.
    headers.discardAll(key);
    headers.put(key, value);
  }

  private Metadata.Key<String> key(String name) {
    Metadata.Key<String> key = keys.get(name);
    return key == null ? Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER) : key;
  }
}
