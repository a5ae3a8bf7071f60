-- SPDX-License-Identifier: Apache-2.0
-- Syncs: a script's schedule for one connection and variant, with what came of its last run; and the
-- runs that wait or go on.

CREATE TABLE sync (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
    script INTEGER NOT NULL REFERENCES script ON DELETE CASCADE,
    variant TEXT NOT NULL,
    frequency TEXT, -- of its own, as written; NULL = the script's
    interval_ms INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    due_at INTEGER NOT NULL, -- the next run by its schedule; 0 = none
    runs INTEGER NOT NULL DEFAULT 0, -- begun so far
    last_sync_at INTEGER NOT NULL DEFAULT 0, -- when the last run began that succeeded
    created_at INTEGER NOT NULL,
    -- of the last run that is over; 0 and NULL when there was none
    started_at INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0,
    succeeded INTEGER NOT NULL DEFAULT 0,
    initial INTEGER NOT NULL DEFAULT 1,
    result TEXT -- per model {added, updated, deleted}
) STRICT;
CREATE UNIQUE INDEX sync_key ON sync (connection, script, variant);
CREATE INDEX sync_of_environment ON sync (environment);
CREATE INDEX sync_of_script ON sync (script);
CREATE INDEX sync_due ON sync (due_at, id) WHERE due_at > 0;

-- What is over has no row here.
CREATE TABLE sync_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sync INTEGER NOT NULL REFERENCES sync ON DELETE CASCADE,
    state INTEGER NOT NULL, -- 1 waits, 2 runs
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL, -- begun
    reset INTEGER NOT NULL, -- it forgets the last sync's date and checkpoint
    clear INTEGER NOT NULL, -- and removes the records
    again INTEGER NOT NULL DEFAULT 0, -- another is to follow: 1, or with reset 2, with clear 3
    cancelled INTEGER NOT NULL DEFAULT 0,
    initial INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER NOT NULL DEFAULT 0,
    holder TEXT, -- who runs it
    lease_until INTEGER NOT NULL DEFAULT 0
) STRICT;
-- One at a time for each sync, whatever the program thinks.
CREATE UNIQUE INDEX sync_run_active ON sync_run (sync);
CREATE INDEX sync_run_due ON sync_run (due_at, id) WHERE state = 1;
CREATE INDEX sync_run_lease ON sync_run (lease_until) WHERE state = 2;

-- What is deleted is not synced, whoever deletes it.
CREATE TRIGGER sync_of_deleted_connection AFTER UPDATE OF deleted_at ON connection
    WHEN NEW.deleted_at > 0
    BEGIN DELETE FROM sync WHERE connection = NEW.id; END;
CREATE TRIGGER sync_of_deleted_script AFTER UPDATE OF deleted_at ON script
    WHEN NEW.deleted_at > 0
    BEGIN DELETE FROM sync WHERE script = NEW.id; END;
