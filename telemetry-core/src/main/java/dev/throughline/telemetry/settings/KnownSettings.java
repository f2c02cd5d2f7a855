// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.propagation.OffPropagators;
import dev.throughline.telemetry.settings.Setting.Kind;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The table that owns each setting that is understood, in the order of {@code
 * docs/configuration.md}, which a test compares with it. A setting that core itself reads is a
 * constant; all others are read by autoconfigure, by exporters or by a module.
 */
public final class KnownSettings {

  /** The signals, as they are called in the names of settings. */
  public static final List<String> SIGNALS = List.of("traces", "metrics", "logs");

  static final String OTLP = "otel.exporter.otlp.";
  static final String ACCEPTED_PROPAGATORS =
      "tracecontext, baggage, those whose artifact is on the class path, with commas, or none"
          + " alone";
  static final List<String> SAMPLERS =
      List.of(
          "always_on",
          "always_off",
          "traceidratio",
          "parentbased_always_on",
          "parentbased_always_off",
          "parentbased_traceidratio");

  private static final String FOR_ALL = "what holds for all signals";
  private static final String EXPORTER_NAMES =
      "otlp, console, those whose artifact is on the class path, with commas, or none alone";
  private static final int MOST = Integer.MAX_VALUE;
  // Each item that waits has a slot, which is there before anything waits.
  private static final int MOST_THAT_WAIT = 10_000_000;
  private static final Map<String, Setting<?>> BY_KEY = new LinkedHashMap<>();

  static {
    known(
        Setting.onOff(
            "otel.sdk.disabled",
            false,
            "true records nothing: no span, metric or log record, no thread, no new id"));
    known(Setting.onOff("tracing.enabled", true, "false records no spans; metrics and logs go on"));
  }

  /** Baggage that stands out; what traces are looked for by. */
  public static final Setting<List<String>> BAGGAGE_ATTRIBUTES =
      known(
          Setting.list(
              "telemetry.baggage.attributes",
              Kind.TEXT,
              "keys of baggage, with commas",
              List.of(
                  "customer_id", "server_id", "session_id", "datacenter", "agent_id", "bmc_type"),
              "list: baggage entries that become the attribute baggage.<key>, and stand in the"
                  + " MDC"));

  /** How long closing may take. */
  public static final Setting<Duration> CLOSE_TIMEOUT =
      known(
          Setting.duration(
              "telemetry.close.timeout",
              Duration.ofSeconds(5),
              "duration: how long closing may take, also when the JVM stops"));

  /** How much memory what waits may hold; by default 128, or a quarter of the largest heap. */
  public static final Setting<Integer> DELIVERY_MEMORY_MB =
      known(
          Setting.number(
                  "telemetry.delivery.memory.mb",
                  1,
                  MOST,
                  null,
                  "megabytes that what waits for its delivery may hold")
              .otherwise("128, or a quarter of the largest heap"));

  /** The folder of the spool; none by default. */
  public static final Setting<String> SPOOL_FOLDER =
      known(
          Setting.text(
              "telemetry.spool.folder",
              Kind.FOLDER,
              "a folder",
              null,
              "folder for what can't be delivered; switches the spool on"));

  /** How much the spool may hold. */
  public static final Setting<Integer> SPOOL_SIZE_MB =
      known(
          Setting.number(
              "telemetry.spool.size.mb",
              1,
              MOST,
              512,
              "megabytes that the spool may hold; the oldest make room"));

  /** How much of the newest a crash may cost. */
  public static final Setting<Duration> SPOOL_SYNC_INTERVAL =
      known(
          Setting.durationAboveZero(
              "telemetry.spool.sync.interval",
              Duration.ofSeconds(1),
              "duration: how often what was written is forced to disk"));

