// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.GrpcResponse;
import io.opentelemetry.sdk.common.export.GrpcSender;
import io.opentelemetry.sdk.common.export.GrpcSenderConfig;
import io.opentelemetry.sdk.common.export.GrpcSenderProvider;
import io.opentelemetry.sdk.common.export.GrpcStatusCode;
import io.opentelemetry.sdk.common.export.HttpResponse;
import io.opentelemetry.sdk.common.export.HttpSender;
import io.opentelemetry.sdk.common.export.HttpSenderConfig;
import io.opentelemetry.sdk.common.export.HttpSenderProvider;
import io.opentelemetry.sdk.common.export.MessageWriter;
import java.util.List;
import java.util.function.Consumer;

/**
 * Gives OTLP exporters senders over a {@link Wire}. Exporters look for theirs by the component
 * loader that they are given, so each instance is one that finds itself.
 */
abstract class SenderProvider implements ComponentLoader, HttpSenderProvider, GrpcSenderProvider {

  private final ComponentLoader others;

  /**
   * @param others where everything but senders is found
   */
  SenderProvider(ComponentLoader others) {
    this.others = others;
  }

  /** Takes the messages of one exporter. */
  interface Outlet {

    void send(MessageWriter message);

    CompletableResultCode shutdown();
  }

  /**
   * @param retries whether the exporter is to try again
   */
  abstract Outlet outlet(Wire wire, boolean retries);

  @Override
  public <T> Iterable<T> load(Class<T> spiClass) {
    return spiClass == HttpSenderProvider.class || spiClass == GrpcSenderProvider.class
        ? List.of(spiClass.cast(this))
        : others.load(spiClass);
  }

  @Override
  public HttpSender createSender(HttpSenderConfig config) {
    Outlet outlet = outlet(Wire.http(config), config.getRetryPolicy() != null);
    return new HttpSender() {
      @Override
      public void send(
          MessageWriter message, Consumer<HttpResponse> onResponse, Consumer<Throwable> onError) {
        outlet.send(message);
        onResponse.accept(HttpTaken.ANSWER);
      }

      @Override
      public CompletableResultCode shutdown() {
        return outlet.shutdown();
      }
    };
  }

  @Override
  public GrpcSender createSender(GrpcSenderConfig config) {
    Outlet outlet = outlet(Wire.grpc(config), config.getRetryPolicy() != null);
    return new GrpcSender() {
      @Override
      public void send(
          MessageWriter message, Consumer<GrpcResponse> onResponse, Consumer<Throwable> onError) {
        outlet.send(message);
        onResponse.accept(GrpcTaken.ANSWER);
      }

      @Override
      public CompletableResultCode shutdown() {
        return outlet.shutdown();
      }
    };
  }

  // An exporter is told that the request is in other hands now.

  private static final class HttpTaken implements HttpResponse {

    static final HttpTaken ANSWER = new HttpTaken();

    @Override
    public int getStatusCode() {
      return 200;
    }

    @Override
    public String getStatusMessage() {
      return "";
    }

    @Override
    public byte[] getResponseBody() {
      return new byte[0];
    }
  }

  private static final class GrpcTaken implements GrpcResponse {

    static final GrpcTaken ANSWER = new GrpcTaken();

    @Override
    public GrpcStatusCode getStatusCode() {
      return GrpcStatusCode.OK;
    }

    @Override
    public String getStatusDescription() {
      return "";
    }

    @Override
    public byte[] getResponseMessage() {
      return new byte[0];
    }
  }
}
