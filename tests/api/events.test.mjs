// SPDX-License-Identifier: Apache-2.0
// Scripts of events: those that judge a connection before it takes effect, those that follow its
// creation, those that precede its deletion; and the checkpoints that scripts leave to each other.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { connecting } from './lib/connect.mjs';
import { binary, logged, scratch } from './lib/daemon.mjs';
import { action, deploy, dryrun, onEvents } from './lib/scripts.mjs';
import { inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const VALIDATE = 'validate-connection';
const CREATED = 'post-connection-creation';
const DELETING = 'pre-connection-deletion';

let world;
let nango;
let keys = 0;
const { connect } = connecting(() => world);
const test = (name, body, options = {}) => it(name, { timeout: 60_000, ...options }, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({ settings: { 'scripts.event_timeout_s': '3' } });
  const Nango = await loadClient('0.71.10');
  nango = new Nango({ host: world.nangod.base, secretKey: world.nangod.keys.secretKey });
});
after(() => world?.finish());

// An integration of its own, with these scripts of events: name → [event, code].
async function integration(provider, scripts = {}, actions = {}) {
  const key = `i${++keys}`;
  await world.integration(key, provider);
  await put(key, scripts, actions);
  return key;
}

const put = (key, scripts, actions = {}) => world.nangod.must(200, 'POST', '/sync/deploy', {
  body: deploy(
    Object.entries(actions).map(([name, code]) => action(key, name, { fileBody: { js: code, ts: '//' } })),
    { onEventScriptsByProvider: [onEvents(key, scripts)] },
  ),
});

const importing = (key, id, credentials, more = {}) =>
  world.nangod.api('POST', '/connections', { body: { provider_config_key: key, connection_id: id, credentials, ...more } });
const apiKey = (text) => ({ type: 'API_KEY', apiKey: text });
const found = async (key, id) => (await world.get(key, id)).body;
const listed = async (key) => (await world.nangod.must(200, 'GET', `/connections?integrationId=${key}`)).connections.map((row) => row.connection_id);
const metadata = async (key, id) => (await found(key, id)).metadata;

function assertRefused({ status, body }, message) {
  assert.deepEqual([status, body.error], [400, { code: 'connection_validation_failed', message }]);
}

// Refuses the keys that say so.
const judge = `exports.default = async (nango) => {
  const { credentials } = await nango.getConnection();
  const text = credentials.apiKey ?? credentials.username ?? 'bad';
  if (text.startsWith('bad')) throw new nango.ActionError({ message: 'not with ' + text });
};`;

