// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static dev.throughline.telemetry.testing.TelemetryAssertions.assertThat;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.ReadmeKit;
import dev.throughline.telemetry.testing.TelemetryExtension;
import io.opentelemetry.context.Context;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TroubleshootingTest extends ReadmeKit {

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

  private void work() {
    telemetry.span("work").run(() -> {});
  }

  @Override
  protected Path readme() {
    return Pages.ROOT.resolve("docs/troubleshooting.md");
  }
}
