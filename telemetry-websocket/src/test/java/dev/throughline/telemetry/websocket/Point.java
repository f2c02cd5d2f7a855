// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.DecodeException;
import jakarta.websocket.Decoder;
import jakarta.websocket.Encoder;
import jakarta.websocket.EndpointConfig;

/** What an application's decoder and encoder make of {@code x,y}. */
public record Point(int x, int y) {

  /** Both of them; public, as containers want it. */
  public static final class Coder implements Decoder.Text<Point>, Encoder.Text<Point> {

    /** For containers. */
    public Coder() {}

    @Override
    public Point decode(String text) throws DecodeException {
      String[] parts = text.split(",");
      try {
        return new Point(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
      } catch (RuntimeException e) {
        throw new DecodeException(text, "no point", e);
      }
    }

    @Override
    public void init(EndpointConfig config) {}

    @Override
    public void destroy() {}

    @Override
    public boolean willDecode(String text) {
      return true;
    }

    @Override
    public String encode(Point point) {
      return point.x + "," + point.y;
    }
  }
}
