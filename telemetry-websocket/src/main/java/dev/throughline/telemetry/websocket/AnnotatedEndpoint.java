// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.websocket.AnnotatedMethods.Bound;
import dev.throughline.telemetry.websocket.AnnotatedMethods.Given;
import jakarta.websocket.CloseReason;
import jakarta.websocket.DecodeException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * An annotated class as a programmatic endpoint: containers call the methods of such a class with
 * sessions and messages of their own, and nothing can come between.
 */
final class AnnotatedEndpoint extends Endpoint {

  private final Object endpoint;
  private final AnnotatedMethods methods;

  AnnotatedEndpoint(Object endpoint, AnnotatedMethods methods) {
    this.endpoint = endpoint;
    this.methods = methods;
  }

  @Override
  public void onOpen(Session session, EndpointConfig config) {
    for (Bound method : methods.onMessage()) {
      handle(session, method);
    }
    if (methods.onOpen() != null) {
      methods.onOpen().call(endpoint, new Given(session, config, null, null, null, true));
    }
  }

  @Override
  public void onClose(Session session, CloseReason reason) {
    if (methods.onClose() != null) {
      methods.onClose().call(endpoint, new Given(session, null, reason, null, null, true));
    }
  }

  @Override
  public void onError(Session session, Throwable thrown) {
    if (methods.onError() != null) {
      methods.onError().call(endpoint, new Given(session, null, null, thrown, null, true));
    } else {
      LoggerFactory.getLogger(AnnotatedEndpoint.class)
          .error("{} has no OnError method for this", endpoint.getClass().getName(), thrown);
    }
  }

  private void handle(Session session, Bound method) {
    Class<?> type = method.messageType();
    if (method.inParts()) {
      handleParts(session, method);
    } else if (method.takesValue()) {
      session.addMessageHandler(
          String.class, (MessageHandler.Whole<String>) text -> value(session, method, text));
    } else {
      handleWhole(session, method, type);
    }
    long max = method.maxMessageSize();
    if (max > 0 && max <= Integer.MAX_VALUE && !method.inParts()) {
      session.setMaxTextMessageBufferSize((int) max);
      session.setMaxBinaryMessageBufferSize((int) max);
    }
  }

  private <T> void handleWhole(Session session, Bound method, Class<T> type) {
    session.addMessageHandler(
        type, (MessageHandler.Whole<T>) message -> call(session, method, message, true));
  }

  private void handleParts(Session session, Bound method) {
    Class<?> type = method.messageType();
    if (type == String.class) {
      session.addMessageHandler(
          String.class,
          (MessageHandler.Partial<String>) (part, last) -> call(session, method, part, last));
    } else if (type == ByteBuffer.class) {
      session.addMessageHandler(
          ByteBuffer.class,
          (MessageHandler.Partial<ByteBuffer>) (part, last) -> call(session, method, part, last));
    } else {
      session.addMessageHandler(
          byte[].class,
          (MessageHandler.Partial<byte[]>) (part, last) -> call(session, method, part, last));
    }
  }

  private void value(Session session, Bound method, String text) {
    Object value;
    try {
      value = AnnotatedMethods.value(text, method.messageType());
    } catch (RuntimeException e) {
      onError(session, new DecodeException(text, "Not a " + method.messageType(), e));
      return;
    }
    call(session, method, value, true);
  }

  private void call(Session session, Bound method, @Nullable Object message, boolean last) {
    Object answer = method.call(endpoint, new Given(session, null, null, null, message, last));
    if (answer != null) {
      try {
        session.getBasicRemote().sendObject(answer);
      } catch (Exception e) {
        throw AnnotatedMethods.<RuntimeException>sneaky(e);
      }
    }
  }
}
