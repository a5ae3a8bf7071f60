// SPDX-License-Identifier: Apache-2.0
// nangoctl for scripts: projects of both forms.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Cli } from './lib/cli.mjs';
import { loadClient } from './lib/clients.mjs';
import { Daemon, logged } from './lib/daemon.mjs';
import { Project } from './lib/project.mjs';
import { Recorder } from './lib/recorder.mjs';

const projects = [];
const project = (files) => {
  projects.push(new Project(files));
  return projects.at(-1);
};
after(() => projects.forEach((one) => one.finish()));

function worked({ code, stdout, stderr }) {
  assert.equal(code, 0, stderr);
  return stdout;
}

const failed = ({ code, stdout, stderr }, wanted, pattern) => {
  assert.equal(code, wanted, stdout + stderr);
  assert.match(stderr, pattern);
};

const greet = `import { createAction } from 'nango';
import * as z from 'zod';
import { hello } from '../../lib/hello.js';

export default createAction({
    description: 'Greets', version: '1.0.0', input: z.object({ name: z.string() }), output: z.object({ text: z.string() }),
    exec: async (_nango, input): Promise<{ text: string }> => ({ text: hello(input.name) }),
});
`;
const hello = 'export const hello = (name: string): string => `Hello ${name}`;\n';
const zero = { 'index.ts': "import './github/actions/greet.js';\n", 'github/actions/greet.ts': greet, 'lib/hello.ts': hello };

const yaml = {
  'nango.yaml': `integrations:
  github:
    actions:
      greet: {input: Name, output: Text, endpoint: POST /greet}
    syncs:
      flat: {runs: every hour, output: Item}
models:
  Name: {name: string}
  Text: {text: string}
  Item: {id: string}
`,
  'github/actions/greet.ts': `import type { NangoAction, Name, Text } from '../../models';
export default async function runAction(nango: NangoAction, input: Name): Promise<Text> { return { text: 'Hello ' + input.name }; }
`,
  'flat.ts': "export default async function fetchData(nango: any): Promise<void> { await nango.batchSave([{ id: '1' }], 'Item'); }\n",
};

describe('compile', () => {
  it('bundles each script and what it imports, with a source map', async () => {
    const one = project(zero);
    assert.equal(worked(await one.run(['compile'])), 'github/actions/greet.ts: build/github_actions_greet.cjs\n');
    const code = one.read('build/github_actions_greet.cjs');
    const map = JSON.parse(Buffer.from(/\/\/# sourceMappingURL=data:application\/json;base64,(\S+)/.exec(code)[1], 'base64'));
    assert.deepEqual(map.sources.toSorted(), ['../github/actions/greet.ts', '../lib/hello.ts']);
    assert.match(code, /require\("zod"\)/);
  });

  it('makes what node loads as well', async () => {
    const one = project({
      'index.ts': "import './github/syncs/ids.js'\n",
      'github/syncs/ids.ts': "import crypto from 'node:crypto';\nexport default { exec: () => crypto.createHash('sha1').update('a').digest('hex') };\n",
    });
    worked(await one.run(['compile', one.dir], { cwd: '/' }));
    const script = createRequire(import.meta.url)(one.file('build/github_syncs_ids.cjs'));
    assert.equal(script.default.exec(), '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8');
  });

  it('finds the scripts that nango.yaml names, in folders and beside it', async () => {
    const one = project(yaml);
    assert.equal(worked(await one.run(['compile'])), 'flat.ts: build/github_syncs_flat.cjs\ngithub/actions/greet.ts: build/github_actions_greet.cjs\n');
    assert.doesNotMatch(one.read('build/github_actions_greet.cjs'), /require\(/); // types are taken away
  });

  const wrong = [
    ['syntax', { ...zero, 'lib/hello.ts': 'export const hello = (;\n' }, /^lib\/hello\.ts:1:23: error: Unexpected ";"$/m],
    ['a file that is not there', { ...zero, 'lib/hello.ts': "export * from './none.js';\n" }, /^lib\/hello\.ts:1:15: error: Could not resolve "\.\/none\.js"$/m],
    ['a module that scripts do not have', { ...zero, 'lib/hello.ts': `${hello}import fs from "node:fs";\nfs;\n` }, /^lib\/hello\.ts:2: error: the module `node:fs` cannot be used/m],
    ['a script that is not there', { 'index.ts': "// scripts\nimport './github/actions/greet.js';\n" }, /^index\.ts:2: error: there is no github\/actions\/greet\.ts$/m],
    ['a script out of place', { 'index.ts': "import './greet.js';\n", 'greet.ts': greet }, /^index\.ts:1: error: \.\/greet\.js: a script is at/m],
    ['nothing', { 'index.ts': '\n' }, /^index\.ts: error: it imports no scripts/m],
    ['no project', {}, /neither an index\.ts nor a nango\.yaml/],
    ['models', { ...yaml, 'nango.yaml': yaml['nango.yaml'].replace('Item: {id: string}', 'Item: {key: string}') }, /^nango\.yaml:6: error: the model Item has no field `id`/m],
    ['a file that nango.yaml names', { 'nango.yaml': yaml['nango.yaml'], 'flat.ts': yaml['flat.ts'] }, /^nango\.yaml: error: the action greet of github: there is neither github\/actions\/greet\.ts nor greet\.ts$/m],
  ];
  for (const [what, files, pattern] of wrong) {
    it(`says where it is wrong: ${what}`, async () => failed(await project(files).run(['compile']), 1, pattern));
  }

  it('says which package is missing', async () => {
    failed(await project(zero).run(['compile'], { env: { NANGO_ESBUILD: '/nowhere/esbuild' } }), 1, /\/nowhere\/esbuild cannot be started/);
  });

  it('knows wrong usage', async () => {
    failed(await project(zero).run(['compile', '--fast']), 2, /--fast: unknown option/);
    failed(await project(zero).run(['compile', '.', '.']), 2, /one word too many/);
  });
});

const issues = `import { createSync } from 'nango';
import * as z from 'zod';

const Issue = z.object({ id: z.string(), title: z.string().nullable(), made: z.date(), labels: z.array(z.string()).optional() });
export default createSync({
    description: 'Issues', version: '1.2.0', frequency: 'every 2h', autoStart: false, syncType: 'full', trackDeletes: false,
    endpoints: [{ method: 'GET', path: '/issues', group: 'Issues' }], scopes: ['repo'], webhookSubscriptions: ['*'],
    models: { Issue }, metadata: z.object({ owner: z.string() }), checkpoint: z.object({ n: z.number() }),
    exec: async (nango) => { await nango.saveCheckpoint({ n: 1 }); await nango.batchSave([], 'Issue'); },
    onWebhook: async () => {},
});
`;
const leave = `import { createOnEvent } from 'nango';
export default createOnEvent({ description: 'Leaves', event: 'pre-connection-deletion', exec: async () => {} });
`;
const whole = {
  ...zero,
  'index.ts': "import './github/syncs/all-issues.js';\nimport './github/actions/greet.js';\nimport './github/on-events/leave.js';\n",
  'github/syncs/all-issues.ts': issues,
  'github/on-events/leave.ts': leave,
};

const start = async (...keys) => {
  const nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true' } });
  for (const unique_key of keys) {
    await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key } });
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: unique_key, connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
  }
  return nangod;
};
const client = async (version, nangod) => {
  const Nango = await loadClient(version);
  return new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
};
const names = (list) => list.map(({ name }) => name).toSorted();

