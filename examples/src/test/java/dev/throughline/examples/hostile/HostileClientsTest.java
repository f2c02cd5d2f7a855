// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Clients that put noise into every field that they can fill, against a service with every adapter
 * and a heap of 128 MB: it answers at the end, what it remembers of them is bounded in bytes, and
 * its log too. The seed alone decides the requests.
 */
@TestInstance(Lifecycle.PER_CLASS)
class HostileClientsTest {

  private static final long SEED = Long.getLong("hostile.seed", 20_261_201);
  private static final int CLIENTS = 4;
  private static final long MOST_HEAP = 80L << 20;
  private static final long MOST_LOG = 100_000;
  private static final int LONGEST_LABEL = 256;
  private static final int MOST_SERIES = 2_000;
  private static final Pattern LABEL = Pattern.compile("=\"((?:[^\"\\\\]|\\\\.)*+)\"");
  private static final String PARENT = "b7ad6b7169203331";

  /** A server, who attacks it, and how it names what is to be a server's span. */
  enum Target {
    JDK(HostileService.JDK, HttpAttack::new, "http_server_request_duration_seconds_count", 200),
    JETTY(HostileService.JETTY, HttpAttack::new, "http_server_request_duration_seconds_count", 200),
    TOMCAT(
        HostileService.TOMCAT, HttpAttack::new, "http_server_request_duration_seconds_count", 200),
    WEBSOCKET(
        HostileService.WEBSOCKET,
        WebSocketAttack::new,
        "throughline_websocket_session_duration_seconds_count",
        20),
    GRPC(
        HostileService.GRPC,
        GrpcAttack::new,
        "rpc_server_call_duration_seconds_count",
        MOST_SERIES);

    private final String server;
    private final BiFunction<Integer, Attack.Counts, Attack> attack;
    private final String metric;
    private final int mostSeries;

    Target(
        String server,
        BiFunction<Integer, Attack.Counts, Attack> attack,
        String metric,
        int mostSeries) {
      this.server = server;
      this.attack = attack;
      this.metric = metric;
      this.mostSeries = mostSeries;
    }
  }

  private final Map<String, Integer> ports = new HashMap<>();
  private final HttpClient client = HttpClient.newHttpClient();
  private Path folder;
  private MeasuringReceiver receiver;
  private Process service;
  private long traces;

