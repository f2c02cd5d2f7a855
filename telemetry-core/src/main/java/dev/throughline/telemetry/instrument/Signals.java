// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.SpanContext;
import org.jspecify.annotations.Nullable;

/**
 * The signals that instrumentation records to, and which of them are on.
 *
 * @param openTelemetry where spans and metrics go and context propagates by
 * @param spans whether adapters make spans
 * @param metrics whether adapters record metrics
 * @param propagation whether adapters read and write context; false where someone else in the
 *     process, such as an agent, already does
 * @param sampling what is known of the sampler
 * @param baggageAttributes copies baggage to spans where the span processor does not; else null
 * @param segments what shows open-ended requests before they end; null where each is one span
 * @param requestIds the ids of requests; null where the service names no header for them
 * @param scopeHooks what goes along with the contexts of this telemetry; null with telemetry off
 * @param guard counts what is kept away from the application
 * @param longestValue how many characters a span shows of a value that comes from a stranger
 */
public record Signals(
    OpenTelemetry openTelemetry,
    boolean spans,
    boolean metrics,
    boolean propagation,
    Sampling sampling,
    @Nullable BaggageAttributes baggageAttributes,
    @Nullable Segments segments,
    @Nullable RequestIds requestIds,
    @Nullable ScopeHooks scopeHooks,
    Guard guard,
    int longestValue) {

  /** How much of a value a span shows, unless the SDK was told a limit. */
  public static final int LONGEST_VALUE = 4_096;

  /**
   * What is known of the sampler. Attributes that a span gets before it starts cost no lock each;
   * those that it gets after cost nothing where the sampler decided against it.
   */
  public enum Sampling {
    /** It may look at attributes: they are all there before the span starts. */
    BY_ATTRIBUTES,
    /** It takes every new trace, and goes on with those that were taken. */
    EVERY_TRACE,
    /** It takes some new traces, or none, and goes on with those that were taken. */
    SOME_TRACES
  }

  public Signals {
    requireNonNull(openTelemetry, "openTelemetry");
    requireNonNull(sampling, "sampling");
    requireNonNull(guard, "guard");
  }

  /** Whether the OpenTelemetry, with its propagators, was set up by somebody else. */
  boolean isForeign() {
    return baggageAttributes != null;
  }

  /** Whether a span below this one gets its attributes before it starts. */
  boolean attributesBeforeStart(SpanContext parent) {
    return switch (sampling) {
      case BY_ATTRIBUTES -> true;
      case EVERY_TRACE -> !parent.isValid() || parent.isSampled();
      case SOME_TRACES -> parent.isSampled();
    };
  }
}
