-- SPDX-License-Identifier: Apache-2.0
-- Webhooks that are sent: where an environment wants which, what is said, to whom it has gone.

ALTER TABLE environment ADD COLUMN webhook_url TEXT;
ALTER TABLE environment ADD COLUMN webhook_url_secondary TEXT;
ALTER TABLE environment ADD COLUMN webhook_kinds INTEGER NOT NULL DEFAULT 31; -- enum webhook_kind
ALTER TABLE environment ADD COLUMN signing_key BLOB; -- sealed; NULL = the oldest API key

CREATE TABLE webhook_message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    type TEXT NOT NULL,
    integration TEXT, -- as they were named then
    connection TEXT,
    body BLOB NOT NULL, -- sealed
    headers BLOB, -- sealed
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_message_of_environment ON webhook_message (environment);

CREATE TABLE webhook_delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES webhook_message ON DELETE CASCADE,
    environment INTEGER NOT NULL,
    url TEXT NOT NULL,
    state INTEGER NOT NULL, -- 1 waits, 2 is being sent, 3 delivered, 4 dead
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, -- begun since it was put or replayed
    made INTEGER NOT NULL DEFAULT 0, -- all that were made
    holder TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhook_delivery_of_message ON webhook_delivery (message);
CREATE INDEX webhook_delivery_of_environment ON webhook_delivery (environment, id);
-- Each environment and URL is a queue of its own.
CREATE INDEX webhook_delivery_due ON webhook_delivery (environment, url, due_at, id) WHERE state = 1;
CREATE INDEX webhook_delivery_sent ON webhook_delivery (environment, url, lease_until) WHERE state = 2;
CREATE INDEX webhook_delivery_over ON webhook_delivery (state, finished_at) WHERE state > 2;

CREATE TABLE webhook_attempt (
    delivery INTEGER NOT NULL REFERENCES webhook_delivery ON DELETE CASCADE,
    number INTEGER NOT NULL, -- from 1
    began_at INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    status INTEGER NOT NULL, -- 0 = no answer
    error TEXT,
    answer TEXT, -- how it begins
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- What providers sent, from its acceptance until it is known whom it concerns.
CREATE TABLE webhook_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    integration INTEGER NOT NULL REFERENCES integration ON DELETE CASCADE,
    content BLOB NOT NULL, -- sealed
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_event_of_integration ON webhook_event (integration, id);
CREATE INDEX webhook_event_of_environment ON webhook_event (environment);

-- Ids that providers gave to what they sent: a repetition is accepted without effect.
CREATE TABLE webhook_seen (
    integration INTEGER NOT NULL REFERENCES integration ON DELETE CASCADE,
    message TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (integration, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_seen_at ON webhook_seen (seen_at);

-- A sync's script may be run for what a provider sent.
ALTER TABLE async_run ADD COLUMN sync INTEGER REFERENCES sync ON DELETE CASCADE;
CREATE INDEX async_run_of_sync ON async_run (sync) WHERE sync IS NOT NULL;
