// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
    this(folder, name, "dns:localhost,ip:127.0.0.1");
  }

  /**
   * @param subject for which hosts it is
   */
  TestCertificates(Path folder, String name, String subject)
      throws IOException, InterruptedException, GeneralSecurityException {
    this(folder, name, makeStore(folder, name, subject));
  }

  private TestCertificates(Path folder, String name, Path file)
      throws IOException, GeneralSecurityException {
    store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    certificate = folder.resolve(name + ".crt.pem");
    Files.writeString(certificate, pem("CERTIFICATE", store.getCertificate(name).getEncoded()));
    chain = folder.resolve(name + ".chain.pem");
    StringBuilder pems = new StringBuilder();
    for (Certificate link : store.getCertificateChain(name)) {
      pems.append(pem("CERTIFICATE", link.getEncoded()));
    }
    Files.writeString(chain, pems);
    key = folder.resolve(name + ".key.pem");
    Files.writeString(key, pem("PRIVATE KEY", store.getKey(name, PASSWORD).getEncoded()));
  }

  private static Path makeStore(Path folder, String name, String subject)
      throws IOException, InterruptedException {
    keytool(
        folder,
        name,
        "-genkeypair -keyalg EC -validity 2 -dname CN=%s -ext bc=ca:true -ext san=%s"
            .formatted(name, subject)
            .split(" "));
    return folder.resolve(name + ".p12");
  }

  /**
   * One of localhost's that this one has signed.
   *
   * @param times when it is valid, as keytool's options
   */
  TestCertificates issue(Path folder, String name, String... times)
      throws IOException, InterruptedException, GeneralSecurityException {
    String issuer = store.aliases().nextElement();
    Path file = makeStore(folder, name, "dns:localhost");
    Path request = folder.resolve(name + ".csr");
    Path signed = folder.resolve(name + ".signed.pem");
    keytool(folder, name, "-certreq", "-file", request.toString());
    List<String> sign =
        new ArrayList<>(
            List.of(
                "-gencert",
                "-rfc",
                "-infile",
                request.toString(),
                "-ext",
                "san=dns:localhost,ip:127.0.0.1"));
    sign.addAll(List.of("-outfile", signed.toString()));
    sign.addAll(List.of(times));
    keytool(folder, issuer, sign.toArray(String[]::new));
    // The chain, which keytool takes for the answer.
    Files.writeString(signed, Files.readString(certificate), StandardOpenOption.APPEND);
    keytool(folder, name, "-importcert", "-noprompt", "-file", signed.toString());
    return new TestCertificates(folder, name, file);
  }

  private static void keytool(Path folder, String alias, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(List.of("-alias", alias, "-storetype", "PKCS12"));
    command.addAll(List.of("-storepass", new String(PASSWORD)));
    command.addAll(List.of("-keystore", folder.resolve(alias + ".p12").toString()));
    Process keytool = new ProcessBuilder(command).inheritIO().start();
    if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      throw new AssertionError("keytool made no certificate");
    }
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
