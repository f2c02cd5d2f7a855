// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.api.OpenTelemetry;
import org.jspecify.annotations.Nullable;

/**
 * The signals that instrumentation records to, and which of them are on.
 *
 * @param openTelemetry where spans and metrics go and context propagates by
 * @param spans whether adapters make spans
 * @param metrics whether adapters record metrics
 * @param propagation whether adapters read and write context; false where someone else in the
 *     process, such as an agent, already does
 * @param samplerReadsAttributes whether the sampler may look at a span's attributes; when it does
 *     not, they are set after it has decided, and an unsampled span costs none of them
 * @param baggageAttributes copies baggage to spans where the span processor does not; else null
 * @param requestIds the ids of requests; null where the service names no header for them
 * @param scopeHooks what goes along with the contexts of this telemetry; null with telemetry off
 */
public record Signals(
    OpenTelemetry openTelemetry,
    boolean spans,
    boolean metrics,
    boolean propagation,
    boolean samplerReadsAttributes,
    @Nullable BaggageAttributes baggageAttributes,
    @Nullable RequestIds requestIds,
    @Nullable ScopeHooks scopeHooks) {

  public Signals {
    requireNonNull(openTelemetry, "openTelemetry");
  }

  /** Signals without ids of requests and without hooks. */
  public Signals(
      OpenTelemetry openTelemetry,
      boolean spans,
      boolean metrics,
      boolean propagation,
      boolean samplerReadsAttributes,
      @Nullable BaggageAttributes baggageAttributes) {
    this(
        openTelemetry,
        spans,
        metrics,
        propagation,
        samplerReadsAttributes,
        baggageAttributes,
        null,
        null);
  }
}
