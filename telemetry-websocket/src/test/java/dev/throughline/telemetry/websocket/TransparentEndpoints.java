// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.websocket;

import jakarta.websocket.CloseReason;
import jakarta.websocket.CloseReason.CloseCodes;
import jakarta.websocket.EncodeException;
import jakarta.websocket.Encoder;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Extension;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.OnClose;
import jakarta.websocket.OnError;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.PongMessage;
import jakarta.websocket.RemoteEndpoint;
import jakarta.websocket.SendHandler;
import jakarta.websocket.Session;
import jakarta.websocket.server.PathParam;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The endpoints of {@link ServerTransparencyKit}, which note what they are told. */
public final class TransparentEndpoints {

  private static final AtomicInteger IDS = new AtomicInteger();
  private static final Map<String, BlockingQueue<String>> CALLS = new ConcurrentHashMap<>();

  private TransparentEndpoints() {}

  /** Begins a scenario; its id goes into the query. */
  static String begin() {
    String id = Integer.toString(IDS.incrementAndGet());
    CALLS.put("id=" + id, new LinkedBlockingQueue<>());
    return id;
  }

  static BlockingQueue<String> calls(String id) {
    return CALLS.get("id=" + id);
  }

  static void note(Session session, String call) {
    CALLS.get(session.getQueryString()).add(call);
  }

  /** An exception, and what it is of. */
  static String tell(Throwable thrown) {
    Throwable cause = thrown.getCause();
    return thrown.getClass().getSimpleName()
        + " "
        + thrown.getMessage()
        + (cause == null || cause == thrown ? "" : " of " + cause.getClass().getSimpleName());
  }

  /** Notes its end. */
  public abstract static class Noting {
    @OnClose
    public void closed(Session session, CloseReason reason) {
      note(session, "close " + reason.getCloseCode().getCode() + " " + reason.getReasonPhrase());
    }
  }

  /** Notes errors as well. */
  public abstract static class Hearing extends Noting {
    @OnError
    public void failed(Session session, Throwable thrown) throws IOException {
      note(session, "error " + tell(thrown));
    }
  }

  @ServerEndpoint(
      value = "/sizes",
      subprotocols = {"rfb", "chat"})
  public static final class Sizes extends Hearing {
    @OnMessage(maxMessageSize = 1024)
    public String text(String text, Session session) {
      note(session, "text " + text.length());
      return "text " + text.length();
    }

    @OnMessage(maxMessageSize = 400_000)
    public byte[] binary(byte[] bytes, Session session) {
      note(session, "binary " + bytes.length);
      return bytes;
    }
  }

  @ServerEndpoint("/sizes2")
  public static final class Sizes2 extends Noting {
    @OnMessage(maxMessageSize = 400_000)
    public String text(String text) {
      return "text " + text.length();
    }

    @OnMessage(maxMessageSize = 1024)
    public ByteBuffer binary(ByteBuffer bytes) {
      return bytes;
    }
  }

  @ServerEndpoint("/defaults")
  public static final class Defaults extends Hearing {
    @OnMessage
    public int text(String text) {
      return text.length();
    }

    @OnMessage(maxMessageSize = 100)
    public boolean binary(byte[] bytes) {
      return bytes.length > 0;
    }
  }

  @ServerEndpoint("/limitedparts")
  public static final class LimitedParts extends Noting {
    @OnMessage(maxMessageSize = 10)
    public String text(String part, boolean last) {
      return last ? "text" : null;
    }

    @OnMessage(maxMessageSize = 10)
    public String binary(ByteBuffer part, boolean last) {
      return last ? "binary" : null;
    }
  }

  @ServerEndpoint("/limitedstreams")
  public static final class LimitedStreams extends Noting {
    @OnMessage(maxMessageSize = 10)
    public int text(Reader text) throws IOException {
      return (int) text.transferTo(new StringWriter());
    }

    @OnMessage(maxMessageSize = 10)
    public int binary(InputStream bytes) throws IOException {
      return bytes.readAllBytes().length;
    }
  }

  @ServerEndpoint(
      value = "/limitedobjects",
      decoders = Point.Coder.class,
      encoders = Point.Coder.class)
  public static final class LimitedObjects extends Noting {
    @OnMessage(maxMessageSize = 10)
    public Point point(Point point) {
      return new Point(point.y(), point.x());
    }
  }

  @ServerEndpoint("/limitedvalue")
  public static final class LimitedValue extends Noting {
    @OnMessage(maxMessageSize = 4)
    public long text(long value) {
      return value + 1;
    }
  }

