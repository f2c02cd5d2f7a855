// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import com.sun.net.httpserver.HttpServer;
import dev.throughline.examples.agent.Agent;
import dev.throughline.examples.bmc.Bmc;
import dev.throughline.examples.gateway.Gateway;
import dev.throughline.examples.manager.Manager;
import dev.throughline.examples.service.ReadyLine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a whole request costs with telemetry on: Manager, Gateway and Agent of the examples, each a
 * process, twice, one fleet with telemetry and one without. Both take the same open load in turn,
 * so that whatever else the machine does falls on both.
 *
 * <p>{@code WholeRequest [pairs] [seconds of each half] [requests a second]}, or {@code
 * WholeRequest soak [minutes] [requests a second]}.
 */
public final class WholeRequest {

  private static final int WARM_UP_SECONDS = 15;

  private WholeRequest() {}

  /** Runs it and prints what came of it. */
  public static void main(String[] args) throws Exception {
    HttpServer receiver = receiver();
    try {
      if (args.length > 0 && args[0].equals("soak")) {
        soak(receiver, number(args, 1, 10), number(args, 2, 50));
      } else {
        compare(receiver, number(args, 0, 20), number(args, 1, 6), number(args, 2, 50));
      }
    } finally {
      receiver.stop(0);
    }
  }

  private static int number(String[] args, int index, int standard) {
    return args.length > index ? Integer.parseInt(args[index]) : standard;
  }

  private static void compare(HttpServer receiver, int pairs, int seconds, int rate)
      throws Exception {
    try (Fleet off = new Fleet(Map.of("OTEL_SDK_DISABLED", "true"));
        Fleet on = new Fleet(exportingTo(receiver))) {
      off.load(WARM_UP_SECONDS, rate);
      on.load(WARM_UP_SECONDS, rate);
      double[] medians = new double[pairs];
      double[] p99s = new double[pairs];
      double[] cpus = new double[pairs];
      List<Half> offs = new ArrayList<>();
      List<Half> ons = new ArrayList<>();
      for (int pair = 0; pair < pairs; pair++) {
        // In turn, so that what drifts does not always favour the same.
        boolean offFirst = pair % 2 == 0;
        Half first = (offFirst ? off : on).load(seconds, rate);
        Half second = (offFirst ? on : off).load(seconds, rate);
        Half withoutTelemetry = offFirst ? first : second;
        Half withTelemetry = offFirst ? second : first;
        offs.add(withoutTelemetry);
        ons.add(withTelemetry);
        medians[pair] = withTelemetry.median() / withoutTelemetry.median();
        p99s[pair] = withTelemetry.p99() / withoutTelemetry.p99();
        cpus[pair] = withTelemetry.cpuMillis() / withoutTelemetry.cpuMillis();
      }
      System.out.printf(
          "%d pairs, %d s each half, %d requests a second, JDK %s%n",
          pairs, seconds, rate, Runtime.version());
      System.out.printf(
          "median         off %6.2f ms   on %6.2f ms   ratio %s%n",
          offs.stream().mapToDouble(Half::median).average().orElse(0),
          ons.stream().mapToDouble(Half::median).average().orElse(0),
          Interval.ofMedian(medians));
      System.out.printf(
          "p99            off %6.2f ms   on %6.2f ms   ratio %s%n",
          offs.stream().mapToDouble(Half::p99).average().orElse(0),
          ons.stream().mapToDouble(Half::p99).average().orElse(0),
          Interval.ofMedian(p99s));
      System.out.printf(
          "CPU a request  off %6.2f ms   on %6.2f ms   ratio %s%n",
          offs.stream().mapToDouble(Half::cpuMillis).average().orElse(0),
          ons.stream().mapToDouble(Half::cpuMillis).average().orElse(0),
          Interval.ofMedian(cpus));
      System.out.printf(
          "heap after GC  off %d KiB   on %d KiB%n", off.heapAfterGc(), on.heapAfterGc());
      System.out.printf("threads        off %d   on %d%n", off.threads(), on.threads());
    }
  }

