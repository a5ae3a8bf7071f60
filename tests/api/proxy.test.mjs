// SPDX-License-Identifier: Apache-2.0
// The proxy as a careful middle man: what reaches the provider byte for byte, what comes back header
// for header, when it asks again, where it follows. Large and endless bodies: streaming.test.mjs.

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';

import { Overlay } from './lib/catalogue.mjs';
import { logged } from './lib/daemon.mjs';
import { readAll } from './lib/http.mjs';
import { exchange } from './lib/socket.mjs';
import { deferred, inTime, until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const KB = 1024;
const MB = 1024 * KB;
const kept = 256 * KB; // proxy.max_buffered_body

let world;
let provider;
let names = 0;
const test = (name, body) => it(name, logged(() => world.nangod, body));

// A provider that notes each call, its body as bytes, and answers as the test says: on(path, answer),
// where answer(req, res, call, n) gets the count of calls to that path so far.
class Provider {
  constructor() {
    this.calls = [];
    this.answers = new Map();
  }

  static async start() {
    const self = new Provider();
    self.server = http.createServer((req, res) => self.serve(req, res).catch(() => res.destroy()));
    self.server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => self.server.listen(0, '127.0.0.1', resolve));
    self.port = self.server.address().port;
    self.base = `http://127.0.0.1:${self.port}`;
    return self;
  }

  async serve(req, res) {
    const url = new URL(req.url, 'http://p');
    const call = { method: req.method, url: req.url, headers: req.headers, raw: req.rawHeaders, at: performance.now() };
    this.calls.push(call);
    const n = this.at(url.pathname).length;
    const answer = this.answers.get(url.pathname);
    if (answer?.unread) return answer(req, res, call, n);
    call.body = await readAll(req);
    if (answer) return answer(req, res, call, n);
    res.setHeader('content-type', 'application/json');
    res.end('{"ok":true}');
  }

  at(path) {
    return this.calls.filter((call) => new URL(call.url, 'http://p').pathname === path);
  }

  last(path) {
    return this.at(path).at(-1);
  }

  // A path of its own for a test, with that answer.
  on(answer) {
    const path = `/p${++names}`;
    if (answer) this.answers.set(path, answer);
    return path;
  }

  finish() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const reply = (status, headers = {}, body = '') => (req, res) => {
  res.writeHead(status, headers);
  res.end(body);
};

function catalogue(base) {
  const entry = (name, proxy) => `${name}:
    display_name: "${name}"
    categories: [other]
    docs: https://example.com/docs
    auth_mode: API_KEY
    proxy:
        base_url: ${base}
        headers:
            x-api-key: \${apiKey}
${proxy.map((line) => `        ${line}\n`).join('')}`;
  return [
    entry('px-key', []),
    entry('px-lost', []).replace(base, 'http://no-such-host.invalid'),
    entry('px-form', []).replace('x-api-key: ${apiKey}', 'x-api-key: ${apiKey}\n            content-type: application/x-www-form-urlencoded'),
    entry('px-inflate', ['decompress: true']),
    entry('px-onward', ['forward_headers_on_redirect: true']),
    entry('px-wait', ['retry:', '    after: [x-wait]', '    at: [x-until]', '    remaining: x-left']),
    entry('px-list', ['retry:', "    error_code: ['404', '5xx']"]),
    entry('px-told', ['retry:', '    in_body:', '        path: error.message', '        value: /wait (\\d+) s/', '        strategy: after']),
    entry('px-checked', ['verification:', '    method: POST', '    endpoints: ["/no", "/check/${credentials.apiKey}?r=${connectionConfig.region}"]', '    headers:', '        x-check: k ${apiKey}', '    data:', '        a: 1']),
  ].join('');
}

let overlay;
before(async () => {
  provider = await Provider.start();
  overlay = new Overlay(catalogue(provider.base));
  world = await World.start({ oauth: false, echo: false, settings: overlay.setting });
  for (const name of ['px-key', 'px-form', 'px-inflate', 'px-onward', 'px-wait', 'px-list', 'px-told', 'px-checked']) await world.integration(name, name);
  for (const name of ['px-key', 'px-form', 'px-inflate', 'px-onward', 'px-wait', 'px-list', 'px-told']) await put(name, 'c', 'key-1');
});
after(async () => {
  await world?.finish();
  provider?.finish();
  overlay?.finish();
});

function put(key, id, apiKey) {
  return world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: id, credentials: { type: 'API_KEY', apiKey } } });
}

const call = (method, target, { key = 'px-key', id = 'c', ...options } = {}) => world.proxied(key, id, target, { method, ...options });

// A request that the test writes piece by piece.
function open(method, target, { key = 'px-key', id = 'c', headers = {}, agent = false } = {}) {
  const req = http.request(`${world.nangod.base}/proxy${target}`, {
    method,
    agent,
    headers: { Authorization: `Bearer ${world.nangod.keys.secretKey}`, 'Provider-Config-Key': key, 'Connection-Id': id, ...headers },
  });
  req.answer = new Promise((resolve, reject) => req.on('response', resolve).on('error', reject));
  req.answer.catch(() => {});
  return req;
}

const inFlight = async () => Number(/nangod_upstream_calls_in_flight (\d+)/.exec((await world.nangod.api('GET', '/metrics')).text)[1]);
const metric = async (name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await world.nangod.api('GET', '/metrics')).text)[1]);

