// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.examples.auth.Secrets;
import dev.throughline.examples.auth.Tokens;
import dev.throughline.examples.cli.Cli;
import dev.throughline.examples.fleet.TelemetryStore.ReceivedLog;
import dev.throughline.examples.fleet.TelemetryStore.ReceivedMetric;
import dev.throughline.examples.service.Arguments;
import dev.throughline.examples.service.ReadyLine;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Starts the fleet, each service in a process of its own, runs its jobs, and prints the trace of
 * each as it came in over OTLP.
 */
public final class Fleet {

  private static final String USAGE =
      """
      fleet [--once] [--bmc-delay=MILLIS] [--env=PROCESS:NAME=VALUE]
        --once       end after the jobs: with 0 where each trace is whole, else with 1
        --bmc-delay  how long the hardware takes before each answer; 200 by default
        --env        a variable of bmc, agent, gateway, manager or cli alone
      """;
  private static final String SERVER = "srv-1";
  private static final String DATACENTER = "ber1";
  private static final Duration TRACE_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration QUIET = Duration.ofSeconds(2);
  private static final int LONGEST_WORK_IN_DELAYS = 6;

  private final boolean once;
  private final int bmcDelayMillis;
  private final @Nullable Variable variable;
  private final Destination destination;
  private final PrintStream out;
  private final Map<String, String> secrets =
      Map.of(Secrets.TOKEN_KEY, secret(), Secrets.PASSWORD, secret());

  private Fleet(Arguments arguments, Destination destination, PrintStream out) {
    once = arguments.get("once") != null;
    bmcDelayMillis = arguments.number("bmc-delay", 200);
    String given = arguments.get("env");
    variable = given == null ? null : Variable.parse(given);
    this.destination = destination;
    this.out = out;
  }

  /** Runs the fleet. */
  public static void main(String[] args) throws InterruptedException {
    // The tree's lines are no ASCII, whatever the terminal's language.
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
    System.exit(run(args, out));
  }

  private static int run(String[] args, PrintStream out) throws InterruptedException {
    try {
      Arguments arguments = new Arguments(args, "once", "bmc-delay", "env");
      return new Fleet(arguments, Destination.of(System.getenv()), out).run();
    } catch (IllegalArgumentException e) {
      out.print(e.getMessage() + "\n\n" + USAGE);
      return 2;
    } catch (IOException e) {
      out.println("The fleet failed: " + e.getMessage());
      return 1;
    }
  }

  private int run() throws IOException, InterruptedException {
    try (OtlpReceiver receiver = destination.isOwn() ? new OtlpReceiver() : null) {
      boolean whole = true;
      try (Processes processes = new Processes(out)) {
        URI manager = startServices(processes, receiver);
        for (Job job : Job.all(SERVER)) {
          whole &= run(job, manager, processes, receiver);
        }
        if (!once) {
          stay(manager, receiver);
        }
      }
      if (receiver != null) {
        printMetrics(receiver.store().metrics());
        printLogs(receiver.store().logs());
      }
      return whole ? 0 : 1;
    }
  }

