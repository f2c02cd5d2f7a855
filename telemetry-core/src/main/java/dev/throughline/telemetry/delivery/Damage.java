// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import dev.throughline.telemetry.instrument.Guard;
import dev.throughline.telemetry.instrument.Printable;
import dev.throughline.telemetry.instrument.Throttle;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of a spool that are not what was written: set aside under another name for who wants to
 * look into them, while there is room. Of the spool's lock, but for the log.
 */
final class Damage {

  static final String REASON = "a file of the spool is damaged";

  private static final Logger logger = LoggerFactory.getLogger(Delivery.class);

  private final Path root;
  private final Guard guard;
  private final Throttle throttle = new Throttle();
  private final Map<Path, Long> files = new LinkedHashMap<>();
  private long bytes;
  private Found found = Found.NONE;

  /** The damage that is not told yet. */
  private record Found(int files, long items, String first) {

    static final Found NONE = new Found(0, 0, "");
  }

  Damage(Path root, Guard guard) {
    this.root = root;
    this.guard = guard;
  }

  /**
   * Notes that a file is damaged.
   *
   * @param items how many are lost
   */
  synchronized void found(SpoolFile file, long items, Exception why) {
    boolean isNew = !file.damaged;
    file.damaged = true;
    found =
        new Found(
            found.files + (isNew ? 1 : 0),
            found.items + items,
            found.first.isEmpty() ? Printable.of(file.name()) + ": " + words(why) : found.first);
  }

  /** For the log: names may be a stranger's. */
  static String words(Exception e) {
    String message = e.getMessage();
    return Printable.of(
        message == null || e instanceof FileSystemException ? String.valueOf(e) : message);
  }

  /** Counts a file that was set aside; what takes no room, e.g. a link, stays for ever. */
  void keep(Path path, SpoolFolder folder) throws IOException {
    BasicFileAttributes kept =
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (kept.isRegularFile() && kept.size() > 0) {
      long onDisk = folder.onDisk(kept.size());
      if (files.put(path, onDisk) == null) {
        bytes += onDisk;
      }
    }
  }

  long bytes() {
    return bytes;
  }

  /** Makes room; false if there is none to be made. */
  boolean deleteOldest() {
    Iterator<Map.Entry<Path, Long>> oldest = files.entrySet().iterator();
    if (!oldest.hasNext()) {
      return false;
    }
    Map.Entry<Path, Long> file = oldest.next();
    oldest.remove();
    bytes -= file.getValue();
    try {
      Files.deleteIfExists(file.getKey());
    } catch (IOException e) {
      guard.caught("Spool.delete", e);
    }
    return true;
  }

  /** Someone else has deleted them all. */
  void forget() {
    files.clear();
    bytes = 0;
  }

  /** At most once a minute, unless it is the last time. */
  void log(boolean last) {
    Found told;
    synchronized (this) {
      if (found.first.isEmpty() || !(throttle.mayLog() || last)) {
        return;
      }
      told = found;
      found = Found.NONE;
    }
    guard.run(
        "Logger.warn",
        () ->
            logger.warn(
                "Files of the spool {} are damaged, and set aside as *.damaged while there is room:"
                    + " {}, with {} spans, log records or metric points that are lost; the first"
                    + " is {}",
                root,
                told.files,
                told.items,
                told.first));
  }
}
