// SPDX-License-Identifier: Apache-2.0
// Functions made by createFunction(): deployed as a bundle, by the newest official command line and by
// the API, and invoked.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Cli } from './lib/cli.mjs';
import { Daemon, logged } from './lib/daemon.mjs';
import { action, deploy, sync } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';

let nangod;
const test = (name, body) => it(name, { timeout: 120_000 }, logged(() => nangod, body));

before(async () => {
  nangod = await Daemon.start();
  for (const key of ['one', 'two']) {
    await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: key } });
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' }, metadata: { a: 1 } } });
  }
});
after(() => nangod?.finish());

const invoke = (name, more = {}) => nangod.api('POST', '/functions/invocations', { body: { integration_id: 'one', connection_id: 'c1', name, invocation_type: 'wait', ...more } });
const listed = async (key = 'one', query = '') => (await nangod.must(200, 'GET', `/integrations/${key}/functions${query}`)).data;
const none = { created: [], updated: [], unchanged: [], deleted: [] };
const entry = (name, integrationId = 'one') => ({ integrationId, name });

describe('the newest command line', () => {
  let cli;
  before(async () => {
    cli = new Cli('0.71.10', nangod);
    const { code, output } = await cli.run(['init', 'project', '--no-interactive', '--copy']);
    assert.equal(code, 0, output);
    cli.project = path.join(cli.dir, 'project');
    cli.link({ nango: cli.home, zod: path.join(cli.home, 'node_modules/zod') });
    cli.write('index.ts', "import './one/functions/greet.js';\nimport './one/functions/hook.js';\nimport './two/functions/count.js';\n");
    cli.write('one/functions/greet.ts', `import { createFunction } from 'nango/experimental';
import * as z from 'zod';
export default createFunction({
  description: 'Greets', input: z.object({ name: z.string() }), output: z.object({ text: z.string() }),
  exec: async (nango, trigger) => {
    await nango.log('greeting');
    const { connection_id } = await nango.getConnection();
    return { text: \`Hello \${trigger.input.name} of \${connection_id}, \${nango.getVariant()}\` };
  },
});
`);
    cli.write('one/functions/hook.ts', `import { createFunction } from 'nango/experimental';
import * as z from 'zod';
export default createFunction({
  description: 'By HTTP', trigger: { kind: 'http' }, requires: { outbound: false },
  input: z.object({ n: z.number() }), output: z.object({ kind: z.string(), n: z.number(), method: z.string(), body: z.unknown(), of: z.string(), proxy: z.string() }),
  exec: (nango, trigger) => ({
    kind: trigger.kind, n: (trigger.request.body as { n: number }).n, method: trigger.request.method, body: trigger.request.body, of: trigger.connection!.integrationId, proxy: typeof (nango as any).proxy,
  }),
});
`);
    cli.write('two/functions/count.ts', `import { createFunction } from 'nango/experimental';
import * as z from 'zod';
export default createFunction({
  description: 'Counts', data: { checkpoint: z.object({ n: z.number() }), metadata: z.object({ a: z.number() }) }, output: z.object({ n: z.number(), a: z.number() }),
  exec: async (nango) => {
    const n = ((await nango.getCheckpoint())?.n ?? 0) + 1;
    await nango.saveCheckpoint({ n });
    return { n, a: (await nango.getMetadata()).a };
  },
});
`);
  });
  after(() => cli?.finish());
  const run = async (pattern, ...more) => {
    const { code, output } = await cli.run(['deploy', 'dev', '--no-interactive', '--auto-confirm', ...more]);
    assert.equal(code, 0, output);
    assert.match(output, pattern);
  };

  test('deploys functions', async () => {
    await run(/one → greet[\s\S]*Successfully deployed the functions:\s+- one → greet\s+- one → hook\s+- two → count/);
    assert.deepEqual((await listed()).map(({ name, type }) => [name, type]), [['greet', 'function'], ['hook', 'function']]);
    assert.deepEqual((await nangod.must(200, 'GET', '/integrations/one/functions/greet/code?type=function')).code, cli.read('one/functions/greet.ts'));
  });

  test('finds nothing to do the second time', () => run(/No function changes were deployed/));

  test('functions are told what triggered them, and have what they say they use', async () => {
    const hook = await invoke('hook', { input: { n: 3 } });
    assert.deepEqual(hook.body, { kind: 'http', n: 3, method: 'POST', body: { n: 3 }, of: 'one', proxy: 'undefined' });
    for (const n of [1, 2]) assert.deepEqual((await invoke('count', { integration_id: 'two' })).body, { n, a: 1 });
  });

  test('one that is not waited for is asked for later', async () => {
    const { status, body } = await invoke('greet', { input: { name: 'Bo' }, invocation_type: 'no_wait' });
    assert.equal(status, 202);
    const answer = await until('the invocation', async () => {
      const answer = await nangod.api('GET', `/functions/invocations/${body.id}`);
      return answer.status === 202 ? undefined : answer;
    });
    assert.deepEqual(answer.body, { text: 'Hello Bo of c1, base' });
  });

  test('deploys what has changed of one integration, and removes what is gone', async () => {
    cli.write('one/functions/greet.ts', cli.read('one/functions/greet.ts').replace('Hello', 'Good day'));
    cli.write('index.ts', "import './one/functions/greet.js';\n");
    await run(/Successfully deployed the functions:\s+- one → greet/, '--integration', 'one', '--allow-destructive');
    assert.deepEqual([(await listed()).map(({ name }) => name), (await listed('two')).map(({ name }) => name)], [['greet'], ['count']]);
    const { status, body } = await invoke('greet', { input: { name: 'Ann' } });
    assert.deepEqual([status, body], [200, { text: 'Good day Ann of c1, base' }]);
  });
});