describe('scripts that judge a connection', () => {
  test('refuse what is imported, and leave nothing of it', async () => {
    const key = await integration('test-key', { judge: [VALIDATE, judge] });
    assertRefused(await importing(key, 'a', apiKey('bad'), { end_user: { id: 'refused' }, tags: { a: 'b' } }), 'not with bad');
    assert.deepEqual(await listed(key), []);
    assert.equal((await world.get(key, 'a')).status, 404);
    assert.deepEqual((await world.nangod.must(200, 'GET', '/connections?endUserId=refused')).connections, []);
    const made = await importing(key, 'a', apiKey('good'), { end_user: { id: 'taken' } });
    assert.equal(made.status, 201);
    assert.equal(made.body.end_user.id, 'taken');
    assert.deepEqual(await listed(key), ['a']);
  });

  test('refuse what old and new browsers submit', async () => {
    const { publicKey } = world.nangod.keys;
    const submit = (target, key, id, body) => world.nangod.api('POST', `${target}/${key}?public_key=${publicKey}&connection_id=${id}`, { key: null, body });
    const byKey = await integration('test-key', { judge: [VALIDATE, judge] });
    const byName = await integration('test-basic', { judge: [VALIDATE, judge] });
    const open = await integration('test-none', { judge: [VALIDATE, judge] });
    assertRefused(await submit('/api-auth/api-key', byKey, 'a', { apiKey: 'bad key' }), 'not with bad key');
    assertRefused(await submit('/api-auth/basic', byName, 'a', { username: 'bad name', password: 'x' }), 'not with bad name');
    assertRefused(await submit('/auth/unauthenticated', open, 'a'), 'not with bad');
    const flat = await submit('/unauth', open, 'a');
    assert.deepEqual([flat.status, flat.body.error, flat.body.type], [400, 'not with bad', 'connection_validation_failed']);
    for (const key of [byKey, byName, open]) assert.deepEqual(await listed(key), []);
    const good = await submit('/api-auth/basic', byName, 'a', { username: 'good', password: 'x' });
    assert.deepEqual([good.status, good.body], [200, { connectionId: 'a', providerConfigKey: byName }]);
  });

  test('refuse what is imported the old way', async () => {
    const key = await integration('test-key', { judge: [VALIDATE, judge] });
    const old = (text) => world.nangod.api('POST', '/connection', { body: { provider_config_key: key, connection_id: 'a', api_key: text } });
    const { status, body } = await old('bad');
    assert.deepEqual([status, body.error.code, body.error.message], [400, 'connection_validation_failed', 'not with bad']);
    assert.deepEqual(await listed(key), []);
    assert.equal((await old('good')).status, 201);
  });

  test('say why in every form', async () => {
    const says = async (thrown) => {
      const key = await integration('test-key', { judge: [VALIDATE, `exports.default = (nango) => { ${thrown} };`] });
      return (await importing(key, 'a', apiKey('k'))).body.error?.message;
    };
    assert.equal(await says("throw new nango.ActionError({ message: 'words', error: 'others' })"), 'words');
    assert.equal(await says("throw new nango.ActionError({ error: 'others' })"), 'others');
    assert.equal(await says("throw new nango.ActionError('text')"), 'text');
    assert.equal(await says('throw new nango.ActionError({ code: 7 })'), 'Connection failed validation');
    assert.equal(await says("throw new TypeError('a type')"), 'a type');
    assert.match(await says('for (;;);'), /longer than it may/);
    assert.equal(await says('return 1'), undefined);
  });

  test('leave the old credentials when they refuse new ones', async () => {
    const key = await integration('test-key', { judge: [VALIDATE, judge] });
    assert.equal((await importing(key, 'a', apiKey('good'), { metadata: { mine: 1 }, tags: { t: 'v' } })).status, 201);
    const before = await found(key, 'a');
    assertRefused(await importing(key, 'a', apiKey('bad'), { metadata: { other: 1 } }), 'not with bad');
    const { data } = await world.nangod.must(201, 'POST', '/connect/sessions/reconnect', { body: { connection_id: 'a', integration_id: key } });
    const again = (text) => world.nangod.api('POST', `/api-auth/api-key/${key}?connect_session_token=${data.token}`, { key: null, body: { apiKey: text } });
    assertRefused(await again('bad too'), 'not with bad too');
    const then = await found(key, 'a');
    assert.deepEqual([then.id, then.credentials, then.metadata, then.tags, then.errors, then.updated_at], [before.id, before.credentials, before.metadata, before.tags, [], before.updated_at]);
    assert.equal((await again('better')).status, 200);
    assert.deepEqual([(await found(key, 'a')).credentials.apiKey, (await found(key, 'a')).id, await metadata(key, 'a')], ['better', before.id, { mine: 1 }]);
  });

  test('all run, one after the other, until one refuses', async () => {
    const note = (name) => `exports.default = async (nango) => { await nango.updateMetadata({ ${name}: Object.keys((await nango.getConnection()).metadata).length }); };`;
    const key = await integration('test-key', { b: [VALIDATE, note('b')], a: [VALIDATE, note('a')] });
    assert.equal((await importing(key, 'x', apiKey('k'))).status, 201);
    assert.deepEqual(await metadata(key, 'x'), { a: 0, b: 1 });
    await put(key, { c: [VALIDATE, judge] });
    assertRefused(await importing(key, 'x', apiKey('bad')), 'not with bad');
  });

  test('have the connection that nobody else has yet', async () => {
    const key = await integration('test-key', {
      look: [VALIDATE, `exports.default = async (nango) => {
        const { data } = await nango.get({ endpoint: '/echo/me' });
        await nango.get({ endpoint: '/hold/judged' });
        await nango.setMetadata({ sent: data.headers['x-api-key'], token: (await nango.getToken()).apiKey, type: nango.scriptType, id: nango.connectionId,
          nested: await nango.triggerAction(nango.providerConfigKey, nango.connectionId, 'who') });
      };`],
    }, { who: 'exports.default = async (nango) => (await nango.getConnection()).credentials.apiKey;' });
    const gate = world.echo.hold('judged');
    const making = importing(key, 'a', apiKey('k1'), { metadata: { given: 1 } });
    await inTime('the script to reach the provider', gate.arrived.promise);
    assert.equal((await world.get(key, 'a')).status, 404);
    assert.deepEqual(await listed(key), []);
    assert.equal((await world.proxied(key, 'a')).status, 400);
    world.echo.release('judged');
    const { status, body } = await making;
    assert.equal(status, 201);
    assert.deepEqual(body.metadata, { sent: 'k1', token: 'k1', type: 'on-event', id: 'a', nested: 'k1' });
  });

  test('let nobody but themselves see new credentials of a connection that there is', async () => {
    const key = await integration('test-key', { look: [VALIDATE, "exports.default = async (nango) => { if ((await nango.getToken()).apiKey === 'two') { await nango.get({ endpoint: '/hold/again' }); throw new Error('no'); } };"] });
    assert.equal((await importing(key, 'a', apiKey('one'))).status, 201);
    const gate = world.echo.hold('again');
    const making = importing(key, 'a', apiKey('two'));
    await inTime('the script to reach the provider', gate.arrived.promise);
    assert.equal((await found(key, 'a')).credentials.apiKey, 'one');
    assert.equal((await world.proxied(key, 'a', '/echo/x')).body.headers['x-api-key'], 'one');
    assert.deepEqual(await listed(key), ['a']);
    world.echo.release('again');
    assertRefused(await making, 'no');
    assert.equal((await found(key, 'a')).credentials.apiKey, 'one');
  });

  test('refuse at the end of the OAuth flow', async () => {
    const key = await integration('test-oauth', {
      judge: [VALIDATE, "exports.default = async (nango) => { const { data } = await nango.get({ endpoint: '/me' }); if (data.account === 'eve') throw new nango.ActionError({ message: 'not <eve>' }); };"],
    });
    const session = async (id) => (await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id } } })).data.token;
    const refused = await connect(key, { connect_session_token: await session('eve') }, { login: 'eve' });
    assert.equal(refused.page.status, 400);
    assert.match(refused.page.text, /"errorType":"connection_validation_failed"/);
    assert.match(refused.page.text, /not &lt;eve&gt;/);
    assert.deepEqual(await listed(key), []);
    assert.deepEqual((await world.nangod.must(200, 'GET', '/connections?endUserId=eve')).connections, []);
    const taken = await connect(key, { connect_session_token: await session('ann') }, { login: 'ann' });
    assert.equal(taken.page.status, 200, taken.page.text);
    const [id] = await listed(key);
    assert.equal((await nango.proxy({ method: 'GET', endpoint: '/me', providerConfigKey: key, connectionId: id })).data.account, 'ann');

    const before = await found(key, id);
    const { data } = await world.nangod.must(201, 'POST', '/connect/sessions/reconnect', { body: { connection_id: id, integration_id: key } });
    const again = await connect(key, { connect_session_token: data.token }, { login: 'eve' });
    assert.equal(again.page.status, 400);
    assert.deepEqual((await found(key, id)).credentials, before.credentials);
    assert.equal((await world.proxied(key, id)).body.account, 'ann');
  });

  test('may refresh what is imported: the token that came of it is kept', async () => {
    const key = await integration('test-oauth', { judge: [VALIDATE, "exports.default = async (nango) => { await nango.get({ endpoint: '/me' }); };"] });
    world.oauth.reset();
    const grant = await world.connect(key, 'ann'); // expired: each refresh token works once
    assert.equal(world.oauth.tokenCalls('refresh_token').length, 1);
    const connection = await nango.getConnection(key, 'ann', false, true);
    assert.notEqual(connection.credentials.refresh_token, grant.refresh_token);
    assert.ok(await world.oauth.works(connection.credentials.access_token));
    assert.ok((await nango.getConnection(key, 'ann', true)).credentials.access_token, 'refreshed once more by what was kept');
  });

  test('are of the new form as well', async () => {
    const key = await integration('test-key');
    const js = "exports.default = { type: 'onEvent', event: 'validate-connection', exec: async (nango) => { if ((await nango.getToken()).apiKey === 'bad') throw new nango.ActionError({ message: 'new' }); } };";
    await world.nangod.must(200, 'POST', '/sync/deploy', { body: deploy([], { sdkVersion: '0.71.10-zero', onEventScriptsByProvider: [onEvents(key, { judge: [VALIDATE, js] })] }) });
    assertRefused(await importing(key, 'a', apiKey('bad')), 'new');
    assert.equal((await importing(key, 'a', apiKey('good'))).status, 201);
  });

  test('are many at once', async () => {
    const key = await integration('test-key', { judge: [VALIDATE, judge] });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => importing(key, `c${n}`, apiKey(n % 2 ? 'bad' : 'good'))));
    answers.forEach(({ status }, n) => assert.equal(status, n % 2 ? 400 : 201));
    assert.equal((await listed(key)).length, 20);
  });
});

