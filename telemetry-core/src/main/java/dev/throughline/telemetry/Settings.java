// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The settings as autoconfigure reads them, with what people really write mended: an empty value is
 * unset, as the specification asks, and an OTLP endpoint needs no scheme, may name one of {@code
 * grpc://}, may end in a signal's path, and chooses the protocol by its port where none is set.
 *
 * @see <a
 *     href="https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#parsing-empty-value">Parsing
 *     empty values</a>
 */
final class Settings implements ConfigProperties {

  private static final String OTLP = "otel.exporter.otlp.";
  private static final String GRPC = "grpc";
  private static final String HTTP_PROTOBUF = "http/protobuf";
  private static final int OTLP_HTTP_PORT = 4318;

  private final ConfigProperties given;
  private final boolean spans;

  /**
   * @param spans false takes the span exporters away, whatever is set
   */
  Settings(ConfigProperties given, boolean spans) {
    this.given = given;
    this.spans = spans;
  }

  @Override
  public @Nullable String getString(String name) {
    if (!name.startsWith(OTLP)) {
      return given(name);
    }
    String signal = signal(name);
    if (name.endsWith(".endpoint")) {
      String endpoint = endpoint(given(name));
      if (endpoint == null) {
        return null;
      }
      if (signal == null) {
        return endsInSignalPath(endpoint)
            ? endpoint.substring(0, endpoint.lastIndexOf("/v1/"))
            : endpoint;
      }
      return GRPC.equals(protocol(signal)) ? withoutPath(endpoint) : endpoint;
    }
    return signal != null && name.endsWith(".protocol") ? protocol(signal) : given(name);
  }

  /** The endpoint that a signal's OTLP exporter uses, for people to read: without user info. */
  String otlpEndpoint(String signal) {
    String endpoint = getString(OTLP + signal + ".endpoint");
    if (endpoint == null) {
      endpoint = getString(OTLP + "endpoint");
    }
    if (endpoint == null) {
      return GRPC.equals(protocol(signal)) ? "http://localhost:4317" : "http://localhost:4318";
    }
    int userInfo = endpoint.indexOf('@');
    int authority = endpoint.indexOf("://") + "://".length();
    return userInfo < 0
        ? endpoint
        : endpoint.substring(0, authority) + endpoint.substring(userInfo + 1);
  }

  /** The OTLP protocol of a signal: what is set for it, for all, or what the port tells. */
  String protocol(String signal) {
    String protocol = given(OTLP + signal + ".protocol");
    if (protocol == null) {
      protocol = given(OTLP + "protocol");
    }
    if (protocol != null) {
      return protocol;
    }
    String endpoint = given(OTLP + signal + ".endpoint");
    if (endpoint == null) {
      endpoint = given(OTLP + "endpoint");
    }
    if (endpoint == null || endpoint.startsWith(GRPC)) {
      return GRPC;
    }
    int port = port(endpoint);
    return port == OTLP_HTTP_PORT || (port < 0 && endsInSignalPath(endpoint))
        ? HTTP_PROTOBUF
        : GRPC;
  }

  private @Nullable String given(String name) {
    String value = given.getString(name);
    return value == null || value.isBlank() ? null : value.trim();
  }

  private @Nullable String signal(String name) {
    for (String signal : new String[] {"traces", "metrics", "logs"}) {
      if (name.startsWith(signal + '.', OTLP.length())) {
        return signal;
      }
    }
    return null;
  }

  private static @Nullable String endpoint(@Nullable String given) {
    if (given == null) {
      return null;
    }
    String endpoint = given;
    if (endpoint.startsWith("grpc://")) {
      endpoint = "http://" + endpoint.substring("grpc://".length());
    } else if (endpoint.startsWith("grpcs://")) {
      endpoint = "https://" + endpoint.substring("grpcs://".length());
    } else if (!endpoint.contains("://")) {
      endpoint = "http://" + endpoint;
    }
    return endpoint;
  }

  private static boolean endsInSignalPath(String endpoint) {
    return endpoint.endsWith("/v1/traces")
        || endpoint.endsWith("/v1/metrics")
        || endpoint.endsWith("/v1/logs");
  }

  private static String withoutPath(String endpoint) {
    int authority = endpoint.indexOf("://") + "://".length();
    int path = endpoint.indexOf('/', authority);
    return path < 0 ? endpoint : endpoint.substring(0, path);
  }

  private static int port(String endpoint) {
    String host = withoutPath(endpoint.contains("://") ? endpoint : "http://" + endpoint);
    try {
      return Integer.parseInt(host.substring(host.lastIndexOf(':') + 1));
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  @Override
  public @Nullable Boolean getBoolean(String name) {
    return given.getBoolean(name);
  }

  @Override
  public @Nullable Integer getInt(String name) {
    return given.getInt(name);
  }

  @Override
  public @Nullable Long getLong(String name) {
    return given.getLong(name);
  }

  @Override
  public @Nullable Double getDouble(String name) {
    return given.getDouble(name);
  }

  @Override
  public @Nullable Duration getDuration(String name) {
    return given.getDuration(name);
  }

  @Override
  public List<String> getList(String name) {
    return !spans && name.equals("otel.traces.exporter") ? List.of("none") : given.getList(name);
  }

  @Override
  public Map<String, String> getMap(String name) {
    return given.getMap(name);
  }

  @Override
  public ComponentLoader getComponentLoader() {
    return given.getComponentLoader();
  }
}
