// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.CloseReason;
import jakarta.websocket.Extension;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import java.io.IOException;
import java.net.URI;
import java.security.Principal;
import java.util.List;
import java.util.Map;

/** Pure pass-through: what a session does as the container's does. */
abstract class ForwardingSession implements Session {

  final Session session;

  ForwardingSession(Session session) {
    this.session = session;
  }

  @Override
  public WebSocketContainer getContainer() {
    return session.getContainer();
  }

  @Override
  public String getProtocolVersion() {
    return session.getProtocolVersion();
  }

  @Override
  public List<Extension> getNegotiatedExtensions() {
    return session.getNegotiatedExtensions();
  }

  @Override
  public boolean isSecure() {
    return session.isSecure();
  }

  @Override
  public boolean isOpen() {
    return session.isOpen();
  }

  @Override
  public long getMaxIdleTimeout() {
    return session.getMaxIdleTimeout();
  }

  @Override
  public void setMaxIdleTimeout(long milliseconds) {
    session.setMaxIdleTimeout(milliseconds);
  }

  @Override
  public String getId() {
    return session.getId();
  }

  @Override
  public void close() throws IOException {
    session.close();
  }

  @Override
  public void close(CloseReason closeReason) throws IOException {
    session.close(closeReason);
  }

  @Override
  public URI getRequestURI() {
    return session.getRequestURI();
  }

  @Override
  public Map<String, List<String>> getRequestParameterMap() {
    return session.getRequestParameterMap();
  }

  @Override
  public String getQueryString() {
    return session.getQueryString();
  }

  @Override
  public Map<String, String> getPathParameters() {
    return session.getPathParameters();
  }

  @Override
  public Map<String, Object> getUserProperties() {
    return session.getUserProperties();
  }

  @Override
  public Principal getUserPrincipal() {
    return session.getUserPrincipal();
  }

  @Override
  public String toString() {
    return session.toString();
  }
}
