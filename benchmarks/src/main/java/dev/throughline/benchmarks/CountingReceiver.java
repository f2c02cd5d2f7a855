// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;

/**
 * Receives OTLP traces over gRPC and over HTTP on the loopback interface, and counts what came in
 * without reading more of it than that takes. Metrics and logs are taken over HTTP, and not
 * counted.
 */
final class CountingReceiver implements AutoCloseable {

  private static final String SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";
  // The fields that lead from an ExportTraceServiceRequest to its spans.
  private static final int[] RESOURCE_SCOPE_SPAN = {1, 2, 2};
  private static final byte[] EMPTY = {};

  private final AtomicLong spans = new AtomicLong();
  private final AtomicLong wireBytes = new AtomicLong();
  private final Server grpc;
  private final HttpServer http;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  CountingReceiver() throws IOException {
    grpc =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addStreamTracerFactory(new WireSizes())
            .addService(
                ServerServiceDefinition.builder(SERVICE)
                    .addMethod(
                        MethodDescriptor.<byte[], byte[]>newBuilder()
                            .setType(MethodDescriptor.MethodType.UNARY)
                            .setFullMethodName(SERVICE + "/Export")
                            .setRequestMarshaller(new Bytes())
                            .setResponseMarshaller(new Bytes())
                            .build(),
                        ServerCalls.asyncUnaryCall(
                            (request, response) -> {
                              count(request);
                              response.onNext(EMPTY);
                              response.onCompleted();
                            }))
                    .build())
            .build()
            .start();
    http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    http.setExecutor(threads);
    http.createContext(
        "/",
        exchange -> {
          exchange.getRequestBody().transferTo(OutputStream.nullOutputStream());
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    http.createContext("/v1/traces", this::receive);
    http.start();
  }

  /** Where a protocol of {@code OTEL_EXPORTER_OTLP_PROTOCOL} is received. */
  String endpoint(String protocol) {
    int port = protocol.equals("grpc") ? grpc.getPort() : http.getAddress().getPort();
    return "http://127.0.0.1:" + port;
  }

  /** Spans since the last reset. */
  long spans() {
    return spans.get();
  }

  /** Bytes of all messages since the last reset, compressed where they were. */
  long wireBytes() {
    return wireBytes.get();
  }

  void reset() {
    spans.set(0);
    wireBytes.set(0);
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      wireBytes.addAndGet(body.length);
      if ("gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))) {
        body = new GZIPInputStream(new ByteArrayInputStream(body)).readAllBytes();
      }
      count(body);
      exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
      exchange.sendResponseHeaders(200, -1);
    }
  }

  private void count(byte[] request) {
    try {
      spans.addAndGet(count(CodedInputStream.newInstance(request), 0));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long count(CodedInputStream in, int depth) throws IOException {
    long count = 0;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) != RESOURCE_SCOPE_SPAN[depth]) {
        in.skipField(tag);
      } else if (depth == RESOURCE_SCOPE_SPAN.length - 1) {
        in.skipField(tag);
        count++;
      } else {
        int limit = in.pushLimit(in.readRawVarint32());
        count += count(in, depth + 1);
        in.popLimit(limit);
      }
    }
    return count;
  }

  @Override
  public void close() {
    grpc.shutdownNow();
    http.stop(0);
    threads.shutdownNow();
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private final class WireSizes extends ServerStreamTracer.Factory {
    @Override
    public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
      return new ServerStreamTracer() {
        @Override
        public void inboundWireSize(long bytes) {
          wireBytes.addAndGet(bytes);
        }
      };
    }
  }
}
