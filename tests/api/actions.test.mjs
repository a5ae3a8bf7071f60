// SPDX-License-Identifier: Apache-2.0
// Actions over the API: by the official client, side by side, without waiting, and with scripts that
// mean harm. What each answers in the good case is in the recordings (replay.test.mjs).

import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { Daemon, logged } from './lib/daemon.mjs';
import { gone, lives, runners } from './lib/runners.mjs';
import { action, deploy, mapped, outcome } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';

const key = 'one';
const code = (text) => ({ fileBody: { js: text, ts: '//' } });
const settings = { 'outbound.allow_private': 'true', 'scripts.retry_ms': '10' };

async function start(more = {}, connections = 1) {
  const nangod = await Daemon.start({ settings: { ...settings, ...more } });
  await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: key } });
  for (let i = 1; i <= connections; i++) {
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: `c${i}`, credentials: { type: 'API_KEY', apiKey: 'k' } } });
  }
  return nangod;
}

const put = (nangod, scripts) => nangod.must(200, 'POST', '/sync/deploy', { body: deploy(Object.entries(scripts).map(([name, text]) => action(key, name, code(text)))) });
const trigger = (nangod, action_name, input, { connection = 'c1', headers = {} } = {}) =>
  nangod.api('POST', '/action/trigger', { body: { action_name, input }, headers: { 'Provider-Config-Key': key, 'Connection-Id': connection, ...headers } });

