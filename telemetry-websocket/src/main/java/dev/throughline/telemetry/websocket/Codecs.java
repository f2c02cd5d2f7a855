// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.DecodeException;
import jakarta.websocket.Decoder;
import jakarta.websocket.EncodeException;
import jakarta.websocket.Encoder;
import jakarta.websocket.EndpointConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.io.StringWriter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The decoders and encoders of an endpoint. Containers would run them on the message with its
 * envelope, and before its handler's context is there.
 */
final class Codecs {

  private final EndpointConfig config;
  private final Container container;
  private final Map<Class<? extends Decoder>, Decoder> decoders = new LinkedHashMap<>();
  private @Nullable List<Encoder> encoders;

  Codecs(EndpointConfig config, Container container) {
    this.config = config;
    this.container = container;
  }

  /** The forms of a message that an application's decoders read, and its encoders write. */
  private enum Form {
    TEXT(String.class, Decoder.Text.class, Encoder.Text.class, null),
    TEXT_STREAM(Reader.class, Decoder.TextStream.class, Encoder.TextStream.class, TEXT),
    BINARY(ByteBuffer.class, Decoder.Binary.class, Encoder.Binary.class, null),
    BINARY_STREAM(
        InputStream.class, Decoder.BinaryStream.class, Encoder.BinaryStream.class, BINARY);

    final Class<?> message;
    final Class<? extends Decoder> decoder;
    final Class<? extends Encoder> encoder;

    /** The form that the whole message has, if this is a stream; itself if it is not. */
    final Form whole;

    Form(
        Class<?> message,
        Class<? extends Decoder> decoder,
        Class<? extends Encoder> encoder,
        @Nullable Form whole) {
      this.message = message;
      this.decoder = decoder;
      this.encoder = encoder;
      this.whole = whole == null ? this : whole;
    }
  }

  /** Reads an object from a message. */
  interface Decode {
    /** Null if the message is to be dropped. */
    @Nullable Object decode(Object message) throws DecodeException, IOException;
  }

  /**
   * How messages become objects of a type, by the class that a container hands them over as; the
   * decoders of a class are asked in turn.
   */
  synchronized Map<Class<?>, Decode> decoding(Class<?> type) {
    Map<Class<?>, List<Decoder>> found = new LinkedHashMap<>();
    boolean complete = false;
    for (Class<? extends Decoder> decoder : config.getDecoders()) {
      for (Form form : Form.values()) {
        Class<?> made = argument(decoder, form.decoder);
        boolean asked =
            container != Container.JETTY || found.isEmpty() || found.containsKey(form.message);
        if (made != null && type.isAssignableFrom(made) && asked && !complete) {
          found.computeIfAbsent(message(form), first -> new ArrayList<>()).add(decoder(decoder));
          // Tomcat asks none behind one that reads a stream.
          complete = container == Container.TOMCAT && form.whole != form;
        }
      }
    }
    // A whole message is not read as a stream as well.
    for (Form form : Form.values()) {
      if (form.whole != form && found.containsKey(form.whole.message)) {
        found.remove(form.message);
      }
    }
    Map<Class<?>, Decode> decoding = new LinkedHashMap<>();
    if (found.isEmpty() && container != Container.TOMCAT && AnnotatedMethods.isValue(type)) {
      decoding.put(String.class, text -> value((String) text, type));
    }
    found.forEach((form, decoders) -> decoding.put(form, message -> decode(decoders, message)));
    return decoding;
  }

  /** Tomcat makes streams of whole messages. */
  private Class<?> message(Form form) {
    return container == Container.TOMCAT ? form.whole.message : form.message;
  }

  /** Text as a number or the like; what is none each container treats in its own way. */
  @Nullable Object value(String text, Class<?> type) throws DecodeException {
    try {
      return AnnotatedMethods.value(text, type);
    } catch (RuntimeException e) {
      return switch (container) {
        case JETTY -> null;
        case TOMCAT -> throw e;
        case OTHER -> throw new DecodeException(text, "Decoding failed", e);
      };
    }
  }

  private @Nullable Object decode(List<Decoder> decoders, Object message)
      throws DecodeException, IOException {
    boolean isText = message instanceof String || message instanceof Reader;
    for (Decoder decoder : decoders) {
      if (decoder instanceof Decoder.Text<?> text && message instanceof String string) {
        if (text.willDecode(string)) {
          return orAsItIs(text.decode(string), message);
        }
      } else if (decoder instanceof Decoder.Binary<?> binary
          && message instanceof ByteBuffer bytes) {
        if (binary.willDecode(bytes.duplicate())) {
          return orAsItIs(binary.decode(bytes), message);
        }
      } else if (decoder instanceof Decoder.TextStream<?> stream && isText) {
        return orAsItIs(
            stream.decode(
                message instanceof String text ? new StringReader(text) : (Reader) message),
            message);
      } else if (decoder instanceof Decoder.BinaryStream<?> stream) {
        return orAsItIs(
            stream.decode(
                message instanceof ByteBuffer bytes
                    ? new ByteArrayInputStream(Handlers.array(bytes.duplicate()))
                    : (InputStream) message),
            message);
      }
    }
    return orAsItIs(null, message);
  }

