// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.grpc;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.TransparencyKit;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.InternalMetadata;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The transparency of the interceptors on both sides of gRPC: what client and server see of a call,
 * what they give each other, and what their mistakes throw, but for the headers that are added.
 */
abstract class GrpcTransparencyKit extends TransparencyKit<GrpcTransparencyKit.Subject> {

  private static final long TIMEOUT_SECONDS = 60;
  private static final String SERVICE = "test.Service";
  private static final Set<String> ADDED =
      Set.of("traceparent", "tracestate", "baggage", REQUEST_ID.toLowerCase(java.util.Locale.ROOT));
  private static final Metadata.Key<String> TEXT =
      Metadata.Key.of("x-text", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> MORE =
      Metadata.Key.of("x-more", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<byte[]> BYTES =
      Metadata.Key.of("x-bytes-bin", Metadata.BINARY_BYTE_MARSHALLER);

  /** A message that the other side can't read. */
  private static final String UNREADABLE = "unreadable";

  /** A message that can't be written. */
  private static final String UNWRITABLE = "unwritable";

  private static final MethodDescriptor.Marshaller<String> STRINGS =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(String value) {
          if (value.equals(UNWRITABLE)) {
            throw new IllegalArgumentException("of the marshaller");
          }
          return GrpcKit.STRINGS.stream(value);
        }

        @Override
        public String parse(InputStream stream) {
          String value = GrpcKit.STRINGS.parse(stream);
          if (value.equals(UNREADABLE)) {
            throw new IllegalArgumentException("of the marshaller");
          }
          return value;
        }
      };

  private static final Map<MethodType, MethodDescriptor<String, String>> METHODS =
      new EnumMap<>(MethodType.class);

  static {
    for (MethodType type :
        List.of(
            MethodType.UNARY,
            MethodType.CLIENT_STREAMING,
            MethodType.SERVER_STREAMING,
            MethodType.BIDI_STREAMING)) {
      METHODS.put(type, method(type, SERVICE + "/" + type.name()));
    }
  }

  private static MethodDescriptor<String, String> method(MethodType type, String fullName) {
    return MethodDescriptor.newBuilder(STRINGS, STRINGS)
        .setType(type)
        .setFullMethodName(fullName)
        .build();
  }

  /** A server that is not built yet. */
  abstract ServerBuilder<?> server();

  /** A channel to it that is not built yet. */
  abstract ManagedChannelBuilder<?> channel(Server server);

  /** The server and channel that the scenarios run on, one at a time. */
  static final class Subject {

    final List<String> client = new ArrayList<>();
    final List<String> beneath = new ArrayList<>();
    // Of each call: a handler may go on after its client.
    volatile List<String> served = new ArrayList<>();
    volatile Handler handler = call -> {};
    volatile CountDownLatch over = new CountDownLatch(1);
    Server server;
    ManagedChannel channel;

    static void note(List<String> log, String line) {
      synchronized (log) {
        log.add(line);
      }
    }

    private static String told(List<String> log) {
      synchronized (log) {
        return String.join("\n", log);
      }
    }

    void reset(Handler handler) {
      this.handler = handler;
      over = new CountDownLatch(1);
      served = new ArrayList<>();
      for (List<String> log : List.of(client, beneath)) {
        synchronized (log) {
          log.clear();
        }
      }
    }

    String seen() {
      return "client\n"
          + told(client)
          + "\nbeneath\n"
          + told(beneath)
          + "\nserver\n"
          + told(served);
    }
  }

  /** Serves a call: sets its callbacks, and may answer at once. */
  private interface Handler {
    void serve(Served call);
  }

  /** Makes a call and sees it through. */
  private interface Caller {
    void call(Called call) throws Exception;
  }

  @Override
  protected Subject start(@Nullable Telemetry telemetry, Mode mode) throws Exception {
    Subject subject = new Subject();
    ServerServiceDefinition.Builder service = ServerServiceDefinition.builder(SERVICE);
    for (MethodDescriptor<String, String> method : METHODS.values()) {
      service.addMethod(
          method,
          (call, headers) -> {
            Served served = new Served(subject, call);
            served.describe(headers);
            subject.handler.serve(served);
            return served.hasListener ? served : null;
          });
    }
    ServerBuilder<?> serverBuilder = server().addService(service.build());
    if (telemetry == null) {
      subject.server = serverBuilder.build().start();
      subject.channel = channel(subject.server).intercept(new Beneath(subject)).build();
    } else {
      GrpcTelemetryBuilder builder = GrpcTelemetry.builder(telemetry);
      if (mode.equals(EXCLUDED)) {
        builder.setExcludedServices(List.of(SERVICE));
      }
      GrpcTelemetry grpc = builder.build();
      grpc.configure(serverBuilder);
      subject.server = serverBuilder.build().start();
      ManagedChannelBuilder<?> to = channel(subject.server).intercept(new Beneath(subject));
      grpc.configure(to);
      subject.channel = to.build();
    }
    return subject;
  }

  @Override
  protected void stop(Subject subject) throws Exception {
    subject.channel.shutdownNow().awaitTermination(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    subject.server.shutdownNow().awaitTermination();
  }

  @Override
  protected List<Scenario<Subject>> scenarios() {
    List<Scenario<Subject>> all = new ArrayList<>();
    all.addAll(answers());
    all.addAll(throwingHandlers());
    all.addAll(handlersMistakes());
    all.addAll(streams());
    all.addAll(callersMistakes());
    all.addAll(throwingListeners());
    all.addAll(endings());
    all.addAll(stubs());
    return all;
  }

  private static List<Scenario<Subject>> answers() {
    Caller unary = call -> call.start().request(2).send("hello").halfClose().awaitClose();
    return List.of(
        scenario("answers", MethodType.UNARY, unary, GrpcTransparencyKit::echo),
        scenario(
            "headers and trailers of both sides, all values in order",
            MethodType.UNARY,
            call -> {
              fill(call.headers, "c");
              call.start().request(2).send("hello").halfClose().awaitClose();
            },
            call -> {
              call.request(2);
              call.onHalfClose =
                  () -> {
                    call.sendHeaders(filled("h")).send("answer").close(Status.OK, filled("t"));
                  };
            }),
        scenario(
            "an error without headers",
            MethodType.UNARY,
            unary,
            call -> {
              call.request(2);
              call.onHalfClose =
                  () ->
                      call.close(
                          Status.NOT_FOUND
                              .withDescription("no \u00e4 such\n")
                              .withCause(new IllegalStateException("kept")),
                          filled("t"));
            }),
        scenario(
            "an error after headers",
            MethodType.UNARY,
            unary,
            call -> {
              call.request(2);
              call.onHalfClose =
                  () -> call.sendHeaders(filled("h")).close(Status.ABORTED, new Metadata());
            }),
        scenario(
            "an answer before the request was read",
            MethodType.UNARY,
            unary,
            call -> call.close(Status.UNAUTHENTICATED, filled("t"))),
        scenario(
            "compression",
            MethodType.BIDI_STREAMING,
            call -> {
              call.options = call.options.withCompression("gzip");
              call.start().request(2);
              call.attempt("setMessageCompression", () -> call.call().setMessageCompression(true));
              call.send("hello".repeat(100)).halfClose().awaitClose();
            },
            call -> {
              call.attempt("setCompression", () -> call.call.setCompression("gzip"));
              echo(call);
              call.attempt("setMessageCompression", () -> call.call.setMessageCompression(true));
            }),
        scenario(
            "a compressor that there is not",
            MethodType.UNARY,
            call -> {
              call.options = call.options.withCompression("none such");
              call.start().request(2).send("hello").halfClose().awaitClose();
            },
            null),
        scenario(
            "another authority",
            MethodType.UNARY,
            call -> {
              call.options = call.options.withAuthority("other.example:99");
              call.start().request(2).send("hello").halfClose().awaitClose();
            },
            GrpcTransparencyKit::echo),
        scenario(
            "an answer that is too large",
            MethodType.SERVER_STREAMING,
            call -> {
              call.options = call.options.withMaxInboundMessageSize(10);
              call.start().request(2).send("a message that is long").halfClose().awaitClose();
            },
            GrpcTransparencyKit::echo,
            false),
        scenario(
            "a method that there is not",
            MethodType.UNARY,
            call -> {
              call.method = method(MethodType.UNARY, SERVICE + "/None");
              call.start().request(2).send("hello").halfClose().awaitClose();
            },
            null),
        scenario(
            "calls without an end",
            MethodType.UNARY,
            call -> {
              call.options = call.options.withDeadlineAfter(300, TimeUnit.MILLISECONDS);
              call.start().request(2).send("hello").halfClose().awaitClose();
            },
            call -> call.request(2),
            false));
  }

  private static List<Scenario<Subject>> throwingHandlers() {
    List<Scenario<Subject>> all = new ArrayList<>();
    Caller caller = call -> call.start().request(2).send("hello").halfClose().awaitClose();
    Metadata trailers = filled("thrown");
    Map<String, Callable<RuntimeException>> thrown =
        Map.of(
            "an exception",
            () -> new IllegalStateException("of the handler", new RuntimeException("cause")),
            "a status",
            () -> Status.NOT_FOUND.withDescription("no such").asRuntimeException(trailers),
            "a checked exception",
            () -> sneaky(Status.ABORTED.asException(trailers)),
            "an error",
            () -> sneaky(new NoSuchMethodError("of the handler")));
    thrown.forEach(
        (what, by) -> {
          // Anything else ends the executor's thread, and with it what the server tells.
          boolean isTold = what.equals("an exception") || what.equals("a status");
          all.add(
              scenario(
                  what + " while the call starts",
                  MethodType.UNARY,
                  caller,
                  call -> raise(by),
                  false));
          all.add(
              scenario(
                  what + " in onMessage",
                  MethodType.UNARY,
                  caller,
                  call -> {
                    call.request(2);
                    call.onMessage = message -> raise(by);
                  },
                  isTold));
          all.add(
              scenario(
                  what + " in onHalfClose",
                  MethodType.UNARY,
                  caller,
                  call -> {
                    call.request(2);
                    call.onHalfClose = () -> raise(by);
                  },
                  isTold));
          all.add(
              scenario(
                  what + " after headers and a message",
                  MethodType.SERVER_STREAMING,
                  caller,
                  call -> {
                    call.request(2);
                    call.onHalfClose =
                        () -> {
                          call.sendHeaders(filled("h")).send("one");
                          raise(by);
                        };
                  },
                  isTold));
          all.add(
              scenario(
                  what + " after the call was closed",
                  MethodType.UNARY,
                  caller,
                  call -> {
                    call.request(2);
                    call.onHalfClose =
                        () -> {
                          call.close(Status.RESOURCE_EXHAUSTED, filled("t"));
                          raise(by);
                        };
                  },
                  isTold));
          all.add(
              scenario(
                  what + " in onComplete",
                  MethodType.UNARY,
                  caller,
                  call -> {
                    echo(call);
                    call.onEnd = () -> raise(by);
                  }));
        });
    return all;
  }

  private static List<Scenario<Subject>> handlersMistakes() {
    Caller caller = call -> call.start().request(2).send("hello").halfClose().awaitClose();
    return List.of(
        mistake(
            "closes twice", caller, call -> call.close(Status.OK, filled("t")), MethodType.UNARY),
        mistake(
            "sends headers twice", caller, call -> call.sendHeaders(filled("h")), MethodType.UNARY),
        mistake(
            "sends a second message of one", caller, call -> call.send("again"), MethodType.UNARY),
        mistake(
            "sends what can't be written", caller, call -> call.send(UNWRITABLE), MethodType.UNARY),
        scenario(
            "a handler without a listener",
            MethodType.UNARY,
            caller,
            call -> call.hasListener = false,
            false),
        scenario(
            "a handler that sends no message",
            MethodType.UNARY,
            caller,
            call -> {
              call.request(2);
              call.onHalfClose = () -> call.close(Status.OK, new Metadata());
            },
            false),
        scenario(
            "a handler that sends a message before its headers",
            MethodType.UNARY,
            caller,
            call -> {
              call.request(2);
              call.onHalfClose = () -> call.send("answer").close(Status.OK, new Metadata());
            }));
  }

  /** A handler that does something beyond its answer, and answers then. */
  private static Scenario<Subject> mistake(
      String name, Caller caller, Consumer<Served> mistake, MethodType type) {
    return scenario(
        "a handler that " + name,
        type,
        caller,
        call -> {
          call.request(2);
          call.onHalfClose =
              () -> {
                call.sendHeaders(new Metadata()).send("answer");
                mistake.accept(call);
                call.close(Status.OK, new Metadata());
              };
        },
        false);
  }

  private static List<Scenario<Subject>> streams() {
    return List.of(
        scenario(
            "a client's stream",
            MethodType.CLIENT_STREAMING,
            call -> {
              call.start().awaitReady().request(2).send("a").send("b").send("c");
              call.halfClose().awaitClose();
            },
            call -> {
              call.request(1);
              call.onMessage = message -> call.request(1);
              call.onHalfClose =
                  () -> call.sendHeaders(new Metadata()).send("3").close(Status.OK, filled("t"));
            }),
        scenario(
            "a client's stream that is answered before its end",
            MethodType.CLIENT_STREAMING,
            call -> call.start().request(2).send("a").awaitClose(),
            call -> {
              call.request(1);
              call.onMessage =
                  message ->
                      call.sendHeaders(new Metadata()).send("early").close(Status.OK, filled("t"));
            }),
        scenario(
            "a server's stream, read message by message",
            MethodType.SERVER_STREAMING,
            call -> {
              call.start().request(1).send("3").halfClose();
              call.await("onMessage 0").request(1).await("onMessage 1").request(1);
              call.await("onMessage 2").request(1).awaitClose();
            },
            GrpcTransparencyKit::count),
        scenario(
            "a server's stream, read at once",
            MethodType.SERVER_STREAMING,
            call -> call.start().request(100).send("20").halfClose().awaitClose(),
            GrpcTransparencyKit::count),
        scenario(
            "a server's stream that is longer than what is asked for",
            MethodType.SERVER_STREAMING,
            call -> {
              call.start().request(2).send("5").halfClose().await("onMessage 1");
              call.cancel("enough", null).awaitClose();
            },
            call -> {
              call.request(2);
              // Bare, gRPC tells no end of a call within the process that is closed by now.
              call.onMessage =
                  message -> {
                    call.sendHeaders(filled("h"));
                    for (int i = 0; i < 5; i++) {
                      call.send(String.valueOf(i));
                    }
                  };
            }),
        scenario(
            "a conversation",
            MethodType.BIDI_STREAMING,
            call -> {
              call.start().awaitReady().request(1);
              call.send("a").await("onMessage a").request(1).send("b").await("onMessage b");
              call.halfClose().request(1).awaitClose();
            },
            GrpcTransparencyKit::echo),
        scenario(
            "a stream that fails in the middle",
            MethodType.BIDI_STREAMING,
            call -> call.start().request(9).send("a").await("onMessage a").send("b").awaitClose(),
            call -> {
              call.request(1);
              call.onMessage =
                  message -> {
                    if (message.equals("a")) {
                      call.sendHeaders(filled("h")).send("a").request(1);
                    } else {
                      call.close(Status.DATA_LOSS.withDescription("gone"), filled("t"));
                    }
                  };
            }));
  }

  private static List<Scenario<Subject>> callersMistakes() {
    return List.of(
        scenario(
            "a caller that starts twice",
            MethodType.UNARY,
            call -> call.start().start().request(2).send("hello").halfClose().awaitClose(),
            GrpcTransparencyKit::echo),
        scenario(
            "a caller that asks for less",
            MethodType.UNARY,
            call -> call.start().request(-1).request(2).send("hello").halfClose().awaitClose(),
            GrpcTransparencyKit::echo),
        scenario(
            "a caller that goes on after its end",
            MethodType.BIDI_STREAMING,
            call -> {
              call.start().request(9).send("a").halfClose().halfClose().send("b").awaitClose();
              call.request(1).isReady().cancel("late", null);
            },
            GrpcTransparencyKit::echo),
        scenario(
            "a caller that never starts",
            MethodType.UNARY,
            call -> call.request(1).send("a").halfClose().isReady().cancel("never", null).start(),
            null),
        scenario(
            "a caller without a listener",
            MethodType.UNARY,
            call -> call.attempt("start", () -> call.call().start(null, call.headers)),
            null),
        scenario(
            "a caller without headers",
            MethodType.UNARY,
            call -> call.attempt("start", () -> call.call().start(call, null)),
            null),
        scenario(
            "a caller that sends what can't be written",
            MethodType.UNARY,
            call -> call.start().request(2).send(UNWRITABLE).awaitClose(),
            null),
        scenario(
            "a caller that sends nothing",
            MethodType.UNARY,
            call -> {
              call.start().request(2).attempt("send", () -> call.call().sendMessage(null));
              call.awaitClose();
            },
            null),
        scenario(
            "a caller that sends what the server can't read",
            MethodType.UNARY,
            call -> call.start().request(2).send(UNREADABLE).halfClose().awaitClose(),
            GrpcTransparencyKit::echo,
            false),
        scenario(
            "a caller that can't read the answer",
            MethodType.UNARY,
            call -> call.start().request(2).send("hello").halfClose().awaitClose(),
            call -> {
              call.request(2);
              call.onHalfClose =
                  () ->
                      call.sendHeaders(new Metadata())
                          .send(UNREADABLE)
                          .close(Status.OK, new Metadata());
            },
            false));
  }

  private static List<Scenario<Subject>> throwingListeners() {
    List<Scenario<Subject>> all = new ArrayList<>();
    for (String callback : List.of("onReady", "onHeaders", "onMessage", "onClose")) {
      all.add(
          scenario(
              "a listener that throws in " + callback,
              MethodType.BIDI_STREAMING,
              call -> {
                call.throwing = callback;
                call.start().request(9).send("a").halfClose().awaitClose();
              },
              GrpcTransparencyKit::echo,
              false));
    }
    return all;
  }

  private static List<Scenario<Subject>> endings() {
    Handler silent = call -> call.request(9);
    Exception cause = new IllegalStateException("cause");
    return List.of(
        scenario(
            "a call that is cancelled",
            MethodType.BIDI_STREAMING,
            call -> {
              call.start().request(9).send("a").await("onMessage a");
              call.cancel("why", cause).cancel("again", null).isReady().awaitClose();
            },
            GrpcTransparencyKit::echo),
        scenario(
            "a call that is cancelled without a reason",
            MethodType.BIDI_STREAMING,
            call -> {
              call.start().request(9).send("a").await("onMessage a");
              call.cancel(null, null).awaitClose();
            },
            GrpcTransparencyKit::echo),
        scenario(
            "a handler that throws when it is cancelled",
            MethodType.BIDI_STREAMING,
            call -> {
              call.start().request(9).send("a").await("onMessage a");
              call.cancel("why", null).awaitClose();
            },
            call -> {
              echo(call);
              call.onEnd =
                  () -> {
                    throw new IllegalStateException("of the handler");
                  };
            }),
        scenario(
            "a deadline that passes",
            MethodType.BIDI_STREAMING,
            call -> {
              call.options = call.options.withDeadlineAfter(300, TimeUnit.MILLISECONDS);
              call.start().request(9).awaitClose();
            },
            silent,
            false),
        scenario(
            "a deadline that has passed",
            MethodType.UNARY,
            call -> {
              call.options = call.options.withDeadlineAfter(-1, TimeUnit.SECONDS);
              call.start().request(9).awaitClose();
            },
            null),
        scenario(
            "a context that is cancelled",
            MethodType.BIDI_STREAMING,
            call -> {
              Context.CancellableContext context = Context.current().withCancellation();
              context.run(() -> call.start().request(9).send("a"));
              call.await("onMessage a");
              context.cancel(cause);
              call.awaitClose();
            },
            GrpcTransparencyKit::echo),
        scenario(
            "a context that was cancelled",
            MethodType.UNARY,
            call -> {
              Context.CancellableContext context = Context.current().withCancellation();
              context.cancel(cause);
              context.run(() -> call.start().request(9));
              call.awaitClose();
            },
            null));
  }

  private static List<Scenario<Subject>> stubs() {
    MethodDescriptor<String, String> unary = METHODS.get(MethodType.UNARY);
    Handler failing =
        call -> {
          call.request(2);
          call.onHalfClose =
              () -> call.close(Status.NOT_FOUND.withDescription("no such"), filled("t"));
        };
    return List.of(
        stub(
            "a blocking stub",
            channel -> ClientCalls.blockingUnaryCall(channel, unary, CallOptions.DEFAULT, "a"),
            GrpcTransparencyKit::echo),
        stub(
            "a blocking stub that fails",
            channel -> ClientCalls.blockingUnaryCall(channel, unary, CallOptions.DEFAULT, "a"),
            failing),
        stub(
            "a future that fails",
            channel ->
                ClientCalls.futureUnaryCall(channel.newCall(unary, CallOptions.DEFAULT), "a").get(),
            failing),
        stub(
            "an iterator",
            channel -> {
              List<String> all = new ArrayList<>();
              ClientCalls.blockingServerStreamingCall(
                      channel, METHODS.get(MethodType.SERVER_STREAMING), CallOptions.DEFAULT, "3")
                  .forEachRemaining(all::add);
              return all;
            },
            GrpcTransparencyKit::count),
        stub(
            "metadata that interceptors attach and capture",
            channel -> {
              var headers = new java.util.concurrent.atomic.AtomicReference<Metadata>();
              var trailers = new java.util.concurrent.atomic.AtomicReference<Metadata>();
              ClientCalls.blockingUnaryCall(
                  io.grpc.ClientInterceptors.intercept(
                      channel,
                      MetadataUtils.newAttachHeadersInterceptor(filled("attached")),
                      MetadataUtils.newCaptureMetadataInterceptor(headers, trailers)),
                  unary,
                  CallOptions.DEFAULT,
                  "a");
              return told(headers.get()) + told(trailers.get());
            },
            GrpcTransparencyKit::echo));
  }

  private interface Stub {
    Object call(Channel channel) throws Exception;
  }

  private static Scenario<Subject> stub(String name, Stub stub, Handler handler) {
    return new Scenario<>(
        name,
        subject -> {
          subject.reset(handler);
          try {
            Subject.note(subject.client, String.valueOf(stub.call(subject.channel)));
          } catch (Exception e) {
            Subject.note(subject.client, told(e));
          }
          awaitEnd(subject);
          return subject.seen();
        });
  }

  private static Scenario<Subject> scenario(
      String name, MethodType type, Caller caller, @Nullable Handler handler) {
    return scenario(name, type, caller, handler, handler != null);
  }

  /**
   * @param handler null if the server is not called
   * @param isEndTold whether the server's end of the call is deterministic, and told
   */
  private static Scenario<Subject> scenario(
      String name, MethodType type, Caller caller, @Nullable Handler handler, boolean isEndTold) {
    return new Scenario<>(
        name,
        subject -> {
          subject.reset(handler == null ? call -> {} : handler);
          caller.call(new Called(subject, METHODS.get(type)));
          if (isEndTold) {
            awaitEnd(subject);
            return subject.seen();
          }
          String seen = subject.seen();
          return seen.substring(0, seen.indexOf("\nserver\n"));
        });
  }

  private static void awaitEnd(Subject subject) throws InterruptedException {
    if (!subject.over.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("The server's call does not end: " + subject.seen());
    }
  }

  /** Answers each message with itself, and ends when the client does. */
  private static void echo(Served call) {
    call.request(9);
    call.onMessage = message -> call.headersOnce().send(message);
    call.onHalfClose = () -> call.close(Status.OK, filled("t"));
  }

  /** Answers with as many messages as the request says. */
  private static void count(Served call) {
    call.request(2);
    call.onMessage =
        message -> {
          call.sendHeaders(filled("h"));
          for (int i = 0; i < Integer.parseInt(message); i++) {
            call.send(String.valueOf(i));
          }
        };
    call.onHalfClose = () -> call.close(Status.OK.withDescription("counted"), filled("t"));
  }

  private static void raise(Callable<RuntimeException> by) {
    try {
      throw by.call();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw sneaky(e);
    }
  }

  @SuppressWarnings("unchecked") // throws whatever it is given
  private static <T extends Throwable> RuntimeException sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }

  private static Metadata filled(String by) {
    Metadata metadata = new Metadata();
    fill(metadata, by);
    return metadata;
  }

  private static void fill(Metadata metadata, String by) {
    metadata.put(TEXT, by + " 1");
    metadata.put(BYTES, (by + " \u0000\u00ff").getBytes(ISO_8859_1));
    metadata.put(MORE, by);
    metadata.put(TEXT, by + " 2");
  }

  /** All keys and values in order, but for those that the README lists as added. */
  private static String told(@Nullable Metadata metadata) {
    if (metadata == null) {
      return "none";
    }
    byte[][] all = InternalMetadata.serialize(metadata);
    StringBuilder told = new StringBuilder("[");
    for (int i = 0; all != null && i < all.length; i += 2) {
      String name = new String(all[i], UTF_8);
      if (!ADDED.contains(name)) {
        String value = new String(all[i + 1], ISO_8859_1);
        told.append(name).append('=');
        told.append(name.equals("grpc-timeout") ? "some" : value).append("; ");
      }
    }
    return told.append(']').toString();
  }

  private static String told(Status status) {
    String description = String.valueOf(status.getDescription());
    int clock = description.indexOf("deadline");
    return status.getCode()
        + " "
        + (clock < 0 ? description : description.substring(0, clock))
        + (status.getCause() == null ? "" : " by " + told(status.getCause()));
  }

  private static String told(Throwable thrown) {
    StringBuilder told = new StringBuilder(thrown.getClass().getName());
    if (thrown instanceof StatusRuntimeException e) {
      told.append(' ').append(told(e.getStatus())).append(' ').append(told(e.getTrailers()));
    } else if (thrown instanceof StatusException e) {
      told.append(' ').append(told(e.getStatus())).append(' ').append(told(e.getTrailers()));
    } else {
      told.append(' ').append(thrown.getMessage());
    }
    return thrown.getCause() == null ? told.toString() : told + " by " + told(thrown.getCause());
  }

  private static void attempt(List<String> log, String what, Runnable action) {
    try {
      action.run();
      Subject.note(log, what);
    } catch (Throwable t) {
      Subject.note(log, what + " threw " + told(t));
    }
  }

  /** A call as its caller makes it, and hears of it. */
  private static final class Called extends ClientCall.Listener<String> {

    final Metadata headers = new Metadata();
    CallOptions options = CallOptions.DEFAULT;
    MethodDescriptor<String, String> method;
    String throwing = "";
    private final Subject subject;
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final CountDownLatch ready = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);
    private @Nullable ClientCall<String, String> call;

    Called(Subject subject, MethodDescriptor<String, String> method) {
      this.subject = subject;
      this.method = method;
    }

    ClientCall<String, String> call() {
      ClientCall<String, String> made = call;
      if (made == null) {
        made = subject.channel.newCall(method, options);
        call = made;
      }
      return made;
    }

    Called attempt(String what, Runnable action) {
      // Beneath, in order with what comes down.
      GrpcTransparencyKit.attempt(subject.beneath, what, action);
      return this;
    }

    Called start() {
      return attempt("start", () -> call().start(this, headers));
    }

    Called request(int messages) {
      return attempt("request " + messages, () -> call().request(messages));
    }

    Called send(String message) {
      return attempt("send", () -> call().sendMessage(message));
    }

    Called halfClose() {
      return attempt("halfClose", () -> call().halfClose());
    }

    Called cancel(@Nullable String why, @Nullable Throwable cause) {
      return attempt("cancel", () -> call().cancel(why, cause));
    }

    Called isReady() {
      return attempt("isReady", () -> Subject.note(subject.beneath, "" + call().isReady()));
    }

    Called awaitReady() throws InterruptedException {
      if (!ready.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("Never ready: " + subject.seen());
      }
      return isReady();
    }

    Called await(String event) throws InterruptedException {
      String next = "";
      while (!event.equals(next)) {
        next = heard.poll(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        if (next == null) {
          throw new AssertionError("Never heard " + event + ": " + subject.seen());
        }
      }
      return this;
    }

    void awaitClose() throws InterruptedException {
      if (!closed.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("Never closed: " + subject.seen());
      }
      Subject.note(subject.client, "sent " + told(headers));
    }

    private void hear(String callback, String event) {
      Subject.note(subject.client, event);
      heard.add(event);
      if (callback.equals(throwing)) {
        throw new IllegalStateException("of the listener");
      }
    }

    @Override
    public void onHeaders(Metadata headers) {
      Object peer = call().getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
      hear("onHeaders", "onHeaders " + told(headers) + " from " + peer.getClass().getSimpleName());
    }

    @Override
    public void onMessage(String message) {
      hear("onMessage", "onMessage " + message);
    }

    /** How often it is called depends on what the transport has sent by then. */
    @Override
    public void onReady() {
      ready.countDown();
      if (throwing.equals("onReady")) {
        throw new IllegalStateException("of the listener");
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      try {
        hear("onClose", "onClose " + told(status) + " " + told(trailers));
      } finally {
        closed.countDown();
      }
    }
  }

  /** A call as its handler sees it. */
  private static final class Served extends ServerCall.Listener<String> {

    final ServerCall<String, String> call;
    Consumer<String> onMessage = message -> {};
    Runnable onHalfClose = () -> {};
    Runnable onEnd = () -> {};
    private final List<String> log;
    private final CountDownLatch over;
    private boolean hasHeaders;
    boolean hasListener = true;

    Served(Subject subject, ServerCall<String, String> call) {
      log = subject.served;
      over = subject.over;
      this.call = call;
    }

    void describe(Metadata headers) {
      note("headers " + told(headers));
      note("method " + call.getMethodDescriptor().getFullMethodName());
      String authority = call.getAuthority();
      note("authority " + (authority == null ? null : authority.replaceAll(":\\d{4,}$", ":port")));
      note("security " + call.getSecurityLevel() + ", cancelled " + call.isCancelled());
      note("peer " + (call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) != null));
      note("local " + (call.getAttributes().get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR) != null));
    }

    private void note(String line) {
      Subject.note(log, line);
    }

    Served attempt(String what, Runnable action) {
      GrpcTransparencyKit.attempt(log, what, action);
      return this;
    }

    Served request(int messages) {
      return attempt("request " + messages, () -> call.request(messages));
    }

    Served sendHeaders(Metadata headers) {
      hasHeaders = true;
      attempt("sendHeaders", () -> call.sendHeaders(headers));
      note("sent " + ofHandler(headers));
      return this;
    }

    Served headersOnce() {
      return hasHeaders ? this : sendHeaders(filled("h"));
    }

    Served send(String message) {
      return attempt("send", () -> call.sendMessage(message));
    }

    Served close(@Nullable Status status, @Nullable Metadata trailers) {
      attempt("close", () -> call.close(status, trailers));
      note("closed with " + ofHandler(trailers));
      return this;
    }

    @Override
    public void onMessage(String message) {
      note("onMessage " + message);
      onMessage.accept(message);
    }

    /** Without gRPC's own, which go into the object that the handler gave, or into a copy. */
    private static String ofHandler(@Nullable Metadata metadata) {
      return told(metadata).replaceAll("grpc-[^;]*; ", "");
    }

    @Override
    public void onHalfClose() {
      note("onHalfClose");
      onHalfClose.run();
    }

    @Override
    public void onCancel() {
      end("onCancel");
    }

    @Override
    public void onComplete() {
      end("onComplete");
    }

    private void end(String how) {
      note(how + ", cancelled " + call.isCancelled());
      try {
        onEnd.run();
      } finally {
        over.countDown();
      }
    }
  }

