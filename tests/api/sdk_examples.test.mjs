// SPDX-License-Identifier: Apache-2.0
// The programs of examples/ and the README's, as they are built: against a real nangod where it has
// the routes, else against a listener that gives recorded answers. Each has to end with 0, which under
// the sanitizers also says that it left no memory behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { binary, logged, scratch } from './lib/daemon.mjs';
import { listen, readAll } from './lib/http.mjs';
import { inTime } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const programs = path.join(path.dirname(binary), 'examples');
const sanitized = ['ASAN_OPTIONS', 'TSAN_OPTIONS', 'UBSAN_OPTIONS'].some((name) => process.env[name]);

// Runs a program to its end: its lines, and standard error as `complaints`.
async function run(name, args, { base, key, input = '', code = 0, limit = [] }) {
  const line = [...limit, path.join(programs, name), ...args];
  const child = spawn(line[0], line.slice(1), { env: { ...process.env, NANGO_HOSTPORT: base, NANGO_SECRET_KEY: key } });
  child.stdin.on('error', () => {}); // it need not read its input
  child.stdin.end(input);
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', (status, signal) => resolve(status ?? signal)));
  const [out, complaints, status] = await inTime(`${name} to end`, Promise.all([readAll(child.stdout), readAll(child.stderr), ended]), 30_000)
    .finally(() => child.kill('SIGKILL'));
  assert.equal(status, code, `${name} ended with ${status}:\n${complaints}\n${out}`);
  return Object.assign(out.toString('utf8').split('\n').slice(0, -1), { complaints: complaints.toString('utf8') });
}

