// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import dev.throughline.telemetry.OtlpReceiver.Reply;
import dev.throughline.telemetry.delivery.Delivery;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each fault of a receiver: what becomes of the spans, what the log says, and that the application
 * never waits for it.
 */
@Timeout(90)
class DeliveryFaultsTest {

  private static final int SPANS = 2_000;

  private final LogCapture log = new LogCapture();
  private final List<AutoCloseable> open = new ArrayList<>();
  @TempDir Path folder;

  @AfterEach
  void close() throws Exception {
    for (int i = open.size(); i-- > 0; ) {
      open.get(i).close();
    }
    log.close();
  }

  private <T extends AutoCloseable> T opened(T closeable) {
    open.add(closeable);
    return closeable;
  }

  /** What becomes of the spans in the end. */
  private enum Fate {
    DELIVERED,
    FAILED,
    HALF_FAILED,
    /** They wait, and are given up when telemetry closes. */
    GIVEN_UP
  }

  private enum Fault {
    REFUSED(
        Fate.GIVEN_UP,
        ": nothing listens at localhost:\\d+; start the collector.* \\(Failed to connect to"
            + " localhost"),
    HANG(Fate.GIVEN_UP, "no answer within 500 ms"),
    RESET(Fate.GIVEN_UP, "fails and is tried again: "),
    SLOW_READER(Fate.GIVEN_UP, "no answer within 500 ms"),
    BUSY_WITH_RETRY_AFTER(Fate.DELIVERED, "HTTP status 429"),
    UNAVAILABLE_WITH_RETRY_AFTER(Fate.DELIVERED, "HTTP status 503, Service Unavailable"),
    UNAVAILABLE(Fate.DELIVERED, "gRPC status UNAVAILABLE, starting"),
    EXHAUSTED(Fate.FAILED, "gRPC status RESOURCE_EXHAUSTED, no"),
    EXHAUSTED_WITH_RETRY_INFO(Fate.DELIVERED, "gRPC status RESOURCE_EXHAUSTED, no"),
    PARTIAL_SUCCESS(Fate.HALF_FAILED, "too old"),
    NOT_FOUND(
        Fate.FAILED,
        ": the receiver does not take them there; .* \\(HTTP status 404, Not Found\\)"),
    UNIMPLEMENTED(
        Fate.FAILED, ": the receiver does not take them there; .* \\(gRPC status UNIMPLEMENTED"),
    WRONG_PROTOCOL(Fate.GIVEN_UP, ": this port speaks HTTP/\\d.*, the setting says "),
    EXPIRED_CERTIFICATE(
        Fate.GIVEN_UP,
        ": the receiver's certificate has expired; renew it \\((?:\\(certificate_expired\\) )?PKIX"
            + " path validation"),
    WRONG_CERTIFICATE(
        Fate.GIVEN_UP,
        ": the receiver's certificate is from an issuer that is not trusted; .*PKIX path building"),
    NO_CLIENT_CERTIFICATE(
        Fate.GIVEN_UP, ": the receiver wants to see a certificate of the client's"),
    WRONG_AUTHORIZATION(
        Fate.FAILED, ": the receiver does not let you in; .*\\(.*(401|UNAUTHENTICATED)");

    final Fate fate;
    final String words;

    /** Short only if no answer comes at all: a slow machine takes its time for the others. */
    String timeout() {
      return this == HANG || this == SLOW_READER ? "500ms" : "20s";
    }

    Fault(Fate fate, String words) {
      this.fate = fate;
      this.words = words;
    }
  }

