// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PagesTest {

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern VERSION = Pattern.compile("<version>([\\w.-]+)</version>");

  /** Each of these has a test that is a ReadmeKit. */
  @Test
  void codeIsShownWhereATestRunsIt() {
    assertThat(Pages.all())
        .filteredOn(page -> Pages.read(page).contains("\n```java\n"))
        .extracting(page -> Pages.ROOT.relativize(page).toString())
        .containsExactlyInAnyOrder(
            "README.md",
            "docs/custom-spans.md",
            "docs/troubleshooting.md",
            "telemetry-core/README.md",
            "telemetry-grpc/README.md",
            "telemetry-http/README.md",
            "telemetry-jdbc/README.md",
            "telemetry-logging/README.md",
            "telemetry-metrics/README.md",
            "telemetry-testing/README.md",
            "telemetry-websocket/README.md");
  }

  @Test
  void linksLeadToFilesAndHeadings() {
    for (Path page : Pages.all()) {
      LINK.matcher(Pages.prose(Pages.read(page)))
          .results()
          .map(link -> link.group(1))
          .filter(target -> !target.contains("://"))
          .forEach(target -> checkLink(page, target));
    }
  }

  private static void checkLink(Path page, String target) {
    String[] parts = target.split("#", 2);
    Path file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]);
    assertThat(Files.exists(file)).as("%s in %s", target, page).isTrue();
    if (parts.length == 2) {
      assertThat(Pages.anchors(Pages.read(file))).as("%s in %s", target, page).contains(parts[1]);
    }
  }

  @Test
  void theVersionIsTheOneThatIsBuilt() {
    Matcher built = VERSION.matcher(Pages.read("telemetry-bom/pom.xml"));
    assertThat(built.find()).isTrue();
    assertThat(VERSION.matcher(Pages.read("README.md")).results().map(MatchResult::group))
        .isNotEmpty()
        .containsOnly(built.group());
  }
}
