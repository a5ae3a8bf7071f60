// SPDX-License-Identifier: Apache-2.0
// What an operator sets of an environment, beside the running server, and what it does over HTTP: keys
// of some scopes, account routes, HMAC, a callback URL of one's own.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { logged, nangodRun } from './lib/daemon.mjs';
import { World } from './lib/world.mjs';

let world;
let names = 0;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({ integrations: { oauth: 'test-oauth', key: 'test-key', none: 'test-none' } });
  await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'the api key' } } });
});
after(() => world?.finish());

const command = (words, options) => nangodRun([words[0], '--data', world.nangod.data, ...words.slice(1)], options);
async function must(words, options) {
  const { code, stdout, stderr } = await command(words, options);
  assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}
async function refused(words, pattern, options) {
  const { code, stdout, stderr } = await command(words, options);
  assert.equal(code, 1, words.join(' '));
  assert.equal(stdout, '');
  assert.match(stderr, pattern);
}
// A key made by the command: what it prints.
const keyOf = async (scopes, name = `key-${++names}`) => (await must(['keys', 'create', '--name', name, '--scopes', scopes])).trim();
const as = (key) => (method, target, options) => world.nangod.api(method, target, { key, ...options });
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function assertForbidden(answer, message) {
  assert.equal(answer.status, 403, answer.text);
  assert.deepEqual(answer.body, { error: { code: 'forbidden', message } });
}

describe('nangod keys', () => {
  test('a key is made, shown once, listed without its secret, and taken back at once', async () => {
    const secret = await keyOf('environment:connections:list  environment:proxy', 'reader');
    assert.match(secret, uuid);
    assert.equal((await as(secret)('GET', '/connections')).status, 200);
    const [made] = JSON.parse(await must(['keys', 'list', '--json'])).filter((key) => key.display_name === 'reader');
    assert.deepEqual(made.scopes, ['environment:connections:list', 'environment:proxy']);
    const listed = await must(['keys', 'list']);
    assert.match(listed, /^reader\n/m);
    assert.ok(!listed.includes(secret));
    await refused(['keys', 'create', '--name', 'reader', '--scopes', 'environment:*'], /exists/);
    assert.equal((await as(secret)('GET', '/connections')).status, 200, 'it is in the cache now');
    await must(['keys', 'delete', 'reader']);
    assert.equal((await as(secret)('GET', '/connections')).status, 401, 'by the very next request');
    await refused(['keys', 'delete', 'reader'], /no key named/);
  });

  test('an unknown scope is refused, naming those there are', async () => {
    await refused(['keys', 'create', '--name', 'x', '--scopes', 'environment:proxy environment:connection:list'], /environment:connections:list_credentials\n[^]*account:environments:create\n[^]*unknown scope `environment:connection:list`/);
    await refused(['keys', 'create', '--name', 'x', '--scopes', ' '], /no scope/);
    await refused(['keys', 'create', '--name', '', '--scopes', 'environment:*'], /1 to 255/);
    assert.doesNotMatch(await must(['keys', 'list']), /^x$/m);
    for (const words of [['create'], ['create', '--name', 'x'], ['delete'], ['rename', 'a'], ['list', '--name', 'x']]) {
      assert.equal((await command(['keys', ...words])).code, 2, words.join(' '));
    }
  });

  test('is as JSON where asked, in the environment asked', async () => {
    const made = JSON.parse(await must(['keys', '--environment', 'prod', 'create', '--name', 'of prod', '--scopes', 'environment:*', '--json']));
    assert.match(made.secret, uuid);
    assert.deepEqual([made.display_name, made.scopes], ['of prod', ['environment:*']]);
    assert.deepEqual((await as(made.secret)('GET', '/connections')).body, { connections: [] });
    assert.doesNotMatch(await must(['keys', 'list']), /of prod/);
    await refused(['keys', '--environment', 'nope', 'list'], /no environment `nope`/);
  });

  test('the key that `nangod keys` prints is one for everything', async () => {
    const before = (await world.nangod.readKeys()).secretKey;
    await keyOf('environment:proxy');
    assert.equal((await world.nangod.readKeys()).secretKey, before);
  });
});

