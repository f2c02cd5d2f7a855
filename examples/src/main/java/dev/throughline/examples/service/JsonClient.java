// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;

/** Calls another service with JSON objects. */
public final class JsonClient {

  private final HttpClient client;
  private final Duration timeout;

  /**
   * A client.
   *
   * @param client records its calls where telemetry wrapped it
   * @param timeout of one call
   */
  public JsonClient(HttpClient client, Duration timeout) {
    this.client = client;
    this.timeout = timeout;
  }

  /** A client of the JDK as the fleet uses it, before telemetry wraps it. */
  public static HttpClient http(Duration connectTimeout) {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1) // the fleet's servers speak nothing else
        .connectTimeout(connectTimeout)
        .build();
  }

  /**
   * Fetches an object.
   *
   * @throws Refusal as {@link #post}
   */
  public ObjectNode get(URI uri) throws Refusal {
    return send(HttpRequest.newBuilder(uri).GET());
  }

  /**
   * Sends an object.
   *
   * @param headers names and values in turn
   * @return the answer; an empty object where it has no body
   * @throws Refusal with the status of the answer where that blames this call or the time it took;
   *     502 for any other error, 504 where no answer came in time
   */
  public ObjectNode post(URI uri, ObjectNode body, String... headers) throws Refusal {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(Json.write(body)));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  private ObjectNode send(HttpRequest.Builder request) throws Refusal {
    HttpRequest built = request.timeout(timeout).build();
    try {
      HttpResponse<byte[]> response = client.send(built, BodyHandlers.ofByteArray());
      int status = response.statusCode();
      if (status >= 400) {
        String reason = new String(response.body(), UTF_8);
        boolean ours = status < 500 || status == 504;
        throw new Refusal(ours ? status : 502, built.uri() + " answered " + status + " " + reason);
      }
      return response.body().length == 0 ? Json.object() : Json.read(response.body());
    } catch (HttpTimeoutException e) {
      throw new Refusal(504, built.uri() + " did not answer in time");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refusal(503, "Interrupted while waiting for " + built.uri());
    } catch (IOException e) {
      throw new Refusal(502, built.uri() + " gave no answer: " + e);
    }
  }
}
