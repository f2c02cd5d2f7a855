// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import io.opentelemetry.context.Scope;
import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What containers call in the place of the application's endpoints. */
final class Endpoints {

  static final String UPGRADE = "dev.throughline.telemetry.websocket.upgrade";
  static final String SESSION = "dev.throughline.telemetry.websocket.session";

  private Endpoints() {}

  /** What the application has for the container's session. */
  static Session traced(Session session) {
    try {
      return session.getUserProperties().get(SESSION) instanceof TracedSession traced
          ? traced
          : session;
    } catch (RuntimeException e) {
      // Tomcat tells nothing of a session that was closed as soon as it was open.
      return session;
    }
  }

  /**
   * Calls an endpoint of the application's within its session. What belongs to a session stands in
   * the session's properties, since some containers call one endpoint for all of them. Public,
   * since some call it by reflection.
   */
  public static final class Traced extends Endpoint {

    private final Sockets sockets;
    private final Endpoint endpoint;
    private final @Nullable Upgrade requested;
    private final @Nullable InstrumentedRequest<Upgrade, Upgrade> request;

    /** For containers that want one, and do not call it: endpoints are the configurator's. */
    public Traced() {
      throw new IllegalStateException("The container does not ask the configurator for endpoints");
    }

    /**
     * @param requested the upgrade that this process asked for; null on a server
     * @param request what is recorded of it
     */
    Traced(
        Sockets sockets,
        Endpoint endpoint,
        @Nullable Upgrade requested,
        @Nullable InstrumentedRequest<Upgrade, Upgrade> request) {
      this.sockets = sockets;
      this.endpoint = endpoint;
      this.requested = requested;
      this.request = request;
    }

    @Override
    public void onOpen(Session session, EndpointConfig config) {
      TracedSession traced = open(session, config);
      if (traced == null) {
        endpoint.onOpen(session, applications(config));
        return;
      }
      try (Scope ignored = traced.socket.context().makeCurrent()) {
        endpoint.onOpen(traced, applications(config));
      } catch (Throwable t) {
        if (requested == null) {
          // A server's session goes on, or is closed.
          traced.socket.failed(t);
        } else {
          // Some clients say no more of such a session.
          traced.socket.end(CloseReason.CloseCodes.UNEXPECTED_CONDITION.getCode(), t);
        }
        throw t;
      }
      traced.awaitContext();
    }

    private EndpointConfig applications(EndpointConfig config) {
      // A client may have no server's classes.
      return requested == null
          ? ServerConfigurator.applications(config)
          : config instanceof ForwardingClientConfig client ? client.config : config;
    }

    private @Nullable TracedSession open(Session session, EndpointConfig config) {
      try {
        Upgrade upgrade = upgrade(session, config);
        if (Protocols.hasEnvelopes(session.getNegotiatedSubprotocol())) {
          upgrade.envelopes = true;
        }
        SocketSession socket = sockets.open(upgrade);
        if (socket == null) {
          return null;
        }
        TracedSession traced = new TracedSession(session, socket, endpoint, config, sockets.guard);
        session.getUserProperties().put(SESSION, traced);
        return traced;
      } catch (Throwable t) {
        sockets.guard.caught("Session", t);
        return null;
      }
    }

    private Upgrade upgrade(Session session, EndpointConfig config) {
      if (requested != null) {
        requested.status = Upgrade.SWITCHING_PROTOCOLS;
        if (request != null) {
          request.end(requested, null);
        }
        return requested;
      }
      if (session.getUserProperties().remove(UPGRADE) instanceof Upgrade served) {
        config.getUserProperties().remove(UPGRADE, served);
        return served;
      }
      if (config.getUserProperties().remove(UPGRADE) instanceof Upgrade served) {
        return served;
      }
      return Upgrade.received(session.getRequestURI(), "", Map.of(), Set.of());
    }

    @Override
    public void onClose(Session session, CloseReason reason) {
      if (!(traced(session) instanceof TracedSession traced)) {
        endpoint.onClose(session, reason);
        return;
      }
      try (Scope ignored = traced.socket.context().makeCurrent()) {
        endpoint.onClose(traced, reason);
      } finally {
        traced.close(reason.getCloseCode().getCode());
      }
    }

    @Override
    public void onError(Session session, Throwable thrown) {
      if (!(traced(session) instanceof TracedSession traced)) {
        endpoint.onError(session, thrown);
        return;
      }
      try (Scope ignored = traced.socket.context().makeCurrent()) {
        endpoint.onError(traced, thrown);
      } finally {
        traced.socket.failed(thrown);
      }
    }
  }
}
