// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.service;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a {@link JsonServer} was asked. */
public final class JsonRequest {

  private static final int LARGEST_BODY = 64 * 1024;
  private static final String BEARER = "Bearer ";

  private final HttpExchange exchange;
  private final Map<String, String> variables;

  JsonRequest(HttpExchange exchange, Map<String, String> variables) {
    this.exchange = exchange;
    this.variables = variables;
  }

  /** The first header of this name; null where there is none. */
  public @Nullable String header(String name) {
    return exchange.getRequestHeaders().getFirst(name);
  }

  /** A variable of the route. */
  public String variable(String name) {
    String value = variables.get(name);
    if (value == null) {
      throw new IllegalArgumentException("The route has no variable " + name);
    }
    return value;
  }

  /**
   * Reads the body; it can be read once.
   *
   * @throws Refusal if it is too large, or no JSON object
   */
  public ObjectNode body() throws Refusal, IOException {
    byte[] bytes = exchange.getRequestBody().readNBytes(LARGEST_BODY + 1);
    if (bytes.length > LARGEST_BODY) {
      throw new Refusal(413, "A body has at most " + LARGEST_BODY + " bytes");
    }
    try {
      return Json.read(bytes);
    } catch (IOException e) {
      throw new Refusal(400, "The body must be a JSON object");
    }
  }

  /**
   * A text field of a body.
   *
   * @throws Refusal if there is none, or it is empty
   */
  public static String text(ObjectNode body, String field) throws Refusal {
    JsonNode value = body.path(field);
    if (!value.isTextual() || value.textValue().isEmpty()) {
      throw new Refusal(400, "The body must have a text field \"" + field + "\"");
    }
    return value.textValue();
  }

  /**
   * The token of the Authorization header.
   *
   * @throws Refusal if there is none
   */
  public String bearerToken() throws Refusal {
    String authorization = header("Authorization");
    if (authorization == null || !authorization.startsWith(BEARER)) {
      throw new Refusal(401, "A bearer token is needed");
    }
    return authorization.substring(BEARER.length());
  }
}
