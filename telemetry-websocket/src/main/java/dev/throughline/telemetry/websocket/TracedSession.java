// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.Guard;
import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Extension;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.PongMessage;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.Session;
import jakarta.websocket.WebSocketContainer;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.net.URI;
import java.nio.ByteBuffer;
import java.security.Principal;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A container's session, whose handlers run within it and whose messages are counted, and carry
 * envelopes where both sides know them.
 */
final class TracedSession implements Session {

  private final Session session;
  private final SocketSession socket;
  private final Endpoint endpoint;
  private final Guard guard;
  private final Codecs codecs;
  private final int envelope;

  /** The application's handlers, and those that the container has for each. */
  private final IdentityHashMap<MessageHandler, List<MessageHandler>> handlers =
      new IdentityHashMap<>();

  private @Nullable MessageHandler contextHandler;
  private @Nullable BasicRemote basic;
  private @Nullable AsyncRemote async;

  TracedSession(
      Session session,
      SocketSession socket,
      Endpoint endpoint,
      EndpointConfig config,
      Guard guard) {
    this.session = session;
    this.socket = socket;
    this.endpoint = endpoint;
    this.guard = guard;
    codecs = new Codecs(config);
    envelope = socket.envelopes() ? Envelope.HEAD + Envelope.MAX_CONTEXT : 0;
    if (envelope > 0) {
      // A message that just fitted without an envelope is to fit with one.
      setMaxTextMessageBufferSize(session.getMaxTextMessageBufferSize());
      setMaxBinaryMessageBufferSize(session.getMaxBinaryMessageBufferSize());
    }
  }

  SocketSession socket() {
    return socket;
  }

  /**
   * Takes the context of a first message also where the application handles no text, once it has
   * registered its handlers.
   */
  synchronized void awaitContext() {
    if (!socket.awaitsContext()) {
      return;
    }
    try {
      MessageHandler.Whole<String> handler = new Handlers.Text(socket, new Handlers.Unhandled());
      session.addMessageHandler(String.class, handler);
      contextHandler = handler;
    } catch (IllegalStateException e) {
      // The application handles text, and so takes the context on its way.
      contextHandler = null;
    } catch (Throwable t) {
      guard.caught("Session.addMessageHandler", t);
    }
  }

  void close(int code) {
    socket.end(code, null);
    try {
      codecs.destroy();
    } catch (Throwable t) {
      guard.caught("Decoder.destroy", t);
    }
  }

  @Override
  public void addMessageHandler(MessageHandler handler) {
    Class<?> whole = Codecs.argument(handler.getClass(), MessageHandler.Whole.class);
    Class<?> part = Codecs.argument(handler.getClass(), MessageHandler.Partial.class);
    if (whole != null) {
      addWhole(whole, (MessageHandler.Whole<?>) handler);
    } else if (part != null) {
      addPartial(part, (MessageHandler.Partial<?>) handler);
    } else {
      session.addMessageHandler(handler);
    }
  }

  @Override
  public <T> void addMessageHandler(Class<T> type, MessageHandler.Whole<T> handler) {
    addWhole(type, handler);
  }

  @Override
  public <T> void addMessageHandler(Class<T> type, MessageHandler.Partial<T> handler) {
    addPartial(type, handler);
  }

  @SuppressWarnings("unchecked") // the type says what the handler takes
  private synchronized void addWhole(Class<?> type, MessageHandler.Whole<?> handler) {
    List<MessageHandler> added = new ArrayList<>(1);
    if (type == String.class) {
      add(added, String.class, new Handlers.Text(socket, (MessageHandler.Whole<String>) handler));
    } else if (type == Reader.class) {
      add(
          added,
          Reader.class,
          new Handlers.TextStream(socket, (MessageHandler.Whole<Reader>) handler));
    } else if (type == ByteBuffer.class) {
      add(
          added,
          ByteBuffer.class,
          new Handlers.Binary(socket, (MessageHandler.Whole<ByteBuffer>) handler));
    } else if (type == byte[].class) {
      MessageHandler.Whole<byte[]> bytes = (MessageHandler.Whole<byte[]>) handler;
      add(
          added,
          ByteBuffer.class,
          new Handlers.Binary(socket, buffer -> bytes.onMessage(Handlers.array(buffer))));
    } else if (type == InputStream.class) {
      add(
          added,
          InputStream.class,
          new Handlers.BinaryStream(socket, (MessageHandler.Whole<InputStream>) handler));
    } else if (type == PongMessage.class) {
      add(
          added,
          PongMessage.class,
          new Handlers.Pong(socket, (MessageHandler.Whole<PongMessage>) handler));
    } else {
      addDecoded(added, type, (MessageHandler.Whole<Object>) handler);
    }
    handlers.put(handler, added);
  }