describe('actions', () => {
  let nangod;
  let nango;
  const test = (name, body) => it(name, logged(() => nangod, body));

  before(async () => {
    nangod = await start({}, 4);
    const Nango = await loadClient('0.71.10');
    nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
    await put(nangod, {
      double: 'exports.default = async (nango, input) => ({ twice: 2 * input.n, by: nango.connectionId });',
      state: 'globalThis.seen = (globalThis.seen ?? 0) + 1; Array.prototype.mine = 1; exports.default = () => ({ seen: globalThis.seen, mine: [].mine });',
      flaky: "exports.default = async (nango, input) => { const m = await nango.getMetadata(); const n = (m?.n ?? 0) + 1; await nango.updateMetadata({ n }); if (n < input.until) throw new nango.ActionError({ n }); return { n }; };",
      nested: "exports.default = async (nango, input) => (await nango.triggerAction('one', nango.connectionId, 'double', input)).twice + 1;",
      waits: 'exports.default = (nango, input) => new Promise((resolve) => setTimeout(() => resolve("late"), input.ms));',
      zod: "const { z } = require('zod'); exports.default = (nango, input) => z.object({ n: z.number() }).safeParse(input).success;",
      locks: "exports.default = async (nango, input) => { const mine = await nango.tryAcquireLock({ key: 'k', ttlMs: 60000 }); if (input.ms) { await nango.updateMetadata({ held: true }); await new Promise((resolve) => setTimeout(resolve, input.ms)); } return [mine, input.release ? await nango.releaseLock({ key: 'k' }) : null]; };",
      module: "exports.default = () => { require('fs'); };",
      mapped: 'exports.default = () => { null.x; };',
      often: mapped('exports.default = (nango, n) => { globalThis.seen = (globalThis.seen ?? 0) + 1; if (n.fails)\nnull.x; return seen; };', 'one/actions/act.ts'),
    });
  });
  after(() => nangod?.finish());

  test('answer the official client', async () => {
    assert.deepEqual(await nango.triggerAction(key, 'c2', 'double', { n: 21 }), { twice: 42, by: 'c2' });
    const { id } = await nango.triggerActionAsync(key, 'c3', 'double', { n: 4 });
    await outcome(nangod, id);
    assert.deepEqual(await nango.getAsyncActionResult({ id }), { twice: 8, by: 'c3' });
  });

  test('are not mixed up, many at once', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, (_, n) => trigger(nangod, 'double', { n }, { connection: `c${1 + (n % 4)}` })));
    all.forEach(({ status, body }, n) => assert.deepEqual([status, body], [200, { twice: 2 * n, by: `c${1 + (n % 4)}` }]));
  });

  test('find nothing of the execution before', async () => {
    for (let i = 0; i < 5; i++) assert.deepEqual((await trigger(nangod, 'state')).body, { seen: 1, mine: 1 });
  });

  test('hold locks, one execution at a time, and leave none behind', async () => {
    const first = trigger(nangod, 'locks', { ms: 1000 }, { connection: 'c3' });
    while (!(await nangod.must(200, 'GET', `/connections/c3?provider_config_key=${key}`)).metadata?.held) await new Promise((resolve) => { setTimeout(resolve, 5); });
    const second = await trigger(nangod, 'locks', { ms: 0 }, { connection: 'c2' });
    assert.deepEqual([second.body, (await first).body], [[false, null], [true, null]]);
    assert.deepEqual((await trigger(nangod, 'locks', { release: true })).body, [true, true]);
  });

  test('trigger others', async () => {
    assert.equal((await trigger(nangod, 'nested', { n: 5 })).body, 11);
  });

  test('have zod, and no files', async () => {
    assert.equal((await trigger(nangod, 'zod', { n: 1 })).body, true);
    assert.equal((await trigger(nangod, 'zod', { n: '1' })).body, false);
    const { status, body } = await trigger(nangod, 'module');
    assert.deepEqual([status, body.error.code], [500, 'script_internal_error']);
    assert.match(body.error.payload.message, /^Module 'fs' is not allowed/);
  });

  test('that fail say where', async () => {
    const { body } = await trigger(nangod, 'mapped');
    assert.match(body.error.payload.stacktrace[1], /mapped-one\.cjs:1:\d+/);
  });

  test('go back to a version of before, and on from there', async () => {
    const returning = (n) => put(nangod, { back: `exports.default = () => ${n};` });
    const versions = async () => (await nangod.must(200, 'GET', `/integrations/${key}/functions/back/versions`)).data;
    const target = (id) => `/integrations/${key}/functions/back/versions/${id}/activate`;
    for (const n of [1, 2]) await returning(n);
    assert.equal((await trigger(nangod, 'back')).body, 2);
    const [newest, first] = await versions();
    assert.deepEqual([newest.active, first.active], [true, false]);
    const { data } = await nangod.must(200, 'POST', target(first.id));
    assert.deepEqual([data.name, data.type], ['back', 'action']);
    assert.equal((await trigger(nangod, 'back')).body, 1);
    assert.deepEqual((await versions()).map(({ id, active }) => [id, active]), [[newest.id, false], [first.id, true]]);
    await nangod.must(200, 'POST', target(newest.id));
    assert.equal((await trigger(nangod, 'back')).body, 2);
    await returning(3);
    assert.equal((await trigger(nangod, 'back')).body, 3);
    assert.equal((await versions()).length, 3);
    assert.equal((await nangod.api('POST', target(999999))).status, 404);
  });

  test('that run again in the same process see nothing of before, and fail where they fail', async () => {
    for (let i = 0; i < 3; i++) assert.equal((await trigger(nangod, 'often', { fails: false })).body, 1);
    const { body } = await trigger(nangod, 'often', { fails: true });
    assert.match(body.error.payload.stacktrace[1], /one\/actions\/act\.ts:2:\d+/);
  });

  test('without waiting are tried again as often as asked', async () => {
    const order = (retries, until) => trigger(nangod, 'flaky', { until }, { connection: 'c4', headers: { 'X-Async': 'true', 'X-Max-Retries': String(retries) } });
    const first = await order(2, 3);
    assert.equal(first.status, 202);
    assert.equal(first.headers.location, `/action/${first.body.id}`);
    assert.deepEqual((await outcome(nangod, first.body.id)).body, { n: 3 });
    const second = await order(1, 99);
    const { status, body } = await outcome(nangod, second.body.id);
    assert.deepEqual([status, body.error.code, body.error.payload], [500, 'action_script_runtime_error', { n: 5 }]);
  });

  test('without waiting outlive the server', async () => {
    const { body: { id } } = await trigger(nangod, 'waits', { ms: 700 }, { headers: { 'X-Async': 'true' } });
    const queued = await trigger(nangod, 'double', { n: 1 }, { headers: { 'X-Async': 'true' } });
    const before = runners(nangod);
    assert.ok(before.length > 1);
    await nangod.kill();
    await gone(before);
    await nangod.up();
    assert.equal((await outcome(nangod, id)).body, 'late');
    assert.deepEqual((await outcome(nangod, queued.body.id)).body, { twice: 2, by: 'c1' });
  });

  test('go on when the process that makes runners was killed', async () => {
    const before = runners(nangod);
    assert.ok(before.length > 1);
    process.kill(Number(before[0]), 'SIGKILL');
    await gone(before.slice(1));
    for (let i = 0; i < 3; i++) assert.equal((await trigger(nangod, 'double', { n: i }, { connection: 'c2' })).body.twice, 2 * i);
  });

  test('run behind walls, in a process that a sanitizer watches when one watches the server', async () => {
    await trigger(nangod, 'double', { n: 1 });
    const [zygote, ...forked] = runners(nangod);
    assert.ok(forked.length > 0);
    for (const pid of forked) {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^Seccomp:\t2$/m);
      for (const fd of [0, 1]) assert.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
    }
    const watched = (pid) => readFileSync(`/proc/${pid}/maps`, 'latin1').includes('libasan');
    assert.equal(watched(zygote), watched(nangod.child.pid));
  });

  test('larger than the limit are refused', async () => {
    const { status, body } = await trigger(nangod, 'double', { text: 'x'.repeat(3 << 20) });
    assert.deepEqual([status, body.error.code], [413, 'request_too_large']);
  });
});