describe('scopes over HTTP', () => {
  const one = (scope) => `Insufficient scope. Required: environment:${scope}`;
  const either = (a, b) => `Insufficient scope. Required one of: environment:${a} or environment:${b}`;

  test('a key opens what it was made for, and nothing else', async () => {
    const call = as(await keyOf('environment:connections:read environment:proxy'));
    assert.equal((await call('GET', '/connections/c?provider_config_key=key')).status, 200);
    assert.equal((await call('GET', '/proxy/echo/a', { headers: { 'Connection-Id': 'c', 'Provider-Config-Key': 'key' } })).status, 200);
    for (const [method, target, message, body] of [
      ['GET', '/connections', either('connections:list', 'connections:list_credentials')],
      ['POST', '/connections', one('connections:create'), {}],
      ['POST', '/connection', one('connections:create'), {}],
      ['DELETE', '/connections/c?provider_config_key=key', one('connections:delete')],
      ['PATCH', '/connections/c?provider_config_key=key', one('connections:update'), {}],
      ['POST', '/connections/metadata', one('connections:update'), {}],
      ['GET', '/integrations', either('integrations:list', 'integrations:list_credentials')],
      ['GET', '/integrations/key', either('integrations:read', 'integrations:read_credentials')],
      ['POST', '/integrations', one('integrations:create'), {}],
      ['PATCH', '/integrations/key', one('integrations:update'), {}],
      ['DELETE', '/integrations/key', one('integrations:delete')],
      ['GET', '/config/key', either('integrations:read', 'integrations:read_credentials')],
      ['PUT', '/config', one('integrations:update'), {}],
      ['POST', '/connect/sessions', one('connect_sessions:write'), {}],
      ['GET', '/environment-variables', one('variables:read')],
    ]) {
      assertForbidden(await call(method, target, { body }), message);
    }
    assert.equal((await call('GET', '/connections/c?provider_config_key=key')).status, 200, 'nothing was deleted');
    assert.equal((await call('GET', '/providers')).status, 200, 'any key will do');
    const proxyless = as(await keyOf('environment:connections:*'));
    assertForbidden(await proxyless('GET', '/proxy/echo/a', { headers: { 'Connection-Id': 'c', 'Provider-Config-Key': 'key' } }), one('proxy'));
    assert.equal((await proxyless('GET', '/connections')).status, 200, 'a star stands for all below');
  });

  test('credentials show with their own scope only', async () => {
    const target = '/connections/c?provider_config_key=key';
    const without = await as(await keyOf('environment:connections:read'))('GET', target);
    assert.equal(without.status, 200);
    assert.deepEqual(without.body.credentials, {});
    assert.ok(!without.text.includes('the api key'));
    const withThem = await as(await keyOf('environment:connections:read_credentials'))('GET', target);
    assert.deepEqual(withThem.body.credentials, { type: 'API_KEY', apiKey: 'the api key' });

    for (const scope of ['list', 'list_credentials']) {
      const list = await as(await keyOf(`environment:connections:${scope}`))('GET', '/connections');
      assert.equal(list.status, 200);
      assert.ok(!list.text.includes('the api key'), 'a list shows none, whatever the scope');
    }

    const settings = '/integrations/oauth?include=credentials';
    const closed = await as(await keyOf('environment:integrations:read'))('GET', settings);
    assert.ok(!closed.text.includes('client_secret":"'), closed.text);
    const open = await as(await keyOf('environment:integrations:read_credentials'))('GET', settings);
    assert.equal(open.status, 200);
    assert.ok(open.body.data.credentials.client_secret);
  });
});

