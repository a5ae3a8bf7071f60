// SPDX-License-Identifier: Apache-2.0
// Deploys over the API: all of one or nothing, what reconciling removes, and what goes with its
// integration or environment. The bodies themselves are judged row by row in badinput/scripts.mjs.

import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Daemon, binary, logged, scratch } from './lib/daemon.mjs';
import { runners } from './lib/runners.mjs';
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

const code = (text) => ({ fileBody: { js: text, ts: '//' } });
const zero = { sdkVersion: '0.71.10-zero' };

describe('code that does not load', () => {
  before(async () => {
    assert.equal((await post(deploy([action('one', 'act')], { reconcile: true }))).status, 200);
  });

  // What, the script, members of the body, the message, file and line.
  for (const [what, flow, more, pattern, place] of [
    ['cannot be parsed', action('one', 'b', code('exports.default = () => 1;\n\nlet x = ;\n')), {}, /^action "b" of "one": it does not load: SyntaxError: .*;.* \(b-one\.cjs:3\)$/, ['b-one.cjs', 3]],
    ['cannot be parsed, and says where it comes from', action('one', 'b', code(mapped('exports.default = 1;\nlet x = ;', '../one/actions/b.ts'))), {}, /\(one\/actions\/b\.ts:2\)$/, ['one/actions/b.ts', 2]],
    ['asks for a module that there is none of', action('one', 'b', code("exports.default = () => 1;\nrequire('fs');")), {}, /: Module 'fs' is not allowed/, ['b-one.cjs', 2]],
    ['throws', sync('one', 'b', code(mapped('\nfunction f() { null.x; }\nf();', '../../one/syncs/b.ts'))), {}, /^sync "b" of "one": it does not load: TypeError: null is not an object/, ['one/syncs/b.ts', 2]],
    ['throws what is no error', action('one', 'b', code('throw { toString() { throw 1; } };')), {}, /^action "b" of "one": it does not load: /],
    ['exports nothing', action('one', 'b', code('const a = 1;')), {}, /: The script has no default export$/],
    ['exports no function', action('one', 'b', code('exports.default = 5;')), {}, /: The default export is not a function$/],
    ['is written with createAction() for a version that is not', action('one', 'b', code("exports.default = { type: 'action', exec() {} };")), {}, /but sdkVersion does not end with -zero$/],
    ['is a function for a version of createAction()', action('one', 'b', code('exports.default = () => 1;')), zero, /: The default export is not what createAction\(\) makes$/],
    ['is of another kind', action('one', 'b', code("exports.default = require('nango').createSync({ exec() {} });")), zero, /is of type 'sync', not 'action'/],
    ['has nothing to call', sync('one', 'b', code("exports.default = { type: 'sync', exec: 1 };")), zero, /: The default export has no function `exec`$/],
    ['has no handler of the webhooks it subscribes to', sync('one', 'b', { webhookSubscriptions: ['*'], ...code('exports.default = () => 1;') }), {}, /does not export `onWebhookPayloadReceived`$/],
    ['has no handler of webhooks in the newer form', sync('one', 'b', { webhookSubscriptions: ['*'], ...code("exports.default = { type: 'sync', exec() {} };") }), zero, /has no function `onWebhook`$/],
  ]) {
    test(`since it ${what}, refuses all, and what runs stays`, async () => {
      for (const target of ['/sync/deploy', '/sync/deploy/confirmation']) {
        const good = more === zero ? code("exports.default = { type: 'action', exec() {} };") : {};
        const { status, body } = await nangod.api('POST', target, { body: { ...deploy([action('one', 'act', good), flow], more), reconcile: true } });
        assert.deepEqual([status, body.error.code], [400, 'script_does_not_load'], JSON.stringify(body));
        assert.match(body.error.message, pattern);
        const { providerConfigKey, script, file, line } = body.error.payload;
        assert.deepEqual([providerConfigKey, script], ['one', 'b']);
        if (place) assert.deepEqual([file, line], place);
      }
      assert.deepEqual((await running()).map((name) => name.split('@')[0]), ['one/act']);
    });
  }

  test('is not that which fails when it is called', async () => {
    assert.equal((await post(deploy([action('one', 'act', { fileBody: { js: 'exports.default = () => { throw new Error("only when it runs"); };', ts } })]))).status, 200);
  });

  test('in an event script refuses all', async () => {
    const events = [{ providerConfigKey: 'one', scripts: [{ name: 'setup', event: 'validate-connection', fileBody: { js: '(', ts: '' } }] }];
    const { status, body } = await post(deploy([], { onEventScriptsByProvider: events }));
    assert.deepEqual([status, body.error.code, body.error.payload.script], [400, 'script_does_not_load', 'setup']);
  });

  test('is the first one of several', async () => {
    const flows = Array.from({ length: 20 }, (_, i) => action('one', `a-${i}`, { input: undefined, ...code(i < 5 ? `exports.default = () => ${i};` : `throw ${i};`) }));
    for (let i = 0; i < 5; i++) {
      const { body } = await post(deploy(flows));
      assert.equal(body.error.payload.script, 'a-5', JSON.stringify(body));
    }
  });

  test('does no harm to the other scripts of its deploy', async () => {
    const flows = [
      action('two', 'h-1', { input: undefined, ...code('Object.prototype.default = 5; Function.prototype.call = null; JSON.stringify = null; globalThis.Promise = null; exports.default = () => 1;') }),
      ...Array.from({ length: 20 }, (_, i) => action('two', `h-${i + 2}`, { input: undefined, ...code(`if (({}).default === 5) throw 1; exports.default = () => ${i};`) })),
    ];
    const { status, text } = await post(deploy(flows));
    assert.equal(status, 200, text);
  });

  test('is known by its content: the next deploy tries only what changed', async () => {
    const flows = (text) => deploy([action('two', 'known', code('exports.default = () => "known";')), action('two', 'new', code(text))]);
    assert.equal((await post(flows('exports.default = () => 2;'))).status, 200);
    // As another kind it was not tried.
    const { status, body } = await post(deploy([sync('two', 'known', { webhookSubscriptions: ['*'], ...code('exports.default = () => "known";') })]));
    assert.deepEqual([status, body.error.code], [400, 'script_does_not_load']);
  });

  test('leaves no process behind that anything else could be run by', async () => {
    assert.equal((await post(deploy([action('two', 'left', code('exports.default = () => "left";'))]))).status, 200);
    const [zygote, ...others] = runners(nangod);
    assert.deepEqual([typeof zygote, others], ['string', []]);
  });
});