  private static void soak(HttpServer receiver, int minutes, int rate) throws Exception {
    try (Fleet on = new Fleet(exportingTo(receiver))) {
      on.load(WARM_UP_SECONDS, rate);
      int threads = on.threads();
      long heap = on.heapAfterGc();
      on.load(minutes * 60, rate);
      System.out.printf(
          "%d minutes at %d requests a second: threads %d, then %d; heap after GC %d KiB, then %d"
              + " KiB%n",
          minutes, rate, threads, on.threads(), heap, on.heapAfterGc());
    }
  }

  /** An OTLP/HTTP receiver that takes all and keeps nothing. */
  private static HttpServer receiver() throws IOException {
    HttpServer receiver =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.setExecutor(Executors.newCachedThreadPool(WholeRequest::daemon));
    receiver.createContext(
        "/",
        exchange -> {
          exchange.getRequestBody().transferTo(OutputStream.nullOutputStream());
          exchange.sendResponseHeaders(200, -1);
        });
    receiver.start();
    return receiver;
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }

  private static Map<String, String> exportingTo(HttpServer receiver) {
    return Map.of(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://127.0.0.1:" + receiver.getAddress().getPort(),
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "http/protobuf");
  }

  /** What one fleet did under its half of a pair. */
  private record Half(double median, double p99, double cpuMillis) {}

  /** The median of paired ratios, and where it lies in 95 of 100 resamplings of the pairs. */
  private record Interval(double median, double low, double high) {

    private static final int RESAMPLINGS = 10_000;

    static Interval ofMedian(double[] ratios) {
      Random random = new Random(1);
      double[] medians = new double[RESAMPLINGS];
      for (int i = 0; i < RESAMPLINGS; i++) {
        double[] resampled = new double[ratios.length];
        for (int j = 0; j < resampled.length; j++) {
          resampled[j] = ratios[random.nextInt(ratios.length)];
        }
        medians[i] = middle(resampled);
      }
      Arrays.sort(medians);
      return new Interval(
          middle(ratios.clone()),
          medians[(int) (RESAMPLINGS * 0.025)],
          medians[(int) (RESAMPLINGS * 0.975)]);
    }

    private static double middle(double[] values) {
      Arrays.sort(values);
      int half = values.length / 2;
      return values.length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    }

    @Override
    public String toString() {
      return String.format("%.3f (95 %% between %.3f and %.3f)", median, low, high);
    }
  }

  /** Manager, Gateway and Agent, and hardware without telemetry that answers at once. */
  private static final class Fleet implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final Pattern TOKEN = Pattern.compile("\"token\"\\s*:\\s*\"([^\"]+)\"");
    private static final Pattern USED = Pattern.compile("used (\\d+)K");
    private static final Map<String, String> SECRETS =
        Map.of(
            "FLEET_TOKEN_KEY", "a key of the benchmark, with 32 bytes or more",
            "FLEET_PASSWORD", "of the benchmark");

    private final List<Process> all = new ArrayList<>();
    private final List<Process> services = new ArrayList<>();
    private final HttpClient client =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI manager;
    private final String token;

    Fleet(Map<String, String> telemetry) throws IOException, InterruptedException {
      ReadyLine bmc = start(Bmc.class, Map.of("OTEL_SDK_DISABLED", "true"));
      ReadyLine agent = start(Agent.class, telemetry, "--server=srv-1,ipmi," + bmc.uri("redfish"));
      ReadyLine gateway = start(Gateway.class, telemetry, "--agent=" + agent.uri("http"));
      ReadyLine managerLine =
          start(Manager.class, telemetry, "--server=srv-1,ber1," + gateway.uri("http"));
      services.addAll(all.subList(1, all.size()));
      manager = managerLine.uri("http");
      token = signIn();
    }

