// SPDX-License-Identifier: Apache-2.0
// What every method of libnango does against a server.
//
//   args(c)    the driver's arguments; c.n is different for each run
//   check      what the result must be
//   refusal    what is asked in vain: arguments, status, server_code, and what the message tells;
//              `key`: with a wrong key instead of other arguments

import assert from 'node:assert/strict';

import { ts } from '../lib/scripts.mjs';

const key = { providerConfigKey: 'key', connectionId: 'c1' };
const need = { ...key, model: 'Item' };
const wrongKey = { key: true, status: 401, code: 'unknown_account' };
const unknown = { args: { ...key, connectionId: 'nobody' }, status: 404, code: 'not_found', says: /nobody|connection/i };

const proxied = (method) => ({
  method,
  args: () => ({ ...key, endpoint: '/echo/x', ...(method !== 'get' && method !== 'proxy' && { data: { a: 'é' } }) }),
  check: ({ result, typed }) => {
    assert.equal(result.method, method === 'proxy' ? 'GET' : method.toUpperCase());
    assert.equal(result.headers['x-api-key'], 'secret-1');
    if (method !== 'get' && method !== 'proxy') assert.deepEqual(JSON.parse(result.body), { a: 'é' });
    assert.equal(typed.status, 200);
  },
  refusal: { args: { ...key, endpoint: '/x', connectionId: 'nobody' }, status: 400, code: 'server_error', says: /400 server_error/ },
});

