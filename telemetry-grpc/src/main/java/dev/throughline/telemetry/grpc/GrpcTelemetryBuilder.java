// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.ParentPolicy;
import java.util.Collection;
import java.util.Set;

/** Builds a {@link GrpcTelemetry} with settings of its own. Not thread-safe. */
public final class GrpcTelemetryBuilder {

  static final Set<String> DEFAULT_EXCLUDED_SERVICES =
      Set.of(
          "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection",
          "grpc.reflection.v1alpha.ServerReflection",
          "grpc.channelz.v1.Channelz");

  final Telemetry telemetry;
  Set<String> excludedServices = DEFAULT_EXCLUDED_SERVICES;
  int messageEvents;
  ParentPolicy parentPolicy = ParentPolicy.CHILD;

  GrpcTelemetryBuilder(Telemetry telemetry) {
    this.telemetry = requireNonNull(telemetry, "telemetry");
  }

  /**
   * Sets the services whose calls leave no span and no metric point, on clients and servers; by
   * default health checks, reflection and channelz.
   *
   * @param services full names, e.g. {@code grpc.health.v1.Health}
   */
  public GrpcTelemetryBuilder setExcludedServices(Collection<String> services) {
    excludedServices = Set.copyOf(services);
    return this;
  }

  /**
   * Shows the first messages of a call, each way, as events of its span; none by default, since
   * their counts are attributes.
   *
   * @param maximum how many each way
   * @throws IllegalArgumentException if it is negative
   */
  public GrpcTelemetryBuilder setMessageEvents(int maximum) {
    if (maximum < 0) {
      throw new IllegalArgumentException("message events must not be negative: " + maximum);
    }
    messageEvents = maximum;
    return this;
  }

  /**
   * Says that the servers stand at a public edge: an incoming trace context is not trusted to be
   * the parent, and becomes a link of a new trace; incoming baggage is not taken. False by default.
   */
  public GrpcTelemetryBuilder setPublicEdge(boolean publicEdge) {
    parentPolicy = publicEdge ? ParentPolicy.EDGE : ParentPolicy.CHILD;
    return this;
  }

  /** Builds it. */
  public GrpcTelemetry build() {
    return new GrpcTelemetry(this);
  }
}
