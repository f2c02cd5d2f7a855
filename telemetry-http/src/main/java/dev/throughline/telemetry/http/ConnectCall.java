// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import java.nio.charset.StandardCharsets;
import java.util.Set;
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

  private static final Pattern CODE =
      Pattern.compile(
          "\"code\"\\s*:\\s*\"(canceled|unknown|invalid_argument|deadline_exceeded|not_found"
              + "|already_exists|permission_denied|resource_exhausted|failed_precondition|aborted"
              + "|out_of_range|unimplemented|internal|unavailable|data_loss|unauthenticated)\"");
  private static final Set<String> SERVER_ERRORS =
      Set.of(
          "unknown", "deadline_exceeded", "unimplemented", "internal", "unavailable", "data_loss");
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
  private boolean ended;
  private boolean seen;
  private byte @Nullable [] kept;
  private int keptLength;

  private ConnectCall(String method, boolean streaming) {
    this.method = method;
    this.streaming = streaming;
  }

  /**
   * The call that a request to a declared procedure is.
   *
   * @return null for plain HTTP, and for gRPC on the same path
   */
  static @Nullable ConnectCall of(String method, String httpMethod, @Nullable String contentType) {
    boolean post = httpMethod.equals("POST");
    if ((!post && !httpMethod.equals("GET"))
        || (contentType != null && contentType.startsWith("application/grpc"))) {
      return null;
    }
    return new ConnectCall(
        method, post && contentType != null && contentType.startsWith("application/connect+"));
  }

  /** {@code rpc.method}, e.g. {@code fleet.v1.FleetService/GetServer}. */
  String method() {
    return method;
  }

  /** Looks at the next bytes of the body of a response with this HTTP status. */
  void see(int status, byte[] bytes, int offset, int length) {
    seen = true;
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
    ended = (prefix[0] & END_OF_STREAM) != 0;
    looking = ended && (prefix[0] & COMPRESSED) == 0;
    if (left == 0) {
      prefixFilled = 0;
    }
  }

  private void keep(byte[] bytes, int offset, int length) {
    if (kept == null) {
      kept = new byte[LOOKED_AT];
    }
    int taken = Math.min(length, LOOKED_AT - keptLength);
    System.arraycopy(bytes, offset, kept, keptLength, taken);
    keptLength += taken;
  }

  /** Forgets what was seen of a body that is thrown away. */
  void forget() {
    prefixFilled = 0;
    left = 0;
    keptLength = 0;
    ended = false;
  }

  /** Says that the body may have passed by another way; if nothing was seen, nothing is said. */
  void mayBeUnseen() {
    ended |= !seen;
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
    if (code != null || status == 0) {
      return code;
    }
    return switch (status) {
      case 200 -> ended ? null : "internal";
      case 400 -> "internal";
      case 401 -> "unauthenticated";
      case 403 -> "permission_denied";
      case 404 -> "unimplemented";
      case 429, 502, 503, 504 -> "unavailable";
      default -> "unknown";
    };
  }

  private @Nullable String codeInBody() {
    if (kept == null) {
      return null;
    }
    Matcher matcher = CODE.matcher(new String(kept, 0, keptLength, StandardCharsets.UTF_8));
    return matcher.find() ? matcher.group(1) : null;
  }

  /** Whether the code is the server's fault, and so an error of its span. */
  static boolean isServerError(String code) {
    return SERVER_ERRORS.contains(code);
  }
}
