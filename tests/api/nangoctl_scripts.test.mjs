// SPDX-License-Identifier: Apache-2.0
// nangoctl for scripts: projects of both forms.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, describe, it } from 'node:test';

import { Project } from './lib/project.mjs';

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
    exec: async (nango, input): Promise<{ text: string }> => ({ text: hello(input.name) }),
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
