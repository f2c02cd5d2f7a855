// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.auth;

/** What only the environment knows, so that no file and no process list shows it. */
public final class Secrets {

  /** The variable with the key that signs tokens, of the Manager and the Gateways. */
  public static final String TOKEN_KEY = "FLEET_TOKEN_KEY";

  /** The variable with the operator's password, of the Manager and the command line client. */
  public static final String PASSWORD = "FLEET_PASSWORD";

  private Secrets() {}

  /**
   * The value of a variable.
   *
   * @throws IllegalArgumentException if it is not set
   */
  public static String require(String variable) {
    String value = System.getenv(variable);
    if (value == null || value.isEmpty()) {
      throw new IllegalArgumentException("The environment variable " + variable + " is needed");
    }
    return value;
  }
}
