// SPDX-License-Identifier: Apache-2.0
// nangoctl for scripts: projects of both forms.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { Overlay, testProviders } from './lib/catalogue.mjs';
import { Cli } from './lib/cli.mjs';
import { loadClient } from './lib/clients.mjs';
import { Daemon, binary, logged, programRun } from './lib/daemon.mjs';
import { listen, readAll } from './lib/http.mjs';
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

const modules = fileURLToPath(new URL('node_modules/', import.meta.url));
// The types of a project, by TypeScript: what it says, and its exit code.
const typecheck = (dir) => new Promise((resolve) => {
  execFile(process.execPath, [path.join(modules, 'typescript/lib/tsc.js'), '--noEmit', '--pretty', 'false', '-p', dir], (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr: stdout + stderr }));
});
const official = ({ code, output }) => worked({ code, stdout: output, stderr: output });

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

  test('asks at a terminal', async () => {
    // util-linux's `script` gives it one.
    const answer = (text) => programRun('script', ['-qec', `${path.join(path.dirname(binary), 'nangoctl')} deploy`, '/dev/null'], {
      cwd: one.dir, input: text, env: { CI: undefined, NANGO_HOSTPORT: nangod.base, NANGO_SECRET_KEY_DEV: nangod.keys.secretKey }, timeout: 60_000,
    });
    const no = await answer('n\n');
    assert.deepEqual([no.code, /Deploy that\? \[y\/N\] /.test(no.stdout), /nothing was deployed/.test(no.stdout)], [3, true, true], no.stdout);
    assert.deepEqual(await nango.getScriptsConfig(), []);
    const yes = await answer('y\n');
    assert.deepEqual([yes.code, /deployed action github greet, version 1\.0\.0/.test(yes.stdout)], [0, true], yes.stdout);
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
    ['throws', 'throw new Error("not today");\n', /^github\/actions\/greet\.ts:1: error: not today\nnangoctl deploy: github\/actions\/greet\.ts does not load$/m],
    ['is of another kind', leave, /greet\.ts: error: The default export is of type 'onEvent', not 'action': it must be what createAction\(\) makes/],
    ['has no default export', 'export const a = 1;\n', /greet\.ts: error: The default export is not what createAction\(\) makes/],
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
    const theirs = await posted(async (nangod) => {
      cli = new Cli('0.71.10', nangod);
      cli.project = one.dir;
      cli.link({ nango: cli.home, zod: path.join(cli.home, 'node_modules/zod') });
      official(await cli.run(['deploy', 'dev', '--no-interactive', '--auto-confirm']));
    });
    const ours = await posted(async (nangod) => worked(await one.run(['deploy', '--yes'], { nangod })));
    cli.finish();
    assert.deepEqual(alike(ours), alike(theirs));
  });
});

describe('init', () => {
  it('makes a project that the official command line takes', async () => {
    const one = project();
    const files = worked(await one.run(['init', 'new/scripts'])).trim().split('\n');
    assert.ok(files.includes('new/scripts/index.ts') && files.every((name) => one.has(name)), files.join());
    worked(await one.run(['compile', 'new/scripts']));
    const cli = new Cli('0.71.10', { base: 'http://127.0.0.1:9', keys: { secretKey: 'k' } });
    cli.project = one.file('new/scripts');
    cli.link({ nango: cli.home, zod: path.join(cli.home, 'node_modules/zod') });
    assert.match(official(await cli.run(['compile', '--no-interactive'])), /Compiled/); // types as well
    cli.finish();
  });

  it('makes one of a nango.yaml, whose types are right', async () => {
    const one = project();
    worked(await one.run(['init', '--yaml']));
    worked(await one.run(['compile']));
    worked(await typecheck(one.dir));
  });

  it('writes over nothing', async () => {
    for (const [name, form] of [['package.json', []], ['models.ts', ['--yaml']], ['nango.yaml', []]]) {
      const one = project({ [name]: 'mine' });
      failed(await one.run(['init', ...form]), 1, /is there already: nothing was written/);
      assert.equal(one.read(name), 'mine');
      assert.ok(!one.has('.gitignore'));
    }
  });
});

