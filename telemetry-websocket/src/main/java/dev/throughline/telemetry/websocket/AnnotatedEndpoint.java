// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.websocket.AnnotatedMethods.Bound;
import dev.throughline.telemetry.websocket.AnnotatedMethods.Given;
import jakarta.websocket.CloseReason;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.DecodeException;
import jakarta.websocket.EncodeException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.PongMessage;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.Session;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An annotated class as a programmatic endpoint, which calls its methods as the container would:
 * that does so with sessions and messages of its own, and nothing can come between.
 */
final class AnnotatedEndpoint extends Endpoint {

  private static final Logger logger = LoggerFactory.getLogger(AnnotatedEndpoint.class);

  private final Object endpoint;
  private final AnnotatedMethods methods;
  private final @Nullable String template;
  private final Map<String, Codecs> decoders = new ConcurrentHashMap<>();

  /**
   * @param template of the path that the endpoint is at; null on a client
   */
  AnnotatedEndpoint(Object endpoint, AnnotatedMethods methods, @Nullable String template) {
    this.endpoint = endpoint;
    this.methods = methods;
    this.template = template;
  }

  @Override
  public void onOpen(Session session, EndpointConfig config) {
    Codecs codecs = new Codecs(config, Container.of(session));
    decoders.put(session.getId(), codecs);
    for (Bound method : methods.onMessage()) {
      add(session, method, codecs);
    }
    call(session, methods.onOpen(), given(session, config, true), true);
  }

  @Override
  public void onClose(Session session, CloseReason reason) {
    try {
      call(session, methods.onClose(), given(session, reason, true), true);
    } finally {
      Codecs codecs = decoders.remove(session.getId());
      try {
        if (codecs != null) {
          codecs.destroy();
        }
      } catch (Throwable t) {
        logger.warn("A decoder of {} threw when destroyed", endpoint.getClass().getName(), t);
      }
    }
  }

  @Override
  public void onError(Session session, Throwable thrown) {
    Bound method = methods.onError();
    if (method == null) {
      logger.error("{} has no OnError method for this", endpoint.getClass().getName(), thrown);
      return;
    }
    try {
      method.call(endpoint, given(session, thrown, true));
    } catch (Throwable t) {
      if (Container.of(session) == Container.JETTY) {
        throw t;
      }
      logger.error("{} threw in its OnError method", endpoint.getClass().getName(), t);
    }
  }

  private Given given(Session session, Object own, boolean last) {
    return new Given(session, (name, type) -> path(session, name, type), own, last);
  }

  /**
   * Calls a method, and makes of what it throws what the container would.
   *
   * @param closing whether Tomcat closes the session after that
   */
  private @Nullable Object call(
      Session session, @Nullable Bound method, Given given, boolean closing) {
    if (method == null) {
      return null;
    }
    try {
      return method.call(endpoint, given);
    } catch (Throwable t) {
      Container container = Container.of(session);
      if (container == Container.JETTY || t instanceof VirtualMachineError) {
        throw t;
      }
      failed(session, t);
      if (closing && container == Container.TOMCAT) {
        close(session, CloseCodes.CLOSED_ABNORMALLY, t.getMessage());
      }
      return null;
    }
  }

  private void failed(Session session, Throwable thrown) {
    if (session instanceof TracedSession traced) {
      traced.socket().failedWithin(thrown);
    }
    onError(session, thrown);
  }

  private static void close(Session session, CloseCodes code, @Nullable String reason) {
    try {
      session.close(new CloseReason(code, reason));
    } catch (IOException e) {
      logger.debug("A session that is to close does not", e);
    }
  }

  private @Nullable Object path(Session session, String name, Class<?> type) {
    String value = path(session, name);
    try {
      return value == null ? null : AnnotatedMethods.value(value, type);
    } catch (RuntimeException e) {
      String reason =
          Container.of(session) == Container.TOMCAT
              ? "Failed to decode path parameter value [%s] to expected type [%s]"
              : "Decoding failed";
      throw AnnotatedMethods.<RuntimeException>sneaky(
          new DecodeException(value, reason.formatted(value, type), e));
    }
  }

  /** A path parameter: as Jetty has it still encoded, as all others have it decoded. */
  private @Nullable String path(Session session, String name) {
    String path = session.getRequestURI().getRawPath();
    if (template == null || path == null || Container.of(session) != Container.JETTY) {
      return session.getPathParameters().get(name);
    }
    String[] names = template.split("/", -1);
    String[] values = path.split("/", -1);
    for (int i = 1; i <= Math.min(names.length, values.length); i++) {
      if (names[names.length - i].equals("{" + name + "}")) {
        return values[values.length - i];
      }
    }
    return null;
  }

