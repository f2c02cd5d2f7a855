// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import dev.throughline.telemetry.settings.Secrets;
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
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Stands between an OTLP exporter and the sender that it finds, and hears what the receiver says:
 * an exporter itself tells neither that nor where it sends.
 */
final class Wiretap implements ComponentLoader {

  private static final long PATIENCE_SECONDS = 30;
  private static final int HTTP_OK = 200;
  private static final int HTTP_REDIRECT = 300;
  private static final int HTTP_UNAUTHORIZED = 401;
  private static final int HTTP_FORBIDDEN = 403;
  private static final int HTTP_NOT_FOUND = 404;
  private static final int HTTP_NOT_ALLOWED = 405;

  private final ComponentLoader components;
  private @Nullable Wire wire;

  Wiretap(ComponentLoader components) {
    this.components = components;
  }

  /** What a receiver made of a request. */
  enum Kind {
    ACKNOWLEDGED,
    NOT_AUTHENTICATED,
    NOT_TAKEN_HERE,
    REFUSED,
    FAILED
  }

  /**
   * An answer.
   *
   * @param failure what was thrown instead of one
   */
  record Answer(Kind kind, String text, @Nullable Throwable failure) {}

  /** One exporter's way to its receiver. */
  abstract static class Wire {

    final URI endpoint;
    final boolean grpc;
    final @Nullable SSLContext tls;
    final @Nullable X509TrustManager trusted;
    private CompletableFuture<Answer> answer = new CompletableFuture<>();

    private Wire(
        URI endpoint, boolean grpc, @Nullable SSLContext tls, @Nullable X509TrustManager trusted) {
      this.endpoint = endpoint;
      this.grpc = grpc;
      this.tls = tls;
      this.trusted = trusted;
    }

    /** Sends a request that has nothing in it, which is a valid one. */
    final Answer sendNothing() {
      CompletableFuture<Answer> answered = expect();
      send(
          new MessageWriter() {
            @Override
            public void writeMessage(OutputStream output) {}

            @Override
            public int getContentLength() {
              return 0;
            }
          });
      return await(answered);
    }

    abstract void send(MessageWriter message);

    /** Is complete once the next request is answered. */
    final CompletableFuture<Answer> expect() {
      answer = new CompletableFuture<>();
      return answer;
    }

    static Answer await(CompletableFuture<Answer> answered) {
      try {
        return answered.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        return new Answer(Kind.FAILED, "no answer in " + PATIENCE_SECONDS + " s", e);
      } catch (ExecutionException e) {
        return new Answer(Kind.FAILED, String.valueOf(e.getCause()), e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return new Answer(Kind.FAILED, "interrupted", e);
      }
    }

    final void failed(Throwable failure) {
      answer.complete(new Answer(Kind.FAILED, Secrets.text(failure.toString()), failure));
    }

    final void answered(Kind kind, String text) {
      answer.complete(new Answer(kind, text, null));
    }
  }

  /**
   * The wire of the exporter that was made last.
   *
   * @throws IllegalStateException if it asked for no sender
   */
  Wire wire() {
    if (wire == null) {
      throw new IllegalStateException("The exporter has no sender of OTLP");
    }
    return wire;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <T> Iterable<T> load(Class<T> spiClass) {
    if (spiClass == GrpcSenderProvider.class || spiClass == HttpSenderProvider.class) {
      List<T> tapped = new ArrayList<>();
      for (T provider : components.load(spiClass)) {
        if (tapped.isEmpty()) {
          tapped.add(
              provider instanceof GrpcSenderProvider grpc
                  ? (T) (GrpcSenderProvider) config -> tap(grpc, config)
                  : (T) (HttpSenderProvider) config -> tap((HttpSenderProvider) provider, config));
        }
      }
      return tapped;
    }
    return components.load(spiClass);
  }

  private GrpcSender tap(GrpcSenderProvider provider, GrpcSenderConfig config) {
    GrpcSender sender = provider.createSender(config);
    Wire tapped =
        new Wire(config.getEndpoint(), true, config.getSslContext(), config.getTrustManager()) {
          @Override
          void send(MessageWriter message) {
            sender.send(message, response -> hear(this, response), this::failed);
          }
        };
    wire = tapped;
    return new GrpcSender() {
      @Override
      public void send(
          MessageWriter message, Consumer<GrpcResponse> onResponse, Consumer<Throwable> onError) {
        sender.send(
            message,
            response -> {
              hear(tapped, response);
              onResponse.accept(response);
            },
            failure -> {
              tapped.failed(failure);
              onError.accept(failure);
            });
      }

      @Override
      public CompletableResultCode shutdown() {
        return sender.shutdown();
      }
    };
  }

  private HttpSender tap(HttpSenderProvider provider, HttpSenderConfig config) {
    HttpSender sender = provider.createSender(config);
    Wire tapped =
        new Wire(config.getEndpoint(), false, config.getSslContext(), config.getTrustManager()) {
          @Override
          void send(MessageWriter message) {
            sender.send(message, response -> hear(this, response), this::failed);
          }
        };
    wire = tapped;
    return new HttpSender() {
      @Override
      public void send(
          MessageWriter message, Consumer<HttpResponse> onResponse, Consumer<Throwable> onError) {
        sender.send(
            message,
            response -> {
              hear(tapped, response);
              onResponse.accept(response);
            },
            failure -> {
              tapped.failed(failure);
              onError.accept(failure);
            });
      }

      @Override
      public CompletableResultCode shutdown() {
        return sender.shutdown();
      }
    };
  }

  private static void hear(Wire wire, GrpcResponse response) {
    GrpcStatusCode code = response.getStatusCode();
    String description = response.getStatusDescription();
    String text =
        "gRPC status "
            + code
            + (description == null || description.isEmpty() ? "" : ", " + description);
    switch (code) {
      case OK -> acknowledged(wire, text, response.getResponseMessage());
      case UNAUTHENTICATED, PERMISSION_DENIED -> wire.answered(Kind.NOT_AUTHENTICATED, text);
      case UNIMPLEMENTED -> wire.answered(Kind.NOT_TAKEN_HERE, text);
      default -> wire.answered(Kind.REFUSED, text);
    }
  }

  private static void hear(Wire wire, HttpResponse response) {
    int code = response.getStatusCode();
    String text = "HTTP status " + code;
    if (code >= HTTP_OK && code < HTTP_REDIRECT) {
      acknowledged(wire, text, response.getResponseBody());
    } else {
      wire.answered(
          switch (code) {
            case HTTP_UNAUTHORIZED, HTTP_FORBIDDEN -> Kind.NOT_AUTHENTICATED;
            case HTTP_NOT_FOUND, HTTP_NOT_ALLOWED -> Kind.NOT_TAKEN_HERE;
            default -> Kind.REFUSED;
          },
          text);
    }
  }

  /** Says yes, unless the body says otherwise: a page, or a partial success. */
  private static void acknowledged(Wire wire, String text, byte[] body) {
    if (body.length > 0 && body[0] == '<') {
      wire.answered(Kind.NOT_TAKEN_HERE, text + ", and a page");
      return;
    }
    // ExportTraceServiceResponse.partial_success, and its rejected_spans.
    boolean isPartial = body.length > 2 && body[0] == 0x0A && body[2] == 0x08 && body[3] != 0;
    if (isPartial) {
      wire.answered(
          Kind.REFUSED,
          "partial success, "
              + new String(body, StandardCharsets.UTF_8).replaceAll("[^ -~]+", " ").strip());
    } else {
      wire.answered(Kind.ACKNOWLEDGED, text);
    }
  }
}
