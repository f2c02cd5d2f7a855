// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.Throttle;
import dev.throughline.telemetry.internals.Suppression;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.MessageWriter;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what one exporter encodes, on threads of its own, until the receiver acknowledges or
 * refuses it. An exporter is told at once that all is well, so that it holds no spans any longer,
 * and does not log what is logged here.
 */
final class Sender implements SenderProvider.Outlet {

  private static final Logger logger = LoggerFactory.getLogger(Delivery.class);
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
  // While telemetry closes there is little time.
  private static final long CLOSING_BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final Duration LONGEST_PATIENCE = Duration.ofDays(1);
  // With a disk, more than this in memory is at stake while a receiver does not answer.
  private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(1);
  // So that the way to a distant receiver is not the limit.
  private static final int MAX_THREADS = 4;
  private static final int MAX_FREE_ARRAYS = 4;
  private static final int SMALLEST_TAKEN_BYTES = 1 << 14;
  // Of messages that are sent as one: less than a proxy takes that is not told otherwise.
  private static final int MOST_MERGED_BYTES = 1_000_000;
  private static final int MERGED_PART_OF_PATIENCE = 8;

  private final Wire wire;
  private final String endpoint;
  private final long patienceNanos;
  private final boolean retries;
  private final @Nullable Spool spool;
  // Of what is sent without word of what it is.
  private final Ledger strays;
  private final Outbox.Explanation explanation;
  private final Guard guard;
  private final Throttle throttle = new Throttle();

  // Below, all of the lock, which no thread of the application ever takes.
  private final Object lock = new Object();
  private final Deque<Parcel> ready = new ArrayDeque<>();
  private final Set<Parcel> held = new HashSet<>();
  private final Deque<byte[]> free = new ArrayDeque<>();
  private final Deque<Spool.Entry> stored = new ArrayDeque<>();
  private @Nullable Ledger ledger;
  private int threads;
  private int idle;
  private int sending;
  private int failures;
  private int round;
  private long resumeNanos;
  private long progressNanos;
  private long acknowledgedNanos;
  // Bytes of a message that the receiver takes at once, as far as is known.
  private volatile int mostTaken = Integer.MAX_VALUE;
  // Bytes of messages that may be sent as one, by the time that the last answer took.
  private int mostMerged;
  // Whether the receiver has ever answered: until then one thread connects, and loads what that
  // takes, while the others would take time from the one that encodes.
  private boolean answers;
  private boolean silent;
  private boolean dividedLogged;
  private boolean closing;
  private boolean closed;
  // The failure that is logged once it is explained.
  private @Nullable Failure explained;

  /** A request with its bytes: one from memory, or one that was on disk. */
  private static final class Parcel {

    final Ledger ledger;
    final int items;
    final Body body;
    final @Nullable Request request;
    final Spool.@Nullable Entry entry;
    // Counted as repeated when it is sent again.
    volatile boolean mayHaveArrived;
    // A request that it was a part of was refused.
    boolean alone;

    Parcel(Request request, Body body) {
      ledger = request.ledger();
      items = request.items();
      this.request = request;
      this.body = body;
      entry = null;
    }

    Parcel(Spool.Entry entry, Ledger ledger, Body body) {
      this.ledger = ledger;
      items = entry.items();
      request = null;
      this.body = body;
      this.entry = entry;
      mayHaveArrived = entry.mayHaveArrived();
      body.onLeaving(() -> entry.mayHaveArrived(true));
    }

    boolean goesWith(Parcel other) {
      return ledger == other.ledger && !alone && !other.alone;
    }

    void settle(long failed, @Nullable String reason) {
      if (request != null) {
        request.settle(failed, reason);
      } else if (entry != null && entry.remove()) {
        ledger.spooledSettled(items, failed, reason);
      }
    }
  }

  Sender(
      Wire wire,
      boolean retries,
      @Nullable Spool spool,
      Ledger strays,
      Outbox.Explanation explanation,
      Guard guard) {
    this.explanation = explanation;
    this.spool = spool;
    this.strays = strays;
    this.wire = wire;
    endpoint = wire.receiver().address();
    Duration patience = wire.timeout();
    patienceNanos =
        (patience.compareTo(LONGEST_PATIENCE) < 0 ? patience : LONGEST_PATIENCE).toNanos();
    this.retries = retries;
    this.guard = guard;
  }

