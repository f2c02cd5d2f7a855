// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.sdk.common.CompletableResultCode;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Items that go out together: first in the hands of an exporter, then, where that calls a {@link
 * Sender}, as the bytes that it sends. Settled once, by whoever has it then.
 */
final class Request {

  // An exporter hands its sender bytes alone, on the thread that called it.
  private static final ThreadLocal<Request> CURRENT = new ThreadLocal<>();

  private final Ledger ledger;
  private final int items;
  private final CompletableResultCode settled = new CompletableResultCode();
  private final AtomicBoolean isSettled = new AtomicBoolean();
  private boolean taken;
  private final boolean divisible;
  private int parts = 1;

  /**
   * @param divisible whether {@link #tooLarge} may be said of it
   */
  Request(Ledger ledger, int items, boolean divisible) {
    this.ledger = ledger;
    this.items = items;
    this.divisible = divisible;
    ledger.opened(this);
  }

  boolean isDivisible() {
    return divisible;
  }

  Ledger ledger() {
    return ledger;
  }

  int items() {
    return items;
  }

  /** Succeeds where the receiver acknowledged all. */
  CompletableResultCode settled() {
    return settled;
  }

  /** From now on an exporter sends this on this thread. */
  void begin() {
    CURRENT.set(this);
  }

  /**
   * The exporter has been asked.
   *
   * @return whether a sender has taken this, and will settle it
   */
  boolean end() {
    CURRENT.remove();
    return taken;
  }

  /** The request that is exported on this thread, once; null if nobody said. */
  static @Nullable Request take() {
    Request current = CURRENT.get();
    if (current == null || current.taken || current.isTooLarge()) {
      return null;
    }
    current.taken = true;
    return current;
  }

  /**
   * Gives it back to whoever exports it, and divides it.
   *
   * @param into how many parts, two at least
   */
  void tooLarge(int into) {
    parts = into;
    taken = false;
  }

  boolean isTooLarge() {
    return parts > 1;
  }

  /** How many parts it is to be divided into. */
  int parts() {
    return parts;
  }

  /**
   * Leaves its items to other requests.
   *
   * @return false where it was settled before
   */
  boolean withdraw() {
    if (!isSettled.compareAndSet(false, true)) {
      return false;
    }
    ledger.withdrawn(this);
    return true;
  }

  /**
   * Leaves its items to two others, and is settled with them.
   *
   * @param first how many items the first one has
   * @return empty if it was settled before
   */
  List<Request> divide(int first) {
    if (!isSettled.compareAndSet(false, true)) {
      return List.of();
    }
    List<Request> halves =
        List.of(new Request(ledger, first, false), new Request(ledger, items - first, false));
    // After them: a flush that comes between waits for all three.
    ledger.withdrawn(this);
    CompletableResultCode both =
        CompletableResultCode.ofAll(List.of(halves.get(0).settled, halves.get(1).settled));
    both.whenComplete(
        () -> {
          if (both.isSuccess()) {
            settled.succeed();
          } else {
            settled.fail();
          }
        });
    return halves;
  }

  /** Only the first call counts. */
  void settle(long failed, @Nullable String reason) {
    if (isSettled.compareAndSet(false, true)) {
      ledger.settled(this, failed, reason);
      if (failed == 0) {
        settled.succeed();
      } else {
        settled.fail();
      }
    }
  }

  /** For want of memory. */
  void drop() {
    if (isSettled.compareAndSet(false, true)) {
      ledger.displaced(this);
      settled.fail();
    }
  }

  /**
   * It is on disk now; whoever waits for a flush waits no longer.
   *
   * @return false where it was settled before
   */
  boolean spooled() {
    if (!isSettled.compareAndSet(false, true)) {
      return false;
    }
    ledger.spooled(this);
    settled.fail();
    return true;
  }

  boolean isSettled() {
    return isSettled.get();
  }
}