// Each ends within its limit with its error, and whoever runs beside it notices nothing.
describe('scripts that mean harm', () => {
  let nangod;
  const good = 50;
  const scripts = {
    good: 'exports.default = async (nango, input) => { await new Promise((resolve) => setTimeout(resolve, 20)); return { n: input.n }; };',
    loop: 'exports.default = () => { for (;;); };',
    microtasks: 'exports.default = async () => { for (;;) await null; };',
    memory: 'exports.default = () => { const all = []; for (;;) all.push(new Array(1e6).fill(all.length)); };',
    bytes: 'exports.default = () => { const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1)); };',
    recursion: 'exports.default = () => { const again = (n) => again(n + 1) + 1; return again(0); };',
    regexp: "exports.default = () => /^(a+)+$/.test('a'.repeat(40) + 'b');",
    never: 'exports.default = () => new Promise(() => {});',
    log: "exports.default = async (nango, { lines }) => { const line = 'x'.repeat(1e5); for (let i = 0; i < lines; i++) nango.log(line); return { logged: true }; };",
    pollution: "exports.default = async (nango) => { for (const proto of [Object.prototype, Array.prototype, Promise.prototype, Map.prototype, Function.prototype]) for (const name of ['then', 'id', 't', 'get', 'set', 'toJSON', 'call', 'apply']) try { Object.defineProperty(proto, name, { value: () => { throw 1; }, configurable: true, writable: true }); } catch {} JSON.stringify = () => 'x'; return 'polluted'; };",
    fork: "exports.default = () => { require('child_process').fork('x'); };",
    file: "exports.default = () => process.binding('fs');",
    socket: "exports.default = () => fetch('http://127.0.0.1:1/');",
    eval: "exports.default = () => (0, eval)('1 + 1');",
    large: "exports.default = () => 'x'.repeat(3e6);",
  };
  const wanted = {
    loop: [500, /execution_timeout|function_runtime_timed_out/],
    microtasks: [500, /execution_timeout|function_runtime_timed_out/],
    memory: [500, /script_internal_error|function_runtime_out_of_memory/],
    bytes: [500, /script_internal_error|function_runtime_out_of_memory/],
    recursion: [500, /script_internal_error/],
    regexp: [200, /./],
    never: [500, /script_internal_error/],
    log: [200, /./],
    pollution: [[200, 500], /./],
    fork: [500, /script_internal_error/],
    file: [500, /script_internal_error/],
    socket: [500, /script_internal_error/],
    eval: [500, /script_internal_error/],
    large: [500, /script_internal_error/],
  };

  before(async () => {
    nangod = await start({ 'scripts.cpu_s': '1', 'scripts.action_timeout_s': '5', 'scripts.memory_mb': '128' }, 6);
    await put(nangod, scripts);
  });
  after(() => nangod?.finish());

  // One that the engine's own fault ends; which of the processes it is shows by what it has computed.
  it('crash', { timeout: 60_000 }, logged(() => nangod, async (t) => {
    if (nangod.sanitized) return t.skip('a sanitizer takes it for what it looks for');
    const computed = (pid) => {
      try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[11]);
      } catch {
        return 0; // it ended meanwhile
      }
    };
    const before = new Map(runners(nangod).map((pid) => [pid, computed(pid)]));
    const bad = trigger(nangod, 'loop', {}, { connection: 'c6' });
    const pid = await until('the one that computes', () => runners(nangod).find((one) => computed(one) - (before.get(one) ?? 0) >= 20));
    const beside = Array.from({ length: good }, (_, n) => trigger(nangod, 'good', { n }, { connection: `c${1 + (n % 5)}` }));
    // The engine looks at the first itself, and lets a fault happen again; one that is sent must be sent again.
    await until('its end', () => {
      if (lives(pid)) process.kill(Number(pid), 'SIGSEGV');
      return !lives(pid);
    });
    const { status, body } = await bad;
    assert.deepEqual([status, body.error.code, body.error.payload.message], [500, 'script_internal_error', "The script's process crashed"]);
    (await Promise.all(beside)).forEach((answer, n) => assert.deepEqual([answer.status, answer.body], [200, { n }]));
  }));

  for (const [name, [status, pattern]] of Object.entries(wanted)) {
    it(name, { timeout: 60_000 }, logged(() => nangod, async () => {
      const began = Date.now();
      const bad = trigger(nangod, name, { lines: nangod.sanitized ? 50 : 1000 }, { connection: 'c6' });
      const beside = await Promise.all(Array.from({ length: good }, (_, n) => trigger(nangod, 'good', { n }, { connection: `c${1 + (n % 5)}` })));
      beside.forEach((answer, n) => assert.deepEqual([answer.status, answer.body], [200, { n }]));
      const answer = await bad;
      assert.ok([status].flat().includes(answer.status), `${answer.status} ${answer.text?.slice(0, 300)}`);
      assert.match(answer.body?.error?.code ?? 'ok', pattern, answer.text?.slice(0, 300));
      assert.ok(Date.now() - began < 30_000);
    }));
  }
});

