// SPDX-License-Identifier: Apache-2.0
// Things that happen at the same time: writes beside a refresh, many writers on one row, a stop while
// the provider is thinking, a provider that hangs.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { Browser } from './lib/browser.mjs';
import { logged } from './lib/daemon.mjs';
import { client } from './lib/oauth.mjs';
import { inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

let world;
let names = 0;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({ integrations: { oauth: 'test-oauth', key: 'test-key', other: 'test-key', slow: 'test-key-slow' } });
});
after(() => world?.finish());

const secret = (apiKey) => ({ type: 'API_KEY', apiKey });
const put = (key, id, credentials, more = {}) =>
  world.nangod.api('POST', '/connections', { body: { provider_config_key: key, connection_id: id, credentials, ...more } });
const fresh = () => `race-${++names}`;
const times = (n, call) => Promise.all(Array.from({ length: n }, (_, i) => call(i)));
const statuses = (answers) => [...new Set(answers.map((answer) => answer.status))].sort();

describe('beside a refresh', () => {
  // A connection whose refresh waits at the provider; done() lets it through and gives its answer.
  async function refreshing() {
    const id = fresh();
    await world.connect('oauth', id);
    world.oauth.reset();
    const gate = world.oauth.script({ hold: true });
    const reading = world.get('oauth', id);
    await inTime('the token call', gate.arrived);
    return {
      id,
      done: () => {
        gate.release();
        return reading;
      },
    };
  }

  async function assertFreshAndOnce(id, answer) {
    assert.equal(answer.status, 200, answer.text);
    assert.ok(await world.oauth.works(answer.body.credentials.access_token));
    const again = await world.get('oauth', id, '&force_refresh=true');
    assert.equal(again.status, 200, 'the refresh token that came with it was kept');
    assert.deepEqual(world.oauth.calls.map((call) => call.status), [200, 200]);
    return again.body;
  }

  test('metadata set meanwhile is kept, and so is the new token', async () => {
    const { id, done } = await refreshing();
    await world.nangod.must(201, 'POST', '/connections/metadata', { body: { provider_config_key: 'oauth', connection_id: id, metadata: { set: 'meanwhile' } } });
    const now = await assertFreshAndOnce(id, await done());
    assert.deepEqual(now.metadata, { set: 'meanwhile' });
  });

  test('tags and end user patched meanwhile are kept, and so is the new token', async () => {
    const { id, done } = await refreshing();
    await world.nangod.must(200, 'PATCH', `/connections/${id}?provider_config_key=oauth`, { body: { tags: { a: 'b' }, end_user: { id: 'meanwhile' } } });
    const now = await assertFreshAndOnce(id, await done());
    assert.equal(now.tags.a, 'b');
    assert.equal(now.end_user.id, 'meanwhile');
  });

  test('a stream of writes does not lose the token', async () => {
    const { id, done } = await refreshing();
    let writing = true;
    const writers = times(4, async (w) => {
      for (let i = 0; writing; i++) {
        await world.nangod.must(200, 'PATCH', '/connections/metadata', { body: { provider_config_key: 'oauth', connection_id: id, metadata: { [`w${w}`]: i } } });
      }
    });
    const answer = await done();
    writing = false;
    await writers;
    await assertFreshAndOnce(id, answer);
  });

  test('the integration changed meanwhile: the token is kept', async () => {
    const { id, done } = await refreshing();
    await world.nangod.must(200, 'PATCH', '/integrations/oauth', { body: { display_name: `Renamed ${id}` } });
    await assertFreshAndOnce(id, await done());
  });

  test('the integration deleted meanwhile: gone is gone', async () => {
    await world.integration('doomed', 'test-oauth');
    const id = fresh();
    await world.connect('doomed', id);
    const gate = world.oauth.script({ hold: true });
    const reading = world.get('doomed', id);
    await inTime('the token call', gate.arrived);
    await world.nangod.must(200, 'DELETE', '/integrations/doomed');
    gate.release();
    const answer = await reading;
    assert.ok(answer.status < 500, answer.text);
    assert.equal((await world.get('doomed', id)).status, 400);
    await world.integration('doomed', 'test-oauth');
    assert.equal((await world.get('doomed', id)).status, 404, 'and does not come back with a new integration of that name');
  });
});

// ---- authorizations under way ----

