// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The line that a service prints once it listens, for people and for whoever started it, e.g.
 * {@code READY bmc ipmi=40001 redfish=40002}.
 */
public record ReadyLine(String service, Map<String, Integer> ports) {

  private static final String READY = "READY";

  /** Finds out whether a line is one, and what it says. */
  public static Optional<ReadyLine> parse(String line) {
    String[] words = line.split(" ", -1);
    if (words.length < 2 || !words[0].equals(READY)) {
      return Optional.empty();
    }
    Map<String, Integer> ports = new TreeMap<>();
    for (int i = 2; i < words.length; i++) {
      int equals = words[i].indexOf('=');
      if (equals < 0) {
        return Optional.empty();
      }
      ports.put(words[i].substring(0, equals), Integer.valueOf(words[i].substring(equals + 1)));
    }
    return Optional.of(new ReadyLine(words[1], ports));
  }

  /** Where one of its ports that speak HTTP is reached, without a path. */
  public URI uri(String port) {
    Integer number = ports.get(port);
    if (number == null) {
      throw new IllegalArgumentException(service + " has no port " + port);
    }
    return URI.create("http://127.0.0.1:" + number);
  }

  @Override
  public String toString() {
    StringBuilder line = new StringBuilder(READY).append(' ').append(service);
    new TreeMap<>(ports).forEach((name, port) -> line.append(' ').append(name + "=" + port));
    return line.toString();
  }
}
