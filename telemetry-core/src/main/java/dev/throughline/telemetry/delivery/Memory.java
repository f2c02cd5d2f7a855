// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The memory that all signals have together. Half of each one's share is kept for it; the rest is
 * for any of them that needs it.
 */
final class Memory {

  private final long bytes;
  private final List<Ledger> ledgers = new CopyOnWriteArrayList<>();

  Memory(long bytes) {
    this.bytes = bytes;
  }

  void add(Ledger ledger) {
    ledgers.add(ledger);
  }

  /** Bytes that one may hold while the others hold what they do now. */
  long limit(Ledger of) {
    long limit = bytes;
    for (Ledger ledger : ledgers) {
      if (ledger != of) {
        limit -= Math.max(ledger.share() / 2, ledger.usedBytes());
      }
    }
    return limit;
  }

  /** One of them holds more now, or less. */
  void changed() {
    ledgers.forEach(Ledger::adjust);
  }
}
