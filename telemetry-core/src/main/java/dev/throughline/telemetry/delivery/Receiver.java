// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * An OTLP receiver, as an exporter reaches it.
 *
 * @param endpoint with what may be secret in it
 * @param grpc false for HTTP
 * @param tls what is trusted and shown; null for the JDK's
 * @param trusted what is trusted; null for the JDK's
 */
public record Receiver(
    URI endpoint, boolean grpc, @Nullable SSLContext tls, @Nullable X509TrustManager trusted) {

  /** Whether the endpoint begins with {@code https://}. */
  public boolean isSecure() {
    return "https".equalsIgnoreCase(endpoint.getScheme());
  }

  /** The endpoint without user info and query. */
  public String address() {
    String host = requireNonNull(endpoint.getHost());
    return endpoint.getScheme()
        + "://"
        + host
        + (endpoint.getPort() < 0 ? "" : ":" + endpoint.getPort())
        + ("/".equals(endpoint.getPath()) ? "" : String.valueOf(endpoint.getPath()));
  }

  @Override
  public String toString() {
    return address();
  }
}
