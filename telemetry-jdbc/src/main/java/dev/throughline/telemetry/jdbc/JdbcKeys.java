// Copyright The Throughline Authors
// SPDX-License-Identifier: Apache-2.0

package dev.throughline.telemetry.jdbc;

import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;

import io.opentelemetry.api.common.AttributeKey;

/**
 * The attributes and metrics of databases and pools.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/db/">Database semantic conventions</a>
 */
final class JdbcKeys {

  static final AttributeKey<String> DB_COLLECTION_NAME = stringKey("db.collection.name");
  static final AttributeKey<String> DB_NAMESPACE = stringKey("db.namespace");
  static final AttributeKey<Long> DB_OPERATION_BATCH_SIZE = longKey("db.operation.batch.size");
  static final AttributeKey<String> DB_OPERATION_NAME = stringKey("db.operation.name");
  static final AttributeKey<String> DB_QUERY_SUMMARY = stringKey("db.query.summary");
  static final AttributeKey<String> DB_QUERY_TEXT = stringKey("db.query.text");
  static final AttributeKey<String> DB_RESPONSE_STATUS_CODE = stringKey("db.response.status_code");
  static final AttributeKey<String> DB_STORED_PROCEDURE_NAME =
      stringKey("db.stored_procedure.name");
  static final AttributeKey<String> DB_SYSTEM_NAME = stringKey("db.system.name");
  static final AttributeKey<String> ERROR_TYPE = stringKey("error.type");
  static final AttributeKey<String> POOL_NAME = stringKey("db.client.connection.pool.name");
  static final AttributeKey<String> POOL_STATE = stringKey("db.client.connection.state");
  static final AttributeKey<String> SERVER_ADDRESS = stringKey("server.address");
  static final AttributeKey<Long> SERVER_PORT = longKey("server.port");
  static final AttributeKey<String> CONNECTION_POOL = stringKey("connection.pool");

  static final String OPERATION_DURATION = "db.client.operation.duration";
  static final String CONNECTION_COUNT = "db.client.connection.count";
  static final String CONNECTION_CREATE_TIME = "db.client.connection.create_time";
  static final String CONNECTION_IDLE_MIN = "db.client.connection.idle.min";
  static final String CONNECTION_MAX = "db.client.connection.max";
  static final String CONNECTION_PENDING_REQUESTS = "db.client.connection.pending_requests";
  static final String CONNECTION_TIMEOUTS = "db.client.connection.timeouts";
  static final String CONNECTION_USE_TIME = "db.client.connection.use_time";
  static final String CONNECTION_WAIT_TIME = "db.client.connection.wait_time";

  private JdbcKeys() {}
}
