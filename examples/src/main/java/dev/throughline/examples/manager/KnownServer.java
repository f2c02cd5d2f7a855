// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.manager;

import java.net.URI;

/**
 * A server, and where it is reached.
 *
 * @param gateway of the server's data centre
 */
public record KnownServer(String id, String datacenter, URI gateway) {

  /** Reads {@code id,datacenter,uri}, e.g. {@code srv-1,ber1,http://127.0.0.1:8081}. */
  static KnownServer parse(String text) {
    String[] parts = text.split(",", 3);
    if (parts.length != 3) {
      throw new IllegalArgumentException("A server is id,datacenter,uri and not " + text);
    }
    return new KnownServer(parts[0], parts[1], URI.create(parts[2]));
  }
}
