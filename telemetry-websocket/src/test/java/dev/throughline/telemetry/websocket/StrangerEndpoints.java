// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import static dev.throughline.telemetry.websocket.TransparentEndpoints.attempt;
import static dev.throughline.telemetry.websocket.TransparentEndpoints.note;

import dev.throughline.telemetry.websocket.TransparentEndpoints.Hearing;
import dev.throughline.telemetry.websocket.TransparentEndpoints.Noting;
import jakarta.websocket.CloseReason;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.Decoder;
import jakarta.websocket.Encoder;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.OnClose;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.PongMessage;
import jakarta.websocket.Session;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.PathParam;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** More endpoints of {@link ServerTransparencyKit}, of the kinds that people write. */
public final class StrangerEndpoints {

  /** The calls of the present scenario's coders. */
  static final Queue<String> CODED = new ConcurrentLinkedQueue<>();

  private StrangerEndpoints() {}

  /** A coder that notes its life. */
  public abstract static class Living {

    private final String name = getClass().getSimpleName();

    public void init(EndpointConfig config) {
      CODED.add("init " + name);
    }

    public void destroy() {
      CODED.add("destroy " + name);
    }
  }

  /** Reads no message. */
  public static final class Unwilling extends Living implements Decoder.Text<Point> {
    @Override
    public boolean willDecode(String text) {
      return false;
    }

    @Override
    public Point decode(String text) {
      throw new IllegalStateException("was not willing");
    }
  }

  /** Reads messages of two numbers. */
  public static final class Willing extends Living implements Decoder.Text<Point> {
    @Override
    public boolean willDecode(String text) {
      return text.contains(",");
    }

    @Override
    public Point decode(String text) {
      if (text.startsWith("!")) {
        throw new IllegalArgumentException("decoder");
      }
      String[] parts = text.split(",");
      return new Point(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    }
  }

  /** Reads a point of two bytes. */
  public static final class Bytes extends Living implements Decoder.Binary<Point> {
    @Override
    public boolean willDecode(ByteBuffer bytes) {
      return bytes.remaining() == 2;
    }

    @Override
    public Point decode(ByteBuffer bytes) {
      return new Point(bytes.get(), bytes.get());
    }
  }

  /** Writes points. */
  public static final class Writing extends Living implements Encoder.Text<Point> {
    @Override
    public String encode(Point point) {
      if (point.x() == 13) {
        throw new IllegalArgumentException("encoder");
      }
      return "x" + point.x() + "y" + point.y();
    }
  }

  @ServerEndpoint(
      value = "/coders",
      decoders = {Unwilling.class, Willing.class, Bytes.class},
      encoders = Writing.class)
  public static final class Coders extends Hearing {
    @OnMessage
    public Point point(Point point) {
      return point;
    }
  }

  @ServerEndpoint(value = "/uncoded", decoders = Willing.class)
  public static final class Uncoded extends Noting {
    @OnMessage
    public Point point(Point point) {
      return point;
    }
  }

  /** Reads a point of a stream. */
  public static final class Streamed extends Living implements Decoder.TextStream<Point> {
    @Override
    public Point decode(Reader reader) throws IOException {
      int x = reader.read() - '0';
      return x < 0 ? null : new Point(x, reader.read() - '0');
    }
  }

  /** Reads a point of a stream of bytes. */
  public static final class StreamedBytes extends Living implements Decoder.BinaryStream<Point> {
    @Override
    public Point decode(InputStream stream) throws IOException {
      return new Point(stream.read(), stream.readAllBytes().length);
    }
  }

  /** Writes points into a stream. */
  public static final class WritingStream extends Living implements Encoder.TextStream<Point> {
    @Override
    public void encode(Point point, Writer writer) throws IOException {
      writer.write(point.x() + "/");
      writer.write(Integer.toString(point.y()));
    }
  }

  /** Writes bytes into a stream. */
  public static final class WritingBytes extends Living implements Encoder.BinaryStream<Long> {
    @Override
    public void encode(Long value, OutputStream stream) throws IOException {
      stream.write(new byte[value.intValue()]);
    }
  }

  @ServerEndpoint(
      value = "/streamcoders",
      decoders = {Streamed.class, StreamedBytes.class},
      encoders = {WritingStream.class, WritingBytes.class})
  public static final class StreamCoders extends Hearing {
    @OnMessage
    public Point point(Point point, Session session) throws Exception {
      attempt(session, point, () -> session.getBasicRemote().sendObject((long) point.x()));
      return point;
    }
  }

  /** Reads text in capitals. */
  public static final class Capitals extends Living implements Decoder.Text<String> {
    @Override
    public boolean willDecode(String text) {
      return true;
    }

    @Override
    public String decode(String text) {
      return text.toUpperCase(java.util.Locale.ROOT);
    }
  }

  /** Writes text between stars. */
  public static final class Stars extends Living implements Encoder.Text<String> {
    @Override
    public String encode(String text) {
      return "*" + text + "*";
    }
  }

