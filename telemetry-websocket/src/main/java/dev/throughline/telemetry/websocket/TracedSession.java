// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.Guard;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.Session;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
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
final class TracedSession extends ForwardingSession {

  final SocketSession socket;
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
    super(session);
    this.socket = socket;
    this.endpoint = endpoint;
    this.guard = guard;
    codecs = new Codecs(config, Container.of(session));
    envelope = socket.upgrade.envelopes ? Envelope.HEAD + Envelope.MAX_CONTEXT : 0;
    if (envelope > 0) {
      // A message that just fitted without an envelope is to fit with one.
      setMaxTextMessageBufferSize(session.getMaxTextMessageBufferSize());
      setMaxBinaryMessageBufferSize(session.getMaxBinaryMessageBufferSize());
    }
  }

  /**
   * Takes the context of a first message also where the application handles no text, once it has
   * registered its handlers.
   */
  synchronized void awaitContext() {
    if (!socket.awaitsContext) {
      return;
    }
    try {
      List<MessageHandler> added = new ArrayList<>(1);
      add(added, String.class, requireNonNull(Handlers.whole(socket, String.class, text -> {})));
      contextHandler = added.get(0);
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
    Class<?> type = handler == null ? Object.class : handler.getClass();
    Class<?> whole = Codecs.argument(type, MessageHandler.Whole.class);
    Class<?> part = Codecs.argument(type, MessageHandler.Partial.class);
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
    if (type == null || handler == null) {
      session.addMessageHandler(type, handler);
    } else {
      addWhole(type, handler);
    }
  }

  @Override
  public <T> void addMessageHandler(Class<T> type, MessageHandler.Partial<T> handler) {
    if (type == null || handler == null) {
      session.addMessageHandler(type, handler);
    } else {
      addPartial(type, handler);
    }
  }

  @SuppressWarnings("unchecked") // the type says what the handler takes
  private synchronized void addWhole(Class<?> type, MessageHandler.Whole<?> handler) {
    MessageHandler.Whole<Object> applications = (MessageHandler.Whole<Object>) handler;
    List<MessageHandler> added = new ArrayList<>(1);
    MessageHandler.Whole<?> whole = Handlers.whole(socket, type, applications);
    if (whole != null) {
      add(added, type, whole);
    } else {
      Map<Class<?>, Codecs.Decode> decoding = codecs.decoding(type);
      if (decoding.isEmpty()) {
        // Says in its own way that there is no decoder.
        session.addMessageHandler((Class<Object>) type, applications);
      }
      decoding.forEach(
          (form, decode) -> {
            MessageHandler.Whole<Object> decoded =
                Handlers.decoded(decode, this::undecoded, message -> handle(applications, message));
            add(added, form, requireNonNull(Handlers.whole(socket, form, decoded)));
          });
    }
    handlers.put(handler, added);
  }

  @SuppressWarnings("unchecked") // the type says what the handler takes
  private <T> void add(List<MessageHandler> added, Class<T> type, MessageHandler.Whole<?> handler) {
    makeRoom(type);
    session.addMessageHandler(type, (MessageHandler.Whole<T>) handler);
    added.add(handler);
  }

  @SuppressWarnings("unchecked") // the type says what the handler takes
  private synchronized <T> void addPartial(Class<?> type, MessageHandler.Partial<?> handler) {
    MessageHandler.Partial<?> parts =
        Handlers.partial(socket, type, (MessageHandler.Partial<Object>) handler);
    makeRoom(type);
    session.addMessageHandler(
        (Class<T>) type, (MessageHandler.Partial<T>) (parts == null ? handler : parts));
    handlers.put(handler, List.of(parts == null ? handler : parts));
  }

  /** Takes our handler of a first message away for one of the application's. */
  private void makeRoom(Class<?> form) {
    MessageHandler ours = contextHandler;
    if (ours != null && (form == String.class || form == Reader.class)) {
      contextHandler = null;
      session.removeMessageHandler(ours);
    }
  }

  /** A message was not read by the application's decoders, and becomes what the container has. */
  private void undecoded(Exception thrown) {
    if (thrown instanceof IOException io) {
      throw new UncheckedIOException(io);
    }
    if (!Container.of(session).goesOnAfter(thrown)) {
      throw AnnotatedMethods.<RuntimeException>sneaky(thrown);
    }
    failed(thrown);
  }

  /** Handles what a decoder has read; Tomcat goes on after a throw then, and then alone. */
  private void handle(MessageHandler.Whole<Object> handler, Object message) {
    try {
      handler.onMessage(message);
    } catch (Throwable t) {
      if (Container.of(session) != Container.TOMCAT || t instanceof VirtualMachineError) {
        throw t;
      }
      failed(t);
    }
  }

  /** Tells the endpoint of what was thrown, which its container's handler does not throw. */
  void failed(Throwable thrown) {
    socket.failedWithin(thrown);
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
}
