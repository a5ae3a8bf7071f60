// SPDX-License-Identifier: Apache-2.0
// Functions as TypeScript: compiled, run dry, deployed and invoked by the API alone.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { Daemon, logged } from './lib/daemon.mjs';
import { action, deploy } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';

let nangod;
const test = (name, body) => it(name, { timeout: 60_000 }, logged(() => nangod, body));

const act = `import { createAction } from 'nango';
import * as z from 'zod';
export default createAction({
  description: 'Adds', version: '1.2.0', input: z.object({ a: z.number() }), output: z.object({ b: z.number() }),
  exec: async (nango, input: { a: number }) => {
    await nango.log('adding', { to: input.a });
    await nango.updateMetadata({ z: 2 });
    await nango.saveCheckpoint({ n: 1 });
    return { b: input.a + 1, metadata: await nango.getMetadata(), checkpoint: await nango.getCheckpoint(), id: nango.connectionId };
  },
});
`;
const sync = `import { createSync } from 'nango';
import * as z from 'zod';
export default createSync({
  description: 'Items', frequency: 'every hour', models: { Item: z.object({ id: z.string() }) },
  exec: async (nango) => {
    await nango.batchSave([{ id: '1' }, { id: '2' }], 'Item');
    await nango.batchUpdate([{ id: '1', more: true }], 'Item');
    await nango.batchDelete([{ id: '3' }], 'Item');
    await nango.log('since ' + nango.lastSyncDate?.toISOString());
  },
});
`;

before(async () => {
  nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true' } });
  await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
  await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' }, metadata: { a: 1 } } });
});
after(() => nangod?.finish());