describe('JSON bodies pass byte for byte', () => {
  for (const [what, text] of Object.entries({
    'numbers beyond doubles, fractions of zero': '{"n":12345678901234567890,"d":1.0,"e":1e400}',
    'white space and order': ' {\n\t"b" : 1 ,"a":[ ] }\r\n',
    'names given twice': '{"a":1,"a":2}',
    'an escaped U+0000': '{"a":"\\u0000"}',
    'half a surrogate pair': '{"a":"\\ud83d"}',
    'nesting of 1000 levels': '['.repeat(1000) + ']'.repeat(1000),
    'a bare string': '"x"',
    'a bare number': '7',
    null: 'null',
  })) {
    test(what, async () => {
      const path = provider.on();
      const answer = await call('POST', path, { headers: { 'Content-Type': 'application/json' }, body: text });
      assert.equal(answer.status, 200, answer.text);
      const seen = provider.last(path);
      assert.equal(seen.body.toString(), text);
      assert.equal(seen.headers['content-type'], 'application/json');
      assert.equal(seen.headers['content-length'], String(Buffer.byteLength(text)));
    });
  }

  for (const [text, message] of [
    ['{"a":', 'Unexpected end of JSON input'],
    ['{"a":1}}', /non-whitespace/],
    ['{"a":01}', /Unexpected number/],
    ["{'a':1}", /property name/],
    ['[1,]', /Unexpected token/],
    ['{"a":tru}', /Unexpected token/],
  ]) {
    for (const chunked of [false, true]) {
      test(`not ${text}${chunked ? ' in chunks' : ''}`, async () => {
        const path = provider.on();
        const answer = await call('POST', path, { headers: { 'Content-Type': 'application/json', ...(chunked && { 'Transfer-Encoding': 'chunked' }) }, body: text });
        assert.equal(answer.status, 400);
        assert.equal(answer.body.error.code, 'invalid_json');
        assert.match(answer.body.error.message, message instanceof RegExp ? message : new RegExp(`^${message}$`));
        assert.equal(provider.at(path).length, 0);
      });
    }
  }

  test('in chunks, more than is kept', async () => {
    const path = provider.on();
    const text = JSON.stringify({ a: 'x'.repeat(3 * kept) });
    const answer = await call('PUT', path, { headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }, body: text });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(provider.last(path).body.toString(), text);
  });
});

