// SPDX-License-Identifier: Apache-2.0
// Providers that speak HTTP badly, on purpose or not, and callers who make the most of the proxy.
// The provider writes raw bytes: what a careful HTTP library would never send.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';

import { Overlay } from './lib/catalogue.mjs';
import { logged } from './lib/daemon.mjs';
import { deferred, inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const MB = 1 << 20;

// Listens for raw connections; `play(socket, request)` is called for each complete request head with
// its text; bytes of a body are in request.body as far as they came.
class Raw {
  static async start() {
    const self = new Raw();
    self.connections = 0;
    self.requests = [];
    self.plays = new Map();
    self.sockets = new Set();
    self.server = net.createServer((socket) => self.serve(socket));
    await new Promise((resolve) => self.server.listen(0, '127.0.0.1', resolve));
    self.port = self.server.address().port;
    self.base = `http://127.0.0.1:${self.port}`;
    return self;
  }

  serve(socket) {
    this.connections += 1;
    this.sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    let text = '';
    let current;
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        if (current && !/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(text)) {
          current.body += text;
          text = '';
          current.more?.();
          return;
        }
        if (end < 0) return;
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        const [, method, target] = /^(\S+) (\S+)/.exec(head);
        current = { method, target, head, body: '', socket, field: (name) => new RegExp(`^${name}: (.*)$`, 'mi').exec(head)?.[1] };
        this.requests.push(current);
        this.plays.get(target.split('?')[0])?.(socket, current);
      }
    });
  }

  on(path, play) {
    this.plays.set(path, play);
    return path;
  }

  at(path) {
    return this.requests.filter((request) => request.target.split('?')[0] === path);
  }

  finish() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

let world;
let raw;
let overlay;
let names = 0;
const path = () => `/h${++names}`;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  raw = await Raw.start();
  overlay = new Overlay(`h-key:
    display_name: Hostile
    categories: [other]
    docs: https://example.com/docs
    auth_mode: API_KEY
    proxy:
        base_url: ${raw.base}
        headers:
            x-api-key: \${apiKey}
h-body:
    display_name: With a body of its own
    categories: [other]
    docs: https://example.com/docs
    auth_mode: API_KEY
    proxy:
        base_url: ${raw.base}
        body:
            key: \${apiKey}
h-cert:
    display_name: With a client certificate
    categories: [other]
    docs: https://example.com/docs
    auth_mode: OAUTH2_CC
    token_url: ${raw.base}/token
    require_client_certificate: true
    proxy:
        base_url: ${raw.base}
h-checked:
    display_name: Whose credentials are tried
    categories: [other]
    docs: https://example.com/docs
    auth_mode: API_KEY
    proxy:
        base_url: ${raw.base}
        verification:
            method: GET
            endpoints: [/check]
            headers:
                x-check: \${apiKey}
                x-plain: always
h-oauth:
    display_name: Whose token endpoint moved
    categories: [other]
    docs: https://example.com/docs
    auth_mode: OAUTH2
    authorization_url: ${raw.base}/authorize
    token_url: ${raw.base}/token
    proxy:
        base_url: ${raw.base}
`);
  world = await World.start({ oauth: false, echo: false, settings: overlay.setting });
  for (const key of ['h-key', 'h-body']) {
    await world.integration(key, key);
    await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'key-1' } } });
  }
});
after(async () => {
  await world?.finish();
  raw?.finish();
  overlay?.finish();
});