const patch = (key, id, body) => world.nangod.must(200, 'PATCH', `/connections/${id}?provider_config_key=${key}`, { body });
const remove = (key, id) => world.nangod.must(200, 'DELETE', `/connections/${id}?provider_config_key=${key}`);
const reconnectSession = async (key, id, more = {}) =>
  (await world.nangod.must(201, 'POST', '/connect/sessions/reconnect', { body: { integration_id: key, connection_id: id, ...more } })).data.token;
const url = (path, query) => `${path}?${new URLSearchParams(query)}`;

// An API key entered in a browser, whose check waits at the provider; done() lets it through.
async function checking(query) {
  const gate = world.echo.hold('new');
  const answer = world.nangod.api('POST', url('/api-auth/api-key/slow', query), { key: null, body: { apiKey: 'new' } });
  await inTime('the check', gate.arrived.promise);
  return { done: () => (gate.release.resolve(), answer) };
}

async function slowConnection() {
  const id = fresh();
  world.echo.release('old');
  assert.equal((await put('slow', id, secret('old'))).status, 201);
  return id;
}

// A redirect flow whose code is being exchanged; done() lets it end and gives the page.
async function exchanging(query) {
  const browser = new Browser();
  const login = await browser.open(`${world.nangod.base}${url('/oauth/connect/oauth', query)}`);
  const consent = await browser.submit(login, { login: 'ann', password: 'any' });
  const isCallback = (next) => next.startsWith(`${world.nangod.base}/oauth/callback`);
  const { next } = await browser.submit(consent, {}, { go: (to) => !isCallback(to) });
  const gate = world.oauth.script({ hold: true });
  const page = browser.visit(next);
  await inTime('the exchange', gate.arrived);
  return { done: () => (gate.release(), page) };
}

describe('beside an authorization', () => {
  const webhook = 'https://hooks.example.com/patched';
  async function assertPatched(key, id) {
    const now = (await world.get(key, id)).body;
    assert.equal(now.tags.patched, 'yes');
    assert.equal(now.webhook_url_override, webhook);
    return now;
  }

  test('tags patched during a slow check are kept', async () => {
    const id = await slowConnection();
    const { done } = await checking({ public_key: world.nangod.keys.publicKey, connection_id: id });
    await patch('slow', id, { tags: { patched: 'yes' }, webhook_url_override: webhook });
    assert.equal((await done()).status, 200);
    const now = await assertPatched('slow', id);
    assert.equal(now.credentials.apiKey, 'new');
  });

  test('tags patched during a slow exchange are kept', async () => {
    const id = fresh();
    await world.connect('oauth', id);
    const { done } = await exchanging({ public_key: world.nangod.keys.publicKey, connection_id: id });
    await patch('oauth', id, { tags: { patched: 'yes' }, webhook_url_override: webhook });
    assert.equal((await done()).status, 200);
    await assertPatched('oauth', id);
  });
});

describe('authorizing again', () => {
  const kinds = {
    'by a key': {
      key: 'slow',
      begin: slowConnection,
      start: checking,
    },
    'by redirect': {
      key: 'oauth',
      begin: async () => {
        const id = fresh();
        await world.connect('oauth', id);
        return id;
      },
      start: exchanging,
    },
  };
  const failed = { 'by a key': /invalid_connection/, 'by redirect': /connection_not_found/ };

  for (const [name, { key, begin, start }] of Object.entries(kinds)) {
    const existing = async () => {
      const id = await begin();
      await world.nangod.must(201, 'POST', '/connections', {
        body: {
          provider_config_key: key,
          connection_id: id,
          credentials: key === 'slow' ? secret('old') : { type: 'OAUTH2', access_token: 'old' },
          tags: { kept: 'yes' },
          webhook_url_override: 'https://hooks.example.com/kept',
          connection_config: { kept: 'a', replaced: 'b', emptied: 'c' },
        },
      });
      return id;
    };

    test(`${name}: what the session does not name is kept, its config over the old one`, async () => {
      const id = await existing();
      const { done } = await start({ connect_session_token: await reconnectSession(key, id), 'params[replaced]': 'new', 'params[added]': 'too', 'params[emptied]': '' });
      assert.equal((await done()).status, 200);
      const now = (await world.get(key, id)).body;
      assert.deepEqual(now.tags, { kept: 'yes' });
      assert.equal(now.webhook_url_override, 'https://hooks.example.com/kept');
      assert.deepEqual(now.connection_config, { kept: 'a', replaced: 'new', emptied: 'c', added: 'too' });
      assert.notEqual(now.credentials.apiKey ?? now.credentials.access_token, 'old');
    });

    test(`${name}: tags and webhook address of the session replace what is there`, async () => {
      const id = await existing();
      const { done } = await start({ connect_session_token: await reconnectSession(key, id, { tags: { other: 'one' }, webhook_url_override: 'https://hooks.example.com/new' }) });
      assert.equal((await done()).status, 200);
      const now = (await world.get(key, id)).body;
      assert.deepEqual(now.tags, { other: 'one' });
      assert.equal(now.webhook_url_override, 'https://hooks.example.com/new');
    });

    test(`${name}: a connection deleted meanwhile stays deleted`, async () => {
      const id = await existing();
      const { done } = await start({ connect_session_token: await reconnectSession(key, id) });
      await remove(key, id);
      const answer = await done();
      assert.equal(answer.status, 400);
      assert.match(answer.text, failed[name]);
      assert.equal((await world.get(key, id)).status, 404);
    });

    test(`${name}: another connection of its name is not touched`, async () => {
      const id = await existing();
      const { done } = await start({ connect_session_token: await reconnectSession(key, id) });
      await remove(key, id);
      world.echo.release('another');
      await put(key, id, key === 'slow' ? secret('another') : { type: 'OAUTH2', access_token: 'another' });
      assert.equal((await done()).status, 400);
      const now = (await world.get(key, id)).body;
      assert.equal(now.credentials.apiKey ?? now.credentials.access_token, 'another');
    });
  }
});

