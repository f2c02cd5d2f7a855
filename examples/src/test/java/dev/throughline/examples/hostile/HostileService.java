// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.hostile;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.grpc.GrpcTelemetry;
import dev.throughline.telemetry.http.HttpTelemetry;
import dev.throughline.telemetry.jdbc.JdbcTelemetry;
import dev.throughline.telemetry.logging.LoggingTelemetry;
import dev.throughline.telemetry.metrics.MetricsTelemetry;
import dev.throughline.telemetry.websocket.ContextSource;
import dev.throughline.telemetry.websocket.WebSocketTelemetry;
import io.grpc.HandlerRegistry;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import javax.sql.DataSource;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.ee11.websocket.jakarta.server.config.JakartaWebSocketServletContainerInitializer;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.ServerConnector;
import org.h2.jdbcx.JdbcConnectionPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A service with every adapter, which puts what its clients send into the texts of its queries. It
 * prints the name and the port of each of its servers.
 */
final class HostileService {

  static final String JDK = "jdk";
  static final String JETTY = "jetty";
  static final String TOMCAT = "tomcat";
  static final String WEBSOCKET = "websocket";
  static final String GRPC = "grpc";
  static final String READY = "ready";

  private static final Logger LOGGER = LoggerFactory.getLogger(HostileService.class);
  private static final int LARGEST_HEAD = 256 * 1024;
  private static final MethodDescriptor.Marshaller<byte[]> BYTES = new Bytes();

