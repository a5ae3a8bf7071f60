// SPDX-License-Identifier: Apache-2.0
// The client of the end of 2023 (0.36.100), and libnango told to speak as it did.

import assert from 'node:assert/strict';

import * as canned from './canned.mjs';

const one = { body: canned.connection };
const id = { providerConfigKey: 'key', connectionId: 'c1' };
const need = { ...id, model: 'Item' };
const at = { ...id, endpoint: '/some/path' };
const echo = { body: { ok: true } };
const unescaped = 'the official client joins the query unescaped (node-sdk.md section 2)';

const got = (form, args, call, more = {}) => ({ method: 'getConnection', form, official: (nango) => nango.getConnection('key', 'c1', ...args), call: { ...id, ...call }, answer: one, ...more });

const written = (method) => [
  {
    method,
    form: 'an OAuth client',
    official: (nango) => nango[method]('github', 'key', { oauth_client_id: 'ci', oauth_client_secret: 'cs', oauth_scopes: 'a,b' }),
    call: { uniqueKey: 'key', body: { provider: 'github', unique_key: 'key', credentials: { type: 'OAUTH2', client_id: 'ci', client_secret: 'cs', scopes: 'a,b' } } },
    answer: { body: { config: { unique_key: 'key', provider: 'github' } } },
  },
  {
    method,
    form: 'no credentials',
    official: (nango) => nango[method]('github', 'key'),
    call: { uniqueKey: 'key', body: { provider: 'github', unique_key: 'key' } },
    answer: { body: { config: { unique_key: 'key', provider: 'github' } } },
  },
];

const changed = (method) => [
  { method, form: 'plain', official: (nango) => nango[method]('key', 'c 1', { a: 'é' }), call: { ...id, connectionId: 'c 1', metadata: { a: 'é' } }, answer: { status: 201, body: '' } },
  { method, form: 'no key', official: (nango) => nango[method]('', 'c1', {}), call: { connectionId: 'c1', metadata: {} }, error: 'Provider Config Key is required' },
  { method, form: 'no connection', official: (nango) => nango[method]('key', '', {}), call: { providerConfigKey: 'key', metadata: {} }, error: 'Connection Id is required' },
  { method, form: 'no metadata', official: (nango) => nango[method]('key', 'c1'), call: id, error: 'Metadata is required' },
];

const early = (form, config, differs, more = {}) => ({
  method: 'getRecords',
  form,
  official: (nango) => nango.getRecords({ ...need, ...config }),
  call: { ...need, ...config },
  answer: { body: canned.earlyRecords },
  differs,
  ...more,
});

const listed = (form, config, differs) => ({
  method: 'listRecords',
  form,
  official: (nango) => nango.listRecords({ ...need, ...config }),
  call: { ...need, ...config },
  answer: { body: canned.records },
  differs,
});

const missing = (method) => ['model', 'providerConfigKey', 'connectionId'].map((field) => ({
  method,
  form: `no ${field}`,
  official: (nango) => nango[method]({ ...need, [field]: undefined }),
  call: { ...need, [field]: undefined },
  error: `${field} is missing and is required to make a proxy call!`,
}));

const steered = (method) => [
  { method, form: 'one connection', official: (nango) => nango[method]('key', ['a', 'b'], 'c1'), call: { ...id, syncs: ['a', 'b'] }, answer: { headers: { 'content-type': 'text/html' }, body: 'OK' } },
  { method, form: 'all connections', official: (nango) => nango[method]('key', ['a']), call: { providerConfigKey: 'key', syncs: ['a'] }, answer: { body: canned.success } },
];

const sent = (form, official, call = official, more = {}) => ({
  method: 'proxy',
  form,
  official: (nango) => nango.proxy({ ...at, ...official }),
  call: { ...at, ...call },
  answer: echo,
  ...more,
});

// What ours sends is compared with the REST API's description, in sdk_wire.test.mjs.
const pointed = (method) => ({
  method,
  form: 'the official one only points to the REST API',
  official: (nango) => assert.rejects(nango[method]({}), /use the REST API/),
  onlyPoints: true,
});

