// SPDX-License-Identifier: Apache-2.0
// Syncs: deployed, run by schedule and by command, and what they saved, by the official clients.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { Clock, Daemon, logged, nangodRun, scratch } from './lib/daemon.mjs';
import { listen, readAll } from './lib/http.mjs';
import { deploy, sync } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';

let nangod;
let nango;
let early;
const test = (name, body) => it(name, { timeout: 60_000 }, logged(() => nangod, body));

// Saves what the metadata of the connection says.
const items = `
exports.default = async (nango) => {
  const { save = [], update = [], remove = [], fail, logs } = (await nango.getMetadata()) ?? {};
  if (fail) throw new Error('The provider is down');
  await nango.log('since ' + nango.lastSyncDate?.toISOString());
  await nango.batchSave(save, 'Item');
  await nango.batchUpdate(update, 'Item');
  await nango.batchDelete(remove, 'Item');
};
`;
const code = (js) => ({ fileBody: { js, ts: 'export default 1;' } });

const connect = (id, metadata) => nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: id, credentials: { type: 'API_KEY', apiKey: 'k' }, metadata } });
const put = (...flows) => nangod.must(200, 'POST', '/sync/deploy', { body: deploy(flows) });
const status = async (id = 'c1', names = '*') => (await nango.syncStatus('one', names, id)).syncs; // '*' or a list
// The sync of a connection, once it has run so often that `is` says so.
const settled = (is, id = 'c1') =>
  until('the sync', async () => {
    const [one] = await status(id);
    return one !== undefined && one.status !== 'RUNNING' && is(one) ? one : undefined;
  });
const finished = (before) => (one) => one.finishedAt !== undefined && one.finishedAt !== before?.finishedAt;
async function run(id, metadata, trigger = {}) {
  const [before] = await status(id);
  if (metadata) await nango.setMetadata('one', id, metadata);
  await nangod.must(200, 'POST', '/sync/trigger', { body: { syncs: [], provider_config_key: 'one', connection_id: id, ...trigger } });
  return settled(finished(before), id);
}
const list = async (more = {}) => (await nango.listRecords({ providerConfigKey: 'one', connectionId: 'c1', model: 'Item', ...more })).records;
const short = (records) => records.map(({ id, n, _nango_metadata: { last_action } }) => [id, n, last_action]);

before(async () => {
  nangod = await Daemon.start();
  const [Nango, Early] = [await loadClient('0.71.10'), await loadClient('0.36.100')];
  nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
  early = new Early({ host: nangod.base, secretKey: nangod.keys.secretKey });
  await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
  await connect('c1', { save: [{ id: '1', n: 1 }, { id: '2', n: 2 }, { id: 3, n: 3 }] });
  await put(sync('one', 'items', { ...code(items), runs: 'every 1 hour' }));
});
after(() => nangod?.finish());

