// SPDX-License-Identifier: Apache-2.0
// Bodies through the proxy: any size in constant memory, both ways, and what happens when one of the
// two ends stops or leaves.
//
//   SOAK=1 node --test streaming.test.mjs     bodies of 1 GB, not 64 MB

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { RawClient } from './lib/socket.mjs';
import { deferred, inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const MB = 1 << 20;
const size = (process.env.SOAK ? 1024 : 64) * MB;
const bound = 64; // MB of resident memory

let world;
let provider;
const seen = {}; // what the provider noticed, by path

// A provider that streams, swallows, stops and notices.
async function startProvider() {
  const server = http.createServer(async (req, res) => {
    const path = new URL(req.url, 'http://p').pathname;
    const note = (seen[path] ??= { arrived: deferred(), left: deferred() });
    note.headers = req.headers;
    note.arrived.resolve();
    res.on('close', () => res.writableEnded || note.left.resolve());
    req.on('error', () => {});
    if (path === '/sink') {
      const hash = crypto.createHash('sha256');
      let length = 0;
      for await (const piece of req) {
        hash.update(piece);
        length += piece.length;
      }
      res.end(JSON.stringify({ length, sha256: hash.digest('hex') }));
    } else if (path === '/stop') {
      res.writeHead(200, { 'content-length': '1000000' });
      res.write('x'.repeat(1000), () => res.destroy());
    } else if (path.startsWith('/forever')) {
      res.writeHead(200, { 'content-type': 'application/octet-stream' });
      const piece = Buffer.alloc(MB, 'f');
      const more = () => {
        while (!res.destroyed && res.write(piece));
      };
      res.on('drain', more);
      more();
    } else if (path === '/never') {
      // no answer at all
    } else {
      res.end('{}');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, base: `http://127.0.0.1:${server.address().port}` };
}

before(async () => {
  provider = await startProvider();
  world = await World.start({ oauth: false, integrations: { key: 'test-key' } });
  await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
});
after(async () => {
  try {
    await world?.finish();
  } finally {
    provider?.server.closeAllConnections();
    provider?.server.close();
  }
});

function open(method, target, { headers = {}, base = provider.base } = {}) {
  return http.request(`${world.nangod.base}/proxy${target}`, {
    method,
    agent: false,
    headers: {
      Authorization: `Bearer ${world.nangod.keys.secretKey}`,
      'Provider-Config-Key': 'key',
      'Connection-Id': 'c',
      ...(base && { 'Base-Url-Override': base }),
      ...headers,
    },
  });
}
const answerOf = (req) => new Promise((resolve, reject) => req.on('response', resolve).on('error', reject));

const residentMB = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${world.nangod.child.pid}/status`, 'utf8'))[1]) / 1024;

// Calls `work`, and returns the most memory that the daemon had meanwhile.
async function peak(work) {
  let most = residentMB();
  const timer = setInterval(() => {
    most = Math.max(most, residentMB());
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, residentMB());
}

// Sanitizers keep what was freed: there the memory says nothing.
const measurable = () => !world.nangod.sanitized;

describe(`bodies of ${size / MB} MB`, () => {
  it('come down whole, in constant memory', async (t) => {
    let length = 0;
    const most = await peak(async () => {
      const req = open('GET', `/large/${size}`, { base: world.echo.base });
      req.end();
      const res = await answerOf(req);
      assert.equal(res.statusCode, 200);
      assert.equal(res.headers['content-length'], String(size));
      for await (const piece of res) length += piece.length;
    });
    assert.equal(length, size);
    t.diagnostic(`at most ${most.toFixed(0)} MB`);
    if (measurable()) assert.ok(most < bound, `${most} MB`);
  });

  it('go up whole, in constant memory', async (t) => {
    const piece = crypto.randomBytes(MB);
    const hash = crypto.createHash('sha256');
    let answer;
    const most = await peak(async () => {
      const req = open('POST', '/sink', { headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': size } });
      const coming = answerOf(req);
      for (let sent = 0; sent < size; sent += piece.length) {
        hash.update(piece);
        if (!req.write(piece)) await new Promise((resolve) => req.once('drain', resolve));
      }
      req.end();
      const res = await coming;
      let text = '';
      for await (const part of res) text += part;
      answer = JSON.parse(text);
    });
    assert.deepEqual(answer, { length: size, sha256: hash.digest('hex') });
    t.diagnostic(`at most ${most.toFixed(0)} MB`);
    if (measurable()) assert.ok(most < bound, `${most} MB`);
  });

  it('a client that reads nothing holds the provider back', async (t) => {
    const most = await peak(async () => {
      const req = open('GET', '/forever-slow');
      req.end();
      const res = await answerOf(req);
      res.pause();
      let before = -1;
      // Waits until nothing moves any more.
      await until('the stream to stand still', () => {
        const now = res.socket.bytesRead;
        const still = now === before;
        before = now;
        return still;
      }, { every: 200 });
      req.destroy();
    });
    t.diagnostic(`at most ${most.toFixed(0)} MB`);
    if (measurable()) assert.ok(most < bound, `${most} MB`);
  });
});

describe('with little memory for bodies', () => {
  let small;
  let holder;
  const post = (lines, length) =>
    `POST ${lines[0]} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${small.nangod.keys.secretKey}\r\n${lines.slice(1).map((line) => `${line}\r\n`).join('')}Content-Length: ${length}\r\n\r\n`;
  const metadata = () => small.nangod.api('POST', '/connections/metadata', { body: { provider_config_key: 'key', connection_id: 'c', metadata: { a: 'x'.repeat(50_000) } } });
  const sink = (type, body) => small.proxied('key', 'c', '/sink', { method: 'POST', headers: { 'Base-Url-Override': provider.base, 'Content-Type': type }, body });

  before(async () => {
    small = await World.start({ oauth: false, integrations: { key: 'test-key' }, settings: { 'http.body_memory': '100k', 'http.body_limit': '90k' } });
    await small.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    await until('the first body to be held', async () => {
      if (!holder || holder.text) { // the other one came first, and it was refused itself
        holder?.finish();
        holder = await RawClient.open(small.nangod.port);
        holder.write(post(['/connections/metadata', 'Content-Type: application/json'], 80_000) + ' '.repeat(60_000));
      }
      return (await metadata()).status === 503;
    });
  });
  after(async () => {
    holder?.finish();
    await small?.finish();
  });

  it('a further body is refused for now', async () => {
    const answer = await metadata();
    assert.equal(answer.status, 503);
    assert.equal(answer.body.error.code, 'server_busy');
    assert.equal(answer.headers['retry-after'], '1');
  });

  it('so is a proxied form, which must be whole', async () => {
    const answer = await sink('application/x-www-form-urlencoded', `a=${'x'.repeat(50_000)}`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers['retry-after'], '1');
  });

  it('what need not be whole is streamed', async () => {
    const answer = await sink('text/plain', 'x'.repeat(50_000));
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.text).length, 50_000);
  });

  it('and when the first is gone there is room again', async () => {
    holder.finish();
    await until('room', async () => (await metadata()).status === 201);
  });
});

describe('one end leaves', () => {
  it('a client that leaves before the answer cancels the call', async () => {
    const req = open('GET', '/never');
    req.on('error', () => {});
    req.end();
    await inTime('the call', until('the call', () => seen['/never']));
    await inTime('the call', seen['/never'].arrived.promise);
    req.destroy();
    await inTime('the provider to notice', seen['/never'].left.promise);
  });

  it('a client that leaves in the middle of the answer cancels the call', async () => {
    const req = open('GET', '/forever-left');
    req.on('error', () => {});
    req.end();
    const res = await answerOf(req);
    await new Promise((resolve) => res.once('data', resolve));
    req.destroy();
    await inTime('the provider to notice', seen['/forever-left'].left.promise);
  });

  it('a provider that stops in the middle gives the client a failed transfer, not a short one', async () => {
    const req = open('GET', '/stop');
    req.end();
    const res = await answerOf(req);
    assert.equal(res.statusCode, 200);
    await assert.rejects(async () => {
      for await (const piece of res) void piece;
    }, /aborted|ECONNRESET|terminated/);
  });

  it('afterwards nothing is left in progress', async () => {
    await until('no call in progress', async () => {
      const { text } = await world.nangod.api('GET', '/metrics');
      return /nangod_upstream_calls_in_flight 0\n/.test(text);
    });
  });
});

describe('where calls may go', () => {
  it('by default neither loopback nor private addresses, however they are written', async () => {
    const guarded = await World.start({ oauth: false, echo: false, integrations: {}, settings: { 'outbound.allow_private': 'false' } });
    try {
      await guarded.nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'any' } });
      await guarded.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'any', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
      const port = new URL(provider.base).port;
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '017700000001', '[::ffff:127.0.0.1]', '10.0.0.1', '192.168.1.1', '169.254.169.254', 'metadata.google.internal.', '127.0.0.1.']) {
        const answer = await guarded.proxied('any', 'c', '/x', { headers: { 'Base-Url-Override': `http://${host}:${port}` } });
        assert.equal(answer.status, 400, `${host}: ${answer.status}`);
        assert.equal(answer.body.error.code, 'base_url_override_not_allowed', host);
      }
      assert.equal(seen['/x'], undefined, 'the provider was never reached');
    } finally {
      await guarded.finish();
    }
  });
});
