// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter tells about its requests. Each method may throw: the {@link RequestInstrumenter}
 * guards the call, the request goes on, and the span carries what is known.
 *
 * @param <REQ> the request, as the adapter sees it
 * @param <RES> the response
 */
public interface RequestConvention<REQ, RES> {

  /** The span's kind; the same for all requests. */
  SpanKind kind();

  /** False for requests that leave no span and no metric point, such as health checks. */
  default boolean shouldStart(REQ request) {
    return true;
  }

  /** The span's name as known at the start: low cardinality. */
  String spanName(REQ request);

  /**
   * The span's name as known at the end, e.g. with a late route.
   *
   * @return null where the name of the start stands
   */
  default @Nullable String lateSpanName(REQ request) {
    return null;
  }

  /** Puts the attributes that are known at the start. */
  void onStart(AttributeSink attributes, REQ request);

  /**
   * Puts the attributes that are known at the end.
   *
   * @param response null where none came
   * @param error what the application or the transport threw; null where nothing was thrown
   */
  void onEnd(
      AttributeSink attributes, REQ request, @Nullable RES response, @Nullable Throwable error);

  /**
   * Whether a request may stay open for long, as streams do: its span is then ended as a segment
   * whenever a limit has passed, and the next one started with a link to it, in the same trace.
   */
  default boolean isOpenEnded(REQ request) {
    return false;
  }

  /**
   * The response of an open-ended request that has ended though nobody has come to tell its end,
   * such as a stream whose reader left. Asked whenever a segment's time has passed; a request that
   * has ended twice in a row is ended with it.
   *
   * @return null while the request goes on
   */
  default @Nullable RES endedWith(REQ request) {
    return null;
  }

  /**
   * Puts the attributes that are known when a segment of an open-ended request ends and the request
   * goes on, such as running counts; for the last segment there is {@link #onEnd}. Called on a
   * thread of ours.
   */
  default void onSegment(AttributeSink attributes, REQ request) {}

  /**
   * The value of {@code error.type}, low cardinality; it also sets the span's status.
   *
   * @return null where the request did not fail
   * @see <a href="https://opentelemetry.io/docs/specs/semconv/attributes-registry/error/">error
   *     attributes</a>
   */
  @Nullable String errorType(REQ request, @Nullable RES response, @Nullable Throwable error);

  /**
   * The attributes of the duration histogram's point; a cached instance where they repeat, since
   * making them costs more than the record.
   */
  Attributes durationAttributes(REQ request, @Nullable RES response, @Nullable Throwable error);

  /**
   * The attributes of the active requests' up-down counter.
   *
   * @return null where the instrumenter has no such counter
   */
  default @Nullable Attributes activeAttributes(REQ request) {
    return null;
  }

  /** Reads the context that came in with a request; null on the sending side. */
  default @Nullable TextMapGetter<REQ> requestGetter() {
    return null;
  }

  /** Writes the context that goes out with a request; null on the receiving side. */
  default @Nullable HeaderSetter<REQ> requestSetter() {
    return null;
  }

  /**
   * Whether the application itself has put a header on what this side sends: on a client's request,
   * on a server's response. The request id leaves such a header as it is.
   *
   * @param header in any case
   */
  default boolean sends(REQ request, String header) {
    return false;
  }

  /**
   * Writes response headers before the response is committed; null where the transport has none.
   */
  default @Nullable HeaderSetter<REQ> responseSetter() {
    return null;
  }
}
