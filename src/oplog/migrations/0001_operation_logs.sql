-- SPDX-License-Identifier: Apache-2.0
-- Times are milliseconds since 1970 UTC, 0 = unset. Ids begin with the time (oplog_int.h): what is
-- too old is a range of them. Nothing here is a secret, and nothing refers to the other database
-- but by numbers that may name nothing any more.

PRAGMA application_id = 0x6e6c6f67; -- "nlog"

CREATE TABLE operation (
    environment INTEGER NOT NULL,
    id INTEGER NOT NULL,
    state INTEGER NOT NULL, -- enum oplog_state
    durable INTEGER NOT NULL,
    type TEXT NOT NULL,
    action TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    integration_id INTEGER NOT NULL,
    integration TEXT,
    provider TEXT,
    connection_id INTEGER NOT NULL,
    connection TEXT,
    script_id INTEGER NOT NULL,
    script TEXT,
    message TEXT,
    error TEXT, -- JSON {type, message, stack}
    meta TEXT, -- JSON object
    PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;
-- WAITING and RUNNING; few at any time.
CREATE INDEX operation_unfinished ON operation (state) WHERE state < 2;

-- Not kept in the order of operations: rows of more than a quarter of a page would take whole ones.
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    level INTEGER NOT NULL, -- enum oplog_level
    kind INTEGER NOT NULL, -- enum entry_source
    message TEXT NOT NULL,
    detail TEXT -- JSON object of further members
) STRICT;
CREATE INDEX message_operation ON message (environment, operation);

-- Proxied calls, by hundreds: the call at place n (from 0) has the id first + n.
CREATE TABLE call_block (
    environment INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    data BLOB NOT NULL, -- a codec byte, then JSON objects, one a line (call.c)
    PRIMARY KEY (environment, first)
) STRICT, WITHOUT ROWID;
