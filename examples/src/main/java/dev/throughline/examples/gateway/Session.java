// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.gateway;

/**
 * An operator's session with one console of a server.
 *
 * @param kind {@code vnc} or {@code sol}
 */
record Session(String id, String kind, String serverId, String customerId) {}
