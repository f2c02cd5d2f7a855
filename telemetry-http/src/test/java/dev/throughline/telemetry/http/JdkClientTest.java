// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.testing.HttpClientKit;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.util.concurrent.CompletableFuture;

class JdkClientTest extends HttpClientKit {

  @Override
  protected Client client(Telemetry telemetry) {
    HttpClient bare =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();
    HttpClient client = telemetry == null ? bare : HttpTelemetry.create(telemetry).wrap(bare);
    return new Client() {
      @Override
      public Response send(Request request) throws Exception {
        return response(client.send(jdk(request), body(request)));
      }

      @Override
      public CompletableFuture<Response> sendAsync(Request request) {
        CompletableFuture<HttpResponse<String>> sent =
            client.sendAsync(jdk(request), body(request));
        CompletableFuture<Response> response = sent.thenApply(JdkClientTest::response);
        response.whenComplete(
            (value, thrown) -> {
              if (response.isCancelled()) {
                sent.cancel(true);
              }
            });
        return response;
      }
    };
  }

  private static HttpRequest jdk(Request request) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(request.uri())
            .method(request.method(), HttpRequest.BodyPublishers.noBody());
    request.headers().forEach(builder::header);
    if (request.timeout() != null) {
      builder.timeout(request.timeout());
    }
    return builder.build();
  }

  private static BodyHandler<String> body(Request request) {
    return info -> {
      request.onBody().run();
      return BodySubscribers.ofString(UTF_8);
    };
  }

  private static Response response(HttpResponse<String> response) {
    return new Response(response.statusCode(), response.body());
  }
}
