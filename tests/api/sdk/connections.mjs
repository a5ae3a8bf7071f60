// SPDX-License-Identifier: Apache-2.0
// Connections, credentials, metadata, connect sessions: the newest client and libnango.

import assert from 'node:assert/strict';

import * as canned from './canned.mjs';

const one = { body: canned.connection };
const put = { status: 201, body: { any: 'thing' } };

// What the two make of the credentials of a connection.
const token = (official, answer) => assert.deepEqual(answer.typed.token, official);
const raw = (official, answer) => assert.deepEqual(answer.typed.raw, official);
const metadata = (official, answer) => assert.deepEqual(answer.typed.metadata, official);

const kind = (form, credentials, returned) => ({
  method: 'getToken',
  form,
  official: (nango) => nango.getToken('key', 'c1'),
  call: { providerConfigKey: 'key', connectionId: 'c1' },
  answer: { body: canned.withCredentials(credentials) },
  returned,
});

const wholeCredentials = (official, answer) => assert.deepEqual(answer.result, official);

const byId = (form, id, differs) => ({
  method: 'getConnection',
  form,
  official: (nango) => nango.getConnection('key', id),
  call: { providerConfigKey: 'key', connectionId: id },
  answer: one,
  differs,
});

const unescaped = (official, ours) => ({ why: 'the official client does not escape ids in paths (node-sdk.md section 2)', path: [official, ours] });

