-- SPDX-License-Identifier: Apache-2.0
-- What background refresh comes in by: tokens by when they expire, and credentials that nothing
-- renews by when they were last known to work, of each integration.

CREATE INDEX connection_expiring ON connection (expires_at, id)
    WHERE deleted_at = 0 AND refresh_exhausted = 0 AND expires_at > 0;
CREATE INDEX connection_to_try ON connection
    (integration, max(created_at, last_refresh_success, last_refresh_failure), id)
    WHERE deleted_at = 0 AND refresh_exhausted = 0 AND auth_type IN ('API_KEY', 'BASIC', 'TBA');
