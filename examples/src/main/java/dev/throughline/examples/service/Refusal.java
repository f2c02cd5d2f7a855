// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

/** A request that is answered with an error: the HTTP status, and the reason for the caller. */
public class Refusal extends Exception {

  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * A refusal.
   *
   * @param status of HTTP, 400 to 599
   */
  public Refusal(int status, String message) {
    super(message);
    this.status = status;
  }

  /** The HTTP status. */
  public final int status() {
    return status;
  }

  /** The reason; never null here. */
  @Override
  public final String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
