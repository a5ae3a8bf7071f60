// SPDX-License-Identifier: Apache-2.0
// Records equal their source, however often the server dies while syncs save them.
//
// The source changes from round to round: records appear, change and go. Its server, or a runner, is
// killed at a random moment of an execution and started again; what broke off is run again by itself.
// After the last round the records, their counts and what a reader has followed by cursor all along
// must be the source, and each execution that ended must have told so by webhook.
//
//   SOAK_KILLS=200 node --test tests/crash/syncs.test.mjs      (12 rounds by default)

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Daemon, logged } from '../api/lib/daemon.mjs';
import { readAll, listen } from '../api/lib/http.mjs';
import { Receiver } from '../api/lib/receiver.mjs';
import { runners } from '../api/lib/runners.mjs';
import { deploy, sync } from '../api/lib/scripts.mjs';
import { until } from '../api/lib/wait.mjs';

const rounds = Number(process.env.SOAK_KILLS ?? (process.env.SOAK ? 200 : 12));
const size = process.env.SOAK ? 100_000 : 3_000;

const code = `
exports.default = async (nango) => {
  await nango.trackDeletesStart('Item');
  for (let page = 0; ; page++) {
    const { data } = await nango.get({ endpoint: '/items?page=' + page, retries: 0 });
    if (data.length === 0) break;
    await nango.batchSave(data, 'Item');
  }
  await nango.trackDeletesEnd('Item');
};
`;

let nangod;
let server;
const source = new Map();
const followed = new Map();
const ends = new Set(); // of executions, as seen
let receiver;
let cursor;

const pageOf = (number) => [...source.values()].slice(number * 500, (number + 1) * 500);

before(async () => {
  server = await listen(async (req, res) => {
    await readAll(req);
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(pageOf(Number(new URL(req.url, 'http://a').searchParams.get('page')))));
  });
  for (let i = 0; i < size; i++) source.set(String(i), { id: String(i), n: 0 });
  nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true', 'scripts.retry_ms': '10', 'syncs.retries': '10' } });
  receiver = await Receiver.start();
  await nangod.must(200, 'PATCH', '/environment/webhooks', { body: { primary_url: receiver.url } });
  await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
  await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' }, connection_config: { baseUrl: server.base } } });
  await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([sync('one', 'items', { fileBody: { js: code.replace("endpoint: '/items", `baseUrlOverride: '${server.base}', endpoint: '/items`), ts: '' } })]) });
});
after(async () => {
  await nangod?.finish();
  await server?.close();
  await receiver?.finish();
});

const status = async () => (await nangod.must(200, 'GET', '/sync/status?syncs=*&provider_config_key=one')).syncs[0];
const ended = (before) => until('the execution', async () => {
  const now = await status();
  if (now.status === 'RUNNING' || now.finishedAt === undefined || now.finishedAt === before.finishedAt) return undefined;
  ends.add(now.finishedAt);
  return now;
}, { within: 120_000 });

// Of all syncs, the newest first.
async function deliveries() {
  const all = [];
  for (let next = ''; next !== null;) {
    const page = await nangod.must(200, 'GET', `/webhooks/deliveries?type=sync&limit=500${next && `&cursor=${next}`}`);
    all.push(...page.data);
    next = page.pagination.cursor;
  }
  return all;
}

async function follow() {
  for (;;) {
    const { records, next_cursor } = await nangod.must(200, 'GET', `/records?model=Item&limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`, { headers: { 'Connection-Id': 'c1', 'Provider-Config-Key': 'one' } });
    for (const { id, n, _nango_metadata: meta } of records) {
      if (meta.deleted_at === null) followed.set(id, n);
      else followed.delete(id);
      cursor = meta.cursor;
    }
    if (next_cursor === null) return;
  }
}

function change(round) {
  const random = (n) => Math.floor(Math.random() * n);
  for (let i = 0; i < size / 20; i++) {
    const id = String(random(size * 1.2));
    if (source.has(id) && random(3) === 0) source.delete(id);
    else source.set(id, { id, n: round });
  }
}

const expected = () => [...source.values()].map(({ id, n }) => [id, n]).sort(([a], [b]) => a - b);

describe('records', () => {
  it(`are the source after ${rounds} deaths`, logged(() => nangod, async () => {
    await ended({});
    for (let round = 1; round <= rounds; round++) {
      const before = await status();
      change(round);
      await nangod.must(200, 'POST', '/sync/trigger', { body: { syncs: [], provider_config_key: 'one' } });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * (size / 25))); // the moment of the death: an execution takes about so long
      if (round % 3 === 0) {
        for (const pid of runners(nangod).slice(1)) process.kill(Number(pid), 'SIGKILL');
      } else {
        await nangod.kill();
        await nangod.again();
      }
      await follow();
      await ended(before);
    }
    const last = await status();
    await nangod.must(200, 'POST', '/sync/trigger', { body: { syncs: [], provider_config_key: 'one' } });
    const now = await ended(last);
    assert.deepEqual([now.status, now.recordCount], ['SUCCESS', { Item: source.size }], JSON.stringify(now));
    await follow();
    assert.deepEqual([...followed].sort(([a], [b]) => a - b), expected());
    const told = await until('the webhooks', async () => {
      const all = await deliveries();
      return all.every(({ state }) => state === 'delivered') ? all : undefined;
    }, { within: 60_000, every: 100 });
    const times = new Set(told.map(({ created_at: at }) => at));
    assert.deepEqual([...ends].filter((end) => !times.has(end)), [], 'an execution ended in silence');
    const got = new Set(receiver.got.map(({ headers }) => headers['webhook-id']));
    assert.deepEqual(told.filter(({ message }) => !got.has(message)), [], 'a webhook is said to be delivered that was not');
  }));
});
