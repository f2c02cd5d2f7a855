// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class GrpcReadmeTest extends ReadmeKit {

  /** A message with a map, as a generated class would be. */
  record Command(String name, Map<String, String> context) {}

  private static final MethodDescriptor<Command, Command> COMMANDS =
      MethodDescriptor.newBuilder(new Lines(), new Lines())
          .setType(MethodType.BIDI_STREAMING)
          .setFullMethodName("fleet.v1.AgentService/Commands")
          .build();

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  private final Telemetry telemetry = recorded.telemetry();
  private final Agent agent = new Agent();

  private static final class Agent {

    final CountDownLatch handled = new CountDownLatch(1);
    volatile String baggage = "";

    void handle(Command command) {
      baggage = String.valueOf(Baggage.current().getEntryValue("session_id"));
      handled.countDown();
    }
  }

  private static SpanData named(List<SpanData> spans, String name) {
    return spans.stream().filter(span -> span.getName().equals(name)).findFirst().orElseThrow();
  }

  private void overAStream(Consumer<Command> receiver) throws Exception {
    String name = InProcessServerBuilder.generateName();
    InProcessServerBuilder serverBuilder = InProcessServerBuilder.forName(name);
    serverBuilder.addService(
        ServerServiceDefinition.builder("fleet.v1.AgentService")
            .addMethod(
                COMMANDS, ServerCalls.asyncBidiStreamingCall(answer -> each(receiver, answer)))
            .build());
    ManagedChannelBuilder<?> channelBuilder = InProcessChannelBuilder.forName(name);
    // region
    GrpcTelemetry grpc = GrpcTelemetry.create(telemetry);

    grpc.configure(serverBuilder); // or intercept with grpc.serverInterceptor()
    grpc.configure(channelBuilder); // or intercept with grpc.clientInterceptor()
    // endregion
    Server server = serverBuilder.build().start();
    ManagedChannel channel = channelBuilder.build();
    try {
      CountDownLatch ended = new CountDownLatch(1);
      StreamObserver<Command> stream =
          ClientCalls.asyncBidiStreamingCall(
              channel.newCall(COMMANDS, CallOptions.DEFAULT), each(command -> {}, ended));
      telemetry.span("request").baggage("session_id", "s-1").run(() -> send(stream));
      assertThat(agent.handled.await(10, TimeUnit.SECONDS)).isTrue();
      stream.onCompleted();
      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
      server.awaitTermination();
    }
  }

  private void send(StreamObserver<Command> stream) {
    // region
    telemetry
        .span("command.send")
        .run(
            () -> {
              Map<String, String> context = new HashMap<>();
              telemetry.inject(context); // traceparent, tracestate, baggage
              stream.onNext(new Command("power-cycle", context));
            });
    // endregion
  }

  @Test
  void aCommandIsAChildOfWhatSentIt() throws Exception {
    overAStream(
        command -> {
          // region
          telemetry
              .span("command.run")
              .parent(telemetry.extract(command.context()))
              .run(() -> agent.handle(command));
          // endregion
        });

    assertThat(agent.baggage).isEqualTo("s-1");
    assertThat(recorded)
        .tree(
            """
            fleet.v1.AgentService/Commands    CLIENT grpc.sent.message_count=1
              fleet.v1.AgentService/Commands  SERVER grpc.received.message_count=1
            request
              command.send  baggage.session_id=s-1
                command.run  baggage.session_id=s-1
            """);
  }

  @Test
  void aCommandIsLinkedToWhatSentIt() throws Exception {
    overAStream(
        command -> {
          // region
          telemetry
              .span("command.run")
              .link(Span.fromContext(telemetry.extract(command.context())).getSpanContext())
              .run(() -> agent.handle(command));
          // endregion
        });

    List<SpanData> spans = recorded.takeSpans(5);
    SpanData run = named(spans, "command.run");
    SpanData sent = named(spans, "command.send");
    assertThat(run.getTraceId()).isNotEqualTo(sent.getTraceId());
    assertThat(run.getLinks())
        .extracting(link -> link.getSpanContext().getSpanId())
        .containsExactly(sent.getSpanId());
  }

  private static StreamObserver<Command> each(
      Consumer<Command> receiver, StreamObserver<Command> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Command command) {
        receiver.accept(command);
      }

      @Override
      public void onError(Throwable t) {}

      @Override
      public void onCompleted() {
        answer.onCompleted();
      }
    };
  }

  private static StreamObserver<Command> each(Consumer<Command> receiver, CountDownLatch ended) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Command command) {
        receiver.accept(command);
      }

      @Override
      public void onError(Throwable t) {
        ended.countDown();
      }

      @Override
      public void onCompleted() {
        ended.countDown();
      }
    };
  }

  /** A line with the name, then one with each key and value. */
  private static final class Lines implements MethodDescriptor.Marshaller<Command> {
    @Override
    public InputStream stream(Command command) {
      StringBuilder lines = new StringBuilder(command.name());
      command.context().forEach((key, value) -> lines.append('\n').append(key + '=' + value));
      return GrpcKit.STRINGS.stream(lines.toString());
    }

    @Override
    public Command parse(InputStream stream) {
      String[] lines = GrpcKit.STRINGS.parse(stream).split("\n", -1);
      Map<String, String> context = new HashMap<>();
      for (int i = 1; i < lines.length; i++) {
        String[] entry = lines[i].split("=", 2);
        context.put(entry[0], entry[1]);
      }
      return new Command(lines[0], context);
    }
  }
}
