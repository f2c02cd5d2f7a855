// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import java.util.Locale;

/** The protocol that a server's power is switched with. */
public enum BmcType {
  /** IPMI over UDP. */
  IPMI,
  /** Redfish over HTTP. */
  REDFISH;

  /** As it stands in attributes and baggage, e.g. {@code ipmi}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
