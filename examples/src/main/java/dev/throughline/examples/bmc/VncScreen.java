// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.bmc;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.Arrays;

/**
 * The server's screen over RFB 3.8 without security: black while the power is off; else white, with
 * a black bar that moves on with each frame.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6143">RFC 6143</a>
 */
final class VncScreen implements TcpPort.Conversation {

  private static final String VERSION = "RFB 003.008\n";
  private static final int SECURITY_NONE = 1;
  private static final int WIDTH = 640;
  private static final int HEIGHT = 480;
  private static final int BAR = 16;

  private final PowerSupply power;
  private final ResponseDelay delay;

  VncScreen(PowerSupply power, ResponseDelay delay) {
    this.power = power;
    this.delay = delay;
  }

  @Override
  public void hold(Socket connection) throws IOException {
    DataInputStream in = new DataInputStream(connection.getInputStream());
    DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(connection.getOutputStream()));
    if (shakeHands(in, out)) {
      serve(in, out);
    }
  }

  private boolean shakeHands(DataInputStream in, DataOutputStream out) throws IOException {
    out.write(VERSION.getBytes(US_ASCII));
    answer(out);
    String version = new String(in.readNBytes(VERSION.length()), US_ASCII);
    if (!version.equals(VERSION)) {
      out.writeByte(0);
      writeString(out, "Only RFB 3.8 is spoken here");
      answer(out);
      return false;
    }
    out.write(new byte[] {1, SECURITY_NONE});
    answer(out);
    if (in.readUnsignedByte() != SECURITY_NONE) {
      out.writeInt(1);
      writeString(out, "Only security type None is offered");
      answer(out);
      return false;
    }
    out.writeInt(0);
    answer(out);
    in.readUnsignedByte(); // whether others may stay connected: they always may
    writeServerInit(out);
    answer(out);
    return true;
  }

  private static void writeServerInit(DataOutputStream out) throws IOException {
    out.writeShort(WIDTH);
    out.writeShort(HEIGHT);
    out.write(new byte[] {32, 24, 0, 1}); // bits per pixel, depth, little-endian, true colour
    out.writeShort(255); // most red, green and blue
    out.writeShort(255);
    out.writeShort(255);
    out.write(new byte[] {16, 8, 0, 0, 0, 0}); // where they stand in a pixel, and padding
    writeString(out, "Simulated server");
  }

  private void serve(DataInputStream in, DataOutputStream out) throws IOException {
    int bytesPerPixel = 4;
    int bar = 0;
    for (int type = in.read(); type >= 0; type = in.read()) {
      switch (type) {
        case 0 -> { // SetPixelFormat
          in.skipNBytes(3);
          bytesPerPixel = in.readUnsignedByte() / 8;
          in.skipNBytes(15);
        }
        case 2 -> { // SetEncodings: raw may always be sent
          in.skipNBytes(1);
          in.skipNBytes(4L * in.readUnsignedShort());
        }
        case 3 -> { // FramebufferUpdateRequest
          in.skipNBytes(1);
          int x = in.readUnsignedShort();
          int y = in.readUnsignedShort();
          int width = in.readUnsignedShort();
          int height = in.readUnsignedShort();
          bar = (bar + BAR) % WIDTH;
          writeUpdate(out, x, y, width, height, bytesPerPixel, bar);
          answer(out);
        }
        case 4 -> in.skipNBytes(7); // KeyEvent
        case 5 -> in.skipNBytes(5); // PointerEvent
        case 6 -> { // ClientCutText
          in.skipNBytes(3);
          in.skipNBytes(Integer.toUnsignedLong(in.readInt()));
        }
        default -> {
          return;
        }
      }
    }
  }

  private void writeUpdate(
      DataOutputStream out, int x, int y, int width, int height, int bytesPerPixel, int bar)
      throws IOException {
    boolean onScreen = width > 0 && height > 0 && x + width <= WIDTH && y + height <= HEIGHT;
    out.writeShort(0); // FramebufferUpdate
    out.writeShort(onScreen ? 1 : 0);
    if (onScreen) {
      out.writeShort(x);
      out.writeShort(y);
      out.writeShort(width);
      out.writeShort(height);
      out.writeInt(0); // raw
      // All ones and all zeros are white and black in every true-colour format.
      byte[] row = new byte[width * bytesPerPixel];
      Arrays.fill(row, (byte) (power.isOn() ? 0xFF : 0));
      int from = Math.max(bar, x) - x;
      int to = Math.min(bar + BAR, x + width) - x;
      if (from < to) {
        Arrays.fill(row, from * bytesPerPixel, to * bytesPerPixel, (byte) 0);
      }
      for (int i = 0; i < height; i++) {
        out.write(row);
      }
    }
  }

  private static void writeString(DataOutputStream out, String text) throws IOException {
    out.writeInt(text.length());
    out.write(text.getBytes(US_ASCII));
  }

  private void answer(DataOutputStream out) throws IOException {
    delay.pass();
    out.flush();
  }
}
