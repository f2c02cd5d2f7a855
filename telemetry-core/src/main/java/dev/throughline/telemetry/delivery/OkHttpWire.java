// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.sdk.common.export.GrpcSenderConfig;
import io.opentelemetry.sdk.common.export.HttpSenderConfig;
import io.opentelemetry.sdk.common.export.ProxyOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.ConnectionSpec;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;

/**
 * OTLP over OkHttp, which OpenTelemetry's own senders use too. Theirs leave Nagle's algorithm on,
 * so that the end of an export waits for a delayed acknowledgement, and keep headers and trailers
 * to themselves.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/otlp/">OTLP</a>
 */
abstract class OkHttpWire implements Wire {

  // What OpenTelemetry's exporters ask for as well.
  private static final long MAX_RESPONSE_BYTES = 4 << 20;
  private static final int HTTP_TOO_MANY_REQUESTS = 429;
  private static final int HTTP_BAD_GATEWAY = 502;
  private static final int HTTP_UNAVAILABLE = 503;
  private static final int HTTP_GATEWAY_TIMEOUT = 504;

  private final Supplier<Map<String, List<String>>> headers;
  private final Object lock = new Object();
  private volatile @Nullable Target target;
  private volatile boolean closed;

  /** Where requests go, and by what. */
  private record Target(OkHttpClient client, HttpUrl url, @Nullable MediaType contentType) {}

  private OkHttpWire(Supplier<Map<String, List<String>>> headers) {
    this.headers = headers;
  }

  static Wire http(HttpSenderConfig config) {
    return new Http(config);
  }

  static Wire grpc(GrpcSenderConfig config) {
    return new Grpc(config);
  }

  /**
   * Made by whoever sends first, which is no thread of the application: to load OkHttp takes a good
   * part of what telemetry would add to the start of a service.
   */
  private Target target() {
    Target made = target;
    if (made == null) {
      synchronized (lock) {
        made = target;
        if (made == null) {
          made = newTarget();
          target = made;
        }
      }
    }
    return made;
  }

  abstract Target newTarget();

  private static OkHttpClient.Builder client(
      HttpUrl url,
      Duration timeout,
      Duration connectTimeout,
      @Nullable SSLContext tls,
      @Nullable X509TrustManager trusted) {
    OkHttpClient.Builder client =
        new OkHttpClient.Builder()
            .socketFactory(new NoDelay())
            .callTimeout(millis(timeout), TimeUnit.MILLISECONDS)
            .connectTimeout(millis(connectTimeout), TimeUnit.MILLISECONDS)
            // The call's own timeout holds for these.
            .readTimeout(0, TimeUnit.MILLISECONDS)
            .writeTimeout(0, TimeUnit.MILLISECONDS)
            // A POST that is redirected becomes a GET, whose page would be taken for an answer.
            .followRedirects(false);
    if (!url.isHttps()) {
      client.connectionSpecs(List.of(ConnectionSpec.CLEARTEXT));
    } else if (tls != null) {
      client.sslSocketFactory(
          tls.getSocketFactory(), trusted == null ? defaultTrustManager() : trusted);
    }
    return client;
  }

