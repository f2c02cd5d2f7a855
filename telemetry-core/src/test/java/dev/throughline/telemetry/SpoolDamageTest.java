// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.throughline.telemetry.OtlpReceiver.Reply;
import dev.throughline.telemetry.delivery.Delivery;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** With anything in the folder of a spool, all but what that damages is delivered. */
@Timeout(60)
class SpoolDamageTest {

  private static final int LEFT = 1_000;
  private static final int OF_A_FILE = 50;
  // So long that no two requests share a file.
  private static final String TEXT = "x".repeat(60);
  private static final String FIRST = "0000000000000000000-spans-7.otlp";

  @TempDir static Path template;
  @TempDir Path folder;

  private interface Damage {
    void to(Path subfolder, List<Path> files) throws Exception;
  }

  private interface Change {
    void to(byte[] content);
  }

  @BeforeAll
  static void leave() throws IOException {
    ClosedPort nobody = new ClosedPort();
    try (nobody;
        Telemetry telemetry = build(nobody.authority(), template)) {
      endSpans(telemetry, LEFT);
      telemetry.close();
      assertThat(telemetry.delivery().spans().spooled()).isEqualTo(LEFT);
    }
  }

  @AfterAll
  static void nothingWasFollowed() {
    assertThat(template.resolve("outside")).doesNotExist();
  }

  private static Telemetry build(String authority, Path folder) {
    return Telemetry.builder()
        .ignoreEnvironment()
        .setServiceName("damaged")
        .addProperty("otel.exporter.otlp.endpoint", authority)
        .addProperty("otel.exporter.otlp.protocol", "http/protobuf")
        .addProperty("otel.metrics.exporter", "none")
        .addProperty("otel.bsp.max.export.batch.size", String.valueOf(OF_A_FILE))
        .addProperty("otel.bsp.schedule.delay", "1h")
        .addProperty("telemetry.spool.folder", folder.toString())
        .addProperty("telemetry.close.timeout", "1s")
        .build();
  }

  private static void endSpans(Telemetry telemetry, int count) {
    for (int i = 0; i < count; i++) {
      telemetry.span("work").attribute("text", TEXT).run(() -> {});
    }
  }

  private static Arguments damage(String name, int lost, int named, Damage damage) {
    return arguments(name, lost, named, damage);
  }

  private static Damage change(Change change) {
    return (subfolder, files) -> {
      byte[] content = Files.readAllBytes(files.get(3));
      change.to(content);
      Files.write(files.get(3), content);
    };
  }