  /** Throws what it is told. */
  public abstract static class Throwing extends Noting {
    @OnMessage
    public String text(String text, Session session) throws Exception {
      session.getUserProperties().put("text", text);
      switch (text) {
        case "runtime", "throw in error" -> throw new IllegalStateException("no");
        case "checked" -> throw new IOException("checked");
        case "linkage" -> throw new NoClassDefFoundError("some/Class");
        case "assertion" -> throw new AssertionError("assertion");
        default -> {
          return text;
        }
      }
    }

    @OnMessage
    public void binary(ByteBuffer bytes) {
      throw new IllegalArgumentException("binary");
    }

    @OnMessage
    public void pong(PongMessage pong) {
      throw new UnsupportedOperationException("pong");
    }
  }

  @ServerEndpoint("/throwing")
  public static final class ThrowingAndHearing extends Throwing {
    @OnError
    public void failed(Session session, Throwable thrown) throws IOException {
      note(session, "error " + tell(thrown) + " " + session.isOpen());
      if ("throw in error".equals(session.getUserProperties().get("text"))) {
        throw new IllegalStateException("in error");
      }
    }

    @Override
    @OnClose
    public void closed(Session session, CloseReason reason) {
      super.closed(session, reason);
      if ("throw when closing".equals(session.getUserProperties().get("text"))) {
        throw new IllegalStateException("in close");
      }
    }
  }

  @ServerEndpoint("/unheard")
  public static final class Unheard extends Throwing {}

  @ServerEndpoint("/throwingparts")
  public static final class ThrowingParts extends Hearing {
    @OnMessage
    public String text(String part, boolean last) {
      if (part.equals("throw")) {
        throw new IllegalStateException("part");
      }
      return part;
    }

    @OnMessage
    public String binary(ByteBuffer part, boolean last) {
      throw new IllegalStateException("binary part");
    }
  }

  @ServerEndpoint("/throwinopen")
  public static final class ThrowInOpen extends Hearing {
    @OnOpen
    public void open(Session session) {
      note(session, "open");
      throw new IllegalStateException("in open");
    }

    @OnMessage
    public String text(String text) {
      return text;
    }
  }

  @ServerEndpoint("/throwinopenunheard")
  public static final class ThrowInOpenUnheard extends Noting {
    @OnOpen
    public void open(Session session) throws IOException {
      throw new IOException("in open");
    }

    @OnMessage
    public String text(String text) {
      return text;
    }
  }

  @ServerEndpoint("/paths/{number}/{name}/{flag}")
  public static final class Paths extends Hearing {
    @OnOpen
    public void open(Session session, EndpointConfig config, @PathParam("name") String name) {
      note(session, "open " + name + (config instanceof ServerEndpointConfig));
    }

    @OnMessage
    public String text(
        @PathParam("number") int number,
        String text,
        @PathParam("name") String name,
        @PathParam("flag") Boolean flag) {
      return number + text + name + flag;
    }
  }

  @ServerEndpoint("/pathsboolean/{name}")
  public static final class PathsBoolean extends Hearing {
    @OnMessage
    public String text(boolean value, @PathParam("name") String name) {
      return name + value;
    }
  }

  @ServerEndpoint("/values")
  public static final class Values extends Hearing {
    @OnMessage
    public double text(int value) {
      return value;
    }
  }

  @ServerEndpoint(value = "/objects", decoders = Point.Coder.class, encoders = Point.Coder.class)
  public static final class Objects extends Hearing {
    @OnMessage
    public Point point(Point point, Session session) {
      note(session, "point " + point);
      return new Point(point.y(), point.x());
    }

    @OnMessage
    public Character binary(byte[] bytes) {
      return 'c';
    }
  }

  @ServerEndpoint("/sendobjects")
  public static final class SendObjects extends Hearing {
    @OnMessage
    public void text(String text, Session session) {
      List<Object> objects =
          List.of(7, "str", ByteBuffer.wrap(new byte[3]), new byte[2], 'x', true, new Point(1, 2));
      for (Object object : objects) {
        attempt(session, object, () -> session.getBasicRemote().sendObject(object));
      }
    }
  }

  /** Something that may throw. */
  interface Attempt {
    void run() throws Exception;
  }

  static void attempt(Session session, Object of, Attempt attempt) {
    String kind = of == null ? "null" : of.getClass().getSimpleName();
    try {
      attempt.run();
      note(session, "did " + kind);
    } catch (Exception e) {
      note(session, "threw " + kind + " " + e.getClass().getSimpleName());
    }
  }