export const rows = [
  {
    method: 'getConnection',
    args: () => key,
    check: ({ typed }) => {
      assert.ok(typed.number > 0);
      assert.deepEqual([typed.id, typed.provider_config_key, typed.provider, typed.end_user_id], ['c1', 'key', 'test-key', 'u1']);
      assert.deepEqual([typed.tags.plan, typed.no_tag, typed.error_count, typed.has_response], ['gold', null, 0, true]);
      assert.deepEqual([typed.metadata, typed.config], [{ colour: 'red' }, { region: 'eu' }]);
      assert.deepEqual([typed.credentials.type_name, typed.credentials.api_key, typed.credentials.token], ['API_KEY', 'secret-1', 'secret-1']);
      assert.ok(Date.parse(typed.created_at) > 0);
    },
    refusal: unknown,
  },
  {
    method: 'getConnection',
    form: 'OAuth 2, with the refresh token',
    args: () => ({ providerConfigKey: 'oauth', connectionId: 'o1', refreshToken: true }),
    check: ({ typed: { credentials } }, { grant }) => {
      assert.equal(credentials.access_token, grant.access_token);
      assert.equal(credentials.refresh_token, grant.refresh_token);
      assert.equal(credentials.expires_at_ms, Date.parse('2099-01-01T00:00:00.000Z'));
      assert.equal(credentials.raw.access_token, grant.access_token);
    },
    refusal: { args: { providerConfigKey: 'no-such', connectionId: 'o1' }, status: 400, code: 'unknown_provider_config', says: /provider|integration/i },
  },
  { method: 'getToken', args: () => ({ providerConfigKey: 'oauth', connectionId: 'o1' }), check: ({ typed }, { grant }) => assert.equal(typed.token, grant.access_token), refusal: unknown },
  { method: 'getRawTokenResponse', args: () => ({ providerConfigKey: 'oauth', connectionId: 'o1' }), check: ({ typed }, { grant }) => assert.equal(typed.raw.access_token, grant.access_token), refusal: unknown },
  { method: 'getMetadata', args: () => key, check: ({ typed }) => assert.deepEqual(typed.metadata, { colour: 'red' }), refusal: unknown },
  {
    method: 'setMetadata',
    args: () => ({ ...key, connectionId: 'meta', metadata: { a: [1, 'é'] } }),
    check: async ({ result }, { api }) => {
      assert.deepEqual(result.metadata, { a: [1, 'é'] });
      assert.deepEqual((await api('/connections/meta?provider_config_key=key')).metadata, { a: [1, 'é'] });
    },
    refusal: { args: { ...key, connectionId: ['c1', 'nobody'], metadata: {} }, status: 404, code: 'unknown_connection', says: /connection/i },
  },
  {
    method: 'updateMetadata',
    args: () => ({ ...key, connectionId: ['meta', 'meta2'], metadata: { b: null } }),
    check: async (_, { api }) => assert.equal((await api('/connections/meta2?provider_config_key=key')).metadata.b, null),
    refusal: { args: { ...key, connectionId: 'nobody', metadata: {} }, status: 404, code: 'unknown_connection', says: /connection/i },
  },
  {
    method: 'listConnections',
    args: () => ({ userId: 'u1', integrationId: ['key'], limit: 10 }),
    check: ({ typed }) => {
      assert.equal(typed.count, 1);
      assert.deepEqual([typed.items[0].id, typed.items[0].credentials, typed.items[0].has_response], ['c1', null, false]);
    },
    refusal: { args: { limit: 5000 }, status: 400, code: 'invalid_query_params', says: /limit|big/i },
  },
  {
    method: 'createConnection',
    args: ({ n }) => ({ provider_config_key: 'key', connection_id: `made-${n}`, credentials: { type: 'API_KEY', apiKey: 'k' }, metadata: { m: 1 }, tags: { t: 'v' }, end_user: { id: 'made' } }),
    check: ({ typed }, { n }) => {
      assert.deepEqual([typed.id, typed.tags.t, typed.metadata.m, typed.end_user_id], [`made-${n}`, 'v', 1, 'made']);
      assert.equal(typed.credentials.api_key, 'k');
    },
    refusal: { args: { provider_config_key: 'no-such', credentials: { type: 'NONE' } }, status: 404, code: 'not_found', says: /provider|integration/i },
  },
  {
    method: 'importConnection',
    args: ({ n }) => ({ body: { provider_config_key: 'basic', connection_id: `imported-${n}`, credentials: { type: 'BASIC', username: 'ann', password: 'pä' } } }),
    check: ({ typed: { credentials } }) => assert.deepEqual([credentials.username, credentials.password], ['ann', 'pä']),
    refusal: { args: { body: {} }, status: 400, code: 'invalid_body', says: /required|expected|invalid/i },
  },
  {
    method: 'patchConnection',
    args: () => ({ connectionId: 'meta', provider_config_key: 'key', body: { tags: { new: 'tag' }, end_user: { id: 'patched' } } }),
    check: async ({ result }, { api }) => {
      assert.deepEqual(result, { success: true });
      assert.equal((await api('/connections/meta?provider_config_key=key')).tags.new, 'tag');
    },
    refusal: { args: { connectionId: 'nobody', provider_config_key: 'key', body: { tags: {} }, json: { tags: {} } }, status: 404, code: 'not_found', says: /connection/i },
  },
  { method: 'deleteConnection', args: ({ doomed }) => ({ ...key, connectionId: doomed }), check: ({ result }) => assert.deepEqual(result, { success: true }), refusal: { ...unknown, status: 400, code: 'unknown_connection' } },
  {
    method: 'waitForConnection',
    args: () => ({ integrationKey: 'key', userId: 'u1', attempts: 1 }),
    check: ({ typed }) => assert.equal(typed.id, 'c1'),
    refusal: wrongKey,
  },
  {
    method: 'createConnectSession',
    args: () => ({ body: { end_user: { id: 'u2', email: 'u@example.com' }, allowed_integrations: ['key'], tags: { a: 'b' } } }),
    check: ({ typed }) => {
      assert.match(typed.token, /^nango_connect_session_[0-9a-f]{64}$/);
      assert.ok(typed.link.includes(typed.token) && Date.parse(typed.expires_at) > 0);
    },
    refusal: { args: { body: { allowed_integrations: ['no-such'], tags: { a: 'b' } } }, status: 400, code: 'invalid_body', says: /integration/i },
  },
  {
    method: 'createReconnectSession',
    args: () => ({ body: { integration_id: 'key', connection_id: 'c1' } }),
    check: ({ typed }) => assert.match(typed.token, /^nango_connect_session_/),
    refusal: { args: { body: { integration_id: 'key', connection_id: 'nobody' } }, status: 400, code: 'invalid_body', says: /connection/i },
  },

  { method: 'listIntegrations', args: () => ({}), check: ({ typed }) => assert.ok(typed.items.some((one) => one.unique_key === 'oauth' && one.provider === 'test-oauth')), refusal: wrongKey },
  {
    method: 'getIntegration',
    args: () => ({ uniqueKey: 'oauth', webhook: true, credentials: true }),
    check: ({ typed }, { client }) => {
      assert.deepEqual([typed.unique_key, typed.provider, typed.client_id, typed.client_secret], ['oauth', 'test-oauth', client.id, client.secret]);
      assert.equal(typed.scopes, 'openid,offline_access,read');
      assert.equal(typed.forward_webhooks, true);
      assert.ok('webhook_url' in typed.json);
    },
    refusal: { args: { uniqueKey: 'no-such' }, status: 404, code: 'not_found', says: /integration/i },
  },
  {
    method: 'createIntegration',
    args: ({ n }) => ({ body: { provider: 'test-key', unique_key: `new-${n}`, display_name: 'New' } }),
    check: ({ typed }, { n }) => assert.deepEqual([typed.unique_key, typed.display_name], [`new-${n}`, 'New']),
    refusal: { args: { body: { provider: 'no-such', unique_key: 'x' } }, status: 400, code: 'invalid_body', says: /provider/i },
  },
  {
    method: 'createQuickstartIntegration',
    args: ({ n }) => ({ body: { provider: 'test-key', unique_key: `quick-${n}` } }),
    fails: { status: 400 }, // no operator shares an OAuth client here
    refusal: { args: { body: { provider: 'no-such', unique_key: 'x' } }, status: 400, code: 'invalid_body', says: /provider/i },
  },
  {
    method: 'updateIntegration',
    args: ({ n }) => ({ uniqueKey: 'none', body: { display_name: `Name ${n}` } }),
    check: ({ typed }, { n }) => assert.equal(typed.display_name, `Name ${n}`),
    refusal: { args: { uniqueKey: 'no-such', body: { display_name: 'x' } }, status: 404, code: 'not_found', says: /integration/i },
  },
  { method: 'deleteIntegration', args: ({ doomedKey }) => ({ uniqueKey: doomedKey }), check: ({ result }) => assert.deepEqual(result, { success: true }), refusal: { args: { uniqueKey: 'no-such' }, status: 404, code: 'not_found', says: /integration/i } },
  {
    method: 'listProviders',
    args: () => ({ search: 'github' }),
    check: ({ typed }) => {
      const found = typed.items.find((one) => one.name === 'github');
      assert.deepEqual([found.display_name, found.auth_mode, found.has_response], ['GitHub (User OAuth)', 'OAUTH2', false]);
    },
    refusal: { args: { search: '(' }, status: 400, code: 'invalid_query_params', says: /search|invalid/i },
  },
  { method: 'getProvider', args: () => ({ provider: 'test-key' }), check: ({ typed }) => assert.deepEqual([typed.name, typed.display_name, typed.auth_mode, typed.docs, typed.has_response], ['test-key', 'Test Key', 'API_KEY', 'https://example.com/docs', true]), refusal: { args: { provider: 'no-such' }, status: 404, code: 'not_found', says: /provider/i } },
  { method: 'getProviderTemplates', args: () => ({ provider: 'github' }), check: ({ result }) => assert.ok(Array.isArray(result.data)), refusal: wrongKey },
  {
    method: 'getEnvironmentVariables',
    args: () => ({}),
    check: ({ typed }) => assert.deepEqual(typed.items, [['BOT', 'a "b" é', 'a "b" é']]),
    refusal: wrongKey,
  },
  ...['proxy', 'get', 'post', 'put', 'patch', 'delete'].map(proxied),
  {
    method: 'proxyStream',
    args: () => ({ ...key, endpoint: '/large/3000000', countOnly: true }),
    check: ({ typed }) => {
      assert.deepEqual([typed.received, typed.head.status], [3_000_000, 200]);
      assert.ok(typed.pieces > 1 && typed.largest_piece <= 1 << 20);
    },
    refusal: { args: { ...key, endpoint: '/x', connectionId: 'nobody' }, status: 400, code: '', says: /400/ },
  },

  {
    method: 'listRecords',
    args: () => need,
    check: ({ typed }) => {
      assert.equal(typed.count, 3);
      assert.deepEqual(typed.items.map((one) => [one.id, one.last_action]), [['1', 'ADDED'], ['2', 'UPDATED'], ['3', 'DELETED']]);
      assert.deepEqual(typed.items.map((one) => one.deleted_at !== null), [false, false, true]);
      assert.ok(typed.items.every((one) => one.cursor && one.first_seen_at && one.last_modified_at && (one.pruned_at === null || one.id === '1')));
      assert.equal(typed.cursor, null);
    },
    refusal: { args: { ...need, connectionId: 'nobody' }, status: 400, code: 'unknown_connection', says: /valid connection/ },
  },
  {
    method: 'iterateRecords',
    args: () => need,
    check: ({ typed }) => assert.deepEqual(typed.map((one) => one.id), ['1', '2', '3']),
    refusal: { args: { ...need, model: 'lower' }, status: 400, code: 'invalid_query_params', says: /Invalid/ },
  },
  {
    method: 'getRecords',
    args: () => need,
    check: ({ typed }) => assert.deepEqual(typed.items.map((one) => one.id), ['3', '2', '1']),
    refusal: { args: { ...need, connectionId: 'nobody' }, status: 400, code: 'unknown_connection', says: /valid connection/ },
  },
  {
    method: 'pruneRecords',
    args: (c) => ({ ...need, untilCursor: c.firstCursor }),
    check: ({ typed }) => assert.ok(typed.count <= 1 && typed.has_more === false, JSON.stringify(typed)), // once only
    refusal: { args: { ...need, untilCursor: 'x' }, status: 400, code: 'invalid_cursor_value', says: /cursor/ },
  },
  ...['triggerSync', 'startSync', 'pauseSync'].map((method) => ({
    method,
    args: () => ({ ...key, syncs: ['items'] }),
    check: ({ result }) => assert.deepEqual(result, { success: true }),
    refusal: { args: { ...key, syncs: ['nope'] }, status: 400, code: 'no_syncs_found', says: /No syncs found/ },
  })),
  {
    method: 'syncStatus',
    args: () => ({ ...key, syncs: ['items'] }),
    check: ({ typed }) => {
      const [state] = typed.items;
      assert.deepEqual([state.name, state.variant, state.type, state.connection_id], ['items', 'base', 'INCREMENTAL', 'c1']);
      assert.match(state.frequency, /^every /);
      assert.ok(['PAUSED', 'RUNNING', 'SUCCESS'].includes(state.status), state.status);
      assert.deepEqual([state.record_count, state.latest['no such model'], state.latest.Item.added], [{ Item: 2, 'no such model': -1 }, null, 0]);
      assert.equal(typeof state.id, 'string');
    },
    refusal: { args: { ...key, syncs: '*', connectionId: 'nobody' }, status: 400, code: 'invalid_body', says: /Connection not found/ },
  },
  {
    method: 'updateSyncConnectionFrequency',
    args: () => ({ ...key, sync: 'items', frequency: 'every 2 hours' }),
    check: ({ result }) => assert.deepEqual(result, { frequency: '2 hours' }),
    refusal: { args: { ...key, sync: 'nope', frequency: 'every hour' }, status: 400, code: 'unknown_sync', says: /unknown_sync/ },
  },
  {
    method: 'createSyncVariant',
    args: (c) => ({ name: 'items', variant: `v${c.n}`, provider_config_key: 'key', connection_id: 'c1' }),
    check: ({ result }, c) => assert.deepEqual([result.name, result.variant], ['items', `v${c.n}`]),
    refusal: { args: { name: 'nope', variant: 'Base', provider_config_key: 'key', connection_id: 'c1' }, status: 400, code: 'invalid_variant', says: /protected/ },
  },
  {
    method: 'deleteSyncVariant',
    args: (c) => ({ name: 'items', variant: c.doomedVariant, provider_config_key: 'key', connection_id: 'c1' }),
    check: ({ result }) => assert.deepEqual(result, { success: true }),
    refusal: { args: { name: 'nope', variant: 'v1', provider_config_key: 'key', connection_id: 'c1' }, status: 404, code: 'not_found', says: /not_found/ },
  },
  {
    method: 'triggerAction',
    args: () => ({ ...key, actionName: 'act', input: { mode: 'default' } }),
    check: ({ result }) => assert.deepEqual(result, { ok: true, input: { mode: 'default' } }),
    refusal: { args: { ...key, actionName: 'nope' }, status: 404, code: 'not_found', says: /Action not found/ },
  },
  {
    method: 'triggerActionAsync',
    args: () => ({ ...key, actionName: 'act' }),
    check: ({ typed }) => assert.ok(typed.id && typed.status_url.startsWith('/action/')),
    refusal: { args: { ...key, actionName: 'nope' }, status: 404, code: 'not_found', says: /Action not found/ },
  },
  {
    method: 'getAsyncActionResult',
    args: (c) => ({ id: c.asyncAction }),
    check: ({ result }) => assert.deepEqual(result, { ok: true, input: { mode: 'later' } }),
    refusal: { args: { statusUrl: '/action/6a3632c3-c06d-4ddc-8250-8e5697c3aa25' }, status: 404, code: 'not_found', says: /No action/ },
  },
  {
    method: 'getScriptsConfig',
    args: () => ({ format: 'openai' }),
    check: ({ result }) => assert.ok(result.data.some(({ name }) => name === 'items')),
    refusal: wrongKey,
  },
  {
    method: 'listFunctions',
    args: () => ({ uniqueKey: 'key', type: 'sync' }),
    check: ({ result }) => assert.deepEqual([result.data.map(({ name }) => name), result.pagination], [['items'], { total: 1, page: 0, limit: 20 }]),
    refusal: { args: { uniqueKey: 'nope' }, status: 404, code: 'not_found', says: /does not exist/ },
  },
  {
    method: 'getFunction',
    args: () => ({ uniqueKey: 'key', name: 'items' }),
    check: ({ result }) => assert.deepEqual([result.data.name, result.data.type], ['items', 'sync']),
    refusal: { args: { uniqueKey: 'key', name: 'nope' }, status: 404, code: 'not_found', says: /does not exist/ },
  },
  {
    method: 'getFunctionCode',
    args: () => ({ uniqueKey: 'key', name: 'items', type: 'sync' }),
    check: ({ result }) => assert.deepEqual(result, { type: 'sync', code: ts }),
    refusal: { args: { uniqueKey: 'key', name: 'items', type: 'action' }, status: 404, code: 'not_found', says: /not found/ },
  },
  {
    method: 'deleteFunction',
    args: ({ doomedFunction }) => ({ uniqueKey: 'key', name: doomedFunction, type: 'action' }),
    check: ({ result }) => assert.deepEqual(result, { data: { success: true } }),
    refusal: { args: { uniqueKey: 'key', name: 'items', type: 'sync' }, status: 400, code: 'function_managed_by_deploy', says: /nango deploy/ },
  },
];
