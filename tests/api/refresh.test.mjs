// SPDX-License-Identifier: Apache-2.0
// Keeping tokens fresh, against a real provider whose refresh tokens rotate: each works once, so any
// call too many, and any token lost, shows as invalid_grant.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { logged } from './lib/daemon.mjs';
import { client } from './lib/oauth.mjs';
import { inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const second = 1000;
const day = 86_400 * second;

let world;
let names = 0;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({ clock: true, integrations: { oauth: 'test-oauth', lax: 'test-oauth-lax', header: 'test-oauth-header' } });
});
after(() => world?.finish());

// An expired connection of its own, with the counters at zero.
async function expired(key = 'oauth', more = {}) {
  const id = `refresh-${++names}`;
  const grant = await world.connect(key, id, more);
  world.oauth.reset();
  return { id, grant, get: (query = '') => world.get(key, id, query), proxied: (target) => world.proxied(key, id, target) };
}

const refreshes = () => world.oauth.tokenCalls('refresh_token');
const times = (n, call) => Promise.all(Array.from({ length: n }, (_, i) => call(i)));

// The token endpoint answers for the next call in place of the provider.
const answer = (status, body, headers) => world.oauth.script({ status, body, headers });

function assertRefusal(reply, status, text) {
  assert.equal(reply.status, status, reply.text);
  assert.equal(reply.body.error.code, 'invalid_credentials', reply.text);
  assert.equal(typeof reply.body.error.message, 'string');
  const { connection } = reply.body.error.payload;
  assert.equal(connection.connection_id, text);
  assert.equal(connection.credentials, undefined, 'without credentials');
}

describe('one refresh for all', () => {
  test('two hundred concurrent reads of an expired connection make one token call', async () => {
    const { get } = await expired();
    const gate = world.oauth.script({ hold: true });
    const reading = times(200, () => get());
    await inTime('the token call', gate.arrived);
    gate.release();
    const replies = await reading;
    assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
    const tokens = new Set(replies.map((reply) => reply.body.credentials.access_token));
    assert.equal(tokens.size, 1);
    assert.ok(await world.oauth.works([...tokens][0]));
    assert.equal(refreshes().length, 1);
  });

  test('two hundred concurrent proxied calls make one token call, and all reach the provider', async () => {
    const { proxied } = await expired();
    const gate = world.oauth.script({ hold: true });
    const calling = times(200, (i) => proxied(`/me?n=${i}`));
    await inTime('the token call', gate.arrived);
    gate.release();
    const replies = await calling;
    assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
    assert.equal(refreshes().length, 1);
    assert.equal(world.oauth.apiCalls.length, 200);
    assert.ok(world.oauth.apiCalls.every((call) => call.live));
  });

  test('reads and proxied calls share it', async () => {
    const { get, proxied } = await expired();
    const replies = await times(100, (i) => (i % 2 ? get() : proxied()));
    assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
    assert.equal(refreshes().length, 1);
  });

  test('many connections refresh side by side, each once', async () => {
    const many = await times(20, () => expired());
    world.oauth.reset();
    const replies = await Promise.all(many.flatMap(({ get }) => Array.from({ length: 5 }, () => get())));
    assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
    assert.equal(refreshes().length, 20);
    assert.equal(new Set(refreshes().map((call) => call.refreshToken)).size, 20);
  });

  test('two hundred readers of a refused connection share the refusal', async () => {
    const { id, grant, get } = await expired();
    await world.oauth.revoke(grant.grantId);
    const gate = world.oauth.script({ hold: true });
    const reading = times(200, () => get());
    await inTime('the token call', gate.arrived);
    gate.release();
    for (const reply of await reading) assertRefusal(reply, reply.status === 424 ? 424 : 400, id);
    assert.equal(refreshes().length, 1);
  });

  test('a reader who leaves does not stop it', async () => {
    const { get, id } = await expired();
    const gate = world.oauth.script({ hold: true });
    const gone = http.request(`${world.nangod.base}/connections/${id}?provider_config_key=oauth`, {
      headers: { Authorization: `Bearer ${world.nangod.keys.secretKey}` },
      agent: false,
    });
    gone.on('error', () => {});
    gone.end();
    await inTime('the token call', gate.arrived);
    gone.destroy();
    gate.release();
    const reply = await get();
    assert.equal(reply.status, 200);
    assert.ok(await world.oauth.works(reply.body.credentials.access_token));
    assert.equal(refreshes().length, 1);
  });
});

