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
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The decoders and encoders of an endpoint. Containers would run them on the message with its
 * envelope, and before its handler's context is there.
 */
final class Codecs {

  private final EndpointConfig config;
  private @Nullable List<Decoder> decoders;
  private @Nullable List<Encoder> encoders;

  Codecs(EndpointConfig config) {
    this.config = config;
  }

  /** Reads an object from a message. */
  interface Decode<M> {
    Object decode(M message) throws DecodeException, IOException;
  }

  /** How messages of each kind become an object; null for a kind that does not. */
  record Decoding(
      @Nullable Decode<String> text,
      @Nullable Decode<Reader> textStream,
      @Nullable Decode<ByteBuffer> binary,
      @Nullable Decode<InputStream> binaryStream) {

    boolean isEmpty() {
      return text == null && textStream == null && binary == null && binaryStream == null;
    }
  }

  /** What makes objects of this type; those that make the same of text are asked in turn. */
  synchronized Decoding decoding(Class<?> type) {
    List<Decoder.Text<?>> texts = new ArrayList<>();
    List<Decoder.Binary<?>> binaries = new ArrayList<>();
    Decode<Reader> textStream = null;
    Decode<InputStream> binaryStream = null;
    for (Decoder decoder : decoders()) {
      Class<?> made = decoder.getClass();
      if (decoder instanceof Decoder.Text<?> text && makes(made, Decoder.Text.class, type)) {
        texts.add(text);
      } else if (decoder instanceof Decoder.Binary<?> binary
          && makes(made, Decoder.Binary.class, type)) {
        binaries.add(binary);
      } else if (decoder instanceof Decoder.TextStream<?> text
          && makes(made, Decoder.TextStream.class, type)) {
        textStream = text::decode;
      } else if (decoder instanceof Decoder.BinaryStream<?> binary
          && makes(made, Decoder.BinaryStream.class, type)) {
        binaryStream = binary::decode;
      }
    }
    return new Decoding(
        texts.isEmpty() ? null : message -> decode(texts, message),
        texts.isEmpty() ? textStream : null,
        binaries.isEmpty() ? null : message -> decode(binaries, message),
        binaries.isEmpty() ? binaryStream : null);
  }

  private static Object decode(List<Decoder.Text<?>> decoders, String message)
      throws DecodeException {
    for (Decoder.Text<?> decoder : decoders) {
      if (decoder.willDecode(message)) {
        return decoder.decode(message);
      }
    }
    throw new DecodeException(message, "No decoder took the message");
  }

  private static Object decode(List<Decoder.Binary<?>> decoders, ByteBuffer message)
      throws DecodeException {
    for (Decoder.Binary<?> decoder : decoders) {
      if (decoder.willDecode(message.duplicate())) {
        return decoder.decode(message);
      }
    }
    throw new DecodeException(message, "No decoder took the message");
  }

  private static boolean makes(Class<?> decoder, Class<?> kind, Class<?> type) {
    Class<?> made = argument(decoder, kind);
    return made != null && type.isAssignableFrom(made);
  }

  /**
   * A message of this object.
   *
   * @return a string, or a byte buffer; null where no encoder takes it
   */
  @SuppressWarnings("unchecked") // an encoder's own type says what it takes
  synchronized @Nullable Object encode(Object object) throws EncodeException, IOException {
    if (object instanceof String || object instanceof ByteBuffer) {
      return object;
    }
    if (object instanceof byte[] bytes) {
      return ByteBuffer.wrap(bytes);
    }
    for (Encoder encoder : encoders()) {
      if (encoder instanceof Encoder.Text<?> text && takes(encoder, Encoder.Text.class, object)) {
        return ((Encoder.Text<Object>) text).encode(object);
      }
      if (encoder instanceof Encoder.Binary<?> binary
          && takes(encoder, Encoder.Binary.class, object)) {
        return ((Encoder.Binary<Object>) binary).encode(object);
      }
      if (encoder instanceof Encoder.TextStream<?> text
          && takes(encoder, Encoder.TextStream.class, object)) {
        StringWriter writer = new StringWriter();
        ((Encoder.TextStream<Object>) text).encode(object, writer);
        return writer.toString();
      }
      if (encoder instanceof Encoder.BinaryStream<?> binary
          && takes(encoder, Encoder.BinaryStream.class, object)) {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        ((Encoder.BinaryStream<Object>) binary).encode(object, stream);
        return ByteBuffer.wrap(stream.toByteArray());
      }
    }
    return object instanceof Number || object instanceof Boolean || object instanceof Character
        ? object.toString()
        : null;
  }

  private static boolean takes(Encoder encoder, Class<?> kind, Object object) {
    Class<?> taken = argument(encoder.getClass(), kind);
    return taken != null && taken.isInstance(object);
  }

  private List<Decoder> decoders() {
    List<Decoder> made = decoders;
    if (made == null) {
      made = new ArrayList<>();
      for (Class<? extends Decoder> type : config.getDecoders()) {
        Decoder decoder = AnnotatedMethods.instance(type);
        decoder.init(config);
        made.add(decoder);
      }
      decoders = made;
    }
    return made;
  }

  private List<Encoder> encoders() {
    List<Encoder> made = encoders;
    if (made == null) {
      made = new ArrayList<>();
      for (Class<? extends Encoder> type : config.getEncoders()) {
        Encoder encoder = AnnotatedMethods.instance(type);
        encoder.init(config);
        made.add(encoder);
      }
      encoders = made;
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
