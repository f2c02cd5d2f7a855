// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** An adapter that is wrong in one way fails the kit's test of that. */
class KitFaultsTest {

  private static ReferenceServer.Fault serverFault;
  private static ReferenceClient.Fault clientFault;

  static class FaultyServer extends ReferenceServerTest {
    @Override
    ReferenceServer.Fault fault() {
      return serverFault;
    }
  }

  static class FaultyClient extends ReferenceClientTest {
    @Override
    ReferenceClient.Fault fault() {
      return clientFault;
    }
  }

  @TestFactory
  Stream<DynamicTest> servers() {
    Map<ReferenceServer.Fault, String> tests = new EnumMap<>(ReferenceServer.Fault.class);
    tests.put(ReferenceServer.Fault.READS_NO_HEADERS, "continuesTheTraceThatCameIn");
    tests.put(ReferenceServer.Fault.READS_FIRST_LINES_ALONE, "joinsTheLinesOfTracestateAndBaggage");
    tests.put(ReferenceServer.Fault.LEAKS_ITS_SCOPE, "startsATraceWhereNoneCameIn");
    tests.put(ReferenceServer.Fault.NEVER_ENDS, "answersHead");
    tests.put(ReferenceServer.Fault.RECORDS_MORE_SPANS, "answersWithoutABody");
    tests.put(
        ReferenceServer.Fault.SWALLOWS_EXCEPTIONS,
        "anExceptionOfTheHandlerIsRecordedAndReachesTheServer");
    tests.put(ReferenceServer.Fault.CALLS_4XX_AN_ERROR, "aStatusOf4xxIsNoError");
    tests.put(ReferenceServer.Fault.SHOWS_THE_QUERY, "redactsTheValuesOfTheQuery");
    tests.put(ReferenceServer.Fault.RECORDS_HEALTH_CHECKS, "aHealthCheckLeavesNothing");
    tests.put(ReferenceServer.Fault.COUNTS_MILLISECONDS, "recordsTheDurationInSeconds");
    tests.put(ReferenceServer.Fault.TAKES_THE_LAST_PROXY, "knowsTheClientBehindProxies");
    tests.put(ReferenceServer.Fault.KEEPS_THE_METHOD, "anUnknownMethodIsOther");
    tests.put(ReferenceServer.Fault.NAMES_BY_PATH, "isNamedByMethodAndRoute");
    tests.put(ReferenceServer.Fault.SHARES_ITS_CONTEXT, "keepsConcurrentRequestsApart");
    tests.put(ReferenceServer.Fault.ECHOES_NOTHING, "echoesTheRequestId");
    tests.put(ReferenceServer.Fault.IS_NEVER_OFF, "passesTheContextOnWhenOff");
    tests.put(ReferenceServer.Fault.LETS_HOOKS_THROW, "aThrowingHookChangesNothing");
    return tests.entrySet().stream()
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.getKey().name(),
                    () -> {
                      serverFault = each.getKey();
                      assertFails(FaultyServer.class, each.getValue());
                    }));
  }

  @TestFactory
  Stream<DynamicTest> clients() {
    Map<ReferenceClient.Fault, String> tests = new EnumMap<>(ReferenceClient.Fault.class);
    tests.put(ReferenceClient.Fault.SENDS_NO_CONTEXT, "sendsItsContextAsynchronously");
    tests.put(ReferenceClient.Fault.SENDS_ITS_PARENT, "sendsItsContext");
    tests.put(ReferenceClient.Fault.CALLS_4XX_NO_ERROR, "aStatusOf4xxAnd5xxIsAnError");
    tests.put(ReferenceClient.Fault.SHOWS_CREDENTIALS, "redactsCredentialsAndTheValuesOfTheQuery");
    tests.put(ReferenceClient.Fault.WRAPS_EXCEPTIONS, "aRefusedConnectionThrowsAsItDoesWithoutUs");
    tests.put(ReferenceClient.Fault.FORGETS_CANCELLED_REQUESTS, "aCancelledRequestEndsItsSpan");
    tests.put(ReferenceClient.Fault.RECORDS_EACH_REDIRECT, "aRedirectIsOneSpan");
    tests.put(ReferenceClient.Fault.HANDS_THE_BODY_OVER_ANYWHERE, "handsTheBodyOverInItsContext");
    tests.put(ReferenceClient.Fault.THROWS_BEFORE_IT_IS_GUARDED, "aThrowingHookChangesNothing");
    return tests.entrySet().stream()
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.getKey().name(),
                    () -> {
                      clientFault = each.getKey();
                      assertFails(FaultyClient.class, each.getValue());
                    }));
  }

  private static void assertFails(Class<?> kit, String test) {
    JUnitRun run = JUnitRun.of(kit, test);

    assertThat(run.tests()).isNotEmpty();
    assertThat(run.failures()).as(test).isNotEmpty();
    // What fails is an assertion, not the fault's own way to break.
    assertThat(run.failures().keySet())
        .allSatisfy(name -> assertThat(run.failure(name)).isInstanceOf(AssertionError.class));
  }
}
