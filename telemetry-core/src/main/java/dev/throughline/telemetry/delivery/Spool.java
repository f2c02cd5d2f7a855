// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Encoded requests on disk, each in a file of its own, the oldest first out. A process locks the
 * subfolder that it writes to, and takes over what processes that ended have left in others.
 */
final class Spool {

  private static final Pattern NAME =
      Pattern.compile("(\\d{19})-([a-z-]+)-(\\d{1,9})(?:-\\d+)?\\.otlp");
  private static final String UNFINISHED = ".part";
  private static final int MAGIC = 0x544c5331;
  private static final int HEADER_BYTES = 4 + 1 + 1 + 4 + 4;
  // Where it stands whether the request may have arrived.
  private static final int ARRIVAL_AT = 4 + 1;
  private static final int MAX_SUBFOLDERS = 100;

  private final long maxBytes;
  private final Guard guard;
  private final Path folder;
  private final Lock ownership;
  private final Thread syncer;

  // Below, all of the lock, which no thread of the application ever takes while it records.
  private final Object lock = new Object();
  private final Deque<Entry> entries = new ArrayDeque<>();
  private final List<Path> unsynced = new ArrayList<>();
  private long bytes;
  private long sequence;
  private int writing;
  private boolean closed;

  /** A request on disk. */
  final class Entry {

    private final Path file;
    private final String signal;
    private final int items;
    private final long size;
    // Of the lock.
    private @Nullable Ledger ledger;
    private volatile boolean gone;
    // Of the one thread that sends it.
    private boolean mayHaveArrived;

    private Entry(Path file, String signal, int items, long size) {
      this.file = file;
      this.signal = signal;
      this.items = items;
      this.size = size;
    }

    int items() {
      return items;
    }

    /** From now on its items count as spooled there; as dropped, where it had to leave already. */
    void countedBy(Ledger by) {
      synchronized (lock) {
        if (!gone) {
          ledger = by;
          return;
        }
      }
      by.evicted(items);
    }

    /** Whether it was sent and had no answer, in this process or in one that ended. */
    boolean mayHaveArrived() {
      return mayHaveArrived;
    }

    /** Notes it on disk too, where this process may end before there is an answer. */
    void mayHaveArrived(boolean may) {
      if (may == mayHaveArrived) {
        return;
      }
      mayHaveArrived = may;
      try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
        int unused = out.write(ByteBuffer.wrap(new byte[] {(byte) (may ? 1 : 0)}), ARRIVAL_AT);
      } catch (NoSuchFileException e) {
        // It had to leave.
      } catch (IOException e) {
        guard.caught("Spool.mayHaveArrived", e);
      }
    }

    boolean isGone() {
      return gone;
    }

    /** Deletes it; false where someone else has. */
    boolean remove() {
      synchronized (lock) {
        if (gone) {
          return false;
        }
        gone = true;
        entries.remove(this);
        bytes -= size;
      }
      delete();
      return true;
    }

    /** Makes room for a newer one. */
    private void evict() {
      if (!remove()) {
        return;
      }
      Ledger by;
      synchronized (lock) {
        by = ledger;
      }
      if (by != null) {
        by.evicted(items);
      }
    }

