// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A file of a spool: a large request, or small ones that share its blocks, one behind the other.
 * Before each stands a header: what it is, its length, and checksums of it and of the header. The
 * name tells how many items there are, so that it is known how many a torn file has lost.
 */
final class SpoolFile {

  static final String SUFFIX = ".otlp";
  static final String UNFINISHED = ".part";
  static final String DAMAGED = ".damaged";
  static final int HEADER_BYTES = 4 + 1 + 1 + 4 + 4 + 4 + 4;
  // Four times what delivery sends at once of what can be divided; what is longer on disk was
  // written by someone else.
  static final int MAX_REQUEST_BYTES = 16 << 20;
  // Few blocks, since what damages a file may cost all that is in it.
  private static final int SHARED_BYTES = 8 << 10;

  private static final int MAGIC = 0x544c5332;
  private static final int STATUS_AT = 4;
  // Each differs from the others in four bits or more.
  static final byte WAITS = 0;
  static final byte MAY_HAVE_ARRIVED = 0x0f;
  static final byte SETTLED = -1;

  private static final String TIME = "%019d";
  private static final Pattern NAME =
      Pattern.compile("(\\d{19})-([a-z-]+?)-(\\d{1,9})(?:-\\d+)*\\.otlp");

  final String signal;
  // Below, all of the spool's lock.
  final List<Spool.Entry> waiting = new ArrayList<>();
  private final String key;
  private final String prefix;
  private String name;
  private int items;
  private long size;
  boolean damaged;

  /** A request in a file. */
  record Slot(int at, byte status, boolean compressed, int items, int length, int checksum) {

    int end() {
      return at + HEADER_BYTES + length;
    }
  }

  /** A request to be written. */
  record Request(int items, boolean compressed, ByteBuffer message) {

    long size() {
      return (long) HEADER_BYTES + message.remaining();
    }

    void write(FileChannel out) throws IOException {
      ByteBuffer body = message.duplicate();
      ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
      header
          .putInt(MAGIC)
          .put(WAITS)
          .put((byte) (compressed ? 1 : 0))
          .putInt(items)
          .putInt(body.remaining())
          .putInt(checksum(body.duplicate()));
      header.putInt(headerChecksum(header, 0)).flip();
      while (header.hasRemaining() || body.hasRemaining()) {
        long unused = out.write(new ByteBuffer[] {header, body});
      }
    }
  }

  private SpoolFile(String name, String prefix, String signal, int items) {
    key = name;
    this.name = name;
    this.prefix = prefix;
    this.signal = signal;
    this.items = items;
  }

  /** One to be written; files sort by their time. */
  static SpoolFile of(long time, String signal, int items) {
    String prefix = String.format(Locale.ROOT, TIME + "-%s", time, signal);
    return new SpoolFile(prefix + '-' + items + SUFFIX, prefix, signal, items);
  }

