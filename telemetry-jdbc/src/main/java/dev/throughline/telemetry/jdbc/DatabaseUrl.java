// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.HostAndPort;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads from a JDBC URL which database it leads to. What may be part of a password is never taken
 * for a host, a port or a name: where a character stands that the form of the URL does not expect,
 * such as an {@code @} behind the host, only the system is told.
 */
final class DatabaseUrl {

  private static final Pattern HOST = option("[(,]", "host");
  private static final Pattern PORT = option("[(,]", "port");
  private static final Pattern SERVICE = option("[(,]", "service_name");
  private static final Pattern SID = option("[(,]", "sid");
  private static final Pattern DATABASE = option(";", "database(?:name)?");
  private static final Pattern INSTANCE = option(";", "instance(?:name)?");
  private static final Pattern SERVER = option(";", "server(?:name)?");
  private static final Pattern SERVER_PORT = option(";", "port(?:number)?");

  private static final Pattern HOST_NAME = Pattern.compile("[\\p{L}\\p{N}._-]+");
  private static final Pattern NAME = Pattern.compile("[^@=:;?&#/\\\\(){}\\[\\],'\"]+");
  private static final Pattern OPTIONS = Pattern.compile("[?;#][\\w.$-]+=.*");

  /** What stands before the URL of another driver. */
  private static final Set<String> WRAPPERS =
      Set.of(
          ("jdbc p6spy aws-wrapper log4jdbc otel tracing throughline tc jtds microsoft datadirect"
                  + " weblogic tibcosoftware")
              .split(" "));

  private final String system;
  private @Nullable String namespace;
  private @Nullable String address;
  private @Nullable Long port;

  private DatabaseUrl(String system) {
    this.system = system;
  }

  /** A name in front of its value, in the forms {@code ;name=value} and {@code (NAME = value)}. */
  private static Pattern option(String before, String name) {
    return Pattern.compile(
        before + "\\s*" + name + "\\s*=\\s*([^;(),&]*)", Pattern.CASE_INSENSITIVE);
  }

  /** Never throws: of a URL that no one understands, the system is {@code other_sql}. */
  static Database parse(String url) {
    String rest = url;
    while (true) {
      int colon = rest.indexOf(':');
      if (colon < 0) {
        return Database.UNKNOWN;
      }
      String protocol = rest.substring(0, colon).toLowerCase(Locale.ROOT);
      rest = rest.substring(colon + 1);
      DatabaseUrl parsed = parse(protocol, rest);
      if (parsed != null) {
        return parsed.toDatabase();
      }
      if (!WRAPPERS.contains(protocol) && !protocol.matches("[0-9]+")) {
        DatabaseUrl other = new DatabaseUrl(Database.OTHER);
        // Nobody knows which parts of it hold what.
        return rest.indexOf('@') < 0 && rest.startsWith("//")
            ? other.authority(rest, null).toDatabase()
            : Database.UNKNOWN;
      }
    }
  }

  private static @Nullable DatabaseUrl parse(String protocol, String rest) {
    return switch (protocol) {
      case "postgresql", "pgsql" -> new DatabaseUrl("postgresql").postgresql(rest);
      case "cockroachdb" -> new DatabaseUrl("cockroachdb").authority(rest, 26257L);
      case "mysql" -> new DatabaseUrl("mysql").authority(rest, 3306L);
      case "mariadb" -> new DatabaseUrl("mariadb").authority(rest, 3306L);
      case "h2" -> new DatabaseUrl("h2database").embedded(rest, 9092L);
      case "sqlite" -> new DatabaseUrl("sqlite").embedded(rest, null);
      case "oracle" -> new DatabaseUrl("oracle.db").oracle(rest);
      case "sqlserver" -> new DatabaseUrl("microsoft.sql_server").sqlServer(rest);
      case "db2" -> new DatabaseUrl("ibm.db2").authority(rest, 50000L);
      case "derby" -> new DatabaseUrl("derby").embedded(rest, 1527L);
      case "hsqldb" -> new DatabaseUrl("hsqldb").embedded(rest, 9001L);
      case "clickhouse", "ch" -> new DatabaseUrl("clickhouse").authority(rest, 8123L);
      case "redshift" -> new DatabaseUrl("aws.redshift").authority(rest, 5439L);
      case "sap" -> new DatabaseUrl("sap.hana").authority(rest, null);
      case "snowflake" -> new DatabaseUrl("snowflake").authority(rest, 443L);
      case "trino" -> new DatabaseUrl("trino").authority(rest, null);
      case "bigquery" -> new DatabaseUrl("gcp.bigquery");
      case "cloudspanner" -> new DatabaseUrl("gcp.spanner");
      default -> null;
    };
  }

  private Database toDatabase() {
    return new Database(system, namespace, address, port);
  }

  /** {@code postgresql://host:port/database} and {@code postgresql:database}. */
  private DatabaseUrl postgresql(String rest) {
    boolean isLocal = !rest.startsWith("//") || rest.startsWith("///");
    if (rest.contains("//")) {
      authority(rest, 5432L);
    } else {
      namespace = name(upTo(rest, "?"));
    }
    if (isLocal && address == null) {
      address = "localhost";
      port = 5432L;
    }
    return this;
  }

  /** {@code [word:]//[user@]host[:port][,more][/database][options]}. */
  private DatabaseUrl authority(String rest, @Nullable Long defaultPort) {
    int slashes = rest.indexOf("//");
    if (slashes < 0) {
      return this;
    }
    String after = rest.substring(slashes + 2);
    String authority = upTo(after, "/?;#");
    String path = upTo(after.substring(authority.length()), "?;#");
    String options = after.substring(authority.length() + path.length());
    if (path.indexOf('@') >= 0 || mayHoldPassword(options)) {
      return this;
    }
    boolean known = true;
    if (authority.indexOf('(') >= 0) {
      address = host(find(HOST, authority));
      port = number(find(PORT, authority), defaultPort);
    } else {
      known = hostAndPort(authority.substring(authority.lastIndexOf('@') + 1), defaultPort);
    }
    if (known && path.startsWith("/")) {
      namespace = name(upTo(path.substring(1), ":&"));
    }
    return this;
  }

