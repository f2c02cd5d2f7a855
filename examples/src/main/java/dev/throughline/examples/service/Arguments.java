// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A command line of {@code --name=value} options and plain words. */
public final class Arguments {

  private final Map<String, String> options = new TreeMap<>();
  private final List<String> words = new ArrayList<>();

  /**
   * Reads a command line. An option without a value has the value {@code true}.
   *
   * @param known the options there are
   * @throws IllegalArgumentException for any other option
   */
  public Arguments(String[] commandLine, String... known) {
    for (String argument : commandLine) {
      if (!argument.startsWith("--")) {
        words.add(argument);
        continue;
      }
      int equals = argument.indexOf('=');
      String name = argument.substring(2, equals < 0 ? argument.length() : equals);
      if (!List.of(known).contains(name)) {
        throw new IllegalArgumentException("There is no option --" + name);
      }
      options.put(name, equals < 0 ? "true" : argument.substring(equals + 1));
    }
  }

  /** An option's value; null where it was not given. */
  public @Nullable String get(String name) {
    return options.get(name);
  }

  /** An option's value, or what to use where it was not given. */
  public String get(String name, String standard) {
    return options.getOrDefault(name, standard);
  }

  /**
   * An option's value, 0 or more.
   *
   * @throws IllegalArgumentException where it is no such number
   */
  public int number(String name, int standard) {
    String value = get(name, Integer.toString(standard));
    try {
      return Integer.parseUnsignedInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("--" + name + " wants a number, and not " + value, e);
    }
  }

  /**
   * An option's value.
   *
   * @throws IllegalArgumentException where it was not given
   */
  public String require(String name) {
    String value = options.get(name);
    if (value == null) {
      throw new IllegalArgumentException("The option --" + name + "=… is needed");
    }
    return value;
  }

  /** The plain words, in their order. */
  public List<String> words() {
    return List.copyOf(words);
  }
}