  @BeforeAll
  void start(@TempDir Path logs) throws Exception {
    folder = logs;
    receiver = new MeasuringReceiver();
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dsun.net.httpserver.nodelay=true",
            "-Dlogback.configurationFile=logback-hostile.xml",
            "-Dhostile.log=" + folder,
            // The logger first, so that lines of OpenTelemetry's are told from others.
            "-Djava.util.logging.SimpleFormatter.format=%3$s %4$s %5$s%6$s%n",
            "-cp",
            System.getProperty("java.class.path"),
            HostileService.class.getName(),
            receiver.endpoint());
    builder.redirectError(folder.resolve("stderr.log").toFile());
    service = builder.start();
    BufferedReader output = service.inputReader();
    String line = output.readLine();
    for (; line != null && !line.equals(HostileService.READY); line = output.readLine()) {
      String[] said = line.split(" ");
      ports.put(said[0], Integer.parseInt(said[1]));
    }
    assertThat(line).as(() -> read("stderr.log")).isNotNull();
  }

  @AfterAll
  void stop() throws Exception {
    service.destroyForcibly().waitFor();
    receiver.close();
  }

  @ParameterizedTest
  @EnumSource
  void tenThousandRequestsLeaveTheServiceWell(Target target) throws Exception {
    attack(target, 10_000);
  }

  @ParameterizedTest
  @EnumSource
  @Tag("full")
  void aHundredThousandRequestsLeaveTheServiceWell(Target target) throws Exception {
    attack(target, 100_000);
  }

  private void attack(Target target, int requests) throws Exception {
    Attack.Counts counts = new Attack.Counts();
    AtomicLong seeds = new AtomicLong(SEED);
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    List<Future<?>> running = new ArrayList<>();
    long start = System.nanoTime();
    for (int i = 0; i < CLIENTS; i++) {
      running.add(
          clients.submit(
              () -> {
                try (Attack attack = target.attack.apply(ports.get(target.server), counts)) {
                  while (counts.sent.get() < requests && service.isAlive()) {
                    attack.send(seeds.getAndIncrement());
                  }
                }
                return null;
              }));
    }
    for (Future<?> each : running) {
      each.get();
    }
    clients.shutdown();
    long millis = Duration.ofNanos(System.nanoTime() - start).toMillis();
    String what =
        "%s, seed %d: %d requests with %d bytes in %d ms, %d answered, %d silent"
            .formatted(
                target,
                SEED,
                counts.sent.get(),
                counts.sentBytes.get(),
                millis,
                counts.answered.get(),
                counts.silent.get());
    System.out.println(what);

    assertThat(service.isAlive()).as(() -> what + "\n" + read("stderr.log")).isTrue();
    assertThat(counts.answered.get()).as(what).isGreaterThan(requests / 4);
    for (Target each : Target.values()) {
      assertThatItTraces(each, what);
    }
    String page = get(HostileService.JDK, "/metrics", "");
    assertThatSeriesAreBounded(page, what);
    assertThat(points(page, target.metric).size()).as(what).isBetween(1, target.mostSeries);
    assertThat(receiver.tooLong()).as(what).isEmpty();
    long heap = Long.parseLong(get(HostileService.JDK, "/heap", ""));
    assertThat(heap).as(what).isLessThan(MOST_HEAP);
    assertThatLogIsSmall(what);
  }

  /** Sends an ordinary request, and finds the server's span below the client's. */
  private void assertThatItTraces(Target target, String what) throws Exception {
    String traceId = "%032x".formatted(++traces);
    List<Span> spans = receiver.watch(traceId);
    String traceparent = "00-" + traceId + "-" + PARENT + "-01";
    switch (target) {
      case GRPC -> call("any.Service/Get", traceparent);
      case WEBSOCKET -> converse(traceparent);
      default -> assertThat(get(target.server, "/app/well", traceparent)).as(what).isEqualTo("ok");
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (spans.stream().noneMatch(HostileClientsTest::isServers) && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertThat(spans)
        .as("the trace of %s after %s", target, what)
        .anyMatch(HostileClientsTest::isServers);
  }

  private static boolean isServers(Span span) {
    return span.getKind() == SpanKind.SPAN_KIND_SERVER
        && MeasuringReceiver.hex(span.getParentSpanId()).equals(PARENT);
  }

  private String get(String server, String path, String traceparent) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ports.get(server) + path))
            .timeout(Duration.ofSeconds(60));
    if (!traceparent.isEmpty()) {
      request.header("traceparent", traceparent);
    }
    return client.send(request.build(), BodyHandlers.ofString()).body();
  }

  private void converse(String traceparent) throws Exception {
    CompletableFuture<String> echo = new CompletableFuture<>();
    WebSocket socket =
        client
            .newWebSocketBuilder()
            .header("traceparent", traceparent)
            .buildAsync(
                URI.create("ws://127.0.0.1:" + ports.get(HostileService.WEBSOCKET) + "/app/ws/1"),
                new WebSocket.Listener() {
                  @Override
                  public CompletableFuture<?> onText(
                      WebSocket socket, CharSequence text, boolean last) {
                    echo.complete(text.toString());
                    return null;
                  }
                })
            .get(60, TimeUnit.SECONDS);
    socket.sendText("well", true);
    assertThat(echo.get(60, TimeUnit.SECONDS)).isEqualTo("well");
    socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(60, TimeUnit.SECONDS);
  }

  private void call(String method, String traceparent) {
    Metadata metadata = new Metadata();
    metadata.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), traceparent);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", ports.get(HostileService.GRPC))
            .usePlaintext()
            .intercept(MetadataUtils.newAttachHeadersInterceptor(metadata))
            .build();
    try {
      MethodDescriptor.Marshaller<String> text = new Text();
      MethodDescriptor<String, String> descriptor =
          MethodDescriptor.newBuilder(text, text)
              .setType(MethodType.UNARY)
              .setFullMethodName(method)
              .build();
      CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(Duration.ofSeconds(60));
      assertThat(ClientCalls.blockingUnaryCall(channel, descriptor, options, "well"))
          .isEqualTo("well");
    } finally {
      channel.shutdownNow();
    }
  }

  private static final class Text implements MethodDescriptor.Marshaller<String> {

    @Override
    public InputStream stream(String text) {
      return new ByteArrayInputStream(text.getBytes(ISO_8859_1));
    }

    @Override
    public String parse(InputStream stream) {
      try {
        return new String(stream.readAllBytes(), ISO_8859_1);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static void assertThatSeriesAreBounded(String page, String what) {
    Map<String, Integer> series = new HashMap<>();
    // A label may hold a carriage return.
    Stream.of(page.split("\n", -1))
        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
        .forEach(
            line -> {
              if (line.matches(".*_(bucket|sum|created).*")) {
                return;
              }
              series.merge(line.substring(0, name(line)), 1, Integer::sum);
              Matcher label = LABEL.matcher(line);
              while (label.find()) {
                String value = label.group(1).replaceAll("\\\\(.)", "$1");
                assertThat(value.length())
                    .as("%s: %s", what, line)
                    .isLessThanOrEqualTo(LONGEST_LABEL);
              }
            });
    assertThat(series.values()).as(what).allMatch(count -> count <= MOST_SERIES);
  }

  private static int name(String line) {
    int brace = line.indexOf('{');
    return brace < 0 ? line.indexOf(' ') : brace;
  }

  private static List<String> points(String page, String name) {
    return Stream.of(page.split("\n", -1)).filter(line -> line.startsWith(name)).toList();
  }

  private void assertThatLogIsSmall(String what) throws IOException {
    List<String> forged = new ArrayList<>();
    long ours = Files.size(folder.resolve("library.log"));
    for (String file : List.of("library.log", "service.log", "stderr.log")) {
      try (BufferedReader lines = Files.newBufferedReader(folder.resolve(file), ISO_8859_1)) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          // Lines of other libraries are theirs.
          if (line.startsWith(Noise.FORGED) && !file.equals("stderr.log")) {
            forged.add(file + ": " + line);
          }
          if (file.equals("stderr.log") && line.startsWith("io.opentelemetry")) {
            ours += line.length();
          }
        }
      }
    }
    assertThat(forged).as(what).isEmpty();
    assertThat(ours).as(() -> what + "\n" + read("library.log")).isLessThan(MOST_LOG);
  }

  private String read(String file) {
    try {
      String text = Files.readString(folder.resolve(file), ISO_8859_1);
      return text.substring(0, Math.min(20_000, text.length()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
