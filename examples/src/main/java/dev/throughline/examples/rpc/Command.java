// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.rpc;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * What a Gateway wants its Agent to do.
 *
 * @param id the answer's as well
 * @param name e.g. {@code vnc.open}
 * @param context of the request that caused it, as {@code Telemetry.inject} writes it: the stream
 *     stays open for days, and each command on it belongs to a trace of its own
 */
public record Command(long id, String name, ObjectNode arguments, Map<String, String> context) {}
