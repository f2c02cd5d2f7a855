// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The spans of one trace, each below the one that caused it, in the order they started. */
final class TraceTree {

  private static final Comparator<ReceivedSpan> BY_START =
      Comparator.comparingLong(ReceivedSpan::startNanos).thenComparing(ReceivedSpan::spanId);

  private final Map<String, Node> nodes = new LinkedHashMap<>();
  private final List<Node> tops = new ArrayList<>();

  /** A span and what it caused. */
  static final class Node {

    private final ReceivedSpan span;
    private final List<Node> children = new ArrayList<>();
    private @Nullable Node parent;

    private Node(ReceivedSpan span) {
      this.span = span;
    }

    ReceivedSpan span() {
      return span;
    }

    List<Node> children() {
      return children;
    }

    /** Null on a root, and where the parent did not come in. */
    @Nullable Node parent() {
      return parent;
    }

    /** Whether its parent did not come in. */
    boolean isOrphan() {
      return parent == null && !span.isRoot();
    }

    /** Whether another service went on with it. */
    boolean isContinued() {
      return children.stream().anyMatch(child -> !child.span.service().equals(span.service()));
    }

    /**
     * The part of its time in which none of its children ran. What goes on after its parent has
     * ended, as an open console does, does not count: nobody waits for it.
     */
    long selfNanos() {
      long end = awaitedUntilNanos();
      long self = 0;
      long reached = span.startNanos();
      for (Node child : children) {
        self += Math.max(0, Math.min(child.span.startNanos(), end) - reached);
        reached = Math.max(reached, child.span.endNanos());
      }
      return self + Math.max(0, end - reached);
    }

    private long awaitedUntilNanos() {
      return parent == null
          ? span.endNanos()
          : Math.min(span.endNanos(), parent.awaitedUntilNanos());
    }

    private boolean isBelow(Node other) {
      for (Node node = this; node != null; node = node.parent) {
        if (node == other) {
          return true;
        }
      }
      return false;
    }
  }

  /** The tree of these spans. One that came in twice, in a repeated export, counts once. */
  TraceTree(Collection<ReceivedSpan> spans) {
    spans.stream()
        .sorted(BY_START)
        .forEach(span -> nodes.putIfAbsent(span.spanId(), new Node(span)));
    for (Node node : nodes.values()) {
      Node parent = nodes.get(node.span.parentSpanId());
      // Spans that claim to be each other's parents would not show at all.
      if (parent == null || parent.isBelow(node)) {
        tops.add(node);
      } else {
        node.parent = parent;
        parent.children.add(node);
      }
    }
  }

  /** All spans, by start time. */
  Collection<Node> nodes() {
    return nodes.values();
  }

  /** The root, and whatever else has no parent here. */
  List<Node> tops() {
    return tops;
  }

  /** The span with the most time of its own; empty only where there is no span. */
  Optional<Node> bottleneck() {
    return nodes.values().stream().max(Comparator.comparingLong(Node::selfNanos));
  }
}
