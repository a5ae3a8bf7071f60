-- SPDX-License-Identifier: Apache-2.0
-- Times are milliseconds since 1970 UTC, 0 = unset. Blobs named credentials, config, settings,
-- payload, secret, value, answer and hmac_key are sealed before they come here.
--
-- Ids are never used twice (AUTOINCREMENT): caches, journal entries and sealing contexts name
-- rows by them. Rows with deleted_at set are gone for everyone but the sweep.

PRAGMA application_id = 0x6e616e67; -- "nang"

CREATE TABLE key_ring (
    number INTEGER PRIMARY KEY,
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE environment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    public_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    is_production INTEGER NOT NULL,
    callback_url TEXT,
    hmac_enabled INTEGER NOT NULL,
    hmac_key BLOB,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    display_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret BLOB NOT NULL,
    sha256 BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    UNIQUE (environment, display_name)
) STRICT;

CREATE TABLE variable (
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (environment, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE integration (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    uid TEXT NOT NULL UNIQUE,
    unique_key TEXT NOT NULL,
    provider TEXT NOT NULL,
    display_name TEXT,
    forward_webhooks INTEGER NOT NULL,
    settings BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX integration_live ON integration (environment, unique_key)
    WHERE deleted_at = 0;
CREATE INDEX integration_of_environment ON integration (environment);

CREATE TABLE end_user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    end_user_id TEXT NOT NULL,
    email TEXT,
    display_name TEXT,
    tags TEXT,
    organization_id TEXT,
    organization_display_name TEXT,
    UNIQUE (environment, end_user_id)
) STRICT;

CREATE TABLE connection (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    integration INTEGER NOT NULL REFERENCES integration ON DELETE CASCADE,
    connection_id TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    auth_type TEXT NOT NULL,
    has_refresh_token INTEGER NOT NULL,
    credentials BLOB,
    config BLOB,
    metadata TEXT,
    tags TEXT NOT NULL DEFAULT '{}',
    errors TEXT NOT NULL DEFAULT '[]',
    end_user INTEGER REFERENCES end_user ON DELETE SET NULL,
    webhook_url_override TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_fetched_at INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL DEFAULT 0,
    last_refresh_success INTEGER NOT NULL DEFAULT 0,
    last_refresh_failure INTEGER NOT NULL DEFAULT 0,
    refresh_attempts INTEGER NOT NULL DEFAULT 0,
    refresh_exhausted INTEGER NOT NULL DEFAULT 0,
    lease_holder TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX connection_live ON connection (integration, connection_id)
    WHERE deleted_at = 0;
CREATE INDEX connection_of_integration ON connection (integration);
CREATE INDEX connection_of_end_user ON connection (end_user) WHERE end_user IS NOT NULL;
CREATE INDEX connection_newest ON connection (environment, created_at, id);
CREATE INDEX connection_deleted ON connection (deleted_at) WHERE deleted_at > 0;

CREATE TABLE refresh_journal (
    connection INTEGER PRIMARY KEY REFERENCES connection ON DELETE CASCADE,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE connect_session (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token BLOB NOT NULL UNIQUE,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    connection INTEGER REFERENCES connection ON DELETE CASCADE,
    payload BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX connect_session_of_environment ON connect_session (environment);
CREATE INDEX connect_session_of_connection ON connect_session (connection)
    WHERE connection IS NOT NULL;
CREATE INDEX connect_session_expiry ON connect_session (expires_at);

CREATE TABLE oauth_state (
    state BLOB PRIMARY KEY,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    payload BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_state_of_environment ON oauth_state (environment);
CREATE INDEX oauth_state_expiry ON oauth_state (expires_at);
