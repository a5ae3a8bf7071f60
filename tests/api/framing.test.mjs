// SPDX-License-Identifier: Apache-2.0
// Requests whose end can be read in two ways (RFC 9112 sections 3.2, 5 and 6.3) are the stuff that
// smuggles one request inside another past a proxy: each is answered 400 and the connection closed,
// and what follows on it is never taken for a request.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Daemon } from './lib/daemon.mjs';
import { RawClient, exchange } from './lib/socket.mjs';

let nangod;
before(async () => {
  nangod = await Daemon.start();
});
after(() => nangod?.finish());

// A request that must never be answered, right behind the ambiguous one.
const smuggled = 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (lines, body = '') => `POST /connections HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;

const ambiguous = [
  ['length and chunks', post(['Host: a', 'Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
  ['chunks and length', post(['Host: a', 'Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n')],
  ['two lengths', post(['Host: a', 'Content-Length: 0', 'Content-Length: 5'])],
  ['two lengths in one line', post(['Host: a', 'Content-Length: 0, 5'])],
  ['a length with a sign', post(['Host: a', 'Content-Length: +0'])],
  ['a negative length', post(['Host: a', 'Content-Length: -1'])],
  ['a length in hexadecimal', post(['Host: a', 'Content-Length: 0x0'])],
  ['a length with a space inside', post(['Host: a', 'Content-Length: 1 0'])],
  ['an empty length', post(['Host: a', 'Content-Length: '])],
  ['a length beyond 64 bits', post(['Host: a', 'Content-Length: 99999999999999999999999'])],
  ['an unknown coding', post(['Host: a', 'Transfer-Encoding: xchunked'])],
  ['chunked twice', post(['Host: a', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
  ['chunked not last', post(['Host: a', 'Transfer-Encoding: chunked, identity'], '0\r\n\r\n')],
  ['identity beside a length', post(['Host: a', 'Transfer-Encoding: identity', 'Content-Length: 0'])],
  ['a tab in the coding', post(['Host: a', 'Transfer-Encoding:\tchunk ed'], '0\r\n\r\n')],
  ['space before the colon', post(['Host: a', 'Content-Length : 0'])],
  ['space before the colon of the coding', post(['Host: a', 'Transfer-Encoding : chunked'], '0\r\n\r\n')],
  ['a folded line', post(['Host: a', 'X-A: b', ' Content-Length: 5'])],
  ['a first line that is folded', post([' Host: a', 'Content-Length: 0'])],
  ['a line without a colon', post(['Host: a', 'Content-Length'])],
  ['an empty name', post(['Host: a', ': x'])],
  ['a NUL in a value', post(['Host: a', 'X-A: a\0b'])],
  ['a NUL in a name', post(['Host: a', 'X-\0A: b'])],
  ['a lone carriage return in a value', post(['Host: a', 'X-A: b\rContent-Length: 5'])],
  ['a control character in a value', post(['Host: a', 'X-A: \u0001'])],
  ['no host', post(['Content-Length: 0'])],
  ['two hosts', post(['Host: a', 'Host: b', 'Content-Length: 0'])],
  ['a chunk size that is none', post(['Host: a', 'Transfer-Encoding: chunked'], 'zz\r\n\r\n')],
  ['a negative chunk size', post(['Host: a', 'Transfer-Encoding: chunked'], '-1\r\n\r\n')],
  ['a chunk size beyond 64 bits', post(['Host: a', 'Transfer-Encoding: chunked'], 'fffffffffffffffff\r\n\r\n')],
  ['no version', 'GET /health\r\nHost: a\r\n\r\n'],
  ['a version that is none', 'GET /health HTTP/1.x\r\nHost: a\r\n\r\n'],
  ['HTTP/2 in clear', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a space in the target', 'GET /hea lth HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a control character in the target', 'GET /a\u0001b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no request at all', '\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n'],
];

describe('ambiguous framing', () => {
  for (const [what, bytes] of ambiguous) {
    it(`${what}: refused, closed, and nothing behind it is answered`, async () => {
      const { statuses, text } = await exchange(nangod.port, bytes + smuggled);
      assert.ok(statuses.length <= 1, `one answer at most: ${text}`);
      assert.ok(!text.includes('"result":"ok"'), 'what was smuggled is not answered');
      // A TLS hello or a preface may be dropped without a word.
      if (statuses.length === 1) assert.ok([400, 413, 414, 431, 501, 505].includes(statuses[0]), text.slice(0, 200));
      else assert.ok(['no request at all', 'HTTP/2 in clear', 'no version'].includes(what), 'an answer');
    });
  }

  const exact = ambiguous.slice(0, 27);
  it('where the framing is at fault the status is 400 exactly', async () => {
    const seen = await Promise.all(exact.map(async ([what, bytes]) => [what, (await exchange(nangod.port, bytes)).statuses]));
    assert.deepEqual(seen.filter(([, statuses]) => statuses.length !== 1 || statuses[0] !== 400), []);
  });

  it('a head that is too long is 431', async () => {
    const { statuses } = await exchange(nangod.port, `GET /health HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(40_000)}\r\n\r\n${smuggled}`);
    assert.equal(statuses.length, 1);
    assert.ok([400, 431].includes(statuses[0]), String(statuses));
  });

  it('thousands of short lines are refused as well', async () => {
    const { statuses } = await exchange(nangod.port, `GET /health HTTP/1.1\r\nHost: a\r\n${'a: b\r\n'.repeat(20_000)}\r\n`);
    assert.ok([400, 431].includes(statuses[0]), String(statuses));
  });
});

describe('unambiguous framing', () => {
  const good = [
    ['a plain request', 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['HTTP/1.0 without a host', 'GET /health HTTP/1.0\r\n\r\n'],
    ['the same length twice, in two lines', null],
    ['chunks with an extension and a trailer', 'POST /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nX-T: 1\r\n\r\n'],
    ['a coding in other case', 'POST /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['empty lines before it', '\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ].filter(([, bytes]) => bytes);
  for (const [what, bytes] of good) {
    it(`${what} is answered`, async () => {
      const { statuses } = await exchange(nangod.port, bytes);
      assert.equal(statuses.length, 1);
      assert.ok([200, 401, 404].includes(statuses[0]), String(statuses));
    });
  }

  it('requests one behind the other are answered in their order', async () => {
    const client = await RawClient.open(nangod.port);
    client.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /nope HTTP/1.1\r\nHost: a\r\n\r\nGET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.close();
    assert.deepEqual(client.statuses, [200, 404, 200]);
  });

  it('a request that comes byte by byte is answered', async () => {
    const client = await RawClient.open(nangod.port);
    client.socket.setNoDelay(true);
    for (const byte of 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n') {
      client.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.close();
    assert.deepEqual(client.statuses, [200]);
  });

  it('a client that expects to be asked for the body is asked', async () => {
    const client = await RawClient.open(nangod.port);
    client.write(`POST /connections HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${nangod.keys.secretKey}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`);
    assert.equal(await client.answer(), 100);
    client.write('{}');
    await client.close();
    assert.deepEqual(client.statuses, [100, 400]);
  });
});

describe('a body that does not arrive whole', () => {
  const connection = '/connections/m1?provider_config_key=bearer';
  const head = (lines) =>
    `DELETE ${connection} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${nangod.keys.secretKey}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

  before(async () => {
    await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'bearer' } });
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'bearer', connection_id: 'm1', credentials: { type: 'API_KEY', apiKey: 'k' } } });
  });

  for (const [what, lines, body] of [
    ['malformed chunks', ['Transfer-Encoding: chunked'], 'zz\r\n'],
    ['chunks that turn malformed', ['Transfer-Encoding: chunked'], '2\r\n{}\r\nzz\r\n'],
    ['chunks that stop', ['Transfer-Encoding: chunked'], '2\r\n{}\r\n'],
    ['fewer bytes than announced', ['Content-Length: 100'], '{'],
    ['no byte of those announced', ['Content-Type: application/json', 'Content-Length: 2'], ''],
  ]) {
    it(`${what}: nothing is done`, async () => {
      const client = await RawClient.open(nangod.port);
      client.write(head(lines) + body);
      client.socket.end(); // after the 400, where there is one
      await client.close();
      assert.ok(client.statuses.every((status) => status === 400), client.text);
      // Writes go through one line: what was begun before is done before this.
      await nangod.must(201, 'POST', '/connections/metadata', { body: { provider_config_key: 'bearer', connection_id: 'm1', metadata: { still: what } } });
      await nangod.must(200, 'GET', connection);
    });
  }
});

