-- SPDX-License-Identifier: Apache-2.0
-- Scripts. A script is known by its integration, kind and name (and event, where it has one); each
-- deploy makes a version of it, one of which is active. What a version runs is kept once for all versions that share it, found by
-- its SHA-256 and compressed with zstd.
--
-- Columns that hold lists and objects hold JSON texts.

CREATE TABLE code (
    sha256 BLOB PRIMARY KEY,
    size INTEGER NOT NULL, -- of the text
    content BLOB NOT NULL
) STRICT;

CREATE TABLE script (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    integration INTEGER NOT NULL REFERENCES integration ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    event TEXT NOT NULL DEFAULT '',
    enabled INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX script_live ON script (integration, kind, name, event)
    WHERE deleted_at = 0;
CREATE INDEX script_of_environment ON script (environment);
CREATE INDEX script_of_integration ON script (integration);
CREATE INDEX script_deleted ON script (deleted_at) WHERE deleted_at > 0;

CREATE TABLE script_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    script INTEGER NOT NULL REFERENCES script ON DELETE CASCADE,
    active INTEGER NOT NULL,
    version TEXT NOT NULL,
    js BLOB NOT NULL REFERENCES code,
    ts BLOB REFERENCES code,
    description TEXT NOT NULL,
    models TEXT NOT NULL,
    input TEXT,
    endpoints TEXT NOT NULL,
    scopes TEXT NOT NULL,
    json_schema TEXT,
    model_schema TEXT,
    runs TEXT,
    sync_type TEXT,
    auto_start INTEGER NOT NULL,
    track_deletes INTEGER NOT NULL,
    webhook_subscriptions TEXT NOT NULL,
    attributes TEXT NOT NULL,
    features TEXT NOT NULL,
    sdk_version TEXT,
    source TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX script_version_active ON script_version (script) WHERE active = 1;
CREATE INDEX script_version_of_script ON script_version (script, id);
CREATE INDEX script_version_js ON script_version (js);
CREATE INDEX script_version_ts ON script_version (ts) WHERE ts IS NOT NULL;