  /** An encoder that never can. */
  public static final class Unable implements Encoder.Text<Point> {
    @Override
    public String encode(Point point) throws EncodeException {
      throw new EncodeException(point, "unable");
    }
  }

  @ServerEndpoint(value = "/unencoded", decoders = Point.Coder.class, encoders = Unable.class)
  public static final class Unencoded extends Hearing {
    @OnMessage
    public Point point(Point point) {
      return point;
    }
  }

  /** Takes messages of a type that its heirs know. */
  public abstract static class Taking<T> extends Hearing {
    public abstract String take(T message, Session session);

    @OnMessage
    public String binary(byte[] bytes) {
      return "of the base " + bytes.length;
    }
  }

  @ServerEndpoint("/inherited")
  public static final class Inherited extends Taking<String> {
    @Override
    @OnMessage
    public String take(String message, Session session) {
      note(session, "take " + message);
      return "of the heir " + message;
    }

    /** An overload without annotation. */
    public String take(StringBuilder message) {
      throw new IllegalStateException(message.toString());
    }
  }

  @ServerEndpoint("/sends")
  public static final class Sends extends Hearing {
    @OnMessage
    public void text(String text, Session session) throws Exception {
      RemoteEndpoint.Basic basic = session.getBasicRemote();
      basic.sendText("one ", false);
      attempt(session, "whole within parts", () -> basic.sendText("refused?"));
      basic.sendText("message", true);
      basic.sendBinary(ByteBuffer.allocate(2), false);
      basic.sendBinary(ByteBuffer.allocate(0), false);
      basic.sendBinary(ByteBuffer.allocate(3), true);
      try (Writer writer = basic.getSendWriter()) {
        writer.write("written ");
        writer.append('t').append("wice");
      }
      try (OutputStream stream = basic.getSendStream()) {
        stream.write(1);
        stream.write(new byte[4]);
      }
      basic.sendPing(ByteBuffer.wrap(new byte[] {'p'}));
      basic.sendPong(ByteBuffer.wrap(new byte[] {'q'}));
      attempt(session, null, () -> basic.sendText(null));
      attempt(session, null, () -> basic.sendText(null, true));
      attempt(session, null, () -> basic.sendBinary(null));
      attempt(session, null, () -> basic.sendBinary(null, true));
      attempt(session, null, () -> basic.sendObject(null));
      async(session);
    }

    private static void async(Session session) throws Exception {
      RemoteEndpoint.Async async = session.getAsyncRemote();
      note(session, "future " + async.sendText("async").get(20, TimeUnit.SECONDS));
      note(session, "future " + async.sendBinary(ByteBuffer.allocate(9)).get(20, TimeUnit.SECONDS));
      note(session, "future " + async.sendObject(12).get(20, TimeUnit.SECONDS));
      BlockingQueue<String> results = new LinkedBlockingQueue<>();
      SendHandler handler = result -> results.add(result.isOK() + " " + result.getException());
      async.sendText("handled", handler);
      note(session, "handled " + results.poll(20, TimeUnit.SECONDS));
      async.sendBinary(ByteBuffer.allocate(8), handler);
      note(session, "handled " + results.poll(20, TimeUnit.SECONDS));
      async.sendObject(13, handler);
      note(session, "handled " + results.poll(20, TimeUnit.SECONDS));
      attempt(session, null, () -> async.sendText(null));
      attempt(session, null, () -> async.sendText(null, handler));
      attempt(session, null, () -> async.sendText("no handler", null));
      attempt(session, null, () -> async.sendBinary(null, handler));
      attempt(session, null, () -> async.sendObject(null));
      attempt(session, null, () -> async.sendObject(null, handler));
      attempt(session, "unknown", () -> future(session, async.sendObject(new Point(1, 2))));
    }
  }