describe('generate', () => {
  const all = `integrations:
  github:
    syncs:
      issues: {runs: every 30m, output: Issue, endpoint: GET /issues, input: Owner, scopes: 'a,b', description: ' All of them '}
      two: {runs: every day, output: [Comment, Label], endpoint: [/comments, {path: /labels, group: L}], sync_type: incremental, auto_start: false, version: 1.0.2, webhook-subscriptions: [a, b]}
    actions:
      make: {input: NewIssue, output: Issue, endpoint: /make}
      say: {input: string, output: 'Label[]'}
      nothing: {description: none}
    on-events:
      post-connection-creation: [setup, more]
      validate-connection: [check]
  other:
    actions: {a: {endpoint: {method: PATCH, path: /a}}}
    post-connection-scripts: [setup]
models:
  Owner: {name: string, admin: boolean}
  Issue:
    id: string
    title?: string
    count: integer
    closed: date | null
    owner: Owner
    labels: Label[]
    lists: string[]
    author: {name: string, since?: date}
    rest: any
  Label: {id: number, name: varchar, parent?: Label}
  Comment: {__extends: 'Label, Owner', text: string}
  NewIssue: {__string: string, a-b: bool}
`;
  const parser = async () => import(pathToFileURL(createRequire(path.join(modules, 'nango-cli-0.71.10/package.json')).resolve('@nangohq/nango-yaml')));

  it('reads what the official parser reads', async () => {
    const early = `integrations:
  github:
    issues: {runs: every 30m, returns: [Issue], description: All, auto_start: false}
    labels: {type: sync, runs: every day, returns: Label}
    make: {type: action, returns: Label}
models: {Issue: {id: string, labels: 'Label[]'}, Label: {id: string}}
`;
    const { loadNangoYaml } = await parser();
    for (const text of [all, early]) {
      const one = project({ 'nango.yaml': text });
      worked(await one.run(['generate']));
      const theirs = loadNangoYaml({ fullPath: one.dir });
      theirs.parse();
      assert.deepEqual(theirs.errors, []);
      assert.deepEqual(JSON.parse(one.read('.nango/nango.json')), JSON.parse(JSON.stringify(theirs.parsed.integrations)));
    }
  });

  // That parser's schemas take words that they do not know for objects of texts: those are left out.
  it('makes the schemas that the official parser makes', async () => {
    const one = project({ 'nango.yaml': all.replace(/^ +(closed|author|rest|lists): .*\n/gm, '') });
    worked(await one.run(['generate']));
    const { loadNangoYaml, nangoModelsToJsonSchema } = await parser();
    const theirs = loadNangoYaml({ fullPath: one.dir });
    theirs.parse();
    const { definitions } = JSON.parse(one.read('.nango/schema.json'));
    const named = ['Owner', 'Issue', 'Label', 'Comment'];
    const wanted = nangoModelsToJsonSchema([...theirs.parsed.models.values()]).definitions;
    for (const name of named) assert.deepEqual(definitions[name], wanted[name], name);
    assert.deepEqual(definitions.NewIssue, { type: 'object', properties: { 'a-b': { type: 'boolean' } }, required: ['a-b'], additionalProperties: { type: 'string' } });
  });

  it('makes the types that the command line of the 0.36 era makes', async () => {
    const one = project({
      'theirs/nango.yaml': all.replace(/^ +(syncs|actions|on-events|other|post-connection-scripts):[^]*(?=^models)/m, '    issues: {runs: every 30m, returns: Issue}\n').replace(/^ +NewIssue.*\n/m, '').replace('varchar', 'string'),
      'tsconfig.json': '{"compilerOptions":{"strict":true,"target":"es2022","module":"node16","moduleResolution":"node16","skipLibCheck":true},"include":["same.ts"]}',
      'same.ts': ['Owner', 'Issue', 'Label', 'Comment'].map((name) => `export const a${name} = (one: import('./theirs/models.js').${name}): import('./ours/models.js').${name} => one;\nexport const b${name} = (one: import('./ours/models.js').${name}): import('./theirs/models.js').${name} => one;\n`).join(''),
    });
    one.write('ours/nango.yaml', one.read('theirs/nango.yaml'));
    worked(await one.run(['generate', 'ours']));
    const cli = new Cli('0.36.101', { base: 'http://127.0.0.1:9', keys: { secretKey: 'k' } });
    cli.project = one.file('theirs');
    official(await cli.run(['generate']));
    cli.finish();
    // Its models.ts imports packages that are not there, and is not strict with itself.
    one.write('theirs/models.ts', one.read('theirs/models.ts').replace(/^import .*\n/gm, '').replace(/^(interface|declare|export declare|export interface) (?!Owner|Issue|Label|Comment)[^]*/m, ''));
    worked(await typecheck(one.dir));
    one.write('ours/models.ts', one.read('ours/models.ts').replace('count: number', 'count: string'));
    assert.notEqual((await typecheck(one.dir)).code, 0);
  });

  it('says what is wrong', async () => {
    failed(await project(zero).run(['generate']), 2, /the models of a project with an index\.ts are in its scripts/);
    failed(await project({ 'nango.yaml': 'integrations: {}\nmodels:\n  NangoSync: {}\n' }).run(['generate']), 1, /^nango\.yaml:3: error: `NangoSync` is a type/m);
    const one = project({ 'nango.yaml': 'integrations: {}\nmodels:\n  M: {a: Nope}\n' });
    const answer = await one.run(['generate']);
    assert.match(answer.stderr, /^nango\.yaml:3: warning: there is no model `Nope`/m);
    assert.match(one.read('models.ts'), /a: "Nope";/);
    worked(answer);
  });
});

