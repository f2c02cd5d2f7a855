// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/** The HTTP ladders, in the adapter's own package: they drive its conventions without a socket. */
@NullMarked
package dev.throughline.telemetry.http;

import org.jspecify.annotations.NullMarked;
