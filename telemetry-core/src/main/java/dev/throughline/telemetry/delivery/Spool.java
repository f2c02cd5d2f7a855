// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.internals.Suppression;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encoded requests on disk, the oldest first out. A process locks the subfolder that it writes to,
 * and takes over what processes that ended have left in others. A file that can't be read as it was
 * written is set aside, under another name.
 */
final class Spool {

  private static final Logger logger = LoggerFactory.getLogger(Delivery.class);
  static final int MAX_SUBFOLDERS = 100;
  private static final long NANOS_OF_MILLI = 1_000_000;
  private static final long READER_MILLIS = 1_000;

  private final Path root;
  private final long maxBytes;
  private final Guard guard;
  private final Damage damage;
  private final TakeOver takeOver;
  private final Thread reader;
  private final Thread syncer;
  // This process names its files by times after this one.
  private final long openTime = now();

  // Below, all of the lock, which no thread of the application ever takes while it records.
  private final Object lock = new Object();
  private SpoolFolder folder;
  private final TreeMap<String, SpoolFile> files = new TreeMap<>();
  // To which small requests are added, by signal.
  private final Map<String, SpoolFile> current = new HashMap<>();
  private final Set<SpoolFile> unsynced = new LinkedHashSet<>();
  private long bytes;
  private long time = openTime;
  private boolean closed;

  /** A request on disk. */
  final class Entry {

    private final SpoolFile file;
    private final int at;
    private final int items;
    // Of the lock.
    private @Nullable Ledger ledger;
    private volatile boolean gone;
    // Of the one thread that sends it.
    private boolean mayHaveArrived;

    private Entry(SpoolFile file, int at, int items, boolean mayHaveArrived) {
      this.file = file;
      this.at = at;
      this.items = items;
      this.mayHaveArrived = mayHaveArrived;
      file.waiting.add(this);
    }

    int items() {
      return items;
    }

    /** By which the oldest come first. */
    String fileKey() {
      return file.key();
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
      if (may != mayHaveArrived) {
        mayHaveArrived = may;
        synchronized (lock) {
          if (!gone && !closed) {
            mark(may ? SpoolFile.MAY_HAVE_ARRIVED : SpoolFile.WAITS);
          }
        }
      }
    }

    private void mark(byte status) {
      try {
        file.mark(path(file), at, status);
        unsynced.add(file);
      } catch (NoSuchFileException e) {
        // It is counted when it is to be read.
      } catch (IOException e) {
        guard.caught("Spool.mark", e);
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
        file.waiting.remove(this);
        if (closed) {
          // It may be another process's by now.
          return true;
        }
        if (file.waiting.isEmpty()) {
          leave(file);
        } else {
          mark(SpoolFile.SETTLED);
        }
        return true;
      }
    }

    /**
     * The message in it.
     *
     * @throws IOException where it can't be read, or is not what was written
     */
    Stored read() throws IOException {
      FileChannel in;
      synchronized (lock) {
        in = SpoolFile.open(path(file), StandardOpenOption.READ);
      }
      try (in) {
        return SpoolFile.read(in, at);
      }
    }