describe('when', () => {
  for (const [minutes, fresh] of [[14, false], [16, true]]) {
    test(`a token with ${minutes} minutes to live is ${fresh ? 'answered as it is' : 'refreshed'}`, async () => {
      const { get, grant } = await expired('oauth', { expiresAt: new Date(world.clock.now() + minutes * 60 * second).toISOString() });
      const reply = await get();
      assert.equal(reply.status, 200);
      assert.equal(refreshes().length, fresh ? 0 : 1);
      assert.equal(reply.body.credentials.access_token === grant.access_token, fresh);
    });
  }

  test('an hour later the token is refreshed by itself', async () => {
    const { get } = await expired();
    const first = (await get()).body.credentials.access_token;
    world.clock.advance(30 * 60 * second);
    assert.equal((await get()).body.credentials.access_token, first);
    world.clock.advance(20 * 60 * second);
    assert.notEqual((await get()).body.credentials.access_token, first);
    assert.equal(refreshes().length, 2);
  });

  test('forced, each call in turn', async () => {
    const { get } = await expired('oauth', { expiresAt: '2099-01-01T00:00:00.000Z' });
    const seen = new Set();
    for (let i = 0; i < 3; i++) {
      const reply = await get('&force_refresh=true');
      assert.equal(reply.status, 200);
      seen.add(reply.body.credentials.access_token);
    }
    assert.equal(seen.size, 3);
    assert.equal(refreshes().length, 3);
    assert.ok(refreshes().every((call) => call.status === 200));
  });

  test('forced by many at once: no call fails, no refresh token is spent twice', async () => {
    const { get } = await expired('oauth', { expiresAt: '2099-01-01T00:00:00.000Z' });
    const replies = await times(50, () => get('&force_refresh=true'));
    assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
    assert.ok(refreshes().length >= 1 && refreshes().length <= 50);
    assert.ok(refreshes().every((call) => call.status === 200));
    assert.equal(new Set(refreshes().map((call) => call.refreshToken)).size, refreshes().length);
    assert.ok(await world.oauth.works((await get()).body.credentials.access_token));
  });

  test('a forced read while an ordinary refresh is under way makes one of its own', async () => {
    const { get } = await expired();
    const gate = world.oauth.script({ hold: true });
    const ordinary = get();
    await inTime('the token call', gate.arrived);
    const forced = get('&force_refresh=true');
    gate.release();
    const [first, second_] = await Promise.all([ordinary, forced]);
    assert.equal(first.status, 200);
    assert.equal(second_.status, 200, second_.text);
    assert.equal(refreshes().length, 2);
    assert.ok(refreshes().every((call) => call.status === 200));
  });

  test('an expired token without a refresh token is answered as it is', async () => {
    const id = `refresh-${++names}`;
    await world.nangod.must(201, 'POST', '/connections', {
      body: { provider_config_key: 'oauth', connection_id: id, credentials: { type: 'OAUTH2', access_token: 'stale', expires_at: '2020-01-01T00:00:00.000Z' } },
    });
    world.oauth.reset();
    for (const query of ['', '&force_refresh=true']) {
      const reply = await world.get('oauth', id, query);
      assert.equal(reply.status, 200);
      assert.equal(reply.body.credentials.access_token, 'stale');
    }
    assert.equal(refreshes().length, 0);
  });
});

