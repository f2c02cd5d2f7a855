// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import dev.throughline.telemetry.Telemetry;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.trace.SpanKind;

/**
 * gRPC clients and servers in the trace.
 *
 * <pre>{@code
 * GrpcTelemetry grpc = GrpcTelemetry.create(telemetry);
 * grpc.configure(serverBuilder);
 * grpc.configure(channelBuilder);
 * }</pre>
 *
 * <p>Thread-safe. What it records stands in {@code docs/recorded-data.md}.
 */
public final class GrpcTelemetry {

  static final String SCOPE = "dev.throughline.telemetry.grpc";

  private final ClientInterceptor clientInterceptor;
  private final ServerInterceptor serverInterceptor;

  GrpcTelemetry(GrpcTelemetryBuilder builder) {
    clientInterceptor = new TracingClientInterceptor(new CallTelemetry(builder, SpanKind.CLIENT));
    serverInterceptor = new TracingServerInterceptor(new CallTelemetry(builder, SpanKind.SERVER));
  }

  /**
   * gRPC telemetry with all defaults.
   *
   * @throws NullPointerException if {@code telemetry} is null
   */
  public static GrpcTelemetry create(Telemetry telemetry) {
    return builder(telemetry).build();
  }

  /**
   * A builder where a default does not fit.
   *
   * @throws NullPointerException if {@code telemetry} is null
   */
  public static GrpcTelemetryBuilder builder(Telemetry telemetry) {
    return new GrpcTelemetryBuilder(telemetry);
  }

  /**
   * Records the calls of the channel that is being built, and sends trace context and baggage with
   * them. To be called once, after other interceptors were added: gRPC runs the last one first.
   */
  public void configure(ManagedChannelBuilder<?> channel) {
    channel.intercept(clientInterceptor);
  }

  /**
   * Records the calls that the server that is being built answers, and runs their handlers in the
   * context that came in. To be called once, after other interceptors were added: gRPC runs the
   * last one first.
   */
  public void configure(ServerBuilder<?> server) {
    server.intercept(serverInterceptor);
  }

  /** The interceptor of {@link #configure(ManagedChannelBuilder)}, for channels made elsewhere. */
  public ClientInterceptor clientInterceptor() {
    return clientInterceptor;
  }

  /** The interceptor of {@link #configure(ServerBuilder)}, for servers made elsewhere. */
  public ServerInterceptor serverInterceptor() {
    return serverInterceptor;
  }
}