  static {
    known(Setting.onOff("telemetry.jvm.metrics", true, "false leaves out the metrics of the JVM"));
    known(
        Setting.choice(
            "telemetry.prometheus.names",
            List.of("kept", "translated"),
            "what Prometheus sees: kept leaves a name without a dot as it is, translated adds units"
                + " and scopes"));
  }

  /** The header of request ids; none by default. */
  public static final Setting<String> REQUEST_ID_HEADER =
      known(
          Setting.text(
              "telemetry.request.id.header",
              Kind.HEADER_NAME,
              "the name of a header, e.g. X-Request-Id",
              null,
              "the header of request ids, e.g. X-Request-Id"));

  /** How long a stream may stay unseen. */
  public static final Setting<Duration> SEGMENT_LIMIT =
      known(
          Setting.duration(
              "telemetry.segment.limit",
              Duration.ofSeconds(60),
              "duration: how long one span of a stream lasts; 0 is as long as the stream"));

  static {
    known(Setting.onOff("telemetry.strict", false, "true throws where a setting can't be used"));
    known(
        text("otel.service.name", "any text", "service.name; wins over the code")
            .otherwise("the name in the code"));
    known(
        Setting.text(
            "otel.resource.attributes",
            Kind.ATTRIBUTES,
            "pairs with commas, each key once, of printable ASCII and with a value, e.g."
                + " environment=dev,datacenter=eu",
            null,
            "map: what all that is sent carries, e.g. environment=dev,datacenter=eu"));
    known(
        text(
            "otel.resource.disabled.keys",
            "keys of attributes, with commas",
            "list: resource attributes that OpenTelemetry is to leave out"));
  }

  /** The classes of resource providers that are asked; all by default. */
  public static final Setting<List<String>> ENABLED_RESOURCE_PROVIDERS =
      known(
          Setting.list(
                  "otel.java.enabled.resource.providers",
                  Kind.PROVIDERS,
                  "names of classes that provide resources, with commas",
                  List.of(),
                  "list of class names: no other provider adds attributes")
              .otherwise("all"));

  /** The classes of resource providers that are not asked. */
  public static final Setting<List<String>> DISABLED_RESOURCE_PROVIDERS =
      known(
          Setting.list(
              "otel.java.disabled.resource.providers",
              Kind.PROVIDERS,
              "names of classes that provide resources, with commas",
              List.of(),
              "list of class names: these providers add no attributes"));

  static {
    exporters("traces", "list: otlp, console, or none alone");
    exporters("metrics", "as for traces; also prometheus, with telemetry-metrics");
    known(
        Setting.list(
                "otel.logs.exporter", Kind.EXPORTERS, EXPORTER_NAMES, List.of(), "as for traces")
            .otherwise("otlp where an endpoint is set, else none"));
    otlp("");
    SIGNALS.forEach(signal -> otlp(signal + "."));
    known(
        Setting.choice(
            OTLP + "metrics.temporality.preference",
            List.of("cumulative", "delta", "lowmemory"),
            "or delta, lowmemory"));
    known(
        Setting.choice(
            OTLP + "metrics.default.histogram.aggregation",
            List.of("explicit_bucket_histogram", "base2_exponential_bucket_histogram"),
            "how histograms are kept; or base2_exponential_bucket_histogram"));
    known(
        Setting.onOff(
            "otel.java.exporter.otlp.retry.disabled",
            false,
            "true gives a failed export no second try"));
    known(
        Setting.choice(
            "otel.java.exporter.memory_mode",
            List.of("reusable_data", "immutable_data"),
            "immutable_data gives each export objects of its own"));
  }

  /** The sampler's name. */
  public static final Setting<String> SAMPLER =
      known(
          Setting.text(
              "otel.traces.sampler",
              Kind.SAMPLER,
              String.join(", ", SAMPLERS) + ", or one whose artifact is on the class path",
              "parentbased_always_on",
              "which traces are kept"));

