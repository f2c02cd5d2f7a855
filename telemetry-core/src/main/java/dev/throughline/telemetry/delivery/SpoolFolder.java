// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A subfolder of a spool that nobody else uses until it is closed, no other user, process or part
 * of this process.
 */
final class SpoolFolder implements AutoCloseable {

  private static final Set<PosixFilePermission> PRIVATE_FILE =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> PRIVATE_FOLDER =
      PosixFilePermissions.fromString("rwx------");
  private static final FileAttribute<?>[] NONE = {};
  private static final long COMMON_BLOCK_BYTES = 4096;
  private static final long MAX_BLOCK_BYTES = 1 << 16;

  // A process that closes any channel of a file gives up the lock that it has on that file.
  private static final Map<Path, FileChannel> OPENED = new HashMap<>();

  private final Path path;
  private final FileChannel lock;
  private boolean keepsPermissions;
  private long blockBytes;
  private @Nullable Object fileKey;

  private SpoolFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Takes a subfolder, which is made if there is none.
   *
   * @return null if another process, or another part of this one, has it
   * @throws IOException if it can't be used, or someone else could have made it
   */
  static @Nullable SpoolFolder claim(Path subfolder) throws IOException {
    create(subfolder);
    if (!Files.isDirectory(subfolder, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException("it is no folder");
    }
    SpoolFolder claimed = locked(subfolder.toRealPath());
    if (claimed != null) {
      try {
        claimed.probe();
      } catch (IOException | RuntimeException e) {
        claimed.close();
        throw e;
      }
    }
    return claimed;
  }

  private static void create(Path subfolder) throws IOException {
    try {
      Files.createDirectory(subfolder, PosixFilePermissions.asFileAttribute(PRIVATE_FOLDER));
    } catch (UnsupportedOperationException e) {
      Files.createDirectories(subfolder);
    } catch (FileAlreadyExistsException e) {
      // As it should be after the first time.
    }
  }

  private static @Nullable SpoolFolder locked(Path path) throws IOException {
    Path lockFile = path.resolve("lock");
    synchronized (OPENED) {
      if (OPENED.containsKey(path)) {
        return null;
      }
      if (Files.exists(lockFile, LinkOption.NOFOLLOW_LINKS)
          && !Files.isRegularFile(lockFile, LinkOption.NOFOLLOW_LINKS)) {
        // No process can hold it, and what is left here waits behind it.
        Files.delete(lockFile);
      }
      FileChannel file =
          FileChannel.open(
              lockFile,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              LinkOption.NOFOLLOW_LINKS);
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
          OPENED.put(path, file);
        }
      }
      return held == null ? null : new SpoolFolder(path, file);
    }
  }

  /** Writes a file, which tells who this process is to the file store, and what that keeps. */
  private void probe() throws IOException {
    Path probe = path.resolve("probe" + SpoolFile.UNFINISHED);
    Files.deleteIfExists(probe);
    try {
      Files.createFile(probe, PosixFilePermissions.asFileAttribute(PRIVATE_FILE));
      keepsPermissions = Files.getPosixFilePermissions(probe).equals(PRIVATE_FILE);
    } catch (UnsupportedOperationException e) {
      Files.createFile(probe);
    }
    try {
      if (!owner(probe).equals(owner(path))) {
        throw new IOException("it belongs to another user");
      }
      if (keepsPermissions) {
        Files.setPosixFilePermissions(path, PRIVATE_FOLDER);
        Files.setPosixFilePermissions(path.resolve("lock"), PRIVATE_FILE);
      }
    } finally {
      Files.deleteIfExists(probe);
    }
    blockBytes = blockBytes();
    fileKey = fileKey(path);
  }

  private long blockBytes() {
    try {
      long bytes = Files.getFileStore(path).getBlockSize();
      // A file system of the network may tell how much it transfers at once.
      return bytes > 0 && bytes <= MAX_BLOCK_BYTES ? bytes : COMMON_BLOCK_BYTES;
    } catch (IOException | UnsupportedOperationException e) {
      return COMMON_BLOCK_BYTES;
    }
  }

  private static Object owner(Path path) throws IOException {
    try {
      return Files.getOwner(path, LinkOption.NOFOLLOW_LINKS);
    } catch (UnsupportedOperationException e) {
      return "nobody is told";
    }
  }

  Path path() {
    return path;
  }

  /** False if someone has deleted it, also where another has its name by now. */
  boolean isThere() {
    try {
      return Objects.equals(fileKey, fileKey(path));
    } catch (IOException e) {
      return false;
    }
  }

  private static @Nullable Object fileKey(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  /** That name, or one that is much like it and not in use. */
  Path unused(String name) {
    int dot = name.lastIndexOf('.');
    Path free = path.resolve(name);
    for (int i = 1; Files.exists(free, LinkOption.NOFOLLOW_LINKS); i++) {
      free = path.resolve(name.substring(0, dot) + '-' + i + name.substring(dot));
    }
    return free;
  }

  /** Whether other users can be kept from what is written here. */
  boolean keepsPermissions() {
    return keepsPermissions;
  }

  /** The attributes of a new file. */
  FileAttribute<?>[] attributes() {
    return keepsPermissions
        ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PRIVATE_FILE)}
        : NONE;
  }

  /** The bytes that the disk takes for so many: whole blocks. */
  long onDisk(long bytes) {
    return (bytes + blockBytes - 1) / blockBytes * blockBytes;
  }

  @Override
  public void close() throws IOException {
    synchronized (OPENED) {
      OPENED.remove(path, lock);
      lock.close();
    }
  }
}