  @Override
  public void send(MessageWriter message) {
    Request current = Request.take();
    send(current == null ? new Request(strays, 1, false) : current, message);
  }

  /**
   * Takes a request over: it is encoded when this returns, and settled some time. One that is too
   * large stays with whoever exports it.
   */
  private void send(Request request, MessageWriter message) {
    int most = Math.min(request.ledger().maxMessageBytes(), mostTaken);
    int length = message.getContentLength();
    if (request.isDivisible() && length > most) {
      request.tooLarge((length - 1) / most + 1);
      return;
    }
    Body body;
    try {
      body = wire.encoding().encode(message, this::array);
      request.ledger().measured(request.items(), length);
    } catch (Throwable t) {
      request.settle(request.items(), "it could not be encoded: " + t);
      guard.caught("MessageWriter.writeMessage", t);
      return;
    }
    if (!hold(request.ledger(), body.bytes().length)) {
      request.drop();
      return;
    }
    Parcel parcel = new Parcel(request, body);
    List<Parcel> forDisk = List.of();
    synchronized (lock) {
      ledger = request.ledger();
      if (closed) {
        forDisk = List.of(parcel);
      } else {
        held.add(parcel);
        ready.add(parcel);
        if (spool != null && isStuck()) {
          forDisk = new ArrayList<>(ready);
          ready.clear();
        }
        wake();
      }
    }
    for (Parcel one : forDisk) {
      if (!toDisk(one)) {
        again(one);
      }
    }
  }

  /**
   * Takes memory for a request. If there is none, the thread that exports waits for it, so that a
   * burst goes out as fast as the receiver takes it. It gives up once a request has failed and
   * nothing was acknowledged for as long as an answer may take, and then waits no more until
   * something is.
   */
  private boolean hold(Ledger of, long bytes) {
    if (of.hold(bytes)) {
      return true;
    }
    synchronized (lock) {
      acknowledgedNanos = System.nanoTime();
      while (!closed && !of.hold(bytes)) {
        if (spool != null && isStuck()) {
          of.overdraw(bytes);
          return true;
        }
        long left = acknowledgedNanos + patienceNanos - System.nanoTime();
        silent |= left <= 0 && failures > 0;
        if (silent) {
          return false;
        }
        // An attempt that takes longer than this ends in a failure.
        pause(Math.max(left, LOOK_NANOS));
      }
      return !closed;
    }
  }

  /** Sends what is on disk of an earlier process. */
  void takeOver(Ledger of) {
    if (spool == null) {
      return;
    }
    synchronized (lock) {
      ledger = of;
    }
    spool.takeOver(
        of,
        left -> {
          synchronized (lock) {
            // Older than what has come since.
            for (int i = left.size(); i-- > 0; ) {
              stored.addFirst(left.get(i));
            }
            if (!closed) {
              wake();
            }
          }
        });
  }

  private void wake() {
    if (ready.isEmpty() && stored.isEmpty()) {
      return;
    }
    if (idle > 0) {
      lock.notifyAll();
    } else if (threads < MAX_THREADS
        && (threads == 0 || (ready.size() + stored.size() > 1 && answers && failures == 0))) {
      startThread();
    }
  }

  /** Whether what comes had better go to disk: the receiver fails, or has long not answered. */
  private boolean isStuck() {
    return failures > 0 || (sending > 0 && System.nanoTime() - progressNanos > STUCK_NANOS);
  }

