// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** The Manager: signs operators in, knows the servers, and passes power commands on. */
@NullMarked
package dev.throughline.examples.manager;

import org.jspecify.annotations.NullMarked;
