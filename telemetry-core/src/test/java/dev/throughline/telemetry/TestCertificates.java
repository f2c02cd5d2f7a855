// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A self-signed certificate of localhost with its key, by the JDK's keytool. */
final class TestCertificates {

  private static final char[] PASSWORD = "password".toCharArray();

  private final KeyStore store;
  final Path certificate;
  final Path key;
  private final Path chain;

  TestCertificates(Path folder, String name)
      throws IOException, InterruptedException, GeneralSecurityException {
    this(folder, name, "-1d");
  }

  /**
   * @param start when its two days begin, e.g. {@code -3d}
   */
  TestCertificates(Path folder, String name, String start)
      throws IOException, InterruptedException, GeneralSecurityException {
    Path file = folder.resolve(name + ".p12");
    generate(file, name, "san=dns:localhost,ip:127.0.0.1", start, List.of());
    store = load(file);
    certificate = folder.resolve(name + ".crt.pem");
    chain = certificate;
    Files.writeString(certificate, pem("CERTIFICATE", store.getCertificate(name).getEncoded()));
    key = folder.resolve(name + ".key.pem");
    Files.writeString(key, pem("PRIVATE KEY", store.getKey(name, PASSWORD).getEncoded()));
  }

  /** One that was signed by an authority, and is over since yesterday. */
  static TestCertificates expired(Path folder)
      throws IOException, InterruptedException, GeneralSecurityException {
    Path file = folder.resolve("expired.p12");
    generate(file, "authority", "bc:c", "-1d", List.of());
    generate(
        file, "server", "san=dns:localhost,ip:127.0.0.1", "-3d", List.of("-signer", "authority"));
    return new TestCertificates(folder, load(file));
  }

  private TestCertificates(Path folder, KeyStore store)
      throws IOException, GeneralSecurityException {
    this.store = store;
    // What a client trusts is the authority's; the server shows its own with it.
    certificate = folder.resolve("authority.crt.pem");
    Files.writeString(
        certificate, pem("CERTIFICATE", store.getCertificate("authority").getEncoded()));
    chain = folder.resolve("chain.crt.pem");
    StringBuilder pems = new StringBuilder();
    for (Certificate link : store.getCertificateChain("server")) {
      pems.append(pem("CERTIFICATE", link.getEncoded()));
    }
    Files.writeString(chain, pems);
    key = folder.resolve("server.key.pem");
    Files.writeString(key, pem("PRIVATE KEY", store.getKey("server", PASSWORD).getEncoded()));
    store.deleteEntry("authority");
  }

  private static void generate(
      Path file, String name, String extension, String start, List<String> options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of("-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name));
    command.addAll(List.of("-ext", extension, "-startdate", start, "-validity", "2"));
    command.addAll(List.of("-storetype", "PKCS12", "-storepass", new String(PASSWORD)));
    command.addAll(List.of("-keystore", file.toString()));
    command.addAll(options);
    Process keytool = new ProcessBuilder(command).inheritIO().start();
    if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      throw new AssertionError("keytool made no certificate");
    }
  }

  private static KeyStore load(Path file) throws IOException, GeneralSecurityException {
    KeyStore loaded = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      loaded.load(in, PASSWORD);
    }
    return loaded;
  }

  private static String pem(String type, byte[] der) {
    String base64 = Base64.getMimeEncoder().encodeToString(der);
    return "-----BEGIN " + type + "-----\n" + base64 + "\n-----END " + type + "-----\n";
  }

  /**
   * What a gRPC server that shows this certificate runs with.
   *
   * @param clientCertificate whether a client has to show the same
   */
  ServerCredentials grpcServer(boolean clientCertificate) throws IOException {
    TlsServerCredentials.Builder tls =
        TlsServerCredentials.newBuilder().keyManager(chain.toFile(), key.toFile());
    if (clientCertificate) {
      tls.trustManager(certificate.toFile()).clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
    }
    return tls.build();
  }

  /** What a server that shows this certificate runs with; it trusts clients that show the other. */
  SSLContext server(TestCertificates clients) throws GeneralSecurityException {
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, PASSWORD);
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    try {
      trusted.load(null, null);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    String client = clients.store.aliases().nextElement();
    trusted.setCertificateEntry(client, clients.store.getCertificate(client));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return tls;
  }
}