describe('the request and the answer', () => {
  test('refresh tokens rotate: each call presents the one before', async () => {
    const { get, grant } = await expired();
    let current = grant.refresh_token;
    for (let i = 0; i < 4; i++) {
      const reply = await get('&force_refresh=true&refresh_token=true');
      assert.equal(reply.status, 200);
      assert.equal(refreshes().at(-1).refreshToken, current);
      assert.notEqual(reply.body.credentials.refresh_token, current);
      current = reply.body.credentials.refresh_token;
    }
  });

  test('names the grant and the client in the body, or in the header where the provider wants it', async () => {
    await (await expired()).get();
    const [{ form, headers }] = refreshes();
    assert.equal(form.grant_type, 'refresh_token');
    assert.equal(form.client_id, client.id);
    assert.equal(form.client_secret, client.secret);
    assert.match(headers['content-type'], /^application\/x-www-form-urlencoded/);
    assert.equal(headers.accept, 'application/json');
    const id = `refresh-${++names}`;
    const { headerClient } = await import('./lib/oauth.mjs');
    const grant = await world.oauth.issue(id, headerClient);
    await world.nangod.must(201, 'POST', '/connections', {
      body: { provider_config_key: 'header', connection_id: id, credentials: { type: 'OAUTH2', ...pick(grant), expires_at: '2020-01-01T00:00:00.000Z' } },
    });
    world.oauth.reset();
    assert.equal((await world.get('header', id)).status, 200);
    assert.equal(refreshes()[0].form.client_secret, undefined);
    assert.match(refreshes()[0].headers.authorization, /^Basic /);
  });

  test('an answer without a refresh token keeps the old one', async () => {
    const { get, grant } = await expired();
    answer(200, { access_token: 'short', expires_in: 3600, token_type: 'Bearer' });
    const reply = await get('&refresh_token=true');
    assert.equal(reply.body.credentials.access_token, 'short');
    assert.equal(reply.body.credentials.refresh_token, grant.refresh_token);
    assert.deepEqual(reply.body.credentials.raw.access_token, 'short');
  });

  for (const [what, body, seconds] of [
    ['seconds as a number', { expires_in: 3600 }, 3600],
    ['seconds as text', { expires_in: '7200' }, 7200],
    ['an instant', () => ({ expires_at: new Date(world.clock.now() + 5400 * second).toISOString() }), 5400],
    ['none: never', {}, undefined],
  ]) {
    test(`expiry given as ${what}`, async () => {
      const { get } = await expired();
      answer(200, { access_token: 'a', ...(typeof body === 'function' ? body() : body) });
      const { credentials } = (await get()).body;
      assert.equal(credentials.access_token, 'a');
      if (seconds === undefined) {
        assert.equal(credentials.expires_at, undefined);
      } else {
        const left = (Date.parse(credentials.expires_at) - world.clock.now()) / second;
        assert.ok(Math.abs(left - seconds) < 20, `${left} s`);
      }
    });
  }

  for (const given of [0, -1, 1e300, -1e300, '', ' ', 'soon', '12h', '-5', null, true, [], {}, [3600], '9'.repeat(400)]) {
    test(`a lifetime of ${JSON.stringify(given).slice(0, 20)} seconds does no harm`, async () => {
      for (const member of ['expires_in', 'expires_at']) {
        const { get } = await expired();
        answer(200, { access_token: 'a', [member]: given });
        const reply = await get();
        assert.equal(reply.status, 200, reply.text);
        assert.equal(reply.body.credentials.access_token, 'a');
        const { expires_at: at } = reply.body.credentials;
        assert.ok(at === undefined || !Number.isNaN(Date.parse(at)), `${member}: ${at}`);
        const listed = await world.nangod.api('GET', '/connections?limit=1');
        assert.equal(listed.status, 200);
      }
    });
  }

  for (const [what, body] of [
    ['a token of 100,000 characters', { access_token: 'x'.repeat(100_000), expires_in: 3600 }],
    ['a token with every kind of character', { access_token: 'a "b" \\ é 😀 \u2028', expires_in: 3600 }],
    ['an answer of half a megabyte', { access_token: 'a', expires_in: 3600, extra: 'y'.repeat(500_000) }],
    ['members nobody asked for', { access_token: 'a', expires_in: 3600, nested: { list: [1, { deep: null }], yes: true }, ['__proto__x']: 1, constructor: 'c' }],
  ]) {
    test(`${what} is kept as it is`, async () => {
      const { get } = await expired();
      answer(200, body);
      const { credentials } = (await get()).body;
      assert.equal(credentials.access_token, body.access_token);
      const { expires_at: added, ...raw } = credentials.raw;
      assert.deepEqual(raw, body);
    });
  }

  test('an answer in another coding, or in pieces, is read', async () => {
    const { gzipSync } = await import('node:zlib');
    const text = JSON.stringify({ access_token: 'packed', expires_in: 3600 });
    for (const [headers, bytes] of [[{ 'content-encoding': 'gzip' }, gzipSync(text)], [{ 'transfer-encoding': 'chunked' }, text], [{ 'content-type': 'application/json; charset=utf-8' }, text]]) {
      const { get } = await expired();
      answer(200, bytes, headers);
      const reply = await get();
      assert.equal(reply.body.credentials?.access_token, 'packed', reply.text);
    }
  });

  test("a connection's own client is used, and kept", async () => {
    const id = `refresh-${++names}`;
    const grant = await world.oauth.issue(id);
    const body = { provider_config_key: 'own', connection_id: id, credentials: { type: 'OAUTH2', ...pick(grant), expires_at: '2020-01-01T00:00:00.000Z', config_override: { client_id: client.id, client_secret: client.secret } } };
    await world.nangod.api('POST', '/integrations', { body: { provider: 'test-oauth', unique_key: 'own', credentials: { type: 'OAUTH2', client_id: 'nobody', client_secret: 'nothing' } } });
    await world.nangod.must(201, 'POST', '/connections', { body });
    for (let i = 0; i < 2; i++) {
      world.oauth.reset();
      const reply = await world.get('own', id, '&force_refresh=true');
      assert.equal(reply.status, 200, reply.text);
      assert.equal(refreshes()[0].form.client_id, client.id);
      assert.equal(reply.body.credentials.config_override.client_id, client.id);
    }
  });

  for (const [what, status, body, headers] of [
    ['text that is no JSON', 200, 'oops'],
    ['nothing', 200, ''],
    ['a page', 200, '<html>sign in</html>', { 'content-type': 'text/html' }],
    ['a list', 200, '[]'],
    ['no access token', 200, { token_type: 'Bearer' }],
    ['an access token that is no text', 200, { access_token: { a: 1 } }],
    ['JSON cut short', 200, '{"access_token":"a"'],
    ['a megabyte of spaces', 200, ' '.repeat(1 << 20)],
    ['a redirect to nowhere', 302, '', { location: 'http://127.0.0.1:9/' }],
    ['status 500', 500, { error: 'boom' }],
    ['status 401', 401, { error: 'invalid_client' }],
    ['status 429', 429, { error: 'slow_down' }],
  ]) {
    test(`${what} for an answer is a refusal, and the old refresh token is kept`, async () => {
      const { id, get, grant } = await expired();
      answer(status, body, headers);
      assertRefusal(await get(), 400, id);
      world.clock.advance(31 * second);
      const recovered = await get('&refresh_token=true');
      assert.equal(recovered.status, 200, recovered.text);
      assert.equal(refreshes().at(-1).refreshToken, grant.refresh_token);
    });
  }
});

