// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;

/** Where tables go: to the terminal, to a file, and from there into {@code docs/performance.md}. */
final class Results {

  private static final String BEGIN = "<!-- What follows is written by benchmarks/run record. -->";
  private static final String END = "<!-- Up to here. -->";

  private final Path folder;
  private final PrintStream out;

  Results(Path folder, PrintStream out) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.out = out;
  }

  /** The JSON file of this name. */
  Path json(String name) {
    return folder.resolve(name + ".json");
  }

  /** Keeps what a table was made of. */
  void json(String name, Object value) throws IOException {
    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(json(name).toFile(), value);
  }

  /** Says how far it has come. */
  void progress(String text) {
    out.println(text);
  }

  /**
   * Shows a table and keeps it.
   *
   * @param run how it was measured, e.g. {@code quick run}
   * @param notes what one has to know to read it; may be empty
   */
  void show(String name, String title, String run, Table table, String notes) throws IOException {
    String text =
        "### "
            + name
            + ": "
            + title
            + "\n\n"
            + table
            + (notes.isEmpty() ? "" : "\n" + notes + "\n")
            + "\n"
            + circumstances(run)
            + "\n";
    out.println("\n" + text);
    Files.writeString(folder.resolve(name + ".md"), text);
  }

  /** Puts all kept tables into a document, in place of those that are there. */
  void record(Path document, List<String> names) throws IOException {
    StringBuilder tables = new StringBuilder();
    for (String name : names) {
      Path table = folder.resolve(name + ".md");
      if (Files.exists(table)) {
        tables.append('\n').append(Files.readString(table));
      }
    }
    String text = Files.readString(document);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(document + " has no place for tables: " + BEGIN + " ... " + END);
    }
    Files.writeString(
        document,
        text.substring(0, begin + BEGIN.length()) + "\n" + tables + "\n" + text.substring(end));
  }

  private static String circumstances(String run) {
    return run
        + ", "
        + LocalDate.now(ZoneOffset.UTC)
        + ", "
        + System.getProperty("java.vm.vendor")
        + " JDK "
        + Runtime.version()
        + ", "
        + Runtime.getRuntime().availableProcessors()
        + " processors, "
        + System.getProperty("os.name")
        + " "
        + System.getProperty("os.arch");
  }
}
