// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** What a Gateway and its Agents say to each other over gRPC. */
@NullMarked
package dev.throughline.examples.rpc;

import org.jspecify.annotations.NullMarked;
