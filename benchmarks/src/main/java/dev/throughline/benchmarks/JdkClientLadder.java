// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.telemetry.http.HttpTelemetry;
import io.opentelemetry.instrumentation.javahttpclient.JavaHttpClientTelemetry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A request of the JDK's client to a loopback server that allocates nothing. Two hand-overs between
 * threads and the network stack are in every row, so the bytes tell more than the times.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class JdkClientLadder {

  private final EchoServer server = new EchoServer();
  private final HttpRequest request =
      HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/sessions/7"))
          .header("Accept", "application/json")
          .build();

  /** For JMH. */
  public JdkClientLadder() {}

  /** Stops the server. */
  @TearDown(Level.Trial)
  public void close() throws IOException {
    server.close();
  }

  /** The JDK's client as it is. */
  @State(Scope.Benchmark)
  public static class Bare {
    final HttpClient client = jdkClient();

    /** For JMH. */
    public Bare() {}
  }

  /** Ours, off. */
  @State(Scope.Benchmark)
  public static class Off extends Subjects.Off {
    final HttpClient client = HttpTelemetry.create(telemetry).wrap(jdkClient());

    /** For JMH. */
    public Off() {}
  }

  /** Ours, on. */
  @State(Scope.Benchmark)
  public static class On extends Subjects.On {
    final HttpClient client = HttpTelemetry.create(telemetry).wrap(jdkClient());

    /** For JMH. */
    public On() {}
  }

  /** OpenTelemetry's library for this client. */
  @State(Scope.Benchmark)
  public static class Library extends Subjects.Sdk {
    final HttpClient client = JavaHttpClientTelemetry.create(sdk).newHttpClient(jdkClient());

    /** For JMH. */
    public Library() {}
  }

  private static HttpClient jdkClient() {
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  @Benchmark
  @Rung("bare")
  public int a_bare(Bare subject) throws IOException, InterruptedException {
    return send(subject.client);
  }

  @Benchmark
  @Rung("Throughline, off")
  public int b_off(Off subject) throws IOException, InterruptedException {
    return send(subject.client);
  }

  @Benchmark
  @Rung("Throughline, on")
  public int c_on(On subject) throws IOException, InterruptedException {
    return send(subject.client);
  }

  @Benchmark
  @Rung("opentelemetry-java-http-client")
  public int p_library(Library subject) throws IOException, InterruptedException {
    return send(subject.client);
  }

  private int send(HttpClient client) throws IOException, InterruptedException {
    return client.send(request, BodyHandlers.ofByteArray()).statusCode();
  }
}