describe('a server that ends', () => {
  const slow = [VALIDATE, "exports.default = async (nango) => { await nango.get({ endpoint: '/hold/judge' }); };"];

  test('by a kill while a connection is judged, keeps nothing of it', async () => {
    const key = await integration('test-key', { slow });
    const gate = world.echo.hold('judge');
    const making = importing(key, 'a', apiKey('k')).catch((error) => error);
    await inTime('the script to reach the provider', gate.arrived.promise);
    await world.nangod.kill();
    await making;
    world.echo.release('judge');
    await world.nangod.again();
    assert.deepEqual(await listed(key), []);
    assert.equal((await importing(key, 'a', apiKey('k'))).status, 201);
  });

  test('in order while a connection is judged, says so and keeps nothing', async () => {
    const other = await World.start({ oauth: false, settings: { 'http.drain_timeout_s': '1' } });
    try {
      await other.integration('key', 'test-key');
      await other.nangod.must(200, 'POST', '/sync/deploy', { body: deploy([], { onEventScriptsByProvider: [onEvents('key', { slow })] }) });
      const gate = other.echo.hold('judge');
      const making = other.nangod.api('POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'a', credentials: apiKey('k') } });
      await inTime('the script to reach the provider', gate.arrived.promise);
      assert.equal((await other.nangod.stop()).code, 0);
      const { status, body } = await making;
      assert.deepEqual([status, body.error.code], [503, 'server_error']);
      await other.nangod.again();
      assert.deepEqual((await other.nangod.must(200, 'GET', '/connections')).connections, []);
    } finally {
      await other.finish();
    }
  });

  test('by a kill between a creation and what follows it, makes up for it', async () => {
    const key = await integration('test-key', {
      follow: [CREATED, "exports.default = async (nango) => { const before = await nango.getCheckpoint(); await nango.saveCheckpoint({ begun: (before?.begun ?? 0) + 1 }); await nango.get({ endpoint: '/hold/follow' }); await nango.updateMetadata({ begun: (await nango.getCheckpoint()).begun }); };"],
    });
    const gate = world.echo.hold('follow');
    assert.equal((await importing(key, 'a', apiKey('k'))).status, 201);
    await inTime('the script to reach the provider', gate.arrived.promise);
    await world.nangod.kill();
    assert.deepEqual([(await importing(key, 'b', apiKey('k')).catch(() => 'gone'))], ['gone']);
    await world.nangod.again();
    world.echo.release('follow');
    assert.deepEqual(await until('the script to run again', async () => (await metadata(key, 'a')).begun && metadata(key, 'a')), { begun: 2 });
  });
});

describe('scripts that follow a creation', () => {
  const count = [CREATED, 'exports.default = async (nango) => { await nango.updateMetadata({ runs: ((await nango.getMetadata())?.runs ?? 0) + 1, by: nango.connectionId }); };'];

  test('run once the connection is there, and again when it is authorized again', async () => {
    const key = await integration('test-key', { count });
    const made = await importing(key, 'a', apiKey('k'));
    assert.deepEqual([made.status, made.body.metadata], [201, {}]);
    await until('the script', async () => (await metadata(key, 'a')).runs === 1);
    const { data } = await world.nangod.must(201, 'POST', '/connect/sessions/reconnect', { body: { connection_id: 'a', integration_id: key } });
    assert.equal((await world.nangod.api('POST', `/api-auth/api-key/${key}?connect_session_token=${data.token}`, { key: null, body: { apiKey: 'k2' } })).status, 200);
    await until('the script, again', async () => (await metadata(key, 'a')).runs === 2);
    assert.equal((await metadata(key, 'a')).by, 'a');
  });

  test('run after every way to make a connection', async () => {
    const byKey = await integration('test-key', { count });
    const byOAuth = await integration('test-oauth', { count });
    const open = await integration('test-none', { count });
    const { publicKey } = world.nangod.keys;
    await world.nangod.must(201, 'POST', '/connection', { body: { provider_config_key: byKey, connection_id: 'old', api_key: 'k' } });
    await world.nangod.must(200, 'POST', `/api-auth/api-key/${byKey}?public_key=${publicKey}&connection_id=new`, { key: null, body: { apiKey: 'k' } });
    await world.nangod.must(200, 'POST', `/unauth/${open}?public_key=${publicKey}&connection_id=none`, { key: null });
    assert.equal((await connect(byOAuth, { public_key: publicKey, connection_id: 'flow' })).page.status, 200);
    for (const [key, id] of [[byKey, 'old'], [byKey, 'new'], [open, 'none'], [byOAuth, 'flow']]) {
      await until(`the script for ${id}`, async () => (await metadata(key, id))?.runs === 1);
    }
  });

  test('run after the judges, on what they accepted', async () => {
    const key = await integration('test-key', { count, judge: [VALIDATE, judge] });
    assertRefused(await importing(key, 'a', apiKey('bad')), 'not with bad');
    assert.equal((await importing(key, 'a', apiKey('good'))).status, 201);
    await until('the script', async () => (await metadata(key, 'a')).runs === 1);
  });

  test('that fail change nothing, and are not tried again', async () => {
    const key = await integration('test-key', {
      a_fails: [CREATED, 'exports.default = async (nango) => { await nango.updateMetadata({ tried: ((await nango.getMetadata()).tried ?? 0) + 1 }); throw new Error("secret words"); };'],
      b_follows: count,
    });
    const from = world.nangod.log.length;
    assert.equal((await importing(key, 'a', apiKey('k'))).status, 201);
    await until('the one that follows', async () => (await metadata(key, 'a')).runs === 1);
    assert.equal((await metadata(key, 'a')).tried, 1);
    const log = world.nangod.log.slice(from);
    assert.match(log, /"the script of an event failed","event":"post-connection-creation","script":"a_fails","type":"script_internal_error"/);
    assert.doesNotMatch(log, /secret words/, 'what a script says is for the level debug');
  });

  test('do not keep actions from beginning, however many', async () => {
    const key = await integration('test-key', { slow: [CREATED, "exports.default = async (nango) => { await nango.get({ endpoint: '/hold/many' }); await nango.updateMetadata({ done: true }); };"] }, { quick: 'exports.default = () => 1;' });
    const gate = world.echo.hold('many');
    const ids = Array.from({ length: 60 }, (_, n) => `c${n}`);
    for (const { status } of await Promise.all(ids.map((id) => importing(key, id, apiKey('k'))))) assert.equal(status, 201);
    await inTime('one of them to wait', gate.arrived.promise);
    assert.equal(await nango.triggerAction(key, 'c0', 'quick'), 1);
    world.echo.release('many');
    for (const id of ids) await until(`the script of ${id}`, async () => (await metadata(key, id)).done, { within: 30_000 });
  });
});

describe('scripts that precede a deletion', () => {
  test("have the connection's credentials still", async () => {
    const key = await integration('test-oauth', { revoke: [DELETING, "exports.default = async (nango) => { await nango.post({ endpoint: '/revoke', data: { id: nango.connectionId } }); };"] });
    const grant = await world.connect(key, 'ann', { expiresAt: '2099-01-01T00:00:00.000Z' });
    world.oauth.reset();
    await nango.deleteConnection(key, 'ann');
    assert.deepEqual(world.oauth.apiCalls.map(({ method, url, token, live, body }) => [method, url, token, live, JSON.parse(body)]), [['POST', '/api/revoke', grant.access_token, true, { id: 'ann' }]]);
    assert.deepEqual(await listed(key), []);
    assert.equal((await world.get(key, 'ann')).status, 404);
  });

  test('delay it, and no more, whatever they do', async () => {
    const key = await integration('test-key', {
      a_throws: [DELETING, "exports.default = async (nango) => { await nango.get({ endpoint: '/echo/first' }); throw new Error('no'); };"],
      b_hangs: [DELETING, "exports.default = async (nango) => { await nango.get({ endpoint: '/echo/second' }); for (;;); };"],
      c_waits: [DELETING, "exports.default = async (nango) => { await nango.get({ endpoint: '/hold/never' }); };"],
    });
    assert.equal((await importing(key, 'a', apiKey('k'))).status, 201);
    world.echo.calls.length = 0;
    world.echo.hold('never');
    const began = Date.now();
    const { status, body } = await world.nangod.api('DELETE', `/connections/a?provider_config_key=${key}`);
    assert.deepEqual([status, body], [200, { success: true }]);
    assert.ok(Date.now() - began < 20_000);
    assert.deepEqual(world.echo.calls.map(({ url }) => url), ['/echo/first', '/echo/second', '/hold/never']);
    assert.deepEqual(await listed(key), []);
    world.echo.release('never');
  });

  test('run for nobody who is not there', async () => {
    const key = await integration('test-key', { note: [DELETING, "exports.default = async (nango) => { await nango.get({ endpoint: '/echo/none' }); };"] });
    const { status, body } = await world.nangod.api('DELETE', `/connections/nobody?provider_config_key=${key}`);
    assert.deepEqual([status, body], [400, { error: { code: 'unknown_connection' } }]);
    assert.ok(!world.echo.calls.some(({ url }) => url === '/echo/none'));
  });
});

describe('a server that runs no scripts', () => {
  test('accepts no connection that a script should judge, and deletes without asking', async () => {
    const dir = scratch('nangod-alone');
    const program = path.join(dir, 'nangod');
    fs.copyFileSync(binary, program); // without its runner beside it
    const stage = await World.start({ oauth: false, settings: { 'scripts.runner': '' }, integrations: { key: 'test-key', open: 'test-key' }, program });
    try {
      const scripts = { judge: [VALIDATE, judge], bye: [DELETING, 'exports.default = () => {};'], hello: [CREATED, 'exports.default = () => {};'] };
      await stage.nangod.must(200, 'POST', '/sync/deploy', { body: deploy([], { onEventScriptsByProvider: [onEvents('key', scripts)] }) });
      const importing = (key) => stage.nangod.api('POST', '/connections', { body: { provider_config_key: key, connection_id: 'a', credentials: apiKey('good') } });
      const { status, body } = await importing('key');
      assert.deepEqual([status, body.error.code], [503, 'connection_validation_failed']);
      assert.match(body.error.message, /scripts\.runner/);
      assert.deepEqual((await stage.nangod.must(200, 'GET', '/connections')).connections, []);
      assert.equal((await importing('open')).status, 201);
      await stage.nangod.must(200, 'DELETE', '/connections/a?provider_config_key=open');
    } finally {
      await stage.finish();
      fs.rmSync(dir, { recursive: true });
    }
  });
});

describe('checkpoints', () => {
  const actions = {
    step: 'exports.default = async (nango) => { const before = await nango.getCheckpoint(); await nango.saveCheckpoint({ n: (before?.n ?? 0) + 1, text: "é", yes: true }); return [before, await nango.getCheckpoint()]; };',
    read: 'exports.default = (nango) => nango.getCheckpoint();',
    save: 'exports.default = (nango, input) => nango.saveCheckpoint(input.value);',
    forget: 'exports.default = async (nango) => { await nango.clearCheckpoint(); return nango.getCheckpoint(); };',
    holds: "exports.default = async (nango) => { await nango.getCheckpoint(); await nango.get({ endpoint: '/hold/checkpoint' }); await nango.saveCheckpoint({ mine: true }); };",
    beside: 'exports.default = async (nango) => { await Promise.all([1, 2, 3].map((n) => nango.saveCheckpoint({ n }))); return (await nango.getCheckpoint()).n; };',
  };
  let key;
  const run = (name, input, id = 'a') => nango.triggerAction(key, id, name, input);

  before(async () => {
    key = await integration('test-key', {}, actions);
    for (const id of ['a', 'b']) assert.equal((await importing(key, id, apiKey('k'))).status, 201);
  });

  test('go from one execution to the next, also over a kill', async () => {
    assert.deepEqual(await run('step'), [null, { n: 1, text: 'é', yes: true }]);
    await world.nangod.kill();
    await world.nangod.again();
    assert.deepEqual(await run('step'), [{ n: 1, text: 'é', yes: true }, { n: 2, text: 'é', yes: true }]);
  });

  test("are a script's and a connection's own", async () => {
    assert.equal(await run('read'), null);
    assert.deepEqual((await run('step', undefined, 'b'))[0], null);
  });

  test('are cleared, and saved again', async () => {
    await put(key, {}, { both: 'exports.default = async (nango, input) => { if (input.clear) await nango.clearCheckpoint(); else await nango.saveCheckpoint(input.value); return nango.getCheckpoint(); };' });
    assert.equal(await run('forget'), null);
    assert.deepEqual(await run('both', { value: { a: 1 } }), { a: 1 });
    assert.equal(await run('both', { clear: true }), null);
    assert.deepEqual(await run('both', { value: {} }), {});
  });

  test('of two executions at once, one is refused', async () => {
    const gate = world.echo.hold('checkpoint');
    const trigger = () => world.nangod.api('POST', '/action/trigger', { body: { action_name: 'holds' }, headers: { 'Provider-Config-Key': key, 'Connection-Id': 'a' } });
    const both = [trigger(), trigger()];
    await inTime('both to wait', until('two calls', () => world.echo.calls.filter(({ url }) => url === '/hold/checkpoint').length >= 2));
    await gate.arrived.promise;
    world.echo.release('checkpoint');
    const answers = await Promise.all(both);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 500]);
    assert.match(answers.find(({ status }) => status === 500).body.error.payload.message, /^Error saving checkpoint: the checkpoint was changed by another/);
  });

  test('may be saved several at once by one execution', async () => {
    assert.ok([1, 2, 3].includes(await run('beside')), 'in any order');
  });

  test('are flat, and small', async () => {
    const refused = async (value, pattern) => {
      const { status, body } = await world.nangod.api('POST', '/action/trigger', { body: { action_name: 'save', input: { value } }, headers: { 'Provider-Config-Key': key, 'Connection-Id': 'a' } });
      assert.equal(status, 500);
      assert.match(body.error.payload.message, pattern);
    };
    await refused({ a: {} }, /^Invalid checkpoint: /);
    await refused({ a: null }, /^Invalid checkpoint: /);
    await refused([1], /^Invalid checkpoint: /);
    await refused('text', /^Invalid checkpoint: /);
    await refused({ a: 'x'.repeat(4001) }, /^Invalid checkpoint: a string cannot have more than 4000 characters/);
    await refused(Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, n])), /^Invalid checkpoint: it cannot have more than 16 fields/);
  });

  test('go with the connection', async () => {
    assert.equal((await importing(key, 'gone', apiKey('k'))).status, 201);
    assert.deepEqual((await run('step', undefined, 'gone'))[0], null);
    await nango.deleteConnection(key, 'gone');
    assert.equal((await importing(key, 'gone', apiKey('k'))).status, 201);
    assert.deepEqual((await run('step', undefined, 'gone'))[0], null);
  });

  test('are in a dry run what its recording says', async () => {
    const of = (recorded, text) => dryrun(`exports.default = async (nango) => { ${text} };`, { kind: 'on-event', fixture: { nango: { getCheckpoint: recorded } } });
    assert.deepEqual((await of({ n: 1 }, 'const { n } = await nango.getCheckpoint(); await nango.saveCheckpoint({ n: n + 1 });')).checkpoint, { n: 2 });
    assert.equal((await of({ n: 1 }, 'await nango.clearCheckpoint(); if ((await nango.getCheckpoint()) !== null) throw new Error();')).checkpoint, null);
    const large = { a: 'x'.repeat(4001) }; // recordings hold what was never checked
    assert.deepEqual((await of(null, `await nango.saveCheckpoint(${JSON.stringify(large)});`)).checkpoint, large);
  });

  test('of a judge are those of the connection that it judges again', async () => {
    const judged = await integration('test-key', { n: [VALIDATE, "exports.default = async (nango) => { const n = ((await nango.getCheckpoint())?.n ?? 0) + 1; await nango.saveCheckpoint({ n }); await nango.updateMetadata({ n }); };"] });
    for (const n of [1, 2, 3]) assert.deepEqual((await importing(judged, 'a', apiKey('k'))).body.metadata, { n });
  });
});

describe("the webhook's address", () => {
  test('is the one that the integration shows', async () => {
    const url = { url: 'exports.default = (nango) => nango.getWebhookURL();' };
    const routed = await integration('test-key-routed', {}, url);
    const unrouted = await integration('test-key-unrouted', {}, url);
    for (const key of [routed, unrouted]) assert.equal((await importing(key, 'a', apiKey('k'))).status, 201);
    const shown = (await nango.getIntegration({ uniqueKey: routed }, { include: ['webhook'] })).data.webhook_url;
    assert.match(shown, new RegExp(`^${world.nangod.base}/webhook/[0-9a-f-]{36}/${routed}$`));
    assert.equal(await nango.triggerAction(routed, 'a', 'url'), shown);
    assert.equal(await nango.triggerAction(unrouted, 'a', 'url'), null);
  });
});
