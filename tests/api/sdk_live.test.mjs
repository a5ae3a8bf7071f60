// SPDX-License-Identifier: Apache-2.0
// Every method of libnango from end to end: a success, a refusal, and four faults on the way (the
// answer cut in half, no answer, nobody there, a failing server), blocking and asynchronous. The table
// is sdk/live.mjs. The driver's own allocator sees that all memory comes back, and wiped.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { logged } from './lib/daemon.mjs';
import { Driver, Drivers, driveOnce } from './lib/driver.mjs';
import { client } from './lib/oauth.mjs';
import { Recorder } from './lib/recorder.mjs';
import { Relay, nowhere } from './lib/relay.mjs';
import { action, deploy, outcome, sync, ts } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';
import { rows } from './sdk/live.mjs';

let world;
let recorder; // answers what nangod never would
let relay;
let dead;
let secret;
let count = 0;
const context = { client };
const drivers = new Drivers();

before(async () => {
  world = await World.start({ integrations: { oauth: 'test-oauth', key: 'test-key', basic: 'test-basic', none: 'test-none' } });
  recorder = await Recorder.start();
  relay = await Relay.start(world.nangod.port);
  dead = await nowhere();
  secret = world.nangod.keys.secretKey;
  await world.nangod.setVariable('BOT', 'a "b" é');
  await connection('c1', { metadata: { colour: 'red' }, connection_config: { region: 'eu' }, end_user: { id: 'u1' }, tags: { plan: 'gold' } });
  for (const id of ['meta', 'meta2']) await connection(id);
  context.grant = await world.connect('oauth', 'o1', { expiresAt: '2099-01-01T00:00:00.000Z' });
  await deployed(deploy([sync('key', 'items', { fileBody: { js: items, ts } }), action('key', 'act', { fileBody: { js: 'exports.default = async (nango, input) => ({ ok: true, input });', ts } })]));
  context.asyncAction = await asyncAction();
  context.firstCursor = await twoSyncs();
  context.api = (target) => world.nangod.must(200, 'GET', target);
});

after(async () => {
  try {
    await drivers.finish();
  } finally {
    await relay?.finish();
    await recorder?.finish();
    await world?.finish();
  }
});

// Adds three records; from then on one is changed and one deleted.
const items = `exports.default = async (nango) => {
  if (!nango.lastSyncDate) return nango.batchSave([{ id: '1', n: 1 }, { id: '2', n: 2 }, { id: '3', n: 3 }], 'Item');
  await nango.batchSave([{ id: '2', n: 22 }], 'Item');
  await nango.batchDelete([{ id: '3' }], 'Item');
};`;
// The cursor of the first record after both.
async function twoSyncs() {
  const state = async () => (await world.nangod.must(200, 'GET', '/sync/status?syncs=items&provider_config_key=key&connection_id=c1')).syncs[0];
  const over = (is) => until('the sync', async () => {
    const now = await state();
    return now.finishedAt !== undefined && now.status !== 'RUNNING' && is(now);
  });
  await over(() => true);
  await world.nangod.must(200, 'POST', '/sync/trigger', { body: { syncs: ['items'], provider_config_key: 'key', connection_id: 'c1' } });
  await over(({ latestResult }) => latestResult.Item?.deleted === 1);
  const { records } = await world.nangod.must(200, 'GET', '/records?model=Item', { headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' } });
  return records[0]._nango_metadata.cursor;
}

const connection = (id, more = {}) =>
  world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: id, credentials: { type: 'API_KEY', apiKey: 'secret-1' }, ...more } });

const deployed = (body) => world.nangod.must(200, 'POST', '/sync/deploy', { body });

