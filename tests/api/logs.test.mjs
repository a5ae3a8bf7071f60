// SPDX-License-Identifier: Apache-2.0
// Logs of operations: what an action, a proxied call, an authorization and a deploy leave behind, that no
// secret is in it, and that nobody ever waits for it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Browser } from './lib/browser.mjs';
import { loadClient } from './lib/clients.mjs';
import { besideRun, binary, Clock, Daemon, logged } from './lib/daemon.mjs';
import { check, hold, messages, operation, operations } from './lib/logs.mjs';
import { action, deploy, onEvents, outcome } from './lib/scripts.mjs';
import { inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const code = (text) => ({ fileBody: { js: text, ts: '//' } });
const put = (nangod, key, scripts) => nangod.must(200, 'POST', '/sync/deploy', { body: deploy(Object.entries(scripts).map(([name, text]) => action(key, name, code(text)))) });
const trigger = (nangod, key, connection, action_name, input, headers = {}) =>
  nangod.api('POST', '/action/trigger', { body: { action_name, input }, headers: { 'Provider-Config-Key': key, 'Connection-Id': connection, ...headers } });
const minute = 60_000;
const day = 86_400_000;

describe('logs of operations', () => {
  let world;
  let nangod;
  let nango;
  const test = (name, body) => it(name, logged(() => nangod, body));
  const apiKey = 'sk-not-to-be-seen-0123456789';

  before(async () => {
    world = await World.start({ clock: true, integrations: { oauth: 'test-oauth', key: 'test-key', verified: 'test-key-verified' }, settings: { 'logs.level': 'debug', 'scripts.retry_ms': '10' } });
    nangod = world.nangod;
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey } } });
    await nangod.setVariable('TOKEN', 'variable-not-to-be-seen');
    const Nango = await loadClient('0.71.10');
    nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
    await put(nangod, 'key', {
      talks: `exports.default = async (nango, input) => {
        await nango.log('first', { n: 1 });
        await nango.log('careful', { level: 'warn' });
        await nango.log('in detail', { level: 'debug' });
        return { id: nango.activityLogId };
      };`,
      fails: "exports.default = async (nango) => { await nango.log('about to fail', { level: 'error' }); throw new nango.ActionError({ why: 'not shown' }); };",
      crashes: 'exports.default = () => { null.x; };',
      leaks: `exports.default = async (nango) => {
        const { credentials } = await nango.getConnection();
        const variables = await nango.getEnvironmentVariables();
        await nango.log('the key is ' + credentials.apiKey, { credentials, headers: { authorization: 'Bearer zzz' }, variables });
        throw new Error('bad key ' + credentials.apiKey);
      };`,
      calls: `exports.default = async (nango) => {
        await nango.get({ endpoint: '/echo/one?page=2' });
        await nango.get({ endpoint: '/flaky/1?s=503', retries: 1 });
        try { await nango.get({ endpoint: '/status/404' }); } catch {}
        await nango.uncontrolledFetch({ url: new URL(nango.echo ?? '${world.echo.base}/echo/two?api_key=abc') });
        return 1;
      };`,
      flaky: "exports.default = async (nango, input) => { const m = await nango.getMetadata(); const n = (m?.n ?? 0) + 1; await nango.updateMetadata({ n }); if (n < input.until) throw new Error('not yet'); return n; };",
    });
  });
  after(() => world?.finish());

  test('an action tells what its script logged, and is known by the id that the script has', async () => {
    const { id } = await nango.triggerAction('key', 'c1', 'talks', { secret_input: 'not logged' });
    const told = (await nangod.must(200, 'GET', `/logs/operations/${id}`)).data;
    assert.deepEqual(told.operation, { type: 'action', action: 'run' });
    assert.equal(told.state, 'success');
    assert.equal(told.integrationName, 'key');
    assert.equal(told.connectionName, 'c1');
    assert.equal(told.syncConfigName, 'talks');
    assert.equal(told.error, null);
    assert.ok(Date.parse(told.createdAt) <= Date.parse(told.startedAt) && Date.parse(told.startedAt) <= Date.parse(told.endedAt));
    assert.equal(told.durationMs, Date.parse(told.endedAt) - Date.parse(told.startedAt));
    const said = await messages(nangod, id);
    assert.deepEqual(said.map(({ source, level, message, meta }) => [source, level, message.replace(/\d+ ms/, 'N ms'), meta]), [
      ['internal', 'info', 'The script begins', undefined],
      ['user', 'info', 'first', { n: 1 }],
      ['user', 'warn', 'careful', undefined],
      ['user', 'debug', 'in detail', undefined],
      ['internal', 'info', 'The script ended after N ms', undefined],
    ]);
    assert.ok(said.every(({ parentId, type }) => parentId === id && type === 'log'));
    assert.deepEqual((await messages(nangod, id, { level: 'warn,debug' })).map(({ message }) => message), ['careful', 'in detail']);
    assert.deepEqual((await messages(nangod, id, { search: 'FIRST' })).map(({ message }) => message), ['first']);
    assert.ok(!JSON.stringify([told, said]).includes('not logged'));
  });

  test('messages come by pages', async () => {
    const { id } = await nango.triggerAction('key', 'c1', 'talks');
    const whole = await messages(nangod, id);
    const pages = [];
    for (let cursor; cursor !== null;) {
      const page = await nangod.must(200, 'GET', `/logs/operations/${id}/messages?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      pages.push(page.data);
      cursor = page.pagination.cursor;
    }
    assert.deepEqual(pages.map((page) => page.length), [2, 2, 1]);
    assert.deepEqual(pages.flat(), whole);
  });

  test('an action that fails tells why, and where', async () => {
    await assert.rejects(nango.triggerAction('key', 'c1', 'fails'));
    const told = await operation(nangod, { script: 'fails' });
    assert.deepEqual([told.state, told.level, told.error.type], ['failed', 'error', 'action_script_runtime_error']);
    assert.ok(!JSON.stringify([told, await messages(nangod, told.id)]).includes('not shown'));
    await assert.rejects(nango.triggerAction('key', 'c1', 'crashes'));
    const crashed = await operation(nangod, { script: 'crashes' });
    const [error] = await messages(nangod, crashed.id, { level: 'error' });
    assert.match(error.error.stack, /crashes-key\.cjs:1:\d+/);
    assert.match(error.message, /null/);
    assert.deepEqual(crashed.error, error.error);
    assert.deepEqual((await operations(nangod, { state: 'failed', type: 'action' })).map(({ syncConfigName }) => syncConfigName).slice(0, 2), ['crashes', 'fails']);
  });

  test('secrets that a script was given are not shown, wherever it puts them', async () => {
    await assert.rejects(nango.triggerAction('key', 'c1', 'leaks'));
    const told = await operation(nangod, { script: 'leaks' });
    const said = await messages(nangod, told.id);
    const [line] = said.filter(({ source }) => source === 'user');
    assert.equal(line.message, 'the key is REDACTED');
    assert.equal(line.meta.credentials.apiKey, 'REDACTED');
    assert.equal(line.meta.headers.authorization, 'REDACTED');
    assert.deepEqual(line.meta.variables, [{ name: 'TOKEN', value: 'REDACTED' }]);
    assert.match(told.error.message, /bad key REDACTED/);
    const text = JSON.stringify([told, said]);
    assert.ok(!text.includes(apiKey) && !text.includes('not-to-be-seen'), text);
  });

  test("a script's requests are in its operation: by the proxy, with each try, and past it", async () => {
    await nango.triggerAction('key', 'c1', 'calls');
    const told = await operation(nangod, { script: 'calls' });
    const said = (await messages(nangod, told.id)).filter(({ type }) => type === 'http');
    const shown = said.map(({ level, request, response, retry }) => [level, request.method, request.url.replace(world.echo.base, ''), response.code, retry?.attempt]);
    assert.deepEqual(shown, [
      ['info', 'GET', '/echo/one?page=2', 200, undefined],
      ['error', 'GET', '/flaky/1?s=503', 503, undefined],
      ['info', 'GET', '/flaky/1?s=503', 200, 2],
      ['error', 'GET', '/status/404', 404, undefined],
      ['info', 'GET', '/echo/two?api_key=REDACTED', 200, undefined],
    ]);
    assert.ok(said.every(({ durationMs }) => Number.isInteger(durationMs)));
    assert.deepEqual(await operations(nangod, { type: 'proxy', search: '/echo/one' }), [], 'and are no operations of their own');
  });

  test('a proxied call is an operation, with its exchanges as messages and headers that hide', async () => {
    world.echo.calls.length = 0;
    assert.equal((await world.proxied('key', 'c1', '/flaky/2?s=502&token=seen-by-nobody', { headers: { Retries: '3', 'Nango-Proxy-X-Mine': 'mine', 'Nango-Proxy-Accept': 'text/html' } })).status, 200);
    const told = await operation(nangod, { type: 'proxy', search: '/flaky/2' });
    assert.deepEqual([told.operation.action, told.state, told.integrationName, told.connectionName, told.providerName], ['call', 'success', 'key', 'c1', 'test-key']);
    assert.equal(told.request.url, `${world.echo.base}/flaky/2?s=502&token=REDACTED`);
    assert.equal(told.response.code, 200);
    const said = await messages(nangod, told.id);
    assert.deepEqual(said.map(({ type, level, response, retry }) => [type, level, response.code, retry?.attempt]), [
      ['http', 'error', 502, undefined],
      ['http', 'error', 502, 2],
      ['http', 'info', 200, 3],
    ]);
    assert.equal(said[0].request.headers['x-mine'], 'REDACTED');
    assert.equal(said[0].request.headers.accept, 'text/html');
    assert.match(said[0].response.headers['content-type'], /json/);
    assert.deepEqual((await messages(nangod, told.id, { level: 'info' })).length, 1);
    assert.deepEqual((await messages(nangod, told.id, { search: 'NOTHING OF IT' })), []);
    assert.ok(!JSON.stringify([told, said]).includes(apiKey));
    assert.deepEqual((await nangod.must(200, 'GET', `/logs/operations/${told.id}`)).data, told);
  });

  test('proxied calls that fail say how', async () => {
    const failed = async (search) => operation(nangod, { type: 'proxy', state: 'failed', search });
    await world.proxied('key', 'c1', '/status/418');
    assert.deepEqual((await failed('/status/418')).error, { type: 'provider_error', message: 'The provider answered with status 418' });
    await world.proxied('key', 'c1', '/reset');
    const reset = await failed('/reset');
    assert.deepEqual([reset.error.type, reset.response], ['ECONNRESET', null]);
    assert.deepEqual((await messages(nangod, reset.id)).map(({ error }) => error), [{ type: 'network', message: 'ECONNRESET' }]);
    await world.proxied('key', 'nobody', '/never-sent');
    const [lost] = await operations(nangod, { type: 'proxy', connection: 'nobody' });
    assert.deepEqual([lost.state, lost.error.message, lost.request], ['failed', 'Failed to get connection', null]);
  });

  test('a client may name the operation that its calls belong to', async () => {
    const { id } = await nango.triggerAction('key', 'c1', 'talks');
    await world.proxied('key', 'c1', '/echo/mine', { headers: { 'Nango-Activity-Log-Id': id } });
    assert.deepEqual((await messages(nangod, id)).filter(({ type }) => type === 'http').map(({ request }) => request.url), [`${world.echo.base}/echo/mine`]);
    await world.proxied('key', 'c1', '/echo/other', { headers: { 'Nango-Activity-Log-Id': '17' } });
    await operation(nangod, { type: 'proxy', search: '/echo/other' });
  });

  test('an action without waiting is one operation, whatever it takes', async () => {
    const { body } = await trigger(nangod, 'key', 'c1', 'flaky', { until: 3 }, { 'X-Async': 'true', 'X-Max-Retries': '4' });
    await outcome(nangod, body.id);
    const told = await operation(nangod, { script: 'flaky' });
    assert.deepEqual([told.state, told.error, told.meta], ['success', null, { asyncId: body.id }]);
    assert.deepEqual((await messages(nangod, told.id)).map(({ message }) => message.replace(/\d+ ms/, 'N ms')), [
      'The script begins', 'not yet', 'Attempt 1 of 5 failed: it is tried again',
      'The script begins, attempt 2', 'not yet', 'Attempt 2 of 5 failed: it is tried again',
      'The script begins, attempt 3', 'The script ended after N ms',
    ]);
  });

  test('a deploy lists what it made, or says what is wrong', async () => {
    await put(nangod, 'key', { talks: 'exports.default = () => 1;' });
    const [made] = await operations(nangod, { type: 'deploy', state: 'success' });
    assert.deepEqual((await messages(nangod, made.id)).map(({ message }) => message), ['action talks of key, version 2']);
    const answer = await nangod.api('POST', '/sync/deploy', { body: deploy([action('nope', 'talks')]) });
    assert.equal(answer.status, 400, answer.text);
    const [refused] = await operations(nangod, { type: 'deploy', state: 'failed' });
    assert.equal(refused.error.type, answer.body.error.code);
  });

  test('refreshes are told, those that fail by the id that the connection shows', async () => {
    const { grantId } = await world.connect('oauth', 'fresh');
    assert.equal((await world.get('oauth', 'fresh')).status, 200);
    const good = await operation(nangod, { action: 'refresh_token', connection: 'fresh' });
    assert.deepEqual([good.operation.type, good.state, good.integrationName], ['auth', 'success', 'oauth']);
    await world.oauth.revoke(grantId);
    assert.equal((await world.get('oauth', 'fresh', '&force_refresh=true')).status, 400);
    const bad = await operation(nangod, { action: 'refresh_token', connection: 'fresh', state: 'failed' });
    assert.equal(bad.error.type, 'refresh_token_external_error');
    const { connections } = await nangod.must(200, 'GET', '/connections?connectionId=fresh');
    assert.deepEqual(connections[0].errors, [{ type: 'auth', log_id: bad.id }]);
  });

  test('connections that are made, refused and deleted are told', async () => {
    const made = await operation(nangod, { action: 'create_connection', connection: 'c1' });
    assert.deepEqual([made.state, made.integrationName], ['success', 'key']);
    const body = (key) => ({ body: { provider_config_key: 'verified', connection_id: 'tried', credentials: { type: 'API_KEY', apiKey: key } } });
    assert.equal((await nangod.api('POST', '/connections', body('bad-and-not-to-be-seen'))).status, 400);
    await nangod.must(201, 'POST', '/connections', body('good'));
    const tried = await operations(nangod, { action: 'create_connection', connection: 'tried' });
    assert.deepEqual(tried.map(({ state }) => state), ['success', 'failed']);
    await nangod.must(200, 'DELETE', '/connections/tried?provider_config_key=verified');
    const deleted = await operation(nangod, { type: 'admin' });
    assert.deepEqual([deleted.operation.action, deleted.connectionName, deleted.state], ['delete_connection', 'tried', 'success']);
  });

  test('scripts of events are operations of their own', async () => {
    await world.integration('eventful', 'test-key');
    const script = (text) => `exports.default = async (nango) => { await nango.log('${text}'); };`;
    await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([], { onEventScriptsByProvider: [onEvents('eventful', {
      judges: ['validate-connection', script('judging')],
      follows: ['post-connection-creation', script('following')],
      precedes: ['pre-connection-deletion', script('preceding')],
    })] }) });
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'eventful', connection_id: 'e1', credentials: { type: 'API_KEY', apiKey } } });
    await until('the script that follows', async () => (await operations(nangod, { type: 'events', script: 'follows', state: 'success' })).length === 1);
    await nangod.must(200, 'DELETE', '/connections/e1?provider_config_key=eventful');
    const told = await operations(nangod, { type: 'events', connection: 'e1' });
    assert.deepEqual(told.map((one) => [one.operation.action, one.syncConfigName, one.state]), [
      ['pre_connection_deletion', 'precedes', 'success'],
      ['post_connection_creation', 'follows', 'success'],
      ['validate_connection', 'judges', 'success'],
    ]);
    assert.ok((await messages(nangod, told[2].id)).some(({ message, source }) => message === 'judging' && source === 'user'));
  });

  test('every authorization with a session is in one operation', async () => {
    const { token } = (await nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'ann' } } })).data;
    const [waiting] = await operations(nangod, { type: 'auth', limit: 1 });
    assert.equal(waiting.state, 'waiting');
    const browser = new Browser();
    const url = `${nangod.base}/oauth/connect/oauth?connect_session_token=${token}`;
    await browser.open(url); // and does not go on
    assert.equal((await nangod.must(200, 'GET', `/logs/operations/${waiting.id}`)).data.state, 'running');
    const login = await browser.open(url);
    const consent = await browser.submit(login, { login: 'ann', password: 'any' });
    const page = await browser.submit(consent);
    assert.match(page.text, /nango_oauth_callback_success/);
    const { data } = await nangod.must(200, 'GET', `/logs/operations/${waiting.id}`);
    assert.deepEqual([data.state, data.integrationName, data.providerName], ['success', 'oauth', 'test-oauth']);
    const [{ connection_id }] = (await nangod.must(200, 'GET', '/connections?endUserId=ann')).connections;
    assert.equal(data.connectionName, connection_id);
    assert.deepEqual((await messages(nangod, waiting.id)).map(({ message }) => message), [
      'The browser was sent to the provider',
      'The browser was sent to the provider',
      'The browser came back from the provider',
      'The connection was made',
    ]);
  });

  test('a session that nobody used times out', async () => {
    await nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'nobody' } } });
    const [waiting] = await operations(nangod, { type: 'auth', limit: 1 });
    world.clock.advance(31 * minute);
    await nangod.stop();
    await nangod.again();
    await until('the sweep', async () => (await nangod.must(200, 'GET', `/logs/operations/${waiting.id}`)).data.state === 'timeout');
  });

  test('pages show each operation once, and periods and filters hold', async () => {
    const whole = await operations(nangod);
    const paged = await operations(nangod, { limit: 3 });
    assert.deepEqual(paged, whole);
    assert.ok(whole.length > 20);
    assert.equal(new Set(whole.map(({ id }) => id)).size, whole.length);
    const at = whole[5].createdAt;
    const later = await operations(nangod, { from: at });
    const earlier = await operations(nangod, { to: String(Date.parse(at)) });
    assert.ok(later.length >= 6 && later.length < whole.length, String(later.length));
    assert.equal(later.length + earlier.length, whole.length);
    assert.deepEqual(new Set((await operations(nangod, { type: 'auth,deploy' })).map(({ operation: { type } }) => type)), new Set(['auth', 'deploy']));
    assert.deepEqual(await operations(nangod, { integration: 'nothing' }), []);
  });

  test('another environment sees none of it', async () => {
    const keys = await nangod.readKeys('prod');
    const [{ id }] = await operations(nangod, { limit: 1 });
    assert.deepEqual((await nangod.api('GET', '/logs/operations', { key: keys.secretKey })).body, { data: [], pagination: { cursor: null } });
    assert.equal((await nangod.api('GET', `/logs/operations/${id}`, { key: keys.secretKey })).status, 404);
    assert.equal((await nangod.api('GET', `/logs/operations/${id}/messages`, { key: keys.secretKey })).status, 404);
  });

  test('a key needs all scopes of its environment', async () => {
    const before = nangod.keys;
    await nangod.grant('environment:connections:*');
    const { status, body } = await nangod.api('GET', '/logs/operations');
    nangod.keys = before;
    assert.deepEqual([status, body.error], [403, { code: 'forbidden', message: 'Insufficient scope. Required: environment:*' }]);
  });

  test('no token that a provider ever gave, and no key, is in the file', async () => {
    await nangod.stop();
    const bytes = fs.readFileSync(path.join(nangod.data, 'logs.db'), 'latin1');
    await nangod.again();
    assert.ok(world.oauth.issued.size > 3);
    const text = JSON.stringify(await Promise.all((await operations(nangod)).map(async (one) => [one, await messages(nangod, one.id)])));
    for (const secret of [...world.oauth.issued, apiKey, 'not-to-be-seen', 'seen-by-nobody', nangod.keys.secretKey]) {
      assert.ok(!bytes.includes(secret), `${secret} is in the file`);
      assert.ok(!text.includes(secret), `${secret} is shown`);
    }
    assert.equal(fs.statSync(path.join(nangod.data, 'logs.db')).mode & 0o777, 0o600);
  });

  test('what is older than the retention goes', async () => {
    world.clock.advance(16 * day);
    await nangod.stop();
    await nangod.again();
    await until('the sweep', async () => (await operations(nangod)).length === 0);
  });
});

describe('logs never hold up the work', () => {
  let nangod;
  const key = 'one';
  const test = (name, body) => it(name, logged(() => nangod, body));
  const figure = async (name) => Number(new RegExp(`^nangod_logs_${name} (\\d+)$`, 'm').exec((await nangod.api('GET', '/metrics', { key: null })).text)[1]);

  before(async () => {
    nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true', 'logs.queue_size': '64k' } });
    await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: key } });
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    await put(nangod, key, {
      talks: "exports.default = async (nango, input) => { for (let i = 0; i < input.n; i++) await nango.log('line ' + i + ' ' + 'x'.repeat(500)); return input.n; };",
      slow: 'exports.default = async (nango) => { await nango.log("here"); await nango.updateMetadata({ here: true }); await new Promise((resolve) => setTimeout(resolve, 600_000)); };',
    });
  });
  after(() => nangod?.finish());

  test('a file that another process holds: actions answer, what has no room is dropped and told', async () => {
    const before = await figure('dropped_total');
    const holder = await hold(nangod);
    const answers = [];
    try {
      for (let i = 0; i < 3; i++) answers.push((await trigger(nangod, key, 'c1', 'talks', { n: 100 })).body);
      assert.ok(await figure('dropped_total') > before);
      assert.ok(await figure('queued_bytes') > 0);
    } finally {
      await holder.release();
    }
    assert.deepEqual(answers, [100, 100, 100]);
    const told = await operations(nangod, { script: 'talks' });
    assert.deepEqual(told.map(({ state }) => state), ['success', 'success', 'success']);
    const dropped = (await Promise.all(told.map(({ id }) => messages(nangod, id, { search: 'dropped' })))).flat();
    assert.ok(dropped.length > 0);
    assert.match(dropped[0].message, /^\d+ messages? (was|were) dropped: more was told than could be written$/);
    assert.deepEqual([dropped[0].level, dropped[0].source], ['warn', 'internal']);
    assert.equal(await figure('queued_bytes'), 0);
  });

  test('a killed server leaves a file that can be read, and what it had begun has failed', async () => {
    for (let i = 0; i < 5; i++) await trigger(nangod, key, 'c1', 'talks', { n: 3 });
    const running = trigger(nangod, key, 'c1', 'slow').catch(() => 'gone');
    await until('the slow script', async () => (await nangod.must(200, 'GET', `/connections/c1?provider_config_key=${key}`)).metadata?.here);
    const [{ id }] = await operations(nangod, { script: 'slow' }); // whose reading has it written
    const flood = Array.from({ length: 20 }, () => trigger(nangod, key, 'c1', 'talks', { n: 50 }).catch(() => 'gone'));
    await flood[0];
    await nangod.kill();
    assert.equal(await running, 'gone');
    await Promise.all(flood);
    assert.equal(await check(nangod), 'ok');
    await nangod.again();
    const { data } = await nangod.must(200, 'GET', `/logs/operations/${id}`);
    assert.deepEqual([data.state, data.error.type], ['failed', 'server_ended']);
    assert.equal((await messages(nangod, id, { search: 'here' })).length, 1);
    assert.ok((await operations(nangod, { script: 'talks', state: 'success' })).length >= 5);
    assert.equal((await operations(nangod, { state: 'running,waiting' })).length, 0);
  });

  test('a damaged file is set aside, and the server serves', async () => {
    await nangod.stop();
    fs.writeFileSync(path.join(nangod.data, 'logs.db'), 'no database '.repeat(10_000));
    await nangod.again();
    assert.equal((await trigger(nangod, key, 'c1', 'talks', { n: 1 })).body, 1);
    assert.equal((await operations(nangod)).length, 1);
    assert.ok(fs.existsSync(path.join(nangod.data, 'logs.db.damaged')));
  });
});

describe('nangoctl logs', () => {
  let world;
  let nangod;
  let ids;
  const key = 'key';
  const test = (name, body) => it(name, logged(() => nangod, body));
  const environment = () => ({ NANGO_SECRET_KEY: nangod.keys.secretKey, NANGO_HOSTPORT: nangod.base });
  const run = (...args) => besideRun('nangoctl', ['logs', ...args], { env: environment() });
  const lines = ({ stdout }) => stdout.trimEnd().split('\n');

  before(async () => {
    world = await World.start({ oauth: false, integrations: { [key]: 'test-key' } });
    nangod = world.nangod;
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    await put(nangod, key, {
      good: "exports.default = async (nango) => { await nango.log('one \\u001b[31mred\\u001b[0m \\u009b1m', { a: 1 }); await nango.log('two\\nlines', { level: 'warn' }); };",
      bad: "exports.default = () => { throw new Error('broken'); };",
      waits: "exports.default = async (nango) => { await nango.log('waiting'); await nango.get({ endpoint: '/hold/go' }); await nango.log('going'); };",
    });
    await trigger(nangod, key, 'c1', 'good');
    await trigger(nangod, key, 'c1', 'bad');
    await world.proxied(key, 'c1', '/status/404');
    ids = Object.fromEntries((await operations(nangod, { type: 'action' })).map((one) => [one.syncConfigName, one.id]));
  });
  after(() => world?.finish());

  test('lists operations, the newest last', async () => {
    const out = await run('--since', '1h');
    assert.deepEqual([out.code, out.stderr], [0, '']);
    const shown = lines(out).slice(-3);
    assert.match(shown[0], new RegExp(`^\\S+Z ${ids.good} success action/run key c1 good \\d+ ms$`));
    assert.match(shown[1], new RegExp(`^\\S+Z ${ids.bad} failed action/run key c1 bad \\d+ ms: broken$`));
    assert.match(shown[2], /^\S+Z \S+ failed proxy\/call key c1 GET http:\S+\/status\/404 \d+ ms: The provider answered with status 404$/);
  });

  test('filters, and gives JSON', async () => {
    const shown = lines(await run('--type', 'action', '--script', 'bad', '--json')).map((line) => JSON.parse(line));
    assert.deepEqual(shown.map(({ id, state }) => [id, state]), [[ids.bad, 'failed']]);
    assert.equal(lines(await run('--level', 'error')).length, 2);
    assert.equal(lines(await run('--limit', '1')).length, 1);
    assert.deepEqual((await run('--connection', 'nobody')).stdout, '');
  });

  test('shows the messages of one, in which nothing steers the terminal', async () => {
    const out = await run(ids.good);
    assert.equal(out.code, 0);
    // eslint-disable-next-line no-control-regex
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(out.stdout), JSON.stringify(out.stdout));
    const shown = lines(out);
    assert.match(shown[0], new RegExp(` ${ids.good} success `));
    assert.match(shown[1], /Z info {2}The script begins$/);
    assert.match(shown[2], /Z info {2}one \\x1b\[31mred\\x1b\[0m \\x9b1m \{"a":1\}$/);
    assert.match(shown[3], /Z warn {2}two$/);
    assert.equal(shown[4], '    lines');
    assert.match(lines(await run(ids.bad)).join('\n'), /error broken\n {4}.*bad-key\.cjs:1/s);
    assert.deepEqual(lines(await run(ids.good, '--level', 'warn', '--json')).map((line) => JSON.parse(line).message), ['two\nlines']);
    const [call] = await operations(nangod, { type: 'proxy' });
    assert.match(lines(await run(call.id))[1], /Z error GET http:\S+\/status\/404 404 \d+ ms$/);
  });

  // The lines of a command that runs on, as they come.
  function follow(...args) {
    const child = spawn(path.join(path.dirname(binary), 'nangoctl'), ['logs', '--follow', ...args], { env: { ...process.env, ...environment() } });
    const following = { text: '', child, ended: new Promise((resolve) => { child.on('close', resolve); }) };
    child.stdout.setEncoding('utf8').on('data', (text) => { following.text += text; });
    return following;
  }

  test('follows one operation to its end', async () => {
    const running = trigger(nangod, key, 'c1', 'waits');
    const [{ id }] = await until('its beginning', async () => {
      const found = await operations(nangod, { script: 'waits' });
      return found.length > 0 && found;
    });
    const following = follow(id, '--level', 'info');
    await until('the first line', () => following.text.includes('waiting'));
    world.echo.release('go');
    assert.equal((await running).status, 200);
    assert.equal(await inTime('its end', following.ended), 0);
    assert.match(following.text, /going\n.*The script ended after \d+ ms\n.* success action\/run .*\n$/);
    assert.equal(following.text.split('waiting').length, 2, 'each once');
  });

  test('follows all of them', async () => {
    const following = follow('--type', 'action', '--since', '1s');
    try {
      await until('the first look', async () => following.child.pid && (await trigger(nangod, key, 'c1', 'bad')) && / bad \d+ ms: broken/.test(following.text));
      const all = following.text.trimEnd().split('\n');
      assert.equal(new Set(all).size, all.length, 'each once');
    } finally {
      following.child.kill();
      await following.ended;
    }
  });

  test('says what is wrong', async () => {
    const wrong = async (code, pattern, args, env = environment()) => {
      const out = await besideRun('nangoctl', ['logs', ...args], { env });
      assert.deepEqual([out.code, out.stdout], [code, ''], out.stderr);
      assert.match(out.stderr, pattern);
    };
    await wrong(1, /^nangoctl logs: There is no such operation$/m, ['20260101_19b76f3c00000001']);
    await wrong(1, /^nangoctl logs: id: Invalid operation id$/m, ['nope']);
    await wrong(1, /^nangoctl logs: type: Invalid option: expected some of "action"\|/m, ['--type', 'nope']);
    await wrong(1, /Authentication failed/, [], { ...environment(), NANGO_SECRET_KEY: '11111111-1111-4111-8111-111111111111' });
    await wrong(1, /^nangoctl logs: http:\/\/127\.0\.0\.1:1: /m, ['--host', 'http://127.0.0.1:1/']);
    await wrong(2, /NANGO_SECRET_KEY is not set/, [], { ...environment(), NANGO_SECRET_KEY: undefined });
    await wrong(2, /ftp:\/\/x is no address/, ['--host', 'ftp://x']);
    await wrong(2, /--since: soon is no time such as/, ['--since', 'soon']);
    await wrong(2, /--wanted: unknown option/, ['--wanted', 'x']);
    await wrong(2, /of one operation there are only messages/, [ids.good, '--type', 'action']);
  });
});

describe('logs by setting', () => {
  it('turned off, are none, and scripts run', async () => {
    const nangod = await Daemon.start({ settings: { 'logs.enabled': 'false' } });
    try {
      const { status, body } = await nangod.api('GET', '/logs/operations');
      assert.deepEqual([status, body.error.code], [404, 'disabled_resource']);
      assert.ok(!fs.existsSync(path.join(nangod.data, 'logs.db')));
      await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
      await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
      await put(nangod, 'one', { talks: "exports.default = async (nango) => { await nango.log('x'); return nango.activityLogId; };" });
      assert.match((await trigger(nangod, 'one', 'c1', 'talks')).body, /^\d{8}_[0-9a-f]{16}$/);
    } finally {
      await nangod.finish();
    }
  });

  it('above info keep no calls that went well, and the level changes on reload', async () => {
    const clock = new Clock();
    const config = path.join(clock.dir, 'nangod.conf');
    fs.writeFileSync(config, 'logs.level = warn\n');
    const world = await World.start({ oauth: false, integrations: { key: 'test-key' }, config });
    const { nangod } = world;
    try {
      await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
      await world.proxied('key', 'c1', '/echo/quiet');
      await world.proxied('key', 'c1', '/status/500');
      assert.deepEqual((await operations(nangod, { type: 'proxy' })).map(({ response }) => response.code), [500]);
      fs.writeFileSync(config, 'logs.level = info\n');
      nangod.signal('SIGHUP');
      await until('the reload', () => nangod.log.includes('"reloaded"'));
      await world.proxied('key', 'c1', '/echo/heard');
      assert.equal((await operations(nangod, { type: 'proxy' })).length, 2);
    } finally {
      await world.finish();
      clock.finish();
    }
  });
});