  private static int millis(Duration duration) {
    return duration.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) < 0
        ? Math.toIntExact(duration.toMillis())
        : Integer.MAX_VALUE;
  }

  private static X509TrustManager defaultTrustManager() {
    try {
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init((java.security.KeyStore) null);
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509TrustManager x509) {
          return x509;
        }
      }
      throw new IllegalStateException("No default trust manager");
    } catch (java.security.GeneralSecurityException e) {
      throw new IllegalStateException("No default trust manager", e);
    }
  }

  @Override
  public Answer send(Body body) throws IOException {
    Target to = target();
    okhttp3.Request.Builder request = new okhttp3.Request.Builder().url(to.url);
    headers
        .get()
        .forEach((name, values) -> values.forEach(value -> request.addHeader(name, value)));
    addHeaders(request);
    request.post(new Payload(body, to.contentType));
    try (Response response = to.client.newCall(request.build()).execute()) {
      return answer(response);
    }
  }

  abstract void addHeaders(okhttp3.Request.Builder request);

  abstract Answer answer(Response response) throws IOException;

  @Override
  public void close() {
    closed = true;
    Target made = target;
    if (made != null) {
      made.client.dispatcher().cancelAll();
      made.client.connectionPool().evictAll();
    }
  }

  private static byte[] content(Response response) throws IOException {
    BufferedSource source = response.body().source();
    // More than that is no answer of OTLP; what is there is read as far as it makes sense.
    boolean unused = source.request(MAX_RESPONSE_BYTES);
    return source.getBuffer().readByteArray();
  }

  private static boolean isRetryable(int httpStatus) {
    return switch (httpStatus) {
      case HTTP_TOO_MANY_REQUESTS, HTTP_BAD_GATEWAY, HTTP_UNAVAILABLE, HTTP_GATEWAY_TIMEOUT -> true;
      default -> false;
    };
  }

  /** Seconds, or a date; what can't be read says nothing. */
  static long retryAfterNanos(@Nullable String header, Instant now) {
    if (header == null) {
      return 0;
    }
    try {
      return Math.max(0, TimeUnit.SECONDS.toNanos(Long.parseLong(header.trim())));
    } catch (NumberFormatException e) {
      try {
        Instant then =
            ZonedDateTime.parse(header.trim(), DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        return Math.max(0, Duration.between(now, then).toNanos());
      } catch (DateTimeException | ArithmeticException unreadable) {
        return 0;
      }
    }
  }

  private static String status(Response response, String message) {
    String words = message.isEmpty() ? response.message() : message;
    return "HTTP status " + response.code() + (words.isEmpty() ? "" : ", " + words);
  }

  /** OTLP over HTTP. */
  private static final class Http extends OkHttpWire {

    private final HttpSenderConfig config;
    private final @Nullable String encoding;

    Http(HttpSenderConfig config) {
      super(config.getHeadersSupplier());
      this.config = config;
      encoding = config.getCompressor() == null ? null : config.getCompressor().getEncoding();
    }

    @Override
    Target newTarget() {
      HttpUrl url = requireNonNull(HttpUrl.get(config.getEndpoint()));
      OkHttpClient.Builder client =
          client(
              url,
              config.getTimeout(),
              config.getConnectTimeout(),
              config.getSslContext(),
              config.getTrustManager());
      ProxyOptions proxy = config.getProxyOptions();
      if (proxy != null) {
        client.proxySelector(proxy.getProxySelector());
      }
      return new Target(client.build(), url, MediaType.parse(config.getContentType()));
    }

    @Override
    public int prefixLength() {
      return 0;
    }

    @Override
    public void writePrefix(byte[] bytes, int messageLength) {}

    @Override
    void addHeaders(okhttp3.Request.Builder request) {
      if (encoding != null) {
        request.addHeader("Content-Encoding", encoding);
      }
    }

    @Override
    Answer answer(Response response) throws IOException {
      String type = response.header("Content-Type", "");
      boolean isProtobuf = type != null && type.startsWith("application/x-protobuf");
      byte[] content = content(response);
      if (response.isSuccessful()) {
        if (type != null && type.startsWith("text/html")) {
          return Answer.refused("the answer is a page, so the receiver is none of OTLP");
        }
        return Answer.acknowledged(
            isProtobuf ? PartialSuccess.read(content, 0, content.length) : PartialSuccess.NONE);
      }
      String reason = status(response, isProtobuf ? PartialSuccess.statusMessage(content) : "");
      return isRetryable(response.code())
          ? Answer.tryAgain(reason, retryAfterNanos(response.header("Retry-After"), Instant.now()))
          : Answer.refused(reason);
    }
  }

  /** OTLP over gRPC, of which one message in each direction is needed. */
  private static final class Grpc extends OkHttpWire {

    private static final int PREFIX = 5;
    private static final List<String> NAMES =
        List.of(
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED");
    private static final List<String> RETRYABLE =
        List.of(
            "CANCELLED",
            "DEADLINE_EXCEEDED",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNAVAILABLE",
            "DATA_LOSS");

    private final GrpcSenderConfig config;
    private final @Nullable String encoding;

    Grpc(GrpcSenderConfig config) {
      super(config.getHeadersSupplier());
      this.config = config;
      encoding = config.getCompressor() == null ? null : config.getCompressor().getEncoding();
    }

    @Override
    Target newTarget() {
      HttpUrl url =
          requireNonNull(
              HttpUrl.get(config.getEndpoint().resolve("/" + config.getFullMethodName())));
      OkHttpClient.Builder client =
          client(
              url,
              config.getTimeout(),
              config.getConnectTimeout(),
              config.getSslContext(),
              config.getTrustManager());
      client.protocols(
          url.isHttps()
              ? List.of(Protocol.HTTP_2, Protocol.HTTP_1_1)
              : List.of(Protocol.H2_PRIOR_KNOWLEDGE));
      return new Target(client.build(), url, MediaType.parse("application/grpc"));
    }

    @Override
    public int prefixLength() {
      return PREFIX;
    }

    @Override
    public void writePrefix(byte[] bytes, int messageLength) {
      bytes[0] = (byte) (encoding == null ? 0 : 1);
      bytes[1] = (byte) (messageLength >>> 24);
      bytes[2] = (byte) (messageLength >>> 16);
      bytes[3] = (byte) (messageLength >>> 8);
      bytes[4] = (byte) messageLength;
    }

    @Override
    void addHeaders(okhttp3.Request.Builder request) {
      request.addHeader("te", "trailers");
      if (encoding != null) {
        request.addHeader("grpc-encoding", encoding);
      }
    }

    @Override
    Answer answer(Response response) throws IOException {
      // Trailers are there once the content was read.
      byte[] content = content(response);
      String status = field(response, "grpc-status");
      if (status == null) {
        return isRetryable(response.code())
            ? Answer.tryAgain(status(response, ""), 0)
            : Answer.refused(
                status(response, "") + ", without a grpc-status: the receiver speaks no gRPC");
      }
      String name = name(status);
      if (name.equals("OK")) {
        return Answer.acknowledged(
            content.length > PREFIX && content[0] == 0
                ? PartialSuccess.read(content, PREFIX, content.length)
                : PartialSuccess.NONE);
      }
      String message = unescaped(field(response, "grpc-message"));
      String reason = "gRPC status " + name + (message.isEmpty() ? "" : ", " + message);
      long delay = retryDelay(field(response, "grpc-status-details-bin"));
      return RETRYABLE.contains(name) || (name.equals("RESOURCE_EXHAUSTED") && delay >= 0)
          ? Answer.tryAgain(reason, Math.max(0, delay))
          : Answer.refused(reason);
    }

    /** In the headers where there is no message, else in the trailers. */
    private static @Nullable String field(Response response, String name) throws IOException {
      String value = response.header(name);
      return value == null ? response.trailers().get(name) : value;
    }

    private static String name(String status) {
      try {
        int code = Integer.parseInt(status.trim());
        return code >= 0 && code < NAMES.size() ? NAMES.get(code) : status;
      } catch (NumberFormatException e) {
        return status;
      }
    }

    private static long retryDelay(@Nullable String details) {
      if (details == null) {
        return -1;
      }
      try {
        return PartialSuccess.retryDelayNanos(Base64.getDecoder().decode(details.trim()));
      } catch (IllegalArgumentException e) {
        return -1;
      }
    }

    /** Percent-encoded UTF-8. */
    private static String unescaped(@Nullable String message) {
      if (message == null || message.indexOf('%') < 0) {
        return message == null ? "" : message;
      }
      Body bytes = new Body(new byte[message.length()]);
      for (int i = 0; i < message.length(); i++) {
        char c = message.charAt(i);
        int high = c == '%' && i + 2 < message.length() ? digit(message, i + 1) : -1;
        int low = high < 0 ? -1 : digit(message, i + 2);
        if (low >= 0) {
          bytes.write(high << 4 | low);
          i += 2;
        } else {
          bytes.write(c);
        }
      }
      return new String(bytes.bytes(), 0, bytes.length(), StandardCharsets.UTF_8);
    }

    private static int digit(String text, int index) {
      return Character.digit(text.charAt(index), 16);
    }
  }

  private final class Payload extends RequestBody {

    private static final int SEGMENT_BYTES = 8192;

    private final Body body;
    private final @Nullable MediaType type;

    Payload(Body body, @Nullable MediaType type) {
      this.body = body;
      this.type = type;
    }

    @Override
    public @Nullable MediaType contentType() {
      return type;
    }

    @Override
    public long contentLength() {
      return body.length();
    }

    /** OkHttp would send it again by itself, and nobody would count that. */
    @Override
    public boolean isOneShot() {
      return true;
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
      if (closed) {
        // A call that was made, but not known yet, when all calls were broken off.
        throw new IOException("telemetry is closed");
      }
      body.leave();
      // Okio keeps few of its segments for later: all at once would have it make the rest anew.
      for (int from = 0; from < body.length(); from += SEGMENT_BYTES) {
        sink.write(body.bytes(), from, Math.min(SEGMENT_BYTES, body.length() - from));
      }
    }
  }

  private static final class NoDelay extends SocketFactory {

    @Override
    public Socket createSocket() throws IOException {
      return noDelay(new MarkedSocket());
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
      return noDelay(new Socket(host, port));
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort)
        throws IOException {
      return noDelay(new Socket(host, port, local, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
      return noDelay(new Socket(host, port));
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort)
        throws IOException {
      return noDelay(new Socket(host, port, local, localPort));
    }

    private static Socket noDelay(Socket socket) throws IOException {
      socket.setTcpNoDelay(true);
      return socket;
    }
  }

  /**
   * OkHttp connects on threads of its own, which don't know that they send telemetry, and
   * connecting asks the service's proxy selector.
   */
  private static final class MarkedSocket extends Socket {

    @Override
    public void connect(SocketAddress address, int timeout) throws IOException {
      AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
      Suppression.run(
          () -> {
            try {
              super.connect(address, timeout);
            } catch (IOException e) {
              failure.set(e);
            }
          });
      IOException thrown = failure.get();
      if (thrown != null) {
        throw thrown;
      }
    }
  }
}
