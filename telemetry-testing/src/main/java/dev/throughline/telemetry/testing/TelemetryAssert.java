// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.List;
import org.assertj.core.api.AbstractAssert;

/** Assertions on what a {@link TelemetryExtension} recorded. */
public final class TelemetryAssert extends AbstractAssert<TelemetryAssert, TelemetryExtension> {

  TelemetryAssert(TelemetryExtension telemetry) {
    super(telemetry, TelemetryAssert.class);
  }

  /**
   * Takes the finished spans, and compares them with trees that are written like this:
   *
   * <pre>{@code
   * POST /CreateVNCSession  SERVER
   *   session.create
   *   SELECT sessions       CLIENT ERROR error.type=java.sql.SQLException
   * vnc.transfer            bmc.type=ipmi note="two words"
   * }</pre>
   *
   * <p>One line is one span, and what is indented more is below it. Two or more spaces end its
   * name, which may contain single ones. Then stand, in any order: its kind, where it is not {@code
   * INTERNAL}; {@code ERROR}, where its status is that, and only there; and those attributes that
   * are to be compared, a list as {@code "[a, b]"}.
   *
   * <p>Siblings stand in the order they started; by name, where they started in the same
   * nanosecond. So do roots: spans without a parent, or with one that is not among these spans,
   * such as a remote one.
   *
   * <p>Waits until there are as many spans as lines and none is running.
   *
   * @throws IllegalArgumentException if {@code expected} can't be read
   */
  public TelemetryAssert tree(String expected) {
    List<SpanLine> wanted = SpanLine.parse(expected);
    isNotNull();
    List<SpanData> spans =
        actual.spans().takeWhole(taken -> taken.size() >= wanted.size(), actual.timeout());
    TreeDifference difference = new TreeDifference(wanted, SpanLine.of(spans));
    if (!difference.isNone()) {
      throw failureWithActualExpected(
          difference.actual(),
          difference.expected(),
          "%s",
          difference + stillRunning(actual.spans().running()));
    }
    return this;
  }

  private static String stillRunning(List<String> names) {
    return names.isEmpty() ? "" : "\nStarted and not ended: " + names;
  }
}
