// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds what processes that ended have left in a spool. Any file there may be damaged, or another
 * thing than a file: it is set aside, and holds up no other.
 */
final class TakeOver {

  private static final Logger logger = LoggerFactory.getLogger(Delivery.class);

  private final Path root;
  private final Spool spool;
  private final Damage damage;
  private final Guard guard;

  // Below, all of this object's lock.
  private final Map<String, Left> left = new HashMap<>();
  private final List<Runnable> waiting = new ArrayList<>();
  private boolean complete;

  /** The requests of one signal that are left. */
  private static final class Left {

    final List<Spool.Entry> entries = new ArrayList<>();
    long lost;
  }

  TakeOver(Path root, Spool spool, Damage damage, Guard guard) {
    this.root = root;
    this.spool = spool;
    this.damage = damage;
    this.guard = guard;
  }

  /** Called once, on a thread that may wait for the disk. */
  void run() {
    // First: what is moved here may have names as this process gives them.
    forEach(
        spool.folder().path(),
        file -> {
          if (!spool.isOwn(name(file))) {
            take(file);
          }
        });
    List<String> unusable = new ArrayList<>();
    for (int i = 0; i < Spool.MAX_SUBFOLDERS; i++) {
      Path other = Spool.subfolder(root, i);
      try {
        if (Files.exists(other, LinkOption.NOFOLLOW_LINKS)) {
          takeFrom(other);
        }
      } catch (IOException | RuntimeException e) {
        unusable.add(name(other) + ", " + Damage.words(e));
      }
    }
    logUnusable(unusable);
    spool.adopted();
    damage.log(false);
    List<Runnable> works;
    synchronized (this) {
      complete = true;
      works = List.copyOf(waiting);
      waiting.clear();
    }
    works.forEach(work -> guard.run("Spool.takeOver", work));
  }

  private void logUnusable(List<String> unusable) {
    if (!unusable.isEmpty()) {
      guard.run(
          "Logger.warn",
          () ->
              logger.warn(
                  "{} subfolders of the spool {} can't be used and are left as they are; the first"
                      + " is {}",
                  unusable.size(),
                  root,
                  unusable.get(0)));
    }
  }

  @FunctionalInterface
  private interface Taker {
    void take(Path file) throws IOException;
  }

  private void forEach(Path folder, Taker taker) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder)) {
      for (Path file : found) {
        if (!spool.whileOpen(in -> {})) {
          return;
        }
        try {
          taker.take(file);
        } catch (NoSuchFileException e) {
          // Meanwhile it was delivered, or has another name.
        } catch (IOException | RuntimeException e) {
          guard.caught("Spool.takeOver", e);
        }
      }
    } catch (IOException | RuntimeException e) {
      guard.caught("Spool.takeOver", e);
    }
  }

  private void takeFrom(Path other) throws IOException {
    try (SpoolFolder claimed = SpoolFolder.claim(other)) {
      if (claimed != null) {
        forEach(claimed.path(), this::move);
      }
    }
  }

  private void move(Path file) throws IOException {
    String name = name(file);
    if (!SpoolFile.isOfSpool(name)) {
      return;
    }
    List<Path> moved = new ArrayList<>();
    spool.whileOpen(
        here -> {
          Path path = here.unused(name);
          Files.move(file, path);
          moved.add(path);
        });
    for (Path path : moved) {
      take(path);
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private void take(Path path) throws IOException {
    String name = name(path);
    if (name.endsWith(SpoolFile.UNFINISHED)) {
      // A write that ended in the middle.
      spool.whileOpen(here -> Files.delete(path));
    } else if (name.endsWith(SpoolFile.DAMAGED)) {
      spool.whileOpen(here -> damage.keep(path, here));
    } else if (name.endsWith(SpoolFile.SUFFIX)) {
      takeFile(path, name);
    }
  }

  private void takeFile(Path path, String name) throws IOException {
    SpoolFile named = SpoolFile.named(name);
    SpoolFile file = named == null ? SpoolFile.odd(name) : named;
    List<SpoolFile.Slot> slots = List.of();
    IOException why = named == null ? new IOException("no spool gives such a name") : null;
    if (why == null) {
      try {
        slots = file.scan(path);
      } catch (NoSuchFileException e) {
        throw e;
      } catch (IOException e) {
        why = e;
      }
    }
    long read = slots.stream().mapToLong(SpoolFile.Slot::items).sum();
    long lost = Math.max(0, file.items() - read);
    if (lost > 0 && why == null) {
      why = new IOException("it is torn");
    }
    adopt(file, slots, lost, why);
  }

  private void adopt(
      SpoolFile file, List<SpoolFile.Slot> slots, long lost, @Nullable IOException why)
      throws IOException {
    spool.whileOpen(
        here -> {
          if (why != null) {
            damage.found(file, lost, why);
          }
          List<Spool.Entry> entries = spool.adopt(file, slots);
          synchronized (this) {
            Left ofSignal = left.computeIfAbsent(file.signal, signal -> new Left());
            ofSignal.entries.addAll(entries);
            ofSignal.lost += lost;
          }
        });
  }

  /** As {@link Spool#takeOver}. */
  void handOver(Ledger of, Consumer<List<Spool.Entry>> then) {
    of.awaitTakeOver();
    Runnable work = () -> handOverNow(of, then);
    synchronized (this) {
      if (!complete) {
        waiting.add(work);
        return;
      }
    }
    work.run();
  }

  private void handOverNow(Ledger of, Consumer<List<Spool.Entry>> then) {
    Left found;
    synchronized (this) {
      found = left.remove(of.signal());
    }
    List<Spool.Entry> entries = found == null ? new ArrayList<>() : found.entries;
    long lost = found == null ? 0 : found.lost;
    entries.sort(Comparator.comparing(Spool.Entry::fileKey));
    of.takenOver(lost + entries.stream().mapToLong(Spool.Entry::items).sum());
    if (lost > 0) {
      of.spooledSettled(lost, lost, Damage.REASON);
    }
    entries.forEach(entry -> entry.countedBy(of));
    then.accept(entries);
  }
}
