// SPDX-License-Identifier: Apache-2.0
// What `make run` starts: the demo provider, and a page of instructions that work as they are printed,
// by copy and paste.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Browser } from './lib/browser.mjs';
import { Daemon, encryptionKey, nangodRun, scratch } from './lib/daemon.mjs';
import { until } from './lib/wait.mjs';

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));

let nangod;
let browser;
let link;
let shell; // the lines to paste into one
const dir = scratch('nangod-demo');

before(async () => {
  nangod = await Daemon.start({ args: ['--demo'] });
  await until('the instructions', () => nangod.out.includes('node demo.mjs'));
  browser = new Browser();
  link = /^ {3}(http:\/\/\S+)$/m.exec(nangod.out)[1];
  const from = nangod.out.indexOf('export NANGO_SECRET_KEY');
  shell = nangod.out.slice(from).replace(/^\d\. .*$/gm, '');
});
after(async () => {
  await nangod?.finish();
  fs.rmSync(dir, { recursive: true, force: true });
});

const paste = async (lines) => (await run('bash', ['-euc', lines], { cwd: dir, env: { ...process.env, NANGO_ENCRYPTION_KEY: encryptionKey } })).stdout;

// Follows the link to the provider's page, and one of the answers there.
async function decide(answer) {
  const page = await browser.open(link);
  assert.equal(page.status, 200);
  const choice = new RegExp(`href="([^"]*answer=${answer}[^"]*)"`).exec(page.text)[1].replaceAll('&amp;', '&');
  return browser.open(new URL(choice, page.url).href);
}

describe('the demo', () => {
  it('someone who refuses is told so, and nothing is connected', async () => {
    const page = await decide('deny');
    assert.equal(page.status, 400);
    assert.match(page.text, /access_denied/);
    assert.deepEqual((await nangod.api('GET', '/connections')).body.connections, []);
  });

  it('someone who allows is connected', async () => {
    const page = await decide('allow');
    assert.equal(page.status, 200);
    const { connections } = (await nangod.api('GET', '/connections')).body;
    assert.deepEqual(connections.map((one) => [one.connection_id, one.provider_config_key]), [['demo-account', 'demo']]);
  });

  it('the curl line answers', async () => {
    const answer = JSON.parse(await paste(shell.slice(0, shell.indexOf('cat > demo.mjs'))));
    assert.equal(answer.page, 2);
    assert.equal(answer.contacts.length, 5);
  });

  it('the program with the official client answers', async () => {
    fs.mkdirSync(path.join(dir, 'node_modules/@nangohq'), { recursive: true });
    fs.symlinkSync(path.join(here, 'node_modules/nango-0.71.10'), path.join(dir, 'node_modules/@nangohq/node'));
    const text = await paste(shell.replace(/^curl[^\n]*\\\n.*$/m, ''));
    assert.match(text, /id: 1, name: 'Ada'/);
  });

  it('its tokens rotate: refreshed, the old refresh token is void', async () => {
    const before_ = await nangod.must(200, 'GET', '/connections/demo-account?provider_config_key=demo&refresh_token=true');
    const after_ = await nangod.must(200, 'GET', '/connections/demo-account?provider_config_key=demo&refresh_token=true&force_refresh=true');
    assert.notEqual(after_.credentials.access_token, before_.credentials.access_token);
    assert.notEqual(after_.credentials.refresh_token, before_.credentials.refresh_token);
  });
});

describe('without --demo', () => {
  it('there is no demo provider', async () => {
    const { stdout } = await nangodRun(['catalog', 'list', '--json']);
    assert.ok(!JSON.parse(stdout).some((row) => row.name === 'demo'));
  });
});
