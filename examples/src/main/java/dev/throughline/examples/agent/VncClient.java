// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.agent;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.throughline.telemetry.ActiveSpan;
import dev.throughline.telemetry.Telemetry;
import io.opentelemetry.api.trace.SpanKind;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;

/**
 * Looks at a server's screen over RFB 3.8.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6143">RFC 6143</a>
 */
final class VncClient {

  private static final String VERSION = "RFB 003.008\n";
  private static final int SECURITY_NONE = 1;
  private static final int LONGEST_TEXT = 1024;
  private static final int FIRST_LOOK = 16;

  private final Telemetry telemetry;
  private final TcpDialer dialer;

  VncClient(Telemetry telemetry, TcpDialer dialer) {
    this.telemetry = telemetry;
    this.dialer = dialer;
  }

  /** What a screen says about itself. */
  record Screen(String name, int width, int height) {}

  /** Connects, shakes hands, and waits for a first piece of the screen. */
  Screen connect(InetSocketAddress console, BmcType bmcType) throws IOException {
    return telemetry
        .span("vnc.connect")
        .kind(SpanKind.CLIENT)
        .attribute("bmc.type", bmcType.word())
        .call(
            span -> {
              try (Socket socket = dialer.dial(console)) {
                return look(socket, span);
              }
            });
  }

  private static Screen look(Socket socket, ActiveSpan span) throws IOException {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    agreeOnVersion(in, out);
    agreeOnSecurity(in, out);
    out.writeByte(1); // others may stay connected
    int width = in.readUnsignedShort();
    int height = in.readUnsignedShort();
    int bytesPerPixel = in.readUnsignedByte() / 8;
    in.skipNBytes(15);
    Screen screen = new Screen(readText(in), width, height);
    span.event("vnc.ready");
    readFirstUpdate(in, out, bytesPerPixel);
    span.event("vnc.first_update");
    return screen;
  }

  private static void agreeOnVersion(DataInputStream in, DataOutputStream out) throws IOException {
    String version = new String(in.readNBytes(VERSION.length()), US_ASCII);
    if (!version.equals(VERSION)) {
      throw new ProtocolException("The console does not speak RFB 3.8");
    }
    out.write(version.getBytes(US_ASCII));
  }

  private static void agreeOnSecurity(DataInputStream in, DataOutputStream out) throws IOException {
    byte[] types = in.readNBytes(in.readUnsignedByte());
    if (types.length == 0) {
      throw new ProtocolException("The console refused: " + readText(in));
    }
    if (new String(types, US_ASCII).indexOf(SECURITY_NONE) < 0) {
      throw new ProtocolException("The console asks for a password");
    }
    out.writeByte(SECURITY_NONE);
    if (in.readInt() != 0) {
      throw new ProtocolException("The console refused: " + readText(in));
    }
  }

  private static void readFirstUpdate(DataInputStream in, DataOutputStream out, int bytesPerPixel)
      throws IOException {
    out.write(new byte[] {3, 0, 0, 0, 0, 0, 0, FIRST_LOOK, 0, FIRST_LOOK});
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

  private static String readText(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > LONGEST_TEXT) {
      throw new ProtocolException("The console sent a text of " + length + " bytes");
    }
    return new String(in.readNBytes(length), UTF_8);
  }
}