describe('other bodies', () => {
  const bytes = Buffer.from(Array.from({ length: 1024 }, (_, i) => i & 255));

  for (const type of ['text/plain; charset=latin1', 'application/octet-stream', 'image/png', 'application/vnd.api+json', 'x/y', 'application/xml', 'multipart/mixed; boundary=b']) {
    test(`${type}: any bytes, type kept`, async () => {
      const path = provider.on();
      await call('POST', path, { headers: { 'Content-Type': type }, body: bytes });
      assert.deepEqual(provider.last(path).body, bytes);
      assert.equal(provider.last(path).headers['content-type'], type);
    });
  }

  test('no type: none is made up', async () => {
    const path = provider.on();
    await call('POST', path, { body: bytes });
    assert.deepEqual(provider.last(path).body, bytes);
    assert.equal(provider.last(path).headers['content-type'], undefined);
  });

  test('the forwarded type wins', async () => {
    const path = provider.on();
    await call('POST', path, { headers: { 'Content-Type': 'text/plain', 'Nango-Proxy-Content-Type': 'text/csv' }, body: 'a,b' });
    assert.equal(provider.last(path).headers['content-type'], 'text/csv');
  });

  test('multipart: with the boundary that the bytes have', async () => {
    const path = provider.on();
    const text = '--XyZ\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n\x00\xff\r\n--XyZ--\r\n';
    await call('POST', path, { headers: { 'Content-Type': 'multipart/form-data; boundary=XyZ', 'Nango-Proxy-Content-Type': 'multipart/form-data' }, body: text });
    assert.equal(provider.last(path).headers['content-type'], 'multipart/form-data; boundary=XyZ');
    assert.equal(provider.last(path).body.toString(), text);
  });

  const form = 'application/x-www-form-urlencoded';
  for (const [what, headers, body, key, sent, type] of [
    ['a form becomes JSON', { 'Content-Type': form }, 'a=1&b[c]=2&d=x+y&e[]=1&e[]=2', 'px-key', '{"a":"1","b":{"c":"2"},"d":"x y","e":["1","2"]}', 'application/json'],
    ['a form stays one when asked', { 'Content-Type': form, 'Nango-Proxy-Content-Type': form }, 'a=1&b[c]=2&d=x+y', 'px-key', 'a=1&b%5Bc%5D=2&d=x+y', form],
    ['a form stays one when the catalogue says so', { 'Content-Type': form }, 'a=1&b[c]=2', 'px-form', 'a=1&b%5Bc%5D=2', form],
    ['JSON becomes a form when asked', { 'Content-Type': 'application/json', 'Nango-Proxy-Content-Type': form }, '{"a":1,"b":{"c":true},"d":["x"],"e":null}', 'px-key', 'a=1&b%5Bc%5D=true&d%5B%5D=x', form],
    ['JSON becomes a form when the catalogue says so', { 'Content-Type': 'application/json' }, '{"a":"x y"}', 'px-form', 'a=x+y', form],
    ['an empty form is the empty object', { 'Content-Type': form }, '', 'px-key', '{}', 'application/json'],
    ['an empty form that stays one is empty', { 'Content-Type': form, 'Nango-Proxy-Content-Type': form }, '', 'px-key', '', form],
  ]) {
    test(what, async () => {
      const path = provider.on();
      const answer = await call('POST', path, { key, headers, body });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(provider.last(path).body.toString(), sent);
      assert.equal(provider.last(path).headers['content-type'], type);
    });
  }

  test('a form of too many fields is refused', async () => {
    const answer = await call('POST', '/x', { headers: { 'Content-Type': form }, body: 'a=1&'.repeat(1001) });
    assert.equal(answer.status, 413);
    assert.equal(answer.body.error.code, 'request_too_large');
  });

  test('a chunked body is on its way before its end is known', async () => {
    const first = deferred();
    const path = provider.on(
      Object.assign(
        (req, res) => {
          req.once('data', (piece) => first.resolve(piece.toString()));
          req.on('end', () => res.end('{}'));
        },
        { unread: true },
      ),
    );
    const req = open('POST', path, { headers: { 'Content-Type': 'application/x-ndjson' } });
    req.write('one\n');
    assert.equal(await inTime('the first piece', first.promise), 'one\n');
    req.end('two\n');
    assert.equal((await inTime('the answer', req.answer)).statusCode, 200);
  });

  test('a provider that answers before it read the body is heard', async () => {
    // It stays, unlike one that closes at once: then the answer and what the close does to it race.
    const path = provider.on(Object.assign((req, res) => res.writeHead(403, { 'content-length': '2' }).end('no'), { unread: true }));
    const req = open('POST', path, { headers: { 'Content-Type': 'application/octet-stream' } });
    req.write(Buffer.alloc(8 * MB));
    const res = await inTime('the answer', req.answer);
    assert.equal(res.statusCode, 403);
    assert.equal((await readAll(res)).toString(), 'no');
    req.destroy();
  });

  // The caller has sent all that it will for now: nothing but the answer ends these calls.
  for (const [what, headers] of [
    ['closes', { connection: 'close', 'content-length': '2' }],
    ['stays', { 'content-length': '2' }],
    ['says nothing', { 'content-length': '0' }],
    ['ends later', {}],
  ]) {
    test(`a refusal in the middle of the body is the end of the call, also when the provider ${what}`, async () => {
      const heard = deferred();
      const body = headers['content-length'] === '0' ? '' : 'no';
      const path = provider.on(
        Object.assign(
          async (req, res) => {
            await new Promise((resolve) => req.once('data', resolve));
            res.writeHead(403, headers);
            if (headers['content-length']) {
              res.end(body);
            } else {
              res.write(body);
              await heard.promise;
              res.end();
            }
          },
          { unread: true },
        ),
      );
      const req = open('POST', path, { headers: { 'Content-Type': 'application/octet-stream' } });
      req.write('the beginning');
      const res = await inTime('the answer', req.answer);
      assert.equal(res.statusCode, 403);
      let text = '';
      res.on('data', (piece) => {
        text += piece;
        heard.resolve();
      });
      await inTime('its end', new Promise((resolve) => res.once('end', resolve)));
      assert.equal(text, body);
      await until('no call in flight', async () => (await inFlight()) === 0);
      req.destroy();
    });
  }

  test('an answer in the middle of the body arrives then, and the rest still goes', async () => {
    const all = deferred();
    const path = provider.on(
      Object.assign(
        async (req, res) => {
          let text = '';
          req.on('data', (piece) => {
            if (text === '') res.writeHead(200, { 'content-length': '2' }).end('ok');
            text += piece;
          });
          req.on('end', () => all.resolve(text));
        },
        { unread: true },
      ),
    );
    const agent = new http.Agent({ keepAlive: true }); // one that would close takes the answer for the end
    const req = open('POST', path, { headers: { 'Content-Type': 'application/octet-stream' }, agent });
    req.write('one ');
    const res = await inTime('the answer', req.answer);
    assert.equal(res.statusCode, 200);
    await inTime('its body', new Promise((resolve) => res.once('data', resolve)));
    req.end('two');
    assert.equal(await inTime('the rest of the body', all.promise), 'one two');
    agent.destroy();
  });
});

describe('methods', () => {
  const body = Buffer.from('<a/>');

  for (const [method, sent] of [['POST', true], ['PUT', true], ['PATCH', true], ['DELETE', true], ['PROPFIND', true], ['REPORT', true], ['GET', false], ['HEAD', false]]) {
    test(`${method}: a body ${sent ? 'goes along' : 'stays behind'}`, async () => {
      const path = provider.on();
      const answer = await call(method, path, { headers: { 'Content-Type': 'text/xml' }, body });
      assert.equal(answer.status, 200, answer.text);
      const seen = provider.last(path);
      assert.equal(seen.method, method);
      assert.deepEqual(seen.body, sent ? body : Buffer.alloc(0));
      assert.equal(seen.headers['content-type'], sent ? 'text/xml' : undefined);
    });
  }

  for (const [method, length] of [['POST', '0'], ['PUT', '0'], ['PATCH', '0'], ['PROPFIND', '0'], ['REPORT', '0'], ['DELETE', undefined], ['GET', undefined]]) {
    test(`${method} without a body: ${length === undefined ? 'no length' : 'a length of 0'}`, async () => {
      const path = provider.on();
      await call(method, path, {});
      const seen = provider.last(path);
      assert.equal(seen.method, method);
      assert.equal(seen.headers['content-length'], length);
      assert.equal(seen.headers['transfer-encoding'], undefined);
    });
  }

  for (const method of ['TRACE', 'CONNECT', 'trace']) {
    test(`${method} is not passed on`, async () => {
      const path = provider.on();
      const { statuses, text } = await exchange(world.nangod.port, `${method} /proxy${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${world.nangod.keys.secretKey}\r\nProvider-Config-Key: px-key\r\nConnection-Id: c\r\n\r\n`);
      assert.deepEqual(statuses, [405]);
      assert.match(text, /\r\nAllow: GET, /);
      assert.equal(provider.at(path).length, 0);
    });
  }

  test('one call leaves nothing to the next on the same connection', async () => {
    const path = provider.on();
    const both = { 'Nango-Proxy-X-One': '1' };
    await call('POST', path, { headers: { ...both, 'Content-Type': 'text/plain' }, body: 'first' });
    await call('GET', path);
    await call('HEAD', path);
    await call('POST', path, { headers: { 'Content-Type': 'text/plain' }, body: 'second' });
    assert.deepEqual(provider.at(path).map((seen) => [seen.method, seen.body.toString(), seen.headers['x-one'], seen.headers['content-type']]), [
      ['POST', 'first', '1', 'text/plain'],
      ['GET', '', undefined, undefined],
      ['HEAD', '', undefined, undefined],
      ['POST', 'second', undefined, 'text/plain'],
    ]);
  });
});

