// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.HostAndPort;
import dev.throughline.telemetry.instrument.Memo;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What is told of a call, on either side of it.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/rpc/grpc/">gRPC semantic
 *     conventions</a>
 */
final class CallConvention implements RequestConvention<GrpcExchange, Status> {

  private static final String SYSTEM = "grpc";
  private static final String OTHER = "_OTHER";
  private static final int MOST_METHODS = 1_000;
  private static final int LONGEST_METHOD = 256;

  private final SpanKind kind;
  private final Set<String> excludedServices;
  private final MetadataCarrier carrier;
  private final Memo<HostAndPort> authorities = new Memo<>();
  private final Memo<Attributes> points = new Memo<>();
  private final Set<String> served = ConcurrentHashMap.newKeySet();

  /**
   * @param kind {@code CLIENT} or {@code SERVER}
   */
  CallConvention(SpanKind kind, Set<String> excludedServices, MetadataCarrier carrier) {
    this.kind = kind;
    this.excludedServices = excludedServices;
    this.carrier = carrier;
  }

  @Override
  public SpanKind kind() {
    return kind;
  }

  @Override
  public boolean shouldStart(GrpcExchange exchange) {
    String service = exchange.method.getServiceName();
    return service == null || !excludedServices.contains(service);
  }

  @Override
  public String spanName(GrpcExchange exchange) {
    return exchange.method.getFullMethodName();
  }

  @Override
  public boolean isOpenEnded(GrpcExchange exchange) {
    return exchange.method.getType() != MethodType.UNARY;
  }

  @Override
  public void onStart(AttributeSink attributes, GrpcExchange exchange) {
    attributes.set(GrpcKeys.RPC_SYSTEM_NAME, SYSTEM);
    attributes.set(GrpcKeys.RPC_METHOD, exchange.method.getFullMethodName());
    HostAndPort server = server(exchange.authority);
    attributes.set(GrpcKeys.SERVER_ADDRESS, server.host());
    attributes.set(GrpcKeys.SERVER_PORT, server.port());
    setPeer(attributes, exchange);
  }

  @Override
  public @Nullable Status endedWith(GrpcExchange exchange) {
    return exchange.ended();
  }

  @Override
  public void onSegment(AttributeSink attributes, GrpcExchange exchange) {
    setCounts(attributes, exchange);
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      GrpcExchange exchange,
      @Nullable Status status,
      @Nullable Throwable error) {
    attributes.set(GrpcKeys.RPC_RESPONSE_STATUS_CODE, code(status));
    setCounts(attributes, exchange);
    if (kind == SpanKind.CLIENT) {
      setPeer(attributes, exchange);
    }
  }

  /** Null if nobody knows it. */
  private static @Nullable String code(@Nullable Status status) {
    return ClientStreamEnd.UNREAD.equals(status) ? null : requireNonNull(status).getCode().name();
  }

  private static void setCounts(AttributeSink attributes, GrpcExchange exchange) {
    attributes.set(GrpcKeys.SENT_MESSAGES, exchange.sent);
    attributes.set(GrpcKeys.RECEIVED_MESSAGES, exchange.received);
  }

  private static void setPeer(AttributeSink attributes, GrpcExchange exchange) {
    if (exchange.peer instanceof InetSocketAddress peer) {
      InetAddress address = peer.getAddress();
      attributes.set(
          GrpcKeys.NETWORK_PEER_ADDRESS,
          address == null ? peer.getHostString() : address.getHostAddress());
      attributes.set(GrpcKeys.NETWORK_PEER_PORT, peer.getPort());
    }
  }

  private HostAndPort server(@Nullable String authority) {
    if (authority == null) {
      return HostAndPort.NONE;
    }
    HostAndPort known = authorities.get(authority, null, null, null, 0, 0);
    return known == null
        ? authorities.put(authority, null, null, null, 0, 0, HostAndPort.parse(authority))
        : known;
  }

  @Override
  public @Nullable String errorType(
      GrpcExchange exchange, @Nullable Status status, @Nullable Throwable error) {
    Status.Code code = requireNonNull(status).getCode();
    // What was thrown says more than the code that stands for it.
    if (error != null && (code == Status.Code.UNKNOWN || !isFailure(code))) {
      return error.getClass().getName();
    }
    return isFailure(code) ? code.name() : null;
  }

  /** Whether a call that ended with this code failed on this side. */
  boolean isFailure(Status.Code code) {
    return kind == SpanKind.CLIENT
        ? code != Status.Code.OK
        : switch (code) {
          case UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS -> true;
          default -> false;
        };
  }

  @Override
  public Attributes durationAttributes(
      GrpcExchange exchange, @Nullable Status status, @Nullable Throwable error) {
    String code = code(status);
    String method = metricMethod(exchange.method.getFullMethodName(), code);
    String errorType = errorType(exchange, status, error);
    // A server's clients may name it as they like.
    String authority = kind == SpanKind.CLIENT ? exchange.authority : null;
    Attributes point = points.get(method, code, errorType, authority, 0, 0);
    if (point != null) {
      return point;
    }
    HostAndPort server = server(authority);
    AttributesBuilder attributes =
        Attributes.builder()
            .put(GrpcKeys.RPC_SYSTEM_NAME, SYSTEM)
            .put(GrpcKeys.RPC_METHOD, method)
            .put(GrpcKeys.RPC_RESPONSE_STATUS_CODE, code)
            .put(GrpcKeys.ERROR_TYPE, errorType)
            .put(GrpcKeys.SERVER_ADDRESS, server.host());
    if (server.port() != null) {
      attributes.put(GrpcKeys.SERVER_PORT, server.port());
    }
    return points.put(method, code, errorType, authority, 0, 0, attributes.build());
  }

  /**
   * A server's method is named by its client. With a fallback registry any name reaches a handler,
   * so one that was never answered otherwise than with {@code UNIMPLEMENTED} is not told apart.
   */
  private String metricMethod(String method, @Nullable String code) {
    if (kind == SpanKind.CLIENT || served.contains(method)) {
      return method;
    }
    if (Status.Code.UNIMPLEMENTED.name().equals(code)
        || method.length() > LONGEST_METHOD
        || served.size() >= MOST_METHODS) {
      return OTHER;
    }
    served.add(method);
    return method;
  }

  @Override
  public @Nullable TextMapGetter<GrpcExchange> requestGetter() {
    return kind == SpanKind.SERVER ? carrier : null;
  }

  @Override
  public @Nullable HeaderSetter<GrpcExchange> requestSetter() {
    return kind == SpanKind.CLIENT ? carrier : null;
  }

  @Override
  public @Nullable HeaderSetter<GrpcExchange> responseSetter() {
    return kind == SpanKind.SERVER ? carrier : null;
  }

  @Override
  public boolean sends(GrpcExchange exchange, String header) {
    return carrier.lines(exchange, header) != null;
  }
}
