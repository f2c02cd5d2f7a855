// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.Telemetry;
import jakarta.websocket.WebSocketContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.http.HttpClient;
import java.net.http.WebSocket;

/**
 * WebSockets in the trace: endpoints and clients of {@code jakarta.websocket}, and the JDK's
 * client.
 *
 * <pre>{@code
 * WebSocketTelemetry webSockets = WebSocketTelemetry.create(telemetry);
 * serverContainer.addEndpoint(webSockets.wrap(VncEndpoint.class));
 * webSockets.newBuilder(httpClient).buildAsync(uri, listener);
 * }</pre>
 *
 * <p>Thread-safe. What it records stands in {@code docs/recorded-data.md}. {@code
 * jakarta.websocket} has to be there for those methods alone that name it.
 */
public final class WebSocketTelemetry {

  static final String SCOPE = "dev.throughline.telemetry.websocket";

  private final Sockets sockets;

  WebSocketTelemetry(WebSocketTelemetryBuilder builder) {
    sockets = new Sockets(builder);
  }

  /** WebSocket telemetry with all defaults: upgrades and sessions, and no message by itself. */
  public static WebSocketTelemetry create(Telemetry telemetry) {
    return builder(telemetry).build();
  }

  /** A builder where a default does not fit. */
  public static WebSocketTelemetryBuilder builder(Telemetry telemetry) {
    return new WebSocketTelemetryBuilder(telemetry);
  }

  /**
   * An endpoint that records the upgrades, sessions and messages of this one; to be given to {@code
   * ServerContainer.addEndpoint}.
   *
   * @param config of a programmatic endpoint or of a class with {@code OnMessage} methods
   * @throws NullPointerException if {@code config} is null
   * @throws IllegalArgumentException if methods of an annotated class can't be called
   */
  public ServerEndpointConfig wrap(ServerEndpointConfig config) {
    return ServerConfigurator.wrap(sockets, requireNonNull(config, "config"));
  }

  /**
   * An endpoint that records the upgrades, sessions and messages of an annotated class.
   *
   * @param endpointClass a class with {@code ServerEndpoint}, which the container is not to find by
   *     itself as well
   * @throws NullPointerException if {@code endpointClass} is null
   * @throws IllegalArgumentException if it has no such annotation, or methods that can't be called
   */
  public ServerEndpointConfig wrap(Class<?> endpointClass) {
    return ServerConfigurator.wrap(sockets, requireNonNull(endpointClass, "endpointClass"));
  }

  /**
   * A configurator that records upgrades alone, for an endpoint that has to stay as it is: its
   * session and messages the container hands to the endpoint itself. {@link
   * #wrap(ServerEndpointConfig)} does all.
   */
  public ServerEndpointConfig.Configurator createConfigurator() {
    return ServerConfigurator.of(sockets);
  }

  /**
   * A container whose {@code connectToServer} records the upgrades, sessions and messages, and
   * sends trace context and baggage with each upgrade. All else is the given container's.
   *
   * @throws NullPointerException if {@code container} is null
   */
  public WebSocketContainer wrap(WebSocketContainer container) {
    return TracedContainer.wrap(sockets, requireNonNull(container, "container"));
  }

  // Design note: it takes the client and not its builder, since headers can't be taken back from
  // one: a second socket of the same builder would send the trace of the first as well.
  /**
   * A builder of WebSockets over this client, which records their upgrades, sessions and messages,
   * and sends trace context and baggage with each upgrade. It stands for {@code
   * client.newWebSocketBuilder()}, and may be used again.
   *
   * @throws NullPointerException if {@code client} is null
   */
  public WebSocket.Builder newBuilder(HttpClient client) {
    requireNonNull(client, "client");
    return new JdkBuilder(sockets, client::newWebSocketBuilder);
  }
}
