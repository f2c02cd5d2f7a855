// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.benchmarks.AllocationProfile.Site;
import dev.throughline.benchmarks.Jmh.Cost;
import dev.throughline.telemetry.http.HttpClientLadder;
import dev.throughline.telemetry.http.HttpServerLadder;
import dev.throughline.telemetry.websocket.WebSocketLadder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a path may cost. Bytes are exact and the same on every machine, so a budget of bytes that is
 * broken fails the build; times depend on what else runs, and only warn.
 */
final class Budgets {

  private static final double ALLOWED = 1.05;
  // What the JVM itself allocates meanwhile, divided by all the calls.
  private static final double NOTHING = 0.5;
  // The compiler leaves an object of the driver's out of a statement in one fork, and not in
  // another.
  private static final double ONE_OBJECT = 24;
  // What the exporting thread makes of a span that it gets, whoever made the span. How many it gets
  // depends on the machine, so the caller's bytes are measured and these added.
  private static final double EXPORTED_SPAN = 64;

  private static final String SDK_SPAN = rung(SpanLadder.class, "p_sdk");
  private static final String SERVER_PEER = rung(HttpServerLadder.class, "r_instrumenter");
  private static final String CLIENT_PEER = rung(HttpClientLadder.class, "r_instrumenter");
  private static final String JDBC_BARE = rung(JdbcLadder.class, "a_bare");
  private static final String JDBC_PEER = rung(JdbcLadder.class, "p_library");
  private static final String BY_HAND = rung(MdcLadder.class, "p_byHand");
  private static final String MESSAGE_SPAN = rung(WebSocketLadder.class, "p_sdk");
  private static final String GRPC_BARE = rung(GrpcInProcessLadder.class, "a_bare");
  private static final String GRPC_STREAM_BARE = rung(GrpcStreamLadder.class, "a_bare");

  private static final List<Budget> ALL =
      List.of(
          new Budget("span, off", rung(OffLadder.class, "b_ours"), Limit.of(0), Limit.of(2)),
          new Budget(
              "HTTP server, off, no context comes in",
              rung(HttpServerLadder.class, "b_off"),
              Limit.of(0),
              Limit.NONE),
          new Budget(
              "span with two attributes",
              rung(SpanLadder.class, "d_on"),
              Limit.times(1.05, SDK_SPAN),
              Limit.times(1.05, SDK_SPAN)),
          new Budget(
              "HTTP server",
              rung(HttpServerLadder.class, "d_on"),
              Limit.of(1300),
              Limit.times(0.4, SERVER_PEER)),
          new Budget(
              "HTTP server, six baggage attributes",
              rung(HttpServerLadder.class, "e_onWithSixBaggageAttributes"),
              Limit.of(2050),
              Limit.NONE),
          new Budget(
              "HTTP client",
              rung(HttpClientLadder.class, "d_on"),
              Limit.of(1200),
              Limit.times(0.45, CLIENT_PEER)),
          new Budget(
              "JDBC statement, added, off",
              rung(JdbcLadder.class, "b_off"),
              JDBC_BARE,
              1,
              Limit.of(0),
              Limit.NONE),
          new Budget(
              "JDBC statement, added",
              rung(JdbcLadder.class, "d_on"),
              JDBC_BARE,
              1,
              Limit.of(1100),
              Limit.times(0.6, JDBC_PEER)),
          new Budget("logging, off", rung(MdcLadder.class, "b_off"), Limit.of(0), Limit.NONE),
          new Budget(
              "three ids in the MDC",
              rung(MdcLadder.class, "d_on"),
              Limit.times(1.2, BY_HAND),
              Limit.times(1.2, BY_HAND)),
          new Budget(
              "gRPC call, both sides, added",
              rung(GrpcInProcessLadder.class, "d_on"),
              GRPC_BARE,
              2,
              Limit.times(0.4, rung(GrpcInProcessLadder.class, "p_library")),
              Limit.NONE),
          new Budget(
              "gRPC stream, both sides, added",
              rung(GrpcStreamLadder.class, "d_on"),
              GRPC_STREAM_BARE,
              2,
              Limit.times(0.4, rung(GrpcStreamLadder.class, "p_library")),
              Limit.NONE),
          new Budget(
              "WebSocket message without span, received",
              rung(WebSocketLadder.class, "d_on"),
              Limit.of(0),
              Limit.NONE),
          new Budget(
              "WebSocket message without span, sent",
              rung(WebSocketLadder.class, "d_onSent"),
              Limit.of(0),
              Limit.NONE),
          new Budget(
              "WebSocket message with span, received",
              rung(WebSocketLadder.class, "e_span"),
              Limit.times(1.1, MESSAGE_SPAN),
              Limit.NONE),
          new Budget(
              "WebSocket message with span, sent",
              rung(WebSocketLadder.class, "e_spanSent"),
              Limit.times(1.1, MESSAGE_SPAN),
              Limit.NONE));

  private Budgets() {}

  /**
   * What a rung may cost.
   *
   * @param over a rung without telemetry that does the same: only what is added to it counts; null
   *     where all counts
   * @param spans how many are exported, where any is
   */
  private record Budget(
      String path, String rung, @Nullable String over, int spans, Limit bytes, Limit nanos) {

    Budget(String path, String rung, Limit bytes, Limit nanos) {
      this(path, rung, null, 1, bytes, nanos);
    }

    double nanos(Map<String, Cost> costs, Cost cost) {
      return cost.nanos() - (over == null ? 0 : cost(costs, over).nanos());
    }

    double bytes(Map<String, Cost> costs, Cost cost) {
      double base = over == null ? 0 : cost(costs, over).callerBytes();
      // Some of the spans are dropped, and the JVM's own threads make a little.
      boolean exports = cost.bytes() - cost.callerBytes() > EXPORTED_SPAN / 4;
      return cost.callerBytes() - base + (exports ? spans * EXPORTED_SPAN : 0);
    }
  }