const pick = ({ access_token, refresh_token }) => ({ access_token, refresh_token });

describe('refused by the provider', () => {
  test('invalid_grant: 400 with the connection, noted on it; then back-off without calls', async () => {
    const { id, get, grant, proxied } = await expired();
    await world.oauth.revoke(grant.grantId);
    assertRefusal(await get(), 400, id);
    assert.equal(refreshes().length, 1);

    const { connections } = await world.nangod.must(200, 'GET', `/connections?connectionId=${id}`);
    assert.equal(connections[0].errors.length, 1);
    assert.equal(connections[0].errors[0].type, 'auth');
    assert.equal(typeof connections[0].errors[0].log_id, 'string');

    assertRefusal(await get(), 424, id);
    const call = await proxied();
    assert.equal(call.status, 424);
    assert.equal(call.body.error.code, 'connection_refresh_backoff');
    world.clock.advance(25 * second);
    assertRefusal(await get(), 424, id);
    assert.equal(refreshes().length, 1, 'no call during back-off');

    world.clock.advance(6 * second);
    assertRefusal(await get(), 400, id);
    assert.equal(refreshes().length, 2);
  });

  test('a proxied call says why it was not made', async () => {
    const { proxied, grant } = await expired();
    await world.oauth.revoke(grant.grantId);
    const call = await proxied();
    assert.equal(call.status, 400);
    assert.equal(call.body.error.code, 'server_error');
    assert.equal(world.oauth.apiCalls.length, 0);
  });

  test('the answer does not repeat what the provider said with our secrets', async () => {
    const { get, grant } = await expired();
    answer(400, { error: 'invalid_grant', error_description: `bad ${grant.refresh_token} of ${client.secret}` });
    const reply = await get();
    assert.equal(reply.status, 400);
    assert.ok(!reply.text.includes(grant.refresh_token));
    assert.ok(!reply.text.includes(JSON.stringify(client.secret).slice(1, -1)));
  });

  test('four days of refusals exhaust it: no more calls, but a forced one', async () => {
    const { id, get, grant } = await expired();
    for (let days = 0; days < 4; days++) {
      answer(400, { error: 'invalid_grant' });
      assertRefusal(await get(), 400, id);
      world.clock.advance(day);
    }
    assert.equal(refreshes().length, 4);
    for (let i = 0; i < 3; i++) {
      assertRefusal(await get(), 424, id);
      world.clock.advance(day);
    }
    assert.equal(refreshes().length, 4, 'exhausted');
    const forced = await get('&force_refresh=true');
    assert.equal(forced.status, 200, forced.text);
    assert.equal(refreshes().at(-1).refreshToken, grant.refresh_token);
    assert.deepEqual(forced.body.errors, [], 'the error is cleared');
    world.clock.advance(2 * 3600 * second);
    assert.equal((await get()).status, 200, 'and it refreshes by itself again');
  });

  test('refusals within one day count once', async () => {
    const { id, get } = await expired();
    for (let i = 0; i < 6; i++) {
      answer(400, { error: 'invalid_grant' });
      assertRefusal(await get('&force_refresh=true'), 400, id);
    }
    world.clock.advance(31 * second);
    assert.equal((await get()).status, 200);
  });

  test('a new import clears the refusal', async () => {
    const { id, get, grant } = await expired();
    await world.oauth.revoke(grant.grantId);
    assertRefusal(await get(), 400, id);
    await world.connect('oauth', id);
    const reply = await get();
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(reply.body.errors, []);
  });
});

