// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.testing.TelemetryExtension;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.Context;
import org.apache.catalina.Globals;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tomcat's servlet for files leaves a large one to the kernel, which it does for its own request.
 */
class TomcatFilesTest {

  @RegisterExtension static final TelemetryExtension telemetry = TelemetryExtension.create();

  private static final int SIZE = 1_000_000;

  @TempDir private Path folder;

  @Test
  void aLargeFileIsSentByTheKernel() throws Exception {
    Path files = Files.createDirectory(folder.resolve("files"));
    Files.write(files.resolve("large.bin"), new byte[SIZE]);
    BlockingQueue<Object> sentByKernel = new LinkedBlockingQueue<>();
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(folder.toString());
    tomcat.setHostname("localhost");
    tomcat.setPort(0);
    tomcat.getConnector();
    Context context = tomcat.addContext("", files.toString());
    Tomcat.addServlet(context, "default", new DefaultServlet()).setAsyncSupported(true);
    context.addServletMapping("/", "default", false);
    context.addServletContainerInitializer(
        (classes, servletContext) -> {
          servletContext
              .addFilter(
                  "kernel",
                  (request, response, chain) -> {
                    chain.doFilter(request, response);
                    sentByKernel.add(
                        String.valueOf(request.getAttribute(Globals.SENDFILE_FILENAME_ATTR)));
                  })
              .addMappingForUrlPatterns(null, false, "/*");
          HttpTelemetry.create(telemetry.telemetry()).configure(servletContext);
        },
        Set.of());
    tomcat.start();
    try {
      assertThat(length(tomcat.getConnector().getLocalPort())).isGreaterThan(SIZE);
    } finally {
      tomcat.stop();
      tomcat.destroy();
    }
    assertThat(sentByKernel.poll(30, TimeUnit.SECONDS)).asString().endsWith("large.bin");
    assertThat(telemetry.takeSpan().getName()).isEqualTo("GET");
  }

  private static int length(int port) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(30_000);
      socket
          .getOutputStream()
          .write(
              "GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                  .getBytes(ISO_8859_1));
      InputStream in = socket.getInputStream();
      return in.readAllBytes().length;
    }
  }
}