  /** Writes numbers between stars. */
  public static final class Numbers extends Living implements Encoder.Text<Integer> {
    @Override
    public String encode(Integer number) {
      return "#" + number;
    }
  }

  @ServerEndpoint(
      value = "/stringcoders",
      decoders = Capitals.class,
      encoders = {Stars.class, Numbers.class})
  public static final class StringCoders extends Hearing {
    @OnMessage
    public String text(String text, Session session) throws Exception {
      attempt(session, "object", () -> session.getBasicRemote().sendObject("object"));
      attempt(session, 1, () -> session.getBasicRemote().sendObject(1));
      attempt(session, "text", () -> session.getBasicRemote().sendText("text"));
      return text;
    }

    @OnMessage
    public int bytes(byte[] bytes) {
      return bytes.length;
    }
  }

  /** An endpoint whose methods are inherited, and overridden. */
  public abstract static class Base extends Hearing {
    @OnOpen
    public void open(Session session) {
      note(session, "open of the base");
    }

    @OnMessage
    public String text(String text) {
      return "base " + text;
    }

    @OnMessage
    public String binary(byte[] bytes) {
      return "base " + bytes.length;
    }
  }

  @ServerEndpoint("/overridden")
  public static final class Overridden extends Base {
    /** Overrides without an annotation. */
    @Override
    public String binary(byte[] bytes) {
      return "heir " + bytes.length;
    }
  }

  @ServerEndpoint("/overriddenagain")
  public static final class OverriddenAgain extends Base {
    @Override
    @OnOpen
    public void open(Session session) {
      note(session, "open of the heir");
    }

    @Override
    @OnMessage
    public String text(String text) {
      return "heir " + text;
    }
  }

  @ServerEndpoint("/kinds")
  public static final class Kinds extends Hearing {
    @OnMessage
    public ByteBuffer text(Reader reader) throws IOException {
      StringWriter text = new StringWriter();
      reader.transferTo(text);
      return ByteBuffer.wrap(new byte[text.toString().length()]);
    }

    @OnMessage
    public byte[] binary(InputStream stream) throws IOException {
      return stream.readAllBytes();
    }

    @OnMessage
    public String pong(PongMessage pong, Session session) {
      note(session, "pong " + pong.getApplicationData().remaining());
      return "pong";
    }
  }

  @ServerEndpoint("/unread")
  public static final class Unread extends Hearing {
    @OnMessage
    public String text(Reader reader) throws IOException {
      return "first " + (char) reader.read();
    }

    @OnMessage
    public boolean binary(InputStream stream) throws IOException {
      stream.close();
      return true;
    }
  }

  @ServerEndpoint("/failingstreams")
  public static final class FailingStreams extends Hearing {
    @OnMessage
    public String text(Reader reader) throws IOException {
      throw new IOException("of text " + reader.read());
    }

    @OnMessage
    public boolean binary(InputStream stream) {
      throw new IllegalStateException("of a stream");
    }
  }

  @ServerEndpoint("/byteparts")
  public static final class ByteParts extends Hearing {
    @OnMessage
    public byte[] bytes(byte[] part, boolean last, Session session) {
      note(session, "part " + part.length + last);
      return last ? part : null;
    }
  }

  @ServerEndpoint("/nothing")
  public static final class Nothing extends Hearing {
    @OnMessage
    public Void text(String text) {
      return null;
    }
  }

  @ServerEndpoint("/unencodable")
  public static final class Unencodable extends Hearing {
    @OnMessage
    public Object text(String text) {
      return Thread.currentThread();
    }

    @OnMessage
    public Object binary(byte[] bytes) {
      return Thread.currentThread();
    }
  }

  @ServerEndpoint("/params/{c}/{l}/{d}/{s}")
  public static final class Params extends Noting {
    @OnOpen
    public void open(@PathParam("c") char c, @PathParam("l") Long l, Session session) {
      note(session, "open " + c + l);
    }

    @OnMessage
    public String text(
        String text,
        @PathParam("d") double d,
        @PathParam("s") String s,
        @PathParam("l") long l,
        @PathParam("other") String other) {
      return text + d + s + l + other;
    }

    @OnError
    public void failed(Session session, Throwable thrown, @PathParam("s") String s) {
      note(session, "error " + s + " " + thrown.getClass().getSimpleName());
    }

    @Override
    @OnClose
    public void closed(Session session, CloseReason reason) {
      super.closed(session, reason);
    }
  }

  @ServerEndpoint("/paramnone")
  public static final class ParamNone extends Hearing {
    @OnMessage
    public String text(String text, @PathParam("none") int none) {
      return text + none;
    }
  }

  @ServerEndpoint("/closeinopen")
  public static final class CloseInOpen extends Hearing {
    @OnOpen
    public void open(Session session) throws IOException {
      session.close(new CloseReason(CloseCodes.GOING_AWAY, "not now"));
    }

