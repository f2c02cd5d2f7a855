// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.manager;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;

/**
 * Who may sign in, and which customer it is for.
 *
 * @param name as in the request, e.g. {@code ada}
 */
public record Operator(String name, String password, String customerId) {

  boolean hasPassword(String given) {
    return MessageDigest.isEqual(password.getBytes(UTF_8), given.getBytes(UTF_8));
  }

  /** Leaves out the password. */
  @Override
  public String toString() {
    return name + " of " + customerId;
  }
}
