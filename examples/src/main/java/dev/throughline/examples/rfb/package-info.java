// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

/** Remote framebuffers: the protocol that VNC speaks, as a viewer needs it. */
@NullMarked
package dev.throughline.examples.rfb;

import org.jspecify.annotations.NullMarked;
