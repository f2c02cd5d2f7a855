// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import java.net.URI;
import java.util.Locale;

/**
 * A server that the Agent looks after.
 *
 * @param redfish where its BMC answers, without a path
 */
public record ManagedServer(String id, BmcType bmcType, URI redfish) {

  /** Reads {@code id,type,uri}, e.g. {@code srv-1,ipmi,http://127.0.0.1:8000}. */
  static ManagedServer parse(String text) {
    String[] parts = text.split(",", 3);
    if (parts.length != 3) {
      throw new IllegalArgumentException("A server is id,type,uri and not " + text);
    }
    BmcType type = BmcType.valueOf(parts[1].toUpperCase(Locale.ROOT));
    return new ManagedServer(parts[0], type, URI.create(parts[2]));
  }
}
