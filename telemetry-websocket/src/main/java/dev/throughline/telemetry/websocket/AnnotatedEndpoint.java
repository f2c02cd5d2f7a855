// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.Printable;
import dev.throughline.telemetry.websocket.AnnotatedMethods.Bound;
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

  final Object instance;
  private final AnnotatedMethods methods;
  private final @Nullable String template;
  private final Map<String, Codecs> decoders = new ConcurrentHashMap<>();

  /**
   * @param template of the path that the endpoint is at; null on a client
   */
  AnnotatedEndpoint(Object instance, AnnotatedMethods methods, @Nullable String template) {
    this.instance = instance;
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
    openOrClose(session, methods.onOpen(), config);
  }

  @Override
  public void onClose(Session session, CloseReason reason) {
    try {
      openOrClose(session, methods.onClose(), reason);
    } finally {
      Codecs codecs = decoders.remove(session.getId());
      try {
        if (codecs != null) {
          codecs.destroy();
        }
      } catch (Throwable t) {
        logger.warn("A decoder of {} threw when destroyed", name(), Printable.of(t));
      }
    }
  }

  @Override
  public void onError(Session session, Throwable thrown) {
    Bound method = methods.onError();
    if (method == null) {
      logger.error("{} has no OnError method for this", name(), Printable.of(thrown));
      return;
    }
    try {
      method.call(this, session, thrown, true);
    } catch (Throwable t) {
      if (Container.of(session) == Container.JETTY) {
        throw t;
      }
      logger.error("{} threw in its OnError method", name(), Printable.of(t));
    }
  }

  private String name() {
    return instance.getClass().getName();
  }

  private void openOrClose(Session session, @Nullable Bound method, Object own) {
    if (method == null) {
      return;
    }
    try {
      method.call(this, session, own, true);
    } catch (Throwable t) {
      thrown(session, t);
      if (Container.of(session) == Container.TOMCAT) {
        close(session, CloseCodes.CLOSED_ABNORMALLY, t.getMessage());
      }
    }
  }

  /** Makes of what a method threw what the container would. */
  private void thrown(Session session, Throwable thrown) {
    if (Container.of(session) == Container.JETTY || thrown instanceof VirtualMachineError) {
      throw AnnotatedMethods.<RuntimeException>sneaky(thrown);
    }
    failed(session, thrown);
  }

  private void failed(Session session, Throwable thrown) {
    if (session instanceof TracedSession traced) {
      traced.failed(thrown);
    } else {
      onError(session, thrown);
    }
  }

  private static void close(Session session, CloseCodes code, @Nullable String reason) {
    try {
      session.close(new CloseReason(code, reason));
    } catch (IOException e) {
      logger.debug("A session that is to close does not", Printable.of(e));
    }
  }

  /** A path parameter, as a type. */
  @Nullable Object path(Session session, String name, Class<?> type) {
    String value = path(session, name);
    boolean tomcat = Container.of(session) == Container.TOMCAT;
    try {
      return value == null && type == String.class ? null : AnnotatedMethods.value(value, type);
    } catch (RuntimeException e) {
      String reason =
          tomcat
              ? "Failed to decode path parameter value [%s] to expected type [%s]"
              : "Decoding failed";
      throw AnnotatedMethods.<RuntimeException>sneaky(
          new DecodeException(value, reason.formatted(value, type), e));
    }
  }

  /** As Jetty has it still encoded, as all others have it decoded. */
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
    boolean tomcat = Container.of(session) == Container.TOMCAT;
    boolean whole = tomcat && method.maxMessageSize() >= 0;
    if (method.inParts()) {
      limit(session, method, type);
      session.addMessageHandler(
          (Class<T>) type,
          (MessageHandler.Partial<T>)
              (part, last) -> {
                if (fits(session, method, part)) {
                  handle(session, method, part, last);
                }
              });
    } else if (AnnotatedMethods.isValue(type)) {
      add(session, method, String.class, text -> codecs.value((String) text, type));
    } else if (whole && type == Reader.class) {
      // Tomcat makes streams of whole messages.
      add(session, method, String.class, text -> new StringReader((String) text));
    } else if (whole && type == InputStream.class) {
      add(session, method, ByteBuffer.class, bytes -> new ByteArrayInputStream(array(bytes)));
    } else if (tomcat && type == byte[].class) {
      // It tells the endpoint alone of what a handler of arrays throws.
      add(session, method, ByteBuffer.class, AnnotatedEndpoint::array);
    } else if (Handlers.isForm(type)) {
      add(session, method, type, message -> message);
    } else {
      codecs.decoding(type).forEach((form, decode) -> add(session, method, form, decode));
    }
  }

  private static byte[] array(Object buffer) {
    return Handlers.array((ByteBuffer) buffer);
  }

  private <T> void add(Session session, Bound method, Class<T> form, Codecs.Decode decode) {
    limit(session, method, form);
    MessageHandler.Whole<Object> decoded =
        Handlers.decoded(
            decode,
            thrown -> undecoded(session, thrown),
            message -> handle(session, method, message, true));
    session.addMessageHandler(
        form,
        message -> {
          if (fits(session, method, message)) {
            decoded.onMessage(message);
          }
        });
  }

  private void undecoded(Session session, Exception thrown) {
    if (!Container.of(session).goesOnAfter(thrown)) {
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
    Container container = Container.of(session);
    if (max < 0 || container == Container.JETTY) {
      return true;
    }
    long size = size(message, container);
    if (size > max && container == Container.TOMCAT) {
      String reason =
          "The message was [%,d] bytes long but the MessageHandler has a limit of [%,d] bytes";
      close(session, CloseCodes.TOO_BIG, reason.formatted(size, max));
    } else if (size > max) {
      close(session, CloseCodes.TOO_BIG, "Too big.");
      failed(session, new IllegalStateException("A message of " + size + " bytes, over " + max));
    }
    return size <= max;
  }

  private static long size(Object message, Container container) {
    if (message instanceof String text) {
      return container == Container.TOMCAT
          ? text.length()
          : MessageType.TEXT.bytes().applyAsLong(text);
    }
    if (message instanceof ByteBuffer buffer) {
      return buffer.remaining();
    }
    return message instanceof byte[] bytes ? bytes.length : 0;
  }

  private void handle(Session session, Bound method, Object message, boolean last) {
    if (!method.takes(message)) {
      // Tomcat hands a message over that no decoder reads.
      throw new IllegalArgumentException("argument type mismatch");
    }
    Object answer;
    try {
      answer = method.call(this, session, message, last);
    } catch (Throwable t) {
      thrown(session, t);
      return;
    }
    Container container = Container.of(session);
    try {
      if (answer != null) {
        answer(session.getBasicRemote(), container, answer);
      }
    } catch (IOException | EncodeException | RuntimeException e) {
      if (container == Container.OTHER) {
        failed(session, e);
      } else if (container == Container.JETTY) {
        throw new RuntimeException(e);
      } else {
        throw e instanceof RuntimeException known ? known : new IllegalStateException(e);
      }
    }
  }

  private static void answer(RemoteEndpoint.Basic remote, Container container, Object answer)
      throws IOException, EncodeException {
    // Tomcat asks no encoder for these.
    if (container == Container.TOMCAT && answer instanceof String text) {
      remote.sendText(text);
    } else if (container == Container.TOMCAT && answer instanceof ByteBuffer buffer) {
      remote.sendBinary(buffer);
    } else if (container == Container.TOMCAT && answer instanceof byte[] bytes) {
      remote.sendBinary(ByteBuffer.wrap(bytes));
    } else {
      remote.sendObject(answer);
    }
  }
}