    /** It can't be read: its items have failed, and its file is set aside. */
    void fail(Exception why) {
      synchronized (lock) {
        if (gone) {
          return;
        }
        damage.found(file, items, why);
        boolean unused = remove();
        if (ledger != null) {
          ledger.spooledSettled(items, items, Damage.REASON);
        }
      }
      damage.log(false);
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

  private Spool(Path root, SpoolFolder folder, long maxBytes, Duration syncInterval, Guard guard) {
    this.root = root;
    this.folder = folder;
    this.maxBytes = maxBytes;
    this.guard = guard;
    damage = new Damage(root, guard);
    takeOver = new TakeOver(root, this, damage, guard);
    reader = thread("telemetry-spool-read", takeOver::run);
    syncer = thread("telemetry-spool", () -> syncEvery(syncInterval));
  }

  private static Thread thread(String name, Runnable work) {
    Thread thread = new Thread(() -> Suppression.run(work), name);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Opens a spool; threads of its own take over what other processes have left.
   *
   * @throws IOException where the folder can't be used
   */
  static Spool open(Path root, long maxBytes, Duration syncInterval, Guard guard)
      throws IOException {
    SpoolFolder folder = firstFree(root);
    if (!folder.keepsPermissions()) {
      logger.info(
          "{} keeps no POSIX permissions: who may read the folder may read the spool", root);
    }
    Spool spool = new Spool(root, folder, maxBytes, syncInterval, guard);
    spool.reader.start();
    spool.syncer.start();
    return spool;
  }

  private static SpoolFolder firstFree(Path root) throws IOException {
    // A link to a folder is one, and Java 17 would not have it.
    if (!Files.isDirectory(root)) {
      Files.createDirectories(root);
    }
    Exception first = null;
    for (int i = 0; i < MAX_SUBFOLDERS; i++) {
      try {
        SpoolFolder folder = SpoolFolder.claim(subfolder(root, i));
        if (folder != null) {
          return folder;
        }
      } catch (IOException | RuntimeException e) {
        first = first == null ? e : first;
      }
    }
    throw first == null
        ? new IOException("each of " + MAX_SUBFOLDERS + " subfolders is in use")
        : new IOException(first.toString(), first);
  }

  static Path subfolder(Path root, int number) {
    return root.resolve("spool-" + number);
  }

  private static long now() {
    return System.currentTimeMillis() * NANOS_OF_MILLI;
  }

  private Path path(SpoolFile file) {
    return folder.path().resolve(file.name());
  }

  SpoolFolder folder() {
    synchronized (lock) {
      return folder;
    }
  }

  /**
   * Does something with what is on disk, unless the spool is closed and another process may have
   * it.
   *
   * @return false if it is closed
   */
  boolean whileOpen(IoTask task) throws IOException {
    synchronized (lock) {
      if (!closed) {
        task.run(folder);
      }
      return !closed;
    }
  }

  @FunctionalInterface
  interface IoTask {
    void run(SpoolFolder folder) throws IOException;
  }

  /** Whether this process has named it, and not one before. */
  boolean isOwn(String name) {
    synchronized (lock) {
      return SpoolFile.isBetween(name, openTime, time);
    }
  }

  /**
   * Takes over what a process before has left.
   *
   * @return those of its requests that were not settled
   */
  List<Entry> adopt(SpoolFile file, List<SpoolFile.Slot> slots) {
    synchronized (lock) {
      for (SpoolFile.Slot slot : slots) {
        if (slot.status() != SpoolFile.SETTLED) {
          Entry unused = new Entry(file, slot.at(), slot.items(), slot.status() != SpoolFile.WAITS);
        }
      }
      List<Entry> entries = List.copyOf(file.waiting);
      bytes += folder.onDisk(file.size());
      files.put(file.key(), file);
      if (entries.isEmpty()) {
        leave(file);
      }
      return entries;
    }
  }

  /** All that processes before have left is known. */
  void adopted() {
    synchronized (lock) {
      if (!closed) {
        makeRoom(0);
      }
    }
  }

  /**
   * Hands over what was there at the start, the oldest first, once that is known, and counts it.
   *
   * @param then on a thread of the spool, or at once
   */
  void takeOver(Ledger of, Consumer<List<Entry>> then) {
    takeOver.handOver(of, then);
  }

  /**
   * Writes a request; the oldest make room for it. It counts nowhere until {@link Entry#countedBy}.
   *
   * @return null where that failed, which is logged now and then
   */
  @Nullable Entry write(
      String signal, int items, boolean compressed, byte[] message, int from, int length) {
    synchronized (lock) {
      long size = (long) SpoolFile.HEADER_BYTES + length;
      if (closed || length > SpoolFile.MAX_REQUEST_BYTES || folder.onDisk(size) > maxBytes) {
        return null;
      }
      try {
        replaceLostFolder();
        SpoolFile.Request request =
            new SpoolFile.Request(items, compressed, ByteBuffer.wrap(message, from, length));
        Entry added = append(signal, request);
        return added == null ? create(signal, request) : added;
      } catch (IOException | RuntimeException e) {
        guard.caught("Spool.write", e);
        return null;
      }
    }
  }

  /** Null if no file of the signal has room for it. */
  private @Nullable Entry append(String signal, SpoolFile.Request request) {
    SpoolFile file = current.get(signal);
    if (file == null || !file.hasRoomFor(request.size())) {
      return null;
    }
    long before = folder.onDisk(file.size());
    makeRoom(folder.onDisk(file.size() + request.size()) - before);
    if (!current.containsKey(signal)) {
      return null;
    }
    try {
      int at = file.append(folder.path(), request);
      bytes += folder.onDisk(file.size()) - before;
      unsynced.add(file);
      return new Entry(file, at, request.items(), false);
    } catch (IOException | RuntimeException e) {
      // Someone has deleted or moved it: the next one goes to a file of its own.
      current.remove(signal);
      return null;
    }
  }

  private Entry create(String signal, SpoolFile.Request request) throws IOException {
    makeRoom(folder.onDisk(request.size()));
    time = Math.max(time + 1, now());
    SpoolFile file = SpoolFile.of(time, signal, request.items());
    file.create(folder, request);
    bytes += folder.onDisk(file.size());
    files.put(file.key(), file);
    current.put(signal, file);
    unsynced.add(file);
    return new Entry(file, 0, request.items(), false);
  }

  /** Someone may delete the folder, and with it the lock: files of others may come there. */
  private void replaceLostFolder() throws IOException {
    if (folder.isThere()) {
      return;
    }
    long lost = 0;
    for (SpoolFile file : List.copyOf(files.values())) {
      for (Entry entry : file.waiting) {
        entry.gone = true;
        lost += entry.items;
        if (entry.ledger != null) {
          entry.ledger.spooledSettled(entry.items, entry.items, "the spool's folder was deleted");
        }
      }
      forget(file);
    }
    damage.forget();
    Path before = folder.path();
    folder.close();
    folder = firstFree(root);
    String told = lost + " spans, log records or metric points";
    guard.run(
        "Logger.warn",
        () ->
            logger.warn(
                "{} was deleted, and {} in it are lost; the spool goes on in {}",
                before,
                told,
                folder.path()));
  }

  private void makeRoom(long needed) {
    while (bytes + damage.bytes() + needed > maxBytes && damage.deleteOldest()) {
      // Those that can still be sent stay.
    }
    while (bytes + damage.bytes() + needed > maxBytes && !files.isEmpty()) {
      SpoolFile oldest = files.firstEntry().getValue();
      for (Entry entry : oldest.waiting) {
        entry.gone = true;
        if (entry.ledger != null) {
          entry.ledger.evicted(entry.items);
        }
      }
      oldest.waiting.clear();
      forget(oldest);
      delete(path(oldest));
    }
  }

  /** Nothing in it is to be sent any more. */
  private void leave(SpoolFile file) {
    if (file.damaged) {
      setAside(file);
    } else {
      forget(file);
      delete(path(file));
    }
  }

  private void forget(SpoolFile file) {
    if (files.remove(file.key(), file)) {
      bytes -= folder.onDisk(file.size());
    }
    current.remove(file.signal, file);
    unsynced.remove(file);
  }

  private void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      guard.caught("Spool.delete", e);
    }
  }

