-- SPDX-License-Identifier: Apache-2.0
-- Rows as version 11 of the schema keeps them.
INSERT INTO key_ring VALUES (1, x'6b6579');
INSERT INTO environment VALUES (1, 'e-uuid', 'e-public', 'dev', 0, NULL, 0, NULL, 1600000000000, NULL, NULL, 31, NULL);
INSERT INTO api_key VALUES (1, 1, 'default', 'environment:*', x'73',
    x'2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881', 1600000000001);
INSERT INTO variable VALUES (1, 'NAME', x'76');
INSERT INTO integration VALUES (3, 1, 'i-uid', 'github', 'github', NULL, 1, x'73',
    1600000000002, 1600000000003, 0, 1);
INSERT INTO end_user VALUES (5, 1, 'eu', 'a@b.co', 'Ann', NULL, 'org', 'The Org');
INSERT INTO connection (id, environment, integration, connection_id, version, auth_type,
    has_refresh_token, credentials, config, metadata, tags, end_user, created_at, updated_at)
VALUES
    (7, 1, 3, 'u-1', 4, 'OAUTH2', 1, x'63', x'66', '{"m":1}', '{"plan":"pro","n":1}', 5,
        1600000000004, 1600000000005),
    (8, 1, 3, 'u-2', 1, 'API_KEY', 0, x'63', x'66', NULL, '{}', NULL,
        1600000000006, 1600000000006);
INSERT INTO refresh_journal VALUES (2, 7, 'holder', 0, x'61', 1600000000007);
INSERT INTO connection_use VALUES (7, 1600000000008);
INSERT INTO code VALUES (x'aa', 2, x'00');
INSERT INTO script (id, environment, integration, kind, name, created_at)
VALUES (9, 1, 3, 'action', 'act', 1600000000009);
INSERT INTO async_run (id, uuid, lane, environment, connection, script, input, state, attempts,
    max_retries, due_at, outcome, created_at, finished_at)
VALUES
    (11, '00000000-0000-4000-8000-000000000011', 'action:1', 1, 7, 9, NULL, 3, 1, 0, 1600000000010,
        x'6f', 1600000000010, 1600000000011),
    (12, '00000000-0000-4000-8000-000000000012', 'action:1', 1, 7, 9, x'69', 2, 1, 2, 1600000000012,
        NULL, 1600000000012, 0),
    (13, '00000000-0000-4000-8000-000000000013', 'action:1', 1, 8, 9, x'69', 1, 0, 2, 1600000000013,
        NULL, 1600000000013, 0),
    (14, NULL, 'event:8', 1, 8, 9, NULL, 1, 0, 0, 1600000000014, NULL, 1600000000014, 0);
INSERT INTO checkpoint VALUES (7, 'action:act', '{"n":1}', 3, 1600000000015);
INSERT INTO function_job (id, uuid, environment, kind, state, integration_key, function_kind, name,
    outcome, created_at, updated_at, started_at, finished_at)
VALUES (15, '00000000-0000-4000-8000-000000000015', 1, 1, 3, 'github', 'action', 'f', x'6f',
    1600000000016, 1600000000017, 1600000000016, 1600000000017);
INSERT INTO script (id, environment, integration, kind, name, created_at)
VALUES (16, 1, 3, 'sync', 'issues', 1600000000018);
INSERT INTO script_version (id, script, active, version, js, description, models, endpoints, scopes,
    runs, sync_type, auto_start, track_deletes, webhook_subscriptions, attributes, features, source,
    created_at)
VALUES (17, 16, 1, '1', x'aa', '', '["Item"]', '[]', '[]', 'every hour', 'full', 1, 0, '[]', '{}',
    '[]', 'repo', 1600000000019);
INSERT INTO sync (id, uuid, environment, connection, script, variant, interval_ms, paused, due_at,
    runs, created_at)
VALUES (18, '00000000-0000-4000-8000-000000000018', 1, 7, 16, 'base', 3600000, 0, 1600000000020, 1,
    1600000000019);
INSERT INTO sync_run (id, sync, state, due_at, attempts, reset, clear, started_at)
VALUES (19, 18, 1, 1600000000020, 0, 0, 0, 0);
INSERT INTO webhook_message (id, uuid, environment, type, body, created_at)
VALUES (20, '00000000-0000-4000-8000-000000000020', 1, 'auth', x'62', 1600000000020);
