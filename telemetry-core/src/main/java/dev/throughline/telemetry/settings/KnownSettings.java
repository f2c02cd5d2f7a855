// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.propagation.OffPropagators;
import dev.throughline.telemetry.settings.Setting.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The settings that are understood, in the order of {@code docs/configuration.md}. */
public final class KnownSettings {

  static final List<String> SAMPLERS =
      List.of(
          "always_on",
          "always_off",
          "traceidratio",
          "parentbased_always_on",
          "parentbased_always_off",
          "parentbased_traceidratio");

  /** As they are called in the names of settings. */
  public static final List<String> SIGNALS = List.of("traces", "metrics", "logs");

  static final String OTLP = "otel.exporter.otlp.";

  /** What traces are looked for by. */
  public static final List<String> DEFAULT_BAGGAGE_ATTRIBUTES =
      List.of("customer_id", "server_id", "session_id", "datacenter", "agent_id", "bmc_type");

  private static final String FOR_ALL = "what holds for all signals";
  private static final String NONE = "none";
  private static final int MOST = Integer.MAX_VALUE;
  // What waits has a slot each, which is there before anything waits.
  private static final int MOST_THAT_WAIT = 10_000_000;
  private static final Map<String, Setting> BY_KEY = new LinkedHashMap<>();

  static {
    List<Setting> all = new ArrayList<>();
    all.add(Setting.onOff("otel.sdk.disabled", "false"));
    all.add(Setting.onOff("tracing.enabled", "true"));
    all.add(
        Setting.text(
            "telemetry.baggage.attributes",
            "keys of baggage, with commas",
            String.join(",", DEFAULT_BAGGAGE_ATTRIBUTES)));
    all.add(Setting.duration("telemetry.close.timeout", "5s"));
    all.add(
        Setting.number(
            "telemetry.delivery.memory.mb", 1, MOST, "128, or a quarter of the largest heap"));
    all.add(Setting.text("telemetry.spool.folder", "a folder", NONE));
    all.add(Setting.number("telemetry.spool.size.mb", 1, MOST, "512"));
    all.add(Setting.duration("telemetry.spool.sync.interval", 1, "1s"));
    all.add(Setting.onOff("telemetry.jvm.metrics", "true"));
    all.add(Setting.choice("telemetry.prometheus.names", "kept", "kept", "translated"));
    all.add(
        new Setting(
            "telemetry.request.id.header",
            Kind.HEADER_NAME,
            "the name of a header, e.g. X-Request-Id",
            NONE));
    all.add(Setting.duration("telemetry.segment.limit", "60s"));
    all.add(Setting.onOff("telemetry.strict", "false"));
    all.add(Setting.text("otel.service.name", "any text", "the name in the code"));
    all.add(
        new Setting(
            "otel.resource.attributes",
            Kind.ATTRIBUTES,
            "pairs with commas, e.g. environment=dev,datacenter=eu",
            NONE));
    all.add(Setting.text("otel.resource.disabled.keys", "keys of attributes, with commas", NONE));
    all.add(
        Setting.text(
            "otel.java.enabled.resource.providers", "names of classes, with commas", "all"));
    all.add(
        Setting.text(
            "otel.java.disabled.resource.providers", "names of classes, with commas", NONE));
    for (String signal : SIGNALS) {
      all.add(
          new Setting(
              "otel." + signal + ".exporter",
              Kind.EXPORTERS,
              "otlp, console, those whose artifact is on the class path, with commas, or none alone",
              signal.equals("logs") ? "otlp where an endpoint is set, else none" : "otlp"));
    }
    addOtlp(all, "");
    for (String signal : SIGNALS) {
      addOtlp(all, signal + ".");
    }
    all.add(
        Setting.choice(
            OTLP + "metrics.temporality.preference",
            "cumulative",
            "cumulative",
            "delta",
            "lowmemory"));
    all.add(
        Setting.choice(
            OTLP + "metrics.default.histogram.aggregation",
            "explicit_bucket_histogram",
            "explicit_bucket_histogram",
            "base2_exponential_bucket_histogram"));
    all.add(Setting.onOff("otel.java.exporter.otlp.retry.disabled", "false"));
    all.add(
        Setting.choice(
            "otel.java.exporter.memory_mode", "reusable_data", "reusable_data", "immutable_data"));
    all.add(
        new Setting(
            "otel.traces.sampler",
            Kind.SAMPLER,
            String.join(", ", SAMPLERS) + ", or one whose artifact is on the class path",
            "parentbased_always_on"));
    all.add(new Setting("otel.traces.sampler.arg", Kind.RATIO, "a number from 0.0 to 1.0", "1.0"));
    all.add(
        new Setting(
            "otel.propagators",
            Kind.PROPAGATORS,
            OffPropagators.ACCEPTED,
            String.join(",", OffPropagators.DEFAULT)));
    addBatch(all, "otel.bsp.", "5s");
    all.add(Setting.number("otel.span.attribute.count.limit", 0, MOST, "128"));
    all.add(Setting.number("otel.span.attribute.value.length.limit", 0, MOST, NONE));
    all.add(Setting.number("otel.span.event.count.limit", 0, MOST, "128"));
    all.add(Setting.number("otel.span.link.count.limit", 0, MOST, "128"));
    all.add(Setting.number("otel.attribute.count.limit", 0, MOST, "128"));
    all.add(Setting.number("otel.attribute.value.length.limit", 0, MOST, NONE));
    all.add(Setting.duration("otel.metric.export.interval", 1, "60s"));
    all.add(
        Setting.choice(
            "otel.metrics.exemplar.filter",
            "trace_based",
            "trace_based",
            "always_on",
            "always_off"));
    all.add(Setting.number("otel.java.metrics.cardinality.limit", 1, MOST, "2000"));
    all.add(
        Setting.choice("otel.experimental.sdk.telemetry.version", "legacy", "legacy", "latest"));
    all.add(
        Setting.text("otel.exporter.prometheus.host", "a host, or 0.0.0.0 for all", "localhost"));
    all.add(Setting.number("otel.exporter.prometheus.port", 0, 65_535, "9464"));
    addBatch(all, "otel.blrp.", "1s");
    all.add(
        new Setting(
            "otel.config.file",
            Kind.NOT_READ,
            "nothing, since files of OpenTelemetry's declarative configuration are not read",
            "the other variables"));
    for (Setting setting : all) {
      BY_KEY.put(setting.key(), setting);
    }
  }

