// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** How a protocol words a refusal in the body of its answer. */
@FunctionalInterface
public interface ErrorStyle {

  /** {@code {"error": "the reason"}}. */
  ErrorStyle PLAIN = refusal -> Json.object().put("error", refusal.getMessage());

  /** The body of the answer. */
  ObjectNode body(Refusal refusal);
}
