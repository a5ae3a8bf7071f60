// SPDX-License-Identifier: Apache-2.0
// Missing, malformed, oversized and wrongly typed input, for every endpoint. Two layers: tables of
// what the contract says exactly (badinput/rows.mjs), and a sweep that mutates a good request in every
// way and demands of each answer only what holds always: JSON with a code when refused, never a 5xx,
// and a daemon that lives on. That every route of the daemon's table is in both is a test, too.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { bundle } from './badinput/functions.mjs';
import { goodModes, modeIntegrations, modeProviders } from './badinput/modes.mjs';
import { exempt, json, long, rows } from './badinput/rows.mjs';
import { logged } from './lib/daemon.mjs';
import { action, confirmation, deploy, onEvents, sync } from './lib/scripts.mjs';
import { exchange } from './lib/socket.mjs';
import { World } from './lib/world.mjs';

let world;
let token;
let spare; // of a session that may end
const test = (name, ...rest) => it(name, ...rest.slice(0, -1), logged(() => world.nangod, rest.at(-1)));

before(async () => {
  world = await World.start({ integrations: { key: 'test-key', oauth: 'test-oauth', basic: 'test-basic', none: 'test-none', ...modeIntegrations }, providers: modeProviders });
  await world.integration('m-tba', 'm-tba', { credentials: { type: 'TBA', client_id: 'ck', client_secret: 'cs' } });
  await world.integration('oauth1', 'test-oauth1', { credentials: { type: 'OAUTH1', client_id: 'ck', client_secret: 'cs' } });
  for (const id of ['c1', 'c2']) {
    await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: id, credentials: { type: 'API_KEY', apiKey: 'k' } } });
  }
  const { data } = await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } });
  token = data.token;
  spare = (await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } })).data.token;
  await world.nangod.must(200, 'POST', '/sync/deploy', { body: deploy([action('key', 'swept')]) });
  await world.nangod.grant('environment:* account:*');
});
after(() => world?.finish());

// ---- the contract, line by line ----