describe('examples against nangod', () => {
  let world;
  const example = (name, args, options = {}) => run(name, args, { base: world.nangod.base, key: world.nangod.keys.secretKey, ...options });
  const test = (name, body) => it(name, logged(() => world.nangod, body));
  const grants = {};

  before(async () => {
    world = await World.start({ integrations: { oauth: 'test-oauth', key: 'test-key', basic: 'test-basic', none: 'test-none' } });
    await world.integration('oauth1', 'test-oauth1', { credentials: { type: 'OAUTH1', client_id: 'ck', client_secret: 'cs' } });
    const put = (integration, credentials, more = {}) =>
      world.nangod.must(201, 'POST', '/connections', {
        body: { provider_config_key: integration, connection_id: `example-${integration}`, credentials, ...more },
      });
    await put('key', { type: 'API_KEY', apiKey: 'k-1' }, { end_user: { id: 'user-1' } });
    await put('basic', { type: 'BASIC', username: 'ann', password: 'pässword' });
    await put('none', { type: 'NONE' });
    await put('oauth1', { type: 'OAUTH1', oauth_token: 'ot', oauth_token_secret: 'ots' });
    for (const id of ['example-oauth', 'example-two', 'example-three']) {
      grants[id] = await world.connect('oauth', id, { expiresAt: '2099-01-01T00:00:00.000Z' });
    }
    await world.nangod.setVariable('BOT_TOKEN', 'abc');
    await world.nangod.setVariable('unicode', 'é ☃');
  });
  after(() => world?.finish());

  test("the README's first program prints the access token", async () => {
    assert.deepEqual([...await example('readme_token', ['oauth', 'example-oauth'])], [grants['example-oauth'].access_token]);
    const nothing = await example('readme_token', ['oauth', 'nobody'], { code: 1 });
    assert.match(nothing.complaints, /404/);
    assert.match((await example('readme_token', [], { code: 1 })).complaints, /^usage: /);
  });

  test('client', async () => {
    const found = await example('client', ['key', 'example-key']);
    assert.match(found[0], /^libnango \d+\.\d+\.\d+ calls http:\/\/127\.0\.0\.1:\d+$/);
    assert.match(found[1], /^made \d{4}-\d\d-\d\dT/);
    assert.equal(found[2], 'own memory was used');
    assert.match(found.complaints, /debug: .*GET/);
    assert.doesNotMatch(found.complaints, new RegExp(world.nangod.keys.secretKey));

    assert.equal((await example('client', ['key', 'nobody']))[1], 'refused: 404 not_found');
    const { base, close } = await listen(() => {});
    await close(); // nobody is there any more
    assert.match((await example('client', ['key', 'example-key'], { base }))[1], /^failed: NANGO_E_CONNECT: /);
    assert.match((await example('client', ['key', 'example-key'], { key: '', code: 1 })).complaints, /key/i);
  });

  test('token', async () => {
    assert.deepEqual([...await example('token', ['oauth', 'example-oauth'])], [
      'kind: OAUTH2', `access token: ${grants['example-oauth'].access_token}`, `expires: ${Date.parse('2099-01-01T00:00:00.000Z')}`, 'raw scope: none',
    ]);
    assert.deepEqual([...await example('token', ['key', 'example-key'])], ['kind: API_KEY', 'key: k-1', 'raw scope: none']);
    assert.deepEqual([...await example('token', ['basic', 'example-basic'])], ['kind: BASIC', 'user: ann', 'password: pässword', 'raw scope: none']);
    assert.deepEqual([...await example('token', ['none', 'example-none'])], ['kind: NONE', 'raw scope: none']);
    assert.deepEqual([...await example('token', ['oauth1', 'example-oauth1'])], ['kind: OAUTH1', 'token: ot', 'secret: ots', 'raw scope: none']);
  });

  test('connections', async () => {
    assert.deepEqual([...await example('connections', ['key', 'made-by-example', 'k-2'])], [
      'made made-by-example of test-key', 'plan: platinum, end user: user-of-example, errors: 0', 'listed: made-by-example', 'deleted made-by-example',
    ]);
    assert.equal((await world.get('key', 'made-by-example')).status, 404);
  });

  test('integrations', async () => {
    const lines = await example('integrations', ['github', 'made-by-example', 'cid', 'csecret']);
    assert.deepEqual(lines.slice(0, 3), ['made made-by-example, Example', 'client cid, scopes read,write', 'now Example, renamed']);
    assert.ok(lines.includes('listed: made-by-example (github)'), lines.join('\n'));
    assert.ok(lines.includes('listed: key (test-key)'), lines.join('\n'));
    assert.equal(lines.at(-1), 'deleted made-by-example');
  });

  test('metadata', async () => {
    const language = 'a "quoted" \\ é ☃';
    assert.deepEqual([...await example('metadata', ['key', 'example-key', language])], [`language: ${language}`, 'seats: 6']);
    assert.deepEqual((await world.get('key', 'example-key')).body.metadata, { language, seats: 6 });
  });

  test('connect_session', async () => {
    const lines = await example('connect_session', ['user-1', 'key', 'example-key']);
    assert.match(lines[0], /^token: nango_connect_session_[0-9a-f]{64}$/);
    assert.match(lines[1], /^until: \d{4}-/);
    assert.match(lines[3], /^token to reconnect: nango_connect_session_[0-9a-f]{64}$/);
    const session = await world.nangod.api('GET', '/connect/session', { key: lines[0].slice('token: '.length) });
    assert.equal(session.status, 200);
    assert.match(session.text, /"Ann"/);
  });

  test('proxy', async () => {
    const from = world.echo.calls.length;
    const lines = await example('proxy', ['key', 'example-key', '/echo/x?q=old&kept=1']);
    const [get, post] = world.echo.calls.slice(from);
    assert.equal(lines[0], 'GET: 200 application/json');
    assert.equal(lines[1], `url: ${get.url}`);
    const query = new URL(get.url, 'http://echo.invalid').searchParams;
    assert.deepEqual([...query].sort(), [['kept', '1'], ['page', '2'], ['q', 'a b&c']]);
    assert.equal(get.headers['x-api-key'], 'k-1');
    assert.equal(get.headers['x-example'], '1');
    assert.equal(post.method, 'POST');
    assert.deepEqual(JSON.parse(post.body), { title: 'from C' });
    assert.deepEqual(JSON.parse(lines[2].slice('POST: '.length)).body, post.body);
    assert.match(lines[3], /^refused: 404 \{"status":404/);
  });

  test('proxy_stream writes 200 MB to a file in little memory', async () => {
    const size = 200 << 20;
    const dir = scratch('nango-example');
    const file = path.join(dir, 'large');
    try {
      const lines = await example('proxy_stream', ['key', 'example-key', `/large/${size}`, file], { limit: sanitized ? [] : ['prlimit', `--data=${48 << 20}`] });
      assert.deepEqual([...lines], [`status: 200, announced: ${size}`, `${size} bytes`]);
      assert.equal(fs.statSync(file).size, size);
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  });

  test('variables', async () => {
    assert.deepEqual([...await example('variables', [])], ['BOT_TOKEN=abc', 'unicode=é ☃']);
    assert.deepEqual([...await example('variables', ['unicode'])], ['é ☃']);
    assert.deepEqual([...await example('variables', ['nothing'])], ['(not set)']);
  });

  test('webhooks', async () => {
    const body = JSON.stringify({ from: 'nango', type: 'auth', text: 'é\u0000"' });
    const signature = crypto.createHmac('sha256', world.nangod.keys.secretKey).update(body).digest('hex');
    assert.deepEqual([...await example('webhooks', [signature], { input: body })], ['genuine', 'type: auth']);
    assert.deepEqual([...await example('webhooks', [signature], { input: `${body} ` })], ["not the server's"]);
    assert.deepEqual([...await example('webhooks', [''], { input: body })], ["not the server's"]);
  });

  test('providers', async () => {
    const lines = await example('providers', ['git', 'github']);
    assert.ok(lines.includes('found: github'), lines.join('\n'));
    assert.deepEqual(lines.slice(-2), ['token endpoint: https://github.com/login/oauth/access_token', 'templates: 0']);
    assert.match(lines.at(-3), /^GitHub.*: OAUTH2$/);
  });

  for (const loop of ['loop_epoll', 'loop_uv', 'loop_libev', 'loop_libevent']) {
    it(loop, logged(() => world.nangod, async () => {
      const ids = Object.keys(grants);
      const lines = await example(loop, ['oauth', ...ids, 'nobody', ...ids]);
      assert.equal(lines.length, ids.length * 2 + 1, lines.join('\n'));
      for (const id of ids) assert.equal(lines.filter((line) => line === `${id}: ${grants[id].access_token}`).length, 2, lines.join('\n'));
      assert.equal(lines.filter((line) => /^nobody: .*404/.test(line)).length, 1, lines.join('\n'));
    }));
  }

  for (const strain of ['strain_epoll', 'strain_uv', 'strain_libev', 'strain_libevent']) {
    it(`${strain}: closing connections, time limits, pauses, a loop let go of`, async () => {
      const large = Buffer.alloc(16 << 20, 'x');
      const { base, close } = await listen((req, res) => {
        if (req.url === '/proxy/hold') return;
        if (req.url === '/proxy/close') res.setHeader('connection', 'close');
        res.end(req.url === '/proxy/large' ? large : '{}');
      });
      try {
        assert.equal((await run(strain, [], { base, key: 'k' })).complaints, '');
      } finally {
        await close();
      }
    });
  }

  it('every program of examples/ is tested here', () => {
    const all = fs.readdirSync(path.join(here, '../../examples')).filter((name) => name.endsWith('.c')).map((name) => name.slice(0, -2));
    const source = fs.readFileSync(fileURLToPath(import.meta.url), 'utf8');
    assert.deepEqual(all.filter((name) => !source.includes(`'${name}'`)), []);
  });
});

// Gives the answers of recorded exchanges, in order, and judges what was asked.
class Recorded {
  static async start(steps) {
    const self = new Recorded();
    self.steps = steps.map(([area, name, method, target]) => {
      const all = JSON.parse(fs.readFileSync(path.join(here, `../data/recordings/${area}.json`), 'utf8'));
      const entry = all.find((candidate) => candidate.name === name);
      assert.ok(entry, `${area}: no recording "${name}"`);
      return { method, target, response: entry.response };
    });
    self.bodies = [];
    self.faults = [];
    self.server = await listen(async (req, res) => {
      const body = (await readAll(req)).toString('utf8');
      const step = self.steps.shift();
      const asked = `${req.method} ${req.url}`;
      if (!step || asked !== `${step.method} ${step.target}`) self.faults.push(`${asked} instead of ${step?.method} ${step?.target}`);
      if (req.headers.authorization !== 'Bearer recorded-key') self.faults.push(`${asked}: ${req.headers.authorization}`);
      self.bodies.push(body === '' ? undefined : JSON.parse(body));
      res.writeHead(step?.response.status ?? 500, { 'content-type': step?.response.headers['content-type'] ?? 'text/plain' });
      res.end(JSON.stringify(step?.response.body ?? null).replaceAll('<uuid>', '6f1ed002-ab5e-4e5e-8b5e-0d9d0f4a6f10').replaceAll('<cursor>', `cursor+${self.bodies.length}=`));
    });
    return self;
  }

  async run(name, args) {
    try {
      const lines = await run(name, args, { base: this.server.base, key: 'recorded-key' });
      assert.deepEqual(this.faults, []);
      assert.equal(this.steps.length, 0, 'requests that were not made');
      return [...lines];
    } finally {
      await this.server.close();
    }
  }
}

describe('examples against recorded answers', () => {
  it('syncs', async () => {
    const server = await Recorded.start([
      ['sync-control', 'trigger: opts reset', 'POST', '/sync/trigger'],
      ['sync-control', 'pause', 'POST', '/sync/pause'],
      ['sync-control', 'start', 'POST', '/sync/start'],
      ['sync-control', 'status: right after trigger', 'GET', '/sync/status?syncs=items&provider_config_key=rec-api&connection_id=rec-c1'],
      ['sync-control', 'frequency: set', 'PUT', '/sync/update-connection-frequency'],
      ['sync-control', 'variant create', 'POST', '/sync/items/variant/v1'],
      ['sync-control', 'variant delete', 'DELETE', '/sync/items/variant/v1'],
    ]);
    assert.deepEqual(await server.run('syncs', ['rec-api', 'rec-c1', 'items', 'Item']), [
      'items (base): SUCCESS, every 1 hour', 'records: 3', 'last run: 3 added, 0 updated, 0 deleted', 'now every 2 hours', 'variant made and deleted',
    ]);
    assert.deepEqual(server.bodies[0], { syncs: ['items'], provider_config_key: 'rec-api', connection_id: 'rec-c1', opts: { reset: true } });
    assert.deepEqual(server.bodies[4], { sync_name: 'items', provider_config_key: 'rec-api', connection_id: 'rec-c1', frequency: 'every 2 hours' });
    assert.deepEqual(server.bodies[6], { provider_config_key: 'rec-api', connection_id: 'rec-c1' });
  });

  it('records', async () => {
    const server = await Recorded.start([
      ['records', 'limit 1', 'GET', '/records/?model=Item&limit=1'],
      ['records', 'limit 1', 'GET', '/records/?model=Item&limit=1'],
      ['records', 'second page', 'GET', '/records/?model=Item&limit=1&cursor=cursor%2B2%3D'],
      ['records', 'cursor of a record', 'GET', '/records/?model=Item&limit=1&cursor=cursor%2B3%3D'],
      ['records', 'prune', 'PATCH', '/records/prune'],
    ]);
    assert.deepEqual(await server.run('records', ['rec-api', 'rec-c1', 'Item']), [
      'first page: 1, there are more', '1 ADDED, n=1', '2 UPDATED, n=22', '3 DELETED, n=-1', 'pruned: 1',
    ]);
    assert.deepEqual(server.bodies[4], { model: 'Item', until_cursor: 'cursor+4=' });
  });

  it('actions', async () => {
    const id = '6f1ed002-ab5e-4e5e-8b5e-0d9d0f4a6f10';
    const steps = [
      ['actions', 'run: default', 'POST', '/action/trigger'],
      ['actions', 'run: async', 'POST', '/action/trigger'],
      ['actions', 'result: done', 'GET', `/action/${id}`],
    ];
    const server = await Recorded.start(steps);
    const lines = await server.run('actions', ['rec-api', 'rec-c1', 'act', '{"mode":"default"}']);
    assert.deepEqual(lines, ['returned: {"ok":true,"input":{"mode":"default"}}', `started: ${id}`, 'returned later: "text"']);
    assert.deepEqual(server.bodies[0], { action_name: 'act', input: { mode: 'default' } });

    const early = await Recorded.start([...steps.slice(0, 2), ['actions', 'result: at once', 'GET', `/action/${id}`]]);
    assert.equal((await early.run('actions', ['rec-api', 'rec-c1', 'act', '{"mode":"default"}']))[2], 'not ready yet');
  });

  it('scripts', async () => {
    const server = await Recorded.start([
      ['scripts-config', 'config', 'GET', '/scripts/config?format=nango'],
      ['scripts-config', 'config openai, deployed', 'GET', '/scripts/config?format=openai'],
    ]);
    const lines = await server.run('scripts', []);
    assert.ok(lines.includes('actions: act of rec-api, version 2'), lines.join('\n'));
    assert.match(lines.at(-1), /^tools: [1-9]\d*$/);
  });

  it('functions', async () => {
    const server = await Recorded.start([
      ['scripts-config', 'functions list', 'GET', '/integrations/rec-api/functions?limit=100'],
      ['scripts-config', 'function', 'GET', '/integrations/rec-api/functions/items'],
      ['scripts-config', 'function code', 'GET', '/integrations/rec-api/functions/items/code'],
      ['scripts-config', 'function delete, from deploy', 'DELETE', '/integrations/rec-api/functions/items?type=sync'],
    ]);
    const lines = await server.run('functions', ['rec-api', 'items', 'sync']);
    assert.ok(lines.includes('action act'), lines.join('\n'));
    assert.ok(lines.includes('sync items'), lines.join('\n'));
    assert.deepEqual(lines.slice(-3), ['runs: every 1 hour', 'code: // a', 'not deleted: function_managed_by_deploy']);
  });
});