describe('deploy', () => {
  let nangod;
  let nango;
  let one;
  const test = (name, body) => it(name, logged(() => nangod, body));

  before(async () => {
    nangod = await start('github', 'other');
    nango = await client('0.71.10', nangod);
    one = project(whole);
  });
  after(() => nangod?.finish());

  test('shows what would change, and without a terminal needs a yes', async () => {
    const answer = await one.run(['deploy', '--env', 'dev'], { nangod });
    failed(answer, 3, /nothing was deployed: without a terminal --yes says yes/);
    assert.equal(answer.stdout, `To dev at ${nangod.base}:\n  + sync github all-issues (connections: 1)\n  + action github greet\n  + on-event github leave\n`);
    assert.deepEqual(await nango.getScriptsConfig(), []);
  });

  test('deploys, and the official client runs it', async () => {
    const said = worked(await one.run(['deploy', '--yes'], { nangod }));
    assert.match(said, /^deployed sync github all-issues, version 1\.2\.0$/m);
    assert.match(said, /^deployed scripts of events: 1$/m);
    assert.deepEqual(await nango.triggerAction('github', 'c1', 'greet', { name: 'Ann' }), { text: 'Hello Ann' });
    const [config] = await nango.getScriptsConfig();
    assert.deepEqual([names(config.syncs), names(config.actions), names(config['on-events'])], [['all-issues'], ['greet'], ['leave']]);
    const { code } = await nango.getFunctionCode({ uniqueKey: 'github', name: 'greet', type: 'action' });
    assert.equal(code, greet);
  });

  test('deploys one of them alone', async () => {
    one.write('github/actions/greet.ts', greet.replace('1.0.0', '1.0.1'));
    const said = worked(await one.run(['deploy', '--yes', '--action', 'greet'], { nangod }));
    assert.match(said, /:\n  ~ action github greet\ndeployed action github greet, version 1\.0\.1\n$/);
    failed(await one.run(['deploy', '--yes', '--sync', 'greet'], { nangod }), 2, /there is no sync `greet`/);
    failed(await one.run(['deploy', '--yes', '--integration', 'gitlab'], { nangod }), 2, /no scripts of `gitlab`/);
  });

  test('removes what is gone, and records only where that is allowed', async () => {
    one.write('index.ts', "import './github/actions/greet.js';\n");
    const answer = await one.run(['deploy', '--yes'], { nangod });
    failed(answer, 3, /it removes records, which needs --allow-destructive/);
    assert.match(answer.stdout, /^  - sync github all-issues \(connections: 1\)$/m);
    assert.match(answer.stdout, /^  - all records of the model Issue$/m);
    worked(await one.run(['deploy', '--yes', '--allow-destructive'], { nangod }));
    const [config] = await nango.getScriptsConfig();
    assert.deepEqual([config.syncs, names(config.actions)], [[], ['greet']]);
  });

  test('deploys a nango.yaml', async () => {
    const old = project({ ...yaml, 'nango.yaml': yaml['nango.yaml'].replaceAll('github', 'other'), 'other/actions/greet.ts': yaml['github/actions/greet.ts'] });
    worked(await old.run(['deploy', '--yes', '--integration', 'other'], { nangod }));
    const config = (await nango.getScriptsConfig()).find(({ providerConfigKey }) => providerConfigKey === 'other');
    assert.deepEqual([names(config.syncs), config.syncs[0].runs, config.syncs[0].returns], [['flat'], 'every hour', ['Item']]);
    assert.deepEqual(config.actions[0].json_schema.definitions.Name, { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] });
    assert.deepEqual(await nango.triggerAction('other', 'c1', 'greet', { name: 'Ann' }), { text: 'Hello Ann' });
  });

  test('says what the server does not like, and where', async () => {
    const bad = project({ ...whole, 'github/syncs/all-issues.ts': issues.replace('every 2h', 'every 2s') });
    failed(await bad.run(['deploy', '--yes'], { nangod }), 1, /^nangoctl deploy: .*all-issues.*30/);
    const none = project({ 'index.ts': "import './nope/actions/greet.js';\n", 'nope/actions/greet.ts': greet, 'lib/hello.ts': hello });
    failed(await none.run(['deploy', '--yes'], { nangod }), 1, /nangoctl deploy: There is no Provider Configuration[^]*nope/);
  });

  const loads = [
    ['throws', 'throw new Error("not today");\n', /^nangoctl deploy: github\/actions\/greet\.ts: error: not today \(.*github\/actions\/greet\.ts:1:\d+\)$/m],
    ['is of another kind', leave, /greet\.ts: error: The default export must be what createAction\(\) makes, not of type 'onEvent'/],
    ['has no default export', 'export const a = 1;\n', /greet\.ts: error: The script has no default export/],
    ['lacks a schema', greet.replace('output: z', 'other: z'), /createAction\(\) needs `output`/],
  ];
  for (const [what, text, pattern] of loads) {
    test(`says what is wrong with a script that ${what}`, async () => {
      failed(await project({ ...zero, 'github/actions/greet.ts': text }).run(['deploy', '--yes'], { nangod }), 1, pattern);
    });
  }

  test('takes the key from a file as well, and says when there is none', async () => {
    const env = { NANGO_SECRET_KEY: undefined, NANGO_SECRET_KEY_DEV: undefined, NANGO_HOSTPORT: undefined };
    failed(await one.run(['deploy', '--yes'], { env }), 2, /NANGO_SECRET_KEY_DEV or NANGO_SECRET_KEY is not set/);
    failed(await one.run(['deploy', '--yes', '-e', 'my-test'], { env }), 2, /NANGO_SECRET_KEY_MY_TEST or/);
    one.write('.env', `# of tests\nexport NANGO_HOSTPORT="${nangod.base}/"\nNANGO_SECRET_KEY_DEV = '${nangod.keys.secretKey}'\nOTHER=1`);
    worked(await one.run(['deploy', '--yes', '--integration', 'github'], { env }));
    failed(await one.run(['deploy', '--yes'], { env: { ...env, NANGO_SECRET_KEY_DEV: '11111111-1111-4111-8111-111111111111' } }), 1, /nangoctl deploy: /);
  });
});

