// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.rpc;

import dev.throughline.examples.service.Json;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * The gRPC service that a Gateway offers to its Agents. Its messages are JSON and bytes, so that no
 * code need be generated.
 */
public final class AgentService {

  /** Its full name. */
  public static final String NAME = "fleet.v1.AgentService";

  /** The one stream that an Agent opens and holds: commands come down it, answers go up. */
  public static final MethodDescriptor<Answer, Command> COMMANDS =
      stream("Commands", json(Answer.class), json(Command.class));

  /**
   * The stream of one console, for as long as somebody looks at it: what it says goes up, what it
   * is told comes down. The first message up is the session's id.
   */
  public static final MethodDescriptor<byte[], byte[]> CONSOLE =
      stream("Console", bytes(), bytes());

  private AgentService() {}

  private static <A, B> MethodDescriptor<A, B> stream(
      String name, Marshaller<A> up, Marshaller<B> down) {
    return MethodDescriptor.newBuilder(up, down)
        .setType(MethodType.BIDI_STREAMING)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, name))
        .build();
  }

  private static <T> Marshaller<T> json(Class<T> type) {
    return new Marshaller<>() {
      @Override
      public InputStream stream(T message) {
        return new ByteArrayInputStream(Json.write(message));
      }

      @Override
      public T parse(InputStream stream) {
        try {
          return Json.read(stream, type);
        } catch (IOException e) {
          throw malformed(e);
        }
      }
    };
  }

  private static Marshaller<byte[]> bytes() {
    return new Marshaller<>() {
      @Override
      public InputStream stream(byte[] message) {
        return new ByteArrayInputStream(message);
      }

      @Override
      public byte[] parse(InputStream stream) {
        try {
          return stream.readAllBytes();
        } catch (IOException e) {
          throw malformed(e);
        }
      }
    };
  }

  private static RuntimeException malformed(IOException e) {
    return Status.INTERNAL.withDescription("malformed message").withCause(e).asRuntimeException();
  }
}