  /** False where there is no disk, or no room on it. */
  private boolean toDisk(Parcel parcel) {
    Request request = parcel.request;
    Ledger of = parcel.ledger;
    if (spool == null || request == null || request.isSettled()) {
      return false;
    }
    Body body = parcel.body;
    Spool.Entry entry =
        spool.write(
            of.signal(),
            parcel.items,
            wire.encoding().isCompressed(),
            body.bytes(),
            0,
            body.length());
    if (entry == null) {
      return false;
    }
    // Asked first: an attempt that ends says that it may have arrived before it takes this back.
    boolean leaving = body.isLeaving();
    entry.mayHaveArrived(leaving || parcel.mayHaveArrived);
    if (!spooled(request)) {
      // Given up meanwhile.
      boolean unused = entry.remove();
      return true;
    }
    entry.countedBy(of);
    free(parcel);
    synchronized (lock) {
      stored.add(entry);
      if (!closed) {
        wake();
      }
    }
    return true;
  }

  private boolean spooled(Request request) {
    try {
      return request.spooled();
    } catch (Throwable t) {
      // Whoever waits for a flush has said what is to be called.
      guard.caught("CompletableResultCode.whenComplete", t);
      return true;
    }
  }

  /** Back into memory, where it came from; or given up, where all is over. */
  private void again(Parcel parcel) {
    synchronized (lock) {
      if (!closed) {
        ready.add(parcel);
        wake();
        return;
      }
    }
    settle(parcel, parcel.items, Ledger.NO_ANSWER);
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
    Thread thread = new Thread(() -> Suppression.run(this::work), "telemetry-delivery");
    thread.setDaemon(true);
    thread.start();
    threads++;
  }

  private void work() {
    while (true) {
      List<Parcel> parcels;
      Spool.Entry entry;
      int ofRound;
      synchronized (lock) {
        if (!awaitWork()) {
          threads--;
          return;
        }
        parcels = takeReady();
        entry = parcels.isEmpty() ? stored.poll() : null;
        if (sending++ == 0) {
          progressNanos = System.nanoTime();
        }
        ofRound = round;
      }
      if (entry != null) {
        parcels = load(entry);
      }
      if (parcels.isEmpty()) {
        synchronized (lock) {
          sending--;
          lock.notifyAll();
        }
        continue;
      }
      Answer answer;
      try {
        answer = attempt(parcels);
      } catch (Throwable t) {
        answer = Answer.broken(t, false);
        caught(t);
      }
      if (!separate(parcels, answer) && !divide(parcels, answer)) {
        answered(parcels, answer, ofRound);
      }
      // Someone else's interrupt would break off whatever comes next.
      Thread.interrupted();
    }
  }

  /**
   * The next one, and more that wait behind it if they can be sent as one: the further away a
   * receiver is, or the busier, the more go out at once.
   */
  private List<Parcel> takeReady() {
    List<Parcel> taken = new ArrayList<>();
    int most = Math.min(mostMerged, mostTaken);
    long length = 0;
    for (Parcel next = ready.peek(); next != null; next = ready.peek()) {
      length += next.body.length();
      if (!taken.isEmpty() && (length > most || !next.goesWith(taken.get(0)))) {
        break;
      }
      taken.add(ready.remove());
    }
    return taken;
  }