const over = (target) => until(`the end of ${target}`, async () => {
  const job = await nangod.must(200, 'GET', target);
  return ['waiting', 'running'].includes(job.status) ? undefined : job;
});
async function job(what, body) {
  const { status, body: begun } = await nangod.api('POST', `/functions/${what}`, { body });
  assert.equal(status, 202, JSON.stringify(begun));
  assert.deepEqual(Object.keys(begun), ['id', 'status', 'created_at']);
  assert.equal(begun.status, 'waiting');
  const ended = await over(`/functions/${what}/${begun.id}`);
  assert.deepEqual([ended.id, ended.created_at], [begun.id, begun.created_at]);
  for (const time of ['updated_at', 'started_at', 'completed_at']) assert.match(ended[time], /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  return ended;
}
const dry = (body) => job('dryruns', { integration_id: 'one', connection_id: 'c1', ...body });
const put = (body) => job('deployments', { type: 'function', integration_id: 'one', ...body });
const invoke = (body) => nangod.api('POST', '/functions/invocations', { body: { integration_id: 'one', connection_id: 'c1', invocation_type: 'wait', ...body } });
const metadata = async () => (await nangod.must(200, 'GET', '/connections/c1?provider_config_key=one')).metadata;

describe('compiling', () => {
  test('gives the bundle', async () => {
    const body = await nangod.must(200, 'POST', '/functions/compile', { body: { code: act } });
    assert.deepEqual(Object.keys(body), ['bundle_size_bytes', 'bundled_js', 'compiled_at']);
    assert.equal(body.bundle_size_bytes, Buffer.byteLength(body.bundled_js));
    const module = { exports: {} };
    const fakes = { nango: { createAction: (definition) => definition }, zod: { object: () => ({}), number: () => ({}) } };
    new Function('exports', 'require', 'module', body.bundled_js)(module.exports, (name) => fakes[name], module);
    assert.equal((module.exports.default ?? module.exports).version, '1.2.0');
  });

  for (const [what, code, pattern, place] of [
    ['what does not parse', 'const a = 1;\nlet x: = 1;', /Unexpected "="/, { line: 2, column: 8 }],
    ['what throws', "import { createAction } from 'nango';\n\nthrow new Error('no way');", /no way/, { line: 3 }],
    ['what exports nothing of use', 'export default 5;', /not what createAction\(\) makes/],
    ['a module that there is none of', "import fs from 'fs';\nfs.readFileSync('/etc/passwd');\nexport default {};", /fs/],
    ['a file of the server', "import text from '/etc/passwd';\nexport default text;", /passwd/],
    ['a file beside it', "import other from './other';\nexport default other;", /other/],
  ]) {
    test(`refuses ${what}`, async () => {
      const { status, body } = await nangod.api('POST', '/functions/compile', { body: { code } });
      assert.deepEqual([status, body.error.code], [400, 'compilation_error'], JSON.stringify(body));
      assert.match(body.error.message, pattern);
      assert.doesNotMatch(JSON.stringify(body), /root:|\/tmp/);
      if (place) assert.deepEqual({ ...body.error.payload, ...place }, body.error.payload);
    });
  }

  test('ends when it takes too long, and leaves nothing', async () => {
    const types = Array.from({ length: 40_000 }, (_, i) => `export const a${i} = { b: [${i}] };`).join('\n');
    const { status, body } = await nangod.api('POST', '/functions/compile', { body: { code: types.slice(0, (1 << 20) - 1) } });
    assert.ok(status === 400 || status === 413, JSON.stringify(body).slice(0, 300));
  });
});

describe('a dry run', () => {
  test('of an action has its output, and changes nothing', async () => {
    const run = await dry({ function_type: 'action', code: act, input: { a: 4 }, checkpoint: { n: 7 } });
    assert.deepEqual([run.status, run.integration_id, run.function_type], ['success', 'one', 'action']);
    assert.deepEqual(run.result, { b: 5, metadata: { a: 1, z: 2 }, checkpoint: { n: 1 }, id: 'c1' });
    assert.match(run.output, /adding \{"to":4\}/);
    assert.ok(run.duration_ms >= 0);
    assert.deepEqual(await metadata(), { a: 1 });
  });

  test('takes metadata of its own', async () => {
    assert.deepEqual((await dry({ function_type: 'action', code: act, input: { a: 4 }, metadata: { own: true } })).result.metadata, { own: true, z: 2 });
  });

  test('of a sync has what it would save', async () => {
    const { status, result, output } = await dry({ function_type: 'sync', code: sync, last_sync_date: '2024-01-01T00:00:00Z' });
    assert.equal(status, 'success');
    assert.deepEqual(result, { counts: { added: 2, updated: 1, deleted: 1 }, saved: { Item: [{ id: '1' }, { id: '2' }] }, updated: { Item: [{ id: '1', more: true }] }, deleted: { Item: [{ id: '3' }] }, truncated: false });
    assert.match(output, /since 2024-01-01T00:00:00\.000Z/);
  });

  test('that fails says why', async () => {
    const thrown = await dry({ function_type: 'action', code: act.replace('return {', 'throw new nango.ActionError({ why: 1 }); return {'), input: { a: 1 } });
    assert.deepEqual([thrown.status, thrown.error.code, thrown.error.payload.payload], ['failed', 'dryrun_error', { why: 1 }]);
    const other = await dry({ function_type: 'sync', code: act });
    assert.deepEqual([other.status, other.error.code], ['failed', 'compilation_error']);
    assert.match(other.error.message, /is of type 'action', not 'sync'/);
  });
});

describe('a deployment', () => {
  test('makes the function, which the official client triggers', async () => {
    const made = await put({ function_type: 'action', function_name: 'add', code: act });
    assert.deepEqual([made.status, made.function_name, made.deployed, made.deployed_functions], ['success', 'add', true, [{ name: 'add', version: '1.2.0' }]]);
    const Nango = await loadClient('0.71.10');
    const nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
    assert.equal((await nango.triggerAction('one', 'c1', 'add', { a: 1 })).b, 2);
    assert.deepEqual(await metadata(), { a: 1, z: 2 });
    const { data } = await nangod.must(200, 'GET', '/integrations/one/functions/add');
    assert.deepEqual([data.name, data.type, data.enabled], ['add', 'action', true]);
    assert.equal((await nangod.must(200, 'GET', '/integrations/one/functions/add/code')).code, act);
  });

  test('may be done again, and says when records would go', async () => {
    assert.equal((await put({ function_type: 'sync', function_name: 'items', code: sync })).status, 'success');
    const renamed = sync.replaceAll('Item', 'Thing');
    const refused = await put({ function_type: 'sync', function_name: 'items', code: renamed });
    assert.deepEqual([refused.status, refused.error.code], ['failed', 'deployment_error']);
    assert.match(refused.error.message, /Item/);
    const done = await put({ function_type: 'sync', function_name: 'items', code: renamed, allow_destructive: true });
    assert.deepEqual([done.status, done.deployed_functions.length], ['success', 1]);
  });

  test('of code that does not compile leaves what runs', async () => {
    const failed = await put({ function_type: 'action', function_name: 'add', code: 'let x: = 1;' });
    assert.deepEqual([failed.status, failed.error.code], ['failed', 'compilation_error']);
    assert.equal((await invoke({ name: 'add', input: { a: 5 } })).body.b, 6);
  });

  test('does not touch what a repository deployed', async () => {
    await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([action('one', 'owned')], { source: 'repo' }) });
    const { status, body } = await nangod.api('POST', '/functions/deployments', { body: { type: 'function', integration_id: 'one', function_name: 'owned', function_type: 'action', code: act } });
    assert.deepEqual([status, body.error.code], [400, 'invalid_request']);
  });
});

describe('an invocation', () => {
  test('waits for the output', async () => {
    const { status, body } = await invoke({ name: 'add', input: { a: 1 } });
    assert.deepEqual([status, body.b], [200, 2]);
  });

  test('or does not', async () => {
    const { status, headers, body } = await invoke({ name: 'add', input: { a: 2 }, invocation_type: 'no_wait' });
    assert.deepEqual([status, headers.location], [202, `/functions/invocations/${body.id}`]);
    const answer = await until('the invocation', async () => {
      const now = await nangod.api('GET', body.statusUrl);
      return now.status === 202 ? undefined : now;
    });
    assert.deepEqual([answer.status, answer.body.b], [200, 3]);
  });

  test('of a sync is none', async () => {
    const { status, body } = await invoke({ name: 'items' });
    assert.deepEqual([status, body.error.code], [400, 'invalid_invocation']);
  });
});

test('what came of a job outlives the server', async () => {
  const kept = await dry({ function_type: 'action', code: act, input: { a: 4 } });
  await nangod.stop();
  await nangod.up();
  assert.deepEqual(await nangod.must(200, 'GET', `/functions/dryruns/${kept.id}`), kept);
});
