// SPDX-License-Identifier: Apache-2.0
// Missing, malformed, oversized and wrongly typed input, for every endpoint. Two layers: a table of
// what the contract says exactly, and a sweep that mutates a good request in every way and demands of
// each answer only what holds always: JSON with a code when refused, never a 5xx, and a daemon that
// lives on.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';

import { logged } from './lib/daemon.mjs';
import { exchange } from './lib/socket.mjs';
import { World } from './lib/world.mjs';

let world;
let token;
const test = (name, ...rest) => it(name, ...rest.slice(0, -1), logged(() => world.nangod, rest.at(-1)));

before(async () => {
  world = await World.start({ integrations: { key: 'test-key', oauth: 'test-oauth', basic: 'test-basic', none: 'test-none' } });
  await world.integration('oauth1', 'test-oauth1', { credentials: { type: 'OAUTH1', client_id: 'ck', client_secret: 'cs' } });
  for (const id of ['c1', 'c2']) {
    await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: id, credentials: { type: 'API_KEY', apiKey: 'k' } } });
  }
  const { data } = await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } });
  token = data.token;
});
after(() => world?.finish());

const long = 'x'.repeat(256);
const json = { 'Content-Type': 'application/json' };

// ---- the contract, line by line: [method, target, options, status, code, path of the first issue] ----

