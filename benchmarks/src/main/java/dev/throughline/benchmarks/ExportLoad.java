// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A process that ends spans at a fixed rate on two threads and exports them: {@code ExportLoad
 * ours|sdk grpc|http/protobuf none|gzip endpoint rate seconds}. It says when it is warm, waits for
 * a line, and tells in one line what it did.
 */
final class ExportLoad {

  private static final int PRODUCERS = 2;
  private static final Duration WARM_UP = Duration.ofSeconds(2);
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<String> PATH = AttributeKey.stringKey("url.path");
  private static final AttributeKey<String> SCHEME = AttributeKey.stringKey("url.scheme");
  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  private static final AttributeKey<String> SERVER = AttributeKey.stringKey("server.address");
  private static final AttributeKey<Long> PORT = AttributeKey.longKey("server.port");
  private static final AttributeKey<String> PEER = AttributeKey.stringKey("network.peer.address");
  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");

  private final Tracer tracer;
  private final int rate;

  private ExportLoad(Tracer tracer, int rate) {
    this.tracer = tracer;
    this.rate = rate;
  }

  /**
   * What was done.
   *
   * @param spans that were ended
   * @param callerBytes that the ending threads allocated for each
   * @param otherCpuNanos that all other threads of the process took
   * @param otherBytes that they allocated
   * @param pending spans that were neither delivered nor lost; 0 where nobody counts
   */
  record Done(long spans, double callerBytes, long otherCpuNanos, long otherBytes, long pending) {

    static Done parse(String line) {
      String[] words = line.split(" ", 5);
      return new Done(
          Long.parseLong(words[0]),
          Double.parseDouble(words[1]),
          Long.parseLong(words[2]),
          Long.parseLong(words[3]),
          Long.parseLong(words[4]));
    }

    @Override
    public String toString() {
      return spans + " " + callerBytes + " " + otherCpuNanos + " " + otherBytes + " " + pending;
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    // Dropped spans are counted by the receiver; to tell of each would be a load of its own.
    Logger logger = Logger.getLogger("io.opentelemetry");
    logger.setLevel(Level.OFF);
    String protocol = args[1];
    String compression = args[2];
    String endpoint = args[3];
    int rate = Integer.parseInt(args[4]);
    Duration time = Duration.ofSeconds(Integer.parseInt(args[5]));
    if (args[0].equals("ours")) {
      try (Telemetry telemetry = ours(protocol, compression, endpoint)) {
        new ExportLoad(telemetry.tracer(), rate)
            .run(time, () -> telemetry.flush(Duration.ofSeconds(10)).spans().pending());
      }
    } else {
      try (OpenTelemetrySdk sdk = sdk(protocol, compression, endpoint)) {
        new ExportLoad(sdk.getTracer("export"), rate)
            .run(
                time,
                () -> {
                  sdk.getSdkTracerProvider().forceFlush().join(10, TimeUnit.SECONDS);
                  return 0;
                });
      }
    }
  }

  private static Telemetry ours(String protocol, String compression, String endpoint) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .setServiceName("export")
        .addProperty("otel.exporter.otlp.protocol", protocol)
        .addProperty("otel.exporter.otlp.compression", compression)
        .addProperty("otel.exporter.otlp.endpoint", endpoint)
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.logs.exporter", "none")
        .build();
  }

  private static OpenTelemetrySdk sdk(String protocol, String compression, String endpoint) {
    SpanExporter exporter =
        protocol.equals("grpc")
            ? OtlpGrpcSpanExporter.builder()
                .setEndpoint(endpoint)
                .setCompression(compression)
                .build()
            : OtlpHttpSpanExporter.builder()
                .setEndpoint(endpoint + "/v1/traces")
                .setCompression(compression)
                .build();
    return OpenTelemetrySdk.builder()
        .setTracerProvider(
            SdkTracerProvider.builder()
                .addSpanProcessor(BatchSpanProcessor.create(exporter))
                .build())
        .build();
  }

  private void run(Duration time, LongSupplier flush) throws IOException, InterruptedException {
    load(WARM_UP);
    long unusedPending = flush.getAsLong();
    System.out.println("warm");
    int unused = System.in.read();
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long bytesBefore = bytesOfThreads();
    long cpuBefore = system.getProcessCpuTime();
    Produced produced = load(time);
    long pending = flush.getAsLong();
    // The producers are gone by now.
    long otherBytes = bytesOfThreads() - bytesBefore;
    long otherCpu = system.getProcessCpuTime() - cpuBefore - produced.cpuNanos.get();
    System.out.println(
        new Done(
            produced.spans.get(),
            produced.bytes.get() / (double) produced.spans.get(),
            otherCpu,
            otherBytes,
            pending));
  }

  private static long bytesOfThreads() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long sum = 0;
    for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
      sum += Math.max(0, bytes);
    }
    return sum;
  }

  private static final class Produced {
    final AtomicLong spans = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    final AtomicLong cpuNanos = new AtomicLong();
  }

  private Produced load(Duration time) throws InterruptedException {
    Produced produced = new Produced();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < PRODUCERS; i++) {
      Thread thread = new Thread(() -> produce(time, produced), "producer-" + i);
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return produced;
  }

  private void produce(Duration time, Produced produced) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long self = Thread.currentThread().getId();
    long bytesBefore = threads.getThreadAllocatedBytes(self);
    long cpuBefore = threads.getCurrentThreadCpuTime();
    long begin = System.nanoTime();
    long total = time.toSeconds() * rate / PRODUCERS;
    long ended = 0;
    while (ended < total) {
      long due = (System.nanoTime() - begin) / 1000 * rate / PRODUCERS / 1_000_000;
      for (long end = Math.min(due, total); ended < end; ended++) {
        endSpan(ended);
      }
      LockSupport.parkNanos(1_000_000);
    }
    produced.spans.addAndGet(ended);
    produced.bytes.addAndGet(threads.getThreadAllocatedBytes(self) - bytesBefore);
    produced.cpuNanos.addAndGet(threads.getCurrentThreadCpuTime() - cpuBefore);
  }

  private void endSpan(long number) {
    tracer
        .spanBuilder("GET /servers/{id}")
        .setSpanKind(SpanKind.SERVER)
        .setNoParent()
        .setAttribute(METHOD, "GET")
        .setAttribute(PATH, (number & 1) == 0 ? "/servers/7" : "/servers/8")
        .setAttribute(SCHEME, "http")
        .setAttribute(ROUTE, "/servers/{id}")
        .setAttribute(SERVER, "manager")
        .setAttribute(PORT, 80L)
        .setAttribute(PEER, "10.0.0.9")
        .setAttribute(STATUS, 200L)
        .startSpan()
        .end();
  }
}
