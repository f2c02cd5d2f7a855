// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.examples.fleet.TraceTree.Node;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TraceTreeTest {

  @Test
  void putsEachSpanBelowItsParentByStartTime() {
    TraceTree tree =
        tree(
            span("late", "root").from(5).to(9),
            span("deep", "early").from(2).to(3),
            span("root", "").from(0).to(10),
            span("early", "root").from(1).to(4));

    assertThat(names(tree.tops())).containsExactly("root");
    assertThat(names(node(tree, "root").children())).containsExactly("early", "late");
    assertThat(names(node(tree, "early").children())).containsExactly("deep");
  }

  @Test
  void selfTimeIsWhatNoChildCovers() {
    TraceTree tree =
        tree(
            span("root", "").from(0).to(100),
            span("a", "root").from(10).to(40),
            span("b", "root").from(20).to(50), // beside a
            span("c", "root").from(25).to(30), // within both
            span("d", "root").from(80).to(90));

    assertThat(millis(node(tree, "root"))).isEqualTo(50); // 0-10, 50-80, 90-100
    assertThat(millis(node(tree, "a"))).isEqualTo(30);
  }

  @Test
  void whatGoesOnAfterItsParentIsNotWaitedFor() {
    TraceTree tree =
        tree(
            span("open", "").from(0).to(10),
            span("stream", "open").from(8).to(500),
            span("relay", "stream").from(9).to(400));

    assertThat(millis(node(tree, "open"))).isEqualTo(8);
    assertThat(millis(node(tree, "stream"))).isEqualTo(1);
    assertThat(millis(node(tree, "relay"))).isEqualTo(1);
  }

  @Test
  void selfTimeIsNeverNegativeWhereClocksDiffer() {
    TraceTree tree =
        tree(
            span("root", "").from(10).to(20),
            span("before", "root").from(0).to(12),
            span("after", "root").from(18).to(30),
            span("far", "root").from(40).to(50));

    assertThat(millis(node(tree, "root"))).isEqualTo(6);
    assertThat(millis(node(tree, "far"))).isZero();
    assertThat(millis(node(tree(span("back", "").from(5).to(3)), "back"))).isZero();
  }

  @Test
  void theBottleneckHasTheMostTimeOfItsOwn() {
    TraceTree tree =
        tree(
            span("root", "").from(0).to(100),
            span("call", "root").from(1).to(99),
            span("dial", "call").from(10).to(60),
            span("rest", "call").from(60).to(98));

    assertThat(tree.bottleneck().map(node -> node.span().name())).contains("dial");
    assertThat(tree().bottleneck()).isEmpty();
  }

  @Test
  void anOrphanStandsBesideTheRoot() {
    TraceTree tree = tree(span("root", "").from(0).to(9), span("orphan", "nobody").from(1).to(2));

    assertThat(names(tree.tops())).containsExactly("root", "orphan");
    assertThat(node(tree, "orphan").isOrphan()).isTrue();
    assertThat(node(tree, "root").isOrphan()).isFalse();
  }

  @Test
  void aSpanThatCameInTwiceCountsOnce() {
    TraceTree tree = tree(span("root", "").from(0).to(9), span("root", "").from(0).to(9));

    assertThat(tree.nodes()).hasSize(1);
    assertThat(tree.tops()).hasSize(1);
  }

  @Test
  void spansThatAreEachOthersParentsStillShow() {
    TraceTree tree =
        tree(
            span("self", "self").from(0).to(1),
            span("a", "b").from(2).to(3),
            span("b", "a").from(3).to(4));

    assertThat(names(tree.tops())).containsExactly("self", "b");
    assertThat(names(node(tree, "b").children())).containsExactly("a");
  }

  private static TraceTree tree(SpanSketch... spans) {
    return new TraceTree(Stream.of(spans).map(SpanSketch::received).toList());
  }

  private static SpanSketch span(String name, String parent) {
    return SpanSketch.span(name, parent);
  }

  private static Node node(TraceTree tree, String name) {
    Optional<Node> found =
        tree.nodes().stream().filter(node -> node.span().name().equals(name)).findFirst();
    return found.orElseThrow();
  }

  private static List<String> names(List<Node> nodes) {
    return nodes.stream().map(node -> node.span().name()).toList();
  }

  private static long millis(Node node) {
    return node.selfNanos() / 1_000_000;
  }
}
