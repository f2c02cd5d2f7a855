// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.context.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TroubleshootingTest extends ReadmeKit {

  private static final Pattern LOGGED =
      Pattern.compile("\\b(?:error|warn|info)\\(\\s*((?:\"(?:[^\"\\\\]|\\\\.)*\"[\\s+]*)+)");
  private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");

  @RegisterExtension static final TelemetryExtension recorded = TelemetryExtension.create();

  private final Telemetry telemetry = recorded.telemetry();
  private final ExecutorService executor = Executors.newSingleThreadExecutor();

  @Test
  void contextOnOtherThreads() throws Exception {
    telemetry.span("request").run(this::handOver);
    executor.shutdown();
    assertThat(recorded).tree("request\n  work\n  work");
  }

  private void handOver() throws ExecutionException, InterruptedException {
    // region
    executor.execute(Context.current().wrap(() -> work())); // one task
    ExecutorService traced = Context.taskWrapping(executor); // wraps each task by itself
    // endregion
    Future<?> second = traced.submit(this::work);
    second.get();
  }

  /** The fixed parts of each, in their order; what varies stands as it may be between them. */
  @Test
  void everyLineOfTheLogIsThere() throws IOException {
    String page = Pages.read(readme()).replaceAll("\\s+", " ");
    List<String> lines = new ArrayList<>();
    for (Path module : Pages.modules()) {
      try (Stream<Path> files = Files.walk(module.resolve("src/main/java"))) {
        files
            .filter(Files::isRegularFile)
            .flatMap(file -> LOGGED.matcher(Pages.read(file)).results())
            .forEach(call -> lines.add(message(call.group(1))));
      }
    }

    assertThat(lines)
        .hasSizeGreaterThan(8)
        .allSatisfy(line -> assertThat(page).containsSubsequence(line.split("\\{}")));
  }

  private static String message(String literals) {
    StringBuilder message = new StringBuilder();
    LITERAL
        .matcher(literals)
        .results()
        .forEach(literal -> message.append(literal.group(1).replace("\\\"", "\"")));
    return message.toString();
  }

  private void work() {
    telemetry.span("work").run(() -> {});
  }

  @Override
  protected Path readme() {
    return Pages.ROOT.resolve("docs/troubleshooting.md");
  }
}