const call = (method, target, { key = 'h-key', ...options } = {}) => world.proxied(key, 'c', target, { method, ...options });
const reply = (socket, head, body = '') => socket.write(`HTTP/1.1 ${head}\r\n\r\n${body}`);
const residentMB = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${world.nangod.child.pid}/status`, 'utf8'))[1]) / 1024;
// Sanitizers keep what was freed: there the memory says nothing.
const measurable = () => !world.nangod.sanitized;

function open(method, target, { headers = {}, key = 'h-key', agent = false } = {}) {
  const req = http.request(`${world.nangod.base}/proxy${target}`, {
    method,
    agent,
    headers: { Authorization: `Bearer ${world.nangod.keys.secretKey}`, 'Provider-Config-Key': key, 'Connection-Id': 'c', ...headers },
  });
  req.answer = new Promise((resolve, reject) => req.on('response', resolve).on('error', reject));
  req.answer.catch(() => {});
  return req;
}

describe('answers that are none', () => {
  test('another protocol, unasked: a failed call, made once', async () => {
    const target = raw.on(path(), (socket) => reply(socket, '101 Switching Protocols\r\nUpgrade: x', 'y'.repeat(200_000)));
    const answer = await call('POST', target, { headers: { 'Content-Type': 'text/plain' }, body: 'x' });
    assert.equal(answer.status, 500);
    assert.equal(answer.body.code, 'ERR_NETWORK');
    assert.notEqual(answer.body.message, '');
    assert.equal(raw.at(target).length, 1);
  });

  test('two lengths', async () => {
    const target = raw.on(path(), (socket) => reply(socket, '200 OK\r\nContent-Length: 2\r\nContent-Length: 3', 'abc'));
    const answer = await call('GET', target);
    assert.equal(answer.status, 500);
    assert.equal(answer.body.code, 'ERR_NETWORK');
  });

  test('a length beside chunks: the chunks count', async () => {
    for (const length of [10, 40_000]) {
      const target = raw.on(path(), (socket) => {
        reply(socket, `200 OK\r\nContent-Length: ${length}\r\nTransfer-Encoding: chunked`, `5\r\nhello\r\n`);
        socket.write('6\r\n world\r\n0\r\n\r\n');
      });
      const answer = await call('GET', target);
      assert.equal(answer.status, 200);
      assert.equal(answer.text, 'hello world');
      assert.equal(answer.headers['content-length'], undefined);
    }
  });

  test('a length beside chunks without end: nothing piles up', async () => {
    const piece = Buffer.alloc(MB, 'x');
    const target = raw.on(path(), (socket) => {
      reply(socket, '200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked');
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')])));
      };
      socket.on('drain', more);
      more();
    });
    const req = open('GET', target);
    req.on('error', () => {});
    req.end();
    const res = await inTime('the answer', req.answer);
    let length = 0;
    for await (const part of res) {
      length += part.length;
      if (length > 100 * MB) break;
    }
    if (measurable()) assert.ok(residentMB() < 64, `${residentMB()} MB`);
    req.destroy();
  });
});

describe('answers that are dropped', () => {
  test('a redirect whose body never ends is followed all the same', async () => {
    const target = path();
    raw.on(`${target}-next`, (socket) => reply(socket, '200 OK\r\nContent-Length: 2', 'ok'));
    raw.on(target, (socket) => reply(socket, `302 Found\r\nLocation: ${target}-next\r\nContent-Length: 1000`, 'never'));
    const answer = await inTime('the answer', call('GET', target));
    assert.equal(answer.text, 'ok');
  });

  test('a failed answer that never ends is tried again all the same', async () => {
    const target = path();
    raw.on(target, (socket) => (raw.at(target).length === 1 ? reply(socket, '503 Busy\r\nContent-Length: 1000', 'never') : reply(socket, '200 OK\r\nContent-Length: 2', 'ok')));
    const answer = await inTime('the answer', call('GET', target, { headers: { Retries: '1' } }));
    assert.equal(answer.text, 'ok');
  });

  test('the host of a redirect is the host that is told', async () => {
    const target = path();
    raw.on(`${target}-next`, (socket) => reply(socket, '200 OK\r\nContent-Length: 2', 'ok'));
    raw.on(target, (socket) => reply(socket, `302 Found\r\nLocation: ${target}-next\r\nContent-Length: 0`));
    await call('GET', target, { headers: { 'Nango-Proxy-Host': 'virtual.example' } });
    assert.equal(raw.at(target)[0].field('host'), 'virtual.example');
    assert.equal(raw.at(`${target}-next`)[0].field('host'), `127.0.0.1:${raw.port}`);
  });
});

describe('once is once', () => {
  // A kept connection that dies when it is used again: what then?
  async function dying(method) {
    const target = path();
    const port = path();
    raw.on(port, (socket, request) => {
      request.socket.kept = true;
      reply(socket, '200 OK\r\nContent-Length: 2', 'ok');
    });
    raw.on(target, (socket) => (socket.kept ? socket.destroy() : reply(socket, '200 OK\r\nContent-Length: 2', 'ok')));
    // One client connection, so that one reactor serves both calls, over one provider connection.
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (method_, where) => call(method_, where, { via: agent, headers: method_ === 'GET' ? {} : { 'Content-Type': 'text/plain' }, ...(method_ !== 'GET' && { body: 'x' }) });
    await ask('GET', port);
    const answer = await ask(method, target);
    agent.destroy();
    return { answer, times: raw.at(target).length };
  }

  for (const method of ['POST', 'PATCH']) {
    test(`${method} is not sent again when the connection dies`, async () => {
      const { answer, times } = await dying(method);
      assert.equal(times, 1);
      assert.equal(answer.status, 500);
      assert.equal(answer.body.code, 'ECONNRESET');
    });
  }

  for (const method of ['GET', 'PUT', 'DELETE']) {
    test(`${method} is`, async () => {
      const { answer, times } = await dying(method);
      assert.equal(times, 2);
      assert.equal(answer.status, 200);
    });
  }
});

describe('coded answers', () => {
  for (const [coding, pack] of [['gzip', zlib.gzipSync], ['br', zlib.brotliCompressSync]]) {
    const packed = pack(Buffer.alloc(100 * MB, 'z'));

    test(`${coding}: 100 MB out of ${packed.length} bytes, whole and in constant memory`, async () => {
      const target = raw.on(path(), (socket) => {
        reply(socket, `200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${packed.length}`);
        socket.write(packed);
      });
      const req = open('GET', target);
      req.end();
      const res = await inTime('the answer', req.answer);
      assert.equal(res.headers['content-encoding'], undefined);
      let length = 0;
      for await (const part of res) length += part.length;
      assert.equal(length, 100 * MB);
      if (measurable()) assert.ok(residentMB() < 64, `${residentMB()} MB`);
    });
  }

  test('readers that wait hold back what is inflated for them', async () => {
    const packed = zlib.gzipSync(Buffer.alloc(20 * MB, 'z'));
    const target = raw.on(path(), (socket) => {
      reply(socket, `200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}`);
      socket.write(packed);
    });
    const waiting = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const req = open('GET', target);
        req.on('error', () => {});
        req.end();
        const res = await inTime('the answer', req.answer);
        res.pause();
        return req;
      }),
    );
    if (measurable()) assert.ok(residentMB() < 100, `${residentMB()} MB`);
    for (const req of waiting) req.destroy();
  });

  for (const coding of ['aws-chunked', 'utf-8', 'gzip, br']) {
    test(`${coding}: passes as it is`, async () => {
      const target = raw.on(path(), (socket) => reply(socket, `200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: 5`, 'bytes'));
      const answer = await call('GET', target);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-encoding'], coding);
      assert.equal(answer.text, 'bytes');
    });
  }
});

describe('bodies', () => {
  const accept = (socket, request) => {
    request.more = () => {
      if (request.body.length >= Number(request.field('content-length'))) reply(socket, '200 OK\r\nContent-Length: 2', 'ok');
    };
  };

  for (const size of [100, 400_000]) {
    test(`coded JSON of ${size} bytes passes with its coding`, async () => {
      const target = raw.on(path(), accept);
      const body = zlib.gzipSync(JSON.stringify({ a: Array.from({ length: size }, () => Math.random().toString(36)[2] ?? '').join('') }));
      const answer = await call('POST', target, { headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }, body });
      assert.equal(answer.status, 200, answer.text);
      const [seen] = raw.at(target);
      assert.equal(seen.field('content-encoding'), 'gzip');
      assert.equal(seen.field('content-type'), 'application/json');
      assert.deepEqual(Buffer.from(seen.body, 'latin1'), body);
    });
  }

  test('a coded body that must be read is refused', async () => {
    const answer = await call('POST', path(), { key: 'h-body', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }, body: zlib.gzipSync('{}') });
    assert.equal(answer.status, 415);
    assert.equal(answer.body.error.code, 'invalid_content_type');
  });

  test('JSON behind a byte order mark passes as it is', async () => {
    const target = raw.on(path(), accept);
    const body = Buffer.from('\ufeff{"a":1}');
    const answer = await call('POST', target, { headers: { 'Content-Type': 'application/json' }, body });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Buffer.from(raw.at(target)[0].body, 'latin1'), body);
  });

  test("the catalogue's body goes with a DELETE that has none", async () => {
    const target = raw.on(path(), accept);
    const answer = await call('DELETE', target, { key: 'h-body' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(raw.at(target)[0].body, '{"key":"key-1"}');
  });

  test('JSON that would be a form without measure is refused', async () => {
    const long = 'k'.repeat(20_000);
    const body = { [long]: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`m${i}`, 1])) };
    const answer = await call('POST', path(), { headers: { 'Nango-Proxy-Content-Type': 'application/x-www-form-urlencoded' }, body });
    assert.equal(answer.status, 413);
    assert.equal(answer.body.error.code, 'request_too_large');
  });

  test('a caller that leaves is noticed, though its GET has a body', async () => {
    const left = deferred();
    const arrived = deferred();
    const target = raw.on(path(), (socket) => {
      socket.on('close', () => left.resolve());
      arrived.resolve();
    });
    const req = open('GET', target, { headers: { 'Content-Length': '5' } });
    req.on('error', () => {});
    req.end('hello');
    await inTime('the call', arrived.promise);
    req.destroy();
    await inTime('the provider to notice', left.promise);
  });
});

describe('what must not be seen', () => {
  test('a password in a URL stands in no error and no log', async () => {
    const answer = await call('GET', '/x', { headers: { 'Base-Url-Override': 'http://user:S3CRETPW@127.0.0.1:1' } });
    assert.equal(answer.status, 500);
    assert.equal(answer.body.code, 'ECONNREFUSED');
    assert.match(answer.body.message, /127\.0\.0\.1:1$/);
    assert.doesNotMatch(answer.text + world.nangod.log, /S3CRETPW/);
  });

  test('a client certificate that is none is named as such', async () => {
    await world.integration('h-cert', 'h-cert');
    await world.nangod.must(201, 'POST', '/connections', {
      body: {
        provider_config_key: 'h-cert',
        connection_id: 'c',
        credentials: { type: 'OAUTH2_CC', token: 't', client_id: 'i', client_secret: 's', client_certificate: '(no certificate)', client_private_key: '(no key)', expires_at: '2099-01-01T00:00:00.000Z' },
      },
    });
    const answer = await call('GET', '/x', { key: 'h-cert' });
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'invalid_certificate_or_key_format');
  });

  test('credentials that are tried do not follow a redirect to another host', async () => {
    const other = await Raw.start();
    try {
      other.on('/check', (socket) => reply(socket, '200 OK\r\nContent-Length: 0'));
      raw.on('/check', (socket) => reply(socket, `302 Found\r\nLocation: http://localhost:${other.port}/check\r\nContent-Length: 0`));
      await world.integration('h-checked', 'h-checked');
      await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'h-checked', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'key-2' } } });
      assert.equal(raw.at('/check')[0].field('x-check'), 'key-2');
      assert.equal(other.at('/check')[0].field('x-check'), undefined);
      assert.equal(other.at('/check')[0].field('host'), `localhost:${other.port}`);
    } finally {
      other.finish();
    }
  });

  test('a token request does not follow to another host with its secrets', async () => {
    const other = await Raw.start();
    try {
      other.on('/token', (socket) => reply(socket, '200 OK\r\nContent-Type: application/json\r\nContent-Length: 21', '{"access_token":"a2"}'));
      raw.on('/token', (socket) => reply(socket, `307 Temporary Redirect\r\nLocation: http://localhost:${other.port}/token\r\nContent-Length: 0`));
      await world.nangod.must(200, 'POST', '/integrations', { body: { provider: 'h-oauth', unique_key: 'h-oauth', credentials: { type: 'OAUTH2', client_id: 'id', client_secret: 'secret' } } });
      await world.nangod.must(201, 'POST', '/connections', {
        body: { provider_config_key: 'h-oauth', connection_id: 'c', credentials: { type: 'OAUTH2', access_token: 'a1', refresh_token: 'r1', expires_at: '2020-01-01T00:00:00.000Z' } },
      });
      const answer = await world.get('h-oauth', 'c');
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.body.error.code, 'invalid_credentials');
      assert.equal(raw.at('/token').length, 1);
      assert.equal(other.connections, 0);
    } finally {
      other.finish();
    }
  });
});

describe('afterwards', () => {
  it('nothing is left in progress', async () => {
    await until('no call in progress', async () => /nangod_upstream_calls_in_flight 0\n/.test((await world.nangod.api('GET', '/metrics')).text));
  });
});
