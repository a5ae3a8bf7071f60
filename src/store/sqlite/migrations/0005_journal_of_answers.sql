-- SPDX-License-Identifier: Apache-2.0
-- The journal holds answers, not one answer for each connection. Each has an id of its own, so that
-- whoever settles one cannot take away another, and the holder of the lease that it came under, so
-- that it is left alone while that one is at work. One that nobody can read stays, marked as refused,
-- until newer credentials make it worthless: a later version may read it.

CREATE TABLE refresh_answer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
    holder TEXT NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO refresh_answer (connection, holder, answer, created_at)
    SELECT connection, '', answer, created_at FROM refresh_journal ORDER BY created_at;
DROP TABLE refresh_journal;
ALTER TABLE refresh_answer RENAME TO refresh_journal;
CREATE INDEX refresh_journal_of_connection ON refresh_journal (connection);