  /** Empty where there is nothing to be had of it. */
  private List<Parcel> load(Spool.Entry entry) {
    Ledger of;
    synchronized (lock) {
      of = ledger;
    }
    if (of == null || entry.isGone()) {
      return List.of();
    }
    try {
      return List.of(new Parcel(entry, of, wire.encoding().encode(entry.read())));
    } catch (IOException | RuntimeException e) {
      entry.fail(e);
      return List.of();
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

  /** Waits until there is something to send; false where this thread is no longer needed. */
  private boolean awaitWork() {
    long idleUntil = System.nanoTime() + IDLE_NANOS;
    while (!closed) {
      long now = System.nanoTime();
      long wait;
      if (ready.isEmpty() && stored.isEmpty()) {
        wait = idleUntil - now;
        if (wait <= 0) {
          return false;
        }
      } else if ((failures > 0 || !answers) && sending > 0) {
        // One knocks for all.
        wait = IDLE_NANOS;
      } else if (failures > 0 && resumeNanos - now > 0) {
        wait = resumeNanos - now;
      } else {
        return true;
      }
      idle++;
      pause(wait);
      idle--;
    }
    return false;
  }

  @SuppressWarnings("WaitNotInLoop") // The loop is the caller's.
  private void pause(long nanos) {
    try {
      lock.wait(nanos / 1_000_000, (int) (nanos % 1_000_000));
    } catch (InterruptedException e) {
      // Nobody here interrupts; the work goes on.
    }
  }

  private Answer attempt(List<Parcel> parcels) {
    List<Body> bodies = new ArrayList<>();
    long length = 0;
    for (Parcel parcel : parcels) {
      if (parcel.mayHaveArrived) {
        parcel.mayHaveArrived = false;
        parcel.ledger.repeated(parcel.items);
      }
      bodies.add(parcel.body);
      length += parcel.body.length();
    }
    long start = System.nanoTime();
    Answer answer = wire.send(bodies);
    long took = Math.max(1, System.nanoTime() - start);
    synchronized (lock) {
      answers |= answer.kind() != Answer.Kind.TRY_AGAIN;
      mostMerged =
          answer.kind() == Answer.Kind.ACKNOWLEDGED && !wire.encoding().isCompressed()
              ? (int)
                  Math.min(
                      MOST_MERGED_BYTES,
                      (double) length * patienceNanos / MERGED_PART_OF_PATIENCE / took)
              : 0;
    }
    for (Parcel parcel : parcels) {
      parcel.mayHaveArrived = answer.mayHaveArrived();
      parcel.body.stay();
      if (parcel.entry != null && answer.kind() == Answer.Kind.TRY_AGAIN) {
        parcel.entry.mayHaveArrived(answer.mayHaveArrived());
      }
    }
    return answer;
  }

  /**
   * Has each be sent alone if a receiver refuses all: it may mean one of them; false if there is
   * but one, or the answer is another.
   */
  private boolean separate(List<Parcel> parcels, Answer answer) {
    if (parcels.size() == 1 || answer.kind() != Answer.Kind.REFUSED) {
      return false;
    }
    synchronized (lock) {
      if (closed) {
        return false;
      }
      sending--;
      progressNanos = System.nanoTime();
      // A receiver that refuses is there.
      failures = 0;
      if (answer.cause() == Answer.Cause.TOO_LARGE) {
        int length = parcels.stream().mapToInt(parcel -> parcel.body.length()).sum();
        mostTaken = Math.min(mostTaken, Math.max(SMALLEST_TAKEN_BYTES, length / 2));
      }
      for (int i = parcels.size() - 1; i >= 0; i--) {
        Parcel parcel = parcels.get(i);
        parcel.alone = true;
        ready.addFirst(parcel);
      }
      wake();
      lock.notifyAll();
    }
    return true;
  }

  /** Puts two halves in the place of a request that is too large; false if it can't be halved. */
  private boolean divide(List<Parcel> parcels, Answer answer) {
    Parcel parcel = parcels.get(0);
    if (answer.cause() != Answer.Cause.TOO_LARGE || parcels.size() > 1 || parcel.items < 2) {
      return false;
    }
    List<Parcel> halves = new ArrayList<>();
    List<Spool.Entry> entries = new ArrayList<>();
    try {
      byte[] message = wire.encoding().decode(parcel.body);
      List<Division.Part> parts = Division.halves(message, parcel.ledger.isOfPoints());
      if (parts.isEmpty()
          || !(parcel.request == null
              ? divideEntry(parcel, parts, entries)
              : divideRequest(parcel.request, parts, halves))) {
        return false;
      }
      mostTaken = Math.min(mostTaken, Math.max(SMALLEST_TAKEN_BYTES, message.length / 2));
    } catch (IOException | RuntimeException e) {
      guard.caught("Sender.divide", e);
      return false;
    }
    if (parcel.request != null) {
      free(parcel);
    }
    synchronized (lock) {
      sending--;
      progressNanos = System.nanoTime();
      // A receiver that refuses is there.
      failures = 0;
      held.addAll(halves);
      entries.forEach(stored::addFirst);
      lock.notifyAll();
    }
    halves.forEach(this::again);
    logDivided(parcel, answer);
    return true;
  }

  private boolean divideRequest(Request request, List<Division.Part> parts, List<Parcel> halves)
      throws IOException {
    List<Body> bodies = new ArrayList<>();
    for (Division.Part part : parts) {
      bodies.add(wire.encoding().encode(part.message()));
    }
    List<Request> requests = request.divide(parts.get(0).items());
    for (int i = 0; i < requests.size(); i++) {
      Parcel half = new Parcel(requests.get(i), bodies.get(i));
      half.ledger.overdraw(half.body.bytes().length);
      halves.add(half);
    }
    return true;
  }

  /** On disk first, where what is there survives this process. */
  private boolean divideEntry(Parcel parcel, List<Division.Part> parts, List<Spool.Entry> entries) {
    Spool.Entry whole = requireNonNull(parcel.entry);
    for (Division.Part part : parts) {
      Spool.Entry half =
          requireNonNull(spool)
              .write(
                  parcel.ledger.signal(),
                  part.items(),
                  false,
                  part.message().bytes(),
                  0,
                  part.message().length());
      if (half != null) {
        entries.add(half);
      }
    }
    if (entries.size() < parts.size() || !whole.remove()) {
      // No room for both, or it had to make room for them itself.
      entries.forEach(Spool.Entry::remove);
      entries.clear();
      return whole.isGone();
    }
    entries.forEach(half -> half.countedBy(parcel.ledger));
    return true;
  }

  private void logDivided(Parcel parcel, Answer answer) {
    synchronized (lock) {
      if (dividedLogged) {
        return;
      }
      dividedLogged = true;
    }
    guard.run(
        "Logger.info",
        () ->
            logger.info(
                "{} does not take so many {} at once, and is sent fewer from now on: {}",
                endpoint,
                parcel.ledger.items(),
                answer.reason()));
  }

  private void answered(List<Parcel> parcels, Answer answer, int ofRound) {
    Parcel first = parcels.get(0);
    boolean again = answer.kind() == Answer.Kind.TRY_AGAIN && retries;
    int items = parcels.stream().mapToInt(parcel -> parcel.items).sum();
    long failed = 0;
    List<Parcel> forDisk = List.of();
    boolean over;
    synchronized (lock) {
      over = closed;
      sending--;
      progressNanos = System.nanoTime();
      if (answer.kind() == Answer.Kind.ACKNOWLEDGED) {
        acknowledgedNanos = progressNanos;
        silent = false;
        failed = Math.max(0, Math.min(answer.rejected(), items));
        failures = 0;
      } else if (!again || closed) {
        again = false;
        failed = items;
        // A receiver that refuses is there.
        failures = answer.kind() == Answer.Kind.REFUSED ? 0 : failures;
      } else {
        backOff(answer, ofRound);
        if (first.entry != null) {
          stored.addLast(first.entry);
        } else if (spool == null) {
          // Last, so that one which can't be delivered does not hold up the others.
          ready.addAll(parcels);
        } else {
          forDisk = new ArrayList<>(ready);
          forDisk.addAll(parcels);
          ready.clear();
        }
      }
      lock.notifyAll();
    }
    for (Parcel one : forDisk) {
      if (!toDisk(one)) {
        again(one);
      }
    }
    if (over && answer.kind() != Answer.Kind.ACKNOWLEDGED) {
      // Broken off: whoever closed this goes through what is left, and says what was lost.
      return;
    }
    if (again) {
      first.ledger.failing(String.valueOf(answer.reason()));
      logRetry(first, answer);
      return;
    }
    if (failed > 0) {
      logFailed(first, failed, answer);
    } else if (answer.reason() != null) {
      logWarning(first, answer.reason());
    }
    for (Parcel parcel : parcels) {
      long ofThis = Math.min(failed, parcel.items);
      failed -= ofThis;
      settle(parcel, ofThis, answer.reason());
    }
  }

  private void backOff(Answer answer, int ofRound) {
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
  }

  private void settle(Parcel parcel, long failed, @Nullable String reason) {
    if (parcel.request != null) {
      free(parcel);
    }
    // Whoever waits for a flush has said what is to be called.
    guard.run("CompletableResultCode.whenComplete", () -> parcel.settle(failed, reason));
  }

  private void free(Parcel parcel) {
    byte[] bytes = parcel.body.bytes();
    synchronized (lock) {
      held.remove(parcel);
      if (free.size() < MAX_FREE_ARRAYS) {
        free.addFirst(bytes);
      }
    }
    parcel.ledger.release(bytes.length);
    synchronized (lock) {
      lock.notifyAll();
    }
  }

  private void logRetry(Parcel parcel, Answer answer) {
    log(
        answer,
        told ->
            logger.warn(
                "Delivery of {} to {} fails and is tried again: {}",
                parcel.ledger.items(),
                endpoint,
                told));
  }

  private void logFailed(Parcel parcel, long failed, Answer answer) {
    log(
        answer,
        told ->
            logger.warn(
                "Delivery of {} to {} failed for {} of them: {}",
                parcel.ledger.items(),
                endpoint,
                failed,
                told));
  }

  private void logWarning(Parcel parcel, String warning) {
    if (!throttle.mayLog()) {
      return;
    }
    guard.run(
        "Logger.warn",
        () ->
            logger.warn(
                "{} takes the {}, and warns: {}", endpoint, parcel.ledger.items(), warning));
  }

  /**
   * Logs why something failed, and what to do about it. To find that out the receiver may have to
   * be asked once more, on a thread of its own: what is delivered does not wait for that.
   */
  private void log(Answer answer, Consumer<@Nullable String> line) {
    if (!throttle.mayLog()) {
      return;
    }
    Failure failure = new Failure(answer, line);
    boolean late;
    synchronized (lock) {
      late = closing || closed;
      explained = late || answer.failure() == null ? null : failure;
    }
    if (late) {
      failure.log(null);
    } else if (answer.failure() == null) {
      failure.log(explanation(answer));
    } else {
      try {
        Thread thread =
            new Thread(
                () -> Suppression.run(() -> failure.log(explanation(answer))),
                "telemetry-diagnosis");
        thread.setDaemon(true);
        thread.start();
      } catch (Throwable t) {
        failure.log(null);
        caught(t);
      }
    }
  }

  /** Logs a failure that is still being explained without its explanation. */
  private void logUnexplained() {
    Failure failure;
    synchronized (lock) {
      failure = explained;
      explained = null;
    }
    if (failure != null) {
      failure.log(null);
    }
  }

  private @Nullable String explanation(Answer answer) {
    try {
      return explanation.of(wire.receiver(), answer);
    } catch (Throwable t) {
      guard.caught("Explanation.of", t);
      return null;
    }
  }

  /** A failure, whose line is logged once. */
  private final class Failure {

    private final Answer answer;
    private final Consumer<@Nullable String> line;
    private final AtomicBoolean isLogged = new AtomicBoolean();

    Failure(Answer answer, Consumer<@Nullable String> line) {
      this.answer = answer;
      this.line = line;
    }

    void log(@Nullable String why) {
      if (isLogged.compareAndSet(false, true)) {
        String told =
            why == null ? answer.reason() : wire.printable(why) + " (" + answer.reason() + ")";
        guard.run("Logger.warn", () -> line.accept(told));
      }
    }
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
    logUnexplained();
  }

  /** Done once all that was taken over is settled. */
  @Override
  public CompletableResultCode shutdown() {
    List<CompletableResultCode> waiting = new ArrayList<>();
    synchronized (lock) {
      for (Parcel parcel : held) {
        if (parcel.request != null) {
          waiting.add(parcel.request.settled());
        }
      }
    }
    CompletableResultCode result = new CompletableResultCode();
    CompletableResultCode.ofAll(waiting).whenComplete(result::succeed);
    return result;
  }

  /** Sends no more; what can't go to disk is settled by its ledger. */
  void close() {
    List<Parcel> left;
    synchronized (lock) {
      closed = true;
      left = List.copyOf(held);
      ready.clear();
      held.clear();
      free.clear();
      lock.notifyAll();
    }
    wire.close();
    logUnexplained();
    for (Parcel parcel : left) {
      boolean unused = toDisk(parcel);
    }
  }
}
