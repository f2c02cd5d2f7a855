// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds a {@link RequestInstrumenter}. */
public final class RequestInstrumenterBuilder<REQ, RES> {

  /** The buckets that the conventions advise for the durations of HTTP requests and of calls. */
  public static final List<Double> REQUEST_SECONDS =
      List.of(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1d, 2.5, 5d, 7.5, 10d);

  final Signals signals;
  final String scopeName;
  final RequestConvention<REQ, RES> convention;
  final List<ResponseHook<REQ>> responseHooks = new ArrayList<>();
  ParentPolicy parentPolicy = ParentPolicy.CHILD;
  @Nullable String durationMetric;
  String durationDescription = "";
  List<Double> durationBoundaries = List.of();
  @Nullable String activeMetric;
  String activeDescription = "";

  /**
   * A builder over the given signals; adapters get one from {@code Telemetry.instrumenter}.
   *
   * @throws NullPointerException if an argument is null
   */
  public RequestInstrumenterBuilder(
      Signals signals, String scopeName, RequestConvention<REQ, RES> convention) {
    this.signals = requireNonNull(signals, "signals");
    this.scopeName = requireNonNull(scopeName, "scopeName");
    this.convention = requireNonNull(convention, "convention");
  }

  /** Sets what an incoming context becomes; {@link ParentPolicy#CHILD} by default. */
  public RequestInstrumenterBuilder<REQ, RES> setParentPolicy(ParentPolicy parentPolicy) {
    this.parentPolicy = requireNonNull(parentPolicy, "parentPolicy");
    return this;
  }

  /**
   * Records the duration of each request in a histogram, in seconds, with the buckets that the
   * conventions advise for HTTP and RPC: 5 ms to 10 s.
   *
   * @param name e.g. {@code http.server.request.duration}
   * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-metrics/">HTTP metrics</a>
   */
  public RequestInstrumenterBuilder<REQ, RES> setDurationHistogram(
      String name, String description) {
    return setDurationHistogram(name, description, REQUEST_SECONDS);
  }

  /**
   * Records the duration of each request in a histogram, in seconds.
   *
   * @param name e.g. {@code db.client.operation.duration}
   * @param boundaries the advised bucket boundaries, in seconds
   */
  public RequestInstrumenterBuilder<REQ, RES> setDurationHistogram(
      String name, String description, List<Double> boundaries) {
    this.durationMetric = requireNonNull(name, "name");
    this.durationDescription = requireNonNull(description, "description");
    this.durationBoundaries = List.copyOf(boundaries);
    return this;
  }

  /**
   * Counts the requests that have started and not ended, in an up-down counter.
   *
   * @param name e.g. {@code http.server.active_requests}
   */
  public RequestInstrumenterBuilder<REQ, RES> setActiveCounter(String name, String description) {
    this.activeMetric = requireNonNull(name, "name");
    this.activeDescription = requireNonNull(description, "description");
    return this;
  }

  /** Adds a hook that writes response headers; it has no effect without a response setter. */
  RequestInstrumenterBuilder<REQ, RES> addResponseHook(ResponseHook<REQ> hook) {
    responseHooks.add(requireNonNull(hook, "hook"));
    return this;
  }

  /** Builds the instrumenter; its instruments are made now. */
  public RequestInstrumenter<REQ, RES> build() {
    return new RequestInstrumenter<>(this);
  }
}
