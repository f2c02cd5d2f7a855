// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A path with variables, e.g. {@code /servers/{id}/power}. A variable's value is letters, digits,
 * dots, dashes and underscores, and so needs no escaping wherever it goes from here.
 */
record PathTemplate(String template) {

  private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9._-]+");

  /** What all of its paths begin with. */
  String prefix() {
    int variable = template.indexOf('{');
    return variable < 0 ? template : template.substring(0, variable);
  }

  /** The variables of a path; empty where the path is another one. */
  Optional<Map<String, String>> match(String path) {
    String[] wanted = template.split("/", -1);
    String[] found = path.split("/", -1);
    if (wanted.length != found.length) {
      return Optional.empty();
    }
    Map<String, String> variables = new HashMap<>();
    for (int i = 0; i < wanted.length; i++) {
      if (wanted[i].startsWith("{") && VALUE.matcher(found[i]).matches()) {
        variables.put(wanted[i].substring(1, wanted[i].length() - 1), found[i]);
      } else if (!wanted[i].equals(found[i])) {
        return Optional.empty();
      }
    }
    return Optional.of(variables);
  }
}