    private ReadyLine start(Class<?> main, Map<String, String> telemetry, String... arguments)
        throws IOException {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.add("-Xmx256m");
      command.add("-Dsun.net.httpserver.nodelay=true");
      command.add("-Dfleet.endsWithInput=true");
      command.add("-cp");
      command.add(System.getProperty("java.class.path"));
      command.add(main.getName());
      command.addAll(List.of(arguments));
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().putAll(SECRETS);
      builder.environment().putAll(telemetry);
      Process process = builder.start();
      all.add(process);
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Optional<ReadyLine> ready = ReadyLine.parse(line);
        if (ready.isPresent()) {
          daemon(() -> drain(lines)).start();
          return ready.get();
        }
      }
      throw new IOException(main.getSimpleName() + " ended before it listened");
    }

    private static void drain(BufferedReader lines) {
      try {
        lines.transferTo(java.io.Writer.nullWriter());
      } catch (IOException e) {
        // The process has ended.
      }
    }

    private String signIn() throws IOException, InterruptedException {
      String body =
          client
              .send(
                  HttpRequest.newBuilder(manager.resolve("/auth"))
                      .header("Content-Type", "application/json")
                      .POST(
                          HttpRequest.BodyPublishers.ofString(
                              "{\"user\":\"ada\",\"password\":\"of the benchmark\"}"))
                      .build(),
                  BodyHandlers.ofString())
              .body();
      Matcher matcher = TOKEN.matcher(body);
      if (!matcher.find()) {
        throw new IOException("no token: " + body);
      }
      return matcher.group(1);
    }

    /**
     * Sends requests at a fixed rate, whatever becomes of those before; each is timed from when it
     * was due.
     */
    Half load(int seconds, int rate) throws IOException, InterruptedException {
      int count = seconds * rate;
      double[] millis = new double[count];
      AtomicInteger failed = new AtomicInteger();
      CountDownLatch done = new CountDownLatch(count);
      HttpRequest request =
          HttpRequest.newBuilder(manager.resolve("/servers/srv-1/power"))
              .timeout(TIMEOUT)
              .header("Content-Type", "application/json")
              .header("Authorization", "Bearer " + token)
              .POST(HttpRequest.BodyPublishers.ofString("{\"action\":\"on\"}"))
              .build();
      long cpuBefore = cpuNanos();
      long begin = System.nanoTime();
      long interval = TimeUnit.SECONDS.toNanos(1) / rate;
      for (int i = 0; i < count; i++) {
        long due = begin + i * interval;
        while (System.nanoTime() < due) {
          LockSupport.parkNanos(due - System.nanoTime());
        }
        int index = i;
        CompletableFuture<?> unused =
            client
                .sendAsync(request, BodyHandlers.ofString())
                .whenComplete(
                    (response, thrown) -> {
                      millis[index] = (System.nanoTime() - due) / 1e6;
                      if (thrown != null || response.statusCode() != 200) {
                        failed.incrementAndGet();
                      }
                      done.countDown();
                    });
      }
      done.await();
      if (failed.get() > 0) {
        throw new IOException(failed.get() + " of " + count + " requests failed");
      }
      double cpuMillis = (cpuNanos() - cpuBefore) / 1e6 / count;
      Arrays.sort(millis);
      return new Half(millis[count / 2], millis[(int) (count * 0.99)], cpuMillis);
    }

    private long cpuNanos() {
      return services.stream()
          .mapToLong(process -> process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L))
          .sum();
    }

    long heapAfterGc() throws IOException, InterruptedException {
      long used = 0;
      for (Process service : services) {
        jcmd(service, "GC.run");
        Matcher matcher = USED.matcher(jcmd(service, "GC.heap_info"));
        if (matcher.find()) {
          used += Long.parseLong(matcher.group(1));
        }
      }
      return used;
    }

    int threads() throws IOException, InterruptedException {
      int threads = 0;
      for (Process service : services) {
        threads +=
            (int) jcmd(service, "Thread.print").lines().filter(l -> l.startsWith("\"")).count();
      }
      return threads;
    }

    private static String jcmd(Process process, String command)
        throws IOException, InterruptedException {
      Process jcmd =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(process.pid()),
                  command)
              .redirectErrorStream(true)
              .start();
      String printed = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      jcmd.waitFor();
      return printed;
    }

    @Override
    public void close() throws IOException {
      for (Process process : all) {
        process.getOutputStream().close();
      }
      for (Process process : all) {
        try {
          if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly();
          }
        } catch (InterruptedException e) {
          process.destroyForcibly();
          Thread.currentThread().interrupt();
        }
      }
    }
  }
}
