// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextStorage;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.testing.context.SettableContextStorageProvider;
import org.jspecify.annotations.Nullable;

/**
 * The JVM's context storage, with each scope told to the test that it is opened for.
 *
 * <p>OpenTelemetry's strict storage knows leaks as well, but not whose they are: its one check
 * takes the open scopes of all threads. It can be on at the same time.
 */
final class WatchedStorage implements ContextStorage {

  private static final String PROVIDER = "io.opentelemetry.context.contextStorageProvider";

  // Design note: opentelemetry-sdk-testing on the class path makes its settable storage the JVM's,
  // beneath whatever wraps it, and that takes this one at any time. A wrapper would have to come
  // before the first context of the JVM.
  static {
    SettableContextStorageProvider.setContextStorage(
        new WatchedStorage(SettableContextStorageProvider.getContextStorage()));
  }

  private final ContextStorage storage;

  private WatchedStorage(ContextStorage storage) {
    this.storage = storage;
  }

  /**
   * Makes this the JVM's storage, once.
   *
   * @throws IllegalStateException if OpenTelemetry's default storage is forced on the JVM
   */
  static void install() {
    if ("default".equals(System.getProperty(PROVIDER))) {
      throw new IllegalStateException(
          "Unclosed scopes are not seen with -D" + PROVIDER + "=default; leave it out");
    }
  }

  @Override
  public Scope attach(Context context) {
    Scope scope = storage.attach(context);
    TelemetryExtension owner = Owner.of(context);
    return owner == null ? scope : owner.scopes().opened(context, scope);
  }

  @Override
  public @Nullable Context current() {
    return storage.current();
  }

  @Override
  public Context root() {
    return storage.root();
  }
}