  /** Whether what follows the first question mark or semicolon is perhaps no list of options. */
  private static boolean mayHoldPassword(String options) {
    return options.indexOf('@') >= 0 && !OPTIONS.matcher(options).matches();
  }

  /** Whether it is what it should be: a user's name and password look like a host and its port. */
  private boolean hostAndPort(String hosts, @Nullable Long defaultPort) {
    String first = upTo(hosts, ",");
    int colon = first.lastIndexOf(':');
    HostAndPort place = HostAndPort.parse(first);
    if (colon > first.indexOf(']') && colon < first.length() - 1 && place.port() == null) {
      return false;
    }
    address = first.startsWith("[") ? place.host() : host(place.host());
    port = address == null ? null : place.port() == null ? defaultPort : place.port();
    return address != null || first.isEmpty();
  }

  /** A database in this process, or a server of it: {@code mem:name}, {@code tcp://host/name}. */
  private DatabaseUrl embedded(String rest, @Nullable Long defaultPort) {
    String path = upTo(rest, "?;");
    if (path.contains("//")) {
      authority(rest, defaultPort);
      int slashes = path.indexOf("//");
      String within = path.substring(slashes + 2);
      int slash = within.indexOf('/');
      boolean read = address != null && slash >= 0;
      namespace = read ? name(upTo(fileName(within.substring(slash + 1)), ":")) : null;
      return this;
    }
    if (path.equals(":memory:")) {
      return this;
    }
    path = path.substring(path.indexOf(':', path.indexOf(":\\") < 0 ? 0 : path.length()) + 1);
    namespace = name(fileName(path));
    return this;
  }

  /** A path may tell more than the database's name: of users, of temporary folders. */
  private static String fileName(String path) {
    return path.substring(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  }

  /** {@code thin:[user/password]@}, and one of Oracle's ways to name a database. */
  private DatabaseUrl oracle(String rest) {
    String head = upTo(rest, "?");
    int at = head.contains("@(") ? head.indexOf("@(") : head.lastIndexOf('@');
    if (at < 0 || mayHoldPassword(rest.substring(head.length()))) {
      return this;
    }
    String target = head.substring(at + 1);
    if (target.startsWith("(")) {
      address = host(find(HOST, target));
      port = address == null ? null : number(find(PORT, target), 1521L);
      namespace = name(find(SERVICE, target));
      namespace = namespace == null ? name(find(SID, target)) : namespace;
      return this;
    }
    int slashes = target.indexOf("//");
    String place = slashes < 0 ? target : target.substring(slashes + 2);
    int slash = place.indexOf('/');
    String hosts = slash < 0 ? place : place.substring(0, slash);
    String service = slash < 0 ? null : upTo(place.substring(slash + 1), ":/");
    String[] parts = hosts.split(":", -1);
    if (service == null && parts.length == 3) {
      // host:port:sid
      service = parts[2];
      hosts = parts[0] + ":" + parts[1];
    } else if (service == null && parts.length == 1 && slashes < 0) {
      // An alias of tnsnames.ora, which alone knows the host.
      namespace = name(hosts);
      return this;
    }
    namespace = hostAndPort(hosts, 1521L) ? name(service) : null;
    return this;
  }

  /** {@code //host[\instance][:port][;databaseName=…]}. */
  private DatabaseUrl sqlServer(String url) {
    // Values in braces may hold anything.
    String rest = url.replaceAll("\\{([^}]|\\}\\})*\\}?", "");
    String authority = upTo(rest.substring(rest.indexOf("//") < 0 ? 0 : 2), "/;?");
    String instance = find(INSTANCE, rest);
    int backslash = authority.indexOf('\\');
    if (backslash >= 0) {
      instance = upTo(authority.substring(backslash + 1), ":");
      rest = rest.replaceFirst("\\\\[^:;/?]*", "");
    }
    authority(rest, null);
    String database = find(DATABASE, rest);
    if (address == null) {
      address = host(find(SERVER, rest));
      port = number(find(SERVER_PORT, rest), null);
    }
    // Where an instance is named without a port, only the server knows the port.
    boolean isDefault = address != null && port == null && instance == null;
    port = isDefault ? Long.valueOf(1433) : port;
    database = database == null ? namespace : name(database);
    instance = name(instance);
    namespace = instance == null || database == null ? database : instance + "|" + database;
    return this;
  }

  private static @Nullable String find(Pattern option, String text) {
    Matcher matcher = option.matcher(text);
    return matcher.find() ? matcher.group(1).strip() : null;
  }

  private static @Nullable Long number(@Nullable String text, @Nullable Long otherwise) {
    return text == null || !text.matches("[0-9]{1,5}") ? otherwise : Long.valueOf(text);
  }

  private static @Nullable String host(@Nullable String text) {
    return text != null && HOST_NAME.matcher(text).matches() ? text : null;
  }

  private static @Nullable String name(@Nullable String text) {
    return text != null && !text.isBlank() && NAME.matcher(text).matches() ? text : null;
  }

  /** The text before the first of these characters. */
  private static String upTo(String text, String ends) {
    for (int i = 0; i < text.length(); i++) {
      if (ends.indexOf(text.charAt(i)) >= 0) {
        return text.substring(0, i);
      }
    }
    return text;
  }
}
