// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static dev.throughline.telemetry.websocket.WebSocketKit.sessions;
import static dev.throughline.telemetry.websocket.WebSocketKit.whole;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.throughline.telemetry.testing.TelemetryExtension;
import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class JdkAloneTest {

  @RegisterExtension final TelemetryExtension telemetry = TelemetryExtension.create();

  @Test
  void theJdksClientNeedsNoJakartaWebSocket() throws Exception {
    List<URL> classPath = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (!entry.matches(".*(jakarta|tyrus|tomcat|jetty|grizzly|servlet).*\\.jar")) {
        classPath.add(Path.of(entry).toUri().toURL());
      }
    }
    WebSocketTelemetry webSockets = WebSocketTelemetry.create(telemetry.telemetry());
    try (Containers.Running server =
            Containers.JETTY.start(
                List.of(
                    webSockets.wrap(
                        Scripted.on(
                                session ->
                                    session.addMessageHandler(
                                        String.class,
                                        whole(text -> WebSocketKit.send(session, "echo " + text))))
                            .at("/s"))),
                null);
        URLClassLoader loader =
            new URLClassLoader(
                classPath.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
      assertThatThrownBy(() -> loader.loadClass("jakarta.websocket.Session"))
          .isInstanceOf(ClassNotFoundException.class);
      Class<?> client = loader.loadClass(JdkAlone.class.getName());
      assertThat(client.getClassLoader()).isSameAs(loader);
      Thread.currentThread().setContextClassLoader(loader);
      assertThat(
              client.getMethod("exchange", String.class).invoke(null, server.uri("/s").toString()))
          .isEqualTo("echo hello");
    } finally {
      Thread.currentThread().setContextClassLoader(getClass().getClassLoader());
    }
    // The server's: both upgrade and session, and the message that came in an envelope.
    telemetry.takeSpans(all -> all.size() == 3 && sessions(all).size() == 1);
  }
}