// The id of one that is over.
async function asyncAction() {
  const { id } = await world.nangod.must(202, 'POST', '/action/trigger', {
    body: { action_name: 'act', input: { mode: 'later' } },
    headers: { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1', 'X-Async': 'true' },
  });
  await outcome(world.nangod, id);
  return id;
}

const titled = ({ method, form }) => `${method}${form ? ` (${form})` : ''}`;
const forms = [[false, ''], [true, ', async']];

// Arguments of one run, and what has to be there for it.
async function stage(row) {
  const n = ++count;
  const stageOf = { ...context, n, doomed: `doomed-${n}`, doomedKey: `doomed-${n}`, doomedFunction: `doomed-${n}`, doomedVariant: `doomed-${n}` };
  if (row.method === 'deleteConnection') await connection(stageOf.doomed);
  if (row.method === 'deleteIntegration') await world.integration(stageOf.doomedKey, 'test-key');
  if (row.method === 'deleteFunction') await deployed(deploy([action('key', stageOf.doomedFunction)], { source: 'standalone' }));
  if (row.method === 'deleteSyncVariant') await world.nangod.must(200, 'POST', `/sync/items/variant/${stageOf.doomedVariant}`, { body: { provider_config_key: 'key', connection_id: 'c1' } });
  return stageOf;
}

function refusedAs(answer, { status, code, says }) {
  assert.equal(answer.code, 'NANGO_E_HTTP', JSON.stringify(answer));
  assert.deepEqual([answer.http_status, answer.server_code], [status, code], JSON.stringify(answer));
  if (says) assert.match(answer.message, says);
  assert.ok(answer.message.length > 0 && !answer.message.includes(secret));
  assert.equal(answer.retry_after_s, -1);
}

describe('every method against the server', { timeout: 600_000 }, () => {
  for (const row of rows) {
    for (const [async, suffix] of forms) {
      it(`${titled(row)}${suffix}`, logged(() => world.nangod, async () => {
        const now = await stage(row);
        const answer = await drivers.of({ key: secret, host: world.nangod.base, async, allocator: true }).call(row.method, row.args(now));
        if (row.fails) {
          assert.deepEqual([answer.code, answer.http_status], ['NANGO_E_HTTP', row.fails.status], JSON.stringify(answer));
          return;
        }
        assert.equal(answer.code, 'NANGO_OK', JSON.stringify(answer));
        await row.check(answer, now);
      }));

      it(`${titled(row)} is refused${suffix}`, logged(() => world.nangod, async () => {
        const { refusal } = row;
        const key = refusal.key ? '00000000-0000-4000-8000-000000000000' : secret;
        const now = await stage(row);
        const answer = await drivers.of({ key, host: world.nangod.base, async, allocator: true }).call(row.method, refusal.key ? row.args(now) : refusal.args);
        refusedAs(answer, refusal);
      }));
    }
  }
});

describe('faults on the way', { timeout: 300_000 }, () => {
  const call = async (row, async, mode, more = {}) => {
    const now = await stage(row);
    relay.port = world.nangod.port;
    relay.mode = mode;
    return drivers.of({ key: secret, host: relay.base, async, allocator: true, ...more }).call(row.method, row.args(now));
  };

  for (const row of rows) {
    for (const [async, suffix] of forms) {
      it(`${titled(row)}: an answer cut in half, none, nobody, a failing server${suffix}`, async () => {
        const cut = await call(row, async, 'cut');
        assert.equal(cut.code, 'NANGO_E_TRUNCATED', JSON.stringify(cut));

        const silent = await call(row, async, 'silent', { timeout: 40 });
        assert.equal(silent.code, 'NANGO_E_TIMEOUT', JSON.stringify(silent));

        const refused = await drivers.of({ key: secret, host: dead, async }).call(row.method, row.args(await stage(row)));
        assert.deepEqual([refused.code, refused.detail, refused.http_status], ['NANGO_E_CONNECT', 111, 0], JSON.stringify(refused));

        const failed = await call(row, async, 'fail');
        assert.deepEqual([failed.code, failed.http_status, failed.retry_after_s], ['NANGO_E_HTTP', 503, 7], JSON.stringify(failed));
        assert.match(failed.message, /503/);
        if (row.method !== 'proxyStream') assert.equal(failed.server_code, 'server_down');
      });
    }
  }
});

describe('the rest of a call', { timeout: 300_000 }, () => {
  const getArgs = { providerConfigKey: 'key', connectionId: 'c1' };

  it('a thousand calls are under way at once on one thread', async () => {
    const n = 1000;
    world.echo.hold('many');
    const seen = () => world.echo.calls.filter((call) => call.url === '/hold/many').length;
    const run = driveOnce({ key: secret, host: world.nangod.base, async: true, timeout: 60_000, concurrent: n }, 'get', { ...getArgs, endpoint: '/hold/many' }, { within: 60_000 });
    run.catch(() => {});
    await Promise.race([run, until('all calls to have arrived', () => seen() === n, { within: 40_000 })]);
    assert.equal(seen(), n);
    world.echo.release('many');
    const [all, first] = await run;
    assert.deepEqual(all, { code: 'NANGO_OK', calls: n, active: n, active_after: 0, threads: 1, codes: { NANGO_OK: n } });
    assert.deepEqual(first.result, { held: 'many' });
  });

  it('a thousand connections are fetched at once', async () => {
    const [all] = await driveOnce({ key: secret, host: world.nangod.base, async: true, adapter: true, concurrent: 1000 }, 'getConnection', getArgs, { within: 60_000 });
    assert.deepEqual([all.codes, all.threads], [{ NANGO_OK: 1000 }, 1]);
  });

  it('a call is cancelled, and its callback runs once', async () => {
    const driver = drivers.of({ key: secret, host: world.nangod.base, async: true });
    assert.equal((await driver.call('getConnection', { ...getArgs, $cancel: true })).code, 'NANGO_E_CANCELLED');
    assert.equal((await driver.call('getConnection', getArgs)).code, 'NANGO_OK');
  });

  it('a blocking call is interrupted from another thread', async () => {
    const driver = new Driver({ key: secret, host: world.nangod.base, interruptible: true });
    const held = world.echo.hold('interrupted').arrived.promise;
    const call = driver.call('get', { ...getArgs, endpoint: '/hold/interrupted' });
    await held;
    process.kill(driver.pid, 'SIGUSR1');
    assert.equal((await call).code, 'NANGO_E_CANCELLED');
    world.echo.release('interrupted');
    assert.equal((await driver.call('getConnection', getArgs)).code, 'NANGO_OK');
    await driver.finish();
  });

  it('an interruption beforehand ends the next call alone', async () => {
    const driver = new Driver({ key: secret, host: world.nangod.base });
    await driver.call('interrupt');
    assert.equal((await driver.call('getConnection', getArgs)).code, 'NANGO_E_CANCELLED');
    assert.equal((await driver.call('getConnection', getArgs)).code, 'NANGO_OK');
    await driver.finish();
  });

  it('the result may be left', async () => {
    const driver = drivers.of({ key: secret, host: world.nangod.base, async: false });
    assert.equal((await driver.call('setMetadata', { ...getArgs, connectionId: 'meta', metadata: { a: 1 }, $discard: true })).code, 'NANGO_OK');
  });

  it('an answer beyond the limit is not read', async () => {
    const driver = new Driver({ key: secret, host: world.nangod.base, maxResponseBytes: 1000 });
    assert.equal((await driver.call('get', { ...getArgs, endpoint: '/large/5000' })).code, 'NANGO_E_TOO_LARGE');
    assert.equal((await driver.call('get', { ...getArgs, endpoint: '/large/900' })).code, 'NANGO_OK');
    await driver.finish();
  });

  it('the timeout is changed', async () => {
    const driver = new Driver({ key: secret, host: relay.base });
    relay.mode = 'silent';
    await driver.call('setTimeout', { ms: 30 });
    assert.equal((await driver.call('getConnection', getArgs)).code, 'NANGO_E_TIMEOUT');
    await driver.finish();
  });

  it('a host without an address', async () => {
    const [answer] = await driveOnce({ key: secret, host: 'http://nowhere.invalid' }, 'getConnection', getArgs);
    assert.equal(answer.code, 'NANGO_E_RESOLVE');
  });

  it('an answer that is no JSON', async () => {
    recorder.answer({ headers: { 'content-type': 'text/html' }, body: '<h1>hello</h1>' });
    for (const [async] of forms) {
      const answer = await drivers.of({ key: secret, host: recorder.base, async }).call('getConnection', getArgs);
      assert.deepEqual([answer.code, answer.answer.body], ['NANGO_E_PARSE', '<h1>hello</h1>'], JSON.stringify(answer));
    }
  });

  for (const [async, suffix] of [...forms, ['adapter', ', async by the adapter for epoll']]) {
    it(`streams are stopped, aborted and rewound${suffix}`, async () => {
      const driver = drivers.of({ key: secret, host: world.nangod.base, async: Boolean(async), adapter: async === 'adapter' });
      const large = { ...getArgs, endpoint: '/large/5000000', countOnly: true };
      const stopped = await driver.call('proxyStream', { ...large, stopAfter: 100_000 });
      assert.equal(stopped.code, 'NANGO_E_CANCELLED');
      assert.ok(stopped.typed.received >= 100_000 && stopped.typed.received < 5_000_000);
      const atHead = await driver.call('proxyStream', { ...large, stopAtHead: true });
      assert.deepEqual([atHead.code, atHead.typed.received, atHead.typed.head.status], ['NANGO_E_CANCELLED', 0, 200]);
      const aborted = await driver.call('proxyStream', { ...getArgs, endpoint: '/x', method: 'POST', body: 'abc', abortRead: true });
      assert.equal(aborted.code, 'NANGO_E_CANCELLED');
      const whole = await driver.call('proxyStream', { ...large, pause: true });
      assert.deepEqual([whole.code, whole.typed.received], ['NANGO_OK', 5_000_000]);
      for (const chunked of [false, true]) {
        const sent = await driver.call('proxyStream', { ...getArgs, endpoint: '/echo', method: 'POST', body: 'ab'.repeat(500), repeat: 100, readSize: 777, chunked, headers: { 'Content-Type': 'text/plain' } });
        assert.equal(sent.code, 'NANGO_OK', JSON.stringify(sent).slice(0, 500));
        assert.equal(JSON.parse(sent.typed.body).body, 'ab'.repeat(50_000));
      }
    });
  }
});

describe('the table', () => {
  it('names every method of the newest client', async () => {
    const Nango = await loadClient('0.71.10');
    const internal = new Set(['enrichHeaders', 'getConnectionDetails', 'verifyWebhookSignature', 'verifyIncomingWebhookRequest']);
    const named = new Set(rows.map((row) => row.method));
    const methods = Object.getOwnPropertyNames(Nango.prototype).filter((name) => name !== 'constructor' && !name.startsWith('_') && !internal.has(name));
    assert.deepEqual(methods.filter((name) => !named.has(name)), []);
  });
});