  private static Damage sparse(long bytes, int count) {
    return (subfolder, files) -> {
      for (int i = 0; i < count; i++) {
        Path file = subfolder.resolve(FIRST.replaceFirst("0-spans", i + "-spans"));
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
          sparse.setLength(bytes);
        }
      }
    };
  }

  private static void mkfifo(Path path) throws IOException, InterruptedException {
    assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor()).isZero();
  }

  /** A request as a spool writes it: two checksums hold. */
  private static byte[] request(byte[] body, boolean compressed, int items) {
    ByteBuffer file = ByteBuffer.allocate(22 + body.length);
    file.putInt(0x544c5332).put((byte) 0).put((byte) (compressed ? 1 : 0));
    file.putInt(items).putInt(body.length).putInt(checksum(body, 0, body.length));
    return file.putInt(checksum(file.array(), 5, 18)).put(body).array();
  }

  private static int checksum(byte[] bytes, int from, int to) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, from, to - from);
    return (int) checksum.getValue();
  }

  private static byte[] bomb() throws IOException {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(compressed)) {
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 40; i++) {
        gzip.write(zeros);
      }
    }
    return compressed.toByteArray();
  }

  static List<Arguments> damages() {
    List<Arguments> all = new ArrayList<>();
    all.add(damage("none", 0, 0, (subfolder, files) -> {}));
    all.add(
        damage(
            "half a file",
            OF_A_FILE,
            0,
            (subfolder, files) -> {
              try (FileChannel file = FileChannel.open(files.get(3), StandardOpenOption.WRITE)) {
                file.truncate(file.size() / 2);
              }
            }));
    all.add(
        damage(
            "an empty file",
            OF_A_FILE,
            0,
            (subfolder, files) -> Files.write(files.get(3), new byte[0])));
    all.add(damage("a bit of the body", OF_A_FILE, 0, change(file -> file[40] ^= 1)));
    all.add(damage("a bit of the status", 0, 0, change(file -> file[4] ^= 1)));
    all.add(damage("a bit of the magic number", OF_A_FILE, 0, change(file -> file[0] ^= 1)));
    all.add(damage("another compression", OF_A_FILE, 0, change(file -> file[5] ^= 1)));
    all.add(damage("more items", OF_A_FILE, 0, change(file -> file[6] = 0x7f)));
    all.add(damage("fewer items than none", OF_A_FILE, 0, change(file -> file[6] = -1)));
    all.add(damage("a huge length", OF_A_FILE, 0, change(file -> file[10] = 0x7f)));
    all.add(damage("a negative length", OF_A_FILE, 0, change(file -> file[10] = -1)));
    all.add(
        damage(
            "a checksum that holds for a negative length",
            0,
            7,
            (subfolder, files) -> {
              byte[] file = request(new byte[3], false, 7);
              ByteBuffer.wrap(file).putInt(10, -22).putInt(18, 0);
              ByteBuffer.wrap(file).putInt(18, checksum(file, 5, 18));
              Files.write(subfolder.resolve(FIRST), file);
            }));
    all.add(
        damage(
            "a folder",
            0,
            7,
            (subfolder, files) ->
                Files.write(
                    Files.createDirectory(subfolder.resolve(FIRST)).resolve("x"), new byte[3])));
    all.add(
        damage(
            "a link to a device",
            0,
            7,
            (subfolder, files) ->
                Files.createSymbolicLink(subfolder.resolve(FIRST), Path.of("/dev/zero"))));
    all.add(
        damage(
            "a link to a file",
            0,
            7,
            (subfolder, files) -> {
              Path elsewhere = subfolder.resolveSibling("elsewhere");
              Files.copy(files.get(0), elsewhere);
              Files.createSymbolicLink(subfolder.resolve(FIRST), elsewhere);
            }));
    all.add(damage("a pipe", 0, 7, (subfolder, files) -> mkfifo(subfolder.resolve(FIRST))));
    all.add(
        damage(
            "an unfinished folder",
            0,
            0,
            (subfolder, files) ->
                Files.createDirectories(subfolder.resolve(FIRST + ".part").resolve("x"))));
    all.add(
        damage(
            "a name without a number of items",
            0,
            0,
            (subfolder, files) -> Files.write(subfolder.resolve("x\n.otlp"), new byte[3])));
    all.add(
        damage(
            "a name with too large a number",
            0,
            0,
            (subfolder, files) ->
                Files.write(
                    subfolder.resolve("0000000000000000000-spans-99999999999.otlp"), new byte[3])));
    all.add(
        damage(
            "a signal that nobody knows",
            0,
            0,
            (subfolder, files) ->
                Files.write(
                    subfolder.resolve(FIRST.replace("spans", "dreams")),
                    request(new byte[3], false, 7))));
    all.add(damage("3 GB", 0, 7, sparse(3L << 30, 1)));
    all.add(damage("300 MB, five times", 0, 35, sparse(300L << 20, 5)));
    all.add(
        damage(
            "a request that expands to more than any",
            0,
            7,
            (subfolder, files) -> Files.write(subfolder.resolve(FIRST), request(bomb(), true, 7))));
    all.add(
        damage(
            "a lock that is a folder",
            0,
            0,
            (subfolder, files) -> {
              Files.delete(subfolder.resolve("lock"));
              Files.createDirectory(subfolder.resolve("lock"));
            }));
    all.add(
        damage(
            "a lock that is a pipe",
            0,
            0,
            (subfolder, files) -> {
              Files.delete(subfolder.resolve("lock"));
              mkfifo(subfolder.resolve("lock"));
            }));
    all.add(
        damage(
            "a lock that is a link",
            0,
            0,
            (subfolder, files) -> {
              Files.delete(subfolder.resolve("lock"));
              Files.createSymbolicLink(
                  subfolder.resolve("lock"), template.resolve("outside").toAbsolutePath());
            }));
    all.add(
        damage(
            "a lock of the next subfolder that holds something",
            0,
            0,
            (subfolder, files) ->
                Files.createDirectories(subfolder.resolveSibling("spool-1").resolve("lock/x"))));
    all.add(
        damage(
            "a file for the next subfolder",
            0,
            0,
            (subfolder, files) -> Files.write(subfolder.resolveSibling("spool-1"), new byte[1])));
    all.add(
        damage(
            "a link for the next subfolder",
            0,
            0,
            (subfolder, files) -> {
              Path elsewhere = Files.createDirectory(subfolder.resolveSibling("elsewhere"));
              Files.createSymbolicLink(subfolder.resolveSibling("spool-1"), elsewhere);
            }));
    return all;
  }

  /**
   * @param lost spans of the thousand that were left
   * @param named spans that the name of a file has which nobody wrote
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource("damages")
  void allElseIsDelivered(String name, int lost, int named, Damage damage) throws Exception {
    List<Path> files = copyTemplate();
    assertThat(files).hasSize(LEFT / OF_A_FILE);
    Path subfolder = folder.resolve("spool-0");
    damage.to(subfolder, files);

    try (LogCapture log = new LogCapture();
        OtlpReceiver receiver = OtlpReceiver.http();
        Telemetry telemetry = build(receiver.authority(), folder)) {
      endSpans(telemetry, 100);
      int expected = LEFT - lost + 100;
      Wait.until("what was left has arrived", () -> receiver.spans().size() >= expected);
      // And it spools what comes now.
      receiver.reply(request -> Reply.http(503, Map.of()));
      endSpans(telemetry, 100);
      Wait.until("it is on disk", () -> spans(telemetry).spooled() == 100);

      Delivery.Counts counts = spans(telemetry);
      assertThat(counts.pending()).isZero();
      assertThat(counts.created()).isEqualTo(LEFT + named + 200);
      assertThat(counts.delivered()).isEqualTo(expected);
      assertThat(counts.failed()).isEqualTo(lost + named);
      assertThat(counts.repeated()).isEqualTo(name.equals("a bit of the status") ? OF_A_FILE : 0);
      assertThat(receiver.spans().stream().map(Span::getSpanId).collect(Collectors.toSet()))
          .hasSize(expected);
      if (name.matches("none|.*unfinished.*|.*status.*|a lock that .*")) {
        assertThat(log.warnings()).noneMatch(line -> line.contains("of the spool"));
      } else if (!name.contains("signal")) {
        assertThat(log.warnings())
            .filteredOn(line -> line.contains("of the spool " + folder))
            .singleElement()
            .satisfies(line -> assertThat(line).doesNotContain("\n"));
      }
      assertThat(setAside()).hasSize(isSetAside(name) ? 1 : 0);
    }
  }

  private static boolean isSetAside(String name) {
    // Larger than all of the spool may be; or nothing was damaged in the subfolder.
    // Of five files of 300 MB there is room for one.
    return !name.matches("none|3 GB|.*unfinished.*|.*status|a lock .*|.* subfolder|a signal.*");
  }

  private static Delivery.Counts spans(Telemetry telemetry) {
    return telemetry.delivery().spans();
  }

  private List<Path> copyTemplate() throws IOException {
    Path subfolder = Files.createDirectory(folder.resolve("spool-0"));
    List<Path> copies = new ArrayList<>();
    try (Stream<Path> files = Files.list(template.resolve("spool-0"))) {
      for (Path file : files.sorted().toList()) {
        Path copy = Files.copy(file, subfolder.resolve(file.getFileName()));
        if (copy.toString().endsWith(".otlp")) {
          copies.add(copy);
        }
      }
    }
    return copies;
  }

  private List<Path> setAside() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("spool-0"))) {
      return files.filter(file -> file.toString().endsWith(".damaged")).toList();
    }
  }

  /** Nobody else may read what is sent. */
  @Test
  void whatIsLeftIsPrivate() throws IOException {
    assertThat(permissions(template.resolve("spool-0"))).isEqualTo("rwx------");
    try (Stream<Path> files = Files.list(template.resolve("spool-0"))) {
      assertThat(files.toList())
          .hasSize(LEFT / OF_A_FILE + 1)
          .allSatisfy(file -> assertThat(permissions(file)).isEqualTo("rw-------"));
    }
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
