// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import dev.throughline.telemetry.OtlpReceiver.Reply;
import dev.throughline.telemetry.RawReceiver.Exchange;
import dev.throughline.telemetry.RawReceiver.Fault;
import dev.throughline.telemetry.delivery.Answer;
import dev.throughline.telemetry.delivery.Delivery;
import dev.throughline.telemetry.delivery.Receiver;
import dev.throughline.telemetry.doctor.Diagnostics;
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
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Receivers that break the rules of their protocol, all at once, each with a telemetry of its own:
 * while they are broken, once they are well again, and as telemetry closes though they are not.
 */
@Timeout(240)
class BrokenReceiversTest {

  private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(500);
  private static final int BURST = 20;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final LogCapture log = new LogCapture();

  @AfterEach
  void close() {
    log.close();
  }

  /** Reads so many bytes, and then nothing any more. */
  private static Fault hangsAfter(RawReceiver[] receiver, int bytes) {
    return new Fault() {
      @Override
      public boolean connected(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        int read = in.readNBytes(bytes).length;
        assertThat(read).isBetween(0, bytes);
        receiver[0].hang();
        return false;
      }
    };
  }

  private static Fault hangsInItsAnswer(RawReceiver[] receiver) {
    return answering(
        exchange -> {
          if (exchange.grpc) {
            exchange.headers("content-type", "application/grpc");
            exchange.data(new byte[0]);
          } else {
            exchange.bytes("HTTP/1.1 200 OK\r\nContent-".getBytes(StandardCharsets.US_ASCII));
          }
          receiver[0].hang();
          return false;
        });
  }

  /** Its answer would take a minute; a tenth of a second for each byte, to have more of them. */
  private static Fault answersByteByByte(RawReceiver[] receiver) {
    return answering(
        exchange -> {
          byte[] answer = ("HTTP/1.1 200 OK\r\nX: " + "x".repeat(600)).getBytes();
          for (byte one : answer) {
            exchange.bytes(new byte[] {exchange.grpc ? 0 : one});
            LockSupport.parkNanos(100_000_000);
          }
          receiver[0].hang();
          return false;
        });
  }

  private static Fault garbage() {
    byte[] garbage = new byte[300];
    new Random(1).nextBytes(garbage);
    return answering(
        exchange -> {
          exchange.acknowledge(garbage);
          return true;
        });
  }

  private static Fault noHttp() {
    return answering(
        exchange -> {
          exchange.bytes("SSH-2.0-OpenSSH_9.9\r\n".getBytes(StandardCharsets.US_ASCII));
          return false;
        });
  }

  private static Fault noTrailers() {
    return answering(
        exchange -> {
          exchange.headers("content-type", "application/grpc");
          exchange.endWithoutTrailers();
          return true;
        });
  }

  private static Fault resets() {
    return answering(
        exchange -> {
          exchange.socket.setSoLinger(true, 0);
          return false;
        });
  }

  private static Fault resetsInTheMiddle() {
    return new Fault() {
      @Override
      public boolean connected(Socket socket) throws IOException {
        int read = socket.getInputStream().readNBytes(300).length;
        assertThat(read).isBetween(0, 300);
        socket.setSoLinger(true, 0);
        return false;
      }
    };
  }

  private static Fault retryAfter(String seconds) {
    return answering(
        exchange -> {
          exchange.http(503, "Retry-After: " + seconds + "\r\n", new byte[0]);
          return true;
        });
  }

  private static Fault retryInfo(long seconds, int nanos) {
    RetryInfo.Builder retry = RetryInfo.newBuilder();
    retry.getRetryDelayBuilder().setSeconds(seconds).setNanos(nanos);
    String details =
        Base64.getEncoder()
            .withoutPadding()
            .encodeToString(
                com.google.rpc.Status.newBuilder()
                    .addDetails(Any.pack(retry.build()))
                    .build()
                    .toByteArray());
    return answering(
        exchange -> {
          exchange.trailersOnly(
              "content-type",
              "application/grpc",
              "grpc-status",
              "14",
              "grpc-status-details-bin",
              details);
          return true;
        });
  }

  private interface Answering {
    boolean answer(Exchange exchange) throws IOException;
  }

  private static Fault answering(Answering answering) {
    return new Fault() {
      @Override
      public boolean answer(Exchange exchange) throws IOException {
        return answering.answer(exchange);
      }
    };
  }

  private interface Making {
    Fault make(RawReceiver[] receiver);
  }

