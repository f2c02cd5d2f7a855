// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseUrlTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      nullValues = "-",
      value = {
        "jdbc:postgresql://db:6432/fleet?user=u&password=secret postgresql fleet db 6432",
        "jdbc:postgresql://db/fleet postgresql fleet db 5432",
        "jdbc:postgresql://one:1,two:2/fleet postgresql fleet one 1",
        "jdbc:postgresql://[2001:db8::1]:6432/fleet postgresql fleet 2001:db8::1 6432",
        "jdbc:postgresql://[::1]/fleet postgresql fleet ::1 5432",
        "jdbc:postgresql:fleet postgresql fleet localhost 5432",
        "jdbc:postgresql:fleet?ssl=true postgresql fleet localhost 5432",
        "jdbc:postgresql:///fleet postgresql fleet localhost 5432",
        "jdbc:postgresql:/ postgresql - localhost 5432",
        "jdbc:postgresql://u:secret@db/fleet postgresql fleet db 5432",
        "jdbc:p6spy:postgresql://db/fleet postgresql fleet db 5432",
        "jdbc:aws-wrapper:postgresql://db/fleet postgresql fleet db 5432",
        "jdbc:mysql://db:3307/fleet?useSSL=false mysql fleet db 3307",
        "jdbc:mysql://u:secret@db/fleet mysql fleet db 3306",
        "jdbc:mysql://db mysql - db 3306",
        "jdbc:mysql:replication://one,two/fleet mysql fleet one 3306",
        "jdbc:mysql://address=(host=db)(port=3307)/fleet mysql fleet db 3307",
        "jdbc:mysql://(host=db,port=3307)/fleet mysql fleet db 3307",
        "jdbc:mariadb:sequential://one:3307,two/fleet mariadb fleet one 3307",
        "jdbc:h2:mem:fleet;DB_CLOSE_DELAY=-1 h2database fleet - -",
        "jdbc:h2:mem: h2database - - -",
        "jdbc:h2:~/data/fleet h2database fleet - -",
        "jdbc:h2:file:/var/lib/fleet;PASSWORD=secret h2database fleet - -",
        "jdbc:h2:file:C:\\data\\fleet h2database fleet - -",
        "jdbc:h2:tcp://db/~/fleet h2database fleet db 9092",
        "jdbc:h2:ssl://db:9999/mem:fleet;USER=sa h2database mem db 9999",
        "jdbc:sqlite:/var/lib/fleet.db sqlite fleet.db - -",
        "jdbc:sqlite:fleet.db?mode=ro sqlite fleet.db - -",
        "jdbc:sqlite:file:fleet?mode=memory&cache=shared sqlite fleet - -",
        "jdbc:sqlite:C:\\data\\fleet.db sqlite fleet.db - -",
        "jdbc:sqlite::memory: sqlite - - -",
        "jdbc:sqlite: sqlite - - -",
        "jdbc:oracle:thin:@//db:1522/fleet oracle.db fleet db 1522",
        "jdbc:oracle:thin:@db/fleet oracle.db fleet db 1521",
        "jdbc:oracle:thin:scott/tiger@db:1522:ORCL oracle.db ORCL db 1522",
        "jdbc:oracle:thin:scott/ti@ger@//db/fleet:dedicated oracle.db fleet db 1521",
        "jdbc:oracle:thin:@tcps://db:2484/fleet?wallet_location=/w oracle.db fleet db 2484",
        "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST=db)(PORT=1522))(CONNECT_DATA=(SERVICE_NAME=fleet)))"
            + " oracle.db fleet db 1522",
        "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST=db))(CONNECT_DATA=(SID=ORCL)))"
            + " oracle.db ORCL db 1521",
        "jdbc:oracle:oci:@FLEET oracle.db FLEET - -",
        "jdbc:sqlserver://db:1434;databaseName=fleet;password=secret microsoft.sql_server fleet db 1434",
        "jdbc:sqlserver://db;database=fleet microsoft.sql_server fleet db 1433",
        "jdbc:sqlserver://db\\one;databaseName=fleet microsoft.sql_server one|fleet db -",
        "jdbc:sqlserver://db\\one:1435;databaseName=fleet microsoft.sql_server one|fleet db 1435",
        "jdbc:sqlserver://;serverName=db;databaseName=fleet microsoft.sql_server fleet db 1433",
        "jdbc:sqlserver://db microsoft.sql_server - db 1433",
        "jdbc:jtds:sqlserver://db/fleet;instance=one microsoft.sql_server one|fleet db -",
        "jdbc:db2://db:50001/fleet:user=u; ibm.db2 fleet db 50001",
        "jdbc:derby:memory:fleet;create=true derby fleet - -",
        "jdbc:derby://db/fleet derby fleet db 1527",
        "jdbc:hsqldb:mem:fleet hsqldb fleet - -",
        "jdbc:hsqldb:hsql://db:9002/fleet hsqldb fleet db 9002",
        "jdbc:clickhouse://db/fleet clickhouse fleet db 8123",
        "jdbc:redshift://db/fleet aws.redshift fleet db 5439",
        "jdbc:sap://db:30015/?databaseName=x sap.hana - db 30015",
        "jdbc:unheard-of://db:1234/fleet other_sql fleet db 1234",
        "jdbc:unheard-of:fleet other_sql - - -",
        "jdbc: other_sql - - -",
        "nonsense other_sql - - -",
      })
  void tellsOfADatabase(String url, String system, String namespace, String address, Long port) {
    assertThat(DatabaseUrl.parse(url)).isEqualTo(new Database(system, namespace, address, port));
  }

  /** Whatever of a user and password stands where no one expects it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:unheard-of://user:secret@db/fleet",
        "jdbc:unheard-of://user:a/secret@db/fleet",
        "jdbc:unheard-of://user:12?secret@db/fleet",
        "jdbc:unheard-of://User=user,Password=secret",
        "jdbc:unheard-of://db/DATABASE=fleet,USER=user,PASSWORD=secret",
        "jdbc:unheard-of:Server=db;Password=secret",
        "jdbc:unheard-of:user:mysql:secret",
        "jdbc:unheard-of:user:h2:secret",
        "jdbc:unheard-of:user:sqlite:secret@db",
        "jdbc:unheard-of://user:secret/fleet",
        "jdbc:exa:db:8563;user=sys;password=secret",
        "jdbc:teradata://db/USER=user,PASSWORD=secret",
        "jdbc:awsathena://AwsRegion=eu;UID=user;PWD=secret",
        "user:secret@db/fleet",
        "jdbc:postgresql://user:a/secret@db/fleet",
        "jdbc:postgresql://user:a?secret@db/fleet",
        "jdbc:postgresql://user:a#secret@db/fleet",
        "jdbc:postgresql://user:12/secret@db/fleet",
        "jdbc:postgresql://user:12?secret@db/fleet",
        "jdbc:postgresql://user:a@secret/b@db/fleet",
        "jdbc:postgresql://user:secret/fleet",
        "jdbc:postgresql:user:secret@db",
        "jdbc:mysql://address=(user=user)(password=secret)(host=db)/fleet",
        "jdbc:mysql://(user=user,password=secret,host=db)/fleet",
        "jdbc:mysql://user:a;secret@db/fleet",
        "jdbc:mariadb://db/fleet:secret@x",
        "jdbc:oracle:thin:scott/secret",
        "jdbc:oracle:thin:scott/a?secret@//db/fleet",
        "jdbc:oracle:thin:scott/a@secret?b@//db/fleet",
        "jdbc:oracle:thin:scott/\"a@secret\"@db:1521/fleet",
        "jdbc:oracle:thin:scott/secret@ldap://db:389/fleet,cn=OracleContext,dc=secret",
        "jdbc:sqlserver://db;password={a;databaseName=secret};user=user",
        "jdbc:sqlserver://db;password={a}};serverName=secret};databaseName=fleet",
        "jdbc:sqlserver://db;password=a,database=secret;user=user",
        "jdbc:h2:mem:fleet;INIT=RUNSCRIPT FROM 'http://user:secret@secret/x'",
        "jdbc:h2:tcp://user:a/secret@db/fleet",
        "jdbc:sqlite:fleet.db?key=secret",
        "jdbc:sqlite:file:user=secret",
        "jdbc:hsqldb:hsql://db/fleet;password=secret/secret",
        "jdbc:db2://db/fleet:user=user;password=a@secret;",
        "jdbc:ch:https://user:a/secret@db/fleet",
        "jdbc:snowflake://db/?password=secret@secret",
        "jdbc:bigquery://https://db:443;OAuthPvtKey=secret",
      })
  void noPartOfAPasswordBecomesAnAttribute(String url) {
    Database database = DatabaseUrl.parse(url);
    assertThat(database + database.target()).doesNotContain("secret", "12", "OracleContext");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      nullValues = "-",
      value = {
        "jdbc:postgresql://db/fleet?user=ada@x.org&password=p@ss postgresql fleet db 5432",
        "jdbc:sqlserver://db;password=p@ss;databaseName=fleet microsoft.sql_server fleet db 1433",
        "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST=db))(SECURITY=(DN=a@b))) oracle.db - db 1521",
        "jdbc:h2:tcp://db/mem:fleet h2database mem db 9092",
        "jdbc:snowflake://acct.snowflakecomputing.com/?db=f snowflake - acct.snowflakecomputing.com 443",
        "jdbc:tc:postgresql:16:///fleet postgresql fleet localhost 5432",
        "jdbc:throughline:3:mysql://db/fleet mysql fleet db 3306",
      })
  void anAtInAnOptionIsNoUser(
      String url, String system, String namespace, String address, Long port) {
    tellsOfADatabase(url, system, namespace, address, port);
  }

  @Test
  void noUrlMakesItThrow() {
    String letters = "jdbc:/@?;,=()[]\\|&#~ postgresql mysql oracle:thin sqlserver h2 sqlite 0";
    Random random = new Random(1);
    for (int i = 0; i < 50_000; i++) {
      StringBuilder url = new StringBuilder("jdbc:");
      int length = random.nextInt(30);
      for (int j = 0; j < length; j++) {
        int at = random.nextInt(letters.length());
        int end = random.nextBoolean() ? at + 1 : random.nextInt(at, letters.length()) + 1;
        url.append(letters, at, end);
      }
      assertThat(DatabaseUrl.parse(url.toString()).system()).isNotEmpty();
    }
  }
}