describe('account routes', () => {
  test('need an account scope, which no key has by itself', async () => {
    for (const [method, target, scope, body] of [
      ['POST', '/environments', 'create', { name: 'staging' }],
      ['DELETE', '/environments/1', 'delete'],
      ['POST', '/environment/api-keys', 'api_keys:create', { environment_id: 1, display_name: 'x' }],
      ['DELETE', '/environment/api-keys', 'api_keys:delete', { environment_id: 1, key_id: 1 }],
    ]) {
      assertForbidden(await world.nangod.api(method, target, { body }), `Insufficient scope. Required: account:environments:${scope}`);
    }
  });

  test('an environment is made, gets a key that works in it, loses it, and goes', async () => {
    const call = as(await keyOf('account:*'));
    const made = await call('POST', '/environments', { body: { name: 'staging', callback_url: 'https://example.com/cb' } });
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(Object.keys(made.body.data), ['id', 'name']);
    const { id } = made.body.data;
    assert.equal((await call('POST', '/environments', { body: { name: 'staging' } })).status, 409);
    assert.match(await must(['environments', 'list']), /^staging\n[^]*?callback url {2}https:\/\/example\.com\/cb$/m);

    const key = await call('POST', '/environment/api-keys', { body: { environment_id: id, display_name: 'ci' } });
    assert.equal(key.status, 200, key.text);
    assert.deepEqual([key.body.data.display_name, key.body.data.scopes], ['ci', ['environment:*']]);
    const inside = as(key.body.data.secret);
    assert.deepEqual((await inside('GET', '/connections')).body, { connections: [] });
    assert.equal((await call('POST', '/environment/api-keys', { body: { environment_id: id, display_name: 'ci' } })).status, 409);
    assert.equal((await call('POST', '/environment/api-keys', { body: { environment_id: 9999, display_name: 'ci' } })).status, 404);

    const gone = await call('DELETE', '/environment/api-keys', { body: { environment_id: id, key_id: key.body.data.id } });
    assert.deepEqual([gone.status, gone.body], [200, { success: true }]);
    assert.equal((await inside('GET', '/connections')).status, 401);
    assert.equal((await call('DELETE', '/environment/api-keys', { body: { environment_id: id, key_id: key.body.data.id } })).status, 404);

    assert.equal((await call('DELETE', `/environments/${id}`)).status, 204);
    assert.equal((await call('DELETE', `/environments/${id}`)).status, 404);
    const [prod] = JSON.parse(await must(['environments', 'list', '--json'])).filter((row) => row.name === 'prod');
    const kept = await call('DELETE', `/environments/${prod.id}`);
    assert.deepEqual([kept.status, kept.body.error.code], [400, 'cannot_delete_prod_environment']);
    assertForbidden(await call('GET', '/connections'), 'Insufficient scope. Required one of: environment:connections:list or environment:connections:list_credentials');
  });

  test('production takes a scope of its own', async () => {
    const call = as(await keyOf('account:environments:create'));
    assertForbidden(await call('POST', '/environments', { body: { name: 'live', is_production: true } }), 'Insufficient scope. Required: account:environments:set_production');
  });
});

