// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** How long a service's {@code main()} stays. */
public final class Lifetime {

  /**
   * Set for a service that ends when its standard input does. Whoever started it closes that to end
   * it, and can't leave it behind: the system closes it when the starter is gone.
   */
  public static final String ENDS_WITH_INPUT = "fleet.endsWithInput";

  private Lifetime() {}

  /** Says that the service listens, and stays until it is to end. */
  public static void run(String service, Map<String, Integer> ports)
      throws IOException, InterruptedException {
    System.out.println(new ReadyLine(service, ports));
    System.out.flush();
    if (Boolean.getBoolean(ENDS_WITH_INPUT)) {
      System.in.transferTo(OutputStream.nullOutputStream());
    } else {
      new CountDownLatch(1).await();
    }
  }
}