  /** One that is there; null if nothing that a spool wrote has such a name. */
  static @Nullable SpoolFile named(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      return null;
    }
    return new SpoolFile(
        name,
        matcher.group(1) + '-' + matcher.group(2),
        matcher.group(2),
        Integer.parseInt(matcher.group(3)));
  }

  /** One with a name that no spool gives. */
  static SpoolFile odd(String name) {
    return new SpoolFile(name, name, "", 0);
  }

  /** Whether it is the spool's to handle. */
  static boolean isOfSpool(String name) {
    return name.endsWith(SUFFIX) || name.endsWith(UNFINISHED) || name.endsWith(DAMAGED);
  }

  /** Whether a file is named by a time after the first and not after the last. */
  static boolean isBetween(String name, long first, long last) {
    String next = String.format(Locale.ROOT, TIME, first + 1);
    return name.compareTo(next) >= 0
        && name.compareTo(String.format(Locale.ROOT, TIME, last + 1)) < 0;
  }

  /** Its first name, by which files sort. */
  String key() {
    return key;
  }

  String name() {
    return name;
  }

  long size() {
    return size;
  }

  int items() {
    return items;
  }

  boolean hasRoomFor(long bytes) {
    return !damaged && size + bytes <= SHARED_BYTES;
  }

  /** Writes the first request. */
  void create(SpoolFolder folder, Request request) throws IOException {
    Path unfinished = folder.path().resolve(name + UNFINISHED);
    try {
      try (FileChannel out =
          FileChannel.open(
              unfinished,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              folder.attributes())) {
        request.write(out);
      }
      Files.move(unfinished, folder.path().resolve(name));
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(unfinished);
      throw e;
    }
    size = request.size();
  }

  /** Writes another request, and says where it is. */
  int append(Path folder, Request request) throws IOException {
    int at = (int) size;
    Path path = folder.resolve(name);
    String longer = prefix + '-' + (items + request.items) + SUFFIX;
    try (FileChannel out = open(path, StandardOpenOption.WRITE)) {
      try {
        request.write(out.position(at));
        // Only now: a process that is killed before has left what nobody counted.
        Files.move(path, folder.resolve(longer));
      } catch (IOException | RuntimeException e) {
        out.truncate(at);
        throw e;
      }
    }
    name = longer;
    items += request.items;
    size += request.size();
    return at;
  }

  /** Without the status, which changes. */
  private static int headerChecksum(ByteBuffer bytes, int at) {
    ByteBuffer fixed = bytes.duplicate().clear();
    return checksum(fixed.position(at + STATUS_AT + 1).limit(at + HEADER_BYTES - 4));
  }

  private static int checksum(ByteBuffer bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    return (int) checksum.getValue();
  }

  /**
   * The requests that are in it, as far as their headers tell.
   *
   * @throws IOException if nothing of it can be read
   */
  List<Slot> scan(Path path) throws IOException {
    List<Slot> slots = new ArrayList<>();
    try (FileChannel in = open(path, StandardOpenOption.READ)) {
      size = in.size();
      // A file that is longer has one request.
      ByteBuffer start = ByteBuffer.allocate((int) Math.min(size, SHARED_BYTES));
      read(in, start, 0);
      for (int at = 0; at + HEADER_BYTES <= start.limit(); ) {
        Slot slot = slot(start, at, size);
        if (slot == null) {
          // Those behind a damaged header may be sound.
          at++;
        } else {
          slots.add(slot);
          at = slot.end();
        }
      }
    }
    return slots;
  }

  private static @Nullable Slot slot(ByteBuffer bytes, int at, long size) {
    if (bytes.getInt(at) != MAGIC
        || bytes.getInt(at + HEADER_BYTES - 4) != headerChecksum(bytes, at)) {
      return null;
    }
    Slot slot =
        new Slot(
            at,
            bytes.get(at + STATUS_AT),
            bytes.get(at + STATUS_AT + 1) != 0,
            bytes.getInt(at + 6),
            bytes.getInt(at + 10),
            bytes.getInt(at + 14));
    return slot.items < 0 || slot.length < 0 || slot.length > MAX_REQUEST_BYTES || slot.end() > size
        ? null
        : slot;
  }

  /**
   * The request at a place.
   *
   * @throws IOException if it can't be read, or is not what was written
   */
  static Spool.Stored read(FileChannel in, int at) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    read(in, header, at);
    Slot slot = slot(header, 0, in.size() - at);
    if (slot == null) {
      throw new IOException("a header is not what was written");
    }
    ByteBuffer message = ByteBuffer.allocate(slot.length);
    read(in, message, at + HEADER_BYTES);
    if (checksum(message.duplicate()) != slot.checksum) {
      throw new IOException("a request is not what was written");
    }
    return new Spool.Stored(slot.compressed, message);
  }

  private static void read(FileChannel in, ByteBuffer into, int from) throws IOException {
    while (into.hasRemaining()) {
      if (in.read(into, from + into.position()) < 0) {
        throw new EOFException("it is shorter than it was");
      }
    }
    into.flip();
  }

  void mark(Path path, int at, byte status) throws IOException {
    try (FileChannel out = open(path, StandardOpenOption.WRITE)) {
      int unused = out.write(ByteBuffer.wrap(new byte[] {status}), at + STATUS_AT);
    }
  }

  /**
   * Opens what a spool wrote, and nothing that someone put in its place: to open a pipe waits for
   * its writer, and a device has no end.
   */
  static FileChannel open(Path path, StandardOpenOption how) throws IOException {
    BasicFileAttributes found =
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!found.isRegularFile()) {
      throw new IOException("it is no regular file");
    }
    if (found.size() > HEADER_BYTES + MAX_REQUEST_BYTES) {
      throw new IOException("its " + found.size() + " bytes are more than any request has");
    }
    return FileChannel.open(path, how, LinkOption.NOFOLLOW_LINKS);
  }
}