describe('a stop while the provider is thinking', () => {
  it('waits for the answer and keeps it', async () => {
    const own = await World.start({ integrations: { oauth: 'test-oauth' } });
    try {
      const grant = await own.connect('oauth', 'c');
      const gate = own.oauth.script({ hold: true });
      const reading = own.get('oauth', 'c');
      await inTime('the token call', gate.arrived);
      own.nangod.signal('SIGTERM');
      await until('the door closed', () => own.nangod.api('GET', '/health').then(() => false, () => true));
      gate.release();
      const answer = await reading;
      assert.equal(answer.status, 200);
      assert.equal((await inTime('the end', own.nangod.ended)).code, 0);
      own.oauth.reset();
      await own.nangod.again();
      const stored = await own.get('oauth', 'c', '&refresh_token=true');
      assert.equal(stored.body.credentials.access_token, answer.body.credentials.access_token);
      assert.notEqual(stored.body.credentials.refresh_token, grant.refresh_token);
      assert.equal(own.oauth.calls.length, 0);
    } finally {
      await own.finish();
    }
  });
});

describe('a provider that hangs', () => {
  it('costs its own callers the time allowed, and nobody else anything', async () => {
    const own = await World.start({ integrations: { oauth: 'test-oauth', key: 'test-key' }, settings: { 'refresh.token_timeout_ms': '1500', 'outbound.threads': '8' } });
    try {
      const stuck = Array.from({ length: 16 }, (_, i) => `stuck-${i}`);
      for (const id of stuck) await own.connect('oauth', id);
      await own.connect('oauth', 'fresh', { expiresAt: '2099-01-01T00:00:00.000Z' });
      await own.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'k', credentials: secret('k') } });
      const gates = stuck.map(() => own.oauth.script({ hold: true }));
      const waiting = stuck.map((id) => own.get('oauth', id));
      await inTime('the first token call', gates[0].arrived);
      const longest = [];
      for (let i = 0; i < 40; i++) {
        const start = performance.now();
        const answer = await [
          () => own.get('oauth', 'fresh'),
          () => own.proxied('key', 'k', '/echo/a'),
          () => own.proxied('oauth', 'fresh'),
          () => own.nangod.api('POST', '/connections/metadata', { body: { provider_config_key: 'key', connection_id: 'k', metadata: { i } } }),
        ][i % 4]();
        longest.push(performance.now() - start);
        assert.ok(answer.status < 300, answer.text);
      }
      assert.ok(Math.max(...longest) < 1000, `${Math.max(...longest)} ms`);
      const answers = await Promise.all(waiting);
      for (const answer of answers) assert.equal(answer.body.error?.code, 'invalid_credentials', answer.text);
      for (const gate of gates) gate.release();
    } finally {
      await own.finish();
    }
  });
});

