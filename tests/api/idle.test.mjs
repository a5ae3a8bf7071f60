// SPDX-License-Identifier: Apache-2.0
// Clients that hold connections and do nothing, or next to nothing, must not keep others waiting.
//
//   SOAK_IDLE=1 node --test idle.test.mjs     10,000 idle and 2,000 slow clients, not 1,000 and 200

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { RawClient } from './lib/socket.mjs';
import { request } from './lib/http.mjs';
import { World } from './lib/world.mjs';

const soak = Boolean(process.env.SOAK ?? process.env.SOAK_IDLE);
const idle = soak ? 10_000 : 1_000;
const slow = soak ? 2_000 : 200;

let world;
const crowd = [];

before(async () => {
  world = await World.start({ oauth: false, integrations: { key: 'test-key' } });
  await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
});
after(async () => {
  for (const client of crowd) client.finish();
  await world?.finish();
});

// Opens `count` clients, a hundred at a time; `first` is what each says.
async function gather(count, first) {
  for (let left = count; left > 0; left -= 100) {
    const some = await Promise.all(Array.from({ length: Math.min(left, 100) }, () => RawClient.open(world.nangod.port)));
    for (const client of some) {
      const bytes = first();
      if (bytes) client.write(bytes);
    }
    crowd.push(...some);
  }
}

const key = () => `Authorization: Bearer ${world.nangod.keys.secretKey}\r\n`;
const drawls = [
  () => 'GET /connections HTTP/1.1\r\nHos', // the head never ends
  () => `POST /connections HTTP/1.1\r\nHost: a\r\n${key()}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"a`, // nor the body
  () => `POST /proxy/echo/a HTTP/1.1\r\nHost: a\r\n${key()}Provider-Config-Key: key\r\nConnection-Id: c\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab`,
];

describe(`${idle} idle and ${slow} slow clients`, () => {
  it('gather', { timeout: 120_000 }, async () => {
    await gather(idle, () => '');
    let n = 0;
    await gather(slow, () => drawls[n++ % drawls.length]());
    assert.equal(crowd.length, idle + slow);
  });

  it('and a normal client has its answer within a second, each time', async () => {
    const times = [];
    for (let i = 0; i < 50; i++) {
      // The slow ones say one more byte now and then.
      for (const client of crowd.slice(idle + (i % 10) * 10, idle + (i % 10) * 10 + 10)) client.write('a');
      const start = performance.now();
      const call = [
        () => request(world.nangod.base, 'GET', '/health', { via: new http.Agent() }),
        () => world.get('key', 'c'),
        () => world.proxied('key', 'c', '/echo/a'),
        () => world.nangod.api('POST', '/connections/metadata', { body: { connection_id: 'c', provider_config_key: 'key', metadata: { i } } }),
      ][i % 4];
      const answer = await call();
      assert.ok(answer.status === 200 || answer.status === 201, answer.text);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    console.log(`# ${idle} idle, ${slow} slow: median ${times[25].toFixed(1)} ms, longest ${times.at(-1).toFixed(1)} ms`);
    assert.ok(times.at(-1) < 1000, `${times.at(-1)} ms`);
  });

  it('and those who were waiting can still speak', async () => {
    const late = crowd[Math.floor(idle / 2)];
    late.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(await late.answer(), 200);
  });
});
