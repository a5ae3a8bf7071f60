-- SPDX-License-Identifier: Apache-2.0
-- Actions that were asked for without waiting: what is still to be run, and what came of the
-- others until someone fetches it or its time is over. `input` and `outcome` are sealed.

CREATE TABLE async_action (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
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
-- One at a time for each environment, whatever the program thinks.
CREATE UNIQUE INDEX async_action_running ON async_action (environment) WHERE state = 2;
CREATE INDEX async_action_due ON async_action (due_at, id) WHERE state = 1;
CREATE INDEX async_action_of_environment ON async_action (environment);
CREATE INDEX async_action_of_connection ON async_action (connection);
CREATE INDEX async_action_of_script ON async_action (script);
CREATE INDEX async_action_finished ON async_action (finished_at) WHERE state = 3;
