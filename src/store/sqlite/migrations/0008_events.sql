-- SPDX-License-Identifier: Apache-2.0
-- Scripts that nobody waits for are actions and, from here on, those of events. Of one lane one runs
-- at a time, in the order they came: an environment's actions are a lane, and a connection's events.
-- Those of events have no uuid: nobody asks what came of them, and they leave when they are over.
--
-- connection.deleted_at is -1 of a row that is held back until it is judged: nobody finds it by its
-- name. It becomes the live one, or goes over it, or is removed.

CREATE TABLE async_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT UNIQUE,
    lane TEXT NOT NULL,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
    script INTEGER NOT NULL REFERENCES script ON DELETE CASCADE,
    input BLOB,
    state INTEGER NOT NULL, -- 1 waits, 2 runs, 3 is over
    attempts INTEGER NOT NULL,
    max_retries INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    outcome BLOB,
    created_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO async_run (id, uuid, lane, environment, connection, script, input, state, attempts,
        max_retries, due_at, outcome, created_at, finished_at)
    SELECT id, uuid, 'action:' || environment, environment, connection, script, input, state,
        attempts, max_retries, due_at, outcome, created_at, finished_at FROM async_action;
DROP TABLE async_action;
CREATE UNIQUE INDEX async_run_running ON async_run (lane) WHERE state = 2;
CREATE INDEX async_run_due ON async_run (due_at, id) WHERE state = 1;
CREATE INDEX async_run_of_environment ON async_run (environment);
CREATE INDEX async_run_of_connection ON async_run (connection);
CREATE INDEX async_run_of_script ON async_run (script);
CREATE INDEX async_run_finished ON async_run (finished_at) WHERE state = 3;

CREATE INDEX connection_held ON connection (id) WHERE deleted_at = -1;

-- How far a script has come with a connection. One that was cleared stays, with its version, so
-- that who has seen it before cannot take what comes after for it.
CREATE TABLE checkpoint (
    connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT, -- an object; NULL = cleared
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (connection, key)
) STRICT, WITHOUT ROWID;
