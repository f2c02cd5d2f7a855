// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import dev.throughline.examples.fleet.TraceTree.Node;
import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a trace must have in order to be whole.
 *
 * @param root the name of its root; null where the trace may have begun elsewhere
 * @param services whose spans there must be
 * @param spans that must be there, e.g. {@code vnc.open of bmc-agent}: those that end late, which
 *     nothing else in the trace would show to be missing
 * @param baggage the entries that must have reached each span of {@code reached}
 * @param reached services
 */
record Expectation(
    @Nullable String root,
    Set<String> services,
    Set<String> spans,
    Set<String> baggage,
    Set<String> reached) {

  /** A trace that somebody else began. */
  static final Expectation ANY = new Expectation(null, Set.of(), Set.of(), Set.of(), Set.of());

  boolean isMet(List<ReceivedSpan> spans) {
    return gaps(new TraceTree(spans)).isEmpty();
  }

  /** Why the trace is not whole; nothing where it is. */
  List<String> gaps(TraceTree tree) {
    if (tree.nodes().isEmpty()) {
      return List.of("no span came in");
    }
    List<String> gaps = new ArrayList<>();
    addTops(tree, gaps);
    Set<String> present =
        tree.nodes().stream().map(node -> node.span().service()).collect(Collectors.toSet());
    services.stream()
        .filter(service -> !present.contains(service))
        .sorted()
        .forEach(service -> gaps.add("there is no span of " + service));
    Set<String> ended =
        tree.nodes().stream().map(node -> node.span().toString()).collect(Collectors.toSet());
    spans.stream()
        .filter(span -> !ended.contains(span))
        .sorted()
        .forEach(span -> gaps.add("there is no " + span));
    for (Node node : tree.nodes()) {
      if (node.span().isCallOfService() && !node.isContinued()) {
        gaps.add("%s was continued by no service: %s".formatted(node.span(), node.span().callee()));
      }
      if (reached.contains(node.span().service())) {
        baggage.stream()
            .filter(entry -> !node.span().baggage().containsKey("baggage." + entry))
            .sorted()
            .forEach(entry -> gaps.add("baggage." + entry + " is missing on " + node.span()));
      }
    }
    return gaps;
  }

  private void addTops(TraceTree tree, List<String> gaps) {
    List<ReceivedSpan> roots =
        tree.tops().stream().map(Node::span).filter(ReceivedSpan::isRoot).toList();
    List<ReceivedSpan> orphans =
        tree.tops().stream().map(Node::span).filter(span -> !span.isRoot()).toList();
    if (root != null && roots.stream().noneMatch(span -> span.name().equals(root))) {
      gaps.add("the root " + root + " is missing");
    }
    if (roots.size() > 1) {
      gaps.add("there are " + roots.size() + " roots: " + roots);
    }
    boolean begunElsewhere =
        root == null
            && roots.isEmpty()
            && orphans.stream().allMatch(span -> span.kind() == SpanKind.SPAN_KIND_SERVER)
            && orphans.stream().map(ReceivedSpan::parentSpanId).distinct().count() == 1;
    if (!begunElsewhere) {
      for (ReceivedSpan orphan : orphans) {
        gaps.add("the parent of " + orphan + " is missing: " + orphan.parentSpanId());
      }
    }
  }
}
