// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.grpc.HandlerRegistry;
import io.grpc.InsecureServerCredentials;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerMethodDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.testing.trace.TestSpanData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Receives OTLP on a real socket and counts the items that came by the attribute that numbers them.
 * It reads no more of a message than that: a receiver must cost less than the delivery that it
 * measures.
 */
final class CountingReceiver implements AutoCloseable {

  /** The attribute that numbers items, from 0 on. */
  static final String NUMBER = "number";

  // The fields from a message down to the attributes of an item: a resource, a scope, the item.
  private static final int[] SPAN = {1, 2, 2, 9};
  private static final int[] LOG_RECORD = {1, 2, 2, 6};
  private static final int[] HISTOGRAM_POINT = {1, 2, 2, 9, 1, 9};

  private static final int WARM_UP_REQUESTS = 200;

  private final ExecutorService workers = Executors.newCachedThreadPool();
  private final BitSet arrived = new BitSet();
  private int repeated;
  private final boolean grpc;
  private final int port;
  private final Runnable stop;

  static CountingReceiver of(String protocol) {
    try {
      return new CountingReceiver(protocol.equals("grpc"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private CountingReceiver(boolean grpc) throws IOException {
    this.grpc = grpc;
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    if (grpc) {
      Server server =
          NettyServerBuilder.forAddress(anyPort, InsecureServerCredentials.create())
              .executor(workers)
              .fallbackHandlerRegistry(new AnyMethod())
              .build()
              .start();
      port = server.getPort();
      stop = server::shutdownNow;
    } else {
      HttpServer server = HttpServer.create(anyPort, 0);
      server.setExecutor(workers);
      server.createContext("/", this::receive);
      server.start();
      port = server.getAddress().getPort();
      stop = () -> server.stop(0);
    }
  }

  /** Host and port, without a scheme. */
  String authority() {
    return "localhost:" + port;
  }

  /** Has it compiled what receives, as a receiver is that has run for a while. */
  void warmUp() {
    String endpoint = "http://" + authority();
    try (SpanExporter exporter =
        grpc
            ? OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).build()
            : OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").build()) {
      SpanData span =
          TestSpanData.builder()
              .setName("warm up")
              .setKind(SpanKind.INTERNAL)
              .setStartEpochNanos(1)
              .setEndEpochNanos(2)
              .setHasEnded(true)
              .setStatus(StatusData.unset())
              .setAttributes(Attributes.of(AttributeKey.longKey("other"), 1L))
              .build();
      List<SpanData> batch = Collections.nCopies(1_000, span);
      for (int i = 0; i < WARM_UP_REQUESTS; i++) {
        exporter.export(batch).join(10, TimeUnit.SECONDS);
      }
    }
  }

  /** How many different items came. */
  synchronized int arrived() {
    return arrived.cardinality();
  }

  /** How many items came that had come before. */
  synchronized int repeated() {
    return repeated;
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      count(exchange.getRequestURI().getPath(), exchange.getRequestBody());
      exchange.sendResponseHeaders(200, -1);
    }
  }

  private synchronized void count(String path, InputStream message) {
    int[] items =
        switch (path) {
          case "/v1/traces", "opentelemetry.proto.collector.trace.v1.TraceService/Export" -> SPAN;
          case "/v1/logs", "opentelemetry.proto.collector.logs.v1.LogsService/Export" -> LOG_RECORD;
          default -> HISTOGRAM_POINT;
        };
    try {
      byte[] bytes = message.readAllBytes();
      count(CodedInputStream.newInstance(bytes), items, 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Goes down to the attributes; whatever else there is on the way is skipped. */
  private void count(CodedInputStream message, int[] fields, int depth) throws IOException {
    while (!message.isAtEnd()) {
      int tag = message.readTag();
      if (tag >>> 3 != fields[depth] || (tag & 7) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
        message.skipField(tag);
        continue;
      }
      int outer = message.pushLimit(message.readRawVarint32());
      if (depth == fields.length - 1) {
        countAttribute(message);
      } else {
        count(message, fields, depth + 1);
      }
      message.popLimit(outer);
    }
  }

  private void countAttribute(CodedInputStream attribute) throws IOException {
    boolean isNumber = false;
    while (!attribute.isAtEnd()) {
      int tag = attribute.readTag();
      if (tag == 10) {
        int length = attribute.readRawVarint32();
        isNumber = length == NUMBER.length();
        if (isNumber) {
          isNumber = NUMBER.equals(new String(attribute.readRawBytes(length)));
        } else {
          attribute.skipRawBytes(length);
        }
      } else if (isNumber && tag == 18) {
        int outer = attribute.pushLimit(attribute.readRawVarint32());
        attribute.readTag();
        came((int) attribute.readInt64());
        attribute.popLimit(outer);
      } else {
        attribute.skipField(tag);
      }
    }
  }

  private void came(int number) {
    if (arrived.get(number)) {
      repeated++;
    }
    arrived.set(number);
  }

  @Override
  public void close() {
    stop.run();
    workers.shutdownNow();
  }

  /** Any method that takes bytes and answers with none. */
  private final class AnyMethod extends HandlerRegistry {

    @Override
    public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
      MethodDescriptor<InputStream, InputStream> method =
          MethodDescriptor.<InputStream, InputStream>newBuilder()
              .setType(MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(name)
              .setRequestMarshaller(new Bytes())
              .setResponseMarshaller(new Bytes())
              .build();
      return ServerMethodDefinition.create(
          method,
          ServerCalls.asyncUnaryCall(
              (message, observer) -> {
                count(name, message);
                observer.onNext(InputStream.nullInputStream());
                observer.onCompleted();
              }));
    }
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<InputStream> {

    @Override
    public InputStream stream(InputStream message) {
      return message;
    }

    /** The stream that it is given is closed before the message is read. */
    @Override
    public InputStream parse(InputStream stream) {
      try {
        return new ByteArrayInputStream(stream.readAllBytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
