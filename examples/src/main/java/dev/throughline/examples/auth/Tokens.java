// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.throughline.examples.service.Json;
import dev.throughline.examples.service.Refusal;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * JSON Web Tokens, signed with HMAC-SHA256 by a key that the Manager and the Gateways share.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7519">RFC 7519</a>
 */
public final class Tokens {

  private static final String ALGORITHM = "HmacSHA256";
  private static final int SHORTEST_KEY = 32;
  private static final Duration LIFETIME = Duration.ofHours(1);
  private static final String HEADER =
      encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}".getBytes(UTF_8));

  private final SecretKeySpec key;
  private final Clock clock;

  /**
   * Tokens signed with a key.
   *
   * @throws IllegalArgumentException if the key is shorter than the signature
   */
  public Tokens(String key, Clock clock) {
    byte[] bytes = key.getBytes(UTF_8);
    if (bytes.length < SHORTEST_KEY) {
      throw new IllegalArgumentException("The key must have at least " + SHORTEST_KEY + " bytes");
    }
    this.key = new SecretKeySpec(bytes, ALGORITHM);
    this.clock = clock;
    // Loads the JDK's cryptography now, and not within the first request.
    signature("");
  }

  /** A token for an operator who works for a customer. */
  public String sign(String operator, String customerId) {
    ObjectNode claims =
        Json.object()
            .put("sub", operator)
            .put("customer_id", customerId)
            .put("exp", clock.instant().plus(LIFETIME).getEpochSecond());
    String content = HEADER + "." + encode(Json.write(claims));
    return content + "." + encode(signature(content));
  }

  /**
   * The customer that a token stands for.
   *
   * @throws Refusal if it was not signed with this key, or has expired
   */
  public String customerOf(String token) throws Refusal {
    int end = token.lastIndexOf('.');
    String content = end < 0 ? "" : token.substring(0, end);
    if (!content.startsWith(HEADER + ".")
        || !MessageDigest.isEqual(
            encode(signature(content)).getBytes(UTF_8), token.substring(end + 1).getBytes(UTF_8))) {
      throw new Refusal(401, "The token is not valid");
    }
    ObjectNode claims = claims(content.substring(HEADER.length() + 1));
    if (claims.path("exp").asLong() <= clock.instant().getEpochSecond()) {
      throw new Refusal(401, "The token has expired");
    }
    return claims.path("customer_id").asText();
  }

  private static ObjectNode claims(String encoded) throws Refusal {
    try {
      return Json.read(Base64.getUrlDecoder().decode(encoded));
    } catch (IOException | IllegalArgumentException e) {
      throw new Refusal(401, "The token is not valid");
    }
  }

  private byte[] signature(String content) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac.doFinal(content.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every JDK has " + ALGORITHM, e);
    }
  }

  private static String encode(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