  /** What the application's decoders make of a message; an error of theirs is the endpoint's. */
  private void addDecoded(
      List<MessageHandler> added, Class<?> type, MessageHandler.Whole<Object> handler) {
    Codecs.Decoding decoding = codecs.decoding(type);
    if (decoding.isEmpty()) {
      throw new IllegalStateException("No decoder of " + type.getName());
    }
    if (decoding.text() != null) {
      add(
          added,
          String.class,
          new Handlers.Text(socket, new Handlers.Decoded<>(this, decoding.text(), handler)));
    }
    if (decoding.textStream() != null) {
      add(
          added,
          Reader.class,
          new Handlers.TextStream(
              socket, new Handlers.Decoded<>(this, decoding.textStream(), handler)));
    }
    if (decoding.binary() != null) {
      add(
          added,
          ByteBuffer.class,
          new Handlers.Binary(socket, new Handlers.Decoded<>(this, decoding.binary(), handler)));
    }
    if (decoding.binaryStream() != null) {
      add(
          added,
          InputStream.class,
          new Handlers.BinaryStream(
              socket, new Handlers.Decoded<>(this, decoding.binaryStream(), handler)));
    }
  }

  private <T> void add(List<MessageHandler> added, Class<T> type, MessageHandler.Whole<T> handler) {
    if (type == String.class || type == Reader.class) {
      makeRoom();
    }
    session.addMessageHandler(type, handler);
    added.add(handler);
  }

  @SuppressWarnings("unchecked") // the type says what the handler takes
  private synchronized void addPartial(Class<?> type, MessageHandler.Partial<?> handler) {
    MessageHandler added;
    if (type == String.class) {
      makeRoom();
      Handlers.TextPart part =
          new Handlers.TextPart(socket, (MessageHandler.Partial<String>) handler);
      session.addMessageHandler(String.class, part);
      added = part;
    } else if (type == ByteBuffer.class || type == byte[].class) {
      MessageHandler.Partial<ByteBuffer> buffers =
          type == ByteBuffer.class
              ? (MessageHandler.Partial<ByteBuffer>) handler
              : (buffer, last) ->
                  ((MessageHandler.Partial<byte[]>) handler)
                      .onMessage(Handlers.array(buffer), last);
      Handlers.BinaryPart part = new Handlers.BinaryPart(socket, buffers);
      session.addMessageHandler(ByteBuffer.class, part);
      added = part;
    } else {
      throw new IllegalStateException("No partial messages of " + type.getName());
    }
    handlers.put(handler, List.of(added));
  }

  private void makeRoom() {
    MessageHandler ours = contextHandler;
    if (ours != null) {
      contextHandler = null;
      session.removeMessageHandler(ours);
    }
  }

  void decodingFailed(Throwable thrown) {
    endpoint.onError(this, thrown);
  }

  @Override
  public synchronized Set<MessageHandler> getMessageHandlers() {
    return new LinkedHashSet<>(handlers.keySet());
  }

  @Override
  public synchronized void removeMessageHandler(MessageHandler handler) {
    List<MessageHandler> added = handlers.remove(handler);
    if (added == null) {
      session.removeMessageHandler(handler);
    } else {
      added.forEach(session::removeMessageHandler);
    }
  }

  @Override
  public synchronized RemoteEndpoint.Basic getBasicRemote() {
    BasicRemote made = basic;
    if (made == null) {
      made = new BasicRemote(session.getBasicRemote(), socket, codecs);
      basic = made;
    }
    return made;
  }

  @Override
  public synchronized RemoteEndpoint.Async getAsyncRemote() {
    AsyncRemote made = async;
    if (made == null) {
      made = new AsyncRemote(session.getAsyncRemote(), socket, codecs);
      async = made;
    }
    return made;
  }

  /** The sessions that the application knows: what is sent to them goes the same way. */
  @Override
  public Set<Session> getOpenSessions() {
    Set<Session> open = new LinkedHashSet<>();
    for (Session each : session.getOpenSessions()) {
      open.add(Endpoints.traced(each));
    }
    return open;
  }

  @Override
  public String getNegotiatedSubprotocol() {
    return Protocols.applications(session.getNegotiatedSubprotocol());
  }

  @Override
  public void setMaxBinaryMessageBufferSize(int length) {
    session.setMaxBinaryMessageBufferSize(withEnvelope(length));
  }

  @Override
  public int getMaxBinaryMessageBufferSize() {
    return withoutEnvelope(session.getMaxBinaryMessageBufferSize());
  }

  @Override
  public void setMaxTextMessageBufferSize(int length) {
    session.setMaxTextMessageBufferSize(withEnvelope(length));
  }

  @Override
  public int getMaxTextMessageBufferSize() {
    return withoutEnvelope(session.getMaxTextMessageBufferSize());
  }

  /** No limit, zero or less, stays none. */
  private int withEnvelope(int length) {
    return length <= 0 || length > Integer.MAX_VALUE - envelope ? length : length + envelope;
  }

  private int withoutEnvelope(int length) {
    return length <= envelope ? length : length - envelope;
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
