// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A table of Markdown that reads well in a terminal: the first column to the left, figures right.
 */
final class Table {

  private final List<List<String>> rows = new ArrayList<>();

  Table(String... headings) {
    rows.add(List.of(headings));
  }

  /** Adds a row; a cell that has nothing to say is empty. */
  void add(String... cells) {
    if (cells.length != rows.get(0).size()) {
      throw new IllegalArgumentException(cells.length + " cells");
    }
    rows.add(List.of(cells));
  }

  /** A figure with so many digits after the point; empty where there is none. */
  static String figure(double value, int digits) {
    return Double.isNaN(value) || Double.isInfinite(value)
        ? ""
        : String.format(Locale.ROOT, "%,." + digits + "f", value);
  }

  /** A ratio, e.g. {@code 0.93 x}; empty where what it is measured by is nothing. */
  static String ratio(double value, double by) {
    return by < 0.5 || Double.isNaN(value) ? "" : figure(value / by, 2) + " x";
  }

  @Override
  public String toString() {
    int columns = rows.get(0).size();
    int[] widths = new int[columns];
    // Room for the line below the heads, also where a column is empty from top to bottom.
    Arrays.fill(widths, 2);
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      for (int i = 0; i < columns; i++) {
        String cell = rows.get(r).get(i);
        String space = " ".repeat(widths[i] - cell.length());
        text.append("| ").append(i == 0 ? cell + space : space + cell).append(' ');
      }
      text.append("|\n");
      if (r == 0) {
        for (int i = 0; i < columns; i++) {
          text.append("| ").append("-".repeat(widths[i] - (i == 0 ? 0 : 1)));
          text.append(i == 0 ? " " : ": ");
        }
        text.append("|\n");
      }
    }
    return text.toString();
  }
}
