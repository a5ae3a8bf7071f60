-- SPDX-License-Identifier: Apache-2.0
-- How far retention has emptied a part: what was changed before then is not looked at again.

ALTER TABLE part ADD COLUMN emptied INTEGER NOT NULL DEFAULT 0;
