// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.examples.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What the script says where something is missing. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class ScriptTest {

  private static final Path SCRIPT = Path.of("..", "fleet").toAbsolutePath().normalize();
  private static final List<String> TOOLS =
      List.of("bash", "sed", "dirname", "find", "mkdir", "touch", "rm", "mv");

  @TempDir private Path home;
  private Path tools;

  @BeforeEach
  void copyTheScriptAndTheToolsItNeeds() throws IOException {
    Files.copy(SCRIPT, home.resolve("fleet"));
    tools = Files.createDirectory(home.resolve("tools"));
    for (String tool : TOOLS) {
      Path original = Path.of("/usr/bin", tool);
      tool(tool, "exec " + (Files.exists(original) ? original : "/bin/" + tool) + " \"$@\"");
    }
  }

  @Test
  void wantsJava() throws Exception {
    assertThat(run())
        .contains("fleet: a JDK of version 17 or newer is needed: no java on the PATH");
  }

  @Test
  void wantsANewEnoughJava() throws Exception {
    tool("java", "echo '    java.specification.version = 11' >&2");
    assertThat(run())
        .contains("fleet: a JDK of version 17 or newer is needed")
        .contains("is older");
    tool("java", "echo '    java.specification.version = 1.8' >&2");
    assertThat(run()).contains("is older");
  }

  @Test
  void wantsMaven() throws Exception {
    tool("java", "echo '    java.specification.version = 17' >&2");
    assertThat(run()).contains("fleet: Maven 3.8.6 or newer is needed: no mvn on the PATH");
  }

  @Test
  void buildsOnceAndAgainWhenASourceIsNewer() throws Exception {
    tool(
        "java",
        "case $1 in -XshowSettings*) echo '    java.specification.version = 21' ;; *) echo started \"$@\" ;; esac");
    tool("mvn", "echo built; mkdir -p examples/target/classes");
    Path source = Files.createDirectories(home.resolve("core/src/main")).resolve("A.java");
    Files.writeString(home.resolve("pom.xml"), "");
    Files.writeString(home.resolve("core/pom.xml"), "");

    assertThat(run()).contains("built").contains("started").contains("Fleet --once");
    assertThat(run()).doesNotContain("built").contains("started");
    Files.writeString(source, "class A {}");
    assertThat(run()).contains("built");
    Files.delete(source);
    assertThat(run()).contains("built");
    tool("mvn", "exit 1");
    Files.writeString(source, "class B {}");
    assertThat(run()).contains("fleet: the build failed").doesNotContain("started");
    assertThat(run()).contains("fleet: the build failed").doesNotContain("started");
  }

  private void tool(String name, String content) throws IOException {
    Path tool = tools.resolve(name);
    Files.writeString(tool, "#!/bin/sh\n" + content + "\n");
    Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private String run() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
                tools.resolve("bash").toString(), home.resolve("fleet").toString(), "--once")
            .redirectErrorStream(true)
            .directory(tools.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", tools.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return output;
  }
}