describe('a provider out of order', () => {
  test('an outage is survived: refusals while it lasts, then the same refresh token works', async () => {
    const { id, get, grant } = await expired();
    answer(503, { error: 'temporarily_unavailable' });
    assertRefusal(await get(), 400, id);
    world.clock.advance(31 * second);
    const reply = await get();
    assert.equal(reply.status, 200, reply.text);
    assert.equal(refreshes().at(-1).refreshToken, grant.refresh_token);
    assert.deepEqual(reply.body.errors, []);
  });

  test('an answer lost on the way: the provider with a reuse interval gives it again', async () => {
    const { id, get } = await expired('lax');
    world.oauth.script({ lose: true });
    assertRefusal(await get(), 400, id);
    world.clock.advance(31 * second);
    const reply = await get();
    assert.equal(reply.status, 200, reply.text);
    assert.ok(await world.oauth.works(reply.body.credentials.access_token));
  });

  test('a connection deleted while it refreshes stays deleted', async () => {
    const { id, get } = await expired();
    const gate = world.oauth.script({ hold: true });
    const reading = get();
    await inTime('the token call', gate.arrived);
    await world.nangod.must(200, 'DELETE', `/connections/${id}?provider_config_key=oauth`);
    gate.release();
    const reply = await reading;
    assert.ok(reply.status >= 200 && reply.status < 500, reply.text);
    assert.equal((await get()).status, 404);
  });

  test('a connection imported anew while it refreshes keeps what was imported', async () => {
    const { id, get } = await expired();
    const gate = world.oauth.script({ hold: true });
    const reading = get();
    await inTime('the token call', gate.arrived);
    const fresh = await world.connect('oauth', id, { expiresAt: new Date(world.clock.now() + day).toISOString() });
    gate.release();
    await reading;
    await until('the imported token', async () => (await get()).body.credentials?.access_token === fresh.access_token, { within: 3000 });
  });
});
