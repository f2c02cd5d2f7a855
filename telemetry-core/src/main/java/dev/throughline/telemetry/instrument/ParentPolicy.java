// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

/** What an incoming context becomes. */
public enum ParentPolicy {
  /** The parent of the request's span. */
  CHILD,
  /** A link of a new root span, for work that another trace only caused; baggage stays current. */
  LINK,
  /** A link of a new root span, at an edge where anybody may call: its baggage is not taken. */
  EDGE
}
