// SPDX-License-Identifier: Apache-2.0
// Deploys over the API: all of one or nothing, what reconciling removes, and what goes with its
// integration or environment. The bodies themselves are judged row by row in badinput/scripts.mjs.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Daemon, logged } from './lib/daemon.mjs';
import { action, confirmation, deploy, js, mapped, onEvents, sync, ts } from './lib/scripts.mjs';

let nangod;
const test = (name, body) => it(name, logged(() => nangod, body));

before(async () => {
  nangod = await Daemon.start();
  for (const unique_key of ['one', 'two']) await integration(unique_key);
});
after(() => nangod?.finish());

const integration = (unique_key) => nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key } });
const post = (body, options) => nangod.api('POST', '/sync/deploy', { body, ...options });
const confirm = (body) => nangod.must(200, 'POST', '/sync/deploy/confirmation', { body });
// Everything that runs: `integration/name@version`.
const running = async () => {
  const configs = await nangod.must(200, 'GET', '/scripts/config');
  return configs.flatMap((config) => ['actions', 'syncs', 'on-events'].flatMap((kind) => config[kind].map(({ name, version }) => `${config.providerConfigKey}/${name}@${version}`)));
};

describe('a deploy', () => {
  test('is confirmed without being done', async () => {
    const answer = await confirm(confirmation([action('one', 'act'), sync('two', 'items')], { onEventScriptsByProvider: [onEvents('one', { setup: 'validate-connection' })] }));
    assert.deepEqual(answer, {
      newSyncs: [{ name: 'items', providerConfigKey: 'two', connections: 0, auto_start: true }],
      updatedSyncs: [],
      deletedSyncs: [],
      newActions: [{ name: 'act', providerConfigKey: 'one' }],
      updatedActions: [],
      deletedActions: [],
      newOnEventScripts: [{ name: 'setup', providerConfigKey: 'one', event: 'validate-connection' }],
      updatedOnEventScripts: [],
      deletedOnEventScripts: [],
      deletedModels: [],
    });
    assert.deepEqual(await running(), []);
  });

  test('is done', async () => {
    const { status, body } = await post(deploy([action('one', 'act'), sync('two', 'items')], { onEventScriptsByProvider: [onEvents('one', { setup: 'validate-connection' })] }));
    assert.deepEqual([status, body], [200, [
      { name: 'act', models: ['Out'], version: '1', providerConfigKey: 'one', type: 'action' },
      { name: 'items', models: ['Item'], version: '1', providerConfigKey: 'two', type: 'sync' },
    ]]);
    assert.deepEqual(await running(), ['one/act@1', 'one/setup@0.0.1', 'two/items@1']);
  });

  // Each has a good script before the bad one.
  for (const [what, flow, code, pattern] of [
    ['an unknown integration', action('nope', 'b'), 'unknown_provider_config', /"providerConfigKey": "nope"/],
    ['an endpoint given twice', action('one', 'b', { endpoints: [{ method: 'POST', path: '/act' }] }), 'invalid_body', /^action "b" of "one": the endpoint POST \/act belongs to "act"/],
    ['a model that is not in the schema', action('one', 'b', { models: ['Nope'] }), 'deploy_missing_json_schema_model', /^action "b" of "one": .*"Nope"/],
    ['a frequency that is too short', sync('one', 'b', { runs: 'every 10s' }), 'sync_interval_too_short', /^sync "b" of "one": .*30 seconds/],
    ['deletes tracked incrementally', sync('one', 'b', { sync_type: 'incremental', track_deletes: true }), 'invalid_body', /^sync "b" of "one": track_deletes/],
    ['no code', action('one', 'b', { fileBody: { js: '', ts: '' } }), 'missing_required_fields_on_deploy', /^action "b" of "one": it has no code/],
  ]) {
    test(`is refused whole for ${what}, and what runs stays`, async () => {
      for (const target of ['/sync/deploy', '/sync/deploy/confirmation']) {
        const { status, body } = await nangod.api('POST', target, { body: { ...deploy([action('one', 'act'), flow]), reconcile: true } });
        assert.deepEqual([status, body.error.code], [400, code], JSON.stringify(body));
        assert.match(body.error.message, pattern);
        assert.equal(body.error.payload.providerConfigKey, flow.providerConfigKey);
      }
      assert.deepEqual(await running(), ['one/act@1', 'one/setup@0.0.1', 'two/items@1']);
    });
  }

  test('of a 0.36 command line is read', async () => {
    const early = { syncName: 'old', providerConfigKey: 'two', models: ['thing'], version: '', runs: 'every half hour', track_deletes: false, auto_start: false, input: '', type: 'sync', fileBody: { js, ts }, model_schema: '[{"name":"thing","fields":[{"name":"id","type":"string"}]}]', endpoints: [{ GET: '/old' }] };
    const { newSyncs, deletedSyncs } = await confirm({ syncs: [early], reconcile: false, debug: false, singleDeployMode: true });
    assert.deepEqual([newSyncs, deletedSyncs], [[{ name: 'old', providerConfigKey: 'two', connections: 0, auto_start: false }], []]);
    const { status, body } = await post({ syncs: [early], nangoYamlBody: 'x', reconcile: true, debug: false, singleDeployMode: true });
    assert.deepEqual([status, body], [200, [{ name: 'old', models: ['thing'], version: '1', providerConfigKey: 'two', type: 'sync' }]]);
    const config = await nangod.must(200, 'GET', '/scripts/config');
    const old = config[1].syncs.find(({ name }) => name === 'old');
    assert.deepEqual([old.models, old.json_schema, old.endpoints], [[{ name: 'thing', fields: [{ name: 'id', type: 'string' }] }], null, [{ method: 'GET', path: '/old', group: null }]]);
  });

  test('that reconciles removes the rest', async () => {
    const { deletedSyncs, updatedActions, deletedModels } = await confirm(confirmation([action('one', 'act')]));
    assert.deepEqual(deletedSyncs.map(({ name }) => name), ['items', 'old']);
    assert.deepEqual([updatedActions, deletedModels], [[{ name: 'act', providerConfigKey: 'one' }], ['Item', 'thing']]);
    assert.equal((await post(deploy([action('one', 'act')], { reconcile: true, onEventScriptsByProvider: [] }))).status, 200);
    assert.deepEqual(await running(), ['one/act@2']);
  });

  test('by a command line that is new enough, or does not say', async () => {
    for (const agent of ['nango-cli/0.39.25 (linux/6; node.js/20)', 'nango-cli/0.71.10', 'nango-cli/1.0.0', 'axios/1.6.0']) {
      const { status, text } = await post(deploy([action('one', 'act')]), { headers: { 'User-Agent': agent } });
      assert.equal(status, 200, `${agent}: ${text}`);
    }
  });

  test('of many scripts with large schemas is no trouble', async () => {
    const definitions = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`M${i}`, { properties: { next: { $ref: `#/definitions/M${i + 1}` } } }]));
    definitions.M2000 = { type: 'string' };
    const flows = Array.from({ length: 300 }, (_, i) => action('two', `many-${i}`, { models: [`M${1900 + (i % 100)}`], input: undefined, fileBody: { js: `${js}// ${i}\n`, ts } }));
    assert.equal((await post(deploy(flows, { jsonSchema: { definitions } }))).status, 200);
    assert.equal((await running()).length, 301);
    // Each of these keeps all 2000 definitions: too much together.
    const whole = Array.from({ length: 2000 }, (_, i) => action('two', `whole-${i}`, { models: ['M0'], input: undefined }));
    const { status, body } = await post(deploy(whole, { jsonSchema: { definitions } }));
    assert.deepEqual([status, body.error.code], [413, 'request_too_large']);
    assert.equal((await running()).length, 301);
  });

  test('several at once: each is done or told to wait', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(deploy([action('one', 'act')]))));
    assert.ok(answers.some(({ status }) => status === 200));
    for (const { status, body } of answers) assert.ok(status === 200 || (status === 409 && body.error.code === 'concurrent_deployment'), JSON.stringify(body));
  });
});

