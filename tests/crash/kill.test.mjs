// SPDX-License-Identifier: Apache-2.0
// No connection is lost, and no acknowledged write either, however the daemon dies.
//
// Rounds: the daemon is killed in the middle of refreshes and writes, started again on the same data,
// and looked at: every connection's token must work at the provider, and everything it said 2xx to
// must be there. Half of the rounds it dies by itself at a named point of the refresh
// (NANGO_TEST_CRASH_AT), the other half by SIGKILL at a random moment.
//
// The provider's refresh tokens rotate: presenting a spent one revokes the grant, so a token lost by
// the daemon is a connection lost. One loss no client can prevent: the provider has spent the refresh
// token, and the process dies before the answer is read or stored. Providers that rotate allow for it
// by a reuse interval (the spent token gives its answer once more until the successor is used), and
// so does ours where the daemon may die in that window: at `after_answer`, and at random moments.
// Where the answer was journalled, or the call not yet made, the strict provider serves: there the
// daemon has no excuse. (Then one refresh at a time: another one's answer might be on its way.)
//
//   SOAK_KILLS=200 node --test tests/crash/kill.test.mjs      (12 rounds by default)

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { inTime, until } from '../api/lib/wait.mjs';
import { World } from '../api/lib/world.mjs';

const rounds = Number(process.env.SOAK_KILLS ?? (process.env.SOAK ? 200 : 12));
const perRound = 4;
const points = [
  { at: 'before_call', key: 'strict' },
  { at: 'after_answer', key: 'lax' },
  { at: 'after_journal', key: 'strict' },
  { at: 'after_publish', key: 'strict' },
];

let world;
let inside = 0; // deaths between a token call and its caller's answer
const acknowledged = { connections: [], metadata: new Map() }; // over all rounds

before(async () => {
  world = await World.start({ integrations: { strict: 'test-oauth', lax: 'test-oauth-lax' } });
});
after(() => world?.finish());

// Requests may die with the daemon; anything else is a failure.
async function orDeath(call) {
  try {
    return await call;
  } catch (error) {
    const deaths = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'];
    if (deaths.includes(error.code) || /socket hang up|cut short/.test(error.message)) return null;
    throw error;
  }
}

// Writes for as long as the daemon lives, noting what it acknowledged.
async function writeUntilDeath(round, writer) {
  for (let n = 0; ; n++) {
    const id = `written-${round}-${writer}-${n}`;
    const made = await orDeath(world.nangod.api('POST', '/connections', {
      body: { provider_config_key: 'strict', connection_id: id, credentials: { type: 'OAUTH2', access_token: `token of ${id}` } },
    }));
    if (!made) return;
    assert.equal(made.status, 201, made.text);
    acknowledged.connections.push(id);
    const value = { round, writer, n };
    const set = await orDeath(world.nangod.api('POST', '/connections/metadata', { body: { provider_config_key: 'strict', connection_id: id, metadata: value } }));
    if (!set) return;
    assert.equal(set.status, 201, set.text);
    acknowledged.metadata.set(id, value);
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function round(number, { at, key }) {
  const ids = Array.from({ length: key === 'strict' ? 1 : perRound }, (_, i) => `kept-${number}-${i}`);
  const { nangod, oauth } = world;
  for (const id of ids) await world.connect(key, id);
  oauth.reset();

  if (at !== 'random') {
    // The same daemon, told where to die.
    await nangod.stop();
    await nangod.again({ env: { NANGO_TEST_CRASH_AT: `refresh:${at}` } });
  }
  const before = acknowledged.metadata.size;
  const writing = Array.from({ length: 4 }, (_, writer) => writeUntilDeath(number, writer));
  await until('writes under way', () => acknowledged.metadata.size >= before + 8, { every: 1 });
  const reading = ids.map((id) => orDeath(world.get(key, id)));
  if (at === 'random') {
    await pause(Math.random() * 25);
    await nangod.kill();
  } else {
    const { signal, code } = await inTime(`the daemon to die at ${at}`, nangod.ended);
    assert.notEqual(code, 0, `died at ${at} (${signal ?? code})`);
  }
  const answered = (await Promise.all(reading)).filter(Boolean).length;
  await Promise.all(writing);
  if (oauth.calls.length > answered) inside++;

  await nangod.again();
  for (const id of ids) {
    const reply = await world.get(key, id, '&refresh_token=true');
    assert.equal(reply.status, 200, `${id} after ${at}: ${reply.text}`);
    assert.ok(await oauth.works(reply.body.credentials.access_token), `${id} after ${at}: its token works`);
  }
  assert.deepEqual(oauth.calls.filter((call) => call.status !== 200 && call.status !== undefined), [], `no call was refused after ${at}`);
  if (key === 'strict' && at !== 'before_call') {
    const spent = oauth.calls.map((call) => call.refreshToken);
    assert.equal(new Set(spent).size, spent.length, `${at}: the journalled answer was used, not asked for again`);
  }
  // A forced refresh proves the stored refresh token to be the provider's current one.
  for (const id of ids) {
    const forced = await world.get(key, id, '&force_refresh=true');
    assert.equal(forced.status, 200, `${id} after ${at}, forced: ${forced.text}`);
  }
}

describe(`${rounds} deaths`, () => {
  for (let number = 0; number < rounds; number++) {
    const how = number % 2 ? { at: 'random', key: 'lax' } : points[(number / 2) % points.length];
    it(`death ${number + 1}: ${how.at === 'random' ? 'SIGKILL at a random moment' : `at refresh:${how.at}`}`, async () => {
      try {
        await round(number, how);
      } catch (error) {
        error.message += `\nlog of nangod:\n${world.nangod.tail(15)}`;
        throw error;
      }
    });
  }

  it('every write that was acknowledged is there', async () => {
    const found = new Map();
    for (let page = 0; ; page++) {
      const { connections } = await world.nangod.must(200, 'GET', `/connections?search=written-&limit=2000&page=${page}`);
      for (const row of connections) found.set(row.connection_id, row.metadata);
      if (connections.length < 2000) break;
    }
    assert.deepEqual(acknowledged.connections.filter((id) => !found.has(id)), [], 'connections lost');
    const lost = [...acknowledged.metadata].filter(([id, value]) => JSON.stringify(found.get(id)) !== JSON.stringify(value));
    assert.deepEqual(lost, [], 'metadata lost');
    console.log(`# ${rounds} deaths, ${inside} of them inside a refresh, ${acknowledged.connections.length} connections and ${acknowledged.metadata.size} metadata acknowledged, none lost`);
  });

  it('the database is sound', async () => {
    const { nangodRun } = await import('../api/lib/daemon.mjs');
    const { code, stdout, stderr } = await nangodRun(['check', '--data', world.nangod.data]);
    assert.equal(code, 0, stdout + stderr);
  });
});
