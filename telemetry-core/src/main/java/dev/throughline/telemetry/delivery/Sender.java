// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import io.opentelemetry.api.impl.InstrumentationUtil;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.Compressor;
import io.opentelemetry.sdk.common.export.MessageWriter;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what one exporter encodes, on threads of its own, until the receiver acknowledges or refuses
 * it. An exporter is told at once that all is well, so that it holds no spans any longer, and does
 * not log what is logged here.
 */
final class Sender {

  private static final Logger logger = LoggerFactory.getLogger(Delivery.class);
  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
  // While telemetry closes there is little time.
  private static final long CLOSING_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  // So that the way to a distant receiver is not the limit.
  private static final int MAX_THREADS = 4;
  private static final int MAX_FREE_ARRAYS = 4;

  private final Wire wire;
  private final @Nullable Compressor compressor;
  private final String endpoint;
  private final long timeoutMillis;
  private final boolean retries;
  private final Guard guard;

  // Below, all of the lock, which no thread of the application ever takes.
  private final Object lock = new Object();
  private final Deque<Parcel> ready = new ArrayDeque<>();
  private final Set<Parcel> held = new HashSet<>();
  private final Deque<byte[]> free = new ArrayDeque<>();
  private int threads;
  private int idle;
  private int sending;
  private int failures;
  private int round;
  private long resumeNanos;
  private boolean closing;
  private boolean closed;
  private boolean logged;
  private long loggedAtNanos;

  /** A request with its bytes. */
  private static final class Parcel {

    final Request request;
    final Body body;
    boolean mayHaveArrived;

    Parcel(Request request, Body body) {
      this.request = request;
      this.body = body;
    }
  }

  Sender(
      Wire wire,
      @Nullable Compressor compressor,
      String endpoint,
      Duration timeout,
      boolean retries,
      Guard guard) {
    this.wire = wire;
    this.compressor = compressor;
    this.endpoint = endpoint;
    timeoutMillis = timeout.compareTo(Duration.ofDays(1)) < 0 ? timeout.toMillis() : Long.MAX_VALUE;
    this.retries = retries;
    this.guard = guard;
  }

  /** Takes a request over: it is encoded when this returns, and settled some time. */
  void send(Request request, MessageWriter message) {
    Body body;
    try {
      body = encoded(message);
      request.ledger().measured(request.items(), message.getContentLength());
    } catch (Throwable t) {
      request.settle(request.items(), "it could not be encoded: " + t);
      guard.caught("MessageWriter.writeMessage", t);
      return;
    }
    if (!request.ledger().hold(body.bytes().length)) {
      request.drop();
      return;
    }
    Parcel parcel = new Parcel(request, body);
    synchronized (lock) {
      if (!closed) {
        held.add(parcel);
        ready.add(parcel);
        if (idle > 0) {
          lock.notifyAll();
        } else if (threads < MAX_THREADS && (threads == 0 || (ready.size() > 1 && failures == 0))) {
          startThread();
        }
        return;
      }
    }
    settle(parcel, request.items(), Ledger.NO_ANSWER);
  }

  private Body encoded(MessageWriter message) throws IOException {
    int length = message.getContentLength();
    int prefix = wire.prefixLength();
    Body body = new Body(array(compressor == null ? prefix + length : prefix + length / 4));
    body.skip(prefix);
    if (compressor == null) {
      message.writeMessage(body);
    } else {
      try (OutputStream compressed = compressor.compress(body)) {
        message.writeMessage(compressed);
      }
    }
    wire.writePrefix(body.bytes(), body.length() - prefix);
    return body;
  }

  /** One that was used before, where it fits well enough. */
  private byte[] array(int capacity) {
    synchronized (lock) {
      byte[] used = free.peekFirst();
      if (used != null && used.length >= capacity) {
        free.removeFirst();
        if (used.length / 4 <= capacity) {
          return used;
        }
      }
    }
    return Body.array(capacity);
  }

  private void startThread() {
    Thread thread =
        new Thread(
            () -> InstrumentationUtil.suppressInstrumentation(this::work), "telemetry-delivery");
    thread.setDaemon(true);
    thread.start();
    threads++;
  }

  private void work() {
    while (true) {
      Parcel parcel;
      int ofRound;
      synchronized (lock) {
        parcel = next();
        if (parcel == null) {
          threads--;
          return;
        }
        sending++;
        ofRound = round;
      }
      Answer answer;
      try {
        answer = attempt(parcel);
      } catch (Throwable t) {
        answer = Answer.refused("it could not be sent: " + t);
        caught(t);
      }
      answered(parcel, answer, ofRound);
      // Someone else's interrupt would break off whatever comes next.
      Thread.interrupted();
    }
  }