describe('code that means harm', () => {
  let walled;
  before(async () => {
    walled = await Daemon.start({ settings: { 'scripts.load_timeout_s': '1', 'scripts.memory_mb': '64' } });
    await walled.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
  });
  after(() => walled?.finish());

  for (const [what, text, pattern] of [
    ['loops', 'for (;;);', /time|longer/],
    ['loops by promises', '(async () => { for (;;) await null; })(); exports.default = () => 1;', /time|longer/],
    ['takes all memory', 'const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1));', /memory/],
    ['calls itself', '(function f() { f(); })(); exports.default = () => 1;', /RangeError/],
    ['hides it in its exports', "Object.defineProperty(exports, 'default', { get() { for (;;); } });", /time|longer/],
  ]) {
    it(`and ${what} is refused in time`, { timeout: 60_000 }, logged(() => walled, async () => {
      const { status, body } = await walled.api('POST', '/sync/deploy', { body: deploy([action('one', 'b', code(text))]) });
      assert.deepEqual([status, body.error.code], [400, 'script_does_not_load'], JSON.stringify(body));
      assert.match(body.error.message, pattern);
      assert.deepEqual(await walled.must(200, 'GET', '/scripts/config'), []);
    }));
  }
});

describe('without a runner', () => {
  it('code is taken as it is, and the log says so', async () => {
    const dir = scratch();
    const program = path.join(dir, 'nangod');
    copyFileSync(binary, program);
    const plain = await Daemon.start({ program, settings: { 'scripts.runner': '' } });
    try {
      await plain.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
      await plain.must(200, 'POST', '/sync/deploy', { body: deploy([action('one', 'b', code('('))]) });
      assert.match(plain.log, /nango-runner is not there/);
    } finally {
      await plain.finish();
      rmSync(dir, { recursive: true });
    }
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
