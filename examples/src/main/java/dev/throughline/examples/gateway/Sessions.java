// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import dev.throughline.examples.service.Refusal;
import java.util.HashMap;
import java.util.Map;

/** The open sessions, in memory. */
final class Sessions {

  private static final int MOST = 1000;

  private final Map<String, Session> open = new HashMap<>();

  /**
   * Opens a session.
   *
   * @throws Refusal if too many are open
   */
  synchronized void add(Session session) throws Refusal {
    if (open.size() >= MOST) {
      throw new Refusal(503, "There are " + MOST + " sessions already");
    }
    open.put(session.id(), session);
  }

  synchronized void remove(Session session) {
    open.remove(session.id());
  }
}
