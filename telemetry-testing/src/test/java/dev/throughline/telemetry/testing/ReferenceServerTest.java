// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import java.net.URI;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;

/** The server kit on the least adapter for the JDK's server. */
class ReferenceServerTest extends HttpServerKit {

  static final String NO_ASYNC = "The JDK's server answers on the thread that took the request";

  private final ReferenceServer server = new ReferenceServer(fault());

  ReferenceServer.Fault fault() {
    return ReferenceServer.Fault.NONE;
  }

  @Override
  protected URI start(Setup setup) throws Exception {
    return server.start(setup);
  }

  @Override
  protected void stop() {
    server.stop();
  }

  @Override
  protected String route(String path) {
    return ReferenceServer.route(path);
  }

  @Override
  @Test
  @Disabled(NO_ASYNC)
  protected void anAsynchronousAnswerEndsTheSpan() {}

  @Override
  @Test
  @Disabled(NO_ASYNC)
  protected void echoesTheRequestIdOfAnAsynchronousAnswer() {}

  @Override
  @Test
  @Disabled(NO_ASYNC)
  protected void anAsynchronousDispatchIsOneSpan() {}

  @Override
  @Test
  @Disabled(NO_ASYNC)
  protected void anAsynchronousTimeoutIsAnError() {}

  @Override
  @Test
  @Disabled("The JDK's server hands no request on")
  protected void aForwardIsOneSpan() {}
}
