// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.throughline.telemetry.doctor.Diagnostics;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenTelemetryVersionsTest {

  private static final String OURS = OpenTelemetry.class.getPackage().getImplementationVersion();

  @TempDir Path folder;

  /** The jar of a class, as if it were of another version; null for none. */
  private Path jar(Class<?> witness, String version) throws IOException {
    Path original = Path.of(witness.getProtectionDomain().getCodeSource().getLocation().getPath());
    Path doctored = folder.resolve(version + "-" + original.getFileName());
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    if (version != null) {
      manifest.getMainAttributes().put(Attributes.Name.IMPLEMENTATION_VERSION, version);
    }
    try (JarFile in = new JarFile(original.toFile());
        OutputStream file = Files.newOutputStream(doctored);
        JarOutputStream out = new JarOutputStream(file, manifest)) {
      for (JarEntry entry : (Iterable<JarEntry>) in.stream()::iterator) {
        if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
          out.putNextEntry(new JarEntry(entry.getName()));
          in.getInputStream(entry).transferTo(out);
        }
      }
    }
    return doctored;
  }

  private static String mix(Path... first) throws IOException {
    List<URL> classPath = new ArrayList<>();
    for (Path jar : first) {
      classPath.add(jar.toUri().toURL());
    }
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      classPath.add(Path.of(entry).toUri().toURL());
    }
    try (URLClassLoader loader =
        new URLClassLoader(classPath.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
      return Diagnostics.mixOfVersions(loader);
    }
  }

  @Test
  void isSilentWhereAllAreEqual() throws IOException {
    assertThat(OURS).isNotNull();
    assertThat(mix()).isNull();
    // As the incubator is, and others that are not stable yet.
    assertThat(mix(jar(Context.class, OURS + "-alpha"))).isNull();
  }

  @Test
  void isSilentAboutWhatDoesNotTell() throws IOException {
    assertThat(mix(jar(Context.class, null))).isNull();
  }

  @Test
  void isSilentWithoutAnyOpenTelemetry() {
    assertThat(Diagnostics.mixOfVersions(ClassLoader.getPlatformClassLoader())).isNull();
    assertThat(Diagnostics.mixOfVersions(null)).isNull();
  }

  @Test
  void namesEveryArtifactOfAMix() throws IOException {
    assertThat(mix(jar(Context.class, "1.42.0"), jar(SdkTracerProvider.class, "1.42.0")))
        .isEqualTo(
            "1.42.0: opentelemetry-context, opentelemetry-sdk-trace; "
                + OURS
                + ": opentelemetry-api, opentelemetry-common, opentelemetry-exporter-common,"
                + " opentelemetry-exporter-otlp, opentelemetry-exporter-sender-okhttp,"
                + " opentelemetry-sdk, opentelemetry-sdk-common,"
                + " opentelemetry-sdk-extension-autoconfigure,"
                + " opentelemetry-sdk-extension-autoconfigure-spi, opentelemetry-sdk-logs,"
                + " opentelemetry-sdk-metrics");
  }

  @Test
  void oneWarningNamesTheMixAndTelemetryGoesOn() throws IOException {
    String classPath = System.getProperty("java.class.path");
    try (ChildJvm child =
            ChildJvm.of(SettingsTest.PrintTelemetry.class)
                .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
                .classPath(jar(Context.class, "1.42.0") + File.pathSeparator + classPath)
                .start();
        ChildJvm same =
            ChildJvm.of(SettingsTest.PrintTelemetry.class)
                .environment("TELEMETRY_CLOSE_TIMEOUT", "1ms")
                .start()) {
      assertThat(child.awaitExit()).isZero();
      assertThat(child.said("enabled ")).containsExactly("true");
      assertThat(child.output())
          .filteredOn(line -> line.contains("several versions"))
          .singleElement()
          .asString()
          .contains("WARN", "telemetry-bom", "1.42.0: opentelemetry-context; " + OURS + ": ");

      assertThat(same.awaitExit()).isZero();
      assertThat(same.output()).noneMatch(line -> line.contains("several versions"));
    }
  }
}