  /** The sampler's argument; a ratio, unless the sampler is someone else's. */
  public static final Setting<String> SAMPLER_ARGUMENT =
      known(
          Setting.text(
              "otel.traces.sampler.arg",
              Kind.RATIO,
              "a number from 0.0 to 1.0",
              "1.0",
              "the ratio of the two ratio samplers, from 0.0 to 1.0"));

  static {
    known(
        Setting.list(
            "otel.propagators",
            Kind.PROPAGATORS,
            ACCEPTED_PROPAGATORS,
            OffPropagators.DEFAULT,
            "list: how context travels; none alone reads and writes nothing"));
  }

  /** How spans are batched. */
  public static final Batches SPAN_BATCHES =
      new Batches(
          "otel.bsp.",
          Duration.ofSeconds(5),
          "duration: longest time that an ended span waits for its export to begin",
          "most ended spans that wait for their batch",
          "spans in one export; as many waiting start one early",
          "duration: how long an exporter other than OTLP is waited for; 0 is for ever");

  static {
    limit("otel.span.attribute.count.limit", "attributes of a span; further ones are dropped");
    length(
        "otel.span.attribute.value.length.limit",
        "characters of a span's string values; longer ones are cut");
    limit("otel.span.event.count.limit", "events of a span");
    limit("otel.span.link.count.limit", "links of a span");
    limit("otel.attribute.count.limit", "attributes of spans, events, links and log records");
    length(
        "otel.attribute.value.length.limit",
        "characters of the string values of spans and log records");
    known(
        Setting.durationAboveZero(
            "otel.metric.export.interval",
            Duration.ofSeconds(60),
            "duration: how often metrics are sent"));
    known(
        text(
                "otel.exporter.prometheus.host",
                "a host, or 0.0.0.0 for all",
                "where the port of prometheus listens; 0.0.0.0 is everywhere")
            .otherwise("localhost"));
    known(
        Setting.number(
            "otel.exporter.prometheus.port", 0, 65_535, 9464, "the port; metrics are at /metrics"));
    known(
        Setting.choice(
            "otel.metrics.exemplar.filter",
            List.of("trace_based", "always_on", "always_off"),
            "which values may carry a trace id; or always_on, always_off"));
    known(
        Setting.number(
            "otel.java.metrics.cardinality.limit",
            1,
            MOST,
            2000,
            "combinations of attributes of a metric; the rest is one point"));
    known(
        Setting.choice(
            "otel.experimental.sdk.telemetry.version",
            List.of("legacy", "latest"),
            "under which names the SDK counts itself; or latest"));
  }

  /** How log records are batched. */
  public static final Batches LOG_RECORD_BATCHES =
      new Batches(
          "otel.blrp.",
          Duration.ofSeconds(1),
          "duration: longest time that a log record waits",
          "most log records that wait for their batch",
          "log records in one export",
          "duration: how long an exporter other than OTLP is waited for; 0 is for ever");

  static {
    known(
        Setting.text(
                "otel.config.file",
                Kind.NOT_READ,
                "nothing, since files of OpenTelemetry's declarative configuration are not read",
                null,
                "asks for OpenTelemetry's declarative configuration")
            .otherwise("the other variables"));
  }

  /** The four settings of one batch processor. */
  public static final class Batches {

    /** How long what ended waits for its batch. */
    public final Setting<Duration> scheduleDelay;

    /** How many may wait; by default, as many as there is memory for. */
    public final Setting<Integer> maxQueueSize;

    /** How many go in one export. */
    public final Setting<Integer> maxExportBatchSize;

    /** How long an exporter is waited for; zero is for ever. */
    public final Setting<Duration> exportTimeout;

    private Batches(
        String prefix, Duration delay, String waits, String queue, String batch, String timeout) {
      scheduleDelay = known(Setting.duration(prefix + "schedule.delay", delay, waits));
      maxQueueSize =
          known(
              Setting.number(prefix + "max.queue.size", 1, MOST_THAT_WAIT, null, queue)
                  .otherwise("what has room in memory"));
      maxExportBatchSize =
          known(Setting.number(prefix + "max.export.batch.size", 1, MOST_THAT_WAIT, 512, batch));
      exportTimeout =
          known(Setting.duration(prefix + "export.timeout", Duration.ofSeconds(30), timeout));
    }
  }

