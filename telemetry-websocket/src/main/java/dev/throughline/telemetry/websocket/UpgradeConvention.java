// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.RedactedUrl;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapSetter;
import org.jspecify.annotations.Nullable;

/**
 * Upgrades, as the HTTP requests that they are.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">HTTP spans</a>
 */
final class UpgradeConvention implements RequestConvention<Upgrade, Upgrade> {

  private static final TextMapSetter<Upgrade> SETTER =
      new TextMapSetter<>() {
        @Override
        public void set(@Nullable Upgrade upgrade, String name, String value) {
          if (upgrade != null) {
            upgrade.add(name, value);
          }
        }
      };

  private final boolean server;

  UpgradeConvention(boolean server) {
    this.server = server;
  }

  @Override
  public SpanKind kind() {
    return server ? SpanKind.SERVER : SpanKind.CLIENT;
  }

  @Override
  public String spanName(Upgrade upgrade) {
    return upgrade.route() == null ? "GET" : "GET " + upgrade.route();
  }

  @Override
  public void onStart(AttributeSink attributes, Upgrade upgrade) {
    attributes.set(WebSocketKeys.HTTP_REQUEST_METHOD, "GET");
    attributes.set(WebSocketKeys.SERVER_ADDRESS, upgrade.host());
    if (upgrade.host() != null) {
      attributes.set(WebSocketKeys.SERVER_PORT, upgrade.port());
    }
    if (server) {
      attributes.set(WebSocketKeys.HTTP_ROUTE, upgrade.route());
      attributes.set(WebSocketKeys.URL_PATH, upgrade.path());
      attributes.set(WebSocketKeys.URL_SCHEME, upgrade.scheme());
      String query = upgrade.query();
      if (query != null) {
        attributes.set(WebSocketKeys.URL_QUERY, RedactedUrl.query(query));
      }
      attributes.set(WebSocketKeys.USER_AGENT_ORIGINAL, upgrade.header("User-Agent"));
    } else {
      attributes.set(WebSocketKeys.URL_FULL, RedactedUrl.of(upgrade.uri()));
    }
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      Upgrade upgrade,
      @Nullable Upgrade answered,
      @Nullable Throwable error) {
    if (upgrade.status() > 0) {
      attributes.set(WebSocketKeys.HTTP_RESPONSE_STATUS_CODE, (long) upgrade.status());
      // None of the clients and containers upgrades HTTP/2.
      attributes.set(WebSocketKeys.NETWORK_PROTOCOL_VERSION, "1.1");
    }
  }

  @Override
  public @Nullable String errorType(
      Upgrade upgrade, @Nullable Upgrade answered, @Nullable Throwable error) {
    int status = upgrade.status();
    if (status >= (server ? 500 : 400)) {
      return Integer.toString(status);
    }
    return error == null ? null : error.getClass().getName();
  }

  @Override
  public Attributes durationAttributes(
      Upgrade upgrade, @Nullable Upgrade answered, @Nullable Throwable error) {
    return Attributes.empty();
  }

  @Override
  public @Nullable TextMapGetter<Upgrade> requestGetter() {
    return server ? Upgrade.GETTER : null;
  }

  @Override
  public @Nullable TextMapSetter<Upgrade> requestSetter() {
    return server ? null : SETTER;
  }
}
