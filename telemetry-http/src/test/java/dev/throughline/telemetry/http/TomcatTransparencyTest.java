// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

/** {@link ServletTransparencyTest} on Tomcat. */
class TomcatTransparencyTest extends ServletTransparencyTest {

  TomcatTransparencyTest() {
    super(WebApp.Container.TOMCAT);
  }
}
