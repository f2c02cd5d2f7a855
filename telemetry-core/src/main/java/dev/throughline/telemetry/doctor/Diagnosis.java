// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.doctor;

import dev.throughline.telemetry.delivery.Answer;
import dev.throughline.telemetry.delivery.Receiver;
import dev.throughline.telemetry.settings.Secrets;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** Why an endpoint can't be reached, step by step: its name, its port, its TLS, its protocol. */
final class Diagnosis {

  // All steps together take no longer than the second, however slowly a receiver talks.
  private static final long STEP_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long ALL_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final int HTTPS_PORT = 443;
  private static final int HTTP_PORT = 80;
  private static final int MOST_READ = 4_096;
  private static final Duration MOST_SKEW = Duration.ofSeconds(5);
  // The connection preface of RFC 9113, with an empty SETTINGS frame.
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII);
  private static final int FRAME_HEADER = 9;
  private static final int FRAME_TYPE = 3;
  private static final int SETTINGS = 4;
  private static final int TLS_ALERT = 0x15;
  private static final Pattern DATE = Pattern.compile("(?im)^date:\\s*(.+?)\\s*$");

  static final String LARGER_REQUESTS =
      "raise its limit, e.g. max_recv_msg_size_mib or max_request_body_size of the collector,"
          + " client_max_body_size of nginx";
  static final String OTHER_ADDRESS =
      "set the endpoint to that address; where it is a login, let the service past it";
  static final String NO_PROXY =
      "let it pass the receiver's host, or name that host in http.nonProxyHosts";

  private final String target;
  private final String host;
  private final int port;
  private final boolean grpc;
  private final boolean secure;
  private final @Nullable InetSocketAddress proxy;
  private final @Nullable SSLContext tls;
  private final @Nullable X509TrustManager trusted;
  private final long endNanos = System.nanoTime() + ALL_NANOS;
  private long stepEndNanos = endNanos;

  Diagnosis(Receiver receiver) {
    URI endpoint = receiver.endpoint();
    grpc = receiver.grpc();
    tls = receiver.tls();
    trusted = receiver.trusted();
    secure = receiver.isSecure();
    proxy = proxy(endpoint);
    String authority = String.valueOf(endpoint.getRawAuthority());
    int end = authority.lastIndexOf(':');
    boolean hasPort = end > authority.lastIndexOf(']') && end >= 0;
    host = hasPort ? authority.substring(0, end) : authority;
    port =
        hasPort ? Integer.parseInt(authority.substring(end + 1)) : secure ? HTTPS_PORT : HTTP_PORT;
    target =
        endpoint.getScheme() + "://" + host + ":" + port + (grpc ? " (grpc)" : " (http/protobuf)");
  }

  /** The name of the receiver, for people to read. */
  String target() {
    return target;
  }

  private enum Speech {
    HTTP_1(true),
    HTTP_2(true),
    TLS(false),
    SILENCE(false);

    final boolean isPlain;

    Speech(boolean isPlain) {
      this.isPlain = isPlain;
    }
  }

  /**
   * The first words of a receiver.
   *
   * @param date the time that it tells, if it does
   */
  private record Heard(Speech speech, @Nullable String date) {}

  /** All steps, up to the first that fails; through a proxy, it alone can be looked at. */
  List<Finding> run() {
    List<Finding> findings = new ArrayList<>();
    try {
      if (proxy != null) {
        connect(proxy).close();
        findings.add(Finding.ok(target, "proxy", "requests go through " + proxy(proxy)));
        return findings;
      }
      findings.add(Finding.ok(target, "name", host + " is " + addresses()));
      try (Socket socket = connect()) {
        findings.add(
            Finding.ok(target, "connection", "to port " + socket.getPort() + " is accepted"));
      }
      if (secure) {
        try (SSLSocket socket = handshake(context())) {
          findings.add(
              Finding.ok(
                  target,
                  "tls",
                  socket.getSession().getProtocol() + ", and the certificate is trusted"));
        } catch (IOException e) {
          findings.add(speaksPlainly(e) ? noTls() : of(e));
          return findings;
        }
      } else {
        findings.add(Finding.skipped(target, "tls", "the endpoint begins with http://"));
      }
      Heard heard = hear();
      Finding said = said(heard);
      findings.add(said);
      if (said.check().equals("protocol")) {
        findings.add(clock(heard.date));
      }
    } catch (IOException e) {
      findings.add(of(e));
    }
    return findings;
  }

  /**
   * Why an export failed, and what to do about it, in one line. If what was thrown says too little,
   * the receiver is asked once more, which may take ten seconds.
   *
   * @return null if no more is known
   */
  static @Nullable String explain(Receiver receiver, Answer answer) {
    IOException failure = answer.failure();
    if (failure == null) {
      String explained = explain(answer.cause());
      InetSocketAddress proxy = explained == null ? null : proxy(receiver.endpoint());
      return proxy == null
          ? explained
          : explained + "; requests go through the proxy " + proxy(proxy);
    }
    if (failure instanceof InterruptedIOException
        && !String.valueOf(failure.getMessage()).contains("onnect timed out")) {
      // Whatever answers late is there.
      return null;
    }
    Diagnosis diagnosis = new Diagnosis(receiver);
    Finding found = diagnosis.known(failure);
    if (found == null && diagnosis.proxy == null) {
      try {
        found = diagnosis.said(diagnosis.hear());
      } catch (IOException e) {
        found = diagnosis.known(e);
      }
    }
    return found == null || found.result() != Finding.Result.FAILED ? null : found.line();
  }

  private static @Nullable String explain(Answer.Cause cause) {
    return switch (cause) {
      case NOT_AUTHENTICATED ->
          "the receiver does not let you in; set or correct OTEL_EXPORTER_OTLP_HEADERS, whose"
              + " values are percent-encoded";
      case NOT_TAKEN_THERE, NO_RECEIVER ->
          "the receiver does not take them there; correct the endpoint's path, or add a pipeline"
              + " for them to the collector";
      case TOO_LARGE -> "the receiver takes no request of that size; " + LARGER_REQUESTS;
      case REDIRECTED -> "the receiver sends them elsewhere; " + OTHER_ADDRESS;
      case PROXY_REFUSES -> "the proxy wants credentials; " + NO_PROXY;
      case OTHER -> null;
    };
  }

  /** The proxy that requests go through; null if there is none, or the JDK does not tell. */
  private static @Nullable InetSocketAddress proxy(URI endpoint) {
    try {
      ProxySelector selector = ProxySelector.getDefault();
      for (Proxy proxy : selector == null ? List.<Proxy>of() : selector.select(endpoint)) {
        if (proxy.type() != Proxy.Type.DIRECT
            && proxy.address() instanceof InetSocketAddress address) {
          return address;
        }
      }
      return null;
    } catch (RuntimeException e) {
      // A selector of the application's own.
      return null;
    }
  }

  private static String proxy(InetSocketAddress proxy) {
    return proxy.getHostString() + ":" + proxy.getPort();
  }

  private Finding said(Heard heard) throws IOException {
    return heard.speech == Speech.SILENCE && secure && asksForCertificate()
        ? noClientCertificate()
        : protocol(heard.speech);
  }

  private String addresses() throws IOException {
    return Stream.of(addresses(host))
        .map(InetAddress::getHostAddress)
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private Socket connect() throws IOException {
    return connect(InetSocketAddress.createUnresolved(host, port));
  }

  /** Directly, whatever the JDK's proxy selector says of sockets. */
  private Socket connect(InetSocketAddress to) throws IOException {
    Socket socket = new StepSocket();
    try {
      // The JDK tries all addresses only where it resolves the name by itself.
      IOException failed = null;
      for (InetAddress address : addresses(to.getHostString())) {
        beginStep();
        try {
          socket.connect(new InetSocketAddress(address, to.getPort()), millisLeft());
          return socket;
        } catch (IOException e) {
          failed = failed == null ? e : failed;
          socket.close();
          socket = new StepSocket();
        }
      }
      throw failed == null ? new UnknownHostException(to.getHostString()) : failed;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** The JDK's resolver knows no time limit. */
  private InetAddress[] addresses(String name) throws IOException {
    beginStep();
    FutureTask<InetAddress[]> resolved = new FutureTask<>(() -> InetAddress.getAllByName(name));
    Thread resolver = new Thread(resolved, "telemetry-resolver");
    resolver.setDaemon(true);
    resolver.start();
    try {
      return resolved.get(millisLeft(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
    } catch (TimeoutException e) {
      throw new UnknownHostException(name);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  private void beginStep() {
    stepEndNanos = Math.min(endNanos - System.nanoTime(), STEP_NANOS) + System.nanoTime();
  }

  private int millisLeft() throws SocketTimeoutException {
    long left = TimeUnit.NANOSECONDS.toMillis(stepEndNanos - System.nanoTime());
    if (left <= 0) {
      throw new SocketTimeoutException("no time is left");
    }
    return (int) left;
  }

  /** A socket whose reads end with the step, though a byte comes now and then. */
  private final class StepSocket extends Socket {

    StepSocket() {
      super(Proxy.NO_PROXY);
    }

    @Override
    public InputStream getInputStream() throws IOException {
      return new FilterInputStream(super.getInputStream()) {
        @Override
        public int read() throws IOException {
          setSoTimeout(millisLeft());
          return super.read();
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
          setSoTimeout(millisLeft());
          return super.read(bytes, from, length);
        }
      };
    }
  }

  private SSLContext context() throws IOException {
    try {
      return tls == null ? SSLContext.getDefault() : tls;
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private SSLSocket handshake(SSLContext context) throws IOException {
    Socket socket = connect();
    try {
      SSLSocket secured =
          (SSLSocket) context.getSocketFactory().createSocket(socket, bareHost(), port, true);
      SSLParameters parameters = secured.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      if (grpc) {
        parameters.setApplicationProtocols(new String[] {"h2"});
      }
      secured.setSSLParameters(parameters);
      beginStep();
      secured.startHandshake();
      return secured;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Some servers close the connection without a word where no certificate was shown. */
  private boolean asksForCertificate() throws IOException {
    AskedForKey asked = new AskedForKey();
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          new KeyManager[] {asked}, trusted == null ? null : new TrustManager[] {trusted}, null);
      handshake(context).close();
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
    return asked.asked;
  }

  /** Has no key, and knows whether one was asked for. */
  private static final class AskedForKey extends X509ExtendedKeyManager {

    private volatile boolean asked;

    @Override
    public @Nullable String chooseClientAlias(
        String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      asked = true;
      return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
      return null;
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
      return null;
    }
  }

  /** Whether a port that shows no certificate speaks HTTP without TLS. */
  private boolean speaksPlainly(IOException noTls) throws IOException {
    if (cause(noTls, CertificateException.class) != null
        || cause(noTls, CertPathValidatorException.class) != null) {
      return false;
    }
    Speech first = ask(grpc ? PREFACE : request(), false).speech;
    return (first == Speech.SILENCE ? ask(grpc ? request() : PREFACE, false).speech : first)
        .isPlain;
  }

  private String bareHost() {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  private Heard hear() throws IOException {
    Heard first = ask(grpc ? PREFACE : request(), secure);
    if (first.speech != Speech.SILENCE) {
      return first;
    }
    Heard second = ask(grpc ? request() : PREFACE, secure);
    if (second.speech != Speech.SILENCE || secure) {
      return second;
    }
    return speaksTls() ? new Heard(Speech.TLS, null) : second;
  }

  private byte[] request() {
    return ("GET / HTTP/1.1\r\nHost: "
            + host
            + "\r\nUser-Agent: throughline-doctor\r\nConnection: close\r\n\r\n")
        .getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Says something, and listens for as long as it makes sense; what breaks off is heard as well.
   */
  private Heard ask(byte[] bytes, boolean withTls) throws IOException {
    byte[] heard = new byte[MOST_READ];
    int length = 0;
    try (Socket socket = withTls ? handshake(context()) : connect()) {
      beginStep();
      try {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        InputStream in = socket.getInputStream();
        for (int read = in.read(heard);
            read > 0;
            read = in.read(heard, length, MOST_READ - length)) {
          length += read;
          if (length == MOST_READ || (length >= FRAME_HEADER && isSettings(heard))) {
            break;
          }
        }
      } catch (SSLException e) {
        // Where a client has to show a certificate, that is told here.
        throw e;
      } catch (IOException e) {
        if (length == 0) {
          return new Heard(Speech.SILENCE, null);
        }
      }
    }
    return heard(heard, length);
  }

  private static boolean isSettings(byte[] heard) {
    return heard[0] == 0 && heard[FRAME_TYPE] == SETTINGS;
  }

  private static Heard heard(byte[] bytes, int length) {
    if (length >= FRAME_HEADER && isSettings(bytes)) {
      return new Heard(Speech.HTTP_2, null);
    }
    String text = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
    if (text.startsWith("HTTP/1")) {
      // The words of Go and nginx for plain text.
      boolean wantsTls =
          text.toLowerCase(Locale.ROOT).matches("(?s).*to (?:an )?https (?:server|port).*");
      Matcher date = DATE.matcher(text);
      return new Heard(wantsTls ? Speech.TLS : Speech.HTTP_1, date.find() ? date.group(1) : null);
    }
    return new Heard(length > 0 && bytes[0] == TLS_ALERT ? Speech.TLS : Speech.SILENCE, null);
  }

  /** Whether a certificate comes, be it trusted or not. */
  private boolean speaksTls() throws IOException {
    try (Socket socket = handshake(context())) {
      return socket.isConnected();
    } catch (SSLException e) {
      return cause(e, CertificateException.class) != null
          || cause(e, CertPathValidatorException.class) != null;
    } catch (IOException e) {
      return false;
    }
  }

  private Finding protocol(Speech speech) {
    String setting = grpc ? "grpc" : "http/protobuf";
    return switch (speech) {
      case HTTP_2 ->
          grpc
              ? Finding.ok(target, "protocol", "the port speaks HTTP/2, as gRPC needs it")
              : Finding.failed(
                  target,
                  "protocol",
                  "this port speaks HTTP/2 as gRPC does, the setting says " + setting,
                  "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or name the port of HTTP, mostly 4318");
      case HTTP_1 ->
          grpc
              ? Finding.failed(
                  target,
                  "protocol",
                  "this port speaks HTTP/1, the setting says " + setting,
                  "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or name the port of gRPC, mostly"
                      + " 4317")
              : Finding.ok(target, "protocol", "the port speaks HTTP/1");
      case TLS ->
          Finding.failed(
              target,
              "protocol",
              "this port speaks TLS, the endpoint begins with http://",
              "begin the endpoint with https://");
      case SILENCE ->
          Finding.failed(
              target,
              "protocol",
              "the port says nothing to HTTP/1, to HTTP/2 or to TLS",
              "check that an OTLP receiver listens there");
    };
  }

  private Finding clock(@Nullable String date) {
    if (date == null) {
      return Finding.skipped(target, "clock", "the receiver tells no time");
    }
    try {
      Instant there = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration ahead = Duration.between(Instant.now(), there);
      long seconds = Math.abs(ahead.toSeconds());
      return ahead.abs().compareTo(MOST_SKEW) <= 0
          ? Finding.ok(target, "clock", "the receiver's differs by less than 5 s")
          : Finding.warning(
              target,
              "clock",
              "the receiver's is " + seconds + " s " + (ahead.isNegative() ? "behind" : "ahead"),
              "synchronize both by NTP: spans show up at the wrong time, or not at all");
    } catch (DateTimeException e) {
      return Finding.skipped(target, "clock", "the receiver's time can't be read");
    }
  }

  private Finding of(Throwable failure) {
    Finding known = known(failure);
    return known == null ? unknown(failure) : known;
  }

  private Finding unknown(Throwable failure) {
    return Finding.failed(
        target,
        "connection",
        "it broke: " + Secrets.text(String.valueOf(failure)),
        "see the receiver's log");
  }

  /** The finding that the exception itself tells; null if that is too little. */
  private @Nullable Finding known(Throwable failure) {
    return proxy == null ? knownDirectly(failure) : knownThrough(proxy, failure);
  }

  private @Nullable Finding knownThrough(InetSocketAddress by, Throwable failure) {
    if (cause(failure, UnknownHostException.class) != null
        || cause(failure, ConnectException.class) != null
        || cause(failure, NoRouteToHostException.class) != null
        || cause(failure, SocketTimeoutException.class) != null) {
      return Finding.failed(
          target,
          "proxy",
          "the proxy " + proxy(by) + " can't be reached",
          "correct http.proxyHost and https.proxyHost, or name the receiver's host in"
              + " http.nonProxyHosts");
    }
    Finding tlsFinding = tls(failure);
    if (tlsFinding != null || !(secure || grpc)) {
      return tlsFinding;
    }
    if (!secure) {
      return noPlainGrpc(by);
    }
    // With TLS the proxy is asked for a tunnel, and anything but that breaks off.
    return String.valueOf(failure.getMessage()).contains("authenticate with proxy")
        ? Finding.failed(target, "proxy", "the proxy " + proxy(by) + " wants credentials", NO_PROXY)
        : Finding.failed(
            target, "proxy", "the proxy " + proxy(by) + " does not let requests pass", NO_PROXY);
  }

  private Finding noPlainGrpc(InetSocketAddress by) {
    return Finding.failed(
        target,
        "proxy",
        "the proxy " + proxy(by) + " passes no gRPC on that is in clear",
        "name the receiver's host in http.nonProxyHosts, or set"
            + " OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and the receiver's port for it");
  }

  private @Nullable Finding knownDirectly(Throwable failure) {
    if (cause(failure, UnknownHostException.class) != null) {
      return Finding.failed(
          target,
          "name",
          "no address is known of " + host,
          "correct the endpoint's host; a container knows the names of its own network alone");
    }
    Finding tlsFinding = tls(failure);
    if (tlsFinding != null) {
      return tlsFinding;
    }
    if (cause(failure, ConnectException.class) != null) {
      return Finding.failed(
          target,
          "connection",
          "nothing listens at " + host + ":" + port,
          "start the collector, or correct the endpoint; in a container localhost is itself");
    }
    if (cause(failure, NoRouteToHostException.class) != null
        || cause(failure, SocketTimeoutException.class) != null) {
      return Finding.failed(
          target,
          "connection",
          host + ":" + port + " does not answer",
          "look for a firewall or a network policy in between");
    }
    return null;
  }

  private @Nullable Finding tls(Throwable failure) {
    if (cause(failure, CertificateExpiredException.class) != null) {
      return tls("the receiver's certificate has expired", "renew it");
    }
    if (cause(failure, CertificateNotYetValidException.class) != null) {
      return tls("the receiver's certificate is not valid yet", "compare the clocks");
    }
    if (cause(failure, CertPathBuilderException.class) != null
        || cause(failure, CertPathValidatorException.class) != null
        || messages(failure).contains("trustAnchors")) {
      return tls(
          "the receiver's certificate is from an issuer that is not trusted",
          "name the issuer's PEM file in OTEL_EXPORTER_OTLP_CERTIFICATE");
    }
    if (cause(failure, SSLPeerUnverifiedException.class) != null
        || cause(failure, CertificateException.class) != null) {
      return tls(
          "the receiver's certificate is not for " + host,
          "name the host that stands in the certificate");
    }
    if (cause(failure, SSLException.class) == null) {
      return null;
    }
    String messages = messages(failure).toLowerCase(Locale.ROOT);
    if (messages.contains("unrecognized ssl message") || messages.contains("unsupported or un")) {
      return noTls();
    }
    if (messages.contains("certificate_required")
        || messages.contains("bad_certificate")
        || messages.contains("certificate_unknown")) {
      return noClientCertificate();
    }
    return tls("no TLS could be agreed on: " + messages(failure), "see the receiver's log");
  }

  private Finding noTls() {
    return tls(
        "this port speaks no TLS, the endpoint begins with https://",
        "begin the endpoint with http://");
  }

  private Finding noClientCertificate() {
    return tls(
        "the receiver wants to see a certificate of the client's, or another one",
        "name it in OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, and its key in"
            + " OTEL_EXPORTER_OTLP_CLIENT_KEY");
  }

  private Finding tls(String text, String remedy) {
    return Finding.failed(target, "tls", text, remedy);
  }

  private static <T extends Throwable> @Nullable T cause(Throwable failure, Class<T> type) {
    int depth = 0;
    for (Throwable t = failure; t != null && depth < 20; t = t.getCause()) {
      if (type.isInstance(t)) {
        return type.cast(t);
      }
      depth++;
    }
    return null;
  }

  private static String messages(Throwable failure) {
    StringBuilder messages = new StringBuilder();
    int depth = 0;
    for (Throwable t = failure; t != null && depth < 20; t = t.getCause()) {
      messages.append(messages.length() == 0 ? "" : ": ").append(t.getMessage());
      depth++;
    }
    return Secrets.text(messages.toString());
  }
}
