-- SPDX-License-Identifier: Apache-2.0
-- Tags of connections as rows, so that listing by tag is a lookup. connection.tags stays what is
-- shown; the triggers keep the rows the same as it.
--
-- The columns stand in the order of the key: else SQLite's quick_check, which runs after a crash,
-- takes the table for damaged (seen in 3.40.1, WITHOUT ROWID only).

CREATE TABLE connection_tag (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    connection INTEGER NOT NULL REFERENCES connection ON DELETE CASCADE,
    PRIMARY KEY (key, value, connection)
) STRICT, WITHOUT ROWID;
CREATE INDEX connection_tag_of_connection ON connection_tag (connection);

CREATE TRIGGER connection_tags_inserted AFTER INSERT ON connection WHEN NEW.tags <> '{}'
BEGIN
    INSERT OR REPLACE INTO connection_tag (connection, key, value)
        SELECT NEW.id, t.key, CAST(t.value AS TEXT) FROM json_each(NEW.tags) t
        WHERE t.value IS NOT NULL;
END;

CREATE TRIGGER connection_tags_updated AFTER UPDATE OF tags ON connection
    WHEN NEW.tags <> OLD.tags
BEGIN
    DELETE FROM connection_tag WHERE connection = NEW.id;
    INSERT OR REPLACE INTO connection_tag (connection, key, value)
        SELECT NEW.id, t.key, CAST(t.value AS TEXT) FROM json_each(NEW.tags) t
        WHERE t.value IS NOT NULL;
END;

INSERT OR REPLACE INTO connection_tag (connection, key, value)
    SELECT c.id, t.key, CAST(t.value AS TEXT) FROM connection c, json_each(c.tags) t
    WHERE t.value IS NOT NULL;
