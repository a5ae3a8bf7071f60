-- SPDX-License-Identifier: Apache-2.0
-- Listings: every filter has an index to come in by, with what it needs to sort and to count, so
-- that of 100,000 connections only those of the page are read.
--
-- Last use: in a narrow table of its own. It is written every second for each connection in use,
-- and a wide row costs a page of the log each.

DROP INDEX connection_newest;
CREATE INDEX connection_newest ON connection
    (environment, created_at, id, deleted_at, integration, end_user, connection_id);
DROP INDEX connection_of_integration;
CREATE INDEX connection_of_integration ON connection (integration, created_at, id, deleted_at);
DROP INDEX connection_of_end_user;
CREATE INDEX connection_of_end_user ON connection (end_user, created_at, id, deleted_at)
    WHERE end_user IS NOT NULL;
CREATE INDEX end_user_of_organization ON end_user (environment, organization_id)
    WHERE organization_id IS NOT NULL;

CREATE TABLE connection_use (
    connection INTEGER PRIMARY KEY REFERENCES connection ON DELETE CASCADE,
    last_fetched_at INTEGER NOT NULL
) STRICT;
INSERT INTO connection_use (connection, last_fetched_at)
    SELECT id, last_fetched_at FROM connection WHERE last_fetched_at > 0;
ALTER TABLE connection DROP COLUMN last_fetched_at;