describe('what is posted', () => {
  const empty = Object.fromEntries(['Syncs', 'Actions', 'OnEventScripts'].flatMap((what) => ['new', 'updated', 'deleted'].map((how) => [how + what, []])));
  const posted = async (run) => {
    const server = await Recorder.start();
    try {
      server.answer([{ body: { ...empty, deletedModels: [] } }, { body: [] }]);
      await run({ base: server.base, keys: { secretKey: '11111111-1111-4111-8111-111111111111' } });
      return server.calls.map(({ method, url, body }) => ({ method, url, body: JSON.parse(body) }));
    } finally {
      await server.finish();
    }
  };
  // The code differs, as each compiles in its own way, and so does the version.
  const alike = (calls) => JSON.parse(JSON.stringify(calls, (name, value) => (name === 'js' || name === 'sdkVersion' ? typeof value : value)));

  it('is what the official command line posts', async () => {
    const one = project({ ...whole, '.nango/nango.json': '[]', 'package.json': '{"type":"module"}' });
    let cli;
    const official = await posted(async (nangod) => {
      cli = new Cli('0.71.10', nangod);
      cli.project = one.dir;
      cli.link({ nango: cli.home, zod: path.join(cli.home, 'node_modules/zod') });
      worked(await cli.run(['deploy', 'dev', '--no-interactive', '--auto-confirm']).then(({ code, output }) => ({ code, stdout: output, stderr: output })));
    });
    const ours = await posted(async (nangod) => worked(await one.run(['deploy', '--yes'], { nangod })));
    cli.finish();
    assert.deepEqual(alike(ours), alike(official));
  });
});