  private void caught(Throwable thrown) {
    try {
      guard.caught("Sender.work", thrown);
    } catch (VirtualMachineError fatal) {
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, fatal);
    }
  }

  /** What is to be sent now; null where this thread is no longer needed. */
  private @Nullable Parcel next() {
    long idleUntil = System.nanoTime() + IDLE_NANOS;
    while (!closed) {
      long now = System.nanoTime();
      long wait;
      if (ready.isEmpty()) {
        wait = idleUntil - now;
        if (wait <= 0) {
          return null;
        }
      } else if (failures > 0 && sending > 0) {
        // One knocks for all.
        wait = IDLE_NANOS;
      } else if (failures > 0 && resumeNanos - now > 0) {
        wait = resumeNanos - now;
      } else {
        return ready.poll();
      }
      idle++;
      try {
        lock.wait(wait / 1_000_000, (int) (wait % 1_000_000));
      } catch (InterruptedException e) {
        // Nobody here interrupts; the work goes on.
      } finally {
        idle--;
      }
    }
    return null;
  }

  private Answer attempt(Parcel parcel) {
    if (parcel.mayHaveArrived) {
      parcel.mayHaveArrived = false;
      parcel.request.ledger().repeated(parcel.request.items());
    }
    parcel.body.leaving(false);
    try {
      return wire.send(parcel.body);
    } catch (IOException e) {
      return Answer.noAnswer(words(e), parcel.body.leaving());
    }
  }

  private String words(IOException e) {
    if (e instanceof InterruptedIOException) {
      return "no answer within " + timeoutMillis + " ms";
    }
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private void answered(Parcel parcel, Answer answer, int ofRound) {
    boolean again = answer.kind() == Answer.Kind.TRY_AGAIN && retries;
    long failed = 0;
    synchronized (lock) {
      sending--;
      if (answer.kind() == Answer.Kind.ACKNOWLEDGED) {
        failed = Math.max(0, Math.min(answer.rejected(), parcel.request.items()));
        failures = 0;
      } else if (!again || closed) {
        again = false;
        failed = parcel.request.items();
        // A receiver that refuses is there.
        failures = answer.kind() == Answer.Kind.REFUSED ? 0 : failures;
      } else {
        again(parcel, answer, ofRound);
      }
      lock.notifyAll();
    }
    if (again) {
      parcel.request.ledger().failing(String.valueOf(answer.reason()));
      logRetry(parcel, answer);
    } else {
      if (failed > 0) {
        logFailed(parcel, failed, answer);
      }
      settle(parcel, failed, answer.reason());
    }
  }

  private void again(Parcel parcel, Answer answer, int ofRound) {
    parcel.mayHaveArrived = answer.mayHaveArrived();
    if (ofRound == round) {
      // Those that were sent beside this one fail for the same reason.
      round++;
      failures++;
      resumeNanos = System.nanoTime();
    }
    long delay = answer.delayNanos(failures);
    if (closing && answer.retryAfterNanos() == 0) {
      delay = Math.min(delay, CLOSING_BACKOFF_NANOS);
    }
    resumeNanos = Math.max(resumeNanos, System.nanoTime() + delay);
    // Last, so that one which can't be delivered does not hold up the others.
    ready.addLast(parcel);
  }

  private void settle(Parcel parcel, long failed, @Nullable String reason) {
    byte[] bytes = parcel.body.bytes();
    synchronized (lock) {
      held.remove(parcel);
      if (free.size() < MAX_FREE_ARRAYS) {
        free.addFirst(bytes);
      }
    }
    parcel.request.ledger().release(bytes.length);
    try {
      parcel.request.settle(failed, reason);
    } catch (Throwable t) {
      // Whoever waits for a flush has said what is to be called.
      guard.caught("CompletableResultCode.whenComplete", t);
    }
  }

  private void logRetry(Parcel parcel, Answer answer) {
    synchronized (lock) {
      if (!mayLog()) {
        return;
      }
    }
    guard.run(
        "Logger.warn",
        () ->
            logger.warn(
                "Delivery of {} to {} fails and is tried again: {}",
                parcel.request.ledger().items(),
                endpoint,
                answer.reason()));
  }

  private void logFailed(Parcel parcel, long failed, Answer answer) {
    synchronized (lock) {
      if (!mayLog()) {
        return;
      }
    }
    guard.run(
        "Logger.warn",
        () ->
            logger.warn(
                "Delivery of {} to {} failed for {} of them: {}",
                parcel.request.ledger().items(),
                endpoint,
                failed,
                answer.reason()));
  }

  private boolean mayLog() {
    long now = System.nanoTime();
    if (logged && now - loggedAtNanos < QUIET_NANOS) {
      return false;
    }
    logged = true;
    loggedAtNanos = now;
    return true;
  }

  /** Tries at once, and waits no longer between tries than the receiver asks for. */
  void hurry() {
    synchronized (lock) {
      closing = true;
      if (resumeNanos - System.nanoTime() < Answer.LONGEST_OWN_DELAY_NANOS) {
        resumeNanos = System.nanoTime();
      }
      lock.notifyAll();
    }
  }

  /** Done once all that was taken over is settled. */
  CompletableResultCode shutdown() {
    List<CompletableResultCode> waiting = new ArrayList<>();
    synchronized (lock) {
      for (Parcel parcel : held) {
        waiting.add(parcel.request.settled());
      }
    }
    CompletableResultCode result = new CompletableResultCode();
    CompletableResultCode.ofAll(waiting).whenComplete(result::succeed);
    return result;
  }

  /** Sends no more; what is left is settled by its ledger. */
  void close() {
    synchronized (lock) {
      closed = true;
      ready.clear();
      held.clear();
      free.clear();
      lock.notifyAll();
    }
    wire.close();
  }
}
