// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.delivery;

import static java.util.Objects.requireNonNull;

import dev.throughline.telemetry.delivery.Answer.Cause;
import dev.throughline.telemetry.internals.Suppression;
import dev.throughline.telemetry.settings.Secrets;
import io.opentelemetry.sdk.common.export.GrpcSenderConfig;
import io.opentelemetry.sdk.common.export.HttpSenderConfig;
import io.opentelemetry.sdk.common.export.ProxyOptions;
import java.io.IOException;
import java.io.InterruptedIOException;
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
import java.util.regex.Pattern;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.ConnectionSpec;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;

/**
 * An exporter's way to its receiver: OTLP over OkHttp, which OpenTelemetry's own senders use too.
 * Theirs leave Nagle's algorithm on, so that the end of an export waits for a delayed
 * acknowledgement, and keep headers and trailers to themselves.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/otlp/">OTLP</a>
 */
abstract class Wire {

  // The bound of OpenTelemetry's exporters.
  private static final long MAX_RESPONSE_BYTES = 4 << 20;
  private static final String RETRY_AFTER = "Retry-After";
  private static final String KEPT_RETRY_AFTER = "throughline-retry-after";
  private static final int HTTP_UNAUTHORIZED = 401;
  private static final int HTTP_FORBIDDEN = 403;
  private static final int HTTP_NOT_FOUND = 404;
  private static final int HTTP_NOT_ALLOWED = 405;
  private static final int HTTP_PROXY_AUTHENTICATION = 407;
  private static final int HTTP_TOO_LARGE = 413;
  private static final int HTTP_TOO_MANY_REQUESTS = 429;
  private static final int HTTP_BAD_GATEWAY = 502;
  private static final int HTTP_UNAVAILABLE = 503;
  private static final int HTTP_GATEWAY_TIMEOUT = 504;

  private final Receiver receiver;
  private final Encoding encoding;
  private final Duration timeout;
  private final Supplier<Map<String, List<String>>> headers;
  private final Object lock = new Object();
  private volatile @Nullable Target target;
  private volatile boolean closed;
  // Those of the headers that were sent last, the longest first.
  private volatile List<String> secrets = List.of();
  private volatile Map<String, List<String>> secretsOf = Map.of();

  /** Where requests go, and by what. */
  private record Target(OkHttpClient client, HttpUrl url, @Nullable MediaType contentType) {}

  private Wire(
      Receiver receiver,
      Encoding encoding,
      Duration timeout,
      Supplier<Map<String, List<String>>> headers) {
    this.receiver = receiver;
    this.encoding = encoding;
    this.timeout = timeout;
    this.headers = headers;
  }

  Receiver receiver() {
    return receiver;
  }

  /** How long an answer may take. */
  Duration timeout() {
    return timeout;
  }

