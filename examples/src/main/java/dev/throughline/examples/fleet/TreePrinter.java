// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import dev.throughline.examples.fleet.TraceTree.Node;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Prints a trace for people: a line for each span. A baggage attribute stands below the span where
 * it first appears and holds for all further down; where it is lost again, that is said.
 */
final class TreePrinter {

  private final @Nullable Node bottleneck;
  private final List<Row> rows = new ArrayList<>();

  /**
   * A line.
   *
   * @param node null on a line that is a remark
   */
  private record Row(String text, @Nullable Node node) {}

  private TreePrinter(TraceTree tree) {
    bottleneck = tree.bottleneck().orElse(null);
  }

  static String print(TraceTree tree) {
    TreePrinter printer = new TreePrinter(tree);
    Map<String, List<Node>> families = new LinkedHashMap<>();
    for (Node top : tree.tops()) {
      families.computeIfAbsent(top.span().parentSpanId(), id -> new ArrayList<>()).add(top);
    }
    families.forEach(
        (parent, tops) -> {
          if (parent.isEmpty()) {
            tops.forEach(top -> printer.add(top, "", ""));
          } else {
            printer.rows.add(new Row("(span " + parent + ", which did not come in)", null));
            printer.addAll(tops, "");
          }
        });
    return printer.text();
  }

  private void addAll(List<Node> siblings, String indent) {
    for (int i = 0; i < siblings.size(); i++) {
      boolean last = i == siblings.size() - 1;
      add(siblings.get(i), indent + (last ? "└─ " : "├─ "), indent + (last ? "   " : "│  "));
    }
  }

  private void add(Node node, String firstIndent, String indent) {
    rows.add(new Row(firstIndent + node.span().name(), node));
    String remarkIndent = indent + (node.children().isEmpty() ? "   " : "│  ");
    for (String remark : baggageChanges(node)) {
      rows.add(new Row(remarkIndent + remark, null));
    }
    addAll(node.children(), indent);
  }

  private static List<String> baggageChanges(Node node) {
    Map<String, String> now = node.span().baggage();
    Node parent = node.parent();
    Map<String, String> before = parent == null ? Map.of() : parent.span().baggage();
    List<String> changes = new ArrayList<>();
    now.forEach(
        (name, value) -> {
          if (!value.equals(before.get(name))) {
            changes.add("  " + name + " = " + value);
          }
        });
    before.keySet().stream()
        .filter(name -> !now.containsKey(name))
        .forEach(name -> changes.add("  " + name + " is lost here"));
    return changes;
  }

  private String text() {
    int nameWidth = 0;
    int serviceWidth = 0;
    for (Row row : rows) {
      if (row.node != null) {
        nameWidth = Math.max(nameWidth, row.text.length());
        serviceWidth = Math.max(serviceWidth, row.node.span().service().length());
      }
    }
    String format = "%-" + nameWidth + "s  %-" + serviceWidth + "s  %9.1f ms%s";
    StringBuilder text = new StringBuilder();
    for (Row row : rows) {
      Node node = row.node;
      text.append(
              node == null
                  ? row.text
                  : String.format(
                      Locale.ROOT,
                      format,
                      row.text,
                      node.span().service(),
                      millis(node.span().durationNanos()),
                      marks(node)))
          .append('\n');
    }
    return text.toString();
  }

  private String marks(Node node) {
    String failure = node.span().failure();
    String mark = failure == null ? "" : "  ✗ " + (failure.isEmpty() ? "failed" : failure);
    return node == bottleneck
        ? mark
            + String.format(
                Locale.ROOT, "  ◀ bottleneck: %.1f ms of its own", millis(node.selfNanos()))
        : mark;
  }

  private static double millis(long nanos) {
    return nanos / 1e6;
  }
}
