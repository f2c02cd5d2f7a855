// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import dev.throughline.benchmarks.ServiceFleet.Footprint;
import dev.throughline.benchmarks.ServiceFleet.Load;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/**
 * What a whole request costs with telemetry on: one fleet of services with telemetry and one
 * without. Both take the same open load in turn, so that whatever else the machine does falls on
 * both.
 */
final class WholeRequest {

  static final String NAME = "request";
  static final String SOAK = "soak";

  private static final Map<String, String> OFF = Map.of("OTEL_SDK_DISABLED", "true");
  private static final double HEAP_ALLOWED = 1.05;

  private WholeRequest() {}

  /** A pair of halves, and the ratios of the one with telemetry to the other. */
  private record Pair(Load off, Load on) {
    double ratio(ToDoubleFunction<Load> figure) {
      return figure.applyAsDouble(on) / figure.applyAsDouble(off);
    }
  }

  /**
   * Compares the two.
   *
   * @param pairs how often each takes its load
   * @param seconds of each half of a pair
   * @param rate requests a second
   */
  static void compare(int pairs, int seconds, int rate, Results results)
      throws IOException, InterruptedException {
    results.progress(
        NAME + ": " + pairs + " pairs of " + 2 * seconds + " s, " + rate + " requests a second");
    try (CountingReceiver receiver = new CountingReceiver();
        ServiceFleet off = new ServiceFleet(OFF);
        ServiceFleet on = new ServiceFleet(exportingTo(receiver))) {
      off.warmUp();
      on.warmUp();
      ServiceFleet.rest();
      Footprint offBefore = off.footprint();
      Footprint onBefore = on.footprint();
      receiver.reset();
      List<Pair> measured = new ArrayList<>();
      for (int pair = 0; pair < pairs; pair++) {
        // In turn, so that what drifts does not always favour the same.
        boolean offFirst = pair % 2 == 0;
        Load first = (offFirst ? off : on).load(seconds, rate);
        Load second = (offFirst ? on : off).load(seconds, rate);
        measured.add(offFirst ? new Pair(first, second) : new Pair(second, first));
      }
      ServiceFleet.rest();
      Footprint offAfter = off.footprint();
      Footprint onAfter = on.footprint();
      Table table = new Table("", "off", "on", "on / off", "95 % from", "to");
      add(table, "median, ms", measured, Load::medianMillis);
      add(table, "p99, ms", measured, Load::p99Millis);
      add(table, "CPU of a request, ms", measured, Load::cpuMillis);
      table.add(
          "heap after GC, MiB",
          Table.figure(offAfter.heapMib(), 2),
          Table.figure(onAfter.heapMib(), 2),
          Table.ratio(onAfter.heapMib(), offAfter.heapMib()),
          "",
          "");
      table.add(
          "threads before", offBefore.threadCount() + "", onBefore.threadCount() + "", "", "", "");
      table.add(
          "threads after", offAfter.threadCount() + "", onAfter.threadCount() + "", "", "", "");
      results.json(NAME, measured);
      results.show(
          NAME,
          "A whole request: Manager, Gateway, Agent",
          pairs + " pairs of " + 2 * seconds + " s at " + rate + " requests a second",
          table,
          """
          Off and on are the medians of the halves; on / off is the median of the pairs' ratios, with its 95 %% interval by
          resampling the pairs. The budget is 1.02 x for the median, and its interval must lie below 1.05 x.
          %.1f spans a request were received with telemetry on. Threads that came or went with it: %s."""
              .formatted(
                  receiver.spans() / (double) (pairs * seconds * rate),
                  ServiceFleet.difference(onBefore, onAfter)));
    }
  }

  private static void add(
      Table table, String name, List<Pair> pairs, ToDoubleFunction<Load> figure) {
    Interval interval =
        Interval.ofMedian(pairs.stream().mapToDouble(pair -> pair.ratio(figure)).toArray());
    table.add(
        name,
        Table.figure(median(pairs.stream().map(Pair::off).mapToDouble(figure).toArray()), 2),
        Table.figure(median(pairs.stream().map(Pair::on).mapToDouble(figure).toArray()), 2),
        Table.figure(interval.median(), 3) + " x",
        Table.figure(interval.low(), 3),
        Table.figure(interval.high(), 3));
  }

  /**
   * Loads the one with telemetry for long.
   *
   * @return whether threads and heap are what they were
   */
  static boolean soak(int minutes, int rate, Results results)
      throws IOException, InterruptedException {
    results.progress(SOAK + ": " + minutes + " minutes, " + rate + " requests a second");
    try (CountingReceiver receiver = new CountingReceiver();
        ServiceFleet on = new ServiceFleet(exportingTo(receiver))) {
      on.warmUp();
      ServiceFleet.rest();
      Footprint before = on.footprint();
      receiver.reset();
      on.load(minutes * 60, rate);
      ServiceFleet.rest();
      Footprint after = on.footprint();
      Table table = new Table("", "before", "after");
      table.add("threads", before.threadCount() + "", after.threadCount() + "");
      table.add(
          "heap after GC, MiB",
          Table.figure(before.heapMib(), 2),
          Table.figure(after.heapMib(), 2));
      results.json(SOAK, List.of(before, after));
      results.show(
          SOAK,
          "The services with telemetry before and after a long load",
          minutes + " minutes at " + rate + " requests a second",
          table,
          String.format(
              Locale.ROOT,
              "%.1f spans a request were received. Threads that came or went: %s.",
              receiver.spans() / (minutes * 60.0 * rate),
              ServiceFleet.difference(before, after)));
      return after.threadCount() == before.threadCount()
          && after.heapMib() <= before.heapMib() * HEAP_ALLOWED;
    }
  }

  private static Map<String, String> exportingTo(CountingReceiver receiver) {
    return Map.of(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        receiver.endpoint("http/protobuf"),
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "http/protobuf");
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    int half = values.length / 2;
    return values.length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  }

  /** The median of paired ratios, and where it lies in 95 of 100 resamplings of the pairs. */
  private record Interval(double median, double low, double high) {

    private static final int RESAMPLINGS = 10_000;

    static Interval ofMedian(double[] ratios) {
      Random random = new Random(1);
      double[] medians = new double[RESAMPLINGS];
      for (int i = 0; i < RESAMPLINGS; i++) {
        double[] resampled = new double[ratios.length];
        for (int j = 0; j < resampled.length; j++) {
          resampled[j] = ratios[random.nextInt(ratios.length)];
        }
        medians[i] = WholeRequest.median(resampled);
      }
      Arrays.sort(medians);
      return new Interval(
          WholeRequest.median(ratios.clone()),
          medians[(int) (RESAMPLINGS * 0.025)],
          medians[(int) (RESAMPLINGS * 0.975)]);
    }
  }
}
