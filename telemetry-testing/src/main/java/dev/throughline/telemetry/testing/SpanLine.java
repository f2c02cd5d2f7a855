// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.testing;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A span in a tree, as a test wrote it or as it was recorded. */
record SpanLine(
    int depth, String name, SpanKind kind, boolean error, Map<String, String> attributes) {

  private static final String ERROR = "ERROR";
  private static final Pattern LINE = Pattern.compile("( *)(\\S+(?: \\S+)*)(?: {2,}(.*))?");
  private static final Pattern DETAIL =
      Pattern.compile(
          "(?<key>[^\\s=\"]+)=(?:\"(?<quoted>(?:[^\"\\\\]|\\\\.)*)\"|(?<bare>[^\\s\"]\\S*))"
              + "|(?<word>\\S+)");

  private static final Comparator<SpanData> ORDER =
      Comparator.comparingLong(SpanData::getStartEpochNanos).thenComparing(SpanData::getName);

  /** The lines of a tree that a test wrote. */
  static List<SpanLine> parse(String tree) {
    List<SpanLine> lines = new ArrayList<>();
    Deque<Integer> indents = new ArrayDeque<>();
    for (String written : tree.lines().filter(line -> !line.isBlank()).toList()) {
      Matcher line = LINE.matcher(written.stripTrailing());
      if (!line.matches()) {
        throw new IllegalArgumentException("\"" + written + "\" is no line of a tree");
      }
      int depth = depth(indents, line.group(1).length(), written);
      lines.add(parse(depth, line.group(2), line.group(3) == null ? "" : line.group(3)));
    }
    return lines;
  }

  private static int depth(Deque<Integer> indents, int indent, String written) {
    boolean up = false;
    while (!indents.isEmpty() && indents.peek() > indent) {
      indents.pop();
      up = true;
    }
    if (indents.isEmpty() || indents.peek() < indent) {
      if (up) {
        throw new IllegalArgumentException("\"" + written + "\" is indented as no line above it");
      }
      indents.push(indent);
    }
    return indents.size() - 1;
  }

  private static SpanLine parse(int depth, String name, String details) {
    SpanKind kind = SpanKind.INTERNAL;
    boolean error = false;
    Map<String, String> attributes = new LinkedHashMap<>();
    Matcher detail = DETAIL.matcher(details);
    while (detail.find()) {
      String word = detail.group("word");
      if (word == null) {
        String quoted = detail.group("quoted");
        attributes.put(
            detail.group("key"),
            quoted == null ? detail.group("bare") : quoted.replaceAll("\\\\(.)", "$1"));
      } else if (word.equals(ERROR)) {
        error = true;
      } else {
        kind = kind(word);
      }
    }
    return new SpanLine(depth, name, kind, error, attributes);
  }

  private static SpanKind kind(String word) {
    for (SpanKind kind : SpanKind.values()) {
      if (kind.name().equals(word)) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        "\"" + word + "\" is neither a span's kind, nor ERROR, nor key=value");
  }

  /** The lines of the trees that spans make. */
  static List<SpanLine> of(List<SpanData> spans) {
    Set<String> ids = spans.stream().map(SpanData::getSpanId).collect(Collectors.toSet());
    List<SpanData> roots = new ArrayList<>();
    Map<String, List<SpanData>> children = new HashMap<>();
    for (SpanData span : spans.stream().sorted(ORDER).toList()) {
      List<SpanData> siblings =
          ids.contains(span.getParentSpanId())
              ? children.computeIfAbsent(span.getParentSpanId(), id -> new ArrayList<>())
              : roots;
      siblings.add(span);
    }
    List<SpanLine> lines = new ArrayList<>();
    addAll(roots, 0, children, lines);
    return lines;
  }

  private static void addAll(
      List<SpanData> siblings,
      int depth,
      Map<String, List<SpanData>> children,
      List<SpanLine> lines) {
    for (SpanData span : siblings) {
      lines.add(of(span, depth));
      addAll(children.getOrDefault(span.getSpanId(), List.of()), depth + 1, children, lines);
    }
  }

  private static SpanLine of(SpanData span, int depth) {
    Map<String, String> attributes = new HashMap<>();
    for (Map.Entry<AttributeKey<?>, Object> attribute : span.getAttributes().asMap().entrySet()) {
      attributes.put(attribute.getKey().getKey(), String.valueOf(attribute.getValue()));
    }
    return new SpanLine(
        depth,
        span.getName(),
        span.getKind(),
        span.getStatus().getStatusCode() == StatusCode.ERROR,
        attributes);
  }

  /** Whether a recorded span is what this line says. */
  boolean describes(SpanLine recorded) {
    return depth == recorded.depth
        && name.equals(recorded.name)
        && kind == recorded.kind
        && error == recorded.error
        && recorded.attributes.entrySet().containsAll(attributes.entrySet());
  }

  /** This line as a test would write it, with these attributes, as far as it has them. */
  String write(Set<String> keys) {
    StringBuilder line = new StringBuilder("  ".repeat(depth)).append(name);
    String separator = "  ";
    if (kind != SpanKind.INTERNAL) {
      line.append(separator).append(kind);
      separator = " ";
    }
    if (error) {
      line.append(separator).append(ERROR);
      separator = " ";
    }
    for (String key : keys) {
      String value = attributes.get(key);
      if (value != null) {
        line.append(separator).append(key).append('=').append(quoted(value));
        separator = " ";
      }
    }
    return line.toString();
  }

  private static String quoted(String value) {
    boolean bare = !value.isEmpty() && value.chars().noneMatch(c -> c == '"' || c <= ' ');
    return bare ? value : '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
