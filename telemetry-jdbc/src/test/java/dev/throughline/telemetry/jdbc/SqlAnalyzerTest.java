// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.instrumentation.api.incubator.semconv.db.SqlQueryAnalyzer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * OpenTelemetry's analyzer is no stable API: an upgrade that moves it, or reads SQL otherwise,
 * fails here.
 */
class SqlAnalyzerTest {

  @Test
  void oneClassAloneUsesWhatIsNoStableApi() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src", "main", "java"))) {
      assertThat(files.filter(Files::isRegularFile).filter(SqlAnalyzerTest::usesIt))
          .extracting(file -> file.getFileName().toString())
          .containsExactly("SqlAnalyzer.java");
    }
  }

  private static boolean usesIt(Path file) {
    try {
      String source = Files.readString(file);
      return source.contains("io.opentelemetry.instrumentation.")
          || source.matches("(?s).*\\bio\\.opentelemetry\\.[a-z.]*internal\\..*");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theAnalyzerIsWhatItWas() throws Exception {
    assertThat(SqlQueryAnalyzer.class.getMethod("create", boolean.class).getModifiers())
        .matches(Modifier::isStatic);
    // What SqlText leaves to it: the quotes that databases have in common, and the names.
    SqlAnalyzer.Analyzed shown =
        SqlAnalyzer.analyze(
            "SELECT 'it''s', $$a$$, 1.5e-9, 0xCAFE, \"b\" FROM `c`.[d] WHERE e IN ('f', 'g')",
            new Database("postgresql", null, null, null));
    assertThat(shown)
        .isEqualTo(
            new SqlAnalyzer.Analyzed(
                "SELECT ?, ?, ?, ?, \"b\" FROM `c`.[d] WHERE e IN (?)",
                "SELECT `c`.[d]",
                "SELECT",
                "`c`.[d]",
                null));
    assertThat(SqlAnalyzer.analyze("CALL p(1)", Database.UNKNOWN).procedure()).isEqualTo("p");
  }
}