describe('nangod environments', () => {
  const hmacKey = 'k3y of the operator';
  const sign = (...parts) => crypto.createHmac('sha256', hmacKey).update(parts.join(':')).digest('hex');
  const browser = (target, query, options) => world.nangod.api(options?.method ?? 'POST', `${target}?${new URLSearchParams({ public_key: world.nangod.keys.publicKey, ...query })}`, { key: null, ...options });
  const setDev = (words, options) => must(['environments', 'set', 'dev', ...words], options);

  test('what cannot be is refused, and nothing is changed', async () => {
    const before = await must(['environments', 'list']);
    for (const [words, pattern] of [
      [['dev', 'hmac_enabled=true'], /key/],
      [['dev', 'hmac_enabled=perhaps'], /true false/],
      [['dev', 'hmac_key=secret'], /standard input/],
      [['dev', 'hmac_key'], /no hmac_key came/],
      [['dev', 'callback_url=ftp://example.com'], /http or https/],
      [['dev', 'callback_url=example.com/cb'], /http or https/],
      [['dev', 'callback_url=javascript:alert(1)'], /http or https/],
      [['dev', 'is_production=true'], /cannot be set.*hmac_enabled.*callback_url/],
      [['dev', 'callback_url=https://example.com/cb', 'hmac_enabled=true'], /key/],
      [['nope', 'hmac_enabled=false'], /no environment `nope`/],
    ]) {
      await refused(['environments', 'set', ...words], pattern);
    }
    await refused(['environments', 'set', 'dev', 'hmac_key'], /at most 1000/, { input: 'x'.repeat(1001) });
    assert.equal(await must(['environments', 'list']), before);
    for (const words of [[], ['set'], ['set', 'dev'], ['list', 'dev']]) assert.equal((await command(['environments', ...words])).code, 2);
  });

  test('each kind of webhook: off and on again, seen by the very next call', async () => {
    const kinds = async () => Object.fromEntries(Object.entries((await world.nangod.must(200, 'GET', '/environment/webhooks')).data).filter(([name]) => name.startsWith('on_')));
    const before = await kinds();
    assert.equal(Object.keys(before).length, 5);
    for (const name of Object.keys(before)) {
      await refused(['environments', 'set', 'dev', `${name}=perhaps`], /true false/);
      await setDev([`${name}=false`]);
      assert.deepEqual(await kinds(), { ...before, [name]: false });
      await setDev([`${name}=true`]);
      assert.deepEqual(await kinds(), { ...before, [name]: true });
    }
  });

  test('HMAC: on for the very next call with the public key, and off again', async () => {
    const calls = [
      (query) => browser('/api-auth/api-key/key', query, { body: { apiKey: 'k' } }),
      (query) => browser('/auth/unauthenticated/none', query),
      (query) => browser('/oauth/connect/oauth', query, { method: 'GET' }),
    ];
    const keys = ['key', 'none', 'oauth'];
    for (const call of calls) assert.ok((await call({ connection_id: 'h' })).status < 400, 'not asked for yet');
    await setDev(['hmac_key', 'hmac_enabled=true'], { input: `${hmacKey}\n` });
    try {
      for (const [i, call] of calls.entries()) {
        const missing = await call({ connection_id: 'h' });
        assert.deepEqual([missing.status, missing.body.error.code], [400, 'missing_hmac']);
        for (const hmac of [sign(keys[i], 'other'), sign('h', keys[i]), sign(keys[i]), 'x', sign(keys[i], 'h').toUpperCase()]) {
          const wrong = await call({ connection_id: 'h', hmac });
          assert.deepEqual([wrong.status, wrong.body.error.code], [400, 'invalid_hmac'], hmac);
        }
        const right = await call({ connection_id: 'h', hmac: sign(keys[i], 'h') });
        assert.ok(right.status < 400, right.text);
        assert.ok((await call({ hmac: sign(keys[i]) })).status < 400, 'without an id, over the key alone');
      }
      const { data } = await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } });
      const session = await world.nangod.api('POST', `/api-auth/api-key/key?connect_session_token=${data.token}`, { key: null, body: { apiKey: 'k' } });
      assert.equal(session.status, 200, 'a session needs none');
      await refused(['environments', 'set', 'dev', 'hmac_key='], /key/);
      assert.match(await must(['environments', 'list']), /^dev\n.*\n {2}hmac {10}on, key set$/m);
    } finally {
      await setDev(['hmac_enabled=false', 'hmac_key=']);
    }
    for (const call of calls) assert.ok((await call({ connection_id: 'h' })).status < 400);
    assert.match(await must(['environments', 'list']), /^dev\n.*\n {2}hmac {10}off, no key$/m);
  });

  test('callback_url: is the redirect_uri of the very next flow, until it is taken back', async () => {
    const asked = async () => {
      const answer = await browser('/oauth/connect/oauth', {}, { method: 'GET' });
      assert.equal(answer.status, 302, answer.text);
      return new URL(answer.headers.location).searchParams.get('redirect_uri');
    };
    assert.equal(await asked(), `${world.nangod.base}/oauth/callback`);
    await setDev(['callback_url=https://app.example.com/oauth/callback?from=a']);
    assert.equal(await asked(), 'https://app.example.com/oauth/callback?from=a');
    await setDev(['callback_url=']);
    assert.equal(await asked(), `${world.nangod.base}/oauth/callback`);
  });
});
