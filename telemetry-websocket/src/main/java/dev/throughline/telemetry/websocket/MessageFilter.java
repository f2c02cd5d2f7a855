// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import org.jspecify.annotations.Nullable;

/** Chooses the messages that have a span of their own. */
@FunctionalInterface
public interface MessageFilter {

  /**
   * Whether a message has a span. Called once for each message, also while another is being sent;
   * it allocates what it allocates.
   *
   * @param sent true for a message that goes out, false for one that came in
   * @param text the text of a text message, to be read during the call alone; of one that is
   *     handled in parts its first part, of one that is handled as a stream the empty string; null
   *     for a binary message
   * @param bytes the size of {@code text} in UTF-8, or of the binary message or its first part; 0
   *     for one that is handled as a stream
   */
  boolean test(boolean sent, @Nullable CharSequence text, long bytes);
}
