// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.logging;

/** The misuse kit on Log4j 2. */
class Log4jMisuseTest extends MisuseKit {}