  /** Each needs the address of the one before. */
  private URI startServices(Processes processes, @Nullable OtlpReceiver receiver)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    ReadyLine bmc =
        processes.startService(
            Role.BMC, environment(Role.BMC, receiver), "--delay-millis=" + bmcDelayMillis);
    ReadyLine gateway =
        processes.startService(
            Role.GATEWAY, environment(Role.GATEWAY, receiver), "--datacenter=" + DATACENTER);
    ReadyLine agent =
        processes.startService(
            Role.AGENT,
            environment(Role.AGENT, receiver),
            "--server=" + SERVER + ",ipmi," + bmc.uri("redfish"),
            "--gateway=" + gateway.uri("grpc"));
    ReadyLine manager =
        processes.startService(
            Role.MANAGER,
            environment(Role.MANAGER, receiver),
            "--server=" + SERVER + "," + DATACENTER + "," + gateway.uri("http"));
    out.printf(
        Locale.ROOT,
        "The fleet is up after %.1f s. %s%n",
        (System.nanoTime() - start) / 1e9,
        where(receiver));
    for (ReadyLine service : List.of(manager, gateway, agent, bmc)) {
      out.println("  " + service);
    }
    return manager.uri("http");
  }

  private String where(@Nullable OtlpReceiver receiver) {
    if (destination.off() != null) {
      return "Telemetry is off (" + destination.off() + ").";
    }
    return receiver == null
        ? "Telemetry goes to " + destination.endpoint() + "."
        : "Telemetry comes in at " + receiver.endpoint() + ".";
  }

  private Map<String, String> environment(Role role, @Nullable OtlpReceiver receiver) {
    String endpoint = receiver == null ? null : receiver.endpoint();
    Map<String, String> environment = destination.environment(role, endpoint);
    environment.putAll(secrets);
    if (variable != null && variable.role() == role) {
      environment.put(variable.name(), variable.value());
    }
    return environment;
  }

  private boolean run(Job job, URI manager, Processes processes, @Nullable OtlpReceiver receiver)
      throws IOException, InterruptedException {
    out.printf("%n%s: cli %s%n", job.title(), String.join(" ", job.command()));
    List<String> arguments = new ArrayList<>(job.command());
    arguments.add("--manager=" + manager);
    Processes.Result result = processes.run(Role.CLI, environment(Role.CLI, receiver), arguments);
    result.lines().forEach(line -> out.println("  " + line));
    List<String> gaps = new ArrayList<>();
    if (result.exitCode() != 0) {
      gaps.add("the client ended with " + result.exitCode());
    }
    if (receiver == null) {
      out.println(
          destination.off() == null
              ? "  sent to " + destination.endpoint()
              : "  not traced: " + destination.off());
    } else {
      gaps.addAll(printTrace(job, result.lines(), receiver));
    }
    gaps.forEach(gap -> out.println("NOT WHOLE: " + gap));
    return gaps.isEmpty();
  }

  private List<String> printTrace(Job job, List<String> lines, OtlpReceiver receiver)
      throws InterruptedException {
    String traceId =
        lines.stream()
            .filter(line -> line.startsWith(Cli.TRACE))
            .map(line -> line.substring(Cli.TRACE.length()))
            .findFirst()
            .orElse(null);
    if (traceId == null) {
      return List.of("the client named no trace");
    }
    TraceTree tree =
        new TraceTree(receiver.store().awaitTrace(traceId, job.trace()::isMet, TRACE_TIMEOUT));
    out.print("\n" + TreePrinter.print(tree));
    return job.trace().gaps(tree);
  }

  private void printMetrics(List<ReceivedMetric> metrics) {
    Map<String, Set<String>> services = new TreeMap<>();
    for (ReceivedMetric metric : metrics) {
      services.computeIfAbsent(metric.name(), name -> new TreeSet<>()).add(metric.service());
    }
    out.println("\nMetrics came in as well:");
    services.forEach((name, from) -> out.println("  " + name + "  " + String.join(", ", from)));
  }

  private void printLogs(List<ReceivedLog> logs) {
    Map<String, Integer> services = new TreeMap<>();
    logs.forEach(log -> services.merge(log.service(), 1, Integer::sum));
    if (!services.isEmpty()) {
      out.println("\nLog records came in as well:");
      services.forEach((service, count) -> out.println("  " + count + " of " + service));
    }
  }

  /** Until the process is interrupted. */
  private void stay(URI manager, @Nullable OtlpReceiver receiver)
      throws IOException, InterruptedException {
    try (PageReceiver pages = receiver == null ? null : new PageReceiver(receiver.store())) {
      printWhatToTry(manager, pages);
      Duration quiet = QUIET.plusMillis((long) LONGEST_WORK_IN_DELAYS * bmcDelayMillis);
      while (receiver != null) {
        List<ReceivedSpan> spans = receiver.store().nextTrace(Fleet::isWhole, quiet);
        TraceTree tree = new TraceTree(spans);
        out.println("trace " + spans.get(0).traceId() + "\n\n" + TreePrinter.print(tree));
        Expectation.ANY.gaps(tree).forEach(gap -> out.println("NOT WHOLE: " + gap));
      }
      new CountDownLatch(1).await();
    }
  }

  private void printWhatToTry(URI manager, @Nullable PageReceiver pages) {
    String token =
        new Tokens(secrets.getOrDefault(Secrets.TOKEN_KEY, ""), Clock.systemUTC())
            .sign("you", "c1");
    out.printf(
        """

        Try it, with a trace that begins with you; Ctrl-C ends the fleet:

        curl -H 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' \\
          -H 'baggage: customer_id=c1' -H 'Authorization: Bearer %s' \\
          -d '{"action": "cycle"}' %s/servers/%s/power

        or with a click, in a browser:

        %s/console#server=%s&token=%s%s

        """,
        token,
        manager,
        SERVER,
        manager,
        SERVER,
        token,
        pages == null ? "" : "&traces=" + pages.traces());
  }

  /** One that began elsewhere never tells; it is taken for whole when nothing more comes. */
  private static boolean isWhole(List<ReceivedSpan> spans) {
    TraceTree tree = new TraceTree(spans);
    return tree.tops().stream().allMatch(top -> top.span().isRoot())
        && Expectation.ANY.gaps(tree).isEmpty();
  }

  private static String secret() {
    return UUID.randomUUID() + "-" + UUID.randomUUID();
  }
}