describe("the caller's headers", () => {
  test('what frames a message is ours', async () => {
    const path = provider.on();
    const answer = await call('POST', path, {
      headers: {
        'Content-Type': 'text/plain',
        'Nango-Proxy-Content-Length': '9999',
        'Nango-Proxy-Transfer-Encoding': 'chunked',
        'Nango-Proxy-Connection': 'x-api-key',
        'Nango-Proxy-Upgrade': 'websocket',
        'Nango-Proxy-TE': 'trailers',
        'Nango-Proxy-Expect': '100-continue',
        'Nango-Proxy-': 'nameless',
        'Nango-Proxy-X-Good': 'yes',
      },
      body: 'hello',
    });
    assert.equal(answer.status, 200, answer.text);
    const seen = provider.last(path);
    assert.equal(seen.body.toString(), 'hello');
    assert.equal(seen.headers['content-length'], '5');
    for (const name of ['transfer-encoding', 'upgrade', 'te', 'expect']) assert.equal(seen.headers[name], undefined, name);
    assert.notEqual(seen.headers.connection, 'x-api-key');
    assert.equal(seen.headers['x-good'], 'yes');
    assert.equal(seen.headers['x-api-key'], 'key-1');
  });

  test('a repeated one is a list', async () => {
    const path = provider.on();
    await call('GET', path, { headers: { 'Nango-Proxy-X-Many': ['a', 'b'] } });
    assert.equal(provider.last(path).headers['x-many'], 'a, b');
  });

  test('values may be UTF-8', async () => {
    const path = provider.on();
    await call('GET', path, { headers: { 'Nango-Proxy-X-Text': Buffer.from('grüß').toString('latin1') } });
    assert.equal(Buffer.from(provider.last(path).headers['x-text'], 'latin1').toString(), 'grüß');
  });

  test('a credential with a line break begins no header of its own', async () => {
    await put('px-key', 'split', 'k\r\nX-Injected: 1');
    const path = provider.on();
    const answer = await call('GET', path, { id: 'split' });
    for (const seen of provider.at(path)) assert.equal(seen.headers['x-injected'], undefined);
    if (provider.at(path).length === 0) assert.equal(answer.status, 400, answer.text);
    assert.doesNotMatch(answer.text, /X-Injected/);
  });
});