  private static void future(Session session, java.util.concurrent.Future<Void> future)
      throws Exception {
    try {
      note(session, "future " + future.get(20, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      note(session, "future failed " + e.getCause().getClass().getSimpleName());
    }
  }

  @ServerEndpoint(
      value = "/session",
      subprotocols = {"rfb", "chat"})
  public static final class Sessions extends Hearing {
    @OnOpen
    public void open(Session session, EndpointConfig config) {
      note(
          session,
          "config "
              + config.getUserProperties().keySet().stream()
                  .filter(key -> key.startsWith("dev.") && !key.equals(Endpoints.SESSION))
                  .toList());
    }

    @OnMessage
    public void text(String text, Session session) throws IOException {
      note(session, "version " + session.getProtocolVersion());
      note(session, "protocol " + session.getNegotiatedSubprotocol());
      note(
          session,
          "extensions "
              + session.getNegotiatedExtensions().stream().map(Extension::getName).toList());
      note(session, "uri " + session.getRequestURI().getPath());
      note(session, "parameters " + session.getRequestParameterMap().keySet());
      note(session, "path " + session.getPathParameters());
      note(session, "secure " + session.isSecure() + " open " + session.isOpen());
      note(session, "idle " + session.getMaxIdleTimeout());
      note(session, "principal " + session.getUserPrincipal());
      note(
          session,
          "buffers "
              + session.getMaxTextMessageBufferSize()
              + " "
              + session.getMaxBinaryMessageBufferSize());
      session.setMaxTextMessageBufferSize(9_000);
      session.setMaxIdleTimeout(70_000);
      note(session, "set " + session.getMaxTextMessageBufferSize() + session.getMaxIdleTimeout());
      session.getUserProperties().put("mine", 1);
      Map<String, Object> properties = new TreeMap<>(session.getUserProperties());
      properties.keySet().removeIf(key -> !key.equals("mine") && !key.startsWith("dev."));
      properties.remove(Endpoints.SESSION);
      note(session, "properties " + properties);
      note(session, "container " + session.getContainer().getDefaultMaxTextMessageBufferSize());
      note(session, "itself " + session.getOpenSessions().contains(session));
      note(session, "batching " + session.getBasicRemote().getBatchingAllowed());
      note(session, "timeout " + session.getAsyncRemote().getSendTimeout());
    }
  }

  @ServerEndpoint("/idle")
  public static final class Idle extends Noting {
    @OnOpen
    public void open(Session session) {
      session.setMaxIdleTimeout(300);
    }

    @OnMessage
    public void text(String text) {}
  }

  @ServerEndpoint("/closes")
  public static final class Closes extends Hearing {
    @OnMessage
    public void text(String text, Session session) throws IOException {
      session.close(new CloseReason(CloseCodes.getCloseCode(4001), "enough"));
      note(session, "open " + session.isOpen());
      attempt(session, "text", () -> session.getBasicRemote().sendText("late"));
      attempt(session, "part", () -> session.getBasicRemote().sendText("late", true));
      attempt(session, "binary", () -> session.getBasicRemote().sendBinary(ByteBuffer.allocate(1)));
      attempt(session, "object", () -> session.getBasicRemote().sendObject(1));
      attempt(session, "writer", () -> session.getBasicRemote().getSendWriter().close());
      attempt(session, "ping", () -> session.getBasicRemote().sendPing(ByteBuffer.allocate(1)));
      attempt(session, "future", () -> future(session, session.getAsyncRemote().sendText("late")));
      attempt(
          session,
          "handled",
          () ->
              session
                  .getAsyncRemote()
                  .sendText("late", result -> note(session, "result " + result.isOK())));
      attempt(session, "close", session::close);
      attempt(session, "handler", () -> session.addMessageHandler(PongMessage.class, pong -> {}));
    }
  }

  @ServerEndpoint("/nobody")
  public static final class Nobody extends Hearing {
    @OnOpen
    public void open(Session session) {
      note(session, "handlers " + session.getMessageHandlers().size());
    }
  }

  @ServerEndpoint("/parts")
  public static final class Parts extends Hearing {

    private final StringBuilder whole = new StringBuilder();
    private int bytes;

    @OnMessage
    public String text(@PathParam("none") String none, Session session, String part, boolean last) {
      whole.append(part);
      return last ? none + whole : null;
    }

    @OnMessage
    public Integer binary(boolean last, ByteBuffer part) {
      bytes += part.remaining();
      return last ? bytes : null;
    }
  }

  /** Programmatic endpoints, which one class is. */
  static List<ServerEndpointConfig> programmatic() {
    return List.of(
        at("/programmatic", TransparentEndpoints::whole),
        at("/programmaticparts", TransparentEndpoints::parts),
        at("/programmaticobjects", TransparentEndpoints::objects),
        at("/programmaticstreams", TransparentEndpoints::streams),
        at(
            "/programmaticopen",
            session -> {
              session.addMessageHandler(
                  String.class, (MessageHandler.Whole<String>) text -> send(session, text));
              throw new IllegalStateException("in open");
            }),
        at(
            "/programmaticclose",
            session -> session.getUserProperties().put("text", "throw when closing")),
        at("/programmatichandlers", TransparentEndpoints::handlers));
  }

  static ServerEndpointConfig at(String path, java.util.function.Consumer<Session> onOpen) {
    return ServerEndpointConfig.Builder.create(Programmatic.class, path)
        .decoders(List.of(Point.Coder.class))
        .encoders(List.of(Point.Coder.class))
        .configurator(
            new ServerEndpointConfig.Configurator() {
              @Override
              public <T> T getEndpointInstance(Class<T> type) {
                return type.cast(new Programmatic(onOpen));
              }
            })
        .build();
  }

  /** Public and with such a constructor, as Jetty wants it. */
  public static final class Programmatic extends Endpoint {

    private final java.util.function.Consumer<Session> onOpen;

    public Programmatic() {
      throw new IllegalStateException("made by the configurator");
    }

    Programmatic(java.util.function.Consumer<Session> onOpen) {
      this.onOpen = onOpen;
    }

    @Override
    public void onOpen(Session session, EndpointConfig config) {
      onOpen.accept(session);
    }

    @Override
    public void onError(Session session, Throwable thrown) {
      note(session, "error " + tell(thrown));
    }

    @Override
    public void onClose(Session session, CloseReason reason) {
      note(session, "close " + reason.getCloseCode().getCode() + " " + reason.getReasonPhrase());
      if ("throw when closing".equals(session.getUserProperties().get("text"))) {
        throw new IllegalStateException("in close");
      }
    }
  }

  private static void send(Session session, String text) {
    try {
      session.getBasicRemote().sendText(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void refuse(String text) {
    if (text.equals("throw")) {
      throw new IllegalStateException("in the handler");
    }
  }

  private static void whole(Session session) {
    session.addMessageHandler(
        String.class,
        (MessageHandler.Whole<String>)
            text -> {
              refuse(text);
              send(session, text);
            });
    session.addMessageHandler(
        byte[].class,
        (MessageHandler.Whole<byte[]>)
            bytes -> {
              refuse(bytes.length == 666 ? "throw" : "");
              send(session, "bytes " + bytes.length);
            });
    session.addMessageHandler(
        PongMessage.class,
        (MessageHandler.Whole<PongMessage>)
            pong -> {
              refuse(pong.getApplicationData().remaining() == 5 ? "throw" : "");
              send(session, "pong " + pong.getApplicationData().remaining());
            });
  }

  private static void parts(Session session) {
    session.addMessageHandler(
        String.class,
        (MessageHandler.Partial<String>)
            (part, last) -> {
              refuse(part);
              send(session, part + last);
            });
    session.addMessageHandler(
        ByteBuffer.class,
        (MessageHandler.Partial<ByteBuffer>)
            (part, last) -> send(session, "bytes " + part.remaining() + last));
  }

  private static void objects(Session session) {
    session.addMessageHandler(
        Point.class,
        (MessageHandler.Whole<Point>)
            point -> {
              refuse(point.x() == 0 ? "throw" : "");
              send(session, point.toString());
            });
  }

  private static void streams(Session session) {
    session.addMessageHandler(
        Reader.class,
        (MessageHandler.Whole<Reader>)
            reader -> {
              try {
                StringWriter text = new StringWriter();
                reader.transferTo(text);
                refuse(text.toString());
                send(session, "read " + text);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    session.addMessageHandler(
        InputStream.class,
        (MessageHandler.Whole<InputStream>)
            stream -> {
              try {
                send(session, "read " + stream.readAllBytes().length);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  /** Notes what of its handlers the session takes. */
  private static void handlers(Session session) {
    MessageHandler.Whole<String> first = text -> send(session, "first " + text);
    MessageHandler.Whole<String> second = text -> send(session, "second " + text);
    session.addMessageHandler(String.class, first);
    attempt(session, "twice", () -> session.addMessageHandler(String.class, second));
    note(session, "handlers " + session.getMessageHandlers().contains(first));
    session.removeMessageHandler(first);
    note(session, "handlers " + session.getMessageHandlers().size());
    session.addMessageHandler(String.class, second);
    attempt(
        session,
        "unknown",
        () -> session.addMessageHandler(Thread.class, (MessageHandler.Whole<Thread>) thread -> {}));
    attempt(
        session,
        "unknown part",
        () ->
            session.addMessageHandler(
                Thread.class, (MessageHandler.Partial<Thread>) (thread, last) -> {}));
    attempt(session, "null", () -> session.addMessageHandler(null));
    attempt(
        session,
        "null type",
        () -> session.addMessageHandler(null, (MessageHandler.Whole<String>) text -> {}));
    attempt(
        session,
        "null handler",
        () -> session.addMessageHandler(ByteBuffer.class, (MessageHandler.Whole<ByteBuffer>) null));
    attempt(session, "removed", () -> session.removeMessageHandler(first));
  }
}
