// SPDX-License-Identifier: Apache-2.0
// What a provider allows is shared: syncs are held back by what other calls have learnt, and leave what is
// left to those that somebody waits for.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Overlay } from './lib/catalogue.mjs';
import { Daemon, logged } from './lib/daemon.mjs';
import { listen, readAll } from './lib/http.mjs';
import { messages, operations } from './lib/logs.mjs';
import { action, deploy, sync } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';

let nangod;
let provider;
let overlay;
const calls = []; // {path, at}
let answer = () => ({});
const test = (name, body) => it(name, { timeout: 60_000 }, logged(() => nangod, body));

const code = (js) => ({ fileBody: { js, ts: 'export default 1;' } });
const get = "exports.default = async (nango) => { await nango.get({ endpoint: '/script', retries: 0 }); return 'done'; };";
const whose = (key, id) => ({ 'Provider-Config-Key': key, 'Connection-Id': id });
const proxied = (key, id) => nangod.api('GET', '/proxy/mine', { headers: whose(key, id) });
const trigger = (key, id) => nangod.must(200, 'POST', '/sync/trigger', { body: { syncs: ['s'], provider_config_key: key, connection_id: id } });
const at = (path, from) => calls.slice(from).filter((call) => call.path === path);

before(async () => {
  provider = await listen(async (req, res) => {
    await readAll(req);
    calls.push({ path: req.url, at: Date.now() });
    const { status = 200, headers = {} } = answer(req.url);
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}');
  });
  const entry = (name, more = '') => `${name}:
    display_name: ${name}
    categories: [other]
    docs: https://example.com/docs
    auth_mode: API_KEY
    proxy:
        base_url: ${provider.base}
${more}`;
  overlay = new Overlay(entry('learnt') + entry('declared', '        rate_limit:\n            requests: 2\n            seconds: 2\n'));
  nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true', ...overlay.setting } });
  for (const key of ['learnt', 'declared']) {
    await nangod.must(200, 'POST', '/integrations', { body: { provider: key, unique_key: key } });
    for (const id of ['c1', 'c2', 'c3']) await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: id, credentials: { type: 'API_KEY', apiKey: 'k' } } });
  }
  await nangod.must(200, 'POST', '/sync/deploy', { body: deploy(['learnt', 'declared'].flatMap((key) => [sync(key, 's', { ...code(get), auto_start: false }), action(key, 'a', code(get))])) });
});
after(async () => {
  await nangod?.finish();
  await provider?.close();
  overlay?.finish();
});

describe('what a provider allows', () => {
  test('holds back a sync after another call was refused, and no call that somebody waits for', async () => {
    answer = (path) => (path === '/mine' && calls.length === 1 ? { status: 429, headers: { 'Retry-After': '2' } } : {});
    const refused = await proxied('learnt', 'c1');
    assert.equal(refused.status, 429, 'whoever asks sees the answer');
    const from = Date.now();
    await trigger('learnt', 'c1');
    await trigger('learnt', 'c2');
    await until("another connection's sync", () => at('/script', 0).length === 1);
    assert.ok(Date.now() - from < 1500);
    assert.equal((await proxied('learnt', 'c1')).status, 200);
    assert.equal((await nangod.must(200, 'POST', '/action/trigger', { headers: whose('learnt', 'c1'), body: { action_name: 'a', input: {} } })), 'done');
    assert.ok(Date.now() - from < 1900, 'at once');
    await until('the sync', () => at('/script', 0).length === 3);
    assert.ok(at('/script', 0)[2].at - from > 1500, 'after what it was told');
    const held = await until('its log', async () => {
      for (const { id } of await operations(nangod, { type: 'sync', connection: 'c1' }))
        for (const { message } of await messages(nangod, id)) if (/^Held back for \d+ ms/.test(message)) return message;
      return undefined;
    });
    assert.match(held, /allows no more calls/);
    assert.match((await nangod.api('GET', '/metrics')).text, /nangod_proxy_held_total [1-9]/);
  });

  test('leaves the rest of a window to those that somebody waits for', async () => {
    answer = () => ({ headers: { 'X-RateLimit-Limit': '10', 'X-RateLimit-Remaining': '1', 'X-RateLimit-Reset': String(Math.ceil(Date.now() / 1000) + 2) } });
    await proxied('learnt', 'c3');
    answer = () => ({});
    const from = calls.length;
    await trigger('learnt', 'c3');
    await proxied('learnt', 'c3');
    const [mine] = at('/mine', from);
    const [script] = await until('the sync', () => (at('/script', from).length > 0 ? at('/script', from) : undefined));
    assert.ok(script.at - mine.at > 1000, `${script.at - mine.at}`);
  });

  test('is as declared where answers do not say', async () => {
    answer = () => ({});
    const from = calls.length;
    const began = Date.now();
    await Promise.all([1, 2, 3].map(() => proxied('declared', 'c1')));
    const times = at('/mine', from).map((call) => call.at - began);
    assert.ok(times[1] < 800 && times[2] > 800, times.join(' '));
  });
});
