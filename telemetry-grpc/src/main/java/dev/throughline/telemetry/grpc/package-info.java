// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * gRPC clients and servers in the trace, by the RPC semantic conventions: {@link
 * dev.throughline.telemetry.grpc.GrpcTelemetry}.
 */
@NullMarked
package dev.throughline.telemetry.grpc;

import org.jspecify.annotations.NullMarked;
