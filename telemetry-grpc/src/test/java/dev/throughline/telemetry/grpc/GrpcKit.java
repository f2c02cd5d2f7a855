// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.RpcKit;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The kit over grpc-java's calls, on whatever transport. */
abstract class GrpcKit extends RpcKit {

  static final MethodDescriptor.Marshaller<String> STRINGS =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(String value) {
          return new ByteArrayInputStream(value.getBytes(UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
          try {
            return new String(stream.readAllBytes(), UTF_8);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  static final Map<Method, MethodDescriptor<String, String>> METHODS = new EnumMap<>(Method.class);

  static {
    for (Method method : Method.values()) {
      METHODS.put(method, descriptor(type(method.shape()), method.fullName()));
    }
  }

  static MethodDescriptor<String, String> descriptor(MethodType type, String fullName) {
    return MethodDescriptor.newBuilder(STRINGS, STRINGS)
        .setType(type)
        .setFullMethodName(fullName)
        .build();
  }

  private static MethodType type(Shape shape) {
    return switch (shape) {
      case UNARY -> MethodType.UNARY;
      case CLIENT_STREAM -> MethodType.CLIENT_STREAMING;
      case SERVER_STREAM -> MethodType.SERVER_STREAMING;
      case BIDIRECTIONAL -> MethodType.BIDI_STREAMING;
    };
  }

  /** A server that is not built yet, on a transport of the subclass's. */
  abstract ServerBuilder<?> server();

  /** A channel to it that is not built yet. */
  abstract ManagedChannelBuilder<?> channel(Server server);

  @Override
  protected Connection connect(Setup setup) throws IOException {
    Telemetry over = setup.telemetry();
    if (over == null) {
      return connect(setup.service(), server -> {}, channel -> {});
    }
    GrpcTelemetry grpc =
        GrpcTelemetry.builder(over).setMessageEvents(setup.messageEvents()).build();
    return connect(setup.service(), grpc::configure, grpc::configure);
  }

  /** Connects with whatever is put into the builders. */
  final Connection connect(
      Service service,
      Consumer<ServerBuilder<?>> toServer,
      Consumer<ManagedChannelBuilder<?>> toChannel)
      throws IOException {
    ServerBuilder<?> serverBuilder = server();
    for (ServerServiceDefinition definition : services(service)) {
      serverBuilder.addService(definition);
    }
    toServer.accept(serverBuilder);
    Server server = serverBuilder.build().start();
    ManagedChannelBuilder<?> channelBuilder = channel(server);
    toChannel.accept(channelBuilder);
    return new GrpcConnection(server, channelBuilder.build());
  }

  static Iterable<ServerServiceDefinition> services(Service service) {
    ServerServiceDefinition.Builder kit = ServerServiceDefinition.builder("kit.v1.KitService");
    ServerServiceDefinition.Builder health =
        ServerServiceDefinition.builder("grpc.health.v1.Health");
    METHODS.forEach(
        (method, descriptor) ->
            (method == Method.HEALTH ? health : kit)
                .addMethod(descriptor, new Handler(method, service)));
    return List.of(kit.build(), health.build());
  }

  private record Handler(Method method, Service service)
      implements ServerCallHandler<String, String> {

    @Override
    public ServerCall.Listener<String> startCall(
        ServerCall<String, String> call, Metadata headers) {
      ServerReceiver receiver =
          service.accept(
              method,
              new ServerSender() {
                private boolean sentHeaders;

                @Override
                public void send(String message) {
                  if (!sentHeaders) {
                    sentHeaders = true;
                    call.sendHeaders(new Metadata());
                  }
                  call.sendMessage(message);
                }

                @Override
                public void close(String code) {
                  call.close(
                      Status.fromCode(Status.Code.valueOf(code)).withDescription("by the kit"),
                      new Metadata());
                }
              });
      call.request(100_000);
      return new ServerCall.Listener<>() {
        @Override
        public void onMessage(String message) {
          receiver.onMessage(message);
        }

        @Override
        public void onHalfClose() {
          receiver.onHalfClose();
        }

        @Override
        public void onCancel() {
          receiver.onCancel();
        }

        @Override
        public void onComplete() {
          receiver.onComplete();
        }
      };
    }
  }

  private record GrpcConnection(Server server, ManagedChannel channel) implements Connection {

    @Override
    public ClientSender call(Method method, @Nullable Duration deadline, ClientReceiver receiver) {
      CallOptions options = CallOptions.DEFAULT;
      if (deadline != null) {
        options = options.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
      }
      ClientCall<String, String> call = channel.newCall(METHODS.get(method), options);
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onMessage(String message) {
              receiver.onMessage(message);
            }

            @Override
            public void onClose(Status status, Metadata trailers) {
              receiver.onEnd(status.getCode().name());
            }
          },
          new Metadata());
      call.request(100_000);
      return new ClientSender() {
        @Override
        public void send(String message) {
          call.sendMessage(message);
        }

        @Override
        public void halfClose() {
          call.halfClose();
        }

        @Override
        public void cancel() {
          call.cancel("by the kit", null);
        }
      };
    }

    @Override
    public String serverAddress() {
      return "localhost";
    }

    @Override
    public @Nullable Integer serverPort() {
      return server.getPort() > 0 ? server.getPort() : null;
    }

    @Override
    public void close() throws InterruptedException {
      channel.shutdownNow();
      server.shutdownNow();
      server.awaitTermination();
      channel.awaitTermination(10, TimeUnit.SECONDS);
    }
  }
}