  /** Tomcat goes on with the message as it is if its decoder makes nothing of it. */
  private @Nullable Object orAsItIs(@Nullable Object decoded, Object message) {
    return decoded == null && container == Container.TOMCAT ? message : decoded;
  }

  /**
   * A message of this object.
   *
   * @return a string, or a byte buffer; null if no encoder takes it
   */
  synchronized @Nullable Object encode(Object object) throws EncodeException, IOException {
    for (Encoder encoder : encoders()) {
      for (Form form : Form.values()) {
        Class<?> taken = argument(encoder.getClass(), form.encoder);
        if (taken != null && taken.isInstance(object)) {
          try {
            return encode(form, encoder, object);
          } catch (RuntimeException e) {
            if (container == Container.OTHER) {
              throw new IOException(e);
            }
            throw e;
          }
        }
      }
    }
    if (object instanceof Number || object instanceof Boolean || object instanceof Character) {
      return object.toString();
    }
    if (object instanceof byte[] bytes) {
      return ByteBuffer.wrap(bytes);
    }
    // Tomcat sends neither as an object.
    return container != Container.TOMCAT
            && (object instanceof String || object instanceof ByteBuffer)
        ? object
        : null;
  }

  @SuppressWarnings("unchecked") // an encoder's own type says what it takes
  private static Object encode(Form form, Encoder encoder, Object object)
      throws EncodeException, IOException {
    return switch (form) {
      case TEXT -> ((Encoder.Text<Object>) encoder).encode(object);
      case BINARY -> ((Encoder.Binary<Object>) encoder).encode(object);
      case TEXT_STREAM -> {
        StringWriter writer = new StringWriter();
        ((Encoder.TextStream<Object>) encoder).encode(object, writer);
        yield writer.toString();
      }
      case BINARY_STREAM -> {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        ((Encoder.BinaryStream<Object>) encoder).encode(object, stream);
        yield ByteBuffer.wrap(stream.toByteArray());
      }
    };
  }

  private Decoder decoder(Class<? extends Decoder> type) {
    return decoders.computeIfAbsent(
        type,
        made -> {
          Decoder decoder = AnnotatedMethods.instance(made);
          decoder.init(config);
          return decoder;
        });
  }

  private List<Encoder> encoders() {
    if (encoders == null) {
      encoders = new ArrayList<>();
      for (Class<? extends Encoder> type : config.getEncoders()) {
        Encoder encoder = AnnotatedMethods.instance(type);
        encoder.init(config);
        encoders.add(encoder);
      }
    }
    return encoders;
  }

  synchronized void destroy() {
    decoders.values().forEach(Decoder::destroy);
    if (encoders != null) {
      encoders.forEach(Encoder::destroy);
    }
  }

  /**
   * What a class is a generic type of, e.g. {@code Integer} where it is a {@code Whole<Integer>}.
   *
   * @return null where that can't be told, as of a lambda
   */
  static @Nullable Class<?> argument(Class<?> type, Class<?> generic) {
    return raw(resolve(type, generic));
  }

  private static @Nullable Type resolve(Type type, Class<?> generic) {
    Class<?> raw = raw(type);
    if (raw == null || !generic.isAssignableFrom(raw)) {
      return null;
    }
    if (raw == generic) {
      return type instanceof ParameterizedType parameterized
          ? parameterized.getActualTypeArguments()[0]
          : null;
    }
    List<Type> above = new ArrayList<>(List.of(raw.getGenericInterfaces()));
    if (raw.getGenericSuperclass() != null) {
      above.add(raw.getGenericSuperclass());
    }
    for (Type each : above) {
      Type found = resolve(each, generic);
      if (found instanceof TypeVariable<?> variable
          && type instanceof ParameterizedType parameterized) {
        int index = List.of(raw.getTypeParameters()).indexOf(variable);
        found = index < 0 ? null : parameterized.getActualTypeArguments()[index];
      }
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private static @Nullable Class<?> raw(@Nullable Type type) {
    if (type instanceof Class<?> raw) {
      return raw;
    }
    return type instanceof ParameterizedType parameterized
        ? (Class<?>) parameterized.getRawType()
        : null;
  }
}