describe('a sync', () => {
  test('runs once it is deployed, and its records are there', async () => {
    const one = await settled(finished());
    assert.match(one.id, /^[0-9a-f-]{36}$/);
    assert.deepEqual({ ...one, id: 0, finishedAt: 0, nextScheduledSyncAt: 0 }, {
      id: 0, connection_id: 'c1', name: 'items', variant: 'base', type: 'INITIAL', status: 'SUCCESS', finishedAt: 0, nextScheduledSyncAt: 0, frequency: 'every 1 hour',
      latestResult: { Item: { added: 3, updated: 0, deleted: 0 } }, latestExecutionStatus: 'SUCCESS', recordCount: { Item: 3 }, checkpoint: null,
    });
    const due = Date.parse(one.nextScheduledSyncAt) - Date.parse(one.finishedAt);
    assert.ok(due > 3_500_000 && due <= 3_600_000, one.nextScheduledSyncAt);
    const records = await list();
    assert.deepEqual(short(records).sort(), [['1', 1, 'ADDED'], ['2', 2, 'ADDED'], ['3', 3, 'ADDED']]);
    for (const { _nango_metadata: meta } of records) {
      assert.match(meta.first_seen_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
      assert.deepEqual([meta.last_modified_at, meta.deleted_at, meta.pruned_at], [meta.first_seen_at, null, null]);
    }
  });

  test('runs when it is triggered, from where it was', async () => {
    const one = await run('c1', { save: [{ id: '1', n: 1 }, { id: '2', n: 22 }], remove: [{ id: '3' }] });
    assert.deepEqual([one.type, one.latestResult, one.recordCount], ['INCREMENTAL', { Item: { added: 0, updated: 1, deleted: 1 } }, { Item: 2 }]);
    assert.deepEqual(short(await list()).sort(), [['1', 1, 'ADDED'], ['2', 22, 'UPDATED'], ['3', undefined, 'DELETED']]);
    assert.deepEqual(short(await list({ filter: 'updated' })), [['2', 22, 'UPDATED']]);
    assert.deepEqual(short(await list({ filter: 'added,deleted' })), [['1', 1, 'ADDED'], ['3', undefined, 'DELETED']]);
    assert.deepEqual(short(await list({ ids: ['3', '1', 'none'] })), [['1', 1, 'ADDED'], ['3', undefined, 'DELETED']]);
  });

  test('is followed by cursor', async () => {
    const pages = [];
    let cursor;
    do {
      const page = await nango.listRecords({ providerConfigKey: 'one', connectionId: 'c1', model: 'Item', limit: 1, cursor });
      pages.push(...page.records.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    assert.deepEqual([pages[0], pages.slice(1).sort()], ['1', ['2', '3']]);
    const all = await list();
    await run('c1', { update: [{ id: '1', m: { a: 1 } }] });
    const next = await list({ cursor: all.at(-1)._nango_metadata.cursor });
    assert.deepEqual(next.map(({ id, n, m }) => [id, n, m]), [['1', 1, { a: 1 }]]);
    const since = next[0]._nango_metadata.last_modified_at;
    assert.deepEqual((await list({ modifiedAfter: new Date(Date.parse(since)).toISOString() })).map(({ id }) => id), ['1']);
  });

  test('that fails says so, and keeps what it had', async () => {
    const one = await run('c1', { fail: true });
    assert.deepEqual([one.status, one.latestResult, one.latestExecutionStatus], ['ERROR', {}, 'STOPPED']);
    assert.equal((await list()).length, 3);
    await run('c1', {});
  });

  test('is paused and started', async () => {
    await nango.pauseSync('one', ['items'], 'c1');
    const [paused] = await status();
    assert.deepEqual([paused.status, paused.nextScheduledSyncAt], ['PAUSED', null]);
    await nango.startSync('one', ['items'], 'c1');
    const [started] = await status();
    assert.deepEqual([started.status, typeof started.nextScheduledSyncAt], ['SUCCESS', 'string']);
  });

  test('has a frequency of its own when it is given one', async () => {
    assert.deepEqual(await nango.updateSyncConnectionFrequency('one', 'items', 'c1', 'every 2 hours'), { frequency: '2 hours' });
    assert.equal((await status())[0].frequency, 'every 2 hours');
    assert.deepEqual(await nango.updateSyncConnectionFrequency('one', 'items', 'c1', null), { frequency: 'every 1 hour' });
  });

  test('that is reset begins anew, and with its records cleared adds them all', async () => {
    const all = { save: [{ id: '1', n: 1 }, { id: '9', n: 9 }] };
    const reset = await run('c1', all, { sync_mode: 'full_refresh' });
    assert.deepEqual([reset.type, reset.latestResult.Item], ['INITIAL', { added: 1, updated: 1, deleted: 0 }]);
    const cleared = await run('c1', all, { opts: { reset: true, emptyCache: true } });
    assert.deepEqual([cleared.type, cleared.latestResult.Item, cleared.recordCount], ['INITIAL', { added: 2, updated: 0, deleted: 0 }, { Item: 2 }]);
    assert.deepEqual(short(await list()).sort(), [['1', 1, 'ADDED'], ['9', 9, 'ADDED']]);
  });

  test('prunes its records', async () => {
    const all = await list();
    const { count, has_more } = await nangod.must(200, 'PATCH', '/records/prune', { headers: { 'Connection-Id': 'c1', 'Provider-Config-Key': 'one' }, body: { model: 'Item', until_cursor: all[0]._nango_metadata.cursor } });
    assert.deepEqual([count, has_more], [1, false]);
    const [pruned, other] = await list();
    assert.deepEqual([Object.keys(pruned), typeof pruned._nango_metadata.pruned_at, other.n], [['id', '_nango_metadata'], 'string', all[1].n]);
    await run('c1');
  });

  test('has variants', async () => {
    const { id } = await nango.createSyncVariant({ provider_config_key: 'one', connection_id: 'c1', name: 'items', variant: 'eu' });
    const [variant] = await until('the variant', async () => {
      const found = await status('c1', ['items::eu']);
      return found[0]?.finishedAt && found[0].status !== 'RUNNING' ? found : undefined;
    });
    assert.deepEqual([variant.id, variant.variant, variant.latestResult], [id, 'eu', { Item: { added: 2, updated: 0, deleted: 0 } }]);
    assert.equal((await list({ variant: 'eu' })).length, 2);
    await nango.deleteSyncVariant({ provider_config_key: 'one', connection_id: 'c1', name: 'items', variant: 'eu' });
    assert.deepEqual([await list({ variant: 'eu' }), (await list()).length], [[], 2]);
  });

  test('is of the connections that come later, too', async () => {
    await connect('c2', { save: [{ id: 'x' }] });
    const one = await settled(finished(), 'c2');
    assert.deepEqual([one.type, one.recordCount], ['INITIAL', { Item: 1 }]);
    assert.equal((await list()).length, 2);
  });

  test('is used by the early client', async () => {
    await early.triggerSync('one', ['items'], 'c2');
    await early.pauseSync('one', ['items'], 'c2');
    await until('the pause', async () => (await early.syncStatus('one', '*', 'c2')).syncs[0].status === 'PAUSED');
    await early.startSync('one', ['items'], 'c2');
    const { records } = await early.listRecords({ providerConfigKey: 'one', connectionId: 'c2', model: 'Item' });
    assert.deepEqual(records.map(({ id }) => id), ['x']);
    const [flat] = await early.getRecords({ providerConfigKey: 'one', connectionId: 'c1', model: 'Item', sortBy: 'id', order: 'asc', limit: 1 });
    assert.deepEqual([flat.id, flat.n, flat._nango_metadata.last_action], ['1', 1, 'ADDED']);
    const [apart] = await early.getRecords({ providerConfigKey: 'one', connectionId: 'c1', model: 'Item', includeNangoMetadata: true });
    assert.deepEqual([apart.record.n, apart.last_action], [9, 'ADDED']);
  });
});

describe('time, and the end of a server', () => {
  let calls = 0;
  let clock;
  let provider;
  let one;
  const timed = (name, body) => it(name, { timeout: 60_000 }, logged(() => one, body));
  const state = async () => (await one.must(200, 'GET', '/sync/status?syncs=*&provider_config_key=one')).syncs[0];
  const over = (is) => until('the sync', async () => {
    const now = await state();
    return now?.finishedAt !== undefined && now.status !== 'RUNNING' && is(now) ? now : undefined;
  });

  before(async () => {
    clock = new Clock();
    // The first call is never answered.
    provider = await listen(async (req, res) => {
      await readAll(req);
      if (++calls > 1) res.end('{}');
    });
    one = await Daemon.start({ settings: { 'outbound.allow_private': 'true', ...clock.setting } });
    await one.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
    await one.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    const js = `exports.default = async (nango) => { await nango.get({ endpoint: '/', baseUrlOverride: '${provider.base}', retries: 0 }); await nango.batchSave([{ id: '1' }], 'Item'); };`;
    await one.must(200, 'POST', '/sync/deploy', { body: deploy([sync('one', 'slow', { ...code(js), runs: 'every hour' })]) });
  });
  after(async () => {
    await one?.finish();
    await provider?.close();
    clock?.finish();
  });

  timed('what ran when the server was stopped is run by the next one', async () => {
    await until('the call', () => calls === 1);
    assert.equal((await state()).status, 'RUNNING');
    await one.stop();
    await one.again();
    const now = await over(() => true);
    assert.deepEqual([now.status, now.latestResult, calls], ['SUCCESS', { Item: { added: 1, updated: 0, deleted: 0 } }, 2]);
  });

  timed('it runs when its time has come, once', async () => {
    const first = await state();
    clock.advance(3_600_000 * 5); // what was missed is not made up for
    const next = await over(({ finishedAt }) => finishedAt !== first.finishedAt);
    assert.equal(next.type, 'INCREMENTAL');
    assert.equal(calls, 3);
    assert.ok(Date.parse(next.nextScheduledSyncAt) > Date.parse(next.finishedAt));
    assert.ok(Date.parse(next.nextScheduledSyncAt) <= Date.parse(next.finishedAt) + 3_600_000);
  });

  timed('its records are in a backup, taken while it runs or stands still', async () => {
    for (const stopped of [false, true]) {
      if (stopped) await one.stop();
      const file = `${scratch('nangod-backup')}/copy`;
      const { code: exit, stderr } = await nangodRun(['backup', '--data', one.data, file]);
      assert.equal(exit, 0, stderr);
      if (!stopped) continue;
      for (const name of ['records.db', 'records.db-wal', 'records.db-shm']) fs.rmSync(`${one.data}/${name}`, { force: true });
      fs.copyFileSync(`${file}.records`, `${one.data}/records.db`);
      await one.again();
    }
    const before = await state();
    assert.deepEqual([before.recordCount, before.finishedAt !== undefined], [{ Item: 1 }, true]);
    await one.must(200, 'POST', '/sync/trigger', { body: { syncs: [], provider_config_key: 'one' } });
    const now = await over(({ finishedAt }) => finishedAt !== before.finishedAt);
    assert.deepEqual([now.type, now.latestResult], ['INCREMENTAL', { Item: { added: 0, updated: 0, deleted: 0 } }]);
  });

  timed('begins anew when its records are lost', async () => {
    await one.stop();
    for (const name of ['records.db', 'records.db-wal', 'records.db-shm']) fs.rmSync(`${one.data}/${name}`, { force: true });
    await one.again();
    const before = await state();
    await one.must(200, 'POST', '/sync/trigger', { body: { syncs: [], provider_config_key: 'one' } });
    const now = await over(({ finishedAt }) => finishedAt !== before.finishedAt);
    assert.deepEqual([now.type, now.latestResult], ['INITIAL', { Item: { added: 1, updated: 0, deleted: 0 } }]);
  });

  timed('records of a connection that is gone go with it', async () => {
    await one.must(200, 'DELETE', '/connections/c1?provider_config_key=one');
    await one.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    const now = await over(() => true);
    assert.deepEqual([now.type, now.latestResult, now.recordCount], ['INITIAL', { Item: { added: 1, updated: 0, deleted: 0 } }, { Item: 1 }]);
  });
});

// What a script holds at a time is little; what it has had when it ends is a multiple of what it may hold.
describe('a sync of many records', () => {
  let one;
  before(async () => {
    one = await Daemon.start({ settings: { 'scripts.memory_mb': '128' } });
    await one.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
    await one.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
  });
  after(() => one?.finish());

  it('runs in the memory of a few', { timeout: 120_000 }, logged(() => one, async () => {
    const count = one.sanitized ? 5_000 : 150_000;
    const js = `exports.default = async (nango) => {
      for (let from = 0; from < ${count}; from += 1000)
        await nango.batchSave(Array.from({ length: 1000 }, (_, i) => ({ id: String(from + i), text: 'some text '.repeat(90) + i })), 'Item');
    };`;
    await one.must(200, 'POST', '/sync/deploy', { body: deploy([sync('one', 'many', { ...code(js), runs: 'every 1 day' })]) });
    const now = await until('its end', async () => {
      const [state] = (await one.must(200, 'GET', '/sync/status?syncs=*&provider_config_key=one')).syncs;
      return state?.finishedAt !== undefined ? state : undefined;
    }, { within: 100_000 });
    assert.deepEqual([now.status, now.recordCount], ['SUCCESS', { Item: count }], JSON.stringify(now));
  }));

  // The early clients' list has no end but that of the records.
  const rss = () => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${one.child.pid}/status`, 'utf8'))[1]) * 1024;
  const listEarly = (onData) =>
    new Promise((resolve, reject) => {
      const url = new URL('/sync/records?model=Item&order=asc', one.base);
      const req = http.get(url, { headers: { Authorization: `Bearer ${one.keys.secretKey}`, 'Connection-Id': 'c1', 'Provider-Config-Key': 'one' } }, (res) => {
        const parts = [];
        res.on('data', (part) => {
          parts.push(part);
          onData?.(res, req, parts);
        });
        res.on('end', () => resolve({ res, text: Buffer.concat(parts).toString() }));
        res.on('error', reject);
      });
      req.on('error', reject);
    });

  it('is listed as a stream, in the memory of a few', { timeout: 120_000 }, logged(() => one, async () => {
    const before = rss();
    let most = 0;
    const { res, text } = await listEarly(() => {
      most = Math.max(most, rss());
    });
    assert.equal(res.statusCode, 200);
    const rows = JSON.parse(text);
    assert.equal(rows.length, one.sanitized ? 5_000 : 150_000);
    assert.equal(new Set(rows.map((row) => row.id)).size, rows.length);
    if (!one.sanitized) {
      assert.ok(text.length > 100e6);
      assert.ok(most - before < 64e6, `${(most - before) / 1e6} MB more`);
    }
  }));

  it('stops listing for a client that leaves, and goes on for others', { timeout: 120_000 }, logged(() => one, async () => {
    const leaving = listEarly((_, req) => req.destroy(new Error('left')));
    await assert.rejects(leaving, /left|aborted/);
    const { text } = await listEarly();
    assert.ok(text.endsWith(']'));
  }));

  it('saves a batch whose records are large, in as many messages as it takes', { timeout: 120_000 }, logged(() => one, async () => {
    // 60 MB of characters that take three bytes each, beyond any message.
    const count = 40;
    const js = `exports.default = async (nango) => {
      await nango.batchSave(Array.from({ length: ${count} }, (_, i) => ({ id: String(i), text: '\u20ac'.repeat(500_000) + i })), 'Item');
    };`;
    await one.must(200, 'POST', '/sync/deploy', { body: deploy([sync('one', 'large', { ...code(js), runs: 'every 1 day', models: ['Item'] })]) });
    const now = await until('its end', async () => {
      const { syncs } = await one.must(200, 'GET', '/sync/status?syncs=large&provider_config_key=one');
      return syncs[0]?.finishedAt !== undefined ? syncs[0] : undefined;
    }, { within: 100_000 });
    assert.equal(now.status, 'SUCCESS', JSON.stringify(now));
    // A page that has 32 MB ends, and its cursor leads to the rest: all come, each once.
    const seen = [];
    let cursor = '';
    let pages = 0;
    do {
      const page = await one.must(200, 'GET', `/records?model=Item&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}&modified_after=${encodeURIComponent(now.finishedAt.slice(0, 10))}`, { headers: { 'Connection-Id': 'c1', 'Provider-Config-Key': 'one' } });
      for (const row of page.records) if (row.text.startsWith('\u20ac')) seen.push(Number(row.id));
      cursor = page.next_cursor;
      pages += 1;
    } while (cursor);
    assert.deepEqual(seen.sort((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
    assert.ok(pages > 1);
  }));
});