  /** Out of the way of the others, and still on the disk. */
  private void setAside(SpoolFile file) {
    forget(file);
    try {
      Path aside = folder.unused(file.name() + SpoolFile.DAMAGED);
      Files.move(path(file), aside);
      damage.keep(aside, folder);
    } catch (NoSuchFileException e) {
      // It was deleted, which is the damage.
    } catch (IOException e) {
      guard.caught("Spool.setAside", e);
    }
  }

  /** Bytes that the spool takes on the disk. */
  long bytes() {
    synchronized (lock) {
      return bytes + damage.bytes();
    }
  }

  private void syncEvery(Duration interval) {
    while (true) {
      synchronized (lock) {
        long until = System.nanoTime() + interval.toNanos();
        for (long left = interval.toNanos(); left > 0 && !closed; ) {
          try {
            lock.wait(left / NANOS_OF_MILLI + 1);
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
      } catch (IOException | RuntimeException e) {
        guard.caught("Spool.sync", e);
      }
    }
  }

  private void sync() throws IOException {
    List<Path> written;
    Path names;
    synchronized (lock) {
      written = unsynced.stream().map(this::path).toList();
      unsynced.clear();
      names = folder.path();
    }
    if (written.isEmpty()) {
      return;
    }
    for (Path file : written) {
      try (FileChannel channel = SpoolFile.open(file, StandardOpenOption.WRITE)) {
        channel.force(false);
      } catch (NoSuchFileException e) {
        // Delivered meanwhile, or longer and to be forced again.
      }
    }
    FileChannel channel;
    try {
      channel = FileChannel.open(names, StandardOpenOption.READ);
    } catch (IOException e) {
      // Not every system lets a folder be opened.
      return;
    }
    try (channel) {
      channel.force(true);
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
    }
    damage.log(true);
    try (SpoolFolder owned = folder()) {
      // It may hold another subfolder for a moment, which the next spool of this process would
      // miss.
      reader.join(READER_MILLIS);
      sync();
    } catch (IOException | RuntimeException e) {
      guard.caught("Spool.close", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
