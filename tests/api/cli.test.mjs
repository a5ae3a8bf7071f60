// SPDX-License-Identifier: Apache-2.0
// The official command lines from `init` to a deployed script, and back by the official client: the
// newest one (functions in TypeScript) and one of the 0.36 era (nango.yaml).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { Cli } from './lib/cli.mjs';
import { Daemon, logged } from './lib/daemon.mjs';

const integration = (nangod, unique_key) =>
  nangod.must(200, 'POST', '/integrations', {
    body: { provider: 'github', unique_key, credentials: { type: 'OAUTH2', client_id: 'a', client_secret: 'b' } },
  });

const client = async (version, nangod) => {
  const Nango = await loadClient(version);
  return new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
};

const names = (list) => list.map(({ name }) => name);

function worked({ code, output }, pattern) {
  assert.equal(code, 0, output);
  if (pattern) assert.match(output, pattern);
}

describe('the newest command line', () => {
  let nangod;
  let cli;
  let nango;

  before(async () => {
    nangod = await Daemon.start();
    await integration(nangod, 'github');
    await nangod.must(201, 'POST', '/connections', {
      body: { provider_config_key: 'github', connection_id: 'c1', credentials: { type: 'OAUTH2', access_token: 't' } },
    });
    nango = await client('0.71.10', nangod);
    cli = new Cli('0.71.10', nangod);
  });

  after(async () => {
    await nangod?.finish();
    cli?.finish();
  });

  const deploy = (...more) => cli.run(['deploy', 'dev', '--no-interactive', '--auto-confirm', ...more]);

  it('makes a project and compiles it', async () => {
    worked(await cli.run(['init', 'project', '--no-interactive', '--copy']));
    cli.project = path.join(cli.dir, 'project');
    cli.link({ nango: cli.home, zod: path.join(cli.home, 'node_modules/zod') });
    worked(await cli.run(['compile', '--no-interactive']), /Compiled/);
  });

  it('deploys it', logged(() => nangod, async () => {
    const answer = await deploy();
    worked(answer, /Successfully deployed the functions/);
    assert.match(answer.output, /\+ github → fetchIssues\s+\(1 impacted connections\)/);
    assert.match(answer.output, /- fetchIssues@v1\.0\.0/);
    assert.match(answer.output, /- createIssue@v1\.0\.0/);
    const [config] = await nango.getScriptsConfig();
    assert.equal(config.providerConfigKey, 'github');
    assert.deepEqual(names(config.syncs), ['fetchIssues']);
    assert.deepEqual(names(config.actions), ['createIssue']);
    assert.deepEqual(names(config['on-events']), ['pre-connection-deletion']);
    const [sync] = config.syncs;
    assert.deepEqual([sync.runs, sync.auto_start, sync.sync_type, sync.returns, sync.sdk_version], ['every hour', true, 'full', ['GithubIssue'], '0.71.10-zero']);
    assert.deepEqual(sync.endpoints, [{ method: 'GET', path: '/example/github/issues', group: 'Issues' }]);
    assert.equal(sync.json_schema.definitions.GithubIssue.properties.id.type, 'string');
  }));

  it('finds its source again', async () => {
    const { code } = await nango.getFunctionCode({ uniqueKey: 'github', name: 'createIssue', type: 'action' });
    assert.equal(code, cli.read('github/actions/createIssue.ts'));
  });

  it('deploys changes as new versions', logged(() => nangod, async () => {
    cli.write('github/actions/createIssue.ts', cli.read('github/actions/createIssue.ts').replace("version: '1.0.0'", "version: '1.0.1'"));
    const answer = await deploy();
    worked(answer, /- createIssue@v1\.0\.1/);
    assert.match(answer.output, /Syncs\s+to create \[ 0 \]\s+to update \[ 1 \]/);
  }));

  it('deploys one action alone, and leaves the others', logged(() => nangod, async () => {
    worked(await deploy('--action', 'createIssue'), /- createIssue@v1\.0\.1/);
    const [config] = await nango.getScriptsConfig();
    assert.deepEqual([names(config.syncs), names(config['on-events'])], [['fetchIssues'], ['pre-connection-deletion']]);
  }));

  it('runs an action dry, and the official client runs it where it was deployed', logged(() => nangod, async () => {
    cli.write('github/actions/greet.ts', `import { createAction } from 'nango';
import * as z from 'zod';
export default createAction({
  description: 'Greets', version: '1.0.0', input: z.object({ name: z.string() }), output: z.object({ text: z.string(), shape: z.string() }),
  exec: async (nango, input) => {
    const connection = await nango.getConnection();
    return { text: \`Hello \${input.name} of \${connection.connection_id}\`, shape: connection.credentials.type };
  },
});
`);
    cli.write('index.ts', `${cli.read('index.ts')}import './github/actions/greet.js';\n`);
    const greeting = { text: 'Hello Ann of c1', shape: 'OAUTH2' };
    worked(await cli.run(['compile', '--no-interactive']), /Compiled/);
    const dry = await cli.run(['dryrun', 'greet', 'c1', '-e', 'dev', '--input', '{"name":"Ann"}', '--no-interactive']);
    worked(dry, /"text": "Hello Ann of c1"/);
    worked(await deploy('--action', 'greet'), /- greet@v1\.0\.0/);
    assert.deepEqual(await nango.triggerAction('github', 'c1', 'greet', { name: 'Ann' }), greeting);
  }));

  it('removes what is no longer there', logged(() => nangod, async () => {
    cli.write('index.ts', cli.read('index.ts').replace(/import '.\/github\/actions\/.*\n/g, ''));
    const answer = await deploy('--allow-destructive');
    worked(answer, /- github → createIssue/);
    const [config] = await nango.getScriptsConfig();
    assert.deepEqual([names(config.syncs), config.actions], [['fetchIssues'], []]);
  }));

  it('says which integration there is none of, and what runs stays', logged(() => nangod, async () => {
    fs.cpSync(cli.file('github'), cli.file('gitlab'), { recursive: true });
    cli.write('index.ts', `${cli.read('index.ts')}import './gitlab/actions/createIssue.js';\n`);
    const { code, output } = await deploy();
    assert.notEqual(code, 0);
    assert.match(output, /"providerConfigKey": "gitlab"/);
    const config = await nango.getScriptsConfig();
    assert.deepEqual([config.length, names(config[0].syncs)], [1, ['fetchIssues']]);
  }));
});

describe('the command line of the 0.36 era', () => {
  const key = 'demo-github-integration'; // of the project that it makes
  let nangod;
  let cli;
  let nango;

  before(async () => {
    nangod = await Daemon.start();
    await integration(nangod, key);
    nango = await client('0.39.33', nangod); // the first that can ask
    cli = new Cli('0.36.101', nangod);
  });

  after(async () => {
    await nangod?.finish();
    cli?.finish();
  });

  it('makes a project and compiles it', async () => {
    worked(await cli.run(['init']), /initialized/);
    cli.project = path.join(cli.dir, 'nango-integrations');
    worked(await cli.run(['generate']));
    worked(await cli.run(['compile']), /Compiled/);
    assert.ok(fs.existsSync(cli.file('dist/github-issue-example.js')));
  });

  it('asks before it deploys', logged(() => nangod, async () => {
    const { output } = await cli.run(['deploy', 'dev'], { input: 'n\n' });
    assert.match(output, /Sync "github-issue-example" is new/);
    assert.match(output, /were not deployed/);
    assert.deepEqual(await nango.getScriptsConfig(), []);
  }));

  it('deploys it', logged(() => nangod, async () => {
    worked(await cli.run(['deploy', 'dev'], { input: 'y\n' }), /Successfully deployed the syncs\/actions: github-issue-example@v1!/);
    const [config] = await nango.getScriptsConfig();
    assert.equal(config.providerConfigKey, key);
    const [sync] = config.syncs;
    assert.deepEqual([sync.name, sync.runs, sync.returns, sync.scopes], ['github-issue-example', 'every half hour', ['GithubIssue'], ['public_repo']]);
    assert.ok(sync.models[0].fields.some(({ name, type }) => name === 'author' && type === 'string'));
    worked(await cli.run(['deploy', 'dev', '--auto-confirm']), /github-issue-example@v2/);
  }));

  it('runs an action dry, and deploys it', logged(() => nangod, async () => {
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: 'c1', credentials: { type: 'OAUTH2', access_token: 't' } } });
    const yaml = cli.read('nango.yaml');
    cli.write('nango.yaml', yaml.replace(`  ${key}:\n`, `  ${key}:\n    greet:\n      type: action\n      returns: Greeting\n`).replace('models:\n', 'models:\n  Greeting:\n    text: string\n'));
    cli.write('greet.ts', `import type { NangoAction, Greeting } from './models';
export default async function runAction(nango: NangoAction, input: { a: number }): Promise<Greeting> {
    const connection = await nango.getConnection();
    return { text: 'Hello ' + connection.connection_id + ' ' + input.a };
}
`);
    worked(await cli.run(['generate']));
    worked(await cli.run(['compile']), /Compiled/);
    worked(await cli.run(['dryrun', 'greet', 'c1', '-e', 'dev', '--input', '{"a":1}']), /Hello c1 1/);
    worked(await cli.run(['deploy', 'dev', '--auto-confirm']), /greet@v1/);
    assert.deepEqual(await nango.triggerAction(key, 'c1', 'greet', { a: 1 }), { text: 'Hello c1 1' });
    cli.write('nango.yaml', yaml);
    fs.rmSync(cli.file('greet.ts'));
  }));

  it('finds the integration of a script by its name', async () => {
    assert.equal(await nangod.must(200, 'GET', '/sync/provider?syncName=github-issue-example'), key);
  });

  it('says what is wrong, and what runs stays', logged(() => nangod, async () => {
    cli.write('nango.yaml', cli.read('nango.yaml').replace(key, 'nope'));
    const { code, output } = await cli.run(['deploy', 'dev', '--auto-confirm']);
    assert.notEqual(code, 0);
    assert.match(output, /unknown_provider_config/);
    const [config] = await nango.getScriptsConfig();
    assert.equal(config.syncs.find(({ name }) => name === 'github-issue-example').version, '3');
  }));
});