export const connections = [
  { method: 'getConnection', form: 'plain', official: (nango) => nango.getConnection('key', 'c1'), call: { providerConfigKey: 'key', connectionId: 'c1' }, answer: one },
  {
    method: 'getConnection',
    form: 'force refresh',
    official: (nango) => nango.getConnection('key', 'c1', true),
    call: { providerConfigKey: 'key', connectionId: 'c1', forceRefresh: true },
    answer: one,
  },
  {
    method: 'getConnection',
    form: 'refresh token',
    official: (nango) => nango.getConnection('key', 'c1', false, true),
    call: { providerConfigKey: 'key', connectionId: 'c1', refreshToken: true },
    answer: one,
  },
  {
    method: 'getConnection',
    form: 'all three flags',
    official: (nango) => nango.getConnection('key', 'c1', true, true, true),
    call: { providerConfigKey: 'key', connectionId: 'c1', forceRefresh: true, refreshToken: true, refreshGithubAppJwtToken: true },
    answer: one,
  },
  byId('id with a space', 'c 1'),
  byId('id with an umlaut and a snowman', 'ü ☃'),
  byId('id with harmless marks', "a.b_c-d~e:f@g!h$i'j(k)l*m,n;o=p+q&r"),
  byId('id with a slash', 'a/b', unescaped('/connections/a/b', '/connections/a%2Fb')),
  byId('id with a per cent sign', '50%41', unescaped('/connections/50%41', '/connections/50%2541')),
  byId('id with brackets', 'a[b]|c', unescaped('/connections/a[b]|c', '/connections/a%5Bb%5D%7Cc')),
  byId('id with a question mark', 'a?b', { ...unescaped('/connections/a', '/connections/a%3Fb'), query: [
    'b&provider_config_key=key&force_refresh=false&refresh_token=false&refresh_github_app_jwt_token=false',
    'provider_config_key=key&force_refresh=false&refresh_token=false&refresh_github_app_jwt_token=false',
  ] }),
  byId('id with a quote', 'a"b<c>d`e{f}'),
  {
    method: 'getConnection',
    form: 'key with odd characters',
    official: (nango) => nango.getConnection("k y&=+#/?%é:@~.,$'()*!;[]", 'c1'),
    call: { providerConfigKey: "k y&=+#/?%é:@~.,$'()*!;[]", connectionId: 'c1' },
    answer: one,
  },
  ...[
    ['is_sync', { isSync: true }],
    ['is_script', { isScript: true }],
    ['dry_run', { dryRun: true }],
    ['all flags and an activity log', { isSync: true, isScript: true, dryRun: true, activityLogId: 'log-1' }],
    ['defaults of the proxy are not used', { connectionId: 'other', providerConfigKey: 'another' }],
    ['a host with a path', { hostPath: '/some/where' }],
    ['a host with a trailing slash', { hostPath: '/' }],
    ['a host with a path and a trailing slash', { hostPath: '/some/where/' }],
  ].map(([form, client]) => ({
    method: 'getConnection',
    form,
    client,
    official: (nango) => nango.getConnection('key', 'c1'),
    call: { providerConfigKey: 'key', connectionId: 'c1' },
    answer: one,
  })),
  {
    method: 'getConnection',
    form: 'the newer name of the key',
    client: { apiKey: 'the key' },
    official: (nango) => nango.getConnection('key', 'c1'),
    call: { providerConfigKey: 'key', connectionId: 'c1' },
    answer: one,
  },

  { method: 'getToken', form: 'OAUTH2', official: (nango) => nango.getToken('key', 'c1'), call: { providerConfigKey: 'key', connectionId: 'c1' }, answer: one, returned: token },
  {
    method: 'getToken',
    form: 'forced, with a GitHub App JWT',
    official: (nango) => nango.getToken('key', 'c1', true, true),
    call: { providerConfigKey: 'key', connectionId: 'c1', forceRefresh: true, refreshGithubAppJwtToken: true },
    answer: one,
    returned: token,
  },
  kind('OAUTH1', { type: 'OAUTH1', oauth_token: 'ot', oauth_token_secret: 'ots' }, (official, answer) => {
    assert.deepEqual({ oAuthToken: answer.typed.oauth_token, oAuthTokenSecret: answer.typed.oauth_token_secret }, official);
    assert.equal(answer.typed.token, 'ot');
    assert.equal(answer.typed.secret, 'ots');
  }),
  kind('API_KEY', { type: 'API_KEY', apiKey: 'k1' }, (official, answer) => {
    wholeCredentials(official, answer);
    assert.equal(answer.typed.api_key, 'k1');
    assert.equal(answer.typed.token, 'k1');
  }),
  kind('BASIC', { type: 'BASIC', username: 'ann', password: 'pw' }, (official, answer) => {
    wholeCredentials(official, answer);
    assert.deepEqual([answer.typed.username, answer.typed.password, answer.typed.token, answer.typed.secret], ['ann', 'pw', 'ann', 'pw']);
  }),
  kind('TBA', { type: 'TBA', token_id: 'ti', token_secret: 'ts', config_override: { client_id: 'ci', client_secret: 'cs' } }, (official, answer) => {
    wholeCredentials(official, answer);
    assert.deepEqual([answer.typed.token_id, answer.typed.token_secret, answer.typed.token, answer.typed.secret], ['ti', 'ts', 'ti', 'ts']);
    assert.deepEqual([answer.typed.client_id, answer.typed.client_secret], ['ci', 'cs']);
  }),
  kind('OAUTH2_CC', { type: 'OAUTH2_CC', token: 't', client_id: 'ci', client_secret: 'cs', expires_at: '2030-01-31T12:00:00.000Z', raw: {} }, (official, answer) => {
    wholeCredentials(official, answer);
    assert.deepEqual([answer.typed.token, answer.typed.client_id, answer.typed.client_secret], ['t', 'ci', 'cs']);
    assert.equal(answer.typed.expires_at_ms, Date.parse('2030-01-31T12:00:00.000Z'));
  }),
  kind('APP', { type: 'APP', access_token: 'app-token', expires_at: '2030-01-31T12:00:00Z', raw: {} }, (official, answer) => {
    wholeCredentials(official, answer);
    assert.deepEqual([answer.typed.token, answer.typed.access_token], ['app-token', 'app-token']);
  }),
  kind('JWT', { type: 'JWT', token: 'jwt', expires_at: '2030-01-31T12:00:00Z' }, (official, answer) => {
    wholeCredentials(official, answer);
    assert.equal(answer.typed.token, 'jwt');
  }),
  kind('NONE', {}, (official, answer) => {
    wholeCredentials(official, answer);
    assert.equal(answer.typed.type_name, 'NONE');
    assert.equal(answer.typed.token, null);
  }),
  kind('a kind of the future', { type: 'TELEPATHY', thought: 'x' }, (official, answer) => {
    wholeCredentials(official, answer);
    assert.equal(answer.typed.type, 0);
  }),
  {
    method: 'getRawTokenResponse',
    official: (nango) => nango.getRawTokenResponse('key', 'c 1'),
    call: { providerConfigKey: 'key', connectionId: 'c 1' },
    answer: one,
    returned: raw,
  },
  {
    method: 'getRawTokenResponse',
    form: 'forced, with a GitHub App JWT',
    official: (nango) => nango.getRawTokenResponse('key', 'c1', true, true),
    call: { providerConfigKey: 'key', connectionId: 'c1', forceRefresh: true, refreshGithubAppJwtToken: true },
    answer: one,
    returned: raw,
  },

  { method: 'getMetadata', official: (nango) => nango.getMetadata('key', 'c1'), call: { providerConfigKey: 'key', connectionId: 'c1' }, answer: one, returned: metadata },
  {
    method: 'getMetadata',
    form: 'there is none',
    official: (nango) => nango.getMetadata('key', 'c1'),
    call: { providerConfigKey: 'key', connectionId: 'c1' },
    answer: { body: { ...canned.connection, metadata: null } },
    returned: metadata,
  },
  { method: 'getMetadata', form: 'no key', official: (nango) => nango.getMetadata('', 'c1'), call: { providerConfigKey: '', connectionId: 'c1' }, error: 'Provider Config Key is required' },
  { method: 'getMetadata', form: 'no connection', official: (nango) => nango.getMetadata('key', ''), call: { providerConfigKey: 'key', connectionId: '' }, error: 'Connection Id is required' },
  ...['setMetadata', 'updateMetadata'].flatMap((method) => [
    { method, form: 'one connection', official: (nango) => nango[method]('key', 'c 1', { a: { b: [1, 'é'] } }), call: { providerConfigKey: 'key', connectionId: 'c 1', metadata: { a: { b: [1, 'é'] } } }, answer: put },
    { method, form: 'several connections', official: (nango) => nango[method]('key', ['c1', 'c2'], {}), call: { providerConfigKey: 'key', connectionId: ['c1', 'c2'], metadata: {} }, answer: put },
    { method, form: 'a list of one connection', official: (nango) => nango[method]('key', ['c1'], { a: 1 }), call: { providerConfigKey: 'key', connectionId: ['c1'], metadata: { a: 1 } }, answer: put,
      differs: { why: 'one connection is sent as one id: the server takes both', body: [
        { json: { metadata: { a: 1 }, connection_id: ['c1'], provider_config_key: 'key' } },
        { json: { metadata: { a: 1 }, connection_id: 'c1', provider_config_key: 'key' } },
      ] } },
    { method, form: 'no key', official: (nango) => nango[method](undefined, 'c1', {}), call: { connectionId: 'c1', metadata: {} }, error: 'Provider Config Key is required' },
    { method, form: 'no connection', official: (nango) => nango[method]('key', undefined, {}), call: { providerConfigKey: 'key', metadata: {} }, error: 'Connection Id is required' },
    { method, form: 'no metadata', official: (nango) => nango[method]('key', 'c1'), call: { providerConfigKey: 'key', connectionId: 'c1' }, error: 'Metadata is required' },
  ]),

  ...[
    ['all', [], {}],
    ['by id', ['c 1&x'], { connectionId: 'c 1&x' }],
    ['by search', [undefined, "a b*~'é"], { search: "a b*~'é" }],
    ['by end user', [undefined, undefined, { endUserId: 'u+1' }], { userId: 'u+1' }],
    ['by organization', [undefined, undefined, { endUserOrganizationId: 'o/1' }], { endUserOrganizationId: 'o/1' }],
    ['by everything of the early form', ['c1', 's', { endUserId: 'u', endUserOrganizationId: 'o', limit: 5, page: 2 }],
      { connectionId: 'c1', search: 's', userId: 'u', endUserOrganizationId: 'o', limit: 5, page: 2 }],
    ['by object: id', [{ connectionId: 'c1' }], { connectionId: 'c1' }],
    ['by object: user and integration', [{ userId: 'u', integrationId: 'key' }], { userId: 'u', integrationId: 'key' }],
    ['by object: integrations', [{ integrationId: ['key', 'o ther', 'c,d'] }], { integrationId: ['key', 'o ther', 'c,d'] }],
    ['by object: tags', [{ tags: { displayName: 'Ann B', email: 'a@b', Plan: 'gold', 'X Y': '1&2' } }], { tags: { displayName: 'Ann B', email: 'a@b', Plan: 'gold', 'X Y': '1&2' } }],
    ['by object: limit and page', [{ limit: 2000, page: 3 }], { limit: 2000, page: 3 }],
    ['by object: everything', [{ connectionId: 'c', userId: 'u', integrationId: ['k'], tags: { a: 'b' }, limit: 1, page: 1 }], { connectionId: 'c', userId: 'u', integrationId: ['k'], tags: { a: 'b' }, limit: 1, page: 1 }],
    ['by object: nothing', [{}], {}],
  ].map(([form, args, call]) => ({
    method: 'listConnections',
    form,
    official: (nango) => nango.listConnections(...args),
    call,
    answer: { body: canned.connections },
  })),

  {
    method: 'patchConnection',
    form: 'end user, tags, webhook address',
    official: (nango) => nango.patchConnection({ connectionId: 'c 1', provider_config_key: 'key' }, { end_user: { id: 'u', email: 'a@b.c', display_name: 'Ann' }, tags: { a: 'b' }, webhook_url_override: 'https://example.com/x' }),
    call: { connectionId: 'c 1', provider_config_key: 'key', body: { end_user: { id: 'u', email: 'a@b.c', display_name: 'Ann' }, tags: { a: 'b' }, webhook_url_override: 'https://example.com/x' } },
    answer: { body: canned.success },
  },
  {
    method: 'patchConnection',
    form: 'by JSON',
    official: (nango) => nango.patchConnection({ connectionId: 'c1', provider_config_key: 'key' }, { tags: {}, end_user: { id: 'u', tags: { x: 'y' } } }),
    call: { connectionId: 'c1', provider_config_key: 'key', json: { tags: {}, end_user: { id: 'u', tags: { x: 'y' } } } },
    answer: { body: canned.success },
  },
  {
    method: 'deleteConnection',
    official: (nango) => nango.deleteConnection('key', 'c 1'),
    call: { providerConfigKey: 'key', connectionId: 'c 1' },
    answer: { body: canned.success },
  },
  {
    method: 'deleteConnection',
    form: 'empty answer',
    official: (nango) => nango.deleteConnection('key', 'c1'),
    call: { providerConfigKey: 'key', connectionId: 'c1' },
    answer: { status: 204 },
  },
  {
    method: 'deleteConnection',
    form: 'key with odd characters',
    official: (nango) => nango.deleteConnection('a b:c@d~e', 'c1'),
    call: { providerConfigKey: 'a b:c@d~e', connectionId: 'c1' },
    answer: { body: canned.success },
    differs: { why: 'the official client joins the query unescaped', query: ['provider_config_key=a%20b:c@d~e', 'provider_config_key=a+b:c%40d~e'] },
  },

  {
    method: 'waitForConnection',
    form: 'there at the first look',
    official: (nango) => nango.waitForConnection('key', 'u 1'),
    call: { integrationKey: 'key', userId: 'u 1' },
    answer: { body: canned.connections },
    returned: (official, answer) => assert.deepEqual(answer.typed.json, official),
  },
  {
    method: 'waitForConnection',
    form: 'there at the third look',
    hurry: true,
    official: (nango) => nango.waitForConnection('key', 'u1'),
    call: { integrationKey: 'key', userId: 'u1', firstDelayMs: 2, delayMs: 1 },
    answer: [{ body: { connections: [] } }, { body: { connections: [canned.connections.connections[0]] } }, { body: canned.connections }],
    returned: (official, answer) => assert.deepEqual(answer.typed.json, official),
  },
  {
    method: 'waitForConnection',
    form: 'never there: 30 looks',
    hurry: true,
    official: (nango) => nango.waitForConnection('key', 'u1'),
    call: { integrationKey: 'key', userId: 'u1', firstDelayMs: 1, delayMs: 1 },
    answer: { body: { connections: [] } },
    error: 'Timeout waiting for connection to be created',
    message: 'GET /connections: Timeout waiting for connection to be created (30 looks)',
    code: 'NANGO_E_TIMEOUT',
  },

  {
    method: 'createConnectSession',
    form: 'end user, organization, allowed integrations',
    official: (nango) => nango.createConnectSession({
      end_user: { id: 'u', email: 'a@b.c', display_name: 'Ann', tags: { t: '1' } },
      organization: { id: 'o', display_name: 'Org' },
      allowed_integrations: ['key', 'other'],
      integrations_config_defaults: { key: { user_scopes: 'a', connection_config: { x: 'y' } } },
      overrides: { key: { docs_connect: 'https://example.com' } },
      tags: { a: 'b' },
    }),
    call: { body: {
      end_user: { id: 'u', email: 'a@b.c', display_name: 'Ann', tags: { t: '1' } },
      organization: { id: 'o', display_name: 'Org' },
      allowed_integrations: ['key', 'other'],
      integrations_config_defaults: { key: { user_scopes: 'a', connection_config: { x: 'y' } } },
      overrides: { key: { docs_connect: 'https://example.com' } },
      tags: { a: 'b' },
    } },
    answer: { status: 201, body: canned.session },
  },
  { method: 'createConnectSession', form: 'tags alone', official: (nango) => nango.createConnectSession({ tags: { a: 'b' } }), call: { body: { tags: { a: 'b' } } }, answer: { status: 201, body: canned.session } },
  { method: 'createConnectSession', form: 'by JSON', official: (nango) => nango.createConnectSession({ end_user: { id: 'u' }, x: null }), call: { json: { end_user: { id: 'u' }, x: null } }, answer: { status: 201, body: canned.session } },
  {
    method: 'createReconnectSession',
    form: 'ids alone',
    official: (nango) => nango.createReconnectSession({ connection_id: 'c 1', integration_id: 'key' }),
    call: { plain: true, body: { connection_id: 'c 1', integration_id: 'key' } },
    answer: { status: 201, body: canned.session },
  },
  {
    method: 'createReconnectSession',
    form: 'with an end user and defaults',
    official: (nango) => nango.createReconnectSession({ connection_id: 'c1', integration_id: 'key', end_user: { id: 'u', email: 'a@b.c' }, organization: { id: 'o' }, integrations_config_defaults: { key: {} }, tags: { a: 'b' } }),
    call: { body: { connection_id: 'c1', integration_id: 'key', end_user: { id: 'u', email: 'a@b.c' }, organization: { id: 'o' }, integrations_config_defaults: { key: {} }, tags: { a: 'b' } } },
    answer: { status: 201, body: canned.session },
  },
  { method: 'createReconnectSession', form: 'by JSON', official: (nango) => nango.createReconnectSession({ connection_id: 'c1', integration_id: 'key', y: 1 }), call: { json: { connection_id: 'c1', integration_id: 'key', y: 1 } }, answer: { status: 201, body: canned.session } },
];