const rows = [
  // who asks
  ['GET', '/connections', { key: null }, 401, 'missing_auth_header'],
  ['GET', '/connections', { key: 'x' }, 401, 'invalid_secret_key_format'],
  ['GET', '/connections', { key: '11111111-1111-4111-8111-111111111111' }, 401, 'unknown_account'],
  ['GET', '/connections', { key: '11111111-1111-1111-8111-111111111111' }, 401, 'invalid_secret_key_format'],
  ['POST', '/connections', { key: null, body: '{' , headers: json }, 400, 'invalid_json'],
  ['POST', '/connections', { key: null, body: 'x', headers: { 'Content-Type': 'text/plain' } }, 415, 'invalid_content_type'],
  ['GET', '/connect/session', {}, 401, 'invalid_connect_session_token_format'],
  ['GET', '/connect/session', { key: null }, 401, 'missing_auth_header'],
  // what
  ...['gzip', 'deflate', 'br', 'x, gzip'].map((coding) => ['POST', '/connections', { body: zlib.gzipSync('{}'), headers: { ...json, 'Content-Encoding': coding } }, 415, 'invalid_content_encoding']),
  ['POST', '/connections', { key: null, body: zlib.gzipSync('{}'), headers: { ...json, 'Content-Encoding': 'gzip' } }, 415, 'invalid_content_encoding'],
  ['POST', '/config', { body: zlib.gzipSync('{}'), headers: { ...json, 'Content-Encoding': 'gzip' } }, 415, 'invalid_content_encoding'],
  ['POST', '/connections', { body: {}, headers: { 'Content-Encoding': 'identity' } }, 400, 'invalid_body', ['provider_config_key']],
  // where
  ['GET', '/nope', {}, 404, 'not_found'],
  ['POST', '/connections/c1', { body: {} }, 404, 'not_found'],
  ['PUT', '/integrations/key', { body: {} }, 404, 'not_found'],
  ['GET', '/connections/c1/metadata', {}, 404, 'not_found'],
  // connections
  ['GET', '/connections/c1', {}, 400, 'invalid_query_params', ['provider_config_key']],
  ['GET', '/connections/c1?provider_config_key=', {}, 400, 'invalid_query_params', ['provider_config_key']],
  ['GET', '/connections/c1?provider_config_key=a/b', {}, 400, 'invalid_query_params', ['provider_config_key']],
  ['GET', `/connections/c1?provider_config_key=${long}`, {}, 400, 'invalid_query_params', ['provider_config_key']],
  ['GET', '/connections/c1?provider_config_key=key&provider_config_key=key', {}, 400, 'invalid_query_params', ['provider_config_key']],
  ['GET', '/connections/c1?provider_config_key=key&force_refresh=maybe', {}, 400, 'invalid_query_params', ['force_refresh']],
  ['GET', '/connections/c1?provider_config_key=key&x=1', {}, 400, 'invalid_query_params', []],
  ['GET', `/connections/${long}?provider_config_key=key`, {}, 400, 'invalid_uri_params', ['connectionId']],
  ['GET', '/connections/a%3Fb?provider_config_key=key', {}, 400, 'invalid_uri_params', ['connectionId']],
  ['GET', '/connections/nobody?provider_config_key=key', {}, 404, 'not_found'],
  ['GET', '/connections/c1?provider_config_key=nope', {}, 400, 'unknown_provider_config'],
  ['GET', '/connections?limit=0', {}, 400, 'invalid_query_params', ['limit']],
  ['GET', '/connections?limit=2001', {}, 400, 'invalid_query_params', ['limit']],
  ['GET', '/connections?limit=1e999', {}, 400, 'invalid_query_params', ['limit']],
  ['GET', '/connections?page=-1', {}, 400, 'invalid_query_params', ['page']],
  ['GET', '/connections?search=', {}, 400, 'invalid_query_params', ['search']],
  ['GET', `/connections?endUserId=${long}`, {}, 400, 'invalid_query_params', ['endUserId']],
  ['GET', '/connections?nope=1', {}, 400, 'invalid_query_params', []],
  ['GET', '/connections', { headers: { 'Content-Type': 'text/plain' } }, 415, 'invalid_content_type'],
  ['POST', '/connections', {}, 400, 'invalid_body', []],
  ['POST', '/connections', { body: [] }, 400, 'invalid_body', []],
  // an empty body announced as JSON is {}; without a type it is none
  ['POST', '/connections', { body: '', headers: json }, 400, 'invalid_body', ['provider_config_key']],
  ['POST', '/connections', { body: '' }, 400, 'invalid_body', []],
  ['POST', '/connections', { body: '"x"', headers: json }, 400, 'invalid_json'],
  ['POST', '/connections', { body: '{"a":1,}', headers: json }, 400, 'invalid_json'],
  ['POST', '/connections', { body: {} }, 400, 'invalid_body', ['provider_config_key']],
  ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'API_KEY' } } }, 400, 'invalid_body', ['credentials', 'apiKey']],
  ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'NOPE' } } }, 400, 'invalid_body', ['credentials', 'type']],
  ['POST', '/connections', { body: { provider_config_key: 'nope', credentials: { type: 'API_KEY', apiKey: 'k' } } }, 404, 'not_found'],
  ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'BASIC', username: 'u', password: 'p' } } }, 400, 'invalid_body'],
  ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'API_KEY', apiKey: 'k' }, connection_id: 5 } }, 400, 'invalid_body', ['connection_id']],
  ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'API_KEY', apiKey: 'k' }, metadata: [] } }, 400, 'invalid_body', ['metadata']],
  ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'API_KEY', apiKey: 'k' }, end_user: {} } }, 400, 'invalid_body', ['end_user', 'id']],
  ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'API_KEY', apiKey: 'k' }, x: 1 } }, 400, 'invalid_body', []],
  ['POST', '/connections?x=1', { body: { provider_config_key: 'key', credentials: { type: 'API_KEY', apiKey: 'k' } } }, 400, 'invalid_query_params', []],
  ['PATCH', '/connections/c1?provider_config_key=key', { body: { metadata: {} } }, 400, 'invalid_body', []],
  ['PATCH', '/connections/c1?provider_config_key=key', { body: { tags: 'x' } }, 400, 'invalid_body', ['tags']],
  ['PATCH', '/connections/c1', { body: {} }, 400, 'invalid_query_params', ['provider_config_key']],
  ['PATCH', '/connections/nobody?provider_config_key=key', { body: {} }, 404, 'not_found'],
  ['DELETE', '/connections/c1', {}, 400, 'invalid_query_params', ['provider_config_key']],
  ['DELETE', '/connections/nobody?provider_config_key=key', {}, 400, 'unknown_connection'],
  // early import
  ['POST', '/connection', { body: {} }, 400, 'missing_provider_config'],
  ['POST', '/connection', { body: { provider_config_key: 'nope', connection_id: 'a' } }, 400, 'unknown_provider_config'],
  ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: 'a' } }, 400, 'missing_api_key'],
  ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: 'a', api_key: '' } }, 400, 'missing_api_key'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'a' } }, 400, 'missing_access_token'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'a', access_token: '', no_expiration: true } }, 400, 'missing_access_token'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth1', connection_id: 'a', oauth_token: '', oauth_token_secret: 's' } }, 400, 'missing_oauth_token'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth1', connection_id: 'a', oauth_token: 't', oauth_token_secret: '' } }, 400, 'missing_oauth_token_secret'],
  ['POST', '/connection', { body: { provider_config_key: 'basic', connection_id: 'a' } }, 400, 'missing_basic_username'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'a', access_token: 't' } }, 400, 'missing_expires_at'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'a', access_token: 't', expires_at: 1e308 } }, 400, 'missing_expires_at'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'a', access_token: 't', expires_at: -9e15 } }, 400, 'missing_expires_at'],
  ['POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'a', access_token: 't', expires_in: '9223372036854775807' } }, 400, 'missing_expires_at'],
  // metadata
  ['POST', '/connections/metadata', {}, 400, 'invalid_body', []],
  ['POST', '/connections/metadata', { body: { connection_id: 'c1', provider_config_key: 'key' } }, 400, 'invalid_body', ['metadata']],
  ['POST', '/connections/metadata', { body: { connection_id: 'c1', provider_config_key: 'key', metadata: null } }, 400, 'invalid_body', ['metadata']],
  ['POST', '/connections/metadata', { body: { connection_id: 'nobody', provider_config_key: 'key', metadata: {} } }, 404, 'unknown_connection'],
  ['PATCH', '/connections/metadata', { body: { connection_id: ['c1', 'nobody'], provider_config_key: 'key', metadata: {} } }, 404, 'unknown_connection'],
  ['POST', '/connection/nobody/metadata?provider_config_key=key', { body: {} }, 404, 'unknown_connection'],
  // integrations
  ['GET', '/integrations?x=1', {}, 400, 'invalid_query_params', []],
  ['GET', '/integrations/nope', {}, 404, 'not_found'],
  ['GET', '/integrations/key?include=all', {}, 400, 'invalid_query_params', ['include']],
  ['GET', `/integrations/${long}`, {}, 400, 'invalid_uri_params', ['uniqueKey']],
  ['GET', '/integrations/a%00b', {}, 400, 'invalid_uri_params', ['uniqueKey']],
  ['POST', '/integrations', { body: {} }, 400, 'invalid_body', ['provider']],
  ['POST', '/integrations', { body: { provider: 'no-such', unique_key: 'a' } }, 400, 'invalid_body', ['provider']],
  ['POST', '/integrations', { body: { provider: 'test-key', unique_key: 'key' } }, 400, 'invalid_body', ['uniqueKey']],
  ['POST', '/integrations', { body: { provider: 'test-key', unique_key: long } }, 400, 'invalid_body', ['unique_key']],
  ['POST', '/integrations', { body: { provider: 'test-key', unique_key: 'a/b' } }, 400, 'invalid_body', ['unique_key']],
  ['POST', '/integrations', { body: { provider: 'test-key', unique_key: 'a', display_name: '' } }, 400, 'invalid_body', ['display_name']],
  ['POST', '/integrations', { body: { provider: 'test-oauth', unique_key: 'a' } }, 400, 'invalid_body'],
  ['POST', '/integrations', { body: { provider: 'test-oauth', unique_key: 'a', credentials: { type: 'OAUTH2', client_id: '', client_secret: 's' } } }, 400, 'invalid_body', ['credentials', 'client_id']],
  ['PATCH', '/integrations/key', { body: { provider: 'test-key' } }, 400, 'invalid_body', []],
  ['PATCH', '/integrations/nope', { body: {} }, 404, 'not_found'],
  ['DELETE', '/integrations/nope', {}, 404, 'not_found'],
  // the early forms
  ['GET', '/config/nope', {}, 400, 'unknown_provider_config'],
  ['POST', '/config', { body: {} }, 400, 'missing_provider_config'],
  ['POST', '/config', { body: { provider_config_key: 'a' } }, 400, 'missing_provider_template'],
  ['POST', '/config', { body: { provider_config_key: 'a', provider: 'no-such' } }, 400, 'unknown_provider_template'],
  ['POST', '/config', { body: { provider_config_key: 'a', provider: 'test-oauth' } }, 400, 'missing_client_id'],
  ['POST', '/config', { body: { provider_config_key: 'a', provider: 'test-oauth', oauth_client_id: 'x' } }, 400, 'missing_client_secret'],
  ['POST', '/config', { body: { provider_config_key: 'a', provider: 'test-oauth', oauth_client_id: 'x', oauth_client_secret: 'y', oauth_scopes: ['a'] } }, 400, 'invalid_oauth_scopes'],
  ['POST', '/config', { body: { provider_config_key: 'oauth', provider: 'test-oauth', oauth_client_id: 'x', oauth_client_secret: 'y' } }, 409, 'duplicate_provider_config'],
  ['PUT', '/config', { body: { provider_config_key: 'key', provider: 'test-key' } }, 400, 'provider_config_edit_not_allowed'],
  // providers, variables
  ['GET', '/providers/no-such', {}, 404, 'not_found'],
  ['GET', '/providers/a.b', {}, 400, 'invalid_uri_params', ['provider']],
  ['GET', '/providers?search=(', {}, 400, 'invalid_query_params', ['search']],
  ['GET', '/environment-variables?x=1', {}, 400, 'invalid_query_params', []],
  // connect sessions
  ['POST', '/connect/sessions', {}, 400, 'invalid_body', []],
  ['POST', '/connect/sessions', { body: {} }, 400, 'invalid_body', ['end_user']],
  ['POST', '/connect/sessions', { body: { end_user: { id: '' } } }, 400, 'invalid_body', ['end_user', 'id']],
  ['POST', '/connect/sessions', { body: { end_user: { id: long } } }, 400, 'invalid_body', ['end_user', 'id']],
  ['POST', '/connect/sessions', { body: { end_user: { id: 'u', email: 'x' } } }, 400, 'invalid_body', ['end_user', 'email']],
  ['POST', '/connect/sessions', { body: { end_user: { id: 'u' }, allowed_integrations: ['nope'] } }, 400, 'invalid_body', ['allowed_integrations', '0']],
  ['POST', '/connect/sessions?x=1', { body: { end_user: { id: 'u' } } }, 400, 'invalid_query_params', []],
  ['POST', '/connect/sessions/reconnect', { body: { connection_id: 'nobody', integration_id: 'key' } }, 400, 'invalid_body'],
  // the proxy
  ['GET', '/proxy/a', {}, 400, 'invalid_headers', ['provider-config-key']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key' } }, 400, 'invalid_headers', ['connection-id']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': long } }, 400, 'invalid_headers', ['connection-id']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', Retries: 'x' } }, 400, 'invalid_headers', ['retries']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', Retries: '-1' } }, 400, 'invalid_headers', ['retries']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', 'Retry-On': '4xx' } }, 400, 'invalid_headers', ['retry-on']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', Decompress: 'maybe' } }, 400, 'invalid_headers', ['decompress']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', 'Base-Url-Override': 'nope' } }, 400, 'invalid_headers', ['base-url-override']],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', 'Base-Url-Override': 'ftp://127.0.0.1/' } }, 400, 'base_url_override_not_allowed'],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'nope', 'Connection-Id': 'c1' } }, 404, 'unknown_provider_config'],
  ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'nobody' } }, 400, 'server_error'],
];

