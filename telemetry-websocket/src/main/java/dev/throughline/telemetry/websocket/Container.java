// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.Session;

/** The containers that treat annotated endpoints differently, and how each of them does. */
enum Container {
  /** Closes the session after each throw, and leaves path parameters encoded. */
  JETTY,

  /** Closes the session after a throw of the methods for opening and closing. */
  TOMCAT,

  /** Tells the endpoint alone of a throw, as the specification has it, and Tyrus, its reference. */
  OTHER;

  /** Whether it tells the endpoint alone of what a decoder threw, and goes on. */
  boolean goesOnAfter(Exception undecoded) {
    return (this == JETTY) == (undecoded instanceof RuntimeException);
  }

  static Container of(Session session) {
    Session containers = session instanceof TracedSession traced ? traced.session : session;
    String name = containers.getClass().getName();
    if (name.startsWith("org.eclipse.jetty.")) {
      return JETTY;
    }
    return name.startsWith("org.apache.tomcat.") ? TOMCAT : OTHER;
  }
}
