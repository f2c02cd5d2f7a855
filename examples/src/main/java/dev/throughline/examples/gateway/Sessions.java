// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.examples.service.Refusal;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The open sessions, in memory. */
final class Sessions {

  private static final int MOST = 1000;
  private static final int SECONDS_FOR_VIEWER = 30;

  private final Map<String, ConsoleSession> open = new HashMap<>();

  /**
   * Opens a session. It ends by itself where its viewer takes too long to come.
   *
   * @throws Refusal if too many are open
   */
  synchronized void add(ConsoleSession session) throws Refusal {
    if (open.size() >= MOST) {
      throw new Refusal(503, "There are " + MOST + " sessions already");
    }
    open.put(session.id(), session);
    CompletableFuture.delayedExecutor(SECONDS_FOR_VIEWER, TimeUnit.SECONDS)
        .execute(
            () -> {
              if (!session.isViewed()) {
                end(session, "nobody came");
              }
            });
  }

  /** Null where there is none. */
  synchronized @Nullable ConsoleSession find(String id) {
    return open.get(id);
  }

  /** The session that a viewer has the ticket of; null where there is none. */
  @Nullable ConsoleSession find(String id, String ticket) {
    ConsoleSession session = find(id);
    return session != null
            && MessageDigest.isEqual(session.ticket().getBytes(UTF_8), ticket.getBytes(UTF_8))
        ? session
        : null;
  }

  void end(ConsoleSession session, String reason) {
    synchronized (this) {
      open.remove(session.id());
    }
    session.end(reason);
  }
}
