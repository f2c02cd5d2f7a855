// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.http;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Answers with the objects that an asynchronous request gets: its own ones, the same each time. */
final class AsyncObjects {

  private static final int LISTENERS = 2;

  private AsyncObjects() {}

  @FunctionalInterface
  private interface Call {
    void run() throws Exception;
  }

  /**
   * Answers when its time is up.
   *
   * @param given whether the request and the response are given to {@code startAsync}
   */
  static void answer(HttpServletRequest request, HttpServletResponse response, boolean given)
      throws IOException {
    List<Object> seen = new CopyOnWriteArrayList<>();
    ServletInputStream in = request.getInputStream();
    ServletOutputStream out = response.getOutputStream();
    AsyncContext async = given ? request.startAsync(request, response) : request.startAsync();
    seen.add(async == request.getAsyncContext());
    seen.add(async.hasOriginalRequestAndResponse());
    seen.add(async.getRequest() == request);
    seen.add(async.getResponse() == response);
    seen.add(in == request.getInputStream());
    seen.add(out == response.getOutputStream());
    seen.add(in == async.getRequest().getInputStream());
    seen.add(out == async.getResponse().getOutputStream());
    seen.add(failure(() -> async.createListener(AsyncListener.class)));
    seen.add(failure(() -> in.setReadListener(null)));
    seen.add(failure(() -> out.setWriteListener(null)));
    seen.add(failure(request::startAsync));
    async.setTimeout(50);
    seen.add(async.getTimeout());
    async.addListener(new Answering(request, response, async, seen));
    async.addListener(new Answering(request, response, async, seen), request, response);
  }

  /** Answers what a request that is not asynchronous gets. */
  static void answerAtOnce(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    ServletInputStream in = request.getInputStream();
    ServletOutputStream out = response.getOutputStream();
    String seen =
        failure(request::getAsyncContext)
            + failure(() -> in.setReadListener(new Reading()))
            + failure(() -> out.setWriteListener(new Writing()));
    out.print(seen);
  }

  private static String failure(Call call) {
    try {
      call.run();
      return "nothing";
    } catch (Exception e) {
      return e.getClass().getName();
    }
  }

  /** Tells which objects the container names; the last of its kind answers. */
  private record Answering(
      ServletRequest request, ServletResponse response, AsyncContext async, List<Object> seen)
      implements AsyncListener {

    private static final String LAST = "the listener's";

    @Override
    public void onTimeout(AsyncEvent event) throws IOException {
      seen.add(LAST);
      seen.add(event.getAsyncContext() == async);
      seen.add(event.getSuppliedRequest() == request);
      seen.add(event.getSuppliedResponse() == response);
      seen.add(String.valueOf(event.getThrowable()));
      if (seen.stream().filter(LAST::equals).count() == LISTENERS) {
        async.getResponse().getOutputStream().print(seen.toString());
        async.complete();
      }
    }

    @Override
    public void onComplete(AsyncEvent event) {}

    @Override
    public void onError(AsyncEvent event) {}

    @Override
    public void onStartAsync(AsyncEvent event) {}
  }

  private static final class Reading implements ReadListener {

    @Override
    public void onDataAvailable() {}

    @Override
    public void onAllDataRead() {}

    @Override
    public void onError(Throwable thrown) {}
  }

  private static final class Writing implements WriteListener {

    @Override
    public void onWritePossible() {}

    @Override
    public void onError(Throwable thrown) {}
  }
}
