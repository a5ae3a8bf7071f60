-- SPDX-License-Identifier: Apache-2.0
-- Dry runs and deployments of functions that were asked for by the API, until nobody may come for
-- their outcome any more. `outcome` is sealed JSON. What does not wait or run was ended (3), or was
-- cut short by the end of the server (4).

CREATE TABLE function_job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    environment INTEGER NOT NULL REFERENCES environment ON DELETE CASCADE,
    kind INTEGER NOT NULL, -- 1 a dry run, 2 a deployment
    state INTEGER NOT NULL, -- 1 waits, 2 runs
    integration_key TEXT NOT NULL,
    function_kind TEXT NOT NULL,
    name TEXT NOT NULL,
    outcome BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX function_job_open ON function_job (state) WHERE state < 3;
CREATE INDEX function_job_of_environment ON function_job (environment);
CREATE INDEX function_job_finished ON function_job (finished_at) WHERE state > 2;