describe('a script that does not load', () => {
  const zero = { sdkVersion: '0.71.10-zero' };
  for (const [what, flow, more, pattern, place] of [
    ['has no sense', action('one', 'b', { fileBody: { js: 'const a = 1;\nconst = ;\n', ts } }), {}, /Unexpected token/, { file: 'b-one.cjs', line: 2 }],
    ['throws', action('one', 'b', { fileBody: { js: '\n\nthrow new Error("no way");\n', ts } }), {}, /: no way$/, { file: 'b-one.cjs', line: 3 }],
    ['throws, with a source map', action('one', 'b', { fileBody: { js: mapped('const a = 1;\nthrow new Error("no way");'), ts } }), {}, /: no way$/, { file: 'one/actions/act.ts', line: 5 }],
    ['asks for a module that is not allowed', action('one', 'b', { fileBody: { js: `\nrequire('fs');\n${js}`, ts } }), {}, /Module 'fs' is not allowed/, { file: 'b-one.cjs', line: 2 }],
    ['exports nothing', action('one', 'b', { fileBody: { js: 'exports.other = 1;\n', ts } }), {}, /no default export that is a function/, {}],
    ['exports a function where createAction() is due', action('one', 'b'), zero, /no default export with a function `exec`/, {}],
    ['never ends', sync('two', 'b', { fileBody: { js: 'for (;;) {}\n', ts } }), {}, /CPU time/, {}],
    ['takes all memory', action('one', 'b', { fileBody: { js: 'const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1));\n', ts } }), {}, /memory/i, {}],
  ]) {
    test(what, async () => {
      const before = await running();
      const { status, body: { error } } = await post(deploy(more === zero ? [flow] : [action('one', 'act'), flow], more));
      assert.deepEqual([status, error.code], [400, 'script_does_not_load'], JSON.stringify(error));
      assert.match(error.message, new RegExp(`^${flow.type} "b" of "${flow.providerConfigKey}": it does not load: `));
      assert.match(error.message, pattern);
      const { providerConfigKey, script, ...where } = error.payload;
      assert.deepEqual([providerConfigKey, script], [flow.providerConfigKey, 'b']);
      if ('file' in place) assert.deepEqual(where, place);
      assert.deepEqual(await running(), before);
    });
  }

  test('is asked for nothing but to load', async () => {
    const flow = action('one', 'act', { fileBody: { js: 'exports.default = () => { throw new Error("only when it runs"); };\n', ts } });
    assert.equal((await post(deploy([flow]))).status, 200);
  });
});

describe('scripts end, or do not,', () => {
  test('with their integration', async () => {
    await nangod.must(200, 'DELETE', '/integrations/two');
    assert.deepEqual((await running()).map((name) => name.split('@')[0]), ['one/act']);
    await integration('two');
    assert.deepEqual((await nangod.must(200, 'GET', '/integrations/two/functions')).data, []);
  });

  test('never with a restart', async () => {
    const before = await running();
    await nangod.stop();
    await nangod.again();
    assert.deepEqual(await running(), before);
    assert.deepEqual(await nangod.must(200, 'GET', '/integrations/one/functions/act/code'), { type: 'action', code: ts });
  });

  test('at the border of their environment', async () => {
    const prod = await nangod.readKeys('prod');
    assert.deepEqual(await nangod.must(200, 'GET', '/scripts/config', { key: prod.secretKey }), []);
    const { status } = await post(deploy([action('one', 'act')]), { key: prod.secretKey });
    assert.equal(status, 400, 'the integration is not there');
  });
});