describe('credential checks and code exchanges that hang', () => {
  const slowly = async (body) => {
    const own = await World.start({ integrations: { oauth: 'test-oauth', slow: 'test-key-slow', key: 'test-key' }, settings: { 'http.workers': '4', 'outbound.threads': '64' } });
    try {
      await own.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'k', credentials: secret('k') } });
      await body(own, (i) => own.nangod.must(201, 'POST', '/connections/metadata', { body: { provider_config_key: 'key', connection_id: 'k', metadata: { i } } }));
    } finally {
      await own.finish();
    }
  };

  it('32 checks under way hold up no unrelated write', async () =>
    slowly(async (own, write) => {
      const { publicKey } = own.nangod.keys;
      const asked = [
        (name) => own.nangod.api('POST', '/connections', { body: { provider_config_key: 'slow', connection_id: name, credentials: secret(name) } }),
        (name) => own.nangod.api('POST', '/connection', { body: { provider_config_key: 'slow', connection_id: name, api_key: name } }),
        (name) => own.nangod.api('POST', `/api-auth/api-key/slow?public_key=${publicKey}&connection_id=${name}`, { key: null, body: { apiKey: name } }),
      ];
      const names = Array.from({ length: 32 }, (_, i) => `held${i}`);
      const checks = names.map((name, i) => asked[i % asked.length](name));
      for (const name of names) await inTime(`the check of ${name}`, own.echo.arrived(name));
      for (let i = 0; i < 20; i++) await inTime('a write beside them', write(i));
      for (const name of names) own.echo.release(name);
      for (const answer of await Promise.all(checks)) assert.ok(answer.status < 300, answer.text);
      for (const name of names) assert.equal((await own.get('slow', name)).status, 200, 'each is there, once');
    }));

  it('nor do callbacks whose code exchange hangs', async () =>
    slowly(async (own, write) => {
      const flows = await times(8, async (i) => {
        const browser = new Browser();
        const { data } = await own.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: `u${i}` } } });
        const login = await browser.open(`${own.nangod.base}/oauth/connect/oauth?connect_session_token=${data.token}`);
        const consent = await browser.submit(login, { login: `u${i}`, password: 'x' });
        const callback = await browser.submit(consent, {}, { go: (next) => !next.startsWith(`${own.nangod.base}/oauth/callback`) });
        return () => browser.visit(callback.next);
      });
      const gates = flows.map(() => own.oauth.script({ hold: true }));
      const answers = flows.map((finish) => finish());
      for (const gate of gates) await inTime('the code exchange', gate.arrived);
      for (let i = 0; i < 20; i++) await inTime('a write beside them', write(i));
      for (const gate of gates) gate.release();
      for (const page of await Promise.all(answers)) assert.match(page.text, /AUTHORIZATION_SUCEEDED/);
    }));

  it('one environment leaves the others threads for their own', async () => {
    const own = await World.start({ oauth: false, integrations: { slow: 'test-key-slow' }, settings: { 'outbound.threads': '8' } });
    try {
      const check = (name, key) => own.nangod.api('POST', '/connections', { key, body: { provider_config_key: 'slow', connection_id: name, credentials: secret(name) } });
      const prod = (await own.nangod.readKeys('prod')).secretKey;
      await own.nangod.must(200, 'POST', '/integrations', { key: prod, body: { provider: 'test-key-slow', unique_key: 'slow' } });
      const names = Array.from({ length: 12 }, (_, i) => `held${i}`);
      const checks = names.map((name) => check(name));
      await until('as many checks as one may have under way', () => own.echo.calls.length === 4);
      own.echo.release('prod');
      assert.equal((await inTime('the check of another environment', check('prod', prod))).status, 201);
      assert.equal(own.echo.calls.length, 5, 'and no further one of the first');
      for (const name of names) own.echo.release(name);
      for (const answer of await Promise.all(checks)) assert.equal(answer.status, 201, answer.text);
    } finally {
      await own.finish();
    }
  });
});

