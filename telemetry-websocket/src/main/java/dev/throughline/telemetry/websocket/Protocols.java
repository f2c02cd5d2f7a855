// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Sub-protocols that say something of the envelope or of a context, beside the application's. */
final class Protocols {

  /** A context as a sub-protocol; no other text of a client's is sent back to it. */
  private static final Pattern CONTEXT =
      Pattern.compile(Pattern.quote(Upgrade.CONTEXT_SUB_PROTOCOL) + "[0-9a-f-]{55,512}");

  private Protocols() {}

  /** Whether a negotiated protocol says that both sides know the envelope. */
  static boolean hasEnvelopes(@Nullable String negotiated) {
    return negotiated != null
        && (negotiated.equals(Envelope.SUB_PROTOCOL)
            || negotiated.endsWith(Envelope.SUB_PROTOCOL_SUFFIX));
  }

  /** The application's part of a negotiated protocol; empty where all of it is ours. */
  static String applications(@Nullable String negotiated) {
    if (negotiated == null || isOurs(negotiated)) {
      return "";
    }
    return negotiated.endsWith(Envelope.SUB_PROTOCOL_SUFFIX)
        ? negotiated.substring(0, negotiated.length() - Envelope.SUB_PROTOCOL_SUFFIX.length())
        : negotiated;
  }

  /** The application's of those that a client offers. */
  static List<String> applications(List<String> offered) {
    return offered.stream()
        .filter(protocol -> !isOurs(protocol) && !protocol.endsWith(Envelope.SUB_PROTOCOL_SUFFIX))
        .toList();
  }

  /**
   * What a server answers.
   *
   * @param chosen what the application chose of its own; empty where that is none
   * @param envelopes whether the endpoint can read them
   */
  static String answer(
      @Nullable String chosen, List<String> offered, boolean envelopes, boolean contexts) {
    if (chosen != null && !chosen.isEmpty()) {
      String both = chosen + Envelope.SUB_PROTOCOL_SUFFIX;
      return envelopes && offered.contains(both) ? both : chosen;
    }
    if (envelopes && offered.contains(Envelope.SUB_PROTOCOL)) {
      return Envelope.SUB_PROTOCOL;
    }
    if (contexts) {
      // Browsers give up where none of what they offer is taken.
      for (String protocol : offered) {
        if (CONTEXT.matcher(protocol).matches()) {
          return protocol;
        }
      }
    }
    return "";
  }

  private static boolean isOurs(String protocol) {
    return protocol.equals(Envelope.SUB_PROTOCOL)
        || protocol.equals(Envelope.DECOY_SUB_PROTOCOL)
        || protocol.startsWith(Upgrade.CONTEXT_SUB_PROTOCOL);
  }
}