describe('the contract', () => {
  for (const [method, target, options, status, code, path] of rows) {
    const shown = target.replace(long, '<256>');
    const said = options.body === undefined ? '' : ` ${JSON.stringify(options.body).replace(long, '<256>').slice(0, 90)}`;
    const by = options.headers ? ` ${JSON.stringify(options.headers).replace(long, '<256>').slice(0, 90)}` : '';
    test(`${method} ${shown}${said}${by} → ${status} ${code}`, async () => {
      const answer = await world.nangod.api(method, target, options);
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body.error?.code, code, answer.text);
      assert.match(answer.headers['content-type'], /^application\/json; charset=utf-8$/);
      if (path !== undefined) assert.deepEqual(answer.body.error.errors?.[0]?.path, path, answer.text);
    });
  }

  test('a content type without a length announces no body', async () => {
    const { text } = await exchange(world.nangod.port, `POST /connections HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${world.nangod.keys.secretKey}\r\nContent-Type: application/json\r\n\r\n`);
    assert.deepEqual(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).error.errors[0], { code: 'invalid_type', message: 'Invalid input: expected object, received undefined', path: [] });
  });

  test('a body over the limit → 413', async () => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(76 * 1024 * 1024, 'x'), Buffer.from('"}')]);
    const answer = await world.nangod.api('POST', '/connections', { body, headers: json }).catch((error) => {
      // The server may close before it has all: that, too, is a refusal, if it was not a crash.
      if (!['ECONNRESET', 'EPIPE'].includes(error.code)) throw error;
      return null;
    });
    if (answer) {
      assert.equal(answer.status, 413, answer.text.slice(0, 200));
      assert.equal(typeof answer.body.error.code, 'string');
    }
    assert.equal((await world.nangod.api('GET', '/health')).status, 200);
  });

  test('a request line over the limit → 414 or 431', async () => {
    const answer = await world.nangod.api('GET', `/connections?search=${'x'.repeat(100_000)}`);
    assert.ok([414, 431].includes(answer.status), String(answer.status));
  });
});

