// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import dev.throughline.examples.service.Arguments;
import dev.throughline.examples.service.JsonServer;
import dev.throughline.examples.service.Lifetime;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import dev.throughline.telemetry.logging.LoggingTelemetry;
import dev.throughline.telemetry.metrics.MetricsTelemetry;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;

/**
 * A simulated baseboard management controller: the small computer beside a server's mainboard that
 * switches its power and shows its screen and serial console, also while the server is off. It
 * listens on free ports, and takes its time before each answer as real ones do.
 */
public final class Bmc implements AutoCloseable {

  private static final String SERVICE = "bmc";

  private final ResponseDelay delay;
  private final IpmiPort ipmi;
  private final TcpPort vnc;
  private final TcpPort serial;
  private final JsonServer redfish;

  /** A BMC that listens. */
  public Bmc(Telemetry telemetry, Duration responseDelay) throws IOException {
    delay = new ResponseDelay(responseDelay);
    PowerSupply power = new PowerSupply(delay);
    ipmi = IpmiPort.open(power, delay);
    vnc = TcpPort.open("vnc", new VncScreen(power, delay));
    serial = TcpPort.open("serial", new SerialConsole(power, delay));
    redfish = new JsonServer(HttpTelemetry.create(telemetry), 0, RedfishError::body);
    RedfishService.Ports ports =
        new RedfishService.Ports(ipmi.number(), vnc.number(), serial.number());
    new RedfishService(power, delay, ports).addTo(redfish);
    redfish.start();
  }

  /** Runs until it is stopped. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Arguments arguments = new Arguments(args, "delay-millis");
    Duration delay = Duration.ofMillis(arguments.number("delay-millis", 0));
    MetricsTelemetry metrics = MetricsTelemetry.create();
    try (Telemetry telemetry = Telemetry.init(SERVICE, metrics)) {
      LoggingTelemetry.create(telemetry).install(); // each line of the log names its trace
      try (Bmc bmc = new Bmc(telemetry, delay)) {
        bmc.redfish.mount("/metrics", metrics.createHttpHandler());
        Lifetime.run(SERVICE, bmc.ports());
      }
    }
  }

  /** How long it takes before each answer, from now on. */
  public void responseDelay(Duration responseDelay) {
    delay.set(responseDelay);
  }

  /** Where Redfish answers; all other ports are found there. */
  public URI redfish() {
    return redfish.uri();
  }

  Map<String, Integer> ports() {
    return Map.of(
        "redfish", redfish.port(),
        "ipmi", ipmi.number(),
        "vnc", vnc.number(),
        "serial", serial.number());
  }

  @Override
  public void close() throws IOException {
    redfish.close();
    ipmi.close();
    vnc.close();
    serial.close();
  }
}