  // It logs what an application throws, with its stack.
  private static final java.util.logging.Logger CONTAINER =
      java.util.logging.Logger.getLogger("org.apache");

  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          4,
          task -> {
            Thread thread = new Thread(task, "service");
            thread.setDaemon(true);
            return thread;
          });
  private final MetricsTelemetry metrics = MetricsTelemetry.create();
  private final Telemetry telemetry;
  private final HttpTelemetry http;
  private final DataSource database;
  private final HttpClient client;
  private int sink;

  private HostileService(String endpoint) {
    telemetry =
        Telemetry.builder()
            .setServiceName("hostile")
            .ignoreEnvironment()
            .addProperty("otel.exporter.otlp.endpoint", endpoint)
            .addProperty("otel.exporter.otlp.protocol", "http/protobuf")
            .addProperty("otel.metric.export.interval", "5s")
            .addProperty("otel.bsp.schedule.delay", "200")
            .addProperty("telemetry.request.id.header", "X-Request-Id")
            .setMetrics(metrics)
            .build();
    LoggingTelemetry.create(telemetry).install();
    http =
        HttpTelemetry.builder(telemetry)
            .addConnectProcedure("/pkg.Service/Get")
            .addConnectProcedure("/app/pkg.Service/Get")
            .addRoute("/servers/{id}")
            .setCapturedRequestHeaders(List.of("X-Captured"))
            .build();
    database =
        JdbcTelemetry.create(telemetry)
            .wrap(JdbcConnectionPool.create("jdbc:h2:mem:hostile;DB_CLOSE_DELAY=-1", "", ""));
    client = http.wrap(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build());
  }

  /** Runs until it is killed, or its input ends. */
  public static void main(String[] arguments) throws Exception {
    CONTAINER.setLevel(Level.OFF);
    HostileService service = new HostileService(arguments[0]);
    service.startJetty();
    service.startTomcat();
    service.startWebSocket();
    service.startGrpc();
    service.startJdk();
    System.out.println(READY);
    while (System.in.read() >= 0) {
      // The test that started this process is still there.
    }
    System.exit(0);
  }

  private static void say(String server, int port) {
    System.out.println(server + " " + port);
  }

  private void startJdk() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    for (String path : List.of("/", "/forward/")) {
      HttpContext context = server.createContext(path, this::serve);
      http.addTo(context);
    }
    server.createContext("/metrics", metrics.createHttpHandler());
    server.createContext("/heap", exchange -> answer(exchange, String.valueOf(usedHeap())));
    server.start();
    say(JDK, server.getAddress().getPort());
  }

  private void serve(HttpExchange exchange) throws IOException {
    String target = exchange.getRequestURI().toString();
    query(target);
    refuse(target);
    if (target.startsWith("/forward/")) {
      forward(target);
    }
    answer(exchange, "ok");
  }

  private static void answer(HttpExchange exchange, String text) throws IOException {
    byte[] body = text.getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/plain");
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private void forward(String target) throws IOException {
    URI uri = URI.create("http://127.0.0.1:" + sink + "/app/" + URLEncoder.encode(target, UTF_8));
    try {
      client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The bytes in use after a full collection. */
  private static long usedHeap() {
    Runtime runtime = Runtime.getRuntime();
    System.gc();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private HttpServlet servlet() {
    return new HttpServlet() {
      @Override
      protected void service(HttpServletRequest request, HttpServletResponse response)
          throws IOException {
        String target = request.getRequestURI() + "?" + request.getQueryString();
        query(target);
        refuse(target);
        response.setContentType("text/plain");
        response.getWriter().print("ok");
      }
    };
  }

  private void startJetty() throws Exception {
    ServletContextHandler context = new ServletContextHandler("/app");
    context.addServlet(new ServletHolder(servlet()), "/*");
    context.addServletContainerInitializer((classes, servlets) -> http.configure(servlets));
    sink = start(context);
    say(JETTY, sink);
  }

  private static int start(ServletContextHandler context) throws Exception {
    org.eclipse.jetty.server.Server server = new org.eclipse.jetty.server.Server();
    HttpConfiguration configuration = new HttpConfiguration();
    configuration.setRequestHeaderSize(LARGEST_HEAD);
    ServerConnector connector =
        new ServerConnector(server, new HttpConnectionFactory(configuration));
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    return connector.getLocalPort();
  }

  private void startTomcat() throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
    tomcat.setHostname("localhost");
    tomcat.setPort(0);
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    tomcat.getConnector().setProperty("maxHttpRequestHeaderSize", String.valueOf(LARGEST_HEAD));
    StandardContext context = (StandardContext) tomcat.addContext("/app", null);
    Tomcat.addServlet(context, "servlet", servlet());
    context.addServletMapping("/*", "servlet", false);
    context.addServletContainerInitializer(
        (classes, servlets) -> http.configure(servlets), Set.of());
    tomcat.start();
    say(TOMCAT, tomcat.getConnector().getLocalPort());
  }

  private void startWebSocket() throws Exception {
    WebSocketTelemetry webSockets =
        WebSocketTelemetry.builder(telemetry)
            .setMessageSpans((sent, text, bytes) -> true)
            .addContextSource(ContextSource.QUERY)
            .addContextSource(ContextSource.SUB_PROTOCOL)
            .addContextSource(ContextSource.FIRST_MESSAGE)
            .build();
    ServletContextHandler context = new ServletContextHandler("/app");
    ServerEndpointConfig endpoint =
        ServerEndpointConfig.Builder.create(Echo.class, "/ws/{id}")
            .subprotocols(List.of("p"))
            .configurator(
                new ServerEndpointConfig.Configurator() {
                  @Override
                  public <T> T getEndpointInstance(Class<T> type) {
                    return type.cast(new Echo(HostileService.this));
                  }
                })
            .build();
    JakartaWebSocketServletContainerInitializer.configure(
        context,
        (servlets, container) -> {
          container.setDefaultMaxTextMessageBufferSize(2 * LARGEST_HEAD);
          container.setDefaultMaxBinaryMessageBufferSize(2 * LARGEST_HEAD);
          container.addEndpoint(webSockets.wrap(endpoint));
        });
    say(WEBSOCKET, start(context));
  }

  /** Queries with each message, and sends the first of it back. */
  static final class Echo extends Endpoint {

    private static final int LONGEST_ECHO = 1_000;

    private final HostileService service;

    Echo(HostileService service) {
      this.service = service;
    }

    @Override
    public void onOpen(Session session, EndpointConfig config) {
      session.addMessageHandler(
          String.class,
          message -> {
            service.query(message);
            try {
              String echo = message.substring(0, Math.min(LONGEST_ECHO, message.length()));
              session.getBasicRemote().sendText(echo);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
      session.addMessageHandler(
          ByteBuffer.class, message -> service.query("binary " + message.remaining()));
    }
  }

  private void startGrpc() throws IOException {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .maxInboundMetadataSize(LARGEST_HEAD)
            .executor(threads)
            .fallbackHandlerRegistry(new AnyMethod(this));
    GrpcTelemetry.create(telemetry).configure(builder);
    Server server = builder.build().start();
    say(GRPC, server.getPort());
  }

  /** A handler for methods of all names, as a proxy has. */
  private static final class AnyMethod extends HandlerRegistry {

    private final HostileService service;

    AnyMethod(HostileService service) {
      this.service = service;
    }

    @Override
    public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
      MethodDescriptor<byte[], byte[]> method =
          MethodDescriptor.newBuilder(BYTES, BYTES)
              .setType(MethodType.UNARY)
              .setFullMethodName(name)
              .build();
      return ServerMethodDefinition.create(
          method,
          ServerCalls.asyncUnaryCall(
              (request, response) -> {
                service.query(name);
                if (name.startsWith("unknown.")) {
                  response.onError(Status.UNIMPLEMENTED.asException());
                } else {
                  response.onNext(request);
                  response.onCompleted();
                }
              }));
    }
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

    @Override
    public InputStream stream(byte[] bytes) {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Throws what repeats the client's text. */
  private static void refuse(String text) {
    if (text.length() % 7 == 3) {
      throw new IllegalArgumentException("no such thing: " + text);
    }
  }

  /** As no service should: the client's text is a literal here, and a table's name there. */
  private void query(String text) {
    LOGGER.info("serves");
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT '" + text.replace("'", "''") + "'");
      if (text.length() % 4 == 0) {
        statement.execute("SELECT * FROM \"" + text.replace("\"", "\"\"") + "\"");
      }
    } catch (SQLException e) {
      LOGGER.debug("There is no such table", e);
    }
  }
}