// ---- keys that may not do everything ----

describe('a key with few rights', () => {
  let limited;
  const check = (name, body) => it(name, logged(() => limited.nangod, body));

  before(async () => {
    limited = await World.start({ oauth: false, integrations: { key: 'test-key' } });
    await limited.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    await limited.nangod.grant('environment:connections:read environment:integrations:read');
  });
  after(() => limited?.finish());

  check('reads a connection without its credentials', async () => {
    const { status, body } = await limited.get('key', 'c1', '&force_refresh=false&refresh_token=0&refresh_github_app_jwt_token=no');
    assert.deepEqual([status, body.credentials], [200, {}]);
  });

  const credentials = { credentials: 'environment:connections:read_credentials', settings: 'environment:integrations:read_credentials' };
  for (const [method, target, scope] of [
    ['GET', '/connections/c1?provider_config_key=key&force_refresh=true', credentials.credentials],
    ['GET', '/connections/c1?provider_config_key=key&refresh_token=true', credentials.credentials],
    ['GET', '/connections/c1?provider_config_key=key&refresh_github_app_jwt_token=true', credentials.credentials],
    ['GET', '/connections/c1?provider_config_key=k%65y&refresh_github_app_jwt_token=yes', credentials.credentials],
    ['GET', '/config/key?include_creds=true', credentials.settings],
    ['GET', '/environment-variables', 'environment:variables:read'],
    ['POST', '/connect/sessions', 'environment:connect_sessions:write'],
    ['POST', '/environments', 'account:environments:create'],
    ['DELETE', '/environments/1', 'account:environments:delete'],
    ['POST', '/environment/api-keys', 'account:environments:api_keys:create'],
    ['DELETE', '/environment/api-keys', 'account:environments:api_keys:delete'],
    ['POST', '/environment/webhook-signing-key/rotate', 'environment:webhook_signing_key:rotate'],
  ]) {
    check(`${method} ${target} → 403 for want of ${scope}`, async () => {
      const { status, body } = await limited.nangod.api(method, target);
      assert.deepEqual([status, body.error.code, body.error.message], [403, 'forbidden', `Insufficient scope. Required: ${scope}`]);
    });
  }
});

// ---- more of everything than anybody needs: refused, or answered in the time of its size ----

