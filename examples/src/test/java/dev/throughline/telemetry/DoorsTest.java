// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.throughline.telemetry.http.Sideways;
import dev.throughline.telemetry.settings.Upwards;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The rooms of core and the modules on it: who may know whom, and by which doors. */
class DoorsTest {

  private static final String HOME = DoorsTest.class.getPackageName();
  private static final String ROOT = "";

  /** From the ground up: each room knows some of those before it, so that there is no cycle. */
  private static final List<Room> ROOMS =
      List.of(
          new Room("internals", Set.of()),
          new Room("instrument", Set.of("internals")),
          new Room("propagation", Set.of("internals", "instrument")),
          new Room("settings", Set.of("internals", "instrument", "propagation")),
          new Room("delivery", Set.of("internals", "instrument", "settings")),
          new Room("doctor", Set.of("internals", "instrument", "settings", "delivery")),
          new Room(
              ROOT,
              Set.of("internals", "instrument", "propagation", "settings", "delivery", "doctor")));

  /** The types of core's inner rooms that others may name. */
  private static final Map<String, Set<String>> DOORS =
      Map.of(
          "internals",
              Set.of(
                  "LatestOpenTelemetry",
                  "OnEndingProcessor",
                  "OpenTelemetryInternals",
                  "SdkHooks",
                  "Suppression"),
          "propagation", Set.of("BaggageMemory", "OffPropagators"),
          "settings", Set.of("Environment", "KnownSettings", "Secrets", "Setting", "Settings"),
          "doctor", Set.of("Diagnostics"));

  private record Room(String name, Set<String> known) {}

  private static Iterable<JavaClass> ours;

  @BeforeAll
  static void read() {
    // Only arrows between our own classes count.
    ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    ours =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(HOME);
  }

  private static String room(JavaClass type) {
    String name = type.getPackageName();
    return name.equals(HOME) ? ROOT : name.substring(HOME.length() + 1);
  }

  private static boolean isOurs(JavaClass type) {
    return (type.getPackageName() + '.').startsWith(HOME + '.');
  }

  private static List<String> wrongArrows(Iterable<JavaClass> classes) {
    List<String> wrong = new ArrayList<>();
    for (JavaClass type : classes) {
      for (Dependency arrow : type.getDirectDependenciesFromSelf()) {
        JavaClass target = arrow.getTargetClass().getBaseComponentType();
        if (isOurs(target) && !mayKnow(room(type), room(target), target)) {
          wrong.add(arrow.getDescription());
        }
      }
    }
    return wrong;
  }

  private static boolean mayKnow(String from, String to, JavaClass target) {
    for (Room room : ROOMS) {
      if (room.name.equals(from)) {
        return from.equals(to) || room.known.contains(to);
      }
    }
    // A module: itself, what users type, and what adapters are built from.
    return from.equals(to)
        || to.equals(ROOT)
        || to.equals("instrument")
        || target.getName().startsWith(HOME + ".delivery.Delivery");
  }

  @Test
  void eachRoomKnowsOnlyWhatItMay() {
    assertThat(wrongArrows(ours)).isEmpty();
    Set<String> before = new TreeSet<>();
    for (Room room : ROOMS) {
      assertThat(before).containsAll(room.known);
      before.add(room.name);
    }
  }

  @Test
  void aRoomHasItsDoorsAndNoOther() {
    for (Map.Entry<String, Set<String>> room : DOORS.entrySet()) {
      Set<String> open = new TreeSet<>();
      for (JavaClass type : ours) {
        if (room(type).equals(room.getKey())
            && type.isTopLevelClass()
            && type.getModifiers().contains(JavaModifier.PUBLIC)) {
          open.add(type.getSimpleName());
        }
      }
      assertThat(open).as(room.getKey()).isEqualTo(room.getValue());
    }
  }

  @Test
  void whatUsersTypeIsFew() {
    Set<String> types = new TreeSet<>();
    for (JavaClass type : ours) {
      if (room(type).equals(ROOT) && type.isTopLevelClass() && !type.isInterface()) {
        types.add(type.getSimpleName());
      }
    }
    assertThat(types).hasSizeBetween(5, 10).contains("Telemetry", "SpanBuilder");
  }

  /** Two classes of this test's own break the rules. */
  @Test
  void aWrongArrowIsFound() {
    assertThat(wrongArrows(new ClassFileImporter().importClasses(Sideways.class, Upwards.class)))
        .anyMatch(arrow -> arrow.contains("Sideways") && arrow.contains("GrpcTelemetry"))
        .anyMatch(arrow -> arrow.contains("Sideways") && arrow.contains("settings.Settings"))
        .anyMatch(arrow -> arrow.contains("Upwards") && arrow.contains(".Telemetry"));
  }
}
