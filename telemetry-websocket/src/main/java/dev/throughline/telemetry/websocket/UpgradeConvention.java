// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.HttpAttributes;
import dev.throughline.telemetry.instrument.RequestConvention;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.propagation.TextMapGetter;
import org.jspecify.annotations.Nullable;

/**
 * Upgrades, as the HTTP requests that they are.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">HTTP spans</a>
 */
final class UpgradeConvention implements RequestConvention<Upgrade, Upgrade> {

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
    HttpAttributes.setServer(attributes, upgrade.server());
    if (server) {
      HttpAttributes.setServed(
          attributes,
          "GET",
          upgrade.route(),
          upgrade.path(),
          upgrade.scheme(),
          upgrade.query(),
          upgrade.header("User-Agent"));
    } else {
      HttpAttributes.setSent(attributes, "GET", upgrade.uri());
    }
  }

  @Override
  public void onEnd(
      AttributeSink attributes,
      Upgrade upgrade,
      @Nullable Upgrade answered,
      @Nullable Throwable error) {
    // None of the clients and containers upgrades HTTP/2.
    HttpAttributes.setAnswered(attributes, upgrade.status(), "1.1");
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
  public @Nullable HeaderSetter<Upgrade> requestSetter() {
    return server ? null : Upgrade::add;
  }
}
