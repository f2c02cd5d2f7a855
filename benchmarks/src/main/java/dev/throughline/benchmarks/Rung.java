// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.benchmarks;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a benchmark's row says. Rows stand in the order of their methods' names. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Rung {
  /** The subject, e.g. {@code raw OpenTelemetry SDK}. */
  String value();

  /**
   * A folder of {@code benchmarks/target} whose jars the forks of this rung have on their class
   * path besides; empty for none.
   */
  String jars() default "";
}
