// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.internals.OpenTelemetryInternals.Autoconfigure;
import dev.throughline.telemetry.settings.Environment.Mode;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The settings as autoconfigure reads them, with what people really write mended: what can't be
 * used and what is empty is unset, as the specification asks, and an OTLP endpoint needs no scheme,
 * may name one of {@code grpc://}, may end in a signal's path, and chooses the protocol by its port
 * where none is set. Log records go nowhere where no endpoint is set.
 *
 * @see <a
 *     href="https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#parsing-empty-value">Parsing
 *     empty values</a>
 */
public final class Settings implements ConfigProperties {

  private static final String METRICS_EXPORTER = "otel.metrics.exporter";
  private static final String OTLP = "otel.exporter.otlp.";
  private static final String GRPC = "grpc";
  private static final String HTTP_PROTOBUF = "http/protobuf";
  private static final Set<String> SCHEDULE_DELAYS =
      Set.of("otel.bsp.schedule.delay", "otel.blrp.schedule.delay");
  private static final String LOGS_EXPORTER = "otel.logs.exporter";
  // Autoconfigure's own processors, which ours replace, live on for that long once they are shut
  // down.
  private static final Duration SOON = Duration.ofMillis(1);
  private static final int OTLP_GRPC_PORT = 4317;
  private static final int OTLP_HTTP_PORT = 4318;

  private final ConfigProperties usable;
  private final ConfigProperties others;
  private final ConfigProperties defaults;
  private final Mode mode;
  private final List<String> propagators;
  private final String text;
  private final @Nullable String served;
  private final ComponentLoader components;
  private String lastRead = "";

  private Settings(
      ConfigProperties given,
      Environment environment,
      Mode mode,
      @Nullable String served,
      ComponentLoader components) {
    Configuration known = new Configuration(given, environment, mode, components);
    usable = known.usable();
    text = known.text();
    this.mode = mode;
    propagators = environment.propagators();
    others = given;
    defaults = Autoconfigure.read(environment.all());
    this.served = served;
    this.components = components;
  }

  private Settings(Settings settings, ComponentLoader components) {
    usable = settings.usable;
    text = settings.text;
    mode = settings.mode;
    propagators = settings.propagators;
    others = settings.others;
    defaults = settings.defaults;
    served = settings.served;
    this.components = components;
  }

  /** The same settings, with exporters and their senders found by another loader. */
  public Settings with(ComponentLoader components) {
    return new Settings(this, components);
  }

  /**
   * The settings that hold; the environment knows afterwards which can't be used.
   *
   * @param given what autoconfigure read
   * @param served the metrics exporter that autoconfigure is not to look for; null when it is to
   *     look for all
   * @param components where autoconfigure finds exporters, and these their senders
   */
  public static Settings of(
      ConfigProperties given,
      Environment environment,
      Mode mode,
      @Nullable String served,
      ComponentLoader components) {
    ConfigProperties read =
        environment.isGivenAlone() ? Autoconfigure.read(environment.all()) : given;
    return new Settings(read, environment, mode, served, components);
  }

  /**
   * The settings of a service with all signals on, for a look at what its receivers answer.
   *
   * @param components where exporters and their senders are found
   */
  public static Settings of(Environment environment, ComponentLoader components) {
    return new Settings(
        Autoconfigure.read(environment.all()), environment, Mode.ON, null, components);
  }

  /** The value of a setting, or its default. */
  public <T> T get(Setting<T> setting) {
    T value = find(setting);
    return value == null ? setting.defaultValue() : value;
  }

  /**
   * The value of a setting that has no default.
   *
   * @return null when it is not set
   */
  public <T> @Nullable T find(Setting<T> setting) {
    return setting.read(usable);
  }

  /** Each known setting on a line of its own, with its value and where that comes from. */
  public String text() {
    return text;
  }

  /** The variable that was read last. */
  public String lastVariable() {
    return Environment.variable(lastRead);
  }

  @Override
  public @Nullable String getString(String name) {
    if (name.equals(OTLP + "endpoint")) {
      return withoutSignalPath(base(name));
    }
    String signal = signal(name);
    if (signal != null && name.endsWith(".endpoint")) {
      return ownEndpoint(signal);
    }
    return signal != null && name.endsWith(".protocol") ? protocol(signal) : set(name);
  }

  /** The endpoint that a signal's OTLP exporter uses. */
  public String otlpEndpoint(String signal) {
    String endpoint = ownEndpoint(signal);
    if (endpoint == null) {
      endpoint = withoutSignalPath(base(OTLP + "endpoint"));
    }
    if (endpoint == null) {
      return GRPC.equals(protocol(signal)) ? "http://localhost:4317" : "http://localhost:4318";
    }
    return endpoint;
  }

  /** The OTLP protocol of a signal: what is set for it, for all, or what the endpoint tells. */
  public String protocol(String signal) {
    String protocol = set(OTLP + signal + ".protocol");
    if (protocol == null) {
      protocol = set(OTLP + "protocol");
    }
    if (protocol != null) {
      return protocol;
    }
    String endpoint = set(OTLP + signal + ".endpoint");
    if (endpoint == null) {
      endpoint = set(OTLP + "endpoint");
    }
    if (endpoint == null || scheme(endpoint).startsWith(GRPC)) {
      return GRPC;
    }
    String url = url(endpoint);
    return switch (port(url)) {
      case OTLP_GRPC_PORT -> GRPC;
      case OTLP_HTTP_PORT -> HTTP_PROTOBUF;
      // An endpoint of gRPC has no path.
      default -> withoutPath(url).length() < url.length() - 1 ? HTTP_PROTOBUF : GRPC;
    };
  }

  /**
   * The endpoint of one signal alone.
   *
   * @return null where the one for all holds, and the signal's path goes on its end
   */
  private @Nullable String ownEndpoint(String signal) {
    String endpoint = endpoint(OTLP + signal + ".endpoint");
    if (!GRPC.equals(protocol(signal))) {
      return endpoint;
    }
    if (endpoint == null) {
      endpoint = endpoint(OTLP + "endpoint");
    }
    return endpoint == null ? null : withoutPath(endpoint);
  }

  /**
   * Where telemetry goes, in one line.
   *
   * @param serviceName e.g. {@code bmc-gateway}
   */
  public String summary(String serviceName) {
    String argument = find(KnownSettings.SAMPLER_ARGUMENT);
    return "Telemetry of "
        + Secrets.onOneLine(serviceName)
        + ": traces to "
        + (mode.spans() ? destination("traces") : "nowhere (TRACING_ENABLED=false)")
        + ", metrics to "
        + destination("metrics")
        + ", logs to "
        + destination("logs")
        + "; sampler "
        + get(KnownSettings.SAMPLER)
        + (argument == null
            ? ""
            : " " + Secrets.mask(KnownSettings.SAMPLER_ARGUMENT.key(), argument))
        + "; propagators "
        + String.join(",", propagators);
  }

  private String destination(String signal) {
    List<String> exporters = exporters(signal);
    String names = String.join(", ", exporters);
    return exporters.contains("otlp")
        ? names + " (" + protocol(signal) + " " + otlpEndpoint(signal) + ")"
        : names;
  }

  /** Whether anyone has said where log records go; a service is not to send them to nowhere. */
  private boolean hasLogsEndpoint() {
    return set(OTLP + "logs.endpoint") != null || set(OTLP + "endpoint") != null;
  }

  private @Nullable String endpoint(String name) {
    String endpoint = set(name);
    return endpoint == null ? null : url(endpoint);
  }

  /**
   * An endpoint that a signal's path goes on the end of. Two slashes in its path are one: the
   * exporters would take what comes after the first two for a host, and send all to it.
   */
  private @Nullable String base(String name) {
    String endpoint = endpoint(name);
    if (endpoint == null) {
      return null;
    }
    int path = withoutPath(endpoint).length();
    return endpoint.substring(0, path) + endpoint.substring(path).replaceAll("//+", "/");
  }

  /** An endpoint as the exporters take it, with a scheme that they know where it has none. */
  static String url(String endpoint) {
    String scheme = scheme(endpoint);
    return switch (scheme) {
      case "" -> "http://" + endpoint;
      case "grpc" -> "http" + endpoint.substring(scheme.length());
      case "grpcs" -> "https" + endpoint.substring(scheme.length());
      default -> endpoint;
    };
  }

  private static @Nullable String signal(String name) {
    if (name.startsWith(OTLP)) {
      for (String signal : new String[] {"traces", "metrics", "logs"}) {
        if (name.startsWith(signal + '.', OTLP.length())) {
          return signal;
        }
      }
    }
    return null;
  }

  /** The text before {@code ://}, in lower case; empty where nothing does. */
  private static String scheme(String endpoint) {
    int end = endpoint.indexOf("://");
    return end < 0 ? "" : endpoint.substring(0, end).toLowerCase(Locale.ROOT);
  }

  private static @Nullable String withoutSignalPath(@Nullable String endpoint) {
    if (endpoint == null) {
      return null;
    }
    String path = endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint;
    return path.endsWith("/v1/traces") || path.endsWith("/v1/metrics") || path.endsWith("/v1/logs")
        ? path.substring(0, path.lastIndexOf("/v1/"))
        : endpoint;
  }

  private static String withoutPath(String endpoint) {
    for (int i = authority(endpoint); i < endpoint.length(); i++) {
      // Other characters end a host, too, so that no user info is seen behind it.
      if ("/\\?#".indexOf(endpoint.charAt(i)) >= 0) {
        return endpoint.substring(0, i);
      }
    }
    return endpoint;
  }

  /** An endpoint, with a scheme or without, that has no user info. */
  static String withoutUserInfo(String endpoint) {
    int userInfo = withoutPath(endpoint).lastIndexOf('@');
    return userInfo < 0
        ? endpoint
        : endpoint.substring(0, authority(endpoint)) + endpoint.substring(userInfo + 1);
  }

  private static int authority(String endpoint) {
    int scheme = endpoint.indexOf("://");
    return scheme < 0 ? 0 : scheme + "://".length();
  }

  private static int port(String endpoint) {
    String host = withoutPath(endpoint);
    try {
      return Integer.parseInt(host.substring(host.lastIndexOf(':') + 1));
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private @Nullable String set(String name) {
    String value = of(name).getString(name);
    return value == null ? null : value.trim();
  }

  /** Where a setting is read: an empty one is unset, whatever its type. */
  private ConfigProperties of(String name) {
    lastRead = name;
    if (KnownSettings.has(name)) {
      return usable;
    }
    String value = others.getString(name);
    return value == null || value.isBlank() ? defaults : others;
  }

  @Override
  public @Nullable Boolean getBoolean(String name) {
    // Was looked at before, and where it says off, this is for metrics that live on.
    return name.equals("otel.sdk.disabled") ? Boolean.FALSE : of(name).getBoolean(name);
  }

  @Override
  public @Nullable Integer getInt(String name) {
    return of(name).getInt(name);
  }

  @Override
  public @Nullable Long getLong(String name) {
    return of(name).getLong(name);
  }

  @Override
  public @Nullable Double getDouble(String name) {
    return of(name).getDouble(name);
  }

  @Override
  public @Nullable Duration getDuration(String name) {
    Duration duration = of(name).getDuration(name);
    return SCHEDULE_DELAYS.contains(name) && (duration == null || duration.compareTo(SOON) > 0)
        ? SOON
        : duration;
  }

  @Override
  public List<String> getList(String name) {
    if (name.equals(KnownSettings.ENABLED_RESOURCE_PROVIDERS.key())
        || name.equals(KnownSettings.DISABLED_RESOURCE_PROVIDERS.key())) {
      // Only those that are to be asked are there.
      return List.of();
    }
    if (!name.equals(METRICS_EXPORTER) || served == null) {
      return list(name);
    }
    List<String> others = new ArrayList<>(list(name));
    return others.remove(served) && others.isEmpty() ? List.of("none") : others;
  }

  /** The exporters of a signal as they were set, whoever serves them. */
  public List<String> exporters(String signal) {
    List<String> exporters = list("otel." + signal + ".exporter");
    return exporters.isEmpty() ? List.of("otlp") : exporters;
  }

  private List<String> list(String name) {
    return name.equals(LOGS_EXPORTER) && set(name) == null && !hasLogsEndpoint()
        ? List.of("none")
        : of(name).getList(name);
  }

  @Override
  public Map<String, String> getMap(String name) {
    return of(name).getMap(name);
  }

  @Override
  public ComponentLoader getComponentLoader() {
    return components;
  }
}