describe('a token endpoint that hangs', () => {
  it('holds up no refresh of another integration', async () => {
    const own = await World.start({ integrations: { oauth: 'test-oauth', other: 'test-oauth-lax' }, settings: { 'outbound.threads': '8' } });
    try {
      const stuck = Array.from({ length: 16 }, (_, i) => `stuck-${i}`);
      for (const id of stuck) await own.connect('oauth', id);
      for (let i = 0; i < 10; i++) await own.connect('other', `other-${i}`);
      const gates = stuck.map(() => own.oauth.script({ hold: true, path: '/token' }));
      const waiting = stuck.map((id) => own.get('oauth', id));
      await inTime('the fourth token call', gates[3].arrived);
      for (let i = 0; i < 10; i++) {
        const answer = await inTime('a refresh at another provider', own.get('other', `other-${i}`));
        assert.equal(answer.status, 200, answer.text);
        assert.ok(await own.oauth.works(answer.body.credentials.access_token));
      }
      assert.equal(own.oauth.calls.filter((call) => call.path === '/token').length, 4, 'half of the threads, no more');
      for (const gate of gates) gate.release();
      for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200, answer.text);
    } finally {
      await own.finish();
    }
  });
});

describe('clients that leave', () => {
  test('in the middle of a streamed answer, by the hundred: the daemon lives and takes nothing amiss', async () => {
    const id = fresh();
    await put('key', id, secret('k'));
    const leave = (bytes) => new Promise((resolve) => {
      const req = http.get(`${world.nangod.base}/proxy/large/50000000`, {
        agent: false,
        headers: { Authorization: `Bearer ${world.nangod.keys.secretKey}`, 'Provider-Config-Key': 'key', 'Connection-Id': id },
      });
      req.on('error', resolve);
      req.on('response', (res) => {
        let seen = 0;
        res.on('data', (piece) => {
          seen += piece.length;
          if (seen >= bytes) res.destroy();
        });
        res.on('close', resolve);
        res.on('error', resolve);
      });
    });
    for (let round = 0; round < 10; round++) await times(12, (i) => leave(1 + i * 300_000));
    assert.equal(world.nangod.exit, undefined);
    assert.equal((await world.proxied('key', id, '/echo/a')).status, 200);
  });

  test('before any answer, by the hundred', async () => {
    const id = fresh();
    await put('key', id, secret('k'));
    await times(100, (i) => new Promise((resolve) => {
      const req = http.get(`${world.nangod.base}/proxy/hold/left${i}`, {
        agent: false,
        headers: { Authorization: `Bearer ${world.nangod.keys.secretKey}`, 'Provider-Config-Key': 'key', 'Connection-Id': id },
      });
      req.on('error', resolve);
      world.echo.arrived(`left${i}`).then(() => {
        req.destroy();
        world.echo.release(`left${i}`);
      });
    }));
    assert.equal((await world.proxied('key', id, '/echo/a')).status, 200);
  });
});

