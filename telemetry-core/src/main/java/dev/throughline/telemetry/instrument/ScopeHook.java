// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.instrument;

import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;

/**
 * What goes along with the current context from thread to thread, e.g. the ids in a log's MDC. An
 * adapter hands one to {@code Telemetry.setScopeHook}.
 */
public interface ScopeHook {

  /**
   * Called on the thread on which a context has just become current, wherever that is: in a span,
   * in a wrapped task, with baggage.
   *
   * @param before what was current until now; the root context where nothing was
   * @param now what is current; another one than {@code before}
   * @param scope makes {@code before} current again
   * @return {@code scope}, or one around it that closes it
   */
  Scope entered(Context before, Context now, Scope scope);

  /** Called once the telemetry is closed. */
  default void closed() {}
}
