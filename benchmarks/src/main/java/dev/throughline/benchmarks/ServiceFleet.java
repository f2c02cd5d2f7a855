// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.examples.agent.Agent;
import dev.throughline.examples.bmc.Bmc;
import dev.throughline.examples.gateway.Gateway;
import dev.throughline.examples.manager.Manager;
import dev.throughline.examples.service.ReadyLine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Manager, Gateway and Agent of the examples, each a process, and hardware without telemetry that
 * answers at once.
 */
final class ServiceFleet implements AutoCloseable {

  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final int WARM_UP_REQUESTS = 40_000;
  private static final int WARM_UP_CONCURRENCY = 4;
  // The JDK's client lets go of threads that did nothing for a minute.
  private static final Duration REST = Duration.ofSeconds(70);
  private static final Pattern TOKEN = Pattern.compile("\"token\"\\s*:\\s*\"([^\"]+)\"");
  private static final Pattern USED = Pattern.compile("used (\\d+)K");
  private static final Pattern JAVA_THREAD = Pattern.compile("\"([^\"]*)\" #\\d+ .*");
  // Those come and go with the JVM's own needs, not with the application's.
  private static final Pattern OF_THE_JVM =
      Pattern.compile("C[12] CompilerThread.*|Attach Listener|Service Thread|.*Sweeper.*");
  private static final String PASSWORD = "of the benchmark";
  private static final Map<String, String> SECRETS =
      Map.of(
          "FLEET_TOKEN_KEY",
          "a key of the benchmark, with 32 bytes or more",
          "FLEET_PASSWORD",
          PASSWORD);

  private final List<Process> all = new ArrayList<>();
  private final List<Process> services = new ArrayList<>();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final HttpRequest request;