describe('many writers', () => {
  test('merging metadata: no key is lost', async () => {
    const id = fresh();
    await put('key', id, secret('k'));
    const answers = await times(60, (i) =>
      world.nangod.api('PATCH', '/connections/metadata', { body: { provider_config_key: 'key', connection_id: id, metadata: { [`k${i}`]: i } } }));
    assert.deepEqual(statuses(answers), [200]);
    const { metadata } = (await world.get('key', id)).body;
    assert.equal(Object.keys(metadata).length, 60);
  });

  test('one connection imported by many at once: one row', async () => {
    const id = fresh();
    const answers = await times(40, (i) => put('key', id, secret(`k${i}`)));
    assert.deepEqual(statuses(answers), [201]);
    assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
    const { connections } = await world.nangod.must(200, 'GET', `/connections?connectionId=${id}`);
    assert.equal(connections.length, 1);
    assert.match((await world.get('key', id)).body.credentials.apiKey, /^k\d+$/);
  });

  test('the same id in two integrations is two connections', async () => {
    const id = fresh();
    await put('key', id, secret('one'));
    await put('other', id, secret('two'));
    await world.nangod.must(200, 'DELETE', `/connections/${id}?provider_config_key=key`);
    assert.equal((await world.get('other', id)).body.credentials.apiKey, 'two');
    assert.equal((await world.get('key', id)).status, 404);
  });

  test('one integration made by many at once: one wins', async () => {
    const key = fresh();
    const answers = await times(20, () => world.nangod.api('POST', '/integrations', { body: { provider: 'test-key', unique_key: key } }));
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
    assert.deepEqual(statuses(answers), [200, 400]);
  });

  test('one integration changed by many at once: every acknowledged change is kept, secrets too', async () => {
    const key = fresh();
    await world.integration(key, 'test-oauth');
    const patch = (body) => world.nangod.api('PATCH', `/integrations/${key}`, { body });
    const answers = await Promise.all([
      times(60, (i) => patch({ custom: { [`k${i}`]: `${i}` } })),
      times(3, () => patch({ credentials: { type: 'OAUTH2', client_id: 'new-id', client_secret: 'new-secret', scopes: 'a' } })),
      times(3, () => patch({ display_name: 'New name' })),
    ]);
    assert.deepEqual(statuses(answers.flat()), [200]);
    const { data } = await world.nangod.must(200, 'GET', `/integrations/${key}?include=credentials`);
    assert.equal(data.display_name, 'New name');
    assert.equal(data.credentials.client_secret, 'new-secret');
    const { config } = await world.nangod.must(200, 'GET', `/config/${key}?include_creds=true`);
    assert.equal(Object.keys(config.custom).length, 60);
  });

  test('an integration changed over the old path and the new at once: both changes are kept', async () => {
    const key = fresh();
    await world.integration(key, 'test-oauth');
    for (let i = 0; i < 20; i++) {
      const answers = await Promise.all([
        world.nangod.api('PUT', '/config', { body: { provider: 'test-oauth', provider_config_key: key, oauth_client_id: `id-${i}`, oauth_client_secret: `secret-${i}` } }),
        world.nangod.api('PATCH', `/integrations/${key}`, { body: { display_name: `name ${i}` } }),
      ]);
      assert.deepEqual(statuses(answers), [200]);
      const { data } = await world.nangod.must(200, 'GET', `/integrations/${key}?include=credentials`);
      assert.deepEqual([data.display_name, data.credentials.client_secret], [`name ${i}`, `secret-${i}`]);
    }
  });

  test('deleted by many at once: one finds it', async () => {
    const id = fresh();
    await put('key', id, secret('k'));
    const answers = await times(20, () => world.nangod.api('DELETE', `/connections/${id}?provider_config_key=key`));
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
    assert.deepEqual(statuses(answers), [200, 400]);
  });

  test('what was written is what the next reader sees, on whichever connection', async () => {
    const id = fresh();
    await put('key', id, secret('k'));
    for (let i = 0; i < 100; i++) {
      await world.nangod.must(201, 'POST', '/connections/metadata', { body: { provider_config_key: 'key', connection_id: id, metadata: { i } } });
      const seen = await times(4, () => world.get('key', id));
      assert.deepEqual(seen.map((answer) => answer.body.metadata.i), [i, i, i, i]);
    }
  });

  test('a changed key is used by the very next proxied call', async () => {
    const id = fresh();
    for (let i = 0; i < 50; i++) {
      await put('key', id, secret(`k${i}`));
      const calls = await times(4, () => world.proxied('key', id, '/echo/a'));
      assert.deepEqual(calls.map((call) => call.body.headers['x-api-key']), Array(4).fill(`k${i}`));
    }
  });

  test('a deleted integration takes its connections with it, at once and for good', async () => {
    await world.nangod.must(200, 'POST', '/integrations', { body: { provider: 'test-key', unique_key: 'short-lived' } });
    const ids = await times(10, async () => {
      const id = fresh();
      assert.equal((await put('short-lived', id, secret('k'))).status, 201);
      return id;
    });
    await world.nangod.must(200, 'DELETE', '/integrations/short-lived');
    for (const id of ids) {
      assert.equal((await world.get('short-lived', id)).status, 400);
      assert.equal((await world.proxied('short-lived', id, '/echo/a')).status, 404);
    }
    await world.nangod.must(200, 'POST', '/integrations', { body: { provider: 'test-key', unique_key: 'short-lived' } });
    for (const id of ids) assert.equal((await world.get('short-lived', id)).status, 404);
  });

  test("a renamed client secret is used by the very next refresh", async () => {
    const id = fresh();
    await world.connect('oauth', id);
    await world.nangod.must(200, 'PATCH', '/integrations/oauth', { body: { credentials: { type: 'OAUTH2', client_id: client.id, client_secret: 'wrong', scopes: '' } } });
    assert.equal((await world.get('oauth', id)).status, 400);
    assert.equal(world.oauth.calls.at(-1).form.client_secret, 'wrong');
    await world.nangod.must(200, 'PATCH', '/integrations/oauth', { body: { credentials: { type: 'OAUTH2', client_id: client.id, client_secret: client.secret, scopes: 'read' } } });
    assert.equal((await world.get('oauth', id, '&force_refresh=true')).status, 200);
  });
});