describe('many keys, many elements', () => {
  const many = 100_000;
  const keys = (n, value = 'v') => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, value]));
  const credentials = { type: 'API_KEY', apiKey: 'k' };
  const refusals = [
    ['POST', '/connections', (n) => ({ provider_config_key: 'key', credentials, tags: keys(n) }), 'custom', ['tags']],
    ['POST', '/connections', (n) => ({ provider_config_key: 'key', credentials, end_user: { id: 'u', tags: keys(n) } }), 'too_big', ['end_user', 'tags']],
    ['PATCH', '/connections/c2?provider_config_key=key', (n) => ({ end_user: { id: 'u', tags: keys(n) } }), 'too_big', ['end_user', 'tags']],
    ['POST', '/integrations', (n) => ({ provider: 'test-key', unique_key: 'many', custom: keys(n) }), 'too_big', ['custom']],
    ['POST', '/integrations', (n) => ({ provider: 'test-key', unique_key: 'many', integration_config: keys(n) }), 'too_big', ['integration_config']],
    ['PATCH', '/integrations/key', (n) => ({ custom: keys(n) }), 'too_big', ['custom']],
    ['POST', '/connect/sessions', (n) => ({ end_user: { id: 'u', tags: keys(n) } }), 'too_big', ['end_user', 'tags']],
    ['POST', '/connect/sessions', (n) => ({ end_user: { id: 'u' }, allowed_integrations: Array(n).fill('key') }), 'too_big', ['allowed_integrations']],
    ['POST', '/connect/sessions', (n) => ({ end_user: { id: 'u' }, integrations_config_defaults: keys(n, {}) }), 'too_big', ['integrations_config_defaults']],
    ['POST', '/connect/sessions', (n) => ({ end_user: { id: 'u' }, overrides: keys(n, {}) }), 'too_big', ['overrides']],
    ['POST', '/connect/sessions', (n) => ({ end_user: { id: 'u' }, integrations_config_defaults: { key: { authorization_params: keys(n) } } }), 'too_big', ['integrations_config_defaults', 'key', 'authorization_params']],
  ];
  for (const [method, target, body, code, path] of refusals) {
    for (const n of [1001, many]) {
      test(`${method} ${target}: ${n} of ${path.join('.')} → ${code}`, async () => {
        const answer = await world.nangod.api(method, target, { body: body(n) });
        assert.equal(answer.status, 400, answer.text.slice(0, 300));
        assert.deepEqual(answer.body.error.errors.map((issue) => [issue.code, issue.path]), [[code, path]]);
      });
    }
  }

  test('ids of POST /connections/metadata: 10,000 at most', async () => {
    const send = (n) => world.nangod.api('POST', '/connections/metadata', { body: { provider_config_key: 'key', connection_id: Array(n).fill('c1'), metadata: {} } });
    assert.equal((await send(10_000)).status, 201);
    const { status, body } = await send(10_001);
    assert.equal(status, 400);
    assert.deepEqual(body.error.errors, [{ code: 'too_big', message: 'Too big: expected array to have <=10000 items', path: ['connection_id'] }]);
  });

  // Quadratic work on these takes minutes.
  test(`${many} keys of metadata, of a configuration and of what is ignored are no trouble`, { timeout: 60_000 }, async () => {
    await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'many', credentials, metadata: keys(many), connection_config: keys(many) } });
    await world.nangod.must(200, 'PATCH', '/connections/metadata', { body: { provider_config_key: 'key', connection_id: 'many', metadata: { ...keys(many, 'w'), more: 1 } } });
    const { body } = await world.get('key', 'many');
    assert.deepEqual([Object.keys(body.metadata).length, body.metadata.k7, body.metadata.more], [many + 1, 'w', 1]);
    assert.equal(Object.keys(body.connection_config).length, many);
    await world.nangod.must(201, 'POST', '/connection/many/metadata?provider_config_key=key', { body: keys(many) });
    await world.nangod.must(201, 'POST', '/connection', { body: { provider_config_key: 'key', connection_id: 'many', api_key: 'k', ...keys(many) } });
    assert.equal((await world.nangod.api('POST', '/connections', { body: { provider_config_key: 'key', credentials, ...keys(many) } })).status, 400);
    assert.equal((await world.nangod.api('POST', '/config', { body: { provider_config_key: 'key', ...keys(many) } })).status, 400);
  });
});

// ---- where webhooks may go: a daemon with the outbound policy that it has unless told otherwise ----

describe('webhook addresses', () => {
  const blocked = ['http://169.254.169.254/latest', 'http://127.0.0.1/', 'http://[::1]/', 'http://10.0.0.1/', 'http://metadata.google.internal/', 'http://0x7f.1/', 'http://localhost:9/'];
  const credentials = { type: 'API_KEY', apiKey: 'k' };
  let strict;
  const check = (name, body) => it(name, logged(() => strict.nangod, body));

  before(async () => {
    strict = await World.start({ oauth: false, integrations: { key: 'test-key' }, settings: { 'outbound.allow_private': 'false', public_url: 'https://ours.test' } });
    await strict.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c1', credentials } });
  });
  after(() => strict?.finish());

  async function refused(method, target, body, path, code = 'custom') {
    const answer = await strict.nangod.api(method, target, { body });
    assert.equal(answer.status, 400, `${JSON.stringify(body)}: ${answer.text}`);
    assert.equal(answer.body.error.code, 'invalid_body');
    assert.deepEqual(answer.body.error.errors.map((issue) => [issue.code, issue.path]), [[code, path]], answer.text);
  }

  for (const url of [...blocked, 'https://ours.test/hook', 'https://OURS.test:8443/']) {
    check(`${url} is refused everywhere`, async () => {
      const path = ['webhook_url_override'];
      await refused('POST', '/connections', { provider_config_key: 'key', connection_id: 'c2', credentials, webhook_url_override: url }, path);
      await refused('PATCH', '/connections/c1?provider_config_key=key', { webhook_url_override: url }, path);
      await refused('POST', '/connect/sessions', { end_user: { id: 'u' }, webhook_url_override: url }, path);
      await refused('POST', '/connect/sessions/reconnect', { connection_id: 'c1', integration_id: 'key', webhook_url_override: url }, path);
    });
    check(`${url} is refused in the early place`, async () => {
      const defaults = { integrations_config_defaults: { key: { connection_config: { webhook_url: url } } } };
      const path = ['integrations_config_defaults', 'key', 'connection_config', 'webhook_url'];
      await refused('POST', '/connect/sessions', { end_user: { id: 'u' }, ...defaults }, path);
      await refused('POST', '/connect/sessions/reconnect', { connection_id: 'c1', integration_id: 'key', ...defaults }, path);
    });
  }

  check('what is no http address is refused in the early place, too', async () => {
    const path = ['integrations_config_defaults', 'key', 'connection_config', 'webhook_url'];
    for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'x', 5]) {
      await refused('POST', '/connect/sessions', { end_user: { id: 'u' }, integrations_config_defaults: { key: { connection_config: { webhook_url: url } } } }, path, 'invalid_union');
    }
  });

  check('an address outside is taken from either place', async () => {
    const session = async (body) => (await strict.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' }, ...body } })).data.token;
    const early = { integrations_config_defaults: { key: { connection_config: { webhook_url: 'https://example.com/early' } } } };
    for (const [body, url] of [[{ webhook_url_override: 'https://example.com/h' }, 'https://example.com/h'], [early, 'https://example.com/early'], [{ ...early, webhook_url_override: 'https://example.com/h' }, 'https://example.com/h']]) {
      const token = await session(body);
      const { connectionId } = await strict.nangod.must(200, 'POST', `/api-auth/api-key/key?connect_session_token=${token}`, { body: { apiKey: 'k' } });
      const connection = (await strict.get('key', connectionId)).body;
      assert.equal(connection.webhook_url_override, url);
      assert.equal(connection.connection_config.webhook_url, undefined);
    }
  });

  check("a machine's own address is shared: another port of it is not ours", async () => {
    const at = (port) => ({ body: { webhook_url_override: `http://127.0.0.1:${port}/h` } });
    const target = '/connections/c1?provider_config_key=key';
    assert.equal((await world.nangod.api('PATCH', target, at(world.nangod.port))).status, 400);
    assert.equal((await world.nangod.api('PATCH', target, at(world.echo.port))).status, 200);
  });
});

