// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The README of a module, each {@code java} block of which is a region of the subclass: from a line
 * {@code // region} to a line {@code // endregion}, indentation aside. So a sample that does not
 * compile, or whose test fails, fails the build.
 */
public abstract class ReadmeKit {

  private static final Pattern BLOCK = Pattern.compile("(?ms)^```java\\n(.*?)^```$");
  private static final Pattern REGION =
      Pattern.compile("(?ms)^ *// region$\\n(.*?)^ *// endregion$");

  /** The README; by default that of the module which the test runs in. */
  protected Path readme() {
    return Path.of("README.md");
  }

  /** The subclass's own source file. */
  protected Path source() {
    return Path.of("src/test/java", getClass().getName().replace('.', '/') + ".java");
  }

  @Test
  protected void everyJavaBlockIsARegionOfThisTest() throws IOException {
    assertThat(found(BLOCK, readme()))
        .isNotEmpty()
        .containsExactlyElementsOf(found(REGION, source()));
  }

  private static List<String> found(Pattern pattern, Path file) throws IOException {
    List<String> found = new ArrayList<>();
    Matcher matcher = pattern.matcher(Files.readString(file));
    while (matcher.find()) {
      found.add(matcher.group(1).stripTrailing().stripIndent());
    }
    return found;
  }
}