  /**
   * An amount, or a share of what a peer needs.
   *
   * @param peer the peer's rung; null for an amount
   */
  private record Limit(double figure, @Nullable String peer) {

    static final Limit NONE = of(Double.NaN);

    static Limit of(double amount) {
      return new Limit(amount, null);
    }

    static Limit times(double share, String peer) {
      return new Limit(share, peer);
    }

    double amount(Map<String, Cost> costs, ToDoubleFunction<Cost> part) {
      return peer == null ? figure : figure * part.applyAsDouble(cost(costs, peer));
    }
  }

  /**
   * Measures all of them.
   *
   * @return one line for each that is broken
   */
  static List<String> check(Results results) throws IOException {
    Map<String, Cost> first = Jmh.run(rungs(ALL), Effort.BUDGET, results.json("budget"));
    List<Budget> doubtful = ALL.stream().filter(budget -> !fits(budget, first)).toList();
    Map<String, Cost> second = Map.of();
    if (!doubtful.isEmpty()) {
      // On a busy machine the compiler is not done when the warm-up is, and removes no object yet.
      results.progress(
          "budget: " + doubtful.size() + " in doubt, measured again with more warm-up");
      second = Jmh.run(rungs(doubtful), Effort.DOUBT, results.json("budget-doubtful"));
    }
    List<String> broken = new ArrayList<>();
    Table table = new Table("path", "B/op", "budget", "", "ns/op", "budget", "");
    for (Budget budget : ALL) {
      // One run's figures for both sides: the compiler may have done more in the other one.
      Map<String, Cost> costs = doubtful.contains(budget) ? second : first;
      Cost cost = cost(costs, budget.rung());
      double bytes = budget.bytes().amount(costs, peer -> budget.bytes(costs, peer));
      double measured = budget.bytes(costs, cost);
      double time = budget.nanos(costs, cost);
      double nanos = budget.nanos().amount(costs, peer -> budget.nanos(costs, peer));
      boolean fits = fits(budget, costs);
      if (!fits) {
        broken.add(
            "%s: %s B measured, the budget is %s B and 5 %%"
                .formatted(budget.path(), Table.figure(measured, 0), Table.figure(bytes, 0)));
      }
      table.add(
          budget.path(),
          Table.figure(measured, 0),
          Table.figure(bytes, 0),
          fits ? (measured > Math.max(bytes, NOTHING) ? "allowed" : "") : "BROKEN",
          Table.figure(time, 1),
          Table.figure(nanos, 1),
          time > nanos ? "slow" : "");
    }
    results.show(
        "budget",
        "what a path may cost",
        Effort.BUDGET.word() + " run",
        table,
        "Bytes are of the best of three forks, with 64 for the exporting thread where a span is recorded; 5 % above\nthe budget are allowed, and an object beside a whole statement. Times only warn.");
    return broken;
  }

  private static boolean fits(Budget budget, Map<String, Cost> costs) {
    double allowed = budget.bytes().amount(costs, peer -> budget.bytes(costs, peer)) * ALLOWED;
    double unnoticed = NOTHING + (budget.over() == null ? 0 : ONE_OBJECT);
    return budget.bytes(costs, cost(costs, budget.rung())) <= Math.max(allowed, unnoticed);
  }

  /** Shows where the bytes of each path go, of those that may have any. */
  static void profile(Results results) throws IOException {
    for (Budget budget : ALL) {
      if (budget.bytes().peer() != null || budget.bytes().figure() > 0) {
        Table table = new Table("object", "made by", "B/op");
        double sum = 0;
        String name = profileName(budget);
        for (Map.Entry<Site, Double> site :
            Jmh.allocations(budget.rung(), results.json(name)).entrySet()) {
          sum += site.getValue();
          table.add(
              "`" + site.getKey().what() + "`",
              "`" + site.getKey().where() + "`",
              Table.figure(site.getValue(), 0));
        }
        results.show(
            name,
            budget.path() + ", " + Table.figure(sum, 0) + " B of the caller",
            "profile",
            table,
            "");
      }
    }
  }

  static List<String> profileNames() {
    return ALL.stream().map(Budgets::profileName).toList();
  }

  private static String profileName(Budget budget) {
    return "profile-" + budget.path().replaceAll("\\W+", "-");
  }

  private static Collection<String> rungs(List<Budget> budgets) {
    Collection<String> rungs = new LinkedHashSet<>();
    for (Budget budget : budgets) {
      rungs.add(budget.rung());
      Stream.of(budget.over(), budget.bytes().peer(), budget.nanos().peer())
          .filter(Objects::nonNull)
          .forEach(rungs::add);
    }
    return rungs;
  }

  private static Cost cost(Map<String, Cost> costs, String rung) {
    Cost cost = costs.get(rung);
    if (cost == null) {
      throw new IllegalStateException("Not measured: " + rung);
    }
    return cost;
  }

  private static String rung(Class<?> ladder, String method) {
    return ladder.getName() + "." + method;
  }
}
