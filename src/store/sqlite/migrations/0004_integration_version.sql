-- SPDX-License-Identifier: Apache-2.0
-- A version for integrations, as connections have: a change is made to what was read or not at all,
-- so that two changes at the same time cannot undo each other.

ALTER TABLE integration ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
