// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A service whose class path has another version of OpenTelemetry before ours starts and works. */
class OtherVersionsTest {

  private static final String API = "api|context|common";
  private static final String SDK = "sdk.*|exporter.*";

  @ParameterizedTest
  @CsvSource({"1.31.0, true", "1.50.0, true", "1.68.0, false"})
  void noMixEndsMain(String version, boolean allAreOff) {
    try (ChildJvm child =
        ChildJvm.of(Mixes.class)
            .environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1")
            .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
            .option("-Dmix.version=" + version)
            .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("threw ")).isEmpty();
      assertThat(child.said("mix "))
          .containsExactly("all", "api", "context", "sdk", "all, disabled", "api, disabled");
      assertThat(child.said("worked ")).hasSize(6);

      List<String> off = new ArrayList<>();
      String mix = "";
      for (String line : child.output()) {
        if (line.startsWith("mix ")) {
          mix = line.substring("mix ".length());
        } else if (line.contains("Telemetry is off because")) {
          off.add(mix);
          assertThat(line).doesNotEndWith("because ");
        }
      }
      // One line each.
      assertThat(off).doesNotHaveDuplicates().contains("all, disabled", "api, disabled");
      if (allAreOff) {
        assertThat(off).contains("all");
      } else {
        assertThat(off).doesNotContain("all");
      }
      assertThat(child.said("enabled ")).hasSize(6 - off.size());
      assertThat(child.output())
          .filteredOn(line -> line.contains("several versions"))
          .isNotEmpty()
          .allMatch(line -> line.contains(version));
    }
  }

  /** Starts the service with one mix after the other. */
  static final class Mixes {

    private Mixes() {}

    public static void main(String[] args) throws Exception {
      run("all", ".*");
      run("api", API);
      run("context", "context|common");
      run("sdk", SDK);
      System.setProperty("otel.sdk.disabled", "true");
      run("all, disabled", ".*");
      run("api, disabled", API);
    }

    private static void run(String name, String artifacts) throws Exception {
      System.out.println("mix " + name);
      List<URL> classPath = new ArrayList<>();
      Path set = Path.of("target", "opentelemetry", System.getProperty("mix.version"));
      try (Stream<Path> jars = Files.list(set)) {
        for (Path jar : (Iterable<Path>) jars.sorted()::iterator) {
          if (jar.getFileName().toString().matches("opentelemetry-(" + artifacts + ")\\.jar")) {
            classPath.add(jar.toUri().toURL());
          }
        }
      }
      assertThat(classPath).isNotEmpty();
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
        classPath.add(Path.of(entry).toUri().toURL());
      }
      ClassLoader platform = ClassLoader.getPlatformClassLoader();
      try (URLClassLoader loader = new URLClassLoader(classPath.toArray(new URL[0]), platform)) {
        Thread.currentThread().setContextClassLoader(loader);
        Class<?> service = Class.forName(Service.class.getName(), true, loader);
        ((Callable<?>) service.getConstructor().newInstance()).call();
      } catch (IOException e) {
        throw new AssertionError(e);
      } finally {
        Thread.currentThread().setContextClassLoader(Mixes.class.getClassLoader());
      }
    }
  }

  /** A service that uses its telemetry. */
  public static final class Service implements Callable<String> {

    @Override
    public String call() {
      try {
        Telemetry telemetry = Telemetry.init("service");
        if (telemetry.isEnabled()) {
          System.out.println("enabled ");
        }
        String answer =
            telemetry
                .span("one")
                .attribute("a", 1)
                .baggage("customer_id", "c")
                .call(() -> "answer");
        assertThat(answer).isEqualTo("answer");
        telemetry.extract(
            Map.of("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        telemetry.inject(new HashMap<>());
        telemetry.meter().counterBuilder("one").build().add(1);
        telemetry.flush(Duration.ofMillis(1));
        telemetry.delivery().spans();
        assertThat(telemetry.configuration()).isNotEmpty();
        telemetry.close();
        System.out.println("worked ");
      } catch (Throwable t) {
        System.out.println("threw " + t);
        t.printStackTrace(System.out);
      }
      return "";
    }
  }
}
