// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The project's pages: what is in their tables, blocks and headings. */
public final class Pages {

  /** The project's folder; a test runs in its module's. */
  static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  private static final Pattern FENCED = Pattern.compile("(?ms)^```.*?^```$");

  private Pages() {}

  /** The pages in the project's folder and in the folders right below it. */
  static List<Path> all() {
    List<Path> pages = new ArrayList<>(in(ROOT));
    list(ROOT).stream().filter(Files::isDirectory).forEach(folder -> pages.addAll(in(folder)));
    return pages;
  }

  /** The folders of what is published, each with main code. */
  static List<Path> modules() {
    return list(ROOT).stream()
        .filter(folder -> folder.getFileName().toString().startsWith("telemetry-"))
        .filter(folder -> Files.isDirectory(folder.resolve("src/main/java")))
        .toList();
  }

  private static List<Path> in(Path folder) {
    return list(folder).stream().filter(file -> file.toString().endsWith(".md")).toList();
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String read(Path page) {
    try {
      return Files.readString(page);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of a page, e.g. {@code docs/recorded-data.md}. */
  public static String read(String path) {
    return read(ROOT.resolve(path));
  }

  /** A page without its fenced blocks. */
  static String prose(String page) {
    return FENCED.matcher(page).replaceAll("");
  }

  /** What links to a page's headings name. */
  static List<String> anchors(String page) {
    return prose(page)
        .lines()
        .filter(line -> line.matches("#+ .*"))
        .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\w -]", "").replace(' ', '-'))
        .toList();
  }

  /**
   * The rows of the tables whose first column has this head: their cells, without the backticks
   * where all of a cell is code.
   *
   * @param heading what the tables stand below, down to the next heading of the second level; null
   *     for the whole page
   */
  public static List<List<String>> rows(String page, String heading, String firstColumn) {
    List<List<String>> rows = new ArrayList<>();
    boolean inSection = heading == null;
    boolean inTable = false;
    for (String line : page.lines().toList()) {
      if (line.startsWith("## ") && heading != null) {
        inSection = line.equals("## " + heading);
      }
      List<String> cells = line.startsWith("|") ? cells(line) : List.of();
      if (cells.isEmpty() || !inSection) {
        inTable = false;
      } else if (cells.get(0).equals(firstColumn)) {
        inTable = true;
      } else if (inTable && !cells.get(0).startsWith("---")) {
        rows.add(cells);
      }
    }
    if (rows.isEmpty()) {
      throw new IllegalArgumentException("no table of " + firstColumn + " below " + heading);
    }
    return rows;
  }

  private static List<String> cells(String line) {
    return Stream.of(line.substring(1, line.lastIndexOf('|')).split("\\|", -1))
        .map(cell -> cell.strip().replaceAll("^`([^`]*)`$", "$1"))
        .toList();
  }
}