  Encoding encoding() {
    return encoding;
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

  OkHttpClient.Builder client(HttpUrl url, Duration connectTimeout) {
    SSLContext tls = receiver.tls();
    X509TrustManager trusted = receiver.trusted();
    OkHttpClient.Builder client =
        new OkHttpClient.Builder()
            .socketFactory(new NoDelay())
            .addNetworkInterceptor(Wire::keepRetryAfter)
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

  /** Out of the sight of OkHttp, which takes it for an int, and throws if it is none. */
  private static Response keepRetryAfter(Interceptor.Chain chain) throws IOException {
    Response response = chain.proceed(chain.request());
    List<String> values = response.headers(RETRY_AFTER);
    if (values.isEmpty()) {
      return response;
    }
    Response.Builder kept = response.newBuilder().removeHeader(RETRY_AFTER);
    values.forEach(value -> kept.addHeader(KEPT_RETRY_AFTER, value));
    return kept.build();
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

  /**
   * Sends messages once, in one request, and waits for the answer. They are not compressed if there
   * are several: one behind the other they are one message, which has all that they have.
   */
  Answer send(List<Body> bodies) {
    Answer answer;
    try {
      answer = exchange(bodies);
    } catch (IOException e) {
      answer = Answer.noAnswer(words(e), isAnyLeaving(bodies), e);
    } catch (RuntimeException e) {
      // OkHttp's, or of the application's supplier of headers: the receiver did not say no.
      answer = Answer.broken(e, isAnyLeaving(bodies));
    } finally {
      if (closed) {
        // Connections that were busy when it was closed stay open for minutes otherwise.
        evict();
      }
    }
    return answer.reason() == null ? answer : answer.printable(this::masked);
  }

  private static boolean isAnyLeaving(List<Body> bodies) {
    return bodies.stream().anyMatch(Body::isLeaving);
  }

  /** A text that may have come from a receiver, fit for the log. */
  String printable(String text) {
    return Answer.printable(masked(text));
  }

  /** Without what is secret in the endpoint, and in the headers as they were sent last. */
  private String masked(String text) {
    String masked = text;
    for (String secret : secrets) {
      masked = masked.replace(secret, Secrets.MASK);
    }
    return masked;
  }

  private String words(IOException e) {
    if (e instanceof InterruptedIOException) {
      return "no answer within " + timeout.toMillis() + " ms";
    }
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private Answer exchange(List<Body> bodies) throws IOException {
    Target to = target();
    okhttp3.Request.Builder request = new okhttp3.Request.Builder().url(to.url);
    Map<String, List<String>> values = headers.get();
    if (!values.equals(secretsOf)) {
      secrets = Secrets.of(receiver.endpoint(), values);
      secretsOf = values;
    }
    values.forEach((name, all) -> all.forEach(value -> request.addHeader(name, value)));
    addHeaders(request, encoding.name());
    request.post(new Payload(bodies, to.contentType));
    try (Response response = to.client.newCall(request.build()).execute()) {
      return answer(response);
    }
  }

  abstract void addHeaders(okhttp3.Request.Builder request, @Nullable String compression);

  abstract Answer answer(Response response) throws IOException;

  /** Breaks off what is being sent, and lets the connections go. */
  void close() {
    closed = true;
    Target made = target;
    if (made != null) {
      made.client.dispatcher().cancelAll();
      evict();
    }
  }

  private void evict() {
    Target made = target;
    if (made != null) {
      made.client.connectionPool().evictAll();
    }
  }

  private static byte[] content(Response response) throws IOException {
    BufferedSource source = response.body().source();
    // More than that is no answer of OTLP; what is there is read as far as it makes sense.
    boolean unused = source.request(MAX_RESPONSE_BYTES);
    return source.getBuffer().readByteArray();
  }

  /**
   * The answer that a status of HTTP stands for, 2xx apart.
   *
   * @param message what the receiver says beside it; empty if nothing
   * @param more what is wrong beside it; empty if nothing
   */
  static Answer refusal(Response response, String message, String more) {
    String brief = phrase(response, message) + more;
    String reason = phrase(response, message.isEmpty() ? response.message() : message) + more;
    return switch (response.code()) {
      case HTTP_TOO_MANY_REQUESTS, HTTP_BAD_GATEWAY, HTTP_UNAVAILABLE, HTTP_GATEWAY_TIMEOUT ->
          Answer.tryAgain(
              reason, brief, retryAfterNanos(response.headers(KEPT_RETRY_AFTER), Instant.now()));
      case HTTP_UNAUTHORIZED, HTTP_FORBIDDEN ->
          Answer.refused(Cause.NOT_AUTHENTICATED, reason, brief);
      case HTTP_NOT_FOUND, HTTP_NOT_ALLOWED -> Answer.refused(Cause.NOT_TAKEN_THERE, reason, brief);
      case HTTP_PROXY_AUTHENTICATION -> Answer.refused(Cause.PROXY_REFUSES, reason, brief);
      case HTTP_TOO_LARGE -> Answer.refused(Cause.TOO_LARGE, reason, brief);
      default ->
          response.isRedirect()
              ? Answer.refused(
                  Cause.REDIRECTED, reason + redirection(response), brief + redirection(response))
              : Answer.refused(Cause.OTHER, reason, brief);
    };
  }

  /** Where to, without what may be secret there. */
  private static String redirection(Response response) {
    String location = response.header("Location");
    HttpUrl to = location == null ? null : response.request().url().resolve(location);
    return to == null
        ? ""
        : " to " + to.newBuilder().username("").password("").query(null).fragment(null).build();
  }

  private static String phrase(Response response, String words) {
    return "HTTP status " + response.code() + (words.isEmpty() ? "" : ", " + words);
  }

  /**
   * By the first that asks for any; seconds, or a date. A value that can't be read says nothing.
   */
  static long retryAfterNanos(List<String> values, Instant now) {
    return values.stream()
        .mapToLong(value -> retryAfterNanos(value, now))
        .filter(nanos -> nanos > 0)
        .findFirst()
        .orElse(0);
  }

  private static long retryAfterNanos(String header, Instant now) {
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

  /** OTLP over HTTP. */
  private static final class Http extends Wire {

    private final HttpSenderConfig config;

    Http(HttpSenderConfig config) {
      super(
          new Receiver(
              config.getEndpoint(), false, config.getSslContext(), config.getTrustManager()),
          new Encoding(false, config.getCompressor()),
          config.getTimeout(),
          config.getHeadersSupplier());
      this.config = config;
    }

    @Override
    Target newTarget() {
      HttpUrl url = requireNonNull(HttpUrl.get(config.getEndpoint()));
      OkHttpClient.Builder client = client(url, config.getConnectTimeout());
      ProxyOptions proxy = config.getProxyOptions();
      if (proxy != null) {
        client.proxySelector(proxy.getProxySelector());
      }
      return new Target(client.build(), url, MediaType.parse(config.getContentType()));
    }

    @Override
    void addHeaders(okhttp3.Request.Builder request, @Nullable String compression) {
      if (compression != null) {
        request.addHeader("Content-Encoding", compression);
      }
    }

    @Override
    Answer answer(Response response) throws IOException {
      String type = response.header("Content-Type", "");
      byte[] content = content(response);
      if (response.isSuccessful()) {
        if (isPage(type, content)) {
          return Answer.refused(
              Cause.NO_RECEIVER, "HTTP status " + response.code() + ", and a page");
        }
        return Answer.acknowledged(PartialSuccess.read(content, 0, content.length));
      }
      boolean isProtobuf = type != null && type.startsWith("application/x-protobuf");
      return refusal(response, isProtobuf ? PartialSuccess.statusMessage(content) : "", "");
    }

    /** Some servers do not say what it is; no message begins like one. */
    private static boolean isPage(@Nullable String type, byte[] content) {
      return (type != null && type.startsWith("text/html"))
          || (content.length > 0 && content[0] == '<');
    }
  }

  /** OTLP over gRPC, of which one message in each direction is needed. */
  private static final class Grpc extends Wire {

    private static final int PREFIX = 5;
    // As gRPC says it in Go, C++, Python, Java, .NET and Rust.
    private static final List<String> SIZE_LIMITS = List.of("RESOURCE_EXHAUSTED", "OUT_OF_RANGE");
    private static final Pattern TOO_LARGE =
        Pattern.compile("(?i)larger than max|exceeds (the )?max|message length too large");
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

    private final GrpcSenderConfig config;

    Grpc(GrpcSenderConfig config) {
      super(
          new Receiver(
              config.getEndpoint(), true, config.getSslContext(), config.getTrustManager()),
          new Encoding(true, config.getCompressor()),
          config.getTimeout(),
          config.getHeadersSupplier());
      this.config = config;
    }

    @Override
    Target newTarget() {
      HttpUrl url =
          requireNonNull(
              HttpUrl.get(config.getEndpoint().resolve("/" + config.getFullMethodName())));
      OkHttpClient.Builder client = client(url, config.getConnectTimeout());
      client.protocols(
          url.isHttps()
              ? List.of(Protocol.HTTP_2, Protocol.HTTP_1_1)
              : List.of(Protocol.H2_PRIOR_KNOWLEDGE));
      return new Target(client.build(), url, MediaType.parse("application/grpc"));
    }

    @Override
    void addHeaders(okhttp3.Request.Builder request, @Nullable String compression) {
      request.addHeader("te", "trailers");
      if (compression != null) {
        request.addHeader("grpc-encoding", compression);
      }
    }

    @Override
    Answer answer(Response response) throws IOException {
      // Trailers are there once the content was read.
      byte[] content = content(response);
      String status = field(response, "grpc-status");
      if (status == null && response.isSuccessful() && isGrpc(response)) {
        return Answer.unknown("gRPC without a status: its trailers are missing");
      }
      if (status == null) {
        return refusal(response, "", ", without a grpc-status: the receiver speaks no gRPC");
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
      return answer(name, reason, retryDelay(field(response, "grpc-status-details-bin")));
    }

    private static boolean isGrpc(Response response) {
      return String.valueOf(response.header("Content-Type")).startsWith("application/grpc");
    }

    /** The answer that a status of gRPC stands for, OK apart. */
    private static Answer answer(String name, String reason, long retryDelayNanos) {
      if (SIZE_LIMITS.contains(name) && TOO_LARGE.matcher(reason).find()) {
        return Answer.refused(Cause.TOO_LARGE, reason);
      }
      return switch (name) {
        case "CANCELLED",
            "DEADLINE_EXCEEDED",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNAVAILABLE",
            "DATA_LOSS" ->
            Answer.tryAgain(reason, reason, Math.max(0, retryDelayNanos));
        case "RESOURCE_EXHAUSTED" ->
            retryDelayNanos >= 0
                ? Answer.tryAgain(reason, reason, retryDelayNanos)
                : Answer.refused(Cause.OTHER, reason);
        case "UNAUTHENTICATED", "PERMISSION_DENIED" ->
            Answer.refused(Cause.NOT_AUTHENTICATED, reason);
        case "UNIMPLEMENTED" -> Answer.refused(Cause.NOT_TAKEN_THERE, reason);
        default -> Answer.refused(Cause.OTHER, reason);
      };
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

    private final List<Body> bodies;
    private final byte[] prefix;
    private final int length;
    private final @Nullable MediaType type;

    Payload(List<Body> bodies, @Nullable MediaType type) {
      this.bodies = bodies;
      this.type = type;
      length = bodies.stream().mapToInt(Body::length).sum();
      prefix = encoding.prefix(length);
    }

    @Override
    public @Nullable MediaType contentType() {
      return type;
    }

    @Override
    public long contentLength() {
      return (long) prefix.length + length;
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
      bodies.forEach(Body::leave);
      sink.write(prefix);
      for (Body body : bodies) {
        // Okio keeps few of its segments for later: all at once would have it allocate the rest.
        for (int from = 0; from < body.length(); from += SEGMENT_BYTES) {
          sink.write(body.bytes(), from, Math.min(SEGMENT_BYTES, body.length() - from));
        }
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