// ---- the sweep ----

const goodRequests = () => [
  ['GET', '/connections/c1?provider_config_key=key'],
  ['GET', '/connection/c1?provider_config_key=key'],
  ['GET', '/connections?limit=1'],
  ['GET', '/connection?connectionId=c1'],
  ['POST', '/connections', {
    provider_config_key: 'key', connection_id: 'swept', credentials: { type: 'API_KEY', apiKey: 'k' }, metadata: { a: 1 },
    connection_config: { a: 'b', oauth_scopes_override: ['a'] }, end_user: { id: 'u', email: 'a@b.co', display_name: 'A', tags: { t: 'v' } },
    tags: { a: 'b' }, webhook_url_override: 'https://example.com/h',
  }],
  ['POST', '/connections', {
    provider_config_key: 'oauth', connection_id: 'swept2',
    credentials: { type: 'OAUTH2', access_token: 'a', refresh_token: 'r', expires_at: '2099-01-01T00:00:00.000Z', config_override: { client_id: 'a', client_secret: 'b' } },
  }],
  ['POST', '/connection', { provider_config_key: 'oauth', connection_id: 'swept3', access_token: 'a', refresh_token: 'r', expires_at: '2099-01-01T00:00:00.000Z', metadata: {}, connection_config: {}, raw: {} }],
  ['PATCH', '/connections/c2?provider_config_key=key', { tags: { a: 'b' }, end_user: { id: 'u' }, webhook_url_override: '' }],
  ['DELETE', '/connections/gone?provider_config_key=key'],
  ['POST', '/connections/metadata', { connection_id: ['c1', 'c2'], provider_config_key: 'key', metadata: { a: { b: [1] } } }],
  ['PATCH', '/connections/metadata', { connection_id: 'c1', provider_config_key: 'key', metadata: { a: 1 } }],
  ['POST', '/connection/c1/metadata?provider_config_key=key', { a: 1 }],
  ['PATCH', '/connection/c1/metadata?provider_config_key=key', { a: 1 }],
  ['GET', '/integrations'],
  ['GET', '/integrations/key?include=credentials&include=webhook'],
  ['POST', '/integrations', { provider: 'test-oauth', unique_key: 'swept-oauth', display_name: 'X', forward_webhooks: true, credentials: { type: 'OAUTH2', client_id: 'a', client_secret: 'b', scopes: 'a,b', webhook_secret: 'w' }, custom: { a: 'b' } }],
  ['POST', '/integrations/quickstart', { provider: 'test-oauth', unique_key: 'q' }],
  ['PATCH', '/integrations/basic', { display_name: 'Basic', forward_webhooks: false, custom: { a: 'b' } }],
  ['DELETE', '/integrations/gone'],
  ['GET', '/config'],
  ['GET', '/config/oauth?include_creds=true'],
  ['POST', '/config', { provider: 'test-oauth', provider_config_key: 'swept-config', oauth_client_id: 'a', oauth_client_secret: 'b', oauth_scopes: 'x', app_link: 'l' }],
  ['PUT', '/config', { provider: 'test-oauth', provider_config_key: 'oauth', oauth_client_id: 'a', oauth_client_secret: 'b', oauth_scopes: 'x' }],
  ['DELETE', '/config/gone'],
  ['GET', '/providers?search=test'],
  ['GET', '/providers/test-key'],
  ['GET', '/provider?query=test'],
  ['GET', '/environment-variables'],
  ['POST', '/connect/sessions', {
    end_user: { id: 'u', email: 'a@b.co', display_name: 'A', tags: { t: 'v' } }, organization: { id: 'o', display_name: 'O' }, allowed_integrations: ['key'],
    integrations_config_defaults: { key: { user_scopes: 'a', authorization_params: { a: 'b' }, connection_config: { a: 'b' } } },
    overrides: { key: {} }, webhook_url_override: 'https://example.com/', tags: { a: 'b' },
  }],
  ['POST', '/connect/sessions/reconnect', { connection_id: 'c1', integration_id: 'key', end_user: { id: 'u' }, tags: { a: 'b' } }],
  ['GET', '/connect/session', undefined, { Authorization: `Bearer ${token}` }],
  ['POST', '/connect/telemetry', { token, event: 'open', timestamp: new Date().toISOString(), dimensions: { integration: 'key' } }],
  ['POST', `/api-auth/api-key/key?connect_session_token=${token}&params[a]=b`, { apiKey: 'k' }],
  ['POST', `/api-auth/basic/basic?connect_session_token=${token}`, { username: 'u', password: 'p' }],
  ['POST', `/auth/unauthenticated/none?connect_session_token=${token}`, {}],
  ['POST', `/unauth/none?connect_session_token=${token}`],
  ['GET', '/proxy/echo/a?x=1', undefined, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', Retries: '0', 'Retry-On': '404', 'Base-Url-Override': '', Decompress: 'true', 'Forward-Headers-On-Redirect': 'true', 'Nango-Activity-Log-Id': 'x' }],
  ['POST', '/proxy/echo/a', { a: 1 }, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' }],
];
// Pages for browsers: their refusals may be HTML.
const pages = () => [
  ['GET', `/oauth/connect/oauth?connect_session_token=${token}&params[a]=b&authorization_params[c]=d&credentials[oauth_client_id_override]=x&user_scope=u`],
  ['GET', '/oauth/callback?state=11111111-1111-4111-8111-111111111111&code=x&error=e'],
];

const odd = [null, true, false, 0, -1, 1e308, 12345678901234567890n, '', ' ', '\u0000', 'a\u0000b', '\ud800', '😀'.repeat(300), 'x'.repeat(10_000), [], [[]], [null], {}, { a: {} }, '__proto__', '../..', '%zz', "';--", '2020-13-45'];
const text = (value) => JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? `${member}n` : member)).replace(/"(\d+)n"/g, '$1');

