// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import javax.sql.DataSource;

/**
 * Executes statements that others wrote, through a wrapped driver which does nothing, and writes
 * what their spans show: {@code SqlCases cases.json shown.jsonl}.
 *
 * <p>A case is an object with {@code id}, {@code sql} and {@code double_quotes}, which says what
 * those are for: {@code identifier} or {@code string}. A line that is written has {@code id},
 * {@code query_text}, {@code summary}, {@code operation}, {@code collection} and {@code
 * stored_procedure}, null where a span has none.
 */
final class SqlCases {

  private static final Map<String, String> SHOWN =
      Map.of(
          "query_text", "db.query.text",
          "summary", "db.query.summary",
          "operation", "db.operation.name",
          "collection", "db.collection.name",
          "stored_procedure", "db.stored_procedure.name");

  private SqlCases() {}

  /** Runs all cases. */
  public static void main(String[] arguments) throws Exception {
    InMemorySpanExporter spans = InMemorySpanExporter.create();
    ObjectMapper json = new ObjectMapper();
    try (PrintStream out = new PrintStream(arguments[1], UTF_8);
        Telemetry telemetry =
            Telemetry.builder()
                .ignoreEnvironment()
                .addProperty("otel.traces.exporter", "none")
                .addProperty("otel.metrics.exporter", "none")
                .addProperty("otel.logs.exporter", "none")
                .addSpanProcessor(SimpleSpanProcessor.create(spans))
                .build()) {
      JdbcTelemetry jdbc = JdbcTelemetry.create(telemetry);
      DataSource names = jdbc.wrap(source("jdbc:postgresql://db/fleet"));
      DataSource literals = jdbc.wrap(source("jdbc:unheard-of://db/fleet"));
      for (JsonNode each : json.readTree(Files.readString(Path.of(arguments[0])))) {
        boolean quotesNames = each.get("double_quotes").asText().equals("identifier");
        try (Connection connection = (quotesNames ? names : literals).getConnection();
            Statement statement = connection.createStatement()) {
          spans.reset();
          statement.execute(each.get("sql").asText());
        }
        SpanData span = spans.getFinishedSpanItems().get(0);
        ObjectNode shown = json.createObjectNode().put("id", each.get("id").asText());
        SHOWN.forEach(
            (name, key) -> shown.put(name, (String) DatabaseKit.attributes(span).get(key)));
        out.println(shown);
      }
    }
  }

  private static DataSource source(String url) {
    return new FakeDriver().answering("getURL", url).make(DataSource.class);
  }
}
