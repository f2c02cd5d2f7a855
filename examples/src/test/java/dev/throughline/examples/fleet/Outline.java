// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import java.util.List;

/** The spans of a trace as text, each below the one that caused it. */
final class Outline {

  private final StringBuilder text = new StringBuilder();

  private Outline() {}

  static String of(List<ReceivedSpan> spans) {
    Outline outline = new Outline();
    new TraceTree(spans).tops().forEach(top -> outline.add(top, ""));
    return outline.text.toString();
  }

  private void add(TraceTree.Node node, String indent) {
    text.append(indent).append(node.span()).append('\n');
    node.children().stream()
        // Where this machine was slow just then.
        .filter(child -> !child.span().name().equals("connection.wait"))
        .forEach(child -> add(child, indent + "  "));
  }
}
