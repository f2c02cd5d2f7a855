// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.toy;

import dev.throughline.telemetry.Telemetry;
import dev.throughline.telemetry.instrument.AttributeSink;
import dev.throughline.telemetry.instrument.HeaderSetter;
import dev.throughline.telemetry.instrument.InstrumentedRequest;
import dev.throughline.telemetry.instrument.RequestConvention;
import dev.throughline.telemetry.instrument.RequestInstrumenter;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The smallest adapter there can be, by what CONTRIBUTING.md says: letters that are sent. */
final class ToyAdapter {

  record Letter(String to, Map<String, String> headers) {}

  interface Post {
    String send(Letter letter);
  }

  static Post wrap(Telemetry telemetry, Post post) {
    RequestInstrumenter<Letter, String> letters =
        telemetry
            .instrumenter("com.example.letters", new LetterConvention())
            .setDurationHistogram("letter.duration", "Duration of letters.")
            .build();
    return letter -> {
      InstrumentedRequest<Letter, String> started = letters.start(Context.current(), letter);
      if (started == null) {
        return post.send(letter);
      }
      try (Scope ignored = started.makeCurrent()) {
        String answer = post.send(letter);
        started.end(answer, null);
        return answer;
      } catch (Throwable t) {
        started.end(null, t);
        throw t;
      }
    };
  }

  private static final class LetterConvention implements RequestConvention<Letter, String> {

    @Override
    public SpanKind kind() {
      return SpanKind.CLIENT;
    }

    @Override
    public String spanName(Letter letter) {
      return "letter.send";
    }

    @Override
    public void onStart(AttributeSink attributes, Letter letter) {
      attributes.set(AttributeKey.stringKey("letter.to"), letter.to());
    }

    @Override
    public void onEnd(
        AttributeSink attributes, Letter letter, @Nullable String answer, @Nullable Throwable t) {}

    @Override
    public @Nullable String errorType(
        Letter letter, @Nullable String answer, @Nullable Throwable t) {
      return t == null ? null : t.getClass().getName();
    }

    @Override
    public Attributes durationAttributes(
        Letter letter, @Nullable String answer, @Nullable Throwable t) {
      return Attributes.empty();
    }

    @Override
    public HeaderSetter<Letter> requestSetter() {
      return (letter, name, value) -> letter.headers().put(name, value);
    }
  }
}