  /**
   * A fleet that listens.
   *
   * @param telemetry the variables that tell its services about telemetry
   */
  ServiceFleet(Map<String, String> telemetry) throws IOException, InterruptedException {
    ReadyLine bmc = start(Bmc.class, Map.of("OTEL_SDK_DISABLED", "true"));
    ReadyLine gateway = start(Gateway.class, telemetry);
    start(
        Agent.class,
        telemetry,
        "--server=srv-1,ipmi," + bmc.uri("redfish"),
        "--gateway=" + gateway.uri("grpc"));
    ReadyLine manager =
        start(Manager.class, telemetry, "--server=srv-1,ber1," + gateway.uri("http"));
    services.addAll(all.subList(1, all.size()));
    request =
        HttpRequest.newBuilder(manager.uri("http").resolve("/servers/srv-1/power"))
            .timeout(TIMEOUT)
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + signIn(manager.uri("http")))
            .POST(BodyPublishers.ofString("{\"action\":\"on\"}"))
            .build();
  }

  /**
   * What came of a load.
   *
   * @param cpuMillis of all three services, for one request
   */
  record Load(double medianMillis, double p99Millis, double cpuMillis) {}

  /**
   * What the services keep when nothing is to be done.
   *
   * @param heapMib after a garbage collection, of all three
   * @param threads how many there are by name, with a star for what is counted
   */
  record Footprint(double heapMib, Map<String, Integer> threads) {

    int threadCount() {
      return threads.values().stream().mapToInt(Integer::intValue).sum();
    }
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
    builder.environment().keySet().removeIf(name -> name.startsWith("OTEL_"));
    builder.environment().putAll(SECRETS);
    builder.environment().putAll(telemetry);
    Process process = builder.start();
    all.add(process);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Optional<ReadyLine> ready = ReadyLine.parse(line);
      if (ready.isPresent()) {
        Thread drain = new Thread(() -> drain(lines), main.getSimpleName());
        drain.setDaemon(true);
        drain.start();
        return ready.get();
      }
    }
    throw new IOException(main.getSimpleName() + " ended before it listened");
  }

  private static void drain(BufferedReader lines) {
    try {
      lines.transferTo(Writer.nullWriter());
    } catch (IOException e) {
      // The process has ended.
    }
  }

  private String signIn(URI manager) throws IOException, InterruptedException {
    String body =
        client
            .send(
                HttpRequest.newBuilder(manager.resolve("/auth"))
                    .header("Content-Type", "application/json")
                    .POST(
                        BodyPublishers.ofString(
                            "{\"user\":\"ada\",\"password\":\"" + PASSWORD + "\"}"))
                    .build(),
                BodyHandlers.ofString())
            .body();
    Matcher matcher = TOKEN.matcher(body);
    if (!matcher.find()) {
      throw new IOException("No token: " + body);
    }
    return matcher.group(1);
  }

  /** A few requests at a time, until the services' hot code is compiled. */
  void warmUp() throws IOException, InterruptedException {
    Semaphore free = new Semaphore(WARM_UP_CONCURRENCY);
    AtomicInteger failed = new AtomicInteger();
    for (int i = 0; i < WARM_UP_REQUESTS; i++) {
      free.acquire();
      send(failed, free::release);
    }
    free.acquire(WARM_UP_CONCURRENCY);
    check(failed, WARM_UP_REQUESTS);
  }

  /**
   * Sends requests at a fixed rate, whatever becomes of those before; each is timed from when it
   * was due.
   */
  Load load(int seconds, int rate) throws IOException, InterruptedException {
    int count = seconds * rate;
    double[] millis = new double[count];
    AtomicInteger failed = new AtomicInteger();
    Semaphore done = new Semaphore(0);
    long cpuBefore = cpuNanos();
    long begin = System.nanoTime();
    long interval = TimeUnit.SECONDS.toNanos(1) / rate;
    for (int i = 0; i < count; i++) {
      long due = begin + i * interval;
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      int index = i;
      send(
          failed,
          () -> {
            millis[index] = (System.nanoTime() - due) / 1e6;
            done.release();
          });
    }
    done.acquire(count);
    check(failed, count);
    double cpuMillis = (cpuNanos() - cpuBefore) / 1e6 / count;
    Arrays.sort(millis);
    return new Load(millis[count / 2], millis[(int) (count * 0.99)], cpuMillis);
  }

  private void send(AtomicInteger failed, Runnable done) {
    CompletableFuture<?> unused =
        client
            .sendAsync(request, BodyHandlers.ofString())
            .whenComplete(
                (response, thrown) -> {
                  if (thrown != null || response.statusCode() != 200) {
                    failed.incrementAndGet();
                  }
                  done.run();
                });
  }

  private static void check(AtomicInteger failed, int count) throws IOException {
    if (failed.get() > 0) {
      throw new IOException(failed.get() + " of " + count + " requests failed");
    }
  }

  private long cpuNanos() {
    return services.stream()
        .mapToLong(process -> process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L))
        .sum();
  }

  /** Waits until threads that only wait for more work have ended. */
  static void rest() throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(REST.toNanos());
  }

  Footprint footprint() throws IOException, InterruptedException {
    double heapMib = 0;
    Map<String, Integer> threads = new TreeMap<>();
    for (Process service : services) {
      jcmd(service, "GC.run");
      Matcher used = USED.matcher(jcmd(service, "GC.heap_info"));
      if (used.find()) {
        heapMib += Long.parseLong(used.group(1)) / 1024.0;
      }
      for (String line : jcmd(service, "Thread.print").split("\n", -1)) {
        Matcher thread = JAVA_THREAD.matcher(line);
        if (thread.matches() && !OF_THE_JVM.matcher(thread.group(1)).matches()) {
          threads.merge(kind(thread.group(1)), 1, Integer::sum);
        }
      }
    }
    return new Footprint(heapMib, threads);
  }

  private static String kind(String threadName) {
    // OkHttp names a thread by what it does at the moment.
    return threadName.startsWith("OkHttp") ? "OkHttp *" : threadName.replaceAll("\\d+", "*");
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
    String printed = new String(jcmd.getInputStream().readAllBytes(), UTF_8);
    if (jcmd.waitFor() != 0) {
      throw new IOException("jcmd " + command + ": " + printed);
    }
    return printed;
  }

  /** Threads that are there after something and were not before, or the other way round. */
  static Map<String, Integer> difference(Footprint before, Footprint after) {
    Map<String, Integer> difference = new HashMap<>(after.threads());
    before.threads().forEach((name, count) -> difference.merge(name, -count, Integer::sum));
    difference.values().removeIf(count -> count == 0);
    return new TreeMap<>(difference);
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
