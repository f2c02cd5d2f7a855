// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

/** {@link Containers#TOMCAT}, with telemetry and without. */
class TomcatTransparencyTest extends TransparencyKit {

  @Override
  Containers containers() {
    return Containers.TOMCAT;
  }
}
