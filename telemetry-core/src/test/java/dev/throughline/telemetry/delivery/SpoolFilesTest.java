// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import dev.throughline.telemetry.LogCapture;
import dev.throughline.telemetry.Wait;
import dev.throughline.telemetry.instrument.Guard;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a spool uses the disk, and what it makes of one that does not work. */
@Timeout(60)
class SpoolFilesTest {

  private static final long ENOUGH = 64 << 20;

  private final Guard guard = new Guard("test");
  private final LogCapture log = new LogCapture();
  private final Ledger ledger = new Ledger("spans", "", guard);
  private final List<Spool> open = new ArrayList<>();
  @TempDir Path folder;

  @AfterEach
  void close() {
    open.forEach(Spool::close);
    log.close();
  }

  private Spool open(Path folder, long maxBytes) throws IOException {
    Spool spool = Spool.open(folder, maxBytes, Duration.ofMillis(50), guard);
    open.add(spool);
    return spool;
  }

  private Spool.@Nullable Entry write(Spool spool, int bytes) {
    byte[] message = new byte[bytes];
    Spool.Entry entry = spool.write("spans", 1, false, message, 0, bytes);
    if (entry != null) {
      ledger.takenOver(1);
      entry.countedBy(ledger);
    }
    return entry;
  }

  private static List<Spool.Entry> left(Spool spool, Ledger of) throws Exception {
    CompletableFuture<List<Spool.Entry>> left = new CompletableFuture<>();
    spool.takeOver(of, left::complete);
    return left.get(20, TimeUnit.SECONDS);
  }