  private static List<Run> runs() throws IOException {
    List<Run> runs = new ArrayList<>();
    for (boolean grpc : new boolean[] {true, false}) {
      String over = grpc ? " over gRPC" : " over HTTP";
      runs.add(new Run("hangs at once" + over, grpc, receiver -> hangsAfter(receiver, 0)));
      runs.add(new Run("hangs in a request" + over, grpc, receiver -> hangsAfter(receiver, 200)));
      runs.add(new Run("hangs in its answer" + over, grpc, BrokenReceiversTest::hangsInItsAnswer));
      runs.add(new Run("a byte at a time" + over, grpc, BrokenReceiversTest::answersByteByByte));
      runs.add(new Run("garbage" + over, grpc, receiver -> garbage()));
      runs.add(new Run("no HTTP" + over, grpc, receiver -> noHttp()));
      runs.add(new Run("resets" + over, grpc, receiver -> resets()));
      runs.add(new Run("resets in a request" + over, grpc, receiver -> resetsInTheMiddle()));
      runs.add(new Run("is not there" + over, grpc, null));
      runs.add(new Run("comes and goes" + over, grpc, null).every(Duration.ofSeconds(2)));
      runs.add(new Run("no name" + over, grpc, null).at("http://receiver.invalid:4317"));
      runs.add(
          new Run("half a handshake" + over, grpc, receiver -> hangsAfter(receiver, 100)).tls());
    }
    runs.add(new Run("asks for a second, always", false, receiver -> retryAfter("1")));
    runs.add(new Run("asks for a year", false, receiver -> retryAfter("31536000")));
    runs.add(new Run("asks for no int", false, receiver -> retryAfter("99999999999")));
    runs.add(new Run("asks for no long", false, receiver -> retryAfter("9".repeat(99))));
    runs.add(new Run("has no trailers", true, receiver -> noTrailers()));
    runs.add(new Run("asks for a second by gRPC, always", true, receiver -> retryInfo(1, 0)));
    runs.add(new Run("asks for 292 years", true, receiver -> retryInfo(9_223_372_036L, 0)));
    runs.add(
        new Run("asks for ever", true, receiver -> retryInfo(Long.MAX_VALUE, Integer.MAX_VALUE)));
    return runs;
  }

  private static Telemetry build(String endpoint, boolean grpc, String... properties) {
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("broken")
            .addProperty("otel.exporter.otlp.endpoint", endpoint)
            .addProperty("otel.exporter.otlp.protocol", grpc ? "grpc" : "http/protobuf")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("otel.logs.exporter", "none")
            .addProperty("otel.bsp.schedule.delay", "100ms")
            .addProperty("telemetry.jvm.metrics", "false")
            .addProperty("telemetry.close.timeout", CLOSE_TIMEOUT.toMillis() + "ms");
    for (int i = 0; i < properties.length; i += 2) {
      builder.addProperty(properties[i], properties[i + 1]);
    }
    return builder.build();
  }

