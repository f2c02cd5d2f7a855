// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

/**
 * Where a server may find the context of a client that can't set headers, such as a page in a
 * browser. Headers are always looked at first.
 */
public enum ContextSource {
  /**
   * Parameters of the URL's query, {@code ?traceparent=00-…-01&baggage=…}: seen by proxies and in
   * access logs.
   */
  QUERY,
  /** A sub-protocol that is offered, {@code traceparent.00-…-01}; it carries no baggage. */
  SUB_PROTOCOL,
  /**
   * The first message, where it is text of lines {@code traceparent:00-…-01}; the application does
   * not see it, unless it reads text as a stream. What ran before it, {@code onOpen} among it, is
   * in another trace.
   */
  FIRST_MESSAGE
}
