// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.StageFailure;
import io.opentelemetry.context.Context;
import java.net.URI;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Remembers what is set, and sets it on a builder of the JDK's for each socket anew. */
final class JdkBuilder implements WebSocket.Builder {

  private final Sockets sockets;
  private final Supplier<WebSocket.Builder> builders;
  private final List<String> headers = new ArrayList<>();
  private List<String> protocols = List.of();
  private @Nullable Duration connectTimeout;

  JdkBuilder(Sockets sockets, Supplier<WebSocket.Builder> builders) {
    this.sockets = sockets;
    this.builders = builders;
  }

  @Override
  public WebSocket.Builder header(String name, String value) {
    requireNonNull(name, "name");
    requireNonNull(value, "value");
    headers.add(name);
    headers.add(value);
    return this;
  }

  @Override
  public WebSocket.Builder connectTimeout(Duration timeout) {
    connectTimeout = requireNonNull(timeout, "timeout");
    return this;
  }

  @Override
  public WebSocket.Builder subprotocols(String mostPreferred, String... lesserPreferred) {
    List<String> all = new ArrayList<>();
    all.add(requireNonNull(mostPreferred, "mostPreferred"));
    for (int i = 0; i < lesserPreferred.length; i++) {
      all.add(requireNonNull(lesserPreferred[i], "lesserPreferred[" + i + "]"));
    }
    protocols = all;
    return this;
  }

  @Override
  public CompletableFuture<WebSocket> buildAsync(URI uri, WebSocket.Listener listener) {
    WebSocket.Builder builder = builders.get();
    for (int i = 0; i < headers.size(); i += 2) {
      builder.header(headers.get(i), headers.get(i + 1));
    }
    if (connectTimeout != null) {
      builder.connectTimeout(connectTimeout);
    }
    if (uri == null || listener == null || sockets.hasNothingToSend(Context.current())) {
      setProtocols(builder, protocols);
      return builder.buildAsync(uri, listener);
    }
    Upgrade upgrade = Upgrade.sent(uri);
    InstrumentedRequest<Upgrade, Upgrade> request = sockets.request(upgrade);
    CompletableFuture<WebSocket> built;
    JdkListener traced = new JdkListener(sockets, upgrade, request, listener);
    try {
      // What an application sets by itself goes before.
      upgrade.added.forEach((name, value) -> add(builder, name, value));
      setProtocols(builder, sockets.asksForEnvelopes() ? withEnvelopes(protocols) : protocols);
      built = builder.buildAsync(uri, traced);
    } catch (Throwable t) {
      end(upgrade, request, t);
      throw t;
    }
    // No stage of the JDK's, which would put an exception of its own around a failure.
    CompletableFuture<WebSocket> result = new CompletableFuture<>();
    CompletableFuture<?> unused =
        built.whenComplete(
            (webSocket, thrown) -> {
              if (thrown == null) {
                result.complete(traced.socket(webSocket));
              } else {
                end(upgrade, request, StageFailure.cause(thrown));
                result.completeExceptionally(thrown);
              }
            });
    return result;
  }

  private void add(WebSocket.Builder builder, String name, String value) {
    for (int i = 0; i < headers.size(); i += 2) {
      if (headers.get(i).equalsIgnoreCase(name)) {
        return;
      }
    }
    try {
      builder.header(name, value);
    } catch (Throwable t) {
      // The JDK refuses the value, or some other builder does.
      sockets.guard.caught("WebSocket.Builder.header", t);
    }
  }

  private static void setProtocols(WebSocket.Builder builder, List<String> protocols) {
    if (!protocols.isEmpty()) {
      builder.subprotocols(
          protocols.get(0), protocols.subList(1, protocols.size()).toArray(new String[0]));
    }
  }

  /** The protocols, then each of them with the envelope; a server that knows it prefers these. */
  private static List<String> withEnvelopes(List<String> protocols) {
    if (protocols.isEmpty()) {
      return List.of(Envelope.DECOY_SUB_PROTOCOL, Envelope.SUB_PROTOCOL);
    }
    List<String> all = new ArrayList<>(protocols);
    protocols.forEach(protocol -> all.add(protocol + Envelope.SUB_PROTOCOL_SUFFIX));
    return all;
  }

  private static void end(
      Upgrade upgrade,
      @Nullable InstrumentedRequest<Upgrade, Upgrade> request,
      @Nullable Throwable thrown) {
    if (request != null) {
      if (thrown instanceof WebSocketHandshakeException refused && refused.getResponse() != null) {
        upgrade.status = refused.getResponse().statusCode();
      }
      request.end(upgrade, thrown);
    }
  }
}