// A provider with three issues on two pages, one of them a pull request.
class Provider {
  static async start() {
    const self = new Provider();
    self.calls = [];
    self.server = await listen((req, res) => {
      self.answer(req, res).catch((error) => res.destroy(error));
    });
    return self;
  }

  async answer(req, res) {
    const { pathname, searchParams } = new URL(req.url, this.server.base);
    const issue = (number, more) => ({ id: number * 10, number, title: `Issue ${number}`, state: 'open', updated_at: `2026-01-0${number}T00:00:00Z`, ...more });
    const body = String(await readAll(req));
    this.calls.push({ method: req.method, url: req.url, key: req.headers['x-api-key'], body });
    const send = (status, value, headers) => {
      res.writeHead(status, { 'content-type': 'application/json', ...headers });
      res.end(typeof value === 'string' ? value : JSON.stringify(value));
    };
    if (req.method === 'POST' && pathname === '/repos/me/mine/issues') return send(201, { number: 7, html_url: `https://example.com/7?${JSON.parse(body).title}` });
    if (pathname === '/repos/me/mine/issues') {
      if (searchParams.get('page') === '2') return send(200, [issue(3)]);
      return send(200, [issue(1), issue(2, { pull_request: {} })], { link: `<${this.server.base}/repos/me/mine/issues?state=all&sort=updated&direction=asc&per_page=100&page=2>; rel="next"`, 'set-cookie': 'session=1' });
    }
    if (pathname === '/form') return send(200, { got: body, type: req.headers['content-type'] });
    if (pathname === '/text') return send(200, '{"not": "parsed" }');
    if (pathname === '/bytes') return send(200, Buffer.from('a b').toString());
    return send(404, { error: 'none', of: pathname });
  }

  finish() {
    return this.server.close();
  }
}

const secret = 'a-secret-of-the-connection';