  /** It answers exports well, but for the first, and the diagnosis of that byte by byte. */
  @Test
  void itsDiagnosisHoldsUpNothing() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    AtomicBoolean first = new AtomicBoolean(true);
    Fault drip =
        answering(
            exchange -> {
              if (exchange.line.startsWith("GET ")) {
                asked.incrementAndGet();
                while (true) {
                  exchange.bytes(new byte[] {'x'});
                  LockSupport.parkNanos(100_000_000);
                }
              }
              if (first.getAndSet(false)) {
                exchange.socket.setSoLinger(true, 0);
                return false;
              }
              exchange.acknowledge();
              return true;
            });
    try (RawReceiver receiver = new RawReceiver(drip);
        Telemetry telemetry = build(receiver.authority(), false)) {
      telemetry.span("work").run(() -> {});
      Wait.until("it is asked what is wrong", () -> asked.get() > 0);
      for (int i = 0; i < 3; i++) {
        telemetry.span("work").run(() -> {});
        assertThat(telemetry.flush(Duration.ofSeconds(20)).complete()).isTrue();
      }
      assertThat(receiver.arrived()).isEqualTo(4);
      telemetry.close();
      assertThat(log.warnings())
          .singleElement()
          .asString()
          .startsWith("Delivery of spans to http://localhost:")
          .contains(" fails and is tried again: ");
    }
  }

  @Test
  void aDiagnosisEndsHoweverSlowlyItIsAnswered() throws Exception {
    List<Thread> threads = new ArrayList<>();
    Queue<String> late = new ConcurrentLinkedQueue<>();
    try (SlowTalker bytes = new SlowTalker(new byte[] {'x'});
        SlowTalker records = new SlowTalker(new byte[] {0x16, 3, 3, 0x40, 0})) {
      for (String url : List.of(bytes.at("http"), records.at("https"), records.at("http"))) {
        for (boolean grpc : new boolean[] {true, false}) {
          Receiver receiver = new Receiver(URI.create(url), grpc, null, null);
          IOException failure = new IOException("reset");
          Answer answer =
              new Answer(
                  Answer.Kind.TRY_AGAIN,
                  Answer.Cause.OTHER,
                  0,
                  "reset",
                  "reset",
                  0,
                  false,
                  failure);
          Thread thread =
              new Thread(
                  () -> {
                    long start = System.nanoTime();
                    String unused = Diagnostics.explain(receiver, answer);
                    Duration took = Duration.ofNanos(System.nanoTime() - start);
                    if (took.toSeconds() >= 20) {
                      late.add(receiver + " took " + took);
                    }
                  });
          thread.setDaemon(true);
          thread.start();
          threads.add(thread);
        }
      }
      for (Thread thread : threads) {
        thread.join(30_000);
        assertThat(thread.isAlive()).isFalse();
      }
    }
    assertThat(late).isEmpty();
  }

  /** Says something, and then a byte now and then. */
  private static final class SlowTalker implements AutoCloseable {

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

    SlowTalker(byte[] first) throws IOException {
      Daemon.start(
          () -> {
            while (true) {
              Socket socket = server.accept();
              Daemon.start(
                  () -> {
                    try (socket) {
                      socket.getOutputStream().write(first);
                      while (!server.isClosed()) {
                        socket.getOutputStream().write(1);
                        LockSupport.parkNanos(100_000_000);
                      }
                    }
                  });
            }
          });
    }

    String at(String scheme) {
      return scheme + "://localhost:" + server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }

  private static final String ECHO =
      "no such key: Bearer sesame-1 (sesame-1), or k/42 (k%2F42), or user:open-up\n"
          + "WARN forged \u001b[31m \u0085 \u2028 \u202e ";

  static Stream<Arguments> repliesThatEcho() {
    Metadata none = new Metadata();
    Status status = Status.UNAUTHENTICATED.withDescription(ECHO + "x".repeat(3_000));
    return Stream.of(
        Arguments.of(true, Reply.grpc(status, none)),
        Arguments.of(true, Reply.partial(1, ECHO + "x".repeat(3_000_000))),
        Arguments.of(false, Reply.partial(1, ECHO + "x".repeat(3_000_000))),
        Arguments.of(
            false, new Reply(Status.OK, none, 400, Map.of(), 0, ECHO + "x".repeat(3_000_000))),
        // A key that would be cut, and be seen in part.
        Arguments.of(
            false, new Reply(Status.OK, none, 503, Map.of(), 0, "x".repeat(970) + " sesame-1")),
        Arguments.of(false, Reply.http(307, Map.of("Location", "/sesame-1/k%2F42"))));
  }

  @ParameterizedTest
  @MethodSource("repliesThatEcho")
  void itsWordsAreCutAndShowNoKey(boolean grpc, Reply reply) {
    try (OtlpReceiver receiver = grpc ? OtlpReceiver.grpc() : OtlpReceiver.http();
        Telemetry telemetry =
            build(
                receiver.authority(),
                grpc,
                "otel.exporter.otlp.headers",
                "Authorization=Bearer%20sesame-1,x-api-key=k%2F42,"
                    + "Proxy-Authorization=Basic%20dXNlcjpvcGVuLXVw")) {
      receiver.reply(request -> reply);
      telemetry.span("work").run(() -> {});
      Wait.until("it is logged", () -> !log.warnings().isEmpty());
      telemetry.close();
      assertThat(log.everything()).doesNotContain("esame", "k/42", "k%2F42", "open-up");
      assertThat(log.warnings())
          .allSatisfy(line -> assertThat(line).hasSizeLessThan(2_500))
          .allSatisfy(line -> assertThat(line).doesNotContainPattern("[\\p{C}\\p{Zl}\\p{Zp}]"));
      if (String.valueOf(reply.message()).contains("such key")) {
        assertThat(log.warnings().get(0)).contains("no such key: ***");
      }
    }
  }

  @Test
  void losesNothingAndHoldsUpNobody() throws Exception {
    run(Duration.ofSeconds(7));
  }

  @Test
  @Tag("full")
  void losesNothingAndHoldsUpNobodyForAMinute() throws Exception {
    run(Duration.ofMinutes(1));
  }

  private static void run(Duration broken) throws Exception {
    // Classes that the first span, the first request and the first close load are not measured.
    Run first = new Run("first", true, receiver -> garbage());
    first.run(Duration.ZERO);
    List<Run> runs = runs();
    List<Thread> threads = new ArrayList<>();
    for (Run run : runs) {
      Thread thread = new Thread(() -> run.run(broken), run.what);
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    List<String> wrong = new ArrayList<>(first.wrong);
    runs.forEach(run -> wrong.addAll(run.wrong));
    assertThat(wrong).isEmpty();
  }

  /** One receiver, from when it is broken to the end; run by a thread of the application. */
  private static final class Run {

    private final String what;
    private final boolean grpc;
    private final RawReceiver receiver;
    private final boolean isThere;
    private Duration period;
    private String endpoint;
    private boolean heals = true;
    private long blocked;
    private long waited;
    private long ended;
    final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    /**
     * @param making null if nothing listens there
     */
    Run(String what, boolean grpc, Making making) throws IOException {
      this.what = what;
      this.grpc = grpc;
      isThere = making != null;
      RawReceiver[] itself = new RawReceiver[1];
      receiver = new RawReceiver(isThere ? making.make(itself) : answering(exchange -> false));
      itself[0] = receiver;
      endpoint = "http://" + receiver.authority();
      if (!isThere) {
        receiver.leave();
      }
    }

    Run every(Duration period) {
      this.period = period;
      return this;
    }

    Run at(String endpoint) {
      this.endpoint = endpoint;
      heals = false;
      return this;
    }

    Run tls() {
      return at("https://" + receiver.authority());
    }

    void run(Duration broken) {
      try (receiver) {
        observe(broken);
      } catch (Throwable t) {
        wrong.add(what + ": " + t);
      }
    }

    private void observe(Duration broken) throws Exception {
      Telemetry telemetry = build(endpoint, grpc, "otel.exporter.otlp.timeout", "1s");
      AtomicBoolean over = new AtomicBoolean();
      Thread watcher = new Thread(() -> watch(telemetry, over));
      watcher.start();
      try {
        long end = System.nanoTime() + broken.toNanos();
        long turn = period == null ? Long.MAX_VALUE : System.nanoTime() + period.toNanos();
        boolean here = false;
        do {
          endSpans(telemetry);
          if (System.nanoTime() - turn > 0) {
            turn += period.toNanos();
            here = !here;
            if (here) {
              receiver.heal();
            } else {
              receiver.leave();
            }
          }
          LockSupport.parkNanos(50_000_000);
        } while (System.nanoTime() - end < 0);
        if (heals) {
          receiver.heal();
          Wait.until(what + ", and all was delivered", () -> delivered(telemetry) == ended);
          if (receiver.arrived() != ended) {
            wrong.add(what + ": " + receiver.arrived() + " of " + ended + " arrived");
          }
          if (isThere) {
            receiver.breakAgain();
          } else {
            receiver.leave();
          }
        }
        endSpans(telemetry);
      } finally {
        long start = System.nanoTime();
        telemetry.close();
        long took = System.nanoTime() - start;
        over.set(true);
        watcher.join();
        if (took > CLOSE_TIMEOUT.plusSeconds(2).toNanos()) {
          wrong.add(what + ": close took " + Duration.ofNanos(took));
        }
      }
      Delivery.Counts counts = telemetry.delivery().spans();
      long lost = heals ? BURST : ended;
      if (counts.created() != ended
          || counts.delivered() + counts.failed() != ended
          || counts.failed() > lost) {
        wrong.add(what + ": " + counts);
      }
      if (blocked + waited > 0) {
        wrong.add(what + ": blocked " + blocked + " times, waited " + waited + " times");
      }
    }

    private static long delivered(Telemetry telemetry) {
      return telemetry.delivery().spans().delivered();
    }

    /** As fast as can be; how often that was held up is added up. */
    private void endSpans(Telemetry telemetry) {
      long id = Thread.currentThread().getId();
      ThreadInfo before = THREADS.getThreadInfo(id);
      for (int i = 0; i < BURST; i++) {
        telemetry.tracer().spanBuilder("work").startSpan().end();
      }
      ThreadInfo after = THREADS.getThreadInfo(id);
      ended += BURST;
      blocked += after.getBlockedCount() - before.getBlockedCount();
      waited += after.getWaitedCount() - before.getWaitedCount();
    }

    private void watch(Telemetry telemetry, AtomicBoolean over) {
      while (!over.get()) {
        Delivery.Counts counts = telemetry.delivery().spans();
        long sum =
            counts.delivered()
                + counts.failed()
                + counts.dropped()
                + counts.spooled()
                + counts.pending();
        if (sum != counts.created() || counts.pending() < 0) {
          wrong.add(what + ": do not add up: " + counts);
        }
        LockSupport.parkNanos(5_000_000);
      }
    }
  }
}
