// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.logs.Severity;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a receiver gets is what was set, however autoconfigure and the exporters read it. */
class SentAsSetTest {

  private static OtlpReceiver http;
  private static OtlpReceiver grpc;
  private static OtlpReceiver other;

  private final LogCapture log = new LogCapture();

  @BeforeAll
  static void listen() {
    http = OtlpReceiver.http();
    grpc = OtlpReceiver.grpc();
    other = OtlpReceiver.http();
  }

  @AfterAll
  static void stop() {
    http.close();
    grpc.close();
    other.close();
  }

  @BeforeEach
  void forget() {
    http.exports().clear();
    grpc.exports().clear();
    other.exports().clear();
  }

  @AfterEach
  void close() {
    log.close();
  }

  private static void send(Map<String, String> properties) {
    send(properties, Duration.ofSeconds(20));
  }

  private static void send(Map<String, String> properties, Duration longest) {
    TelemetryBuilder builder = Telemetry.builder().ignoreEnvironment().setServiceName("settings");
    properties.forEach(builder::addProperty);
    try (Telemetry telemetry = builder.build()) {
      assertThat(telemetry.isEnabled()).isTrue();
      telemetry.span("one").run(() -> {});
      telemetry.meter().counterBuilder("one").build().add(1);
      telemetry
          .openTelemetry()
          .getLogsBridge()
          .get("test")
          .logRecordBuilder()
          .setSeverity(Severity.INFO)
          .setBody("one")
          .emit();
      telemetry.flush(longest);
    }
  }

