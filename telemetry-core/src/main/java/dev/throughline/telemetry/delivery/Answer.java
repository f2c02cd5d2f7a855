// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.io.IOException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of sending a request once.
 *
 * @param rejected items that a receiver did not take though it acknowledged the others
 * @param reason in words; where a receiver took all, its warning; null if it had none
 * @param brief the reason without the words that HTTP itself has for a status
 * @param retryAfterNanos how long the receiver asks to be left alone; 0 if it does not say
 * @param mayHaveArrived whether no answer came though some of the request had left
 * @param failure what was thrown; null if the receiver answered
 */
public record Answer(
    Kind kind,
    Cause cause,
    long rejected,
    @Nullable String reason,
    @Nullable String brief,
    long retryAfterNanos,
    boolean mayHaveArrived,
    @Nullable IOException failure) {

  /** The consequence of an answer. */
  public enum Kind {
    ACKNOWLEDGED,
    REFUSED,
    TRY_AGAIN
  }

  /** Why it was not acknowledged, if there is something to be done about it. */
  public enum Cause {
    /** The key is missing, or wrong. */
    NOT_AUTHENTICATED,
    /** The path is wrong, or nothing takes the signal there. */
    NOT_TAKEN_THERE,
    /** Whatever answers is no OTLP receiver. */
    NO_RECEIVER,
    /** The request has more bytes than is taken at once. */
    TOO_LARGE,
    /** The reason names another address. */
    REDIRECTED,
    /** A proxy wants credentials. */
    PROXY_REFUSES,
    /** The failure tells, or nothing does. */
    OTHER
  }

  private static final long FIRST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LAST_BACKOFF_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final double BACKOFF_MULTIPLIER = 1.5;
  private static final double JITTER = 0.2;
  private static final int LONGEST_REASON = 1_000;
  // As long as it may be until our keys are taken out of it.
  private static final int LONGEST_HEARD = 20_000;
  // Format characters, too: some turn the direction of a line.
  private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}]+");

  // A receiver that asks for more than the second is not believed: what waits would be lost
  // meanwhile.
  private static final long LONGEST_ASKED_NANOS = TimeUnit.MINUTES.toNanos(5);
  private static final long LONGEST_BELIEVED_NANOS = TimeUnit.HOURS.toNanos(1);

  /** A longer delay is one that the receiver asked for. */
  static final long LONGEST_OWN_DELAY_NANOS = (long) (LAST_BACKOFF_NANOS * (1 + JITTER));

  public Answer {
    reason = reason == null ? null : printable(reason, LONGEST_HEARD);
    brief = brief == null ? null : printable(brief, LONGEST_HEARD);
  }

  /** Receivers are strangers: no line ends, no escapes, no books, and nothing of what is secret. */
  Answer printable(UnaryOperator<String> mask) {
    return new Answer(
        kind,
        cause,
        rejected,
        reason == null ? null : printable(mask.apply(reason)),
        brief == null ? null : printable(mask.apply(brief)),
        retryAfterNanos,
        mayHaveArrived,
        failure);
  }

  /** A text on one line, and not too long. */
  static String printable(String said) {
    return printable(said, LONGEST_REASON);
  }

  private static String printable(String said, int longest) {
    // Before it is looked through: a receiver may send megabytes.
    boolean isCut = said.length() > 2 * longest;
    String start = isCut ? said.substring(0, 2 * longest) : said;
    String text = UNPRINTABLE.matcher(start).replaceAll(" ").strip();
    if (text.length() <= longest) {
      return isCut ? text + "…" : text;
    }
    int end = Character.isHighSurrogate(text.charAt(longest - 1)) ? longest - 1 : longest;
    return text.substring(0, end) + "…";
  }

  static Answer acknowledged(PartialSuccess partial) {
    long rejected = Math.max(0, partial.rejected());
    String message = partial.message().isEmpty() ? null : partial.message();
    String reason = message == null && rejected > 0 ? "the receiver does not say why" : message;
    String brief = rejected > 0 ? "partial success, " + reason : reason;
    return new Answer(Kind.ACKNOWLEDGED, Cause.OTHER, rejected, reason, brief, 0, false, null);
  }

  static Answer refused(Cause cause, String reason) {
    return refused(cause, reason, reason);
  }

  static Answer refused(Cause cause, String reason, String brief) {
    return new Answer(Kind.REFUSED, cause, 0, reason, brief, 0, false, null);
  }

  static Answer tryAgain(String reason, String brief, long askedNanos) {
    long retryAfterNanos =
        askedNanos > LONGEST_BELIEVED_NANOS
            ? 0
            : Math.max(0, Math.min(askedNanos, LONGEST_ASKED_NANOS));
    return new Answer(Kind.TRY_AGAIN, Cause.OTHER, 0, reason, brief, retryAfterNanos, false, null);
  }

  static Answer noAnswer(String reason, boolean mayHaveArrived, IOException failure) {
    return new Answer(Kind.TRY_AGAIN, Cause.OTHER, 0, reason, reason, 0, mayHaveArrived, failure);
  }

  /** Something threw that is no answer, and may not throw the next time. */
  static Answer broken(Throwable thrown, boolean mayHaveArrived) {
    return unsettled("it could not be sent: " + thrown, mayHaveArrived);
  }

  /** The end of an answer was cut off. */
  static Answer unknown(String reason) {
    return unsettled(reason, true);
  }

  private static Answer unsettled(String reason, boolean mayHaveArrived) {
    return new Answer(Kind.TRY_AGAIN, Cause.OTHER, 0, reason, reason, 0, mayHaveArrived, null);
  }

  /** Whether the receiver took all of it. */
  public boolean isComplete() {
    return kind == Kind.ACKNOWLEDGED && rejected == 0;
  }

  /**
   * How long to wait before the next try: as the receiver says, else longer each time, and not at
   * the same moment as others whose receiver came back.
   *
   * @param failures one after the other, from 1
   */
  long delayNanos(int failures) {
    if (retryAfterNanos > 0) {
      return retryAfterNanos;
    }
    double delay =
        Math.min(
            (double) LAST_BACKOFF_NANOS,
            FIRST_BACKOFF_NANOS * Math.pow(BACKOFF_MULTIPLIER, failures - 1));
    return (long) (delay * (1 - JITTER + 2 * JITTER * ThreadLocalRandom.current().nextDouble()));
  }
}
