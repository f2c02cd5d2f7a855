// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.DecodeException;
import jakarta.websocket.Decoder;
import jakarta.websocket.EncodeException;
import jakarta.websocket.Encoder;
import jakarta.websocket.EndpointConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The decoders and encoders of an endpoint. Containers would run them on the message with its
 * envelope, and before its handler's context is there.
 */
final class Codecs {

  private final EndpointConfig config;
  private final Container container;
  private @Nullable List<Decoder> decoders;
  private @Nullable List<Encoder> encoders;

  Codecs(EndpointConfig config, Container container) {
    this.config = config;
    this.container = container;
  }

  /** The forms of a message that an application's decoders read, and its encoders write. */
  private enum Form {
    TEXT(String.class, Decoder.Text.class, Encoder.Text.class),
    TEXT_STREAM(Reader.class, Decoder.TextStream.class, Encoder.TextStream.class),
    BINARY(ByteBuffer.class, Decoder.Binary.class, Encoder.Binary.class),
    BINARY_STREAM(InputStream.class, Decoder.BinaryStream.class, Encoder.BinaryStream.class);

    final Class<?> message;
    final Class<? extends Decoder> decoder;
    final Class<? extends Encoder> encoder;

    Form(Class<?> message, Class<? extends Decoder> decoder, Class<? extends Encoder> encoder) {
      this.message = message;
      this.decoder = decoder;
      this.encoder = encoder;
    }
  }

  /** Reads an object from a message. */
  interface Decode {
    /** Null if the message is to be dropped. */
    @Nullable Object decode(Object message) throws DecodeException, IOException;
  }

  /**
   * How messages become objects of a type, by the class that a container hands them over as;
   * decoders of the same form are asked in turn.
   */
  synchronized Map<Class<?>, Decode> decoding(Class<?> type) {
    Map<Form, List<Decoder>> found = new EnumMap<>(Form.class);
    for (Decoder decoder : decoders()) {
      for (Form form : Form.values()) {
        Class<?> made = argument(decoder.getClass(), form.decoder);
        if (made != null && type.isAssignableFrom(made)) {
          found.computeIfAbsent(form, first -> new ArrayList<>()).add(decoder);
        }
      }
    }
    // A whole message is not read as a stream as well.
    if (found.containsKey(Form.TEXT)) {
      found.remove(Form.TEXT_STREAM);
    }
    if (found.containsKey(Form.BINARY)) {
      found.remove(Form.BINARY_STREAM);
    }
    Map<Class<?>, Decode> decoding = new LinkedHashMap<>();
    if (found.isEmpty() && container != Container.TOMCAT && AnnotatedMethods.isValue(type)) {
      decoding.put(String.class, text -> value((String) text, type));
    }
    found.forEach(
        (form, decoders) -> decoding.put(form.message, message -> decode(form, decoders, message)));
    return decoding;
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

  private @Nullable Object decode(Form form, List<Decoder> decoders, Object message)
      throws DecodeException, IOException {
    for (Decoder decoder : decoders) {
      switch (form) {
        case TEXT -> {
          Decoder.Text<?> text = (Decoder.Text<?>) decoder;
          if (text.willDecode((String) message)) {
            return text.decode((String) message);
          }
        }
        case BINARY -> {
          Decoder.Binary<?> binary = (Decoder.Binary<?>) decoder;
          if (binary.willDecode(((ByteBuffer) message).duplicate())) {
            return binary.decode((ByteBuffer) message);
          }
        }
        case TEXT_STREAM -> {
          return ((Decoder.TextStream<?>) decoder).decode((Reader) message);
        }
        case BINARY_STREAM -> {
          return ((Decoder.BinaryStream<?>) decoder).decode((InputStream) message);
        }
      }
    }
    if (container == Container.JETTY) {
      return null;
    }
    String nobody = "No decoder took the message";
    throw message instanceof String text
        ? new DecodeException(text, nobody)
        : new DecodeException((ByteBuffer) message, nobody);
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
          return encode(form, encoder, object);
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

  private List<Decoder> decoders() {
    if (decoders == null) {
      decoders = instances(config.getDecoders(), decoder -> decoder.init(config));
    }
    return decoders;
  }

  private List<Encoder> encoders() {
    if (encoders == null) {
      encoders = instances(config.getEncoders(), encoder -> encoder.init(config));
    }
    return encoders;
  }

  private static <T> List<T> instances(List<Class<? extends T>> types, Consumer<T> init) {
    List<T> made = new ArrayList<>();
    for (Class<? extends T> type : types) {
      T instance = AnnotatedMethods.instance(type);
      init.accept(instance);
      made.add(instance);
    }
    return made;
  }

  synchronized void destroy() {
    if (decoders != null) {
      decoders.forEach(Decoder::destroy);
    }
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
