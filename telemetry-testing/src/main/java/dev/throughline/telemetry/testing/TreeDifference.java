// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Two trees in one: a line that both have stands once, one that only the expected tree has is
 * marked with a minus, one that only the actual tree has with a plus.
 */
final class TreeDifference {

  private final List<SpanLine> wanted;
  private final List<SpanLine> recorded;
  private final List<String> expected = new ArrayList<>();
  private final List<String> actual = new ArrayList<>();
  private final List<String> marked = new ArrayList<>();
  private boolean none = true;

  TreeDifference(List<SpanLine> wanted, List<SpanLine> recorded) {
    this.wanted = wanted;
    this.recorded = recorded;
    int[][] common = common();
    int i = 0;
    int j = 0;
    int gapI = 0;
    int gapJ = 0;
    while (i < wanted.size() && j < recorded.size()) {
      if (wanted.get(i).describes(recorded.get(j))) {
        addGap(gapI, i, gapJ, j);
        addBoth(wanted.get(i++), recorded.get(j++));
        gapI = i;
        gapJ = j;
      } else if (common[i + 1][j] >= common[i][j + 1]) {
        i++;
      } else {
        j++;
      }
    }
    addGap(gapI, wanted.size(), gapJ, recorded.size());
  }

  boolean isNone() {
    return none;
  }

  String expected() {
    return String.join("\n", expected);
  }

  /** The actual tree, with those attributes that the expected one names. */
  String actual() {
    return String.join("\n", actual);
  }

  @Override
  public String toString() {
    return "The trace tree differs (- expected, + actual):\n" + String.join("\n", marked);
  }

  /** How many lines, in order, both have from each pair of lines on. */
  private int[][] common() {
    int[][] common = new int[wanted.size() + 1][recorded.size() + 1];
    for (int i = wanted.size() - 1; i >= 0; i--) {
      for (int j = recorded.size() - 1; j >= 0; j--) {
        common[i][j] =
            wanted.get(i).describes(recorded.get(j))
                ? common[i + 1][j + 1] + 1
                : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    return common;
  }

  private void addBoth(SpanLine written, SpanLine found) {
    Set<String> keys = written.attributes().keySet();
    expected.add(written.write(keys));
    actual.add(found.write(keys));
    marked.add("  " + written.write(keys));
  }

  private void addGap(int fromWanted, int toWanted, int fromRecorded, int toRecorded) {
    for (SpanLine line : wanted.subList(fromWanted, toWanted)) {
      String written = line.write(line.attributes().keySet());
      expected.add(written);
      marked.add("- " + written);
      none = false;
    }
    for (int j = fromRecorded; j < toRecorded; j++) {
      // The line that stands where this one should, if any, names the attributes of interest.
      int i = fromWanted + j - fromRecorded;
      Set<String> keys = i < toWanted ? wanted.get(i).attributes().keySet() : Set.of();
      String found = recorded.get(j).write(keys);
      actual.add(found);
      marked.add("+ " + found);
      none = false;
    }
  }
}
