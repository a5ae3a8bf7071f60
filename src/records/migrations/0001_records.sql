-- SPDX-License-Identifier: Apache-2.0
-- What syncs save. Times are microseconds since 1970.

PRAGMA application_id = 0x6e726563; -- "nrec"

-- The last time that a write was given: the next one is later, whatever the clock says.
CREATE TABLE stamp (id INTEGER PRIMARY KEY CHECK (id = 1), last_us INTEGER NOT NULL) STRICT;
INSERT INTO stamp VALUES (1, 0);

-- What the hashes of payloads are keyed with, sealed: who has the file alone cannot tell by them
-- whether a payload is one that he guesses.
CREATE TABLE hash_key (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL) STRICT;

-- One model of one connection; of a variant it is "Model::variant".
CREATE TABLE part (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL,
    connection INTEGER NOT NULL, -- row id in nango.db
    made INTEGER NOT NULL, -- when that row was made: after a restore the id may be another's
    model TEXT NOT NULL,
    live INTEGER NOT NULL DEFAULT 0, -- how many are not deleted
    tracked INTEGER NOT NULL DEFAULT 0 -- 1: what is saved is noted in `seen`
) STRICT;
CREATE UNIQUE INDEX part_key ON part (connection, made, model);
CREATE INDEX part_of_environment ON part (environment);

-- Whether a record is new, changed or the same is told by this narrow table alone.
CREATE TABLE record_key (
    part INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    record INTEGER NOT NULL,
    hash BLOB NOT NULL,
    state INTEGER NOT NULL, -- 0 live, 1 live and pruned, 2 deleted, 3 deleted and pruned
    PRIMARY KEY (part, external_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    part INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    uuid BLOB NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL, -- 0 = it is live
    pruned INTEGER NOT NULL, -- 0 = it has its payload
    payload BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_order ON record (part, updated, uuid);

-- While deletes are tracked: what was saved since then.
CREATE TABLE seen (
    part INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (part, record)
) STRICT, WITHOUT ROWID;