// What the command line posts of a function.
const artifact = (name, more = {}) => ({
  name,
  integrationId: 'one',
  description: `The function ${name}`,
  trigger: { kind: 'none' },
  requires: { connection: true, outbound: true, invoke: false },
  capabilities: { usesRecords: false, usesOutbound: true, usesCheckpoints: false, usesMetadata: false, usesInvoke: false },
  limits: { concurrency: { perConnection: 'max' } },
  input_schema_ref: null,
  output_schema_ref: null,
  model_schema_refs: [],
  metadata_schema_ref: null,
  checkpoint_schema_ref: null,
  json_schema: { $schema: 'http://json-schema.org/draft-07/schema#', definitions: {} },
  fileBody: {
    js: `exports.default = require('nango/experimental').createFunction({ exec: (nango, { input }) => ({ of: '${name}', input, kind: nango.scriptType }) });\n`,
    ts: 'export default 1;\n',
  },
  ...more,
});
const post = (functions, { scope = { kind: 'environment' }, preview = false } = {}) =>
  nangod.api('POST', `/functions/deployments/bundle${preview ? '/preview' : ''}`, { body: { reconciliationScope: scope, functions } });
async function posted(functions, wanted, options) {
  const { status, body } = await post(functions, options);
  assert.deepEqual([status, body], [200, { ...none, ...wanted }]);
}
async function refused(functions, code, pattern, options) {
  const before = await listed();
  for (const preview of [true, false]) {
    const { status, body } = await post(functions, { ...options, preview });
    assert.deepEqual([status, body.error?.code], [400, code], JSON.stringify(body));
    assert.match(JSON.stringify(body.error), pattern);
  }
  assert.deepEqual(await listed(), before);
}

