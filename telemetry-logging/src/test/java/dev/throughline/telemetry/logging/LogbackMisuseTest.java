// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

/** The misuse kit on Logback. */
class LogbackMisuseTest extends MisuseKit {}
