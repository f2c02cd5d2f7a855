// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A Connect RPC call: its method by the path, and its error code by the bytes of the response,
 * which are looked at as they pass: of an error's JSON, or of the message that ends a stream.
 *
 * @see <a href="https://connectrpc.com/docs/protocol/">The Connect protocol</a>
 */
final class ConnectCall {

  private static final Pattern CODE = Pattern.compile("\"code\"\\s*:\\s*\"([a-z_]{1,32})\"");
  private static final int LOOKED_AT = 4096;
  private static final int PREFIX = 5;
  private static final int END_OF_STREAM = 0x02;
  private static final int COMPRESSED = 0x01;

  private final String method;
  private final boolean streaming;
  private final byte[] prefix = new byte[PREFIX];
  private int prefixFilled;
  private long left;
  private boolean looking;
  private byte @Nullable [] seen;
  private int seenLength;

  private ConnectCall(String method, boolean streaming) {
    this.method = method;
    this.streaming = streaming;
  }

  /** The call that a request is; null for plain HTTP. */
  static @Nullable ConnectCall of(
      String httpMethod,
      String path,
      @Nullable String query,
      @Nullable String contentType,
      @Nullable String protocolVersion) {
    boolean streaming = contentType != null && contentType.startsWith("application/connect+");
    boolean unary =
        protocolVersion != null
            && httpMethod.equals("POST")
            && contentType != null
            && contentType.startsWith("application/");
    boolean get =
        httpMethod.equals("GET")
            && query != null
            && (query.startsWith("connect=v1") || query.contains("&connect=v1"));
    if (!(streaming && httpMethod.equals("POST")) && !unary && !get) {
      return null;
    }
    int methodSlash = path.lastIndexOf('/');
    int serviceSlash = methodSlash < 1 ? -1 : path.lastIndexOf('/', methodSlash - 1);
    return serviceSlash < 0 || methodSlash == serviceSlash + 1 || methodSlash == path.length() - 1
        ? null
        : new ConnectCall(path.substring(serviceSlash + 1), streaming);
  }

  /** {@code rpc.method}, e.g. {@code fleet.v1.FleetService/GetServer}. */
  String method() {
    return method;
  }

  /** Looks at the next bytes of the body of a response with this HTTP status. */
  void see(int status, byte[] bytes, int offset, int length) {
    if (!streaming) {
      if (status != 200) {
        keep(bytes, offset, length);
      }
      return;
    }
    int at = offset;
    int end = offset + length;
    while (at < end) {
      if (left == 0 && prefixFilled < PREFIX) {
        prefix[prefixFilled++] = bytes[at++];
        if (prefixFilled == PREFIX) {
          startMessage();
        }
        continue;
      }
      int taken = (int) Math.min(left, end - at);
      if (looking) {
        keep(bytes, at, taken);
      }
      at += taken;
      left -= taken;
      if (left == 0) {
        prefixFilled = 0;
      }
    }
  }

  private void startMessage() {
    left =
        ((prefix[1] & 0xFFL) << 24)
            | ((prefix[2] & 0xFFL) << 16)
            | ((prefix[3] & 0xFFL) << 8)
            | (prefix[4] & 0xFFL);
    looking = (prefix[0] & END_OF_STREAM) != 0 && (prefix[0] & COMPRESSED) == 0;
    if (left == 0) {
      prefixFilled = 0;
    }
  }

  private void keep(byte[] bytes, int offset, int length) {
    byte[] kept = seen;
    if (kept == null) {
      kept = new byte[LOOKED_AT];
      seen = kept;
    }
    int taken = Math.min(length, LOOKED_AT - seenLength);
    System.arraycopy(bytes, offset, kept, seenLength, taken);
    seenLength += taken;
  }

  /**
   * {@code rpc.response.status_code}: the error's code.
   *
   * @param status the HTTP status; 0 where no response came
   * @return null for a call that succeeded
   */
  @Nullable String errorCode(int status) {
    if (status == 200 && !streaming) {
      return null;
    }
    String code = codeInBody();
    if (code != null || status == 200 || status == 0) {
      return code;
    }
    return switch (status) {
      case 400 -> "internal";
      case 401 -> "unauthenticated";
      case 403 -> "permission_denied";
      case 404 -> "unimplemented";
      case 429, 502, 503, 504 -> "unavailable";
      default -> "unknown";
    };
  }

  /** Whether no procedure answered, so that the path's method is anybody's invention. */
  boolean isUnknownMethod(int status) {
    return status == 404 && codeInBody() == null;
  }

  private @Nullable String codeInBody() {
    if (seen == null) {
      return null;
    }
    Matcher matcher = CODE.matcher(new String(seen, 0, seenLength, StandardCharsets.UTF_8));
    return matcher.find() && isCode(matcher.group(1)) ? matcher.group(1) : null;
  }

  private static boolean isCode(String code) {
    return switch (code) {
      case "canceled",
          "unknown",
          "invalid_argument",
          "deadline_exceeded",
          "not_found",
          "already_exists",
          "permission_denied",
          "resource_exhausted",
          "failed_precondition",
          "aborted",
          "out_of_range",
          "unimplemented",
          "internal",
          "unavailable",
          "data_loss",
          "unauthenticated" ->
          true;
      default -> false;
    };
  }

  /** Whether the code is the server's fault, and so an error of its span. */
  static boolean isServerError(String code) {
    return switch (code) {
      case "unknown",
          "deadline_exceeded",
          "unimplemented",
          "internal",
          "unavailable",
          "data_loss" ->
          true;
      default -> false;
    };
  }
}