describe('a bundle', () => {
  before(() => post([]));

  test('is what the environment then has, and its preview changes nothing', async () => {
    const two = [artifact('a'), artifact('b', { integrationId: 'two' })];
    await posted(two, { created: [entry('a'), entry('b', 'two')] }, { preview: true });
    assert.deepEqual(await listed(), []);
    await posted(two, { created: [entry('a'), entry('b', 'two')] });
    await posted(two, { unchanged: [entry('a'), entry('b', 'two')] });
    const changed = [artifact('c'), artifact('a', { description: 'Another' })];
    const changes = { created: [entry('c')], updated: [entry('a')], deleted: [entry('b', 'two')] };
    await posted(changed, changes, { preview: true });
    await posted(changed, changes);
    assert.deepEqual((await listed('one', '?type=function')).map(({ name, description }) => [name, description]), [['a', 'Another'], ['c', 'The function c']]);
    assert.deepEqual((await invoke('a', { input: [1] })).body, { of: 'a', input: [1], kind: 'function' });
  });

  test('of an integration leaves the others', async () => {
    await posted([artifact('x', { integrationId: 'two' })], { created: [entry('x', 'two')] }, { scope: { kind: 'integration', integrationId: 'two' } });
    await posted([], { deleted: [entry('x', 'two')] }, { scope: { kind: 'integration', integrationId: 'two' } });
    assert.equal((await listed()).length, 2);
    await refused([artifact('a')], 'invalid_body', /not of the integration/, { scope: { kind: 'integration', integrationId: 'two' } });
    await refused([], 'integration_not_found', /Integration\(s\) not found: nope/, { scope: { kind: 'integration', integrationId: 'nope' } });
  });

  test('and a deploy of actions and syncs leave each other alone', async () => {
    await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([action('one', 'a'), sync('one', 's')], { reconcile: true, deployMode: 'all' }) });
    assert.deepEqual((await listed()).map(({ name, type }) => `${type} ${name}`).sort(), ['action a', 'function a', 'function c', 'sync s']);
    assert.equal((await invoke('a')).body.of, 'a', 'the function before the action');
    const config = await nangod.must(200, 'GET', '/scripts/config');
    assert.deepEqual([config.length, config[0].actions.length, config[0].syncs.length], [1, 1, 1]);
    await posted([artifact('c')], { unchanged: [entry('c')], deleted: [entry('a')] });
    assert.deepEqual((await invoke('a')).body, { ok: true });
    await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([action('one', 'a')], { reconcile: true, deployMode: 'all' }) });
    assert.deepEqual((await listed('one', '?type=function')).map(({ name }) => name), ['c']);
  });

  test('has versions to go back to', async () => {
    await posted([artifact('c', { fileBody: { js: "exports.default = { type: 'function', exec: () => 'later' };\n", ts: 'x' } })], { updated: [entry('c')] });
    assert.equal((await invoke('c')).body, 'later');
    const { data } = await nangod.must(200, 'GET', '/integrations/one/functions/c/versions?type=function');
    await nangod.must(200, 'POST', `/integrations/one/functions/c/versions/${data[1].id}/activate?type=function`);
    assert.equal((await invoke('c')).body.of, 'c');
  });

  test('is refused whole for what does not run here', async () => {
    const schedule = artifact('z', { trigger: { kind: 'schedule', frequency: 'every hour' } });
    await refused([artifact('a'), schedule], 'functions_deployment_error', /a trigger of kind none or http.*"script":"z"/);
    await refused([artifact('z', { requires: { connection: false, outbound: false, invoke: false }, capabilities: { ...artifact('z').capabilities, usesOutbound: false } })], 'functions_deployment_error', /requires\.connection/);
    await refused([artifact('z', { requires: { connection: true, outbound: true, invoke: true }, capabilities: { ...artifact('z').capabilities, usesInvoke: true } })], 'functions_deployment_error', /requires\.invoke/);
    await refused([artifact('z', { limits: { concurrency: { perConnection: 1 } } })], 'functions_deployment_error', /perConnection must be/);
    await refused([artifact('z', { integrationId: 'nope' })], 'integration_not_found', /Integration\(s\) not found: nope/);
    await refused([artifact('z'), artifact('z')], 'invalid_body', /belongs to/);
  });

  test('is refused whole for code that does not load', async () => {
    await refused([artifact('a'), artifact('z', { fileBody: { js: 'exports.default = (\n', ts: 'x' } })], 'script_does_not_load', /"script":"z"/);
    await refused([artifact('z', { fileBody: { js: "exports.default = require('nango').createAction({ exec: () => 1 });", ts: 'x' } })], 'script_does_not_load', /createFunction/);
  });

  test('is told in the log of operations', async () => {
    const { data } = await nangod.must(200, 'GET', '/logs/operations?type=deploy&limit=100');
    assert.ok(data.some(({ state }) => state === 'failed') && data.some(({ state }) => state === 'success'), JSON.stringify(data));
  });
});
