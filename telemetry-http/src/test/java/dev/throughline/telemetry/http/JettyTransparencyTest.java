// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

/** {@link ServletTransparencyTest} on Jetty. */
class JettyTransparencyTest extends ServletTransparencyTest {

  JettyTransparencyTest() {
    super(WebApp.Container.JETTY);
  }
}