// A body with one member at a time replaced by odd values or removed, and one added, at every depth.
function* mutations(body) {
  function* at(value, put) {
    for (const strange of odd) yield put(strange);
    if (value && typeof value === 'object') {
      for (const key of Object.keys(value)) {
        const { [key]: member, ...rest } = value;
        if (!Array.isArray(value)) yield put(rest);
        yield* at(member, (other) => put(Array.isArray(value) ? Object.assign([...value], { [key]: other }) : { ...value, [key]: other }));
      }
      if (!Array.isArray(value)) for (const key of ['nope', '', '__proto__x', 'constructor', 'x'.repeat(5000)]) yield put({ ...value, [key]: 1 });
    }
  }
  yield* at(body, (value) => value);
}

const queryPieces = ['x=1', 'x', '=', '&&&', 'x[]=1', 'x[y][z]=1', `x${'[a]'.repeat(200)}=1`, 'provider_config_key=', 'provider_config_key[]=a', 'provider_config_key=%00', 'provider_config_key=%zz',
  'provider_config_key=%ff', `provider_config_key=${'k'.repeat(5000)}`, 'tags=x', 'tags[]=x', 'tags[a][b]=c', 'limit[]=1', 'limit=1.5', 'limit=0x10', 'limit=99999999999999999999', 'page=1e3', 'include[]=', 'include[a]=b',
  'connectionId=%F0%9F%98%80', 'search=%25%5F%27', 'connect_session_token[]=x', 'public_key[]=x', 'connection_id=%00', 'params=x', 'params[]=x', 'params[a][b]=c', 'hmac=x', 'force_refresh[]=true'];

const pathPieces = ['%00', '%2e%2e', '..', '%zz', '%', '%f', '%ff%fe', '%F0%9F%98%80', 'x'.repeat(300), 'a%2Fb', 'a%20b', "'", '%22', '${connectionConfig.x}', '%24%7BapiKey%7D', '*', ';a=b', '%0d%0aX:%20y'];

const types = ['', 'text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data', 'multipart/form-data; boundary=', 'Application/JSON', 'application/json; charset=utf-16', 'application/json;', 'x/y', '\u00ff'];

const rawBodies = ['', ' ', '{', '}', '[', 'nul', 'null', '1', '-', '"', '{"a"', '{"a":}', '{"a":1}x', '{"a":1}{"b":2}', '\ufeff{}', `${'['.repeat(100_000)}`, `{"a":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`, '{"a":1e999}', '{"a":"\\ud800"}', '{"a":"\\u0000"}', '{"\\u0000":1}', '{"a":1,"a":2}'];

