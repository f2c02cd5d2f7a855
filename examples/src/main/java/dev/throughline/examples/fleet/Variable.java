// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An environment variable of one process. */
record Variable(Role role, String name, String value) {

  private static final Pattern FORM = Pattern.compile("([a-z]+):([A-Z0-9_]+)=(.*)");

  /** Reads e.g. {@code gateway:OTEL_PROPAGATORS=none}. */
  static Variable parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new IllegalArgumentException("A variable is PROCESS:NAME=VALUE, and not " + text);
    }
    return new Variable(Role.of(form.group(1)), form.group(2), form.group(3));
  }
}
