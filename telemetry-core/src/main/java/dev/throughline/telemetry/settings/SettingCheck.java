// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.settings;

import dev.throughline.telemetry.instrument.RequestIds;
import dev.throughline.telemetry.internals.OpenTelemetryInternals.Autoconfigure;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.autoconfigure.ResourceConfiguration;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.autoconfigure.spi.ResourceProvider;
import io.opentelemetry.sdk.autoconfigure.spi.logs.ConfigurableLogRecordExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.metrics.ConfigurableMetricExporterProvider;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSamplerProvider;
import io.opentelemetry.sdk.autoconfigure.spi.traces.ConfigurableSpanExporterProvider;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Whether values can be used, by what autoconfigure and the exporters of OpenTelemetry 1.65.0 do
 * with them.
 */
final class SettingCheck {

  private static final int HIGHEST_PORT = 65_535;
  // OkHttp takes no longer names, and no address with a zone.
  private static final String HOST =
      "(?!.{254})(?:[\\w-]{1,63}\\.)*[\\w-]{1,63}\\.?|\\[[0-9a-fA-F:.]+]";

  // Those that the exporters write themselves, and that belong to a connection.
  private static final Set<String> OF_MESSAGES =
      Set.of(
          "connection",
          "content-encoding",
          "content-length",
          "content-type",
          "expect",
          "keep-alive",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  private final ComponentLoader components;

  /**
   * @param components where autoconfigure finds exporters and samplers
   */
  SettingCheck(ComponentLoader components) {
    this.components = components;
  }

  /**
   * The outcome for a value.
   *
   * @param value what is used, null for what holds where nothing is set
   * @param good whether that is what was meant
   */
  record Verdict(@Nullable String value, boolean good) {

    static final Verdict BAD = new Verdict(null, false);

    static Verdict good(String value) {
      return new Verdict(value, true);
    }
  }

  /** Looks at a value that is not blank. */
  Verdict check(Setting<?> setting, String value) {
    return switch (setting.kind()) {
      case TEXT, PROPAGATORS -> Verdict.good(value);
      case SWITCH -> onOff(value);
      case DURATION -> duration(setting, value);
      case NUMBER -> number(setting, value);
      case RATIO -> ratio(value);
      case CHOICE -> choice(setting.range().choices(), value);
      case SAMPLER -> sampler(value);
      case EXPORTERS -> exporters(setting, value);
      case ENDPOINT -> endpoint(value);
      case PROTOCOL -> protocol(value);
      case COMPRESSION -> compression(value);
      case HEADERS -> pairs(value, SettingCheck::header, true);
      case ATTRIBUTES -> pairs(value, SettingCheck::attribute, false);
      case CERTIFICATE -> certificates(value);
      case FILE -> read(value) == null ? Verdict.BAD : Verdict.good(value);
      case HEADER_NAME -> isOwnHeader(value) ? Verdict.good(value) : Verdict.BAD;
      case FOLDER -> isPath(value) ? Verdict.good(value) : Verdict.BAD;
      case PROVIDERS -> providers(value);
      case NOT_READ -> Verdict.BAD;
    };
  }

  /** Whether a client can show who it is with these two files. */
  static boolean isClientKey(String keyFile, String certificateFile) {
    byte[] key = read(keyFile);
    byte[] certificate = read(certificateFile);
    if (key == null || certificate == null) {
      return false;
    }
    try {
      return OtlpHttpSpanExporter.builder().setClientTls(key, certificate) != null;
    } catch (RuntimeException e) {
      return false;
    }
  }

  private static Verdict onOff(String value) {
    Boolean on = Environment.isOn(value);
    return on == null ? Verdict.BAD : Verdict.good(on.toString());
  }

  private static Verdict duration(Setting<?> setting, String value) {
    try {
      Duration duration =
          Autoconfigure.read(Map.of(setting.key(), value)).getDuration(setting.key());
      return duration != null && duration.compareTo(Duration.ofNanos(setting.range().least())) >= 0
          ? Verdict.good(value)
          : Verdict.BAD;
    } catch (ConfigurationException e) {
      return Verdict.BAD;
    }
  }

  private static Verdict number(Setting<?> setting, String value) {
    try {
      long number = Long.parseLong(value);
      return number >= setting.range().least() && number <= setting.range().most()
          ? Verdict.good(Long.toString(number))
          : Verdict.BAD;
    } catch (NumberFormatException e) {
      return Verdict.BAD;
    }
  }

  private static Verdict ratio(String value) {
    try {
      double ratio = Double.parseDouble(value);
      return ratio >= 0 && ratio <= 1 ? Verdict.good(value) : Verdict.BAD;
    } catch (NumberFormatException e) {
      return Verdict.BAD;
    }
  }

  private static Verdict choice(List<String> choices, String value) {
    String lower = value.toLowerCase(Locale.ROOT);
    return choices.contains(lower) ? Verdict.good(lower) : Verdict.BAD;
  }

  private Verdict sampler(String value) {
    Verdict known = choice(KnownSettings.SAMPLERS, value);
    if (known.good()) {
      return known;
    }
    String name = value.equals("parentbased_jaeger_remote") ? "jaeger_remote" : value;
    return isThere(ConfigurableSamplerProvider.class, ConfigurableSamplerProvider::getName, name)
        ? Verdict.good(value)
        : Verdict.BAD;
  }

  /** Those that are there, each once; {@code none} counts alone. */
  private Verdict exporters(Setting<?> setting, String value) {
    List<String> given = items(value);
    List<String> usable = new ArrayList<>();
    boolean good = true;
    for (String name : given) {
      String exporter = name.toLowerCase(Locale.ROOT);
      boolean isUsable =
          exporter.equals("none")
              ? given.stream().allMatch(name::equals)
              : exporter.equals("otlp") || isExporter(setting.key(), name);
      good &= isUsable;
      if (isUsable) {
        String used = exporter.equals("none") || exporter.equals("otlp") ? exporter : name;
        if (!usable.contains(used)) {
          usable.add(used);
        }
      }
    }
    return usable.isEmpty() ? Verdict.BAD : new Verdict(String.join(",", usable), good);
  }

  private boolean isExporter(String key, String name) {
    return switch (key) {
      case "otel.traces.exporter" ->
          isThere(
              ConfigurableSpanExporterProvider.class,
              ConfigurableSpanExporterProvider::getName,
              name);
      case "otel.metrics.exporter" ->
          isThere(
                  ConfigurableMetricExporterProvider.class,
                  ConfigurableMetricExporterProvider::getName,
                  name)
              || isMetricReader(name);
      default ->
          isThere(
              ConfigurableLogRecordExporterProvider.class,
              ConfigurableLogRecordExporterProvider::getName,
              name);
    };
  }

  private <T> boolean isThere(Class<T> type, Function<T, String> nameOf, String name) {
    try {
      for (T provider : components.load(type)) {
        if (name.equals(nameOf.apply(provider))) {
          return true;
        }
      }
      return false;
    } catch (RuntimeException | LinkageError | ServiceConfigurationError e) {
      // Autoconfigure will say why.
      return true;
    }
  }

  private boolean isMetricReader(String name) {
    try {
      return Autoconfigure.metricReaders(components).contains(name);
    } catch (RuntimeException | LinkageError | ServiceConfigurationError e) {
      // Autoconfigure will say why.
      return true;
    }
  }

  private static Verdict endpoint(String value) {
    String bare = Settings.withoutUserInfo(value);
    URL url;
    try {
      url = new URL(Settings.url(bare));
      // The exporters take no host with an underscore, for one.
      if (OtlpHttpSpanExporter.builder().setEndpoint(url.toString()) == null) {
        return Verdict.BAD;
      }
    } catch (MalformedURLException | IllegalArgumentException e) {
      return Verdict.BAD;
    }
    int port = url.getPort();
    boolean isUrl =
        (url.getProtocol().equals("http") || url.getProtocol().equals("https"))
            && url.getHost().matches(HOST)
            && (port == -1 || (port > 0 && port <= HIGHEST_PORT))
            && url.getQuery() == null
            && url.getRef() == null
            // With one slash only, or none.
            && !bare.matches("(?i)(?:https?|grpcs?):/?[^/].*")
            && !bare.matches(".*\\s.*");
    return isUrl ? new Verdict(bare, bare.equals(value)) : Verdict.BAD;
  }

  private static Verdict protocol(String value) {
    Verdict known = choice(List.of("grpc", "http/protobuf"), value);
    // "http" and "http/json" come closest to that.
    return known.good() || !value.toLowerCase(Locale.ROOT).startsWith("http")
        ? known
        : new Verdict("http/protobuf", false);
  }

  private static Verdict compression(String value) {
    Verdict known = choice(List.of("gzip", "none"), value);
    if (known.good()) {
      return known;
    }
    try {
      return OtlpHttpSpanExporter.builder().setCompression(value) == null
          ? Verdict.BAD
          : Verdict.good(value);
    } catch (IllegalArgumentException e) {
      return Verdict.BAD;
    }
  }

  /**
   * Those that are pairs, each name once: as with autoconfigure the last one counts.
   *
   * @param read a pair as autoconfigure is to read it; null for one that can't be used
   */
  private static Verdict pairs(
      String value, Function<String, @Nullable String> read, boolean ignoreCase) {
    Map<String, String> usable = new LinkedHashMap<>();
    boolean good = true;
    for (String item : items(value)) {
      String pair = read.apply(item);
      if (pair == null) {
        good = false;
        continue;
      }
      String name = pair.substring(0, pair.indexOf('=')).trim();
      String before = usable.put(ignoreCase ? name.toLowerCase(Locale.ROOT) : name, pair);
      good &= before == null || before.equals(pair);
    }
    return usable.isEmpty() ? Verdict.BAD : new Verdict(String.join(",", usable.values()), good);
  }

  /** A header with a plus that stays one: the exporters decode it as a form, to a space. */
  private static @Nullable String header(String pair) {
    int end = pair.indexOf('=');
    if (end < 0 || !isOwnHeader(pair.substring(0, end).trim())) {
      return null;
    }
    String value = pair.substring(end + 1).trim().replace("+", "%2B");
    try {
      // As the exporters do, which then send nothing but this.
      return !value.isEmpty()
              && URLDecoder.decode(value, StandardCharsets.UTF_8).matches("[\t -~]*")
          ? pair.substring(0, end).trim() + "=" + value
          : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** Whether a header of this name says nothing about the message that it goes along with. */
  private static boolean isOwnHeader(String name) {
    return RequestIds.isHeader(name) && !OF_MESSAGES.contains(name.toLowerCase(Locale.ROOT));
  }

  /**
   * A resource attribute that autoconfigure takes, on its own. Where it finds a percent sign it
   * reads each other character as one byte, so what is not ASCII is encoded as well.
   */
  private static @Nullable String attribute(String pair) {
    int end = pair.indexOf('=');
    if (end <= 0) {
      return null;
    }
    String read = pair;
    if (pair.indexOf('%') > end) {
      StringBuilder ascii = new StringBuilder(pair.substring(0, end));
      pair.substring(end)
          .codePoints()
          .mapToObj(Character::toString)
          .map(c -> c.charAt(0) < 0x80 ? c : URLEncoder.encode(c, StandardCharsets.UTF_8))
          .forEach(ascii::append);
      read = ascii.toString();
    }
    try {
      ConfigProperties alone = Autoconfigure.read(Map.of("otel.resource.attributes", read));
      return ResourceConfiguration.createEnvironmentResource(alone).getAttributes().isEmpty()
          ? null
          : read;
    } catch (RuntimeException e) {
      return null;
    }
  }

  private static boolean isPath(String value) {
    try {
      return !Path.of(value).toString().isEmpty();
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Those that are there. */
  private Verdict providers(String value) {
    List<String> names = items(value);
    List<String> there =
        names.stream()
            .filter(
                name -> isThere(ResourceProvider.class, type -> type.getClass().getName(), name))
            .toList();
    return there.isEmpty()
        ? Verdict.BAD
        : new Verdict(String.join(",", there), there.size() == names.size());
  }

  private static List<String> items(String value) {
    List<String> items = new ArrayList<>();
    for (String item : value.split(",", -1)) {
      if (!item.isBlank()) {
        items.add(item.trim());
      }
    }
    return items;
  }

  private static Verdict certificates(String file) {
    byte[] content = read(file);
    if (content == null) {
      return Verdict.BAD;
    }
    try (InputStream in = new java.io.ByteArrayInputStream(content)) {
      return CertificateFactory.getInstance("X.509").generateCertificates(in).isEmpty()
          ? Verdict.BAD
          : Verdict.good(file);
    } catch (CertificateException | IOException e) {
      return Verdict.BAD;
    }
  }

  private static byte @Nullable [] read(String file) {
    try {
      return Files.readAllBytes(Path.of(file));
    } catch (IOException | InvalidPathException | SecurityException e) {
      return null;
    }
  }
}
