// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.net.URI;
import java.nio.file.Path;
import java.util.Set;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.io.TempDir;

class TomcatServerTest extends ServletKit {

  @TempDir private Path base;
  private Tomcat tomcat;

  @Override
  protected URI start(Setup setup) throws Exception {
    tomcat = new Tomcat();
    tomcat.setBaseDir(base.toString());
    tomcat.setHostname("localhost");
    tomcat.setPort(0);
    tomcat.getConnector();
    Context context = tomcat.addContext("", null);
    servlets(setup)
        .forEach(
            (pattern, servlet) -> {
              Wrapper wrapper = Tomcat.addServlet(context, pattern, servlet);
              wrapper.setAsyncSupported(true);
              context.addServletMapping(pattern, pattern, false);
            });
    HttpTelemetry http = http(setup);
    if (http != null) {
      context.addServletContainerInitializer(
          (classes, servletContext) -> http.configure(servletContext), Set.of());
    }
    tomcat.start();
    return URI.create("http://localhost:" + tomcat.getConnector().getLocalPort());
  }

  @Override
  protected void stop() throws Exception {
    tomcat.stop();
    tomcat.destroy();
  }
}