  private KnownSettings() {}

  private static void addOtlp(List<Setting> all, String signal) {
    boolean general = signal.isEmpty();
    String prefix = OTLP + signal;
    all.add(
        new Setting(
            prefix + "endpoint",
            Kind.ENDPOINT,
            "host:port, the host without underscore or zone, no part of its name longer than 63, and"
                + " the whole not than 253, after http://, https://, grpc://, grpcs:// or nothing, and"
                + " without query, fragment or user info",
            general ? "http://localhost:4317, or 4318 for http/protobuf" : FOR_ALL));
    all.add(
        new Setting(
            prefix + "protocol",
            Kind.PROTOCOL,
            "grpc or http/protobuf",
            general ? "what the endpoint's port says, else grpc" : FOR_ALL));
    all.add(
        new Setting(
            prefix + "headers",
            Kind.HEADERS,
            "pairs with commas, percent-encoded, e.g. Authorization=Bearer%20abc",
            general ? NONE : FOR_ALL));
    all.add(
        new Setting(
            prefix + "compression", Kind.COMPRESSION, "gzip or none", general ? NONE : FOR_ALL));
    all.add(Setting.duration(prefix + "timeout", general ? "10s" : FOR_ALL));
    all.add(
        new Setting(
            prefix + "certificate",
            Kind.CERTIFICATE,
            "a PEM file of X.509 certificates",
            general ? "the JDK's" : FOR_ALL));
    all.add(
        new Setting(
            prefix + "client.key",
            Kind.FILE,
            "a PEM file of a PKCS#8 key, RSA or EC, with its certificate in "
                + Environment.variable(prefix + "client.certificate"),
            general ? NONE : FOR_ALL));
    all.add(
        new Setting(
            prefix + "client.certificate",
            Kind.FILE,
            "a PEM file of X.509 certificates, with its key in "
                + Environment.variable(prefix + "client.key"),
            general ? NONE : FOR_ALL));
  }

  private static void addBatch(List<Setting> all, String prefix, String delay) {
    all.add(Setting.duration(prefix + "schedule.delay", delay));
    all.add(
        Setting.number(prefix + "max.queue.size", 1, MOST_THAT_WAIT, "what has room in memory"));
    all.add(Setting.number(prefix + "max.export.batch.size", 1, MOST_THAT_WAIT, "512"));
    all.add(Setting.duration(prefix + "export.timeout", "30s"));
  }

  static Iterable<Setting> all() {
    return BY_KEY.values();
  }

  static boolean has(String key) {
    return BY_KEY.containsKey(key);
  }

  static @Nullable Setting find(String key) {
    return BY_KEY.get(key);
  }
}