  private List<Path> files(String suffix) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }

  /** The bytes that {@code du} tells of the files, not of the folders. */
  private long onDisk() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("du", "-k", "-c"));
    files(".otlp").forEach(file -> command.add(file.toString()));
    files(".damaged").forEach(file -> command.add(file.toString()));
    Process du = new ProcessBuilder(command).start();
    List<String> lines =
        new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    assertThat(du.waitFor()).isZero();
    return Long.parseLong(lines.get(lines.size() - 1).split("\t")[0]) << 10;
  }

  @Test
  void smallRequestsShareAFile() throws Exception {
    Spool spool = open(folder, ENOUGH);
    for (int i = 0; i < 2_000; i++) {
      assertThat(write(spool, 270)).isNotNull();
    }
    assertThat(files(".otlp")).hasSize(72);
    assertThat(spool.bytes()).isCloseTo(onDisk(), withinTenPercent(spool.bytes()));
    assertThat(spool.bytes()).isLessThan(2_000 * 330);
    spool.close();

    Ledger next = new Ledger("spans", "", guard);
    List<Spool.Entry> left = left(open(folder, ENOUGH), next);
    assertThat(left).hasSize(2_000);
    for (Spool.Entry entry : left) {
      assertThat(entry.read().message().remaining()).isEqualTo(270);
      assertThat(entry.remove()).isTrue();
    }
    assertThat(files(".otlp")).isEmpty();
  }

  private static Offset<Long> withinTenPercent(long bytes) {
    return Offset.offset(bytes / 10);
  }

  @Test
  void theLimitIsOfWhatTheDiskTakes() throws Exception {
    Spool spool = open(folder, 1 << 20);
    for (int i = 0; i < 1_000; i++) {
      assertThat(write(spool, 4_200)).isNotNull();
    }
    assertThat(onDisk()).isBetween((1L << 20) * 9 / 10, 1L << 20);
    assertThat(spool.bytes()).isCloseTo(onDisk(), withinTenPercent(spool.bytes()));
    assertThat(ledger.counts().spooled()).isEqualTo(128);
    assertThat(ledger.counts().dropped()).isEqualTo(1_000 - 128);
  }

  @Test
  void whatIsSettledIsNotSentAgainWithItsNeighbours() throws Exception {
    Spool spool = open(folder, ENOUGH);
    List<Spool.Entry> written = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      written.add(write(spool, 100 + i));
    }
    assertThat(files(".otlp")).hasSize(1);
    written.get(0).remove();
    written.get(3).remove();
    written.get(4).mayHaveArrived(true);
    spool.close();

    List<Spool.Entry> left = left(open(folder, ENOUGH), new Ledger("spans", "", guard));
    assertThat(left).hasSize(3);
    assertThat(left.get(0).read().message().remaining()).isEqualTo(101);
    assertThat(left.get(1).read().message().remaining()).isEqualTo(102);
    assertThat(left.get(2).read().message().remaining()).isEqualTo(104);
    assertThat(left).extracting(Spool.Entry::mayHaveArrived).containsExactly(false, false, true);
    left.forEach(Spool.Entry::remove);
    assertThat(files(".otlp")).isEmpty();
  }

  @Test
  void aDamagedRequestCostsNoneOfItsNeighbours() throws Exception {
    for (int at : new int[] {3, 7, 12, 50}) {
      Spool spool = open(folder, ENOUGH);
      for (int i = 0; i < 5; i++) {
        write(spool, 100);
      }
      spool.close();
      Path file = files(".otlp").get(0);
      byte[] content = Files.readAllBytes(file);
      content[2 * (100 + SpoolFile.HEADER_BYTES) + at] ^= 1;
      Files.write(file, content);

      Ledger next = new Ledger("spans", "", guard);
      Spool again = open(folder, ENOUGH);
      int sound = 0;
      for (Spool.Entry entry : left(again, next)) {
        try {
          entry.read();
          sound++;
          entry.remove();
          next.spooledSettled(1, 0, null);
        } catch (IOException e) {
          entry.fail(e);
        }
      }
      assertThat(sound).isEqualTo(4);
      assertThat(next.counts()).isEqualTo(new Delivery.Counts(5, 4, 1, 0, 0, 0, 0));
      assertThat(files(".otlp")).isEmpty();
      assertThat(files(".damaged")).hasSize(1);
      assertThat(again.bytes()).isEqualTo(onDisk());
      again.close();
      Files.delete(files(".damaged").get(0));
    }
  }

  @Test
  void whatIsSetAsideLeavesFirst() throws Exception {
    Spool spool = open(folder, 1 << 20);
    write(spool, 600_000);
    spool.close();
    Path damaged = files(".otlp").get(0);
    Files.write(damaged, new byte[600_000]);

    Ledger next = new Ledger("spans", "", guard);
    Spool again = open(folder, 1 << 20);
    assertThat(left(again, next)).isEmpty();
    assertThat(next.counts().failed()).isEqualTo(1);
    assertThat(files(".damaged")).hasSize(1);
    Spool.Entry kept = write(again, 400_000);
    assertThat(files(".damaged")).hasSize(1);
    write(again, 400_000);
    assertThat(files(".damaged")).isEmpty();
    assertThat(kept).isNotNull();
    assertThat(kept.isGone()).isFalse();
    again.close();
  }

  /** Larger ones were written by someone else, and could fill the memory. */
  @Test
  void aRequestThatIsTooLargeStaysInMemory() throws Exception {
    Spool spool = open(folder, ENOUGH);
    assertThat(write(spool, SpoolFile.MAX_REQUEST_BYTES + 1)).isNull();
    Spool.Entry largest = write(spool, SpoolFile.MAX_REQUEST_BYTES);
    assertThat(largest).isNotNull();
    assertThat(largest.read().message().remaining()).isEqualTo(SpoolFile.MAX_REQUEST_BYTES);
  }

  @Test
  void aFolderThatIsDeletedIsReplaced() throws Exception {
    Spool spool = open(folder, ENOUGH);
    write(spool, 100);
    write(spool, 10_000);
    try (Stream<Path> all = Files.walk(folder.resolve("spool-0"))) {
      all.sorted(Comparator.reverseOrder()).forEach(SpoolFilesTest::delete);
    }
    assertThat(write(spool, 100)).isNotNull();
    assertThat(ledger.counts()).isEqualTo(new Delivery.Counts(3, 0, 2, 0, 1, 0, 0));
    assertThat(files(".otlp")).hasSize(1);
    assertThat(spool.bytes()).isEqualTo(onDisk());
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .contains(" was deleted, and 2 spans, log records or metric points in it are lost");
    spool.close();
    assertThat(left(open(folder, ENOUGH), new Ledger("spans", "", guard))).hasSize(1);
  }

  @Test
  void aFileThatIsDeletedIsCounted() throws Exception {
    Spool spool = open(folder, ENOUGH);
    Spool.Entry deleted = write(spool, 100);
    delete(files(".otlp").get(0));
    Spool.Entry next = write(spool, 100);
    assertThat(next).isNotNull();
    assertThat(next.read().message().remaining()).isEqualTo(100);
    assertThat(deleted).isNotNull();
    assertThatThrownBy(deleted::read).isInstanceOf(IOException.class);
    deleted.fail(new IOException("it is gone"));
    assertThat(ledger.counts()).isEqualTo(new Delivery.Counts(2, 0, 1, 0, 1, 0, 0));
    assertThat(spool.bytes()).isEqualTo(onDisk());
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aLinkToAFolderIsOne() throws Exception {
    Path real = Files.createDirectory(folder.resolve("real"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), real);
    assertThat(write(open(link, ENOUGH), 100)).isNotNull();
    assertThat(files(".otlp")).hasSize(1);
  }

  @Test
  void theFolderOfAnotherUserIsLeftOut() throws Exception {
    Path theirs = Files.createDirectories(folder.resolve("spool-0"));
    try {
      Files.setAttribute(theirs, "unix:uid", 4711);
    } catch (IOException | UnsupportedOperationException e) {
      assumeThat(e).as("only root can give a folder away").isNull();
    }
    Spool spool = open(folder, ENOUGH);
    assertThat(write(spool, 100)).isNotNull();
    assertThat(files(".otlp").get(0).getParent()).isEqualTo(folder.resolve("spool-1"));
    Wait.until(
        "it is said",
        () ->
            log.warnings().stream()
                .anyMatch(line -> line.endsWith("spool-0, it belongs to another user")));
  }

  @Test
  void aStoreWithoutPermissionsIsUsedAndSaid() throws Exception {
    try (FileSystem windows = Jimfs.newFileSystem(Configuration.windows())) {
      Path root = windows.getPath("C:\\spool");
      Spool spool = open(root, ENOUGH);
      assertThat(write(spool, 100)).isNotNull();
      assertThat(write(spool, 10_000)).isNotNull();
      assertThat(log.infos())
          .containsExactly(
              "C:\\spool keeps no POSIX permissions: who may read the folder may read the spool");
      spool.close();
      List<Spool.Entry> left = left(open(root, ENOUGH), new Ledger("spans", "", guard));
      assertThat(left).hasSize(2);
      assertThat(left.get(0).read().message().remaining()).isEqualTo(100);
      open.forEach(Spool::close);
    }
  }

  @Test
  void aFullDiskLosesNothingThatIsOnIt() throws Exception {
    Configuration small =
        Configuration.unix().toBuilder()
            .setAttributeViews("basic", "owner", "posix", "unix")
            .setBlockSize(4096)
            .setMaxSize(64 << 10)
            .build();
    try (FileSystem disk = Jimfs.newFileSystem(small)) {
      Path root = disk.getPath("/spool");
      Spool spool = open(root, ENOUGH);
      int taken = 0;
      while (write(spool, 3_000) != null) {
        taken++;
      }
      assertThat(taken).isBetween(10, 21);
      assertThat(log.warnings()).anyMatch(line -> line.startsWith("Spool.write threw"));
      spool.close();
      Ledger next = new Ledger("spans", "", guard);
      Spool again = open(root, ENOUGH);
      List<Spool.Entry> left = left(again, next);
      assertThat(left).hasSize(taken);
      assertThat(next.counts().failed()).isZero();
      for (Spool.Entry entry : left) {
        assertThat(entry.read().message().remaining()).isEqualTo(3_000);
      }
      // And once there is room, it goes on.
      left.get(0).remove();
      left.get(1).remove();
      assertThat(write(again, 3_000)).isNotNull();
      open.forEach(Spool::close);
    }
  }

  /** As root, permissions would not bind; nobody can write here. */
  @Test
  void aFolderThatCanNotBeWrittenIsSaid() {
    Path readOnly = Path.of("/proc");
    assumeThat(readOnly).isDirectory();
    assertThatThrownBy(() -> open(readOnly, ENOUGH)).isInstanceOf(IOException.class);
  }

  @Test
  void whoeverOpensDoesNotWaitForWhatIsThere() throws Exception {
    Spool spool = open(folder, ENOUGH);
    write(spool, 100);
    spool.close();
    byte[] file = Files.readAllBytes(files(".otlp").get(0));
    Path subfolder = folder.resolve("spool-0");
    for (int i = 0; i < 5_000; i++) {
      Files.write(subfolder.resolve(String.format("%019d-spans-1.otlp", i)), file);
    }
    long begin = System.nanoTime();
    Spool again = open(folder, ENOUGH);
    long opened = System.nanoTime() - begin;
    assertThat(left(again, new Ledger("spans", "", guard))).hasSize(5_001);
    assertThat(opened).isLessThan((System.nanoTime() - begin) / 2);
  }

  /** Not even by one byte: what is torn is what nobody counted. */
  @Test
  void aWriteThatEndedInTheMiddleIsNoDamage() throws Exception {
    Spool spool = open(folder, ENOUGH);
    write(spool, 100);
    spool.close();
    Path file = files(".otlp").get(0);
    byte[] whole = Files.readAllBytes(file);
    try (FileChannel out = FileChannel.open(file, StandardOpenOption.APPEND)) {
      out.write(ByteBuffer.wrap(whole, 0, whole.length - 1));
    }
    Ledger next = new Ledger("spans", "", guard);
    assertThat(left(open(folder, ENOUGH), next)).hasSize(1);
    assertThat(next.counts()).isEqualTo(new Delivery.Counts(1, 0, 0, 0, 1, 0, 0));
    assertThat(log.warnings()).isEmpty();
  }
}
