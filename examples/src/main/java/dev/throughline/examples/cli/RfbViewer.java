// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ProtocolException;

/**
 * Looks at a screen over RFB 3.8.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6143">RFC 6143</a>
 */
final class RfbViewer {

  private static final String VERSION = "RFB 003.008\n";
  private static final int SECURITY_NONE = 1;
  private static final int LONGEST_TEXT = 1024;
  private static final int SIDE_OF_FRAME = 64;

  private final DataInputStream in;
  private final DataOutputStream out;
  private int bytesPerPixel;

  /** A viewer that has said nothing yet. */
  RfbViewer(InputStream in, OutputStream out) {
    this.in = new DataInputStream(in);
    this.out = new DataOutputStream(out);
  }

  /** What a screen says about itself. */
  record Screen(String name, int width, int height) {}

  Screen shakeHands() throws IOException {
    agreeOnVersion();
    agreeOnSecurity();
    out.writeByte(1); // others may stay connected
    out.flush();
    int width = in.readUnsignedShort();
    int height = in.readUnsignedShort();
    bytesPerPixel = in.readUnsignedByte() / 8;
    in.skipNBytes(15);
    return new Screen(readText(), width, height);
  }

  /** Asks for one corner of the screen, and waits for it. */
  void awaitFrame() throws IOException {
    out.write(new byte[] {3, 0, 0, 0, 0, 0, 0, SIDE_OF_FRAME, 0, SIDE_OF_FRAME});
    out.flush();
    in.skipNBytes(2);
    for (int rectangles = in.readUnsignedShort(); rectangles > 0; rectangles--) {
      in.skipNBytes(4);
      int pixels = in.readUnsignedShort() * in.readUnsignedShort();
      if (in.readInt() != 0) {
        throw new ProtocolException("The console sent an encoding that was not asked for");
      }
      in.skipNBytes((long) pixels * bytesPerPixel);
    }
  }

  private void agreeOnVersion() throws IOException {
    String version = new String(in.readNBytes(VERSION.length()), US_ASCII);
    if (!version.equals(VERSION)) {
      throw new ProtocolException("The console does not speak RFB 3.8");
    }
    out.write(version.getBytes(US_ASCII));
    out.flush();
  }

  private void agreeOnSecurity() throws IOException {
    byte[] types = in.readNBytes(in.readUnsignedByte());
    if (types.length == 0) {
      throw new ProtocolException("The console refused: " + readText());
    }
    if (new String(types, US_ASCII).indexOf(SECURITY_NONE) < 0) {
      throw new ProtocolException("The console asks for a password");
    }
    out.writeByte(SECURITY_NONE);
    out.flush();
    if (in.readInt() != 0) {
      throw new ProtocolException("The console refused: " + readText());
    }
  }

  private String readText() throws IOException {
    int length = in.readInt();
    if (length < 0 || length > LONGEST_TEXT) {
      throw new ProtocolException("The console sent a text of " + length + " bytes");
    }
    return new String(in.readNBytes(length), UTF_8);
  }
}
