// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A TCP port on the loopback interface, with a thread for each connection. */
final class TcpPort implements AutoCloseable {

  /** What is said on one connection; it is closed afterwards. */
  @FunctionalInterface
  interface Conversation {
    void hold(Socket connection) throws IOException;
  }

  private static final Logger LOGGER = LoggerFactory.getLogger(TcpPort.class);

  private final String name;
  private final Conversation conversation;
  private final ServerSocket listener;
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();

  private TcpPort(String name, Conversation conversation, ServerSocket listener) {
    this.name = name;
    this.conversation = conversation;
    this.listener = listener;
  }

  /** Listens on a free port. */
  static TcpPort open(String name, Conversation conversation) throws IOException {
    TcpPort port =
        new TcpPort(name, conversation, new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
    port.startThread(name, port::accept);
    return port;
  }

  int number() {
    return listener.getLocalPort();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket connection = listener.accept();
        connections.add(connection);
        if (listener.isClosed()) {
          connection.close(); // close() may have passed the connections before this one was there
        }
        startThread(name + "-" + connection.getPort(), () -> converse(connection));
      } catch (IOException e) {
        if (!listener.isClosed()) {
          LOGGER.warn("{} could not accept a connection", name, e);
        }
      }
    }
  }

  private void converse(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      conversation.hold(connection);
    } catch (IOException | UncheckedIOException e) {
      LOGGER.debug("{}: the other side left", name, e);
    } finally {
      connections.remove(connection);
    }
  }

  private void startThread(String threadName, Runnable work) {
    Thread thread = new Thread(work, threadName);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket connection : connections) {
      connection.close();
    }
  }
}