    private void delete() {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        guard.caught("Spool.remove", e);
      }
    }

    /**
     * The message in it.
     *
     * @throws IOException where it can't be read, or is not what was written
     */
    Stored read() throws IOException {
      ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
      if (content.remaining() < HEADER_BYTES || content.getInt() != MAGIC) {
        throw new IOException(file.getFileName() + " is torn");
      }
      boolean compressed = content.get() == 1;
      boolean arrived = content.get() == 1;
      int length = content.getInt();
      int checksum = content.getInt();
      if (length != content.remaining() || checksum != checksum(content.duplicate())) {
        throw new IOException(file.getFileName() + " is torn");
      }
      mayHaveArrived |= arrived;
      return new Stored(compressed, content);
    }
  }

  /**
   * A message as it was encoded.
   *
   * @param compressed whether by gzip
   */
  record Stored(boolean compressed, ByteBuffer message) {

    InputStream stream() {
      return new ByteArrayInputStream(
          message.array(), message.arrayOffset() + message.position(), message.remaining());
    }
  }

  /** Keeps everyone else away from a subfolder, until it is closed. */
  private record Lock(Path subfolder, FileChannel file) implements AutoCloseable {

    // A process that closes any channel of a file gives up the lock that it has on that file.
    private static final Map<Path, FileChannel> OPENED = new HashMap<>();

    /** Null where another process, or another part of this one, has it. */
    static @Nullable Lock of(Path folder) throws IOException {
      Path subfolder = folder.toRealPath();
      synchronized (OPENED) {
        if (OPENED.containsKey(subfolder)) {
          return null;
        }
        FileChannel file =
            FileChannel.open(
                subfolder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = null;
        boolean elsewhere = true;
        try {
          held = file.tryLock();
          elsewhere = held == null;
        } catch (OverlappingFileLockException e) {
          // Of another class loader, which would lose it if this channel were closed.
          elsewhere = false;
        } finally {
          if (elsewhere) {
            file.close();
          } else {
            OPENED.put(subfolder, file);
          }
        }
        return held == null ? null : new Lock(subfolder, file);
      }
    }

    @Override
    public void close() throws IOException {
      synchronized (OPENED) {
        OPENED.remove(subfolder);
        file.close();
      }
    }
  }

  private Spool(Lock ownership, long maxBytes, Duration syncInterval, Guard guard) {
    this.ownership = ownership;
    folder = ownership.subfolder();
    this.maxBytes = maxBytes;
    this.guard = guard;
    syncer = new Thread(() -> syncEvery(syncInterval), "telemetry-spool");
    syncer.setDaemon(true);
  }

  /**
   * Opens a spool, and takes over what other processes have left.
   *
   * @throws IOException where the folder can't be used
   */
  static Spool open(Path folder, long maxBytes, Duration syncInterval, Guard guard)
      throws IOException {
    Spool own = new Spool(firstFree(folder), maxBytes, syncInterval, guard);
    try {
      for (int i = 0; i < MAX_SUBFOLDERS; i++) {
        own.moveFrom(subfolder(folder, i));
      }
      own.takeOver();
    } catch (IOException | RuntimeException e) {
      own.ownership.close();
      throw e;
    }
    own.syncer.start();
    return own;
  }

  private static Lock firstFree(Path folder) throws IOException {
    for (int i = 0; i < MAX_SUBFOLDERS; i++) {
      Lock ownership = Lock.of(Files.createDirectories(subfolder(folder, i)));
      if (ownership != null) {
        return ownership;
      }
    }
    throw new IOException("each of " + MAX_SUBFOLDERS + " subfolders is in use");
  }

  private static Path subfolder(Path folder, int number) {
    return folder.resolve("spool-" + number);
  }

  private void moveFrom(Path other) throws IOException {
    if (!Files.exists(other)) {
      return;
    }
    try (Lock ownership = Lock.of(other)) {
      if (ownership == null) {
        return;
      }
      for (Path file : files(other)) {
        Path here = folder.resolve(name(file));
        // Each process counts by itself, so that the same name may be another request.
        for (int i = 1; Files.exists(here); i++) {
          here = folder.resolve(name(file).replace(".otlp", "-" + i + ".otlp"));
        }
        Files.move(file, here);
      }
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> NAME.matcher(name(file)).matches()).sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private void takeOver() throws IOException {
    try (Stream<Path> unfinished = Files.list(folder)) {
      for (Path file : unfinished.filter(path -> name(path).endsWith(UNFINISHED)).toList()) {
        Files.delete(file);
      }
    }
    synchronized (lock) {
      for (Path file : files(folder)) {
        Matcher name = NAME.matcher(name(file));
        if (name.matches()) {
          Entry entry =
              new Entry(file, name.group(2), Integer.parseInt(name.group(3)), Files.size(file));
          entries.add(entry);
          bytes += entry.size;
          sequence = Math.max(sequence, Long.parseLong(name.group(1)));
        }
      }
    }
  }

  /** The entries of one signal that were there at the start, the oldest first. */
  List<Entry> entries(String signal) {
    synchronized (lock) {
      return entries.stream().filter(entry -> entry.signal.equals(signal)).toList();
    }
  }

  /**
   * Writes a request; the oldest make room for it. It counts nowhere until {@link Entry#countedBy}.
   *
   * @return null where that failed, which is logged now and then
   */
  @Nullable Entry write(
      String signal, int items, boolean compressed, byte[] message, int from, int length) {
    List<Entry> oldest = new ArrayList<>();
    Entry entry;
    synchronized (lock) {
      if (closed || length + HEADER_BYTES > maxBytes) {
        return null;
      }
      Path file =
          folder.resolve(String.format(Locale.ROOT, "%019d-%s-%d.otlp", ++sequence, signal, items));
      entry = new Entry(file, signal, items, length + HEADER_BYTES);
      bytes += entry.size;
      long over = bytes - maxBytes;
      for (Entry old : entries) {
        if (over <= 0) {
          break;
        }
        over -= old.size;
        oldest.add(old);
      }
      entries.add(entry);
      writing++;
    }
    try {
      oldest.forEach(Entry::evict);
      write(entry.file, compressed, message, from, length);
      if (entry.isGone()) {
        // Another writer needed its room before there was a file to delete.
        entry.delete();
      }
    } catch (IOException e) {
      entry.remove();
      guard.caught("Spool.write", e);
      return null;
    } finally {
      synchronized (lock) {
        writing--;
        unsynced.add(entry.file);
        lock.notifyAll();
      }
    }
    return entry;
  }

  private static void write(Path file, boolean compressed, byte[] message, int from, int length)
      throws IOException {
    ByteBuffer body = ByteBuffer.wrap(message, from, length);
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    header
        .putInt(MAGIC)
        .put((byte) (compressed ? 1 : 0))
        .put((byte) 0)
        .putInt(length)
        .putInt(checksum(body.duplicate()))
        .flip();
    Path unfinished = file.resolveSibling(name(file) + UNFINISHED);
    try (FileChannel out =
        FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      while (header.hasRemaining() || body.hasRemaining()) {
        long unused = out.write(new ByteBuffer[] {header, body});
      }
    } catch (IOException e) {
      Files.deleteIfExists(unfinished);
      throw e;
    }
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static int checksum(ByteBuffer bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    return (int) checksum.getValue();
  }

  private void syncEvery(Duration interval) {
    while (true) {
      synchronized (lock) {
        long until = System.nanoTime() + interval.toNanos();
        for (long left = interval.toNanos(); left > 0 && !closed; ) {
          try {
            lock.wait(left / 1_000_000 + 1);
          } catch (InterruptedException e) {
            // Nobody here interrupts; the work goes on.
          }
          left = until - System.nanoTime();
        }
        if (closed) {
          return;
        }
      }
      try {
        sync();
      } catch (IOException e) {
        guard.caught("Spool.sync", e);
      }
    }
  }

  private void sync() throws IOException {
    List<Path> files;
    synchronized (lock) {
      files = List.copyOf(unsynced);
      unsynced.clear();
    }
    if (files.isEmpty()) {
      return;
    }
    for (Path file : files) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.force(false);
      } catch (NoSuchFileException e) {
        // Delivered meanwhile.
      }
    }
    // The names as well, where the system lets a folder be opened.
    try (FileChannel names = FileChannel.open(folder, StandardOpenOption.READ)) {
      names.force(true);
    }
  }

  /** Lets another process have what is left. */
  void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      lock.notifyAll();
      while (writing > 0) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          // Nobody here interrupts; the next owner must not meet what is half written.
        }
      }
    }
    try (ownership) {
      sync();
    } catch (IOException e) {
      guard.caught("Spool.close", e);
    }
  }
}