  private static Map<String, String> to(OtlpReceiver receiver, String property, String value) {
    return Map.of(
        "otel.exporter.otlp.protocol",
        receiver == grpc ? "grpc" : "http/protobuf",
        "otel.exporter.otlp.endpoint",
        receiver.authority(),
        property,
        value);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Authorization=Basic dXNlcjpwYXNz+/8= | Basic dXNlcjpwYXNz+/8=",
        "Authorization=Basic%20dXNlcjpwYXNz+/8%3D | Basic dXNlcjpwYXNz+/8=",
        "Authorization=Basic%20a%2Bb | Basic a+b",
        "authorization = Bearer%20abc | Bearer abc",
        "Authorization=a;b=c | a;b=c",
        "Authorization=a%2Cb | a,b",
        "Authorization=%25 | %",
        "x-other=1,Authorization=a b | a b",
        // What can't be used costs itself.
        "x-other=1+%zz,Authorization=a | a",
        "x-other=,Authorization=a | a",
        "x-other,Authorization=a | a",
        "x\u00fc=1,Authorization=a | a",
        "x-other=\u00fc,Authorization=a | a",
        "Content-Length=5,Authorization=a | a",
        "content-type=text/plain,Content-Encoding=gzip,Authorization=a | a",
        "Transfer-Encoding=chunked,TE=trailers,Connection=close,Authorization=a | a",
        "Authorization=b,authorization=a | a",
        "Authorization=b,Authorization=a | a",
      })
  void headers(String value, String sent) {
    for (OtlpReceiver receiver : new OtlpReceiver[] {http, grpc}) {
      send(to(receiver, "otel.exporter.otlp.headers", value));
      assertThat(receiver.exports())
          .hasSizeGreaterThanOrEqualTo(3)
          .allSatisfy(export -> assertThat(export.headers()).containsEntry("authorization", sent));
    }
  }

  @Test
  void aSignalsOwnHeaders() {
    send(to(http, "otel.exporter.otlp.traces.headers", "Authorization=Basic a+b"));
    assertThat(http.exports())
        .filteredOn(export -> export.path().endsWith("/v1/traces"))
        .isNotEmpty()
        .allSatisfy(
            export -> assertThat(export.headers()).containsEntry("authorization", "Basic a+b"));
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void aLongHeader() {
    String longValue = "a+".repeat(2_000);
    send(to(http, "otel.exporter.otlp.headers", "Authorization=" + longValue));
    assertThat(http.exports())
        .hasSizeGreaterThanOrEqualTo(3)
        .allSatisfy(
            export -> assertThat(export.headers()).containsEntry("authorization", longValue));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | ''",
        "/ | ''",
        "// | ''",
        "/// | ''",
        "//otlp | /otlp",
        "/otlp// | /otlp",
        "//a//b// | /a/b",
        "//v1/traces | ''",
        "/v1/traces/ | ''",
        "/otlp/v1/logs | /otlp",
        "/a/../b | /b",
        "/./a | /a",
        "/a:b | /a:b",
        "/a%20b | /a b",
        "/\u00fc | /\u00fc",
      })
  void paths(String path, String base) {
    send(to(http, "otel.exporter.otlp.endpoint.unused", ""), path);
    assertThat(http.exports())
        .extracting(OtlpReceiver.Export::path)
        .contains(base + "/v1/traces", base + "/v1/metrics", base + "/v1/logs")
        .allMatch(sent -> sent.startsWith(base + "/v1/"));
    assertThat(log.warnings()).isEmpty();
  }

  private static void send(Map<String, String> properties, String path) {
    Map<String, String> with = new TreeMap<>(properties);
    with.put("otel.exporter.otlp.endpoint", "http://" + http.authority() + path);
    with.remove("otel.exporter.otlp.endpoint.unused");
    send(with);
  }

  /** The host that is named gets it, and nobody else. */
  @ParameterizedTest
  @ValueSource(strings = {"//%s", "//%s/", "///%s", "/%s", "//user@%s", "/a//%s"})
  void noPathIsAHost(String path) {
    send(
        to(http, "otel.exporter.otlp.headers", "Authorization=secret"),
        String.format(path, other.authority()));
    assertThat(other.exports()).isEmpty();
    assertThat(http.exports()).hasSizeGreaterThanOrEqualTo(3);
  }

  /** What stands between the host that is named and an @ is no user info. */
  @ParameterizedTest
  @ValueSource(strings = {"?@%s", "#@%s", "\\@%s", "/@%s", "?x=1@%s/"})
  void noQueryIsUserInfo(String rest) {
    // Refused, so nothing may arrive anywhere: short times, since all of them are waited for.
    send(
        Map.of(
            "otel.exporter.otlp.protocol", "http/protobuf",
            "otel.exporter.otlp.endpoint",
                "http://" + http.authority() + String.format(rest, other.authority()),
            "otel.exporter.otlp.headers", "Authorization=secret",
            "telemetry.close.timeout", "500ms"),
        Duration.ofMillis(500));
    assertThat(other.exports()).isEmpty();
  }

  @Test
  void anEndpointOfOneSignalIsUsedAsItIs() {
    send(
        to(
            http,
            "otel.exporter.otlp.traces.endpoint",
            "http://" + http.authority() + "/mine//v1/traces"));
    assertThat(http.exports())
        .extracting(OtlpReceiver.Export::path)
        .contains("/mine//v1/traces", "/v1/metrics", "/v1/logs");
  }

  private static Map<String, String> resource() {
    Map<String, String> attributes = new TreeMap<>();
    http.resource()
        .getAttributesList()
        .forEach(
            attribute -> {
              if (!attribute.getKey().matches("service\\..*|telemetry\\..*")) {
                attributes.put(attribute.getKey(), attribute.getValue().getStringValue());
              }
            });
    return attributes;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a=1,b=2 | {a=1, b=2} | true",
        "a = 1 , b = 2 | {a=1, b=2} | true",
        "a=1+1 | {a=1+1} | true",
        "a=x%20y%2Cz | {a=x y,z} | true",
        "a=100% | {a=100%} | true",
        "a=%zz | {a=%zz} | true",
        "a=b=c | {a=b=c} | true",
        "a=\u00fc | {a=\u00fc} | true",
        "a=\u00fc%20\u20ac\ud83d\ude00 | {a=\u00fc \u20ac\ud83d\ude00} | true",
        "a=%C3%BC | {a=\u00fc} | true",
        "a b=1 | {a b=1} | true",
        // What can't be used costs itself.
        "a=1,gr\u00f6\u00dfe=2 | {a=1} | false",
        "a=1,b\u0001c=2 | {a=1} | false",
        "a=1,=2 | {a=1} | false",
        "a=1,b= | {a=1} | false",
        "a=1,b | {a=1} | false",
        "a=2,a=1 | {a=1} | false",
        "a=1,a=1 | {a=1} | true",
        "a=1,A=2 | {A=2, a=1} | true",
      })
  void resourceAttributes(String value, String sent, boolean good) {
    send(to(http, "otel.resource.attributes", value));
    assertThat(resource()).hasToString(sent);
    assertThat(log.warnings()).hasSize(good ? 0 : 1);
  }

  @Test
  void aLongKeyOfTheResourceCostsItself() {
    send(to(http, "otel.resource.attributes", "a=1," + "k".repeat(256) + "=2"));
    assertThat(resource()).hasToString("{a=1}");
    assertThat(log.warnings()).singleElement().asString().contains("OTEL_RESOURCE_ATTRIBUTES");
  }

  @Test
  void aServicesNameMayBeAnything() {
    String name = "a\r\nforged=line \u00fc%20+," + "x".repeat(300);
    send(to(http, "otel.service.name", name));
    assertThat(http.resource().getAttributesList())
        .anyMatch(
            attribute ->
                attribute.getKey().equals("service.name")
                    && attribute.getValue().getStringValue().equals(name));
    assertThat(log.everything()).doesNotContain("\nforged");
  }

  /** Provided that it is no list of classes that nobody knows: no attribute came then. */
  @Test
  void aProviderThatIsNotThereHidesNoOther() {
    send(
        Map.of(
            "otel.exporter.otlp.endpoint", http.authority(),
            "otel.exporter.otlp.protocol", "http/protobuf",
            "otel.resource.attributes", "a=1",
            "otel.java.enabled.resource.providers", "com.example.Missing"));
    assertThat(resource()).containsEntry("a", "1");
    assertThat(log.warnings())
        .singleElement()
        .asString()
        .startsWith("OTEL_JAVA_ENABLED_RESOURCE_PROVIDERS: \"com.example.Missing\" can't be used");
  }

  @Test
  void aSpoolsFolderThatIsNoPathIsNotUsed() {
    send(to(http, "telemetry.spool.folder", "a\u0000b"));
    assertThat(http.exports()).hasSizeGreaterThanOrEqualTo(3);
    assertThat(log.warnings()).singleElement().asString().startsWith("TELEMETRY_SPOOL_FOLDER: ");
  }
}
