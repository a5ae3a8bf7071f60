// SPDX-License-Identifier: Apache-2.0
// The proxy methods and their options, and the error objects clients get.

import assert from 'node:assert/strict';

import { readAll } from '../lib/http.mjs';
import { rejectsWith, refused } from './expect.mjs';

// Options common to all calls of this table.
const to = (ids) => ({ providerConfigKey: 'key', connectionId: ids.key });

export const proxy = [
  {
    method: 'get',
    run: async ({ nango, ids }) => {
      const answer = await nango.get({ endpoint: '/echo/things?x=1', ...to(ids) });
      assert.equal(answer.status, 200);
      assert.equal(answer.data.method, 'GET');
      assert.equal(answer.data.url, '/echo/things?x=1');
      assert.equal(answer.data.headers['x-api-key'], `secret-${ids.key}`);
      assert.equal(answer.data.body, '');
      assert.equal(answer.data.headers['connection-id'], undefined, 'ours stay here');
      assert.equal(answer.headers['x-echo'], '1');
    },
  },
  {
    method: 'get',
    form: 'endpoint without a slash, ids from the constructor',
    run: async ({ Nango, nangod, ids }) => {
      const nango = new Nango({ secretKey: nangod.keys.secretKey, host: nangod.base, connectionId: ids.key, providerConfigKey: 'key' });
      assert.equal((await nango.get({ endpoint: 'echo/a' })).data.url, '/echo/a');
    },
  },
  {
    method: 'get, post',
    form: 'OAUTH2: the token goes to the provider, refreshed when need be',
    run: async ({ nango, ids, oauth }) => {
      const answer = await nango.get({ endpoint: '/me', providerConfigKey: 'oauth', connectionId: ids.proxied });
      assert.deepEqual(answer.data, { account: ids.proxied });
      assert.ok(oauth.apiCalls.at(-1).live);
      const posted = await nango.post({ endpoint: '/things', providerConfigKey: 'oauth', connectionId: ids.proxied, data: { a: 1 } });
      assert.equal(posted.status, 200);
      assert.equal(oauth.apiCalls.at(-1).body, '{"a":1}');
    },
  },
  {
    method: 'get',
    form: 'BASIC and NONE',
    run: async ({ nango, ids }) => {
      const basic = await nango.get({ endpoint: '/echo/a', providerConfigKey: 'basic', connectionId: ids.basic });
      assert.equal(basic.data.headers.authorization, `Basic ${Buffer.from('ann:pässword').toString('base64')}`);
      const none = await nango.get({ endpoint: '/echo/a', providerConfigKey: 'none', connectionId: ids.none });
      assert.equal(none.data.headers.authorization, undefined);
    },
  },
  ...['post', 'put', 'patch', 'delete'].flatMap((verb) => {
    // put() came late, proxy() always knew the method; DELETE had no body before 0.42.
    const call = (nango, config) =>
      typeof nango[verb] === 'function' ? nango[verb](config) : nango.proxy({ ...config, method: verb.toUpperCase() });
    const since = verb === 'delete' ? '0.42.22' : undefined;
    return [
      {
        method: verb,
        form: 'JSON',
        since,
        run: async ({ nango, ids }) => {
          const { data } = await call(nango, { endpoint: '/echo/json', ...to(ids), data: { a: 1, b: [true, null, 'é'] } });
          assert.equal(data.method, verb.toUpperCase());
          assert.match(data.headers['content-type'], /^application\/json/);
          assert.deepEqual(JSON.parse(data.body), { a: 1, b: [true, null, 'é'] });
        },
      },
      {
        method: verb,
        form: 'no data',
        run: async ({ nango, ids }) => {
          const answer = await call(nango, { endpoint: '/echo/empty', ...to(ids) });
          assert.equal(answer.status, 200);
          assert.equal(answer.data.method, verb.toUpperCase());
        },
      },
    ];
  }),
  {
    method: 'put',
    form: 'as a method of its own',
    since: '0.64.4',
    run: async ({ nango, ids }) => assert.equal((await nango.put({ endpoint: '/echo/a', ...to(ids), data: {} })).data.method, 'PUT'),
  },
  {
    method: 'post',
    form: 'text and bytes with their content type',
    run: async ({ nango, ids }) => {
      const text = await nango.post({ endpoint: '/echo/a', ...to(ids), data: 'plain words', headers: { 'Content-Type': 'text/plain' } });
      assert.equal(text.data.body, 'plain words');
      assert.match(text.data.headers['content-type'], /^text\/plain/);
      const bytes = await nango.post({
        endpoint: '/echo/a',
        ...to(ids),
        data: Buffer.from('PK\u0003\u0004'),
        headers: { 'Content-Type': 'application/octet-stream' },
      });
      assert.equal(bytes.data.body, 'PK\u0003\u0004');
      assert.match(bytes.data.headers['content-type'], /^application\/octet-stream/);
      for (const verb of ['PUT', 'PATCH']) {
        const xml = await nango.proxy({ method: verb, endpoint: '/echo/a', ...to(ids), data: '<a b="c&amp;d=e">ü</a>', headers: { 'Content-Type': 'application/xml' } });
        assert.equal(xml.data.body, '<a b="c&amp;d=e">ü</a>');
        assert.match(xml.data.headers['content-type'], /^application\/xml/);
      }
    },
  },
  {
    method: 'post',
    form: 'form fields, forwarded as a form',
    run: async ({ nango, ids }) => {
      const { data } = await nango.post({
        endpoint: '/echo/a',
        ...to(ids),
        data: new URLSearchParams({ a: '1', b: 'x y' }).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      });
      assert.match(data.headers['content-type'], /^application\/x-www-form-urlencoded/);
      assert.deepEqual([...new URLSearchParams(data.body)], [['a', '1'], ['b', 'x y']]);
    },
  },
  {
    method: 'proxy',
    form: 'method in lower case, none given, unknown',
    run: async ({ nango, ids }) => {
      assert.equal((await nango.proxy({ endpoint: '/echo/a', ...to(ids), method: 'post', data: {} })).data.method, 'POST');
      assert.equal((await nango.proxy({ endpoint: '/echo/a', ...to(ids) })).data.method, 'GET');
      assert.equal((await nango.proxy({ endpoint: '/echo/a', ...to(ids), method: 'BREW' })).data.method, 'GET');
    },
  },
  {
    method: 'proxy',
    form: 'PROPFIND and REPORT',
    since: '0.71.10',
    run: async ({ nango, ids }) => {
      for (const method of ['PROPFIND', 'REPORT']) {
        const { data } = await nango.proxy({ endpoint: '/echo/dav', ...to(ids), method });
        assert.equal(data.method, method);
      }
    },
  },
  {
    method: 'proxy option params',
    form: 'object',
    run: async ({ nango, ids }) => {
      const { data } = await nango.get({ endpoint: '/echo/a', ...to(ids), params: { q: 'a b&c', n: '2' } });
      const query = new URL(data.url, 'http://x').searchParams;
      assert.equal(query.get('q'), 'a b&c');
      assert.equal(query.get('n'), '2');
    },
  },
  {
    method: 'proxy option params',
    form: 'string',
    since: '0.52.5',
    run: async ({ nango, ids }) => {
      assert.equal((await nango.get({ endpoint: '/echo/a', ...to(ids), params: '?q=1' })).data.url, '/echo/a?q=1');
      await refused(() => nango.get({ endpoint: '/echo/a?x=1', ...to(ids), params: 'q=1' }), 'Can not set query params in endpoint and in params');
    },
  },
  {
    method: 'proxy option headers',
    run: async ({ nango, ids }) => {
      const { data } = await nango.get({ endpoint: '/echo/a', ...to(ids), headers: { 'X-Custom': 'v', Accept: 'text/x' } });
      assert.equal(data.headers['x-custom'], 'v');
      assert.equal(data.headers.accept, 'text/x');
    },
  },
  {
    method: 'proxy option baseUrlOverride',
    run: async ({ nango, ids, echo }) => {
      const { data } = await nango.get({ endpoint: '/echo/a', ...to(ids), baseUrlOverride: `${echo.base}/v2/` });
      assert.equal(data.url, '/v2/echo/a');
    },
  },
  {
    method: 'proxy option retries',
    run: async ({ nango, ids }) => {
      const { data } = await nango.get({ endpoint: `/${ids.prefix}/flaky/1`, ...to(ids), retries: 3 });
      assert.deepEqual(data, { n: 2 });
      await rejectsWith(nango.get({ endpoint: `/${ids.prefix}/none/flaky/1`, ...to(ids) }), 500);
    },
  },
  {
    method: 'proxy option retryOn',
    since: '0.38.5',
    run: async ({ nango, ids }) => {
      const { data } = await nango.get({ endpoint: `/${ids.prefix}/on/flaky/1?s=404`, ...to(ids), retries: 2, retryOn: [404, 410] });
      assert.deepEqual(data, { n: 2 });
      await rejectsWith(nango.get({ endpoint: `/${ids.prefix}/off/flaky/1?s=404`, ...to(ids), retries: 2 }), 404);
    },
  },
  {
    method: 'proxy option decompress',
    since: '0.36.100',
    run: async ({ nango, ids }) => assert.deepEqual((await nango.get({ endpoint: '/gzip', ...to(ids), decompress: true })).data, { zipped: true }),
  },
  {
    method: 'proxy, compressed answer',
    run: async ({ nango, ids }) => assert.deepEqual((await nango.get({ endpoint: '/gzip', ...to(ids) })).data, { zipped: true }),
  },
  {
    method: 'proxy option responseType',
    form: 'arraybuffer',
    run: async ({ nango, ids }) => {
      const { data, headers } = await nango.get({ endpoint: '/binary', ...to(ids), responseType: 'arraybuffer' });
      assert.deepEqual([...Buffer.from(data)], [0, 1, 2, 253, 254, 255, 10, 13]);
      assert.equal(headers['content-type'], 'application/octet-stream');
    },
  },
  {
    method: 'proxy option responseType',
    form: 'stream',
    run: async ({ nango, ids }) => {
      const { data } = await nango.get({ endpoint: '/large/1000000', ...to(ids), responseType: 'stream' });
      assert.equal((await readAll(data)).length, 1_000_000);
    },
  },
  {
    method: 'proxy option forwardHeadersOnRedirect',
    since: '0.69.50',
    run: async ({ nango, ids, echo }) => {
      const elsewhere = encodeURIComponent(`http://localhost:${echo.port}/echo/other`);
      const kept = await nango.get({ endpoint: `/redirect/302?to=${elsewhere}`, ...to(ids), headers: { Authorization: 'mine' }, forwardHeadersOnRedirect: true });
      assert.equal(kept.data.headers.authorization, 'mine');
      const dropped = await nango.get({ endpoint: `/redirect/302?to=${elsewhere}`, ...to(ids), headers: { Authorization: 'mine' } });
      assert.equal(dropped.data.headers.authorization, undefined);
      assert.equal(dropped.data.headers['x-api-key'], undefined, 'a key of ours does not leave the host');
    },
  },
  {
    method: 'proxy, redirect within the host',
    run: async ({ nango, ids }) => {
      const { data } = await nango.get({ endpoint: '/redirect/302', ...to(ids) });
      assert.equal(data.url, '/echo/after-redirect');
      assert.equal(data.headers['x-api-key'], `secret-${ids.key}`);
    },
  },
  {
    method: 'proxy, status, headers and body of the provider',
    run: async ({ nango, ids }) => {
      for (const status of [201, 202, 206]) assert.equal((await nango.get({ endpoint: `/status/${status}`, ...to(ids) })).status, status);
      assert.equal((await nango.get({ endpoint: '/204', ...to(ids) })).status, 204);
      const { headers } = await nango.get({ endpoint: '/headers', ...to(ids) });
      assert.equal(headers['x-request-id'], 'req-1');
      assert.equal(headers['x-ratelimit-remaining'], '42');
      assert.deepEqual(headers['set-cookie'], ['a=1; Path=/', 'b=2; Path=/']);
      const file = await nango.get({ endpoint: '/attachment', ...to(ids) });
      assert.equal(file.headers['content-disposition'], 'attachment; filename="f.bin"');
    },
  },
  {
    method: 'proxy, refusals of the provider',
    run: async ({ nango, ids }) => {
      for (const status of [400, 401, 403, 404, 422, 429, 500, 503]) {
        await assert.rejects(nango.get({ endpoint: `/status/${status}`, ...to(ids) }), (error) => {
          assert.equal(error.response.status, status);
          assert.deepEqual(error.response.data, { status, error: 'as asked' });
          assert.equal(error.response.headers['x-echo'], '1');
          assert.equal(error.code, status >= 500 ? 'ERR_BAD_RESPONSE' : 'ERR_BAD_REQUEST');
          return true;
        });
      }
    },
  },
  {
    method: 'proxy, arguments',
    run: async ({ nango, ids }) => {
      await refused(() => nango.get({ ...to(ids) }), /endpoint/);
      await refused(() => nango.get({ endpoint: '/a', connectionId: 'x' }), 'providerConfigKey is missing and is required to make a proxy call!');
      await refused(() => nango.get({ endpoint: '/a', providerConfigKey: 'x' }), 'connectionId is missing and is required to make a proxy call!');
    },
  },
  {
    method: 'proxy, our refusals',
    run: async ({ nango, ids }) => {
      await rejectsWith(nango.get({ endpoint: '/a', providerConfigKey: 'key', connectionId: 'nobody' }), 400, 'server_error');
      await rejectsWith(nango.get({ endpoint: '/a', providerConfigKey: 'nope', connectionId: ids.key }), 404, 'unknown_provider_config');
    },
  },
  {
    method: 'errors',
    form: 'wrong key',
    run: async ({ Nango, nangod }) => {
      const stranger = new Nango({ secretKey: '11111111-1111-4111-8111-111111111111', host: nangod.base });
      await rejectsWith(stranger.listConnections(), 401, 'unknown_account');
      const malformed = new Nango({ secretKey: 'not-a-key', host: nangod.base });
      await rejectsWith(malformed.listConnections(), 401, 'invalid_secret_key_format');
    },
  },
  {
    method: 'errors',
    form: 'nobody listening',
    run: async ({ Nango }) => {
      const lost = new Nango({ secretKey: 'k', host: 'http://127.0.0.1:9' });
      await assert.rejects(lost.listConnections(), (error) => error.code === 'ECONNREFUSED' && error.response === undefined);
    },
  },
];