export const early2023 = [
  { method: 'listIntegrations', official: (nango) => nango.listIntegrations(), call: {}, answer: { body: canned.earlyIntegrations } },
  { method: 'getIntegration', form: 'plain', official: (nango) => nango.getIntegration('k ey'), call: { uniqueKey: 'k ey' }, answer: { body: canned.earlyIntegration } },
  { method: 'getIntegration', form: 'with credentials', official: (nango) => nango.getIntegration('key', true), call: { uniqueKey: 'key', credentials: true }, answer: { body: canned.earlyIntegration } },
  ...written('createIntegration'),
  ...written('updateIntegration'),
  { method: 'deleteIntegration', official: (nango) => nango.deleteIntegration('k ey'), call: { uniqueKey: 'k ey' }, answer: { status: 204 } },
  { method: 'listConnections', form: 'all', official: (nango) => nango.listConnections(), call: {}, answer: { body: canned.connections } },
  { method: 'listConnections', form: 'by id', official: (nango) => nango.listConnections('c1'), call: { connectionId: 'c1' }, answer: { body: canned.connections } },
  {
    method: 'listConnections',
    form: 'by an id with a space',
    official: (nango) => nango.listConnections('c 1'),
    call: { connectionId: 'c 1' },
    answer: { body: canned.connections },
    differs: { why: unescaped, query: ['connectionId=c%201', 'connectionId=c+1'] },
  },
  got('plain', [], {}),
  got('force refresh and refresh token', [true, true], { forceRefresh: true, refreshToken: true }),
  got('is_sync', [], {}, { client: { isSync: true } }),
  got('dry_run', [], {}, { client: { dryRun: true } }),
  { method: 'getConnection', form: 'id with a space', official: (nango) => nango.getConnection('k y', 'c 1'), call: { providerConfigKey: 'k y', connectionId: 'c 1' }, answer: one },
  { method: 'getToken', official: (nango) => nango.getToken('key', 'c1', true), call: { ...id, forceRefresh: true }, answer: one, returned: (official, answer) => assert.equal(answer.typed.token, official) },
  { method: 'getRawTokenResponse', official: (nango) => nango.getRawTokenResponse('key', 'c1'), call: id, answer: one, returned: (official, answer) => assert.deepEqual(answer.typed.raw, official) },
  { method: 'getMetadata', official: (nango) => nango.getMetadata('key', 'c1'), call: id, answer: one, returned: (official, answer) => assert.deepEqual(answer.typed.metadata, official) },
  { method: 'getMetadata', form: 'no key', official: (nango) => nango.getMetadata('', 'c1'), call: { connectionId: 'c1' }, error: 'Provider Config Key is required' },
  ...changed('setMetadata'),
  ...changed('updateMetadata'),
  { method: 'deleteConnection', official: (nango) => nango.deleteConnection('key', 'c 1'), call: { ...id, connectionId: 'c 1' }, answer: { status: 204 } },
  pointed('createConnection'),
  pointed('importConnection'),
  early('plain', {}),
  early('sorted, by pages', { delta: '2024-01-01', offset: 10, limit: 5, sortBy: 'updatedAt', order: 'asc' }),
  early('created, filtered, with metadata', { sortBy: 'createdAt', includeNangoMetadata: true, filter: 'added' }),
  early('odd characters', { model: 'I tem', delta: 'a&b' }, { why: unescaped, query: [
    'model=I%20tem&order=desc&delta=a&b&offset=&limit=&sort_by=id&include_nango_metadata=false',
    'model=I+tem&order=desc&delta=a%26b&offset=&limit=&sort_by=id&include_nango_metadata=false',
  ] }),
  ...missing('getRecords'),
  listed('plain', {}),
  listed('everything', { delta: '2024-01-01', limit: 5, filter: 'added', cursor: 'abc' }),
  listed('odd characters', { cursor: 'a+/=', filter: 'added,updated' }, { why: unescaped, query: [
    'model=Item&filter=added,updated&cursor=a+/=',
    'model=Item&filter=added,updated&cursor=a%2B%2F%3D',
  ] }),
  ...missing('listRecords'),
  { method: 'triggerSync', form: 'all', official: (nango) => nango.triggerSync('key'), call: { providerConfigKey: 'key' }, answer: { headers: { 'content-type': 'text/html' }, body: 'OK' } },
  { method: 'triggerSync', form: 'some', official: (nango) => nango.triggerSync('key', ['a'], 'c1'), call: { ...id, syncs: ['a'] }, answer: { body: canned.success } },
  ...steered('startSync'),
  ...steered('pauseSync'),
  { method: 'syncStatus', form: 'all', official: (nango) => nango.syncStatus('key', '*'), call: { providerConfigKey: 'key', syncs: '*' }, answer: { body: canned.states } },
  { method: 'syncStatus', form: 'some', official: (nango) => nango.syncStatus('key', ['a', 'b'], 'c1'), call: { ...id, syncs: ['a', 'b'] }, answer: { body: canned.states } },
  { method: 'getEnvironmentVariables', official: (nango) => nango.getEnvironmentVariables(), call: {}, answer: { body: canned.variables } },
  { method: 'triggerAction', form: 'with input', official: (nango) => nango.triggerAction('key', 'c1', 'act', { a: 1 }), call: { ...id, actionName: 'act', input: { a: 1 } }, answer: { body: { r: 1 } } },
  { method: 'triggerAction', form: 'no input', official: (nango) => nango.triggerAction('key', 'c1', 'act'), call: { ...id, actionName: 'act' }, answer: { body: '' } },
  ...['get', 'post', 'patch', 'delete'].map((method) => ({ method, form: 'plain', official: (nango) => nango[method](at), call: at, answer: echo })),
  { method: 'post', form: 'with JSON', official: (nango) => nango.post({ ...at, data: { a: 1 } }), call: { ...at, data: { a: 1 } }, answer: echo },
  sent('PUT with JSON', { method: 'PUT', data: { a: 1 } }),
  sent('DELETE drops its data', { method: 'DELETE', data: { a: 1 } }),
  sent('params', { params: { a: 'b c', d: 'é' } }),
  sent('params beside a query in the endpoint', { endpoint: '/p?x=y', params: { a: 'b' } }),
  sent('params with marks', { params: { a: ':$,[]@' } }),
  sent('headers, retries, base URL, decompress', { headers: { 'X-A': '1', 'Content-Type': 'text/plain' }, retries: 2, baseUrlOverride: 'http://x', decompress: true }),
  sent('is_sync, dry_run, activity log', {}, {}, { client: { isSync: true, dryRun: true, activityLogId: '7' } }),
  sent('a refusal', {}, {}, { answer: { status: 401, body: { error: 'x' } }, status: 401 }),
  ...['endpoint', 'providerConfigKey', 'connectionId'].map((field) => ({
    method: 'proxy',
    form: `no ${field}`,
    official: (nango) => nango.proxy({ ...at, [field]: undefined }),
    call: { ...at, [field]: undefined },
    error: `${field} is missing and is required to make a proxy call!`,
  })),
].map((row) => ({ version: '0.36.100', ...row }));