// Puts the session's token where rows leave room for it.
const filled = (value) => JSON.parse(JSON.stringify(value).replaceAll('<token>', token));
const fill = ({ body, ...options }) => ({ ...filled(options), ...(body !== undefined && { body: Buffer.isBuffer(body) || typeof body === 'string' ? body : filled(body) }) });
const shown = (value) => (Buffer.isBuffer(value) ? `${value.length} bytes` : typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(long, '<256>').slice(0, 100);

describe('the contract', () => {
  for (const [kind, list] of Object.entries(rows)) {
    describe(kind, () => {
      for (const [method, target, options, status, code, path] of list) {
        const more = ['body', 'headers', 'key'].filter((name) => options[name] !== undefined).map((name) => ` ${name} ${shown(options[name])}`);
        test(`${method} ${shown(target)}${more.join('')} → ${status} ${code}`, async () => {
          const answer = await world.nangod.api(method, filled(target), fill(options));
          assert.equal(answer.status, status, answer.text);
          if (code === 'page') {
            assert.match(answer.headers['content-type'], /^text\/html; charset=utf-8$/);
            return;
          }
          // The path of the early browser client keeps that client's flat shape.
          assert.equal(/^\/(unauth|app-store-auth)\//.test(target) ? answer.body.type : answer.body.error?.code, code, answer.text);
          assert.match(answer.headers['content-type'], /^application\/json; charset=utf-8$/);
          if (path !== undefined) assert.deepEqual(answer.body.error.errors?.[0]?.path, path, answer.text);
        });
      }
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
    ['POST', '/action/trigger', 'environment:actions:execute'],
    ['GET', '/action/x', 'environment:actions:execute'],
    ['PUT', '/v1/x', 'environment:actions:execute'],
    ['POST', '/sync/deploy', 'environment:deploy'],
    ['POST', '/sync/deploy/confirmation', 'environment:deploy'],
    ['GET', '/integrations/key/functions/a', 'environment:functions:read'],
    ['GET', '/integrations/key/functions/a/code', 'environment:functions:read'],
    ['DELETE', '/integrations/key/functions/a?type=sync', 'environment:functions:delete'],
    ['POST', '/connect/sessions', 'environment:connect_sessions:write'],
    ['POST', '/environments', 'account:environments:create'],
    ['DELETE', '/environments/1', 'account:environments:delete'],
    ['POST', '/environment/api-keys', 'account:environments:api_keys:create'],
    ['DELETE', '/environment/api-keys', 'account:environments:api_keys:delete'],
  ]) {
    check(`${method} ${target} → 403 for want of ${scope}`, async () => {
      const { status, body } = await limited.nangod.api(method, target);
      assert.deepEqual([status, body.error.code, body.error.message], [403, 'forbidden', `Insufficient scope. Required: ${scope}`]);
    });
  }

  for (const target of ['/scripts/config', '/flow/configs', '/flow/attributes', '/sync/provider', '/integrations/key/functions']) {
    check(`GET ${target} → 403 for want of one of two`, async () => {
      const { status, body } = await limited.nangod.api('GET', target);
      assert.deepEqual([status, body.error.code], [403, 'forbidden']);
      assert.match(body.error.message, /environment:functions:list or environment:integrations:list_functions/);
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
  ['DELETE', '/connection/gone?provider_config_key=key'],
  ['POST', '/connection/metadata', { connection_id: 'c1', provider_config_key: 'key', metadata: { a: 1 } }],
  ['PATCH', '/connection/metadata', { connection_id: ['c1'], provider_config_key: 'key', metadata: { a: 1 } }],
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
  ['GET', '/providers/test-key/templates'],
  ['GET', '/provider?query=test'],
  ['GET', '/provider/test-key'],
  ['GET', '/logs/operations?type=action,auth&action=run&state=success&integration=key&connection=c1&script=swept&from=2026-01-01T00:00:00Z&to=9999999999999&search=a&limit=5&cursor=20260101_19b76f3c00000001'],
  ['GET', '/logs/operations/20260101_19b76f3c00000001'],
  ['GET', '/logs/operations/20260101_19b76f3c00000001/messages?level=info,warn&search=a&limit=5&cursor=20260101_19b76f3c00000001'],
  ['POST', '/webhook/11111111-1111-4111-8111-111111111111/key', { a: 1 }],
  ['GET', '/webhooks/deliveries?state=dead&type=auth&integration=key&connection=c1&limit=5&cursor=9'],
  ['GET', '/webhooks/deliveries/9'],
  ['POST', '/webhooks/deliveries/9/replay'],
  ['POST', '/webhooks/deliveries/replay', { since: '2026-01-01T00:00:00Z' }],
  ['GET', '/environment/webhooks'],
  ['PATCH', '/environment/webhooks', { primary_url: '', secondary_url: '', on_sync_completion_always: true, on_sync_error: true, on_auth_creation: true, on_auth_refresh_error: true, on_async_action_completion: true }],
  ['POST', '/environment/webhook-signing-key/rotate'],
  ['GET', '/environment-variables'],
  ['GET', '/health'],
  ['GET', '/ready'],
  ['GET', '/metrics'],
  ['GET', '/providers.json'],
  ['GET', '/connect/assets/none.js'],
  ['GET', '/images/template-logos/github.svg'],
  ['POST', '/environments', { name: 'swept', is_production: false, callback_url: 'https://example.com/', hmac_key: 'k', hmac_enabled: true, slack_notifications: false, otlp_endpoint: 'https://example.com/', otlp_headers: { a: 'b' } }],
  ['DELETE', '/environments/999999'],
  ['POST', '/environment/api-keys', { environment_id: 1, display_name: 'swept' }],
  ['DELETE', '/environment/api-keys', { environment_id: 1, key_id: 999999 }],
  ['POST', '/connect/sessions', {
    end_user: { id: 'u', email: 'a@b.co', display_name: 'A', tags: { t: 'v' } }, organization: { id: 'o', display_name: 'O' }, allowed_integrations: ['key'],
    integrations_config_defaults: { key: { user_scopes: 'a', authorization_params: { a: 'b' }, connection_config: { a: 'b' } } },
    overrides: { key: {} }, webhook_url_override: 'https://example.com/', tags: { a: 'b' },
  }],
  ['POST', '/connect/sessions/reconnect', { connection_id: 'c1', integration_id: 'key', end_user: { id: 'u' }, tags: { a: 'b' } }],
  ['GET', '/connect/session', undefined, { Authorization: `Bearer ${token}` }],
  ['DELETE', '/connect/session', undefined, { Authorization: `Bearer ${spare}` }],
  ['POST', '/connect/telemetry', { token, event: 'open', timestamp: new Date().toISOString(), dimensions: { integration: 'key' } }],
  ['POST', `/api-auth/api-key/key?connect_session_token=${token}&params[a]=b`, { apiKey: 'k' }],
  ['POST', `/api-auth/basic/basic?connect_session_token=${token}`, { username: 'u', password: 'p' }],
  ['POST', `/auth/unauthenticated/none?connect_session_token=${token}`, {}],
  ['POST', `/unauth/none?connect_session_token=${token}`],
  ...goodModes(token),
  ['POST', '/sync/deploy', deploy(
    [
      action('key', 'swept', { version: '1', attributes: { a: 1 }, features: ['checkpoints'], webhookSubscriptions: ['*'] }),
      sync('key', 'swept', { endpoints: [{ GET: '/swept', group: 'g' }], model_schema: [{ name: 'Item', fields: [] }], models_json_schema: { definitions: { Item: { $ref: '#/definitions/Item' } } } }),
    ],
    { onEventScriptsByProvider: [onEvents('key', { swept: 'validate-connection' })], deployMode: 'single', source: 'repo' },
  )],
  ['POST', '/sync/deploy/confirmation', confirmation([sync('key', 'swept')], { postConnectionScriptsByProvider: [onEvents('key', { setup: undefined })], singleDeployMode: true })],
  ['POST', '/sync/deploy/confirmation', { syncs: [sync('key', 'swept', { model_schema: '[]', endpoints: [{ GET: '/swept' }] })], reconcile: true, debug: false, singleDeployMode: false }],
  ['GET', '/scripts/config?format=openai'],
  ['GET', '/flow/configs'],
  ['GET', '/flow/attributes?providerConfigKey=key&syncName=swept'],
  ['GET', '/sync/provider?syncName=swept'],
  ['GET', '/integrations/key/functions?type=sync&search=a&page=0&limit=5'],
  ['GET', '/integrations/key/functions/swept?type=sync'],
  ['GET', '/integrations/key/functions/swept/code?type=sync'],
  ['GET', '/integrations/key/functions/swept/versions?type=sync'],
  ['POST', '/integrations/key/functions/swept/versions/1/activate?type=sync'],
  ['DELETE', '/integrations/key/functions/gone?type=sync'],
  ['POST', '/functions/compile', { code: 'export default 1;' }],
  ['POST', '/functions/dryruns', { integration_id: 'key', function_type: 'action', code: 'export default 1;', connection_id: 'c1', input: { a: [1] }, metadata: { a: 1 }, checkpoint: { a: 1 }, last_sync_date: '2026-01-01T00:00:00Z' }],
  ['GET', '/functions/dryruns/11111111-1111-4111-8111-111111111111'],
  ['POST', '/functions/deployments', { type: 'function', integration_id: 'key', function_name: 'swept', function_type: 'action', code: 'export default 1;', version: '1', allow_destructive: false }],
  ['POST', '/functions/deployments', { type: 'template', integration_id: 'key', template: 't', function_type: 'sync' }],
  ['GET', '/functions/deployments/11111111-1111-4111-8111-111111111111'],
  ['POST', '/functions/deployments/bundle/preview', bundle()],
  ['POST', '/functions/deployments/bundle', bundle()],
  ['POST', '/functions/invocations', { connection_id: 'c1', integration_id: 'key', name: 'swept', input: { a: [1] }, invocation_type: 'no_wait', options: { a: 1 } }],
  ['GET', '/functions/invocations/11111111-1111-4111-8111-111111111111'],
  ['POST', '/sync/trigger', { syncs: ['a', { name: 'b', variant: 'v' }], provider_config_key: 'key', connection_id: 'c1', sync_mode: 'incremental', full_resync: false }],
  ['POST', '/sync/start', { syncs: ['a'], provider_config_key: 'key', connection_id: 'c1' }],
  ['POST', '/sync/pause', { syncs: ['a'], provider_config_key: 'key', connection_id: 'c1' }],
  ['GET', '/sync/status?syncs=a,b::v&provider_config_key=key&connection_id=c1'],
  ['PUT', '/sync/update-connection-frequency', { sync_name: 'a', sync_variant: 'v', provider_config_key: 'key', connection_id: 'c1', frequency: 'every hour' }],
  ['POST', '/sync/a/variant/v', { provider_config_key: 'key', connection_id: 'c1' }],
  ['DELETE', '/sync/a/variant/v', { provider_config_key: 'key', connection_id: 'c1' }],
  ['GET', '/records?model=Item&variant=v&modified_after=2026-01-01T00:00:00Z&limit=5&filter=added,deleted&ids=1&ids=2', undefined, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' }],
  ['GET', '/sync/records?model=Item&order=asc&delta=2026-01-01&offset=1&limit=5&sort_by=id&include_nango_metadata=true&filter=added', undefined, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' }],
  ['PATCH', '/records/prune', { model: 'Item', variant: 'v', until_cursor: 'MjAyNi0wMS0wMVQwMDowMDowMC4wMDAwMDArMDA6MDB8fDExMTExMTExLTExMTEtNDExMS04MTExLTExMTExMTExMTExMQ==', limit: 5 }, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' }],
  ['POST', '/action/trigger', { action_name: 'swept', input: { a: [1] } }, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', 'X-Max-Retries': '1' }],
  ['GET', '/action/11111111-1111-4111-8111-111111111111'],
  ['POST', '/v1/swept', { a: 1 }, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' }],
  ['GET', '/proxy/echo/a?x=1', undefined, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', Retries: '0', 'Retry-On': '404', 'Base-Url-Override': '', Decompress: 'true', 'Forward-Headers-On-Redirect': 'true', 'Nango-Activity-Log-Id': 'x' }],
  ['POST', '/proxy/echo/a', { a: 1 }, { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' }],
];
// Pages for browsers: their refusals may be HTML.
const pages = () => [
  ['GET', '/connect'],
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
  if (answer.status === 503 && answer.body?.error?.code === 'execution_environment_unavailable') return; // good jobs came faster than they end
  assert.ok(answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
  if (answer.status >= 400 && !(html && /^text\/html/.test(answer.headers['content-type'] ?? ''))) {
    // The path of the early browser client keeps that client's flat shape; no endpoint of a script is told by
    // a message alone.
    const flat = { unauth: answer.body?.type, 'app-store-auth': answer.body?.type, v1: answer.status === 404 && answer.body?.message }[target.split('/')[1]];
    const code = flat || answer.body?.error?.code;
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

// ---- is every route here? ----

describe('every route of the daemon', () => {
  const source = fs.readFileSync(new URL('../../src/api/routes.c', import.meta.url), 'utf8');
  const routes = [...source.matchAll(/^ {4}\{"([A-Z*]+)", *"([^"]+)", /gm)].map(([, method, pattern]) => ({
    name: `${method} ${pattern}`,
    method,
    regex: new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/\/\*$/, '(/.*)?').replace(/:\w+/g, '[^/]+')}$`, 'i'),
  }));
  const routeOf = ([method, target]) => routes.find((route) => ['*', method].includes(route.method) && route.regex.test(target.split('?')[0]))?.name;

  it('the table was found', () => assert.ok(routes.length > 50, String(routes.length)));

  it('is swept', () => {
    const swept = new Set([...goodRequests(), ...pages()].map(routeOf));
    assert.deepEqual(routes.map((route) => route.name).filter((name) => !swept.has(name)), []);
  });

  for (const [kind, list] of Object.entries(rows)) {
    it(`has a row of wrong input (${kind}), or a reason for none`, () => {
      const named = new Set(list.map(routeOf));
      assert.deepEqual(routes.map((route) => route.name).filter((name) => !named.has(name) && !exempt[name]?.[kind]), []);
      assert.deepEqual(Object.keys(exempt).filter((name) => exempt[name][kind] && named.has(name)), [], 'exempt, but there is a row');
    });
  }

  it('no reason is given for what is no route', () => {
    assert.deepEqual(Object.keys(exempt).filter((name) => !routes.some((route) => route.name === name)), []);
  });
});