describe('answers', () => {
  test('headers come back as they are, but for those of the connection', async () => {
    const path = provider.on(
      reply(
        200,
        [
          ['Date', 'Mon, 01 Jan 2024 00:00:00 GMT'],
          ['X-Request-Id', 'theirs'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['X-Ratelimit-Remaining', '0'],
          ['Server', 'theirs'],
          ['ETag', '"x"'],
          ['Connection', 'close, x-hop'],
          ['X-Hop', 'not for you'],
          ['Keep-Alive', 'timeout=5'],
          ['Proxy-Authenticate', 'Basic'],
          ['Access-Control-Allow-Origin', 'http://elsewhere'],
          ['Content-Length', '2'],
        ].flat(),
        'ok',
      ),
    );
    const req = open('GET', path);
    req.end();
    const res = await req.answer;
    const all = (name) => res.rawHeaders.filter((_, i) => i % 2 === 1 && res.rawHeaders[i - 1].toLowerCase() === name);
    assert.deepEqual(all('date'), ['Mon, 01 Jan 2024 00:00:00 GMT']);
    assert.deepEqual(all('x-request-id'), ['theirs']);
    assert.deepEqual(all('set-cookie'), ['a=1', 'b=2']);
    assert.deepEqual(all('x-ratelimit-remaining'), ['0']);
    assert.deepEqual(all('server'), ['theirs']);
    assert.deepEqual(all('etag'), ['"x"']);
    assert.deepEqual(all('x-hop'), []);
    assert.deepEqual(all('keep-alive'), all('keep-alive').filter((value) => value !== 'timeout=5'));
    assert.deepEqual(all('proxy-authenticate'), []);
    assert.deepEqual(all('access-control-allow-origin'), ['*']);
    assert.deepEqual(all('content-length'), ['2']);
    await readAll(res);
  });

  for (const status of [201, 202, 203, 206, 299, 400, 402, 418, 451, 500, 502, 599]) {
    test(`status ${status} passes`, async () => {
      const path = provider.on(reply(status, { 'content-type': 'text/plain' }, 'body'));
      const answer = await call('GET', path);
      assert.equal(answer.status, status);
      assert.equal(answer.text, 'body');
    });
  }

  test('HEAD tells the length of what GET would give', async () => {
    const path = provider.on(reply(200, { 'content-length': '1234567', 'content-type': 'image/png' }));
    const answer = await call('HEAD', path);
    assert.equal(answer.headers['content-length'], '1234567');
    assert.equal(answer.headers['content-type'], 'image/png');
    assert.equal(answer.text, '');
  });

  for (const status of [204, 304]) {
    test(`${status} has headers and no body`, async () => {
      const path = provider.on(reply(status, { etag: '"e"' }));
      const answer = await call('GET', path);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.etag, '"e"');
      assert.equal(answer.headers['transfer-encoding'], undefined);
      assert.equal(answer.text, '');
    });
  }

  test('a stream of events arrives event by event', async () => {
    const go = deferred();
    const path = provider.on(async (req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: 1\n\n');
      await go.promise;
      res.end('data: 2\n\n');
    });
    const req = open('GET', path);
    req.end();
    const res = await req.answer;
    const first = await inTime('the first event', new Promise((resolve) => res.once('data', resolve)));
    assert.equal(first.toString(), 'data: 1\n\n');
    go.resolve();
    assert.equal((await readAll(res)).toString(), 'data: 2\n\n');
  });

  test('a short answer that breaks off is a network error, and is tried again', async () => {
    const broken = (req, res, _, n) => {
      res.writeHead(200, { 'content-length': '10' });
      if (n > 1) res.end('0123456789');
      else res.write('01234', () => res.destroy());
    };
    const once = await call('GET', provider.on(broken));
    assert.equal(once.status, 500);
    assert.deepEqual([once.body.code, once.body.method], ['ECONNRESET', 'get']);
    const again = await call('GET', provider.on(broken), { headers: { Retries: '1' } });
    assert.equal(again.status, 200);
    assert.equal(again.text, '0123456789');
  });

  test('what is no HTTP is a network error', async () => {
    const server = net.createServer((socket) => socket.end('hello\r\n\r\n'));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const answer = await call('GET', '/x', { headers: { 'Base-Url-Override': `http://127.0.0.1:${server.address().port}` } });
    server.close();
    assert.equal(answer.status, 500);
    assert.ok(answer.body.code);
    assert.equal(answer.body.method, 'get');
  });
});

describe('compression', () => {
  const plain = 'zip '.repeat(5000);
  const coders = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync };
  const coded = (name) => (req, res) => {
    const body = coders[name](plain);
    res.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': name, 'content-length': String(body.length) });
    res.end(body);
  };
  async function raw(target, options) {
    const req = open('GET', target, options);
    req.end();
    const res = await req.answer;
    return { headers: res.headers, body: await readAll(res) };
  }

  for (const name of Object.keys(coders)) {
    test(`${name}: inflated for a caller that accepts no coding`, async () => {
      const path = provider.on(coded(name));
      const { headers, body } = await raw(path);
      assert.equal(body.toString(), plain);
      assert.equal(headers['content-encoding'], undefined);
      assert.equal(provider.last(path).headers['accept-encoding'], 'gzip, deflate, br');
    });

    test(`${name}: passed as it is to a caller that accepts it`, async () => {
      const path = provider.on(coded(name));
      const { headers, body } = await raw(path, { headers: { 'Accept-Encoding': name } });
      assert.deepEqual(body, coders[name](plain));
      assert.equal(headers['content-encoding'], name);
      assert.equal(headers['content-length'], String(body.length));
      assert.equal(provider.last(path).headers['accept-encoding'], name);
    });

    test(`${name}: inflated when asked to, whatever the caller accepts`, async () => {
      const { headers, body } = await raw(provider.on(coded(name)), { headers: { 'Accept-Encoding': name, Decompress: 'true' } });
      assert.equal(body.toString(), plain);
      assert.equal(headers['content-encoding'], undefined);
    });
  }

  test('inflated when the catalogue says so', async () => {
    const { body } = await raw(provider.on(coded('gzip')), { key: 'px-inflate', headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(body.toString(), plain);
  });

  test('what is not compressed keeps its length', async () => {
    const { headers } = await raw(provider.on(reply(200, { 'content-length': '5' }, 'plain')));
    assert.equal(headers['content-length'], '5');
  });

  test('a range is asked for plain: a part of a coded body cannot be inflated', async () => {
    const path = provider.on(reply(206, { 'content-range': 'bytes 0-4/10' }, 'plain'));
    await raw(path, { headers: { 'Nango-Proxy-Range': 'bytes=0-4' } });
    assert.equal(provider.last(path).headers['accept-encoding'], 'identity');
  });

  test('a coding that is a lie is a failed transfer', async () => {
    const path = provider.on(reply(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }, 'no gzip at all'));
    const answer = await call('GET', path).catch((error) => error);
    assert.ok(answer instanceof Error || answer.status === 500, String(answer.status));
  });
});