  private KnownSettings() {}

  private static <T> Setting<T> known(Setting<T> setting) {
    BY_KEY.put(setting.key(), setting);
    return setting;
  }

  private static Setting<String> text(String key, String accepted, String effect) {
    return Setting.text(key, Kind.TEXT, accepted, null, effect);
  }

  private static void exporters(String signal, String effect) {
    known(
        Setting.list(
            "otel." + signal + ".exporter",
            Kind.EXPORTERS,
            EXPORTER_NAMES,
            List.of("otlp"),
            effect));
  }

  private static void limit(String key, String effect) {
    known(Setting.number(key, 0, MOST, 128, effect));
  }

  private static void length(String key, String effect) {
    known(Setting.number(key, 0, MOST, null, effect));
  }

  /**
   * The settings of OTLP exporters.
   *
   * @param signal with a dot behind it; empty for those that hold for all
   */
  private static void otlp(String signal) {
    String prefix = OTLP + signal;
    otlp(
        signal,
        Setting.text(
                prefix + "endpoint",
                Kind.ENDPOINT,
                "host:port, the host without underscore or zone, no part of its name longer than 63,"
                    + " and the whole not than 253, after http://, https://, grpc://, grpcs:// or"
                    + " nothing, and without query, fragment or user info",
                null,
                "where the collector listens")
            .otherwise("http://localhost:4317, or 4318 for http/protobuf"));
    otlp(
        signal,
        Setting.text(
                prefix + "protocol",
                Kind.PROTOCOL,
                "grpc or http/protobuf",
                null,
                "grpc or http/protobuf")
            .otherwise("what the endpoint's port says, else grpc"));
    otlp(
        signal,
        Setting.text(
            prefix + "headers",
            Kind.HEADERS,
            "pairs with commas, each name once and not one of the exporter's own, with a value,"
                + " percent-encoded, e.g. Authorization=Bearer%20abc",
            null,
            "map: sent with each export, e.g. Authorization=Bearer%20abc"));
    otlp(
        signal,
        Setting.text(
            prefix + "compression", Kind.COMPRESSION, "gzip or none", null, "gzip or none"));
    otlp(
        signal,
        Setting.duration(
            prefix + "timeout",
            Duration.ofSeconds(10),
            "duration: how long an answer is waited for; then it is tried again"));
    otlp(
        signal,
        Setting.text(
                prefix + "certificate",
                Kind.CERTIFICATE,
                "a PEM file of X.509 certificates",
                null,
                "PEM file of the certificates to trust")
            .otherwise("the JDK's"));
    otlp(
        signal,
        Setting.text(
            prefix + "client.key",
            Kind.FILE,
            "a PEM file of a PKCS#8 key, RSA or EC, with its certificate in "
                + Environment.variable(prefix + "client.certificate"),
            null,
            "PEM file of the client's private key; needs the next"));
    otlp(
        signal,
        Setting.text(
            prefix + "client.certificate",
            Kind.FILE,
            "a PEM file of X.509 certificates, with its key in "
                + Environment.variable(prefix + "client.key"),
            null,
            "PEM file of the client's certificate; needs the key"));
  }

  private static <T> void otlp(String signal, Setting<T> setting) {
    known(signal.isEmpty() ? setting : setting.otherwise(FOR_ALL));
  }

  static Collection<Setting<?>> all() {
    return Collections.unmodifiableCollection(BY_KEY.values());
  }

  static boolean has(String key) {
    return BY_KEY.containsKey(key);
  }

  static @Nullable Setting<?> find(String key) {
    return BY_KEY.get(key);
  }
}