  @SuppressWarnings("unchecked") // a handler of parts takes what its type says
  private <T> void add(Session session, Bound method, Codecs codecs) {
    Class<?> type = method.messageType();
    boolean whole = method.maxMessageSize() >= 0 && Container.of(session) == Container.TOMCAT;
    if (method.inParts()) {
      limit(session, method, type);
      session.addMessageHandler(
          (Class<T>) type,
          (MessageHandler.Partial<T>) (part, last) -> handle(session, method, part, last));
    } else if (method.takesValue()) {
      add(session, method, String.class, text -> codecs.value((String) text, type));
    } else if (whole && type == Reader.class) {
      // Tomcat makes streams of whole messages.
      add(session, method, String.class, text -> new StringReader((String) text));
    } else if (whole && type == InputStream.class) {
      add(session, method, byte[].class, bytes -> new ByteArrayInputStream((byte[]) bytes));
    } else if (Handlers.isForm(type)) {
      add(session, method, type, message -> message);
    } else {
      codecs.decoding(type).forEach((form, decode) -> add(session, method, form, decode));
    }
  }

  private <T> void add(Session session, Bound method, Class<T> form, Codecs.Decode decode) {
    limit(session, method, form);
    session.addMessageHandler(
        form,
        (MessageHandler.Whole<T>)
            message -> {
              if (fits(session, method, message)) {
                Object decoded;
                try {
                  decoded = decode.decode(message);
                } catch (DecodeException | IOException e) {
                  undecoded(session, e);
                  return;
                }
                if (decoded != null) {
                  handle(session, method, decoded, true);
                }
              }
            });
  }

  private void undecoded(Session session, Exception thrown) {
    if (Container.of(session) == Container.JETTY) {
      throw AnnotatedMethods.<RuntimeException>sneaky(thrown);
    }
    failed(session, thrown);
  }

  /** Has the session take messages of the size that a method takes, as its container has. */
  private static void limit(Session session, Bound method, Class<?> form) {
    int max = (int) Math.min(Integer.MAX_VALUE, method.maxMessageSize());
    boolean exactly = Container.of(session) == Container.JETTY;
    if (max < 0 || form == PongMessage.class) {
      return;
    }
    if (form == String.class || form == Reader.class) {
      if (exactly || max > session.getMaxTextMessageBufferSize()) {
        session.setMaxTextMessageBufferSize(max);
      }
    } else if (exactly || max > session.getMaxBinaryMessageBufferSize()) {
      session.setMaxBinaryMessageBufferSize(max);
    }
  }

  /** Whether a message is no larger than a method takes; else the session closes. */
  private boolean fits(Session session, Bound method, Object message) {
    long max = method.maxMessageSize();
    if (max < 0) {
      return true;
    }
    Container container = Container.of(session);
    if (container == Container.JETTY) {
      return true;
    }
    long size = 0;
    if (message instanceof String text) {
      size =
          container == Container.TOMCAT
              ? text.length()
              : MessageType.TEXT.bytes().applyAsLong(text);
    } else if (message instanceof ByteBuffer buffer) {
      size = buffer.remaining();
    } else if (message instanceof byte[] bytes) {
      size = bytes.length;
    }
    if (size <= max) {
      return true;
    }
    if (container == Container.TOMCAT) {
      String reason =
          "The message was [%,d] bytes long but the MessageHandler has a limit of [%,d] bytes";
      close(session, CloseCodes.TOO_BIG, reason.formatted(size, max));
    } else {
      close(session, CloseCodes.TOO_BIG, "Too big.");
      failed(session, new IllegalStateException("A message of " + size + " bytes, over " + max));
    }
    return false;
  }

  private void handle(Session session, Bound method, Object message, boolean last) {
    if (method.inParts() && !fits(session, method, message)) {
      return;
    }
    Object answer = call(session, method, given(session, message, last), false);
    if (answer == null) {
      return;
    }
    Container container = Container.of(session);
    try {
      RemoteEndpoint.Basic remote = session.getBasicRemote();
      if (container == Container.TOMCAT && answer instanceof String text) {
        remote.sendText(text);
      } else if (container == Container.TOMCAT && answer instanceof ByteBuffer buffer) {
        remote.sendBinary(buffer);
      } else if (container == Container.TOMCAT && answer instanceof byte[] bytes) {
        remote.sendBinary(ByteBuffer.wrap(bytes));
      } else {
        remote.sendObject(answer);
      }
    } catch (IOException | EncodeException | RuntimeException e) {
      if (container == Container.OTHER) {
        failed(session, e);
      } else if (e instanceof RuntimeException known) {
        throw known;
      } else {
        throw container == Container.TOMCAT
            ? new IllegalStateException(e)
            : new RuntimeException(e);
      }
    }
  }
}