describe('actions whose input and output are looked at', () => {
  let nangod;
  const test = (name, body) => it(name, { timeout: 30_000 }, logged(() => nangod, body));
  // `action()` declares In {mode: text, needed} and Out {ok: boolean}.
  const flows = ['answers', 'lies', 'anything'].map((name) => action(key, name, {
    ...code({ answers: 'exports.default = (nango, input) => ({ ok: input.mode === "on" });', lies: 'exports.default = () => ({ ok: "yes" });', anything: 'exports.default = () => 1;' }[name]),
    ...(name === 'anything' && { input: undefined, models: [] }),
  }));

  before(async () => {
    nangod = await start({ 'scripts.validate': 'true' });
    assert.equal((await nangod.api('POST', '/sync/deploy', { body: deploy(flows) })).status, 200);
  });
  after(() => nangod?.finish());

  test('run when it is as the models say', async () => {
    const Nango = await loadClient('0.71.10');
    const nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
    assert.deepEqual(await nango.triggerAction(key, 'c1', 'answers', { mode: 'on' }), { ok: true });
    assert.equal(await nango.triggerAction(key, 'c1', 'anything', [1]), 1);
  });

  test('do not begin with another input', async () => {
    for (const [input, path, keyword] of [[{}, '', 'required'], [{ mode: 5 }, '/mode', 'type'], [undefined, '', 'type'], ['on', '', 'type']]) {
      const { status, body: { error } } = await trigger(nangod, 'answers', input);
      assert.deepEqual([status, error.code, error.payload.model], [400, 'invalid_action_input', 'In'], JSON.stringify(error));
      assert.deepEqual([error.payload.validation[0].instancePath, error.payload.validation[0].keyword], [path, keyword]);
      assert.match(error.message, /^The input is not as the model 'In' says: (it|\/mode) must /);
    }
  });

  test('fail with another output', async () => {
    const { status, body: { error } } = await trigger(nangod, 'lies', { mode: 'on' });
    assert.deepEqual([status, error.code, error.payload], [400, 'invalid_action_output', {
      model: 'Out',
      validation: [{ instancePath: '/ok', schemaPath: '#/definitions/Out/properties/ok/type', keyword: 'type', params: { type: 'boolean' }, message: 'must be boolean' }],
    }]);
  });

  test('not unless it is asked for', async () => {
    const other = await start();
    try {
      assert.equal((await other.api('POST', '/sync/deploy', { body: deploy(flows) })).status, 200);
      assert.deepEqual((await trigger(other, 'lies', 5)).body, { ok: 'yes' });
    } finally {
      await other.finish();
    }
  });
});