describe('dryrun', () => {
  let provider;
  let overlay;
  let nangod;
  const test = (name, body) => it(name, logged(() => nangod, body));

  before(async () => {
    provider = await Provider.start();
    overlay = new Overlay(testProviders({ echo: provider.server.base }));
    nangod = await Daemon.start({ settings: { ...overlay.setting, 'outbound.allow_private': 'true' } });
    await nangod.must(200, 'POST', '/integrations', { body: { provider: 'test-key', unique_key: 'github' } });
    await nangod.must(201, 'POST', '/connections', {
      body: { provider_config_key: 'github', connection_id: 'c1', credentials: { type: 'API_KEY', apiKey: secret }, metadata: { owner: 'me', repo: 'mine' } },
    });
    await nangod.setVariable('TOKEN', 'a-variable-of-the-environment');
  });
  after(async () => {
    await nangod?.finish();
    await provider?.finish();
    overlay?.finish();
  });

  const dry = async (one, args, code = 0) => {
    const answer = await one.run(['dryrun', ...args], { nangod });
    assert.equal(answer.code, code, answer.stderr);
    return JSON.parse(answer.stdout);
  };
  const records = { Issue: [[1, 10], [3, 30]].map(([number, id]) => ({ id: String(id), number, title: `Issue ${number}`, state: 'open', updated: `2026-01-0${number}T00:00:00Z` })) };

  test('from init to a deployed script, and the same script dry, live and recorded', async () => {
    const one = project();
    worked(await one.run(['init']));
    worked(await one.run(['compile']));
    worked(await one.run(['deploy', '--yes'], { nangod }));
    const nango = await client('0.71.10', nangod);
    assert.deepEqual(await nango.triggerAction('github', 'c1', 'create-issue', { owner: 'me', repo: 'mine', title: 'New' }), { number: 7, url: 'https://example.com/7?New' });

    const live = await dry(one, ['issues', 'c1', '--save', 'fixtures/issues.json']);
    assert.deepEqual([live.status, live.batchSave, live.checkpoint], ['ok', records, { since: '2026-01-03T00:00:00Z' }]);
    assert.deepEqual(live.calls, ['get /repos/me/mine/issues', 'get /repos/me/mine/issues']);
    assert.deepEqual(live.logs, ['info: All issues are up to date']);
    assert.ok(provider.calls.every(({ key }) => key === secret));

    const asked = provider.calls.length;
    const saved = one.read('fixtures/issues.json');
    assert.ok(!saved.includes(secret) && !saved.includes('session=1'), saved);
    assert.deepEqual(await dry(one, ['issues', '--fixture', 'fixtures/issues.json']), live);
    assert.equal(provider.calls.length, asked);
    const { nango: kept } = JSON.parse(saved);
    assert.deepEqual([kept.getMetadata, kept.batchSave, kept.getConnection.credentials], [{ owner: 'me', repo: 'mine' }, records, { type: 'API_KEY', apiKey: 'REDACTED' }]);

    const compiled = ['--script', one.file('build/github_syncs_issues.cjs'), '--kind', 'sync', '--integration', 'github', '--name', 'issues'];
    assert.deepEqual(await dry(one, ['--fixture', 'fixtures/issues.json', ...compiled]), live);
  });

  test('the same of a nango.yaml', async () => {
    const one = project();
    worked(await one.run(['init', '--yaml']));
    const live = await dry(one, ['issues', 'c1', '--save', 'issues.json', '--last-sync-date', '2026-01-01T00:00:00Z']);
    assert.deepEqual([live.status, live.batchSave], ['ok', records]);
    assert.match(provider.calls.at(-2).url, /since=2026-01-01T00%3A00%3A00/);
    assert.deepEqual(await dry(one, ['issues', '--fixture', 'issues.json']), live);
  });

  test('gives what is on the command line, and keeps what a server would keep', async () => {
    const one = project({
      'index.ts': "import './github/syncs/given.js';\n",
      'github/syncs/given.ts': `import { createSync } from 'nango';
import * as z from 'zod';
export default createSync({ description: 'Given', version: '1.0.0', frequency: 'every day', autoStart: true, models: { M: z.object({ id: z.string() }) },
  exec: async (nango: any) => {
    await nango.batchSave([{ id: '1', was: await nango.getCheckpoint(), metadata: await nango.getMetadata(), last: nango.lastSyncDate, dry: nango.dryRun }], 'M');
    await nango.batchDelete([{ id: '2' }], 'M');
    await nango.updateMetadata({ seen: true });
    await nango.saveCheckpoint({ page: 2 });
    await nango.batchSave([{ id: '3' }], 'N');
  } });
`,
    });
    one.write('checkpoint.json', '{"page": 1}');
    const answer = await dry(one, ['given', 'c1', '--checkpoint', '@checkpoint.json', '--metadata', '{"owner":"you"}', '--last-sync-date', '2026-01-01T00:00:00Z'], 1);
    assert.deepEqual(answer.batchSave, { M: [{ id: '1', was: { page: 1 }, metadata: { owner: 'you' }, last: '2026-01-01T00:00:00.000Z', dry: true }] });
    assert.deepEqual([answer.batchDelete, answer.checkpoint, answer.metadata], [{ M: [{ id: '2' }] }, { page: 2 }, { seen: true }]);
    assert.match(answer.error.message, /The model 'N' is not included in the declared sync models: M/);
    const { metadata } = await nangod.must(200, 'GET', '/connections/c1?provider_config_key=github');
    assert.deepEqual(metadata, { owner: 'me', repo: 'mine' });
  });

  test('replays answers of every kind as they were', async () => {
    const one = project({
      'index.ts': "import './github/actions/all.js';\n",
      'github/actions/all.ts': `import { createAction } from 'nango';
import * as z from 'zod';
export default createAction({ description: 'All', version: '1.0.0', input: z.object({ n: z.number() }), output: z.any(),
  exec: async (nango: any, input: any) => {
    const missing = await nango.get({ endpoint: '/missing', params: { n: input.n } }).catch((error: any) => ({ status: error.response.status, data: error.response.data, name: error.name, code: error.code }));
    const form = await nango.post({ endpoint: '/form', data: new URLSearchParams({ a: '1 2' }) });
    const text = await nango.get({ endpoint: '/text', responseType: 'text' });
    const bytes = await nango.get({ endpoint: '/bytes', responseType: 'arraybuffer' });
    const plain = await nango.uncontrolledFetch({ url: new URL('${provider.server.base}/text') });
    const variables = await nango.getEnvironmentVariables();
    const refused = await nango.uncontrolledFetch({ url: new URL('http://127.0.0.1:1/') }).catch((error: any) => error.code);
    return { missing, form: form.data, text: text.data, bytes: bytes.data.toString('hex'), plain: await plain.text(), names: variables.map(({ name }: any) => name), refused, input };
  } });
`,
    });
    const live = await dry(one, ['all', 'c1', '--input', '{"n":1}', '--save', 'all.json']);
    assert.deepEqual(live.output, {
      missing: { status: 404, data: { error: 'none', of: '/missing' }, name: 'AxiosError', code: 'ERR_BAD_REQUEST' },
      form: { got: '{"a":"1 2"}', type: 'application/json' }, // as the proxy sends forms
      text: '{"not": "parsed" }',
      bytes: '612062',
      plain: '{"not": "parsed" }',
      names: ['TOKEN'],
      refused: 'ECONNREFUSED',
      input: { n: 1 },
    });
    assert.doesNotMatch(one.read('all.json'), /a-variable-of-the-environment/);
    const again = await dry(one, ['all', '--fixture', 'all.json']);
    assert.deepEqual(again.output, live.output, JSON.stringify(again.error));
    const other = await dry(one, ['all', '--fixture', 'all.json', '--input', '{"n":2}']);
    assert.equal(other.status, 'error'); // that was not recorded
  });

  test('says what is wrong, and by which exit code', async () => {
    const one = project({ ...zero, 'github/actions/fails.ts': greet.replace("({ text: hello(input.name) })", "{ throw new Error(hello(input.name)); }") });
    one.write('index.ts', `${one.read('index.ts')}import './github/actions/fails.js';\n`);
    const answer = await dry(one, ['fails', 'c1', '--input', '{"name":"Ann"}'], 1);
    assert.match(JSON.stringify(answer.error), /Hello Ann.*github\/actions\/fails\.ts:7/);
    failed(await one.run(['dryrun', 'greet', 'c2'], { nangod }), 1, /^nangoctl dryrun: the connection c2 of github: /);
    failed(await one.run(['dryrun', 'nope', 'c1'], { nangod }), 2, /there is no script `nope`/);
    failed(await one.run(['dryrun', 'greet'], { nangod }), 2, /a CONNECTION_ID, or --fixture/);
    failed(await one.run(['dryrun', 'greet', 'c1', '--input', '{'], { nangod }), 2, /--input is JSON, or @FILE with JSON/);
    failed(await one.run(['dryrun', 'greet', 'c1', '--input', '@none.json'], { nangod }), 2, /none\.json: No such file/);
    failed(await one.run(['dryrun', 'greet', 'c1', '--last-sync-date', 'now'], { nangod }), 2, /--last-sync-date is an ISO time/);
    failed(await one.run(['dryrun', 'greet', '--fixture', 'a', '--save', 'b'], { nangod }), 2, /a recording has its own/);
    failed(await one.run(['dryrun', 'greet', 'c1'], { env: { NANGO_SECRET_KEY: undefined, NANGO_SECRET_KEY_DEV: undefined } }), 2, /NANGO_SECRET_KEY_DEV or/);
    failed(await one.run(['dryrun', 'greet', 'c1'], { env: { NANGO_HOSTPORT: 'http://127.0.0.1:1', NANGO_SECRET_KEY: 'k' } }), 1, /127\.0\.0\.1:1/);
  });
});
