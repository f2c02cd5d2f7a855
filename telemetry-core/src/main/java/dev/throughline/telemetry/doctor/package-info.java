// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0
/**
 * What is wrong between a service and its receiver, found out step by step. For core itself; users
 * run {@code dev.throughline.telemetry.Doctor}.
 */
@NullMarked
package dev.throughline.telemetry.doctor;

import org.jspecify.annotations.NullMarked;