    @OnMessage
    public String text(String text) {
      return text;
    }
  }

  @ServerEndpoint("/closeinmessage")
  public static final class CloseInMessage extends Hearing {
    @OnMessage
    public String text(String text, Session session) throws IOException {
      session.close();
      return text;
    }

    @OnMessage
    public void binary(byte[] bytes, Session session) throws IOException {
      session.close();
      throw new IllegalStateException("after its close");
    }
  }

  @ServerEndpoint("/closeinclose")
  public static final class CloseInClose extends Hearing {
    @Override
    @OnClose
    public void closed(Session session, CloseReason reason) {
      attempt(session, "close", session::close);
      attempt(session, "text", () -> session.getBasicRemote().sendText("late"));
      attempt(session, "buffer", () -> session.setMaxTextMessageBufferSize(10));
      attempt(session, "handlers", session::getMessageHandlers);
      attempt(session, "id", session::getId);
      super.closed(session, reason);
    }
  }

  @ServerEndpoint("/closeinerror")
  public static final class CloseInError extends Noting {
    @OnMessage
    public String text(String text) {
      throw new IllegalStateException("no");
    }

    @OnError
    public void failed(Session session, Throwable thrown) throws IOException {
      session.close(new CloseReason(CloseCodes.UNEXPECTED_CONDITION, "own"));
    }
  }

  @ServerEndpoint("/unmade")
  public static final class Unmade extends Hearing {
    public Unmade() {
      throw new IllegalStateException("can't be made");
    }
  }

  /** Notes which configuration it is given. */
  public static final class Configurator extends ServerEndpointConfig.Configurator {
    @Override
    public void modifyHandshake(
        ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
      config.getUserProperties().put("handshake", tell(config));
    }
  }

  /** All that a configuration tells. */
  static String tell(ServerEndpointConfig config) {
    return config.getEndpointClass().getSimpleName()
        + config.getDecoders()
        + config.getEncoders()
        + config.getPath()
        + config.getSubprotocols()
        + config.getConfigurator().getClass().getSimpleName();
  }

  @ServerEndpoint(
      value = "/configured",
      configurator = Configurator.class,
      decoders = Willing.class,
      encoders = Writing.class)
  public static final class Configured extends Hearing {
    @OnOpen
    public void open(Session session, EndpointConfig config) {
      note(session, "config " + tell((ServerEndpointConfig) config));
      note(session, "handshake " + config.getUserProperties().get("handshake"));
      note(session, "session's " + session.getUserProperties().get("handshake"));
    }

    @OnMessage
    public String text(String text) {
      return text;
    }
  }

  /** Takes text. */
  public static final class Texts implements MessageHandler.Whole<String> {
    private final Session session;

    Texts(Session session) {
      this.session = session;
    }

    @Override
    public void onMessage(String text) {
      attempt(session, text, () -> session.getBasicRemote().sendText("whole " + text));
    }
  }

  /** Takes parts of what its heirs say. */
  public abstract static class Taking<A, T> implements MessageHandler.Partial<T> {}

  /** Takes parts of binary messages. */
  public static final class Parts extends Taking<String, byte[]> {
    private final Session session;

    Parts(Session session) {
      this.session = session;
    }

    @Override
    public void onMessage(byte[] part, boolean last) {
      attempt(session, last, () -> session.getBasicRemote().sendText("part " + part.length + last));
    }
  }

  /** Programmatic ones. */
  static List<ServerEndpointConfig> programmatic() {
    return List.of(
        TransparentEndpoints.at("/classes", StrangerEndpoints::classes),
        TransparentEndpoints.at("/nohandlers", session -> {}),
        TransparentEndpoints.at(
            "/binaryonly",
            session ->
                session.addMessageHandler(
                    ByteBuffer.class,
                    (MessageHandler.Whole<ByteBuffer>)
                        bytes -> note(session, "bytes " + bytes.remaining()))),
        TransparentEndpoints.at("/late", StrangerEndpoints::late));
  }

  private static void classes(Session session) {
    session.addMessageHandler(new Texts(session));
    session.addMessageHandler(new Parts(session));
    attempt(session, "again", () -> session.addMessageHandler(new Texts(session)));
    attempt(session, "pong", () -> session.addMessageHandler(PongMessage.class, pong -> {}));
    attempt(session, "pong", () -> session.addMessageHandler(PongMessage.class, pong -> {}));
    note(session, "handlers " + session.getMessageHandlers().size());
    MessageHandler.Whole<String> lambda = text -> {};
    attempt(session, "lambda", () -> session.addMessageHandler(lambda));
  }

  /** Adds a handler of text only once a binary message has come. */
  private static void late(Session session) {
    session.addMessageHandler(
        byte[].class,
        (MessageHandler.Whole<byte[]>)
            bytes ->
                attempt(session, "texts", () -> session.addMessageHandler(new Texts(session))));
  }
}
