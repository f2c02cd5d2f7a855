// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A MariaDB server of its own, in a folder of its own, where the machine has its programs. */
final class MariaDb implements AutoCloseable {

  static final String USER = "fleet";
  static final String PASSWORD = "kit-secret";

  private final Process server;
  private final int port;

  private MariaDb(Process server, int port) {
    this.server = server;
    this.port = port;
  }

  /** Whether the server and what makes its folder are there; Debian's package is mariadb-server. */
  static boolean isInstalled() {
    return program("mariadbd").isPresent() && program("mariadb-install-db").isPresent();
  }

  private static Optional<Path> program(String name) {
    return Stream.concat(
            Stream.of(System.getenv().getOrDefault("PATH", "").split(":")),
            Stream.of("/usr/sbin", "/usr/bin", "/usr/local/bin"))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  static MariaDb start(Path folder) throws Exception {
    Path data = folder.resolve("data");
    Process made =
        run(
            folder,
            "mariadb-install-db",
            "--no-defaults",
            "--datadir=" + data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db");
    if (!made.waitFor(3, TimeUnit.MINUTES) || made.exitValue() != 0) {
      made.destroyForcibly();
      throw new IOException("no data folder: " + Files.readString(folder.resolve("log")));
    }
    Path first =
        Files.writeString(
            folder.resolve("first.sql"),
            """
            CREATE DATABASE fleet;
            CREATE USER '%1$s'@'localhost' IDENTIFIED BY '%2$s';
            GRANT ALL ON *.* TO '%1$s'@'localhost';
            CREATE USER '%1$s'@'127.0.0.1' IDENTIFIED BY '%2$s';
            GRANT ALL ON *.* TO '%1$s'@'127.0.0.1';
            """
                .formatted(USER, PASSWORD));
    // A port that is bound is given to nobody who asks for any, and the server takes it all the
    // same: both reuse addresses, and only one listens.
    try (Socket bound = new Socket()) {
      bound.setReuseAddress(true);
      bound.bind(new InetSocketAddress("127.0.0.1", 0));
      int port = bound.getLocalPort();
      Process server =
          run(
              folder,
              "mariadbd",
              "--no-defaults",
              "--datadir=" + data,
              "--port=" + port,
              "--bind-address=127.0.0.1",
              "--socket=" + folder.resolve("s"),
              "--pid-file=" + folder.resolve("pid"),
              "--init-file=" + first,
              "--skip-log-bin",
              "--innodb-buffer-pool-size=16M",
              "--innodb-flush-log-at-trx-commit=0");
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
      while (!listens(port)) {
        if (server.waitFor(50, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
          server.destroyForcibly();
          throw new IOException("does not start: " + Files.readString(folder.resolve("log")));
        }
      }
      return new MariaDb(server, port);
    }
  }

  private static Process run(Path folder, String name, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program(name).orElseThrow().toString()));
    command.addAll(List.of(arguments));
    if (System.getProperty("user.name").equals("root")) {
      command.add("--user=root");
    }
    return new ProcessBuilder(command)
        .directory(folder.toFile())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
        .start();
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress("127.0.0.1", port), 1_000);
      return socket.getInputStream().read() >= 0;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * A URL of it.
   *
   * @param driver mariadb or mysql
   */
  String url(String driver) {
    return "jdbc:%s://127.0.0.1:%d/fleet?user=%s&password=%s"
        .formatted(driver, port, USER, PASSWORD);
  }

  int port() {
    return port;
  }

  @Override
  public void close() throws InterruptedException {
    server.destroy();
    if (!server.waitFor(30, TimeUnit.SECONDS)) {
      server.destroyForcibly();
    }
  }
}
