// SPDX-License-Identifier: Apache-2.0
// Input that is right, at its edges: what it must mean. Wrong input is in badinput.test.mjs.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { logged } from './lib/daemon.mjs';
import { World } from './lib/world.mjs';

let world;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({ integrations: { key: 'test-key', oauth: 'test-oauth', basic: 'test-basic', none: 'test-none', routed: 'test-key-routed', unrouted: 'test-key-unrouted' } });
});
after(() => world?.finish());

const put = (id, credentials, more = {}) =>
  world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'oauth', connection_id: id, credentials: { type: 'OAUTH2', ...credentials }, ...more } });

describe('dates of expiry', () => {
  test('as HTTP writes them', async () => {
    const made = await put('http-date', { access_token: 'a', expires_at: 'Thu, 01 Jan 2099 00:00:00 GMT' });
    assert.equal(made.credentials.expires_at, '2099-01-01T00:00:00.000Z');
    await world.nangod.must(201, 'POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'http-date-early', access_token: 'a', expires_at: 'Thu, 01 Jan 2099 00:00:00 GMT' } });
    assert.equal((await world.get('oauth', 'http-date-early')).body.credentials.expires_at, '2099-01-01T00:00:00.000Z');
  });

  test('the beginning of 1970 is long ago, not never', async () => {
    for (const [i, expires_at] of [0, '1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'].entries()) {
      const made = await put(`epoch-${i}`, { access_token: 'a', expires_at });
      assert.match(made.credentials.expires_at, /^1970-01-01T00:00:00\.00[01]Z$/);
      const grant = await world.connect('oauth', `epoch-refreshed-${i}`, { expiresAt: expires_at });
      const { body } = await world.get('oauth', `epoch-refreshed-${i}`);
      assert.notEqual(body.credentials.access_token, grant.access_token, 'an expired token is refreshed');
      await world.nangod.must(201, 'POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: `epoch-early-${i}`, access_token: 'a', expires_at } });
      assert.match((await world.get('oauth', `epoch-early-${i}`)).body.credentials.expires_at, /^1970-01-01T00:00:00\.00[01]Z$/);
    }
  });
});

describe('the early import', () => {
  const importEarly = (body) => world.nangod.api('POST', '/connection', { body });

  test('without an id, or with null for one: the answer has the id that was made', async () => {
    for (const id of [{}, { connection_id: null }]) {
      const { status, body } = await importEarly({ provider_config_key: 'key', api_key: 'k', ...id });
      assert.equal(status, 201);
      assert.match(body.connection_id, /^[0-9a-f-]{36}$/);
      assert.equal((await world.get('key', body.connection_id)).body.credentials.apiKey, 'k');
    }
    assert.equal((await importEarly({ provider_config_key: 'key', api_key: 'k', connection_id: 5 })).body.connection_id, 5, 'as it was sent');
  });

  test('an empty name or password of BASIC is one', async () => {
    for (const [i, pair] of [{ username: 'u', password: '' }, { username: '', password: 'p' }].entries()) {
      assert.equal((await importEarly({ provider_config_key: 'basic', connection_id: `basic-${i}`, ...pair })).status, 201);
      assert.deepEqual((await world.get('basic', `basic-${i}`)).body.credentials, { type: 'BASIC', ...pair });
    }
  });

  test('an empty refresh token is none', async () => {
    assert.equal((await importEarly({ provider_config_key: 'oauth', connection_id: 'no-refresh', access_token: 'a', refresh_token: '', no_expiration: true })).status, 201);
    const { credentials } = (await world.get('oauth', 'no-refresh', '&refresh_token=true')).body;
    assert.equal(credentials.refresh_token, undefined);
  });
});

test("an empty webhook_routing_script is none: there is no address for the provider's webhooks", async () => {
  const url = async (key) => (await world.nangod.must(200, 'GET', `/integrations/${key}?include=webhook`)).data.webhook_url;
  const early = async (key) => (await world.nangod.must(200, 'GET', `/config/${key}?include_creds=true`)).config;
  assert.match(await url('routed'), /\/webhook\/[0-9a-f-]{36}\/routed$/);
  assert.equal((await early('routed')).has_webhook, true);
  assert.equal(await url('unrouted'), null);
  assert.equal((await early('unrouted')).has_webhook, false);
});

test('search knows no case, in any alphabet', async () => {
  await put('searched', { access_token: 'a' }, { end_user: { id: 'émile', display_name: 'Émile Ülker', email: 'emile@example.com' } });
  const found = async (words) => (await world.nangod.must(200, 'GET', `/connections?search=${encodeURIComponent(words)}`)).connections.map((row) => row.connection_id);
  for (const words of ['émile ü', 'ÉMILE Ü', 'EMILE@', 'SEARCHED']) assert.deepEqual(await found(words), ['searched'], words);
  assert.deepEqual(await found('emile ü'), []);
});

test('a dot in the search for providers stands for any one character', async () => {
  const found = async (words) => (await world.nangod.must(200, 'GET', `/providers?search=${words}`)).data.map((row) => row.name);
  assert.ok((await found('test.key')).includes('test-key'));
  assert.ok((await found('T..T-KEY')).includes('test-key'));
  assert.deepEqual(await found('test..key'), []);
  assert.deepEqual(await found('no-such'), []);
});

test('a report of the Connect UI is of now, two hours more or less', async () => {
  const { data: { token } } = await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } });
  const report = (off, as = (ms) => new Date(ms).toISOString()) => world.nangod.api('POST', '/connect/telemetry', { key: null, body: { token, event: 'open', timestamp: as(Date.now() + off) } });
  for (const minutes of [0, -119, 119]) {
    assert.equal((await report(minutes * 60_000)).status, 204);
    assert.equal((await report(minutes * 60_000, Number)).status, 204);
  }
  for (const minutes of [-121, 121, -1_000_000]) {
    const { status, body } = await report(minutes * 60_000);
    assert.equal(status, 400);
    assert.equal(body.error.code, 'invalid_body');
    assert.deepEqual(body.error.errors[0].path, ['timestamp']);
  }
});

test('a list of integrations with nothing in it lists nothing', async () => {
  await put('listed', { access_token: 'a' });
  const found = async (list) => (await world.nangod.must(200, 'GET', `/connections?connectionId=listed&integrationId=${list}`)).connections.length;
  for (const list of [',', '%20', ',%20,']) assert.equal(await found(list), 0, list);
  for (const list of ['oauth', 'key,oauth', ',%20oauth%20,']) assert.equal(await found(list), 1, list);
});
