// SPDX-License-Identifier: Apache-2.0
// Answers that suit the methods, in the shapes of http-api.md, so that what is made of them can be
// compared with what the official clients make of them.

export const connection = {
  id: 18393,
  connection_id: 'c1',
  provider_config_key: 'key',
  provider: 'github',
  errors: [{ type: 'auth', log_id: 'l1' }],
  end_user: { id: 'u1', email: 'ann@example.com', display_name: 'Ann é', tags: {}, organization: null },
  tags: { plan: 'gold', 'odd "name"': 'ä' },
  metadata: { colour: 'red', nested: { n: 9007199254740993, list: [1, 2.5, null, true] } },
  connection_config: { subdomain: 'shop' },
  webhook_url_override: null,
  created_at: '2026-01-02T03:04:05.678Z',
  updated_at: '2026-01-02T03:04:05.678Z',
  last_fetched_at: '2026-01-02T03:04:05.678Z',
  credentials: {
    type: 'OAUTH2',
    access_token: 'at "1"',
    refresh_token: 'rt1',
    expires_at: '2099-01-01T00:00:00.000Z',
    raw: { access_token: 'at "1"', token_type: 'bearer', scope: 'a b' },
  },
};

export const withCredentials = (credentials) => ({ ...connection, credentials });

export const connections = {
  connections: [
    { id: 2, connection_id: 'c2', provider_config_key: 'other', provider: 'github', errors: [], end_user: null, tags: {}, metadata: null, created: '2026-01-02T03:04:05.678+00:00' },
    { id: 1, connection_id: 'c1', provider_config_key: 'key', provider: 'github', errors: [], end_user: { id: 'u1' }, tags: { plan: 'gold' }, metadata: null, created: '2026-01-02T03:04:05.678+00:00' },
  ],
};

export const integration = {
  data: {
    unique_key: 'key',
    display_name: 'Git "Hub"',
    provider: 'github',
    logo: 'http://localhost/images/template-logos/github.svg',
    created_at: '2026-01-02T03:04:05.678Z',
    updated_at: '2026-01-02T03:04:05.678Z',
    forward_webhooks: false,
    webhook_url: 'http://localhost/webhook/e/key',
    credentials: { type: 'OAUTH2', client_id: 'ci', client_secret: 'cs', scopes: 'a,b', webhook_secret: null },
  },
};

export const integrations = { data: [integration.data, { ...integration.data, unique_key: 'second', forward_webhooks: true, credentials: undefined }] };

export const earlyIntegration = { config: { unique_key: 'key', provider: 'github', client_id: 'ci', client_secret: 'cs', scopes: 'a,b', app_link: null, auth_mode: 'OAUTH2', created_at: '2026-01-02T03:04:05.678Z', syncs: [], actions: [] } };

export const earlyIntegrations = { configs: [{ unique_key: 'key', provider: 'github' }, { unique_key: 'second', provider: 'slack' }] };

export const provider = { data: { name: 'github', display_name: 'GitHub', auth_mode: 'OAUTH2', docs: 'https://example.com/docs', categories: ['dev-tools'], logo_url: 'l' } };

export const providers = { data: [provider.data, { ...provider.data, name: 'slack', display_name: 'Slack' }] };

export const templates = { data: [{ name: 'issues', type: 'sync' }] };

export const session = { data: { token: `nango_connect_session_${'0'.repeat(64)}`, connect_link: 'http://localhost/?session_token=x', expires_at: '2026-01-02T03:04:05.678Z' } };

const record = (id, action, more = {}) => ({
  id,
  n: 1,
  _nango_metadata: {
    first_seen_at: '2026-01-02T03:04:05.678901+00:00',
    last_modified_at: '2026-01-02T03:04:06.678901+00:00',
    last_action: action,
    deleted_at: null,
    pruned_at: null,
    cursor: `cursor-${id}`,
    ...more,
  },
});

export const records = { records: [record('1', 'ADDED'), record('2', 'DELETED', { deleted_at: '2026-01-02T03:04:07.678Z' })], next_cursor: 'next+/=' };

export const earlyRecords = [record('1', 'ADDED'), record('2', 'UPDATED')];

export const pruned = { count: 3, has_more: true };

export const success = { success: true };

export const states = {
  syncs: [{
    id: '6a3632c3-c06d-4ddc-8250-8e5697c3aa25',
    connection_id: 'c1',
    name: 'items',
    variant: 'v1',
    type: 'INCREMENTAL',
    status: 'PAUSED',
    frequency: 'every 1 hour',
    finishedAt: '2026-01-02T03:04:05.678Z',
    nextScheduledSyncAt: null,
    latestResult: { Item: { added: 3, updated: 2, deleted: 1 } },
    recordCount: { Item: 12 },
    checkpoint: null,
  }],
};

export const frequency = { frequency: '2 hours' };

export const variant = { id: '6a3632c3-c06d-4ddc-8250-8e5697c3aa25', name: 'items', variant: 'v1' };

export const scripts = [{ providerConfigKey: 'key', provider: 'github', syncs: [], actions: [], 'on-events': [] }];

export const variables = [{ name: 'A', value: '1' }, { name: 'odd "n"', value: 'é\n' }];

export const functions = { data: [{ name: 'items', type: 'sync' }], pagination: { total: 1, page: 0 } };

export const asyncAction = { id: '6a3632c3-c06d-4ddc-8250-8e5697c3aa25', statusUrl: '/action/6a3632c3-c06d-4ddc-8250-8e5697c3aa25' };