  /** Tells what comes down to gRPC. */
  private record Beneath(Subject subject) implements ClientInterceptor {

    @Override
    public <Q, S> ClientCall<Q, S> interceptCall(
        MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
      note(
          "newCall %s %s %s %s %s %s"
              .formatted(
                  method.getFullMethodName(),
                  options.getAuthority(),
                  options.getCompressor(),
                  options.getExecutor() != null,
                  options.getDeadline() != null,
                  options.getMaxInboundMessageSize()));
      return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<S> listener, Metadata headers) {
          note("  start " + told(headers));
          super.start(listener, headers);
        }

        @Override
        public void request(int messages) {
          note("  request " + messages);
          super.request(messages);
        }

        @Override
        public void sendMessage(Q message) {
          note("  send " + message);
          super.sendMessage(message);
        }

        @Override
        public void halfClose() {
          note("  halfClose");
          super.halfClose();
        }

        @Override
        public void cancel(@Nullable String why, @Nullable Throwable cause) {
          note("  cancel " + why + " " + cause);
          super.cancel(why, cause);
        }

        @Override
        public void setMessageCompression(boolean enabled) {
          note("  setMessageCompression " + enabled);
          super.setMessageCompression(enabled);
        }
      };
    }

    private void note(String line) {
      Subject.note(subject.beneath, line);
    }
  }
}
