// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapSetter;

/** Writes headers into a response that is about to be committed. */
@FunctionalInterface
interface ResponseHook<REQ> {

  /**
   * Called once a request, on the thread that commits the response.
   *
   * @param context the request's context, with its span
   * @param carrier takes the headers, through {@code setter}
   */
  void onResponse(Context context, REQ carrier, TextMapSetter<REQ> setter);
}