describe('redirects', () => {
  const to = (location, status = 302, body = '') => reply(status, { location }, body);

  for (const [method, status, then] of [
    ['POST', 301, 'GET'], ['POST', 302, 'GET'], ['POST', 303, 'GET'], ['POST', 307, 'POST'], ['POST', 308, 'POST'],
    ['PUT', 301, 'PUT'], ['PUT', 302, 'PUT'], ['PUT', 303, 'GET'], ['PUT', 307, 'PUT'],
    ['DELETE', 303, 'GET'], ['GET', 308, 'GET'], ['HEAD', 303, 'HEAD'],
  ]) {
    test(`${method} ${status}: ${then}`, async () => {
      const end = provider.on();
      const path = provider.on(to(end, status));
      const answer = await call(method, path, { headers: { 'Content-Type': 'text/plain', 'Nango-Proxy-X-Mine': 'm' }, body: method === 'GET' || method === 'HEAD' ? undefined : 'body' });
      assert.equal(answer.status, 200);
      const seen = provider.last(end);
      assert.equal(seen.method, then);
      assert.equal(seen.body.toString(), then === method && then !== 'GET' && then !== 'HEAD' ? 'body' : '');
      assert.equal(seen.headers['content-type'], seen.body.length > 0 ? 'text/plain' : undefined);
      assert.equal(seen.headers['x-api-key'], 'key-1');
      assert.equal(seen.headers['x-mine'], 'm');
    });
  }

  test('a chunked body that was kept goes along', async () => {
    const end = provider.on();
    const path = provider.on(to(end, 307));
    const body = Buffer.alloc(kept - 1, 'k');
    const answer = await call('POST', path, { headers: { 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' }, body });
    assert.equal(answer.status, 200);
    assert.deepEqual(provider.last(end).body, body);
  });

  test('a chunked body that is still being sent goes along', async () => {
    const end = provider.on();
    const asked = deferred();
    const path = provider.on(
      Object.assign(
        (req, res) => {
          req.once('data', () => {
            res.writeHead(307, { location: end }).end();
            asked.resolve();
          });
          req.on('error', () => {});
        },
        { unread: true },
      ),
    );
    const req = open('POST', path, { headers: { 'Content-Type': 'text/plain' } });
    req.write('a'.repeat(100));
    await inTime('the first hop', asked.promise);
    // More than is kept: the rest must wait for the next hop, not push out the beginning.
    for (let i = 0; i < 8; i++) req.write('b'.repeat(kept / 4));
    req.end('c');
    const res = await inTime('the answer', req.answer);
    assert.equal(res.statusCode, 200);
    assert.equal(provider.last(end).body.toString(), 'a'.repeat(100) + 'b'.repeat(2 * kept) + 'c');
    await readAll(res);
  });

  test('a body too large to be kept: the redirect itself is the answer', async () => {
    const end = provider.on();
    const path = provider.on(to(end, 307, 'go there'));
    const answer = await call('POST', path, { headers: { 'Content-Type': 'text/plain' }, body: Buffer.alloc(kept + 1) });
    assert.equal(answer.status, 307);
    assert.equal(answer.headers.location, end);
    assert.equal(answer.text, 'go there');
    assert.equal(provider.at(end).length, 0);
  });

  test('as a GET it needs no body, however large', async () => {
    const end = provider.on();
    const answer = await call('POST', provider.on(to(end, 303)), { headers: { 'Content-Type': 'text/plain' }, body: Buffer.alloc(4 * MB) });
    assert.equal(answer.status, 200);
    assert.deepEqual([provider.last(end).method, provider.last(end).body.length], ['GET', 0]);
  });

  test('what a redirect says is dropped, also when it says much', async () => {
    const end = provider.on();
    const answer = await call('GET', provider.on(to(end, 302, 'x'.repeat(4 * MB))));
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, { ok: true });
  });

  for (const [what, key, headers, goes] of [
    ['credentials stay behind', 'px-key', {}, false],
    ['credentials go along when asked', 'px-key', { 'Forward-Headers-On-Redirect': 'true' }, true],
    ['credentials go along when the catalogue says so', 'px-onward', {}, true],
  ]) {
    for (const [where, elsewhere] of [['another host', () => `http://localhost:${provider.port}`], ['another port', () => second.base]]) {
      test(`to ${where}: ${what}`, async () => {
        const end = provider.on();
        const target = elsewhere() + end;
        const at = where === 'another port' ? second : provider;
        const answer = await call('GET', provider.on(to(target)), { key, headers: { ...headers, 'Nango-Proxy-Authorization': 'mine', 'Nango-Proxy-Cookie': 'mine', 'Nango-Proxy-X-Mine': 'mine' } });
        assert.equal(answer.status, 200);
        const seen = at.last(end).headers;
        assert.equal(seen.host, new URL(target).host);
        assert.equal(seen['x-api-key'], goes ? 'key-1' : undefined);
        assert.equal(seen.authorization, goes ? 'mine' : undefined);
        assert.equal(seen.cookie, goes ? 'mine' : undefined);
        assert.equal(seen['x-mine'], 'mine');
      });
    }
  }

  test('credentials that stayed behind do not come back', async () => {
    const end = provider.on();
    const back = provider.on(to(`${provider.base}${end}`));
    await call('GET', provider.on(to(`http://localhost:${provider.port}${back}`)));
    assert.equal(provider.last(end).headers['x-api-key'], undefined);
  });

  test('five, and no more', async () => {
    const path = `/p${++names}`;
    provider.answers.set(path, to(path));
    const answer = await call('GET', path);
    assert.equal(answer.status, 500);
    assert.deepEqual(answer.body, { message: 'Maximum number of redirects exceeded', code: 'ERR_FR_TOO_MANY_REDIRECTS', method: 'get' });
    assert.equal(provider.at(path).length, 6);
  });

  for (const [what, headers] of [['without a Location', {}], ['with an empty one', { location: '' }], ['to what is no address', { location: 'http://' }]]) {
    test(`${what}: it is the answer`, async () => {
      const answer = await call('GET', provider.on(reply(302, headers, 'as is')));
      assert.equal(answer.status, 302);
      assert.equal(answer.text, 'as is');
    });
  }

  test('to another scheme: refused', async () => {
    const answer = await call('GET', provider.on(to('ftp://127.0.0.1/x')));
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'base_url_override_not_allowed');
  });
});

let second;
before(async () => {
  second = await Provider.start();
});
after(() => second?.finish());

describe('further tries', () => {
  const failing = (times, status = 500, headers = {}, body = 'failed') => (req, res, _, n) => {
    if (n > times) return res.writeHead(200, { 'content-type': 'text/plain' }).end('at last');
    res.writeHead(status, headers);
    return res.end(body);
  };

  for (const [status, retried] of [[500, true], [503, true], [599, true], [429, true], [401, true], [400, false], [403, false], [404, false], [409, false]]) {
    test(`${status}: ${retried ? 'tried again' : 'not tried again'}`, async () => {
      const path = provider.on(failing(1, status));
      const answer = await call('GET', path, { headers: { Retries: '2' } });
      assert.equal(answer.status, retried ? 200 : status);
      assert.equal(provider.at(path).length, retried ? 2 : 1);
    });
  }

  test('as often as allowed; the last answer is the answer', async () => {
    const path = provider.on((req, res, _, n) => res.writeHead(503, { 'x-n': String(n) }).end(`try ${n}`));
    const answer = await call('GET', path, { headers: { Retries: '3' } });
    assert.equal(answer.status, 503);
    assert.equal(answer.text, 'try 4');
    assert.equal(answer.headers['x-n'], '4');
    assert.equal(provider.at(path).length, 4);
  });

  test('on statuses of the caller', async () => {
    const path = provider.on(failing(1, 404));
    assert.equal((await call('GET', path, { headers: { Retries: '1', 'Retry-On': '409,404' } })).status, 200);
  });

  test("the catalogue's list replaces the usual one", async () => {
    for (const [status, calls] of [[404, 2], [502, 2], [429, 1]]) {
      const path = provider.on(failing(1, status));
      await call('GET', path, { key: 'px-list', headers: { Retries: '1' } });
      assert.equal(provider.at(path).length, calls, String(status));
    }
  });

  for (const [what, headers, body] of [
    ['a body that was read whole', { 'Content-Type': 'application/json' }, '{"a":[1,2,3]}'],
    ['a converted body', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=1'],
    ['a chunked body that was kept', { 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' }, Buffer.alloc(kept - 1, 'k')],
  ]) {
    test(`${what} goes out again`, async () => {
      const path = provider.on(failing(2));
      const answer = await call('POST', path, { headers: { ...headers, Retries: '2' }, body });
      assert.equal(answer.status, 200);
      const bodies = provider.at(path).map((seen) => seen.body.toString());
      assert.equal(bodies.length, 3);
      assert.ok(bodies[0].length > 0 && bodies.every((sent) => sent === bodies[0]));
    });
  }

  test('a body too large to be kept goes out once; the first answer is the answer', async () => {
    const path = provider.on(failing(1));
    const answer = await call('POST', path, { headers: { 'Content-Type': 'text/plain', Retries: '2' }, body: Buffer.alloc(kept + 1) });
    assert.equal(answer.status, 500);
    assert.equal(answer.text, 'failed');
    assert.equal(provider.at(path).length, 1);
  });

  test('after a connection that was reset', async () => {
    const path = provider.on((req, res, _, n) => (n === 1 ? req.socket.resetAndDestroy() : res.end('{}')));
    const answer = await call('POST', path, { headers: { Retries: '1', 'Content-Type': 'text/plain' }, body: 'b' });
    assert.equal(answer.status, 200);
    assert.deepEqual(provider.at(path).map((seen) => seen.body.toString()), ['b', 'b']);
  });

  test('a long failed answer is not read to its end', async () => {
    const path = provider.on(failing(1, 500, {}, 'x'.repeat(4 * MB)));
    assert.equal((await call('GET', path, { headers: { Retries: '1' } })).text, 'at last');
  });

  test('not before the provider said', async () => {
    const path = provider.on(failing(1, 429, { 'x-wait': '1' }));
    assert.equal((await call('GET', path, { key: 'px-wait', headers: { Retries: '1' } })).status, 200);
    const [first, then] = provider.at(path);
    assert.ok(then.at - first.at >= 990, `${then.at - first.at} ms`);
  });

  test('a quota that is used up is tried again whatever the status', async () => {
    const path = provider.on(failing(1, 403, { 'x-left': '0' }));
    assert.equal((await call('GET', path, { key: 'px-wait', headers: { Retries: '1' } })).status, 200);
  });

  test('not before the body said', async () => {
    const path = provider.on(failing(1, 429, {}, '{"error":{"message":"please wait 1 s now"}}'));
    assert.equal((await call('GET', path, { key: 'px-told', headers: { Retries: '1' } })).status, 200);
    const [first, then] = provider.at(path);
    assert.ok(then.at - first.at >= 990, `${then.at - first.at} ms`);
  });

  for (const size of [10, 100 * KB, 4 * MB]) {
    test(`an answer of ${size} bytes that was looked at and is not tried again is whole`, async () => {
      const body = 'y'.repeat(size);
      const path = provider.on(failing(1, 404, { 'x-h': '1' }, body));
      const answer = await call('GET', path, { key: 'px-told', headers: { Retries: '1' } });
      assert.equal(answer.status, 404);
      assert.equal(answer.headers['x-h'], '1');
      assert.equal(answer.text, body);
    });
  }

  test('with the credentials that hold then', async () => {
    await put('px-wait', 'changing', 'old');
    const failed = deferred();
    const path = provider.on((req, res, seen, n) => {
      res.writeHead(n === 1 ? 401 : 200, { 'x-wait': '1' }).end();
      failed.resolve();
    });
    const answer = call('GET', path, { key: 'px-wait', id: 'changing', headers: { Retries: '1' } });
    await failed.promise;
    await put('px-wait', 'changing', 'new');
    assert.equal((await answer).status, 200);
    assert.deepEqual(provider.at(path).map((seen) => seen.headers['x-api-key']), ['old', 'new']);
  });

  test('not for a connection that was deleted meanwhile', async () => {
    await put('px-wait', 'leaving', 'k');
    const failed = deferred();
    const path = provider.on((req, res) => {
      res.writeHead(500, { 'x-wait': '1' }).end();
      failed.resolve();
    });
    const coming = call('GET', path, { key: 'px-wait', id: 'leaving', headers: { Retries: '1' } });
    await failed.promise;
    await world.nangod.must(200, 'DELETE', '/connections/leaving?provider_config_key=px-wait');
    const answer = await coming;
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.body, { error: { code: 'server_error', message: 'Failed to get connection' } });
    assert.equal(provider.at(path).length, 1);
  });

  test('not for a caller that left', async () => {
    const failed = deferred();
    const path = provider.on((req, res) => {
      res.writeHead(500, { 'x-wait': '600' }).end();
      failed.resolve();
    });
    const before = await metric('nangod_proxy_abandoned_total');
    const req = open('GET', path, { key: 'px-wait', headers: { Retries: '1' } });
    req.end();
    await failed.promise;
    await until('no call in flight', async () => (await inFlight()) === 0);
    req.destroy();
    await until('the request to be given up', async () => (await metric('nangod_proxy_abandoned_total')) === before + 1);
    assert.equal(provider.at(path).length, 1);
  });
});

describe('limits', () => {
  let small;
  before(async () => {
    small = await World.start({ oauth: false, echo: false, settings: { ...overlay.setting, 'proxy.max_body': '64k', 'proxy.base_url_override': 'false', 'proxy.network_errors': 'EPROTO, ENOTFOUND' } });
    await small.integration('px-key', 'px-key');
    await small.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'px-key', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
  });
  after(() => small?.finish());

  for (const [what, headers] of [['announced', {}], ['in chunks', { 'Transfer-Encoding': 'chunked' }], ['in chunks, JSON', { 'Transfer-Encoding': 'chunked', 'Content-Type': 'application/json' }]]) {
    it(`a body over the limit, ${what}`, async () => {
      const path = provider.on();
      const body = Buffer.from(`"${'x'.repeat(64 * KB)}"`);
      const answer = await small.proxied('px-key', 'c', path, { method: 'POST', headers: { 'Content-Type': 'text/plain', ...headers }, body });
      assert.equal(answer.status, 413, answer.text);
      assert.equal(answer.body.error.code, 'request_too_large');
      const fits = await small.proxied('px-key', 'c', path, { method: 'POST', headers: { 'Content-Type': 'text/plain', ...headers }, body: '"x"' });
      assert.equal(fits.status, 200);
    });
  }

  it('network errors that were added to those that are tried again', async () => {
    await small.integration('px-lost', 'px-lost');
    await small.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'px-lost', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    const answer = await small.proxied('px-lost', 'c', '/x', { headers: { Retries: '2' } });
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'base_url_override_not_allowed');
    assert.match((await small.nangod.api('GET', '/metrics')).text, /^nangod_proxy_retries_total 2$/m);
  });

  it('an override that is switched off', async () => {
    const answer = await small.proxied('px-key', 'c', '/x', { headers: { 'Base-Url-Override': provider.base } });
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'base_url_override_disabled');
    assert.equal((await small.proxied('px-key', 'c', '/x', { headers: { 'Base-Url-Override': '' } })).status, 200);
  });
});

describe('credentials are tried as the catalogue says', () => {
  const connect = (id, apiKey) =>
    world.nangod.api('POST', '/connections', { body: { provider_config_key: 'px-checked', connection_id: id, credentials: { type: 'API_KEY', apiKey }, connection_config: { region: 'eu' } } });

  test('endpoint after endpoint, with their headers and data', async () => {
    provider.answers.set('/no', reply(404));
    const answer = await connect('good', 'good-key');
    assert.equal(answer.status, 201, answer.text);
    const seen = provider.last('/check/good-key');
    assert.equal(seen.url, '/check/good-key?r=eu');
    assert.equal(seen.method, 'POST');
    assert.equal(seen.body.toString(), '{"a":1}');
    assert.equal(seen.headers['content-type'], 'application/json');
    assert.equal(seen.headers['x-check'], 'k good-key');
    assert.equal(seen.headers['x-api-key'], 'good-key');
    assert.equal(provider.at('/no').length, 1);
  });

  test('refused everywhere: the connection is not made', async () => {
    provider.answers.set('/check/bad-key', reply(403));
    const answer = await connect('bad', 'bad-key');
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'connection_test_failed');
    assert.equal((await world.get('px-checked', 'bad')).status, 404);
    assert.doesNotMatch(world.nangod.log, /bad-key/);
  });
});
