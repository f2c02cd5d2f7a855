// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.throughline.telemetry.OtlpReceiver.Reply;
import dev.throughline.telemetry.delivery.Delivery;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What can't be delivered goes to disk, and from there to the receiver. */
@Timeout(150)
class SpoolTest {

  private static final Duration LONG = Wait.LIMIT;

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

  private OtlpReceiver receiver(boolean grpc) {
    return opened(grpc ? OtlpReceiver.grpc() : OtlpReceiver.http());
  }

  private Telemetry build(OtlpReceiver receiver, boolean grpc, String... properties) {
    return build(receiver.authority(), grpc, properties);
  }

  private Telemetry build(String authority, boolean grpc, String... properties) {
    TelemetryBuilder builder =
        Telemetry.builder()
            .ignoreEnvironment()
            .setServiceName("spooling")
            .addProperty("otel.exporter.otlp.endpoint", authority)
            .addProperty("otel.exporter.otlp.protocol", grpc ? "grpc" : "http/protobuf")
            .addProperty("otel.metrics.exporter", "none")
            .addProperty("telemetry.spool.folder", folder.toString())
            .addProperty("telemetry.spool.sync.interval", "100ms")
            .addProperty("telemetry.close.timeout", "1s");
    for (int i = 0; i < properties.length; i += 2) {
      builder.addProperty(properties[i], properties[i + 1]);
    }
    return opened(builder.build());
  }

  private static void fail(OtlpReceiver receiver, boolean grpc) {
    receiver.reply(
        request ->
            grpc
                ? Reply.grpc(Status.UNAVAILABLE, new Metadata())
                : Reply.http(503, Map.of("Retry-After", "1")));
  }

  private static void endSpans(Telemetry telemetry, int count) {
    for (int i = 0; i < count; i++) {
      telemetry.span("work").run(() -> {});
    }
  }

  private static Delivery.Counts spans(Telemetry telemetry) {
    return telemetry.delivery().spans();
  }