  private record Case(Fault fault, boolean grpc) {
    @Override
    public String toString() {
      return fault + (grpc ? " over gRPC" : " over HTTP");
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (Fault fault : Fault.values()) {
      switch (fault) {
        case BUSY_WITH_RETRY_AFTER, UNAVAILABLE_WITH_RETRY_AFTER, NOT_FOUND ->
            cases.add(new Case(fault, false));
        case UNAVAILABLE, EXHAUSTED, EXHAUSTED_WITH_RETRY_INFO, UNIMPLEMENTED ->
            cases.add(new Case(fault, true));
        default -> {
          cases.add(new Case(fault, true));
          cases.add(new Case(fault, false));
        }
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isCountedAndSaidAndDelaysNoOne(Case fault) throws Exception {
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("faulty")
            .addProperty("otel.exporter.otlp.protocol", fault.grpc() ? "grpc" : "http/protobuf")
            .addProperty("otel.exporter.otlp.timeout", fault.fault().timeout())
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addProperty("otel.bsp.schedule.delay", "1h")
            .addProperty("telemetry.close.timeout", "1s");
    Telemetry telemetry =
        builder.addProperty("otel.exporter.otlp.endpoint", endpoint(fault, builder)).build();
    AtomicBoolean done = new AtomicBoolean();
    AtomicReference<Delivery.Counts> wrong = new AtomicReference<>();
    Thread watcher = watch(telemetry, done, wrong);
    try {
      Waits waits = endSpans(telemetry);
      assertThat(waits).isEqualTo(new Waits(0, 0));
      Wait.until(
          "the fault has had its effect",
          () -> !log.warnings().isEmpty() || settled(telemetry) == SPANS);
      if (fault.fault().fate != Fate.GIVEN_UP) {
        telemetry.flush(Wait.LIMIT);
      }
      // Also while it is tried again.
      assertThat(endSpans(telemetry)).isEqualTo(new Waits(0, 0));
      if (fault.fault().fate != Fate.GIVEN_UP) {
        telemetry.flush(Wait.LIMIT);
      }
    } finally {
      long start = System.nanoTime();
      telemetry.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      done.set(true);
      watcher.join();
    }

    assertThat(wrong.get()).isNull();
    Delivery.Counts counts = telemetry.delivery().spans();
    assertThat(counts.created()).isEqualTo(2 * SPANS);
    assertThat(counts.pending()).isZero();
    assertThat(counts.dropped()).isZero();
    switch (fault.fault().fate) {
      case DELIVERED -> assertThat(counts.delivered()).isEqualTo(2 * SPANS);
      case FAILED, GIVEN_UP -> assertThat(counts.failed()).isEqualTo(2 * SPANS);
      case HALF_FAILED -> {
        assertThat(counts.failed()).isPositive();
        assertThat(counts.failed() + counts.delivered()).isEqualTo(2 * SPANS);
      }
    }
    assertThat(log.warnings().get(0))
        .startsWith("Delivery of spans to http")
        .containsPattern(fault.fault().words);
    if (counts.failed() > 0) {
      assertThat(log.warnings()).hasSize(2);
      assertThat(log.warnings().get(1))
          .startsWith(
              "Telemetry closed, and not all was delivered: "
                  + counts.failed()
                  + " of 4000 spans lost; ");
    } else {
      assertThat(log.warnings()).hasSize(1);
    }
  }

  private static long settled(Telemetry telemetry) {
    Delivery.Counts counts = telemetry.delivery().spans();
    return counts.delivered() + counts.failed();
  }

  /** How often a thread was held up by a lock, or waited for something. */
  private record Waits(long locks, long conditions) {}

  private static Waits endSpans(Telemetry telemetry) throws InterruptedException {
    AtomicReference<Waits> waits = new AtomicReference<>();
    Thread application =
        new Thread(
            () -> {
              // What is loaded and linked by the first span may wait for other threads.
              ThreadMXBean threads = ManagementFactory.getThreadMXBean();
              ThreadInfo before = threads.getThreadInfo(Thread.currentThread().getId());
              for (int i = 0; i < SPANS; i++) {
                telemetry.tracer().spanBuilder("work").startSpan().end();
              }
              ThreadInfo after = threads.getThreadInfo(Thread.currentThread().getId());
              waits.set(
                  new Waits(
                      after.getBlockedCount() - before.getBlockedCount(),
                      after.getWaitedCount() - before.getWaitedCount()));
            });
    application.start();
    application.join();
    return waits.get();
  }

  /** The counts add up at each moment, whatever happens meanwhile. */
  private static Thread watch(
      Telemetry telemetry, AtomicBoolean done, AtomicReference<Delivery.Counts> wrong) {
    Thread watcher =
        new Thread(
            () -> {
              while (!done.get()) {
                Delivery.Counts counts = telemetry.delivery().spans();
                long sum =
                    counts.delivered()
                        + counts.failed()
                        + counts.dropped()
                        + counts.spooled()
                        + counts.pending();
                if (sum != counts.created() || counts.pending() < 0) {
                  wrong.set(counts);
                }
                LockSupport.parkNanos(1_000_000);
              }
            });
    watcher.start();
    return watcher;
  }

  private String endpoint(Case fault, TelemetryBuilder builder) throws Exception {
    return switch (fault.fault()) {
      case REFUSED -> opened(new ClosedPort()).authority();
      case HANG, RESET, SLOW_READER -> opened(new BadReceiver(fault.fault())).authority();
      case WRONG_PROTOCOL ->
          opened(fault.grpc() ? OtlpReceiver.http() : OtlpReceiver.grpc()).authority();
      case EXPIRED_CERTIFICATE -> {
        TestCertificates authority = trusted(new TestCertificates(folder, "authority"), builder);
        yield tls(
            fault,
            authority.issue(folder, "expired", "-startdate", "-3d", "-validity", "2"),
            false);
      }
      case WRONG_CERTIFICATE -> tls(fault, new TestCertificates(folder, "unknown"), false);
      case NO_CLIENT_CERTIFICATE ->
          tls(fault, trusted(new TestCertificates(folder, "server"), builder), true);
      default -> {
        OtlpReceiver receiver = opened(fault.grpc() ? OtlpReceiver.grpc() : OtlpReceiver.http());
        AtomicBoolean first = new AtomicBoolean(true);
        receiver.reply(request -> reply(fault.fault(), fault.grpc(), first.getAndSet(false)));
        yield receiver.authority();
      }
    };
  }

  private String tls(Case fault, TestCertificates server, boolean clientCertificate)
      throws Exception {
    OtlpReceiver receiver =
        fault.grpc()
            ? OtlpReceiver.grpc(server.grpcServer(clientCertificate))
            : OtlpReceiver.https(server.server(server), clientCertificate);
    return "https://" + opened(receiver).authority();
  }

  private static TestCertificates trusted(TestCertificates server, TelemetryBuilder builder) {
    builder.addProperty("otel.exporter.otlp.certificate", server.certificate.toString());
    return server;
  }

  private static Reply reply(Fault fault, boolean grpc, boolean first) {
    return switch (fault) {
      case BUSY_WITH_RETRY_AFTER -> first ? Reply.http(429, Map.of("Retry-After", "1")) : Reply.OK;
      case UNAVAILABLE_WITH_RETRY_AFTER ->
          first ? Reply.http(503, Map.of("Retry-After", "1")) : Reply.OK;
      case UNAVAILABLE ->
          first
              ? Reply.grpc(Status.UNAVAILABLE.withDescription("starting"), new Metadata())
              : Reply.OK;
      case EXHAUSTED -> Reply.grpc(Status.RESOURCE_EXHAUSTED.withDescription("no"), new Metadata());
      case EXHAUSTED_WITH_RETRY_INFO ->
          first
              ? Reply.grpc(Status.RESOURCE_EXHAUSTED.withDescription("no"), retryInfo())
              : Reply.OK;
      case PARTIAL_SUCCESS -> Reply.partial(100, "too old");
      case NOT_FOUND -> Reply.http(404, Map.of());
      case UNIMPLEMENTED -> Reply.grpc(Status.UNIMPLEMENTED, new Metadata());
      case WRONG_AUTHORIZATION ->
          grpc ? Reply.grpc(Status.UNAUTHENTICATED, new Metadata()) : Reply.http(401, Map.of());
      default -> throw new AssertionError(fault);
    };
  }

  private static Metadata retryInfo() {
    Metadata trailers = new Metadata();
    RetryInfo.Builder retry = RetryInfo.newBuilder();
    retry.getRetryDelayBuilder().setNanos(100_000_000);
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        com.google.rpc.Status.newBuilder()
            .addDetails(Any.pack(retry.build()))
            .build()
            .toByteArray());
    return trailers;
  }

  /** Accepts connections and then behaves badly. */
  private static final class BadReceiver implements AutoCloseable {

    private final ServerSocket server;
    private final List<Socket> accepted = new CopyOnWriteArrayList<>();

    BadReceiver(Fault fault) throws IOException {
      server = new ServerSocket();
      server.setReceiveBufferSize(4_096);
      server.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      Daemon.start(
          () -> {
            while (true) {
              Socket socket = server.accept();
              accepted.add(socket);
              if (fault == Fault.RESET) {
                Daemon.start(
                    () -> {
                      int unused = socket.getInputStream().read();
                      socket.setSoLinger(true, 0);
                      socket.close();
                    });
              } else if (fault == Fault.SLOW_READER) {
                Daemon.start(
                    () -> {
                      InputStream in = socket.getInputStream();
                      while (in.read() >= 0) {
                        LockSupport.parkNanos(20_000_000);
                      }
                    });
              }
            }
          });
    }

    String authority() {
      return "localhost:" + server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      server.close();
      for (Socket socket : accepted) {
        socket.close();
      }
    }
  }
}
