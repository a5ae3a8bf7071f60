// SPDX-License-Identifier: Apache-2.0
// `nangod catalog`: what an operator sees who writes entries.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';

import { nangodRun } from './lib/daemon.mjs';

const dir = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'catalog-'));
after(() => fs.rmSync(dir, { recursive: true }));

function file(name, text) {
  const full = path.join(dir, name);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, text);
  return full;
}
const run = (...args) => nangodRun(['catalog', ...args]);

describe('nangod catalog check', () => {
  it('accepts the built-in entries', async () => {
    const { code, stdout } = await run('check');
    assert.equal(code, 0);
    assert.match(stdout, /^ok, \d+ providers\n$/);
  });

  it('names every fault of every file with its line', async () => {
    const one = file('one.yaml', 'a:\n    auth_mode: NOPE\n    proxy:\n        headers: {}\n');
    const two = file('two.yaml', 'b:\n    alias: nowhere\n');
    const { code, stdout } = await run('check', one, two, path.join(dir, 'none.yaml'));
    assert.equal(code, 1);
    assert.deepEqual(stdout.trim().split('\n'), [
      `${one}:2: a: \`auth_mode\`: \`NOPE\`: no such auth_mode`,
      `${one}:3: a: \`proxy\`: \`base_url\` is missing`,
      `${two}:1: b: alias of \`nowhere\`, which does not exist`,
      `${path.join(dir, 'none.yaml')}: No such file or directory`,
    ]);
  });

  it('lays files over the built-in entries, and an overlay directory', async () => {
    const over = file('over/a.yaml', 'mine:\n    alias: github\n');
    const more = file('more.yaml', 'yours:\n    alias: mine\n');
    assert.equal((await run('check', '--overlay', path.dirname(over), more)).code, 0);
    assert.equal((await run('check', more)).code, 1);
  });

  it('warns about unknown keys', async () => {
    const { code, stderr } = await run('check', file('new.yaml', 'a:\n    auth_mode: NONE\n    shiny: 1\n'));
    assert.equal(code, 0);
    assert.match(stderr, /shiny/);
    assert.match(stderr, /new\.yaml/);
  });
});

describe('nangod catalog list', () => {
  it('lists by name, with where an entry comes from', async () => {
    const catalogue = file('two-entries.yaml', 'b:\n    auth_mode: NONE\na:\n    auth_mode: BASIC\n    display_name: A\n');
    const { code, stdout } = await run('list', '--json', '--catalog', catalogue);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), [
      { name: 'a', display_name: 'A', auth_mode: 'BASIC', origin: 'two-entries.yaml' },
      { name: 'b', display_name: 'b', auth_mode: 'NONE', origin: 'two-entries.yaml' },
    ]);
  });
});

describe('nangod catalog explain', () => {
  const explain = async (cases, ...more) => {
    const { code, stdout } = await run('explain', 'proxy', file('cases.json', JSON.stringify(cases)), ...more);
    assert.equal(code, 0);
    return stdout.trim().split('\n').map((line) => JSON.parse(line));
  };

  it('answers each case in its order, unknown entries too', async () => {
    const one = { name: 'github', credentials: { type: 'OAUTH2', access_token: 't' }, request: { method: 'GET', endpoint: '/user' } };
    const lines = await explain([one, { name: 'no-such' }, one]);
    const made = { name: 'github', result: { url: 'https://api.github.com/user', headers: { authorization: 'Bearer t' } } };
    assert.deepEqual(lines, [made, { name: 'no-such', result: { error: 'unknown_provider' } }, made]);
  });

  it('gives the same random values only when frozen', async () => {
    const catalogue = file('random.yaml', "r:\n    auth_mode: NONE\n    proxy:\n        base_url: https://x.test\n        headers:\n            x-r: ${random}\n");
    const one = { name: 'r', credentials: {}, request: {} };
    const frozen = await explain([one], '--frozen', '--catalog', catalogue);
    assert.equal(frozen[0].result.headers['x-r'], '00000000-0000-4000-8000-000000000001');
    const free = await explain([one, one], '--catalog', catalogue);
    assert.match(free[0].result.headers['x-r'], /^[0-9a-f-]{36}$/);
    assert.notEqual(free[0].result.headers['x-r'], free[1].result.headers['x-r']);
  });

  it('refuses other kinds and broken files', async () => {
    assert.equal((await run('explain', 'nonsense', file('x.json', '[]'))).code, 2);
    assert.equal((await run('explain', 'proxy', file('y.json', '{'))).code, 1);
    assert.equal((await run('explain', 'proxy', path.join(dir, 'none.json'))).code, 1);
    assert.equal((await run('nonsense')).code, 2);
    assert.equal((await run('list', '--nonsense')).code, 2);
  });
});
