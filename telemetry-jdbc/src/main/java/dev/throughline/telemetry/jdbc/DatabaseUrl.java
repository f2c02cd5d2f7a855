// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import dev.throughline.telemetry.instrument.HostAndPort;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads from a JDBC URL which database it leads to. */
final class DatabaseUrl {

  private static final Pattern HOST = option("host");
  private static final Pattern PORT = option("port");
  private static final Pattern SERVICE = option("service_name");
  private static final Pattern SID = option("sid");
  private static final Pattern DATABASE = option("database(?:name)?");
  private static final Pattern INSTANCE = option("instance(?:name)?");
  private static final Pattern SERVER = option("server(?:name)?");

  private final String system;
  private @Nullable String namespace;
  private @Nullable String address;
  private @Nullable Long port;

  private DatabaseUrl(String system) {
    this.system = system;
  }

  /** A name in front of its value, in the forms {@code ;name=value} and {@code (NAME = value)}. */
  private static Pattern option(String name) {
    return Pattern.compile(
        "(?:^|[;(,?&])\\s*" + name + "\\s*=\\s*([^;(),&]*)", Pattern.CASE_INSENSITIVE);
  }

  /** Never throws: of a URL that no one understands, the system is {@code other_sql}. */
  static Database parse(String url) {
    String rest = url;
    while (true) {
      int colon = rest.indexOf(':');
      if (colon < 0 || rest.startsWith("//")) {
        return new DatabaseUrl(Database.OTHER).authority(url, null).toDatabase();
      }
      String protocol = rest.substring(0, colon).toLowerCase(Locale.ROOT);
      rest = rest.substring(colon + 1);
      // Of wrapped URLs, such as jdbc:p6spy:postgresql://…, the first name that is known counts.
      DatabaseUrl parsed = parse(protocol, rest);
      if (parsed != null) {
        return parsed.toDatabase();
      }
    }
  }

  private static @Nullable DatabaseUrl parse(String protocol, String rest) {
    return switch (protocol) {
      case "postgresql", "pgsql" -> new DatabaseUrl("postgresql").postgresql(rest);
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
      default -> null;
    };
  }

  private Database toDatabase() {
    return new Database(system, namespace, address, port);
  }

  /** {@code postgresql://host:port/database} and {@code postgresql:database}. */
  private DatabaseUrl postgresql(String rest) {
    if (rest.startsWith("//")) {
      authority(rest, 5432L);
    } else {
      namespace = named(upTo(rest, "?"));
    }
    if (address == null) {
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
    String path = after.substring(authority.length());
    if (authority.indexOf('(') >= 0) {
      address = find(HOST, authority);
      port = number(find(PORT, authority), defaultPort);
    } else {
      hostAndPort(authority.substring(authority.lastIndexOf('@') + 1), defaultPort);
    }
    if (path.startsWith("/")) {
      namespace = named(upTo(path.substring(1), "?;#:&"));
    }
    return this;
  }

  private void hostAndPort(String hosts, @Nullable Long defaultPort) {
    HostAndPort first = HostAndPort.parse(upTo(hosts, ","));
    address = first.host();
    port = address == null ? null : first.port() == null ? defaultPort : first.port();
  }

  /** A database in this process, or a server of it: {@code mem:name}, {@code tcp://host/name}. */
  private DatabaseUrl embedded(String rest, @Nullable Long defaultPort) {
    if (rest.contains("://") || rest.startsWith("//")) {
      authority(rest, defaultPort);
      namespace = namespace == null ? null : fileName(namespace);
      return this;
    }
    String path = upTo(rest, "?;");
    if (path.equals(":memory:")) {
      return this;
    }
    path = path.substring(path.indexOf(':', path.indexOf(":\\") < 0 ? 0 : path.length()) + 1);
    namespace = named(fileName(path));
    return this;
  }

  /** A path may tell more than the database's name: of users, of temporary folders. */
  private static String fileName(String path) {
    return path.substring(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  }

  /** {@code thin:[user/password]@}, and one of Oracle's ways to name a database. */
  private DatabaseUrl oracle(String rest) {
    String target = rest.substring(rest.lastIndexOf('@') + 1);
    if (target.startsWith("(")) {
      address = find(HOST, target);
      port = address == null ? null : number(find(PORT, target), 1521L);
      namespace = find(SERVICE, target);
      namespace = namespace == null ? find(SID, target) : namespace;
      return this;
    }
    int slashes = target.indexOf("//");
    String place = upTo(slashes < 0 ? target : target.substring(slashes + 2), "?");
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
      namespace = named(hosts);
      return this;
    }
    hostAndPort(hosts, 1521L);
    namespace = service == null ? null : named(service);
    return this;
  }

  /** {@code //host[\instance][:port][;databaseName=…]}. */
  private DatabaseUrl sqlServer(String rest) {
    int slash = upTo(rest, ";").indexOf('\\');
    String named = slash < 0 ? "" : upTo(rest.substring(slash + 1), ":;/");
    authority(rest.replace("\\" + named, ""), null);
    String instance = named.isEmpty() ? find(INSTANCE, rest) : named;
    String database = find(DATABASE, rest);
    if (address == null) {
      address = find(SERVER, rest);
      port = number(find(PORT, rest), null);
    }
    if (address != null) {
      int backslash = address.indexOf('\\');
      if (backslash >= 0) {
        instance = address.substring(backslash + 1);
        address = address.substring(0, backslash);
      }
      // Where an instance is named without a port, only the server knows the port.
      port = port == null && instance == null ? Long.valueOf(1433) : port;
    }
    database = database == null ? namespace : database;
    namespace = instance == null || database == null ? database : instance + "|" + database;
    return this;
  }

  private static @Nullable String find(Pattern option, String text) {
    Matcher matcher = option.matcher(text);
    return matcher.find() ? named(matcher.group(1).strip()) : null;
  }

  private static @Nullable Long number(@Nullable String text, @Nullable Long otherwise) {
    if (text == null || !text.matches("[0-9]{1,5}")) {
      return otherwise;
    }
    return Long.valueOf(text);
  }

  private static @Nullable String named(String text) {
    return text.isEmpty() || text.equals("/") ? null : text;
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