describe('a large body', () => {
  const large = JSON.stringify({ provider_config_key: 'bearer', connection_id: 'm1', metadata: { x: 'x'.repeat(200_000) } });
  const post = (target, lines, body) =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
  const metadata = (lines, body) => post('/connections/metadata', lines, body);
  const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;

  it('of nobody known is not waited for', async () => {
    for (const key of [[], ['Authorization: Bearer x'], ['Authorization: Bearer 4f6a7c1e-3d2b-4c5a-9e8f-0a1b2c3d4e5f']]) {
      const announced = await exchange(nangod.port, metadata([...key, 'Content-Length: 200000'], ''));
      assert.deepEqual(announced.statuses, [401]);
      assert.match(announced.text, /Connection: close/);
      const asked = await exchange(nangod.port, metadata([...key, 'Content-Length: 200000', 'Expect: 100-continue'], ''));
      assert.deepEqual(asked.statuses, [401], 'it is not asked for');
      const growing = await exchange(nangod.port, metadata([...key, 'Transfer-Encoding: chunked'], chunk('{"a') + chunk('x'.repeat(40_000)) + chunk('x'.repeat(40_000))));
      assert.deepEqual(growing.statuses, [401]);
    }
  });

  it('for which nobody need be known is refused', async () => {
    const { statuses } = await exchange(nangod.port, post('/connect/telemetry', ['Transfer-Encoding: chunked'], chunk('x'.repeat(80_000))));
    assert.deepEqual(statuses, [413]);
  });

  it('that is small comes before the key, as it does in Nango', async () => {
    const answer = await nangod.api('POST', '/connections', { key: null, headers: { 'Content-Type': 'application/json' }, body: `{${' '.repeat(60_000)}` });
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'invalid_json');
  });

  it('of somebody known arrives, announced or in chunks', async () => {
    const key = `Authorization: Bearer ${nangod.keys.secretKey}`;
    const announced = await exchange(nangod.port, metadata([key, 'Connection: close', `Content-Length: ${large.length}`], large));
    assert.deepEqual(announced.statuses, [201], announced.text);
    let chunks = '';
    for (let at = 0; at < large.length; at += 50_000) chunks += chunk(large.slice(at, at + 50_000));
    const growing = await exchange(nangod.port, metadata([key, 'Connection: close', 'Transfer-Encoding: chunked'], `${chunks}0\r\n\r\n`));
    assert.deepEqual(growing.statuses, [201], growing.text);
    assert.ok(growing.text.includes('x'.repeat(200_000)));
  });
});