async function lives(what, method, target, options, { html = false } = {}) {
  let answer;
  try {
    answer = await world.nangod.api(method, target, options);
  } catch (error) {
    throw new Error(`${what}: ${error.message}`);
  }
  assert.ok(answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
  if (answer.status >= 400 && !(html && /^text\/html/.test(answer.headers['content-type'] ?? ''))) {
    // The path of the early browser client keeps that client's flat shape.
    const code = target.startsWith('/unauth/') && answer.body?.type ? answer.body.type : answer.body?.error?.code;
    assert.equal(typeof code, 'string', `${what}: ${answer.status} ${answer.headers['content-type']} ${answer.text.slice(0, 200)}`);
  }
}

// Runs `jobs` (functions) a few at a time.
async function crowd(jobs, wide = 16) {
  const queue = jobs[Symbol.iterator]();
  await Promise.all(Array.from({ length: wide }, async () => {
    for (let step = queue.next(); !step.done; step = queue.next()) await step.value();
  }));
}

const endpoints = ['connections', 'config', 'integrations', 'everything else'];
const partOf = ([, target]) => (/^\/connections?\b/.test(target) ? 'connections' : /^\/config/.test(target) ? 'config' : /^\/integrations/.test(target) ? 'integrations' : 'everything else');

describe('the sweep: never a 5xx, always a code', () => {
  const all = (part) => goodRequests().filter((row) => partOf(row) === part);

  for (const part of endpoints) {
    test(`bodies: every member odd or absent (${part})`, async () => {
      const jobs = [];
      for (const [method, target, body, headers] of all(part)) {
        if (body === undefined || target.startsWith('/proxy')) continue;
        for (const mutated of mutations(body)) {
          const sent = text(mutated);
          if (sent === undefined) continue;
          jobs.push(() => lives(`${method} ${target} ${sent.slice(0, 200)}`, method, target, { body: sent, headers: { ...json, ...headers } }));
        }
      }
      assert.ok(jobs.length > 100, String(jobs.length));
      await crowd(jobs);
    });
  }

  test('bodies that are no JSON, under all content types', () =>
    crowd((function* () {
      for (const [method, target, body, headers] of goodRequests()) {
        if (body === undefined || target.startsWith('/proxy')) continue;
        for (const raw of rawBodies) yield () => lives(`${method} ${target} raw ${JSON.stringify(raw).slice(0, 60)}`, method, target, { body: raw, headers: { ...json, ...headers } });
        for (const type of types.filter((t) => /^[\x20-\x7e]*$/.test(t))) yield () => lives(`${method} ${target} as "${type}"`, method, target, { body: JSON.stringify(body), headers: { 'Content-Type': type, ...headers } });
      }
    })()));

  test('queries', () =>
    crowd((function* () {
      for (const [row, html] of [...goodRequests().map((r) => [r, false]), ...pages().map((r) => [r, true])]) {
        const [method, target, body, headers] = row;
        const sent = body === undefined ? {} : { body };
        for (const piece of queryPieces) {
          for (const odder of [`${target}${target.includes('?') ? '&' : '?'}${piece}`, `${target.split('?')[0]}?${piece}`]) {
            yield () => lives(`${method} ${odder}`.slice(0, 200), method, odder, { ...sent, headers }, { html });
          }
        }
      }
    })()));

  test('paths', () =>
    crowd((function* () {
      for (const [row, html] of [...goodRequests().map((r) => [r, false]), ...pages().map((r) => [r, true])]) {
        const [method, target, body, headers] = row;
        if (target.startsWith('/proxy')) continue; // a path there is the provider's affair
        const [path, query] = target.split('?');
        const segments = path.split('/');
        for (const piece of pathPieces) {
          for (const odder of [[...segments.slice(0, -1), piece], [...segments, piece]]) {
            const whole = `${odder.join('/')}${query ? `?${query}` : ''}`;
            yield () => lives(`${method} ${whole}`.slice(0, 200), method, whole, { ...(body === undefined ? {} : { body }), headers }, { html });
          }
        }
      }
    })()));

  test('headers of the proxy', () =>
    crowd((function* () {
      const good = { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' };
      for (const name of ['Provider-Config-Key', 'Connection-Id', 'Retries', 'Retry-On', 'Base-Url-Override', 'Decompress', 'Forward-Headers-On-Redirect', 'Nango-Activity-Log-Id', 'Nango-Proxy-', 'Nango-Proxy-Host', 'Nango-Proxy-Content-Length', 'Nango-Proxy-Transfer-Encoding', 'Nango-Proxy-Connection', 'Nango-Proxy-Expect']) {
        for (const value of ['', ' ', 'x', '-1', '1e9', '99999999999', '0x1', 'true', 'TRUE', 'null', '1,2', ',', 'http://', 'http://[', 'http://a b', 'file:///etc/passwd', 'http://127.0.0.1:1/', 'http://127.0.0.1:99999', 'x'.repeat(4000)]) {
          // Unreachable providers are 500 by contract, so these go where somebody listens, or nowhere.
          if (value === 'http://127.0.0.1:1/' && name === 'Base-Url-Override') continue;
          yield () => lives(`proxy with ${name}: ${value.slice(0, 60)}`, 'GET', '/proxy/echo/a', { headers: { ...good, [name]: value } });
        }
      }
    })()));

  test('and the daemon is alive and sound', async () => {
    assert.deepEqual(await world.nangod.must(200, 'GET', '/health'), { result: 'ok' });
    assert.equal((await world.get('key', 'c1')).status, 200);
    assert.equal(world.nangod.exit, undefined);
  });
});