  /** Names alone are read: while a process writes, a file may go at any moment. */
  private List<Path> files() {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> subfolders = Files.newDirectoryStream(folder, "spool-*")) {
      for (Path subfolder : subfolders) {
        try (DirectoryStream<Path> requests = Files.newDirectoryStream(subfolder, "*.otlp")) {
          requests.forEach(files::add);
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    files.sort(null);
    return files;
  }

  /** Spans that another process has left are counted once the spool was read. */
  private static boolean isEmptied(Telemetry telemetry) {
    Delivery.Counts counts = spans(telemetry);
    return counts.created() > 0 && counts.spooled() == 0;
  }

  private static void assertOnce(OtlpReceiver receiver, int expected) {
    Set<Object> ids = receiver.spans().stream().map(Span::getSpanId).collect(Collectors.toSet());
    assertThat(ids).hasSize(expected);
    assertThat(receiver.spans()).hasSize(expected);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatFailsGoesToDiskAndArrivesOnceTheReceiverIsBack(boolean grpc) {
    OtlpReceiver receiver = receiver(grpc);
    fail(receiver, grpc);
    Telemetry telemetry = build(receiver, grpc);
    endSpans(telemetry, 5_000);
    telemetry.openTelemetry().getLogsBridge().get("t").logRecordBuilder().setBody("b").emit();
    Wait.until("all is on disk", () -> spans(telemetry).spooled() == 5_000);
    Wait.until("the log record too", () -> telemetry.delivery().logRecords().spooled() == 1);
    assertThat(spans(telemetry).pending()).isZero();
    assertThat(files()).isNotEmpty();
    assertThat(telemetry.flush(Duration.ofMillis(200)).complete()).isFalse();

    receiver.reply(request -> Reply.OK);
    Wait.until("all has arrived", () -> telemetry.delivery().complete());
    assertOnce(receiver, 5_000);
    assertThat(receiver.logs()).hasSize(1);
    assertThat(files()).isEmpty();
    assertThat(telemetry.flush(LONG).complete()).isTrue();
  }

  /** Also by one that speaks another protocol, or compresses. */
  @ParameterizedTest
  @CsvSource({"true, none, false, gzip", "false, gzip, true, none", "true, none, true, none"})
  void whatIsLeftAtTheCloseIsSentByTheNextProcess(
      boolean grpc, String compression, boolean nextGrpc, String nextCompression)
      throws IOException {
    // Where nobody listens nothing is on its way, and may have arrived, when the first is closed.
    Telemetry first =
        build(
            opened(new ClosedPort()).authority(),
            grpc,
            "otel.exporter.otlp.compression",
            compression);
    endSpans(first, 3_000);
    long start = System.nanoTime();
    first.close();
    assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)).isLessThan(2_000);
    assertThat(spans(first)).isEqualTo(new Delivery.Counts(3_000, 0, 0, 0, 3_000, 0, 0));
    assertThat(log.warnings()).noneMatch(line -> line.startsWith("Telemetry closed"));

    OtlpReceiver back = receiver(nextGrpc);
    Telemetry next = build(back, nextGrpc, "otel.exporter.otlp.compression", nextCompression);
    Wait.until("all has arrived", () -> spans(next).delivered() == 3_000);
    assertThat(spans(next)).isEqualTo(new Delivery.Counts(3_000, 3_000, 0, 0, 0, 0, 0));
    assertOnce(back, 3_000);
    assertThat(files()).isEmpty();
  }

  @Test
  void whatHangsAtTheCloseIsLeftForTheNextProcess() {
    OtlpReceiver receiver = receiver(true);
    receiver.hold();
    Telemetry telemetry = build(receiver, true);
    endSpans(telemetry, 3_000);
    telemetry.close();
    assertThat(spans(telemetry).spooled()).isEqualTo(3_000);
    assertThat(spans(telemetry).lost()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatMayHaveArrivedBeforeTheCloseIsCountedWhenItIsSentAgain(boolean grpc) {
    OtlpReceiver receiver = receiver(grpc);
    receiver.hold();
    Telemetry first = build(receiver, grpc);
    endSpans(first, 1);
    Wait.until("it has arrived", () -> receiver.spans().size() == 1);
    first.close();
    assertThat(spans(first)).isEqualTo(new Delivery.Counts(1, 0, 0, 0, 1, 0, 0));

    OtlpReceiver back = receiver(grpc);
    Telemetry next = build(back, grpc);
    Wait.until("it has arrived again", () -> spans(next).delivered() == 1);
    assertThat(spans(next)).isEqualTo(new Delivery.Counts(1, 1, 0, 0, 0, 0, 1));
  }

  @Test
  void theOldestMakeRoomAndAreCounted() {
    OtlpReceiver receiver = receiver(false);
    fail(receiver, false);
    Telemetry telemetry = build(receiver, false, "telemetry.spool.size.mb", "1");
    String text = "x".repeat(1_000);
    for (int i = 0; i < 4_000; i++) {
      telemetry.span("work").attribute("text", text).run(() -> {});
    }
    Wait.until("all was written", () -> spans(telemetry).pending() == 0);
    Delivery.Counts counts = spans(telemetry);
    assertThat(counts.dropped()).isBetween(2_500L, 3_999L);
    assertThat(counts.spooled() + counts.dropped()).isEqualTo(4_000);
    assertThat(counts.created()).isEqualTo(4_000);
    assertThat(files().stream().mapToLong(SpoolTest::size).sum()).isLessThan(1 << 20);
    Wait.until("it is said", () -> log.warnings().stream().anyMatch(SpoolTest::isOfDisk));

    receiver.reply(request -> Reply.OK);
    Wait.until("the rest has arrived", () -> spans(telemetry).spooled() == 0);
    assertThat(receiver.spans()).hasSize((int) counts.spooled());
  }

  private static boolean isOfDisk(String line) {
    return line.contains(
        " spans were dropped: no more may wait for their delivery (TELEMETRY_SPOOL_SIZE_MB)");
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aTornFileIsSkippedAndCounted() throws IOException {
    OtlpReceiver receiver = receiver(false);
    fail(receiver, false);
    Telemetry first = build(receiver, false);
    endSpans(first, 2_048);
    first.close();
    List<Path> files = files();
    assertThat(files).hasSizeGreaterThan(3);
    Files.write(files.get(0), new byte[0]);
    byte[] whole = Files.readAllBytes(files.get(1));
    Files.write(files.get(1), java.util.Arrays.copyOf(whole, whole.length - 1));
    byte[] turned = Files.readAllBytes(files.get(2));
    turned[turned.length - 1] ^= 1;
    Files.write(files.get(2), turned);
    Files.write(files.get(2).resolveSibling("half.otlp.part"), new byte[10]);

    // Another one: what was on its way at the close may still reach the first.
    OtlpReceiver back = receiver(false);
    Telemetry next = build(back, false);
    Wait.until("the rest has arrived", () -> isEmptied(next));
    assertThat(spans(next).failed()).isEqualTo(2_048 - back.spans().size());
    assertThat(spans(next).created()).isEqualTo(2_048);
    assertThat(back.spans()).hasSizeBetween(1, 2_047);
    assertThat(log.warnings())
        .anyMatch(line -> line.contains(" are damaged, and set aside as *.damaged"));
    try (Stream<Path> left = Files.walk(folder)) {
      assertThat(left.filter(file -> file.toString().endsWith(".part"))).isEmpty();
    }
  }

  @Test
  void twoNeverShareASubfolder() {
    OtlpReceiver receiver = receiver(false);
    fail(receiver, false);
    Telemetry one = build(receiver, false);
    Telemetry other = build(receiver, false);
    endSpans(one, 100);
    endSpans(other, 100);
    Wait.until("both wrote", () -> spans(one).spooled() == 100 && spans(other).spooled() == 100);
    assertThat(files().stream().map(Path::getParent).collect(Collectors.toSet())).hasSize(2);
    one.close();
    other.close();

    // Whoever comes next takes over from both.
    OtlpReceiver back = receiver(false);
    Telemetry next = build(back, false);
    Wait.until("all has arrived", () -> spans(next).delivered() == 200);
    assertOnce(back, 200);
  }

  /** A process that closes any channel of a file gives up the lock that it has on that file. */
  @Test
  void anotherProcessKeepsAwayFromWhatSeveralOfOneHave() throws IOException {
    OtlpReceiver receiver = receiver(true);
    fail(receiver, true);
    Path lockOfAnotherClassLoader =
        Files.createDirectories(folder.resolve("spool-0")).resolve("lock");
    opened(FileChannel.open(lockOfAnotherClassLoader, CREATE, WRITE)).lock();
    Telemetry one = build(receiver, true);
    Telemetry other = build(receiver, true);
    ChildJvm child = child(receiver);
    Wait.until("the child is at work", () -> !child.said("ended ").isEmpty());
    assertThat(folder.resolve("spool-3")).isDirectory();
    child.kill();
    assertThat(child.awaitExit()).isEqualTo(137);
    one.close();
    other.close();

    // Each is free again, in this process too.
    build(receiver, true);
    assertThat(folder.resolve("spool-4")).doesNotExist();
  }

  @Test
  void aFolderThatCanNotBeUsedLeavesDeliveryInMemory() throws IOException {
    OtlpReceiver receiver = receiver(false);
    Path file = Files.createFile(folder.resolve("file"));
    Telemetry telemetry = build(receiver, false, "telemetry.spool.folder", file.toString());
    endSpans(telemetry, 10);
    assertThat(telemetry.flush(LONG).complete()).isTrue();
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("There is no spool: " + file + " can't be used: ");
  }

  private ChildJvm child(OtlpReceiver receiver) {
    return child(receiver, "500ms");
  }

  private ChildJvm child(OtlpReceiver receiver, String syncInterval) {
    return opened(
        ChildJvm.of(SpoolingMain.class)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.authority())
            .environment("TELEMETRY_SPOOL_FOLDER", folder.toString())
            .environment("TELEMETRY_SPOOL_SYNC_INTERVAL", syncInterval)
            // So that a batch waits for its time, and not to be full.
            .environment("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000")
            .environment("OTEL_METRICS_EXPORTER", "none")
            .start());
  }

  /** A service that ends a span each millisecond at most, and says every hundred how many. */
  static final class SpoolingMain {

    public static void main(String[] args) {
      Telemetry telemetry = Telemetry.init("spooling");
      for (int ended = 0; ended < 60_000; ended++) {
        long begin = System.nanoTime();
        telemetry.span("work").run(() -> {});
        while (System.nanoTime() - begin < 1_000_000) {
          LockSupport.parkNanos(begin + 1_000_000 - System.nanoTime());
        }
        if (ended % 100 == 99) {
          System.out.println("ended " + (ended + 1));
          // Spans of others on disk never were pending here.
          System.out.println("safe " + (ended + 1 - spans(telemetry).pending()));
        }
      }
    }
  }

  /** What was killed in the middle has lost what it had in memory: at most the interval. */
  @Test
  void aKilledProcessLosesAtMostTheInterval() {
    OtlpReceiver receiver = receiver(true);
    fail(receiver, true);
    ChildJvm child = child(receiver);
    Wait.until("it is at work", () -> child.said("ended ").size() >= 50);
    child.kill();
    // 128 + SIGKILL.
    assertThat(child.awaitExit()).isEqualTo(137);
    List<String> said = child.said("ended ");
    int ended = Integer.parseInt(said.get(said.size() - 1));

    OtlpReceiver back = receiver(true);
    Telemetry next = build(back, true);
    Wait.until("the spool is empty", () -> isEmptied(next));
    // A span each millisecond at most, and half a second is the interval.
    assertThat(back.spans()).hasSizeGreaterThanOrEqualTo(ended - 500);
    assertThat(spans(next).failed()).isZero();
    assertOnce(back, back.spans().size());
  }

  @Test
  void whatWasSpooledOutlivesThreeKills() {
    assertNothingSpooledIsLost(3);
  }

  @Test
  @Tag("full")
  @Timeout(300)
  void whatWasSpooledOutlivesTwentyKills() {
    assertNothingSpooledIsLost(20);
  }

  /** Each process is killed at some moment, and takes over from those before. */
  private void assertNothingSpooledIsLost(int kills) {
    OtlpReceiver receiver = receiver(true);
    Reply refusal = Reply.grpc(Status.UNAVAILABLE, new Metadata());
    AtomicInteger attempts = new AtomicInteger();
    // By turns, so that requests come to the disk, and leave it.
    receiver.reply(request -> attempts.incrementAndGet() % 3 == 0 ? Reply.OK : refusal);
    int safe = 0;
    for (int i = 0; i < kills; i++) {
      ChildJvm child = child(receiver, "20ms");
      Wait.until("some is spooled", () -> child.said("safe ").size() >= 3);
      LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(500_000_000));
      child.kill();
      assertThat(child.awaitExit()).isEqualTo(137);
      List<String> said = child.said("safe ");
      safe += Integer.parseInt(said.get(said.size() - 1));
    }

    OtlpReceiver back = receiver(true);
    Telemetry next = build(back, true);
    // A thousand requests and more, each by itself.
    Wait.until("the spool is empty", Wait.LIMIT.multipliedBy(6), () -> isEmptied(next));
    assertThat(spans(next).failed()).isZero();
    assertThat(spans(next).dropped()).isZero();
    Set<Object> before = receiver.spans().stream().map(Span::getSpanId).collect(Collectors.toSet());
    Set<Object> after = back.spans().stream().map(Span::getSpanId).collect(Collectors.toSet());
    assertThat(back.spans()).hasSameSizeAs(after);
    assertThat(Stream.concat(before.stream(), after.stream()).distinct().count())
        .isGreaterThanOrEqualTo(safe);
    after.retainAll(before);
    assertThat((long) after.size()).isLessThanOrEqualTo(spans(next).repeated());
    assertThat(files()).isEmpty();
    assertThat(log.warnings()).noneMatch(line -> line.contains("damaged"));
  }

  /** Of what was on disk; what was on its way from memory is lost. */
  @Test
  void whatMayHaveArrivedBeforeAProcessWasKilledIsCountedWhenItIsSentAgain() {
    OtlpReceiver receiver = receiver(true);
    // What comes again was on disk meanwhile.
    Set<Message> refused = ConcurrentHashMap.newKeySet();
    Reply refusal = Reply.grpc(Status.UNAVAILABLE, new Metadata());
    receiver.reply(
        request -> {
          refused.add(request);
          return refusal;
        });
    ChildJvm child = child(receiver);
    Wait.until("some is on disk", () -> files().size() >= 2);
    receiver.hold();
    receiver.reply(request -> refused.add(request) ? refusal : Reply.OK);
    Wait.until("some of it has arrived", () -> !receiver.spans().isEmpty());
    child.kill();
    assertThat(child.awaitExit()).isEqualTo(137);

    OtlpReceiver back = receiver(true);
    Telemetry next = build(back, true);
    Wait.until("the spool is empty", () -> isEmptied(next));
    assertThat(spans(next).repeated()).isEqualTo(receiver.spans().size());
    assertThat(back.spans())
        .extracting(Span::getSpanId)
        .containsAll(receiver.spans().stream().map(Span::getSpanId).toList());
  }

  @Test
  void secondsWithoutAReceiverLoseNothing() throws IOException {
    assertNothingIsLost(10_000);
  }

  @Test
  @Tag("full")
  void aMinuteWithoutAReceiverLosesNothing() throws IOException {
    assertNothingIsLost(120_000);
  }

  /** 2,000 spans a second, and nobody receives. */
  private void assertNothingIsLost(int count) throws IOException {
    ClosedPort port = opened(new ClosedPort());
    Telemetry telemetry = build(port.authority(), true);
    long begin = System.nanoTime();
    for (int ended = 0; ended < count; ended++) {
      telemetry.span("work").run(() -> {});
      while (System.nanoTime() - begin < ended * 500_000L) {
        LockSupport.parkNanos(500_000);
      }
    }
    assertThat(spans(telemetry).delivered()).isZero();
    assertThat(spans(telemetry).spooled()).isGreaterThan(count / 2);
    port.close();
    OtlpReceiver receiver = opened(OtlpReceiver.grpc(port.number()));
    telemetry.flush(LONG);
    Wait.until("all has arrived", () -> telemetry.delivery().complete());
    assertThat(spans(telemetry)).isEqualTo(new Delivery.Counts(count, count, 0, 0, 0, 0, 0));
    assertOnce(receiver, count);
  }
}
