// SPDX-License-Identifier: Apache-2.0
// The proxy: the newest client and libnango.

import assert from 'node:assert/strict';

const where = { providerConfigKey: 'key', connectionId: 'c1' };
const at = { ...where, endpoint: '/some/path' };
const echo = { body: { ok: true, text: 'é' } };
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

// `official` is what the official client is given beside the essentials, `call` what the driver is, if
// they differ.
const row = (form, official, call = official, more = {}) => ({
  method: 'proxy',
  form,
  official: (nango) => nango.proxy({ ...at, ...(typeof official === 'function' ? official() : official) }),
  call: { ...at, ...call },
  answer: echo,
  ...more,
});

const form = () => {
  const data = new FormData();
  data.append('field', 'välue');
  data.append('file', new Blob([Buffer.from([0, 1, 255])], { type: 'image/png' }), 'a b.png');
  return { method: 'POST', data };
};

const parts = [
  { name: 'field', data: 'välue' },
  { name: 'file', fileName: 'a b.png', contentType: 'image/png', data: { hex: '0001ff' } },
];

const octets = Buffer.from([0, 1, 2, 253, 254, 255]);

const withData = (method) => [
  row(`${method}: JSON`, { method, data: { a: [1, 'é', null] } }),
  row(`${method}: a form`, () => ({ method, data: new URLSearchParams({ a: 'b c', 'd&': 'é*~' }) }), { method, form: { a: 'b c', 'd&': 'é*~' } }),
  row(`${method}: text`, { method, data: 'just text é' }, { method, bytes: 'just text é' }),
  row(`${method}: text with its type`, { method, data: '<x/>', headers: { 'Content-Type': 'text/xml' } }, { method, bytes: '<x/>', headers: { 'Content-Type': 'text/xml' } }),
  row(`${method}: bytes`, { method, data: octets }, { method, bytes: { hex: octets.toString('hex') } }),
  row(`${method}: bytes with their type`, { method, data: octets, headers: { 'Content-Type': 'application/octet-stream' } }, { method, bytes: { hex: octets.toString('hex') }, headers: { 'Content-Type': 'application/octet-stream' } }),
  row(`${method}: JSON with a type of its own`, { method, data: { a: 1 }, headers: { 'Content-Type': 'application/vnd.api+json' } }, { method, data: { a: 1 }, headers: { 'Content-Type': 'application/vnd.api+json' } }),
  row(`${method}: nothing`, { method }),
];

export const proxy = [
  ...verbs.map((method) => ({ method, form: 'plain', official: (nango) => nango[method](at), call: at, answer: echo })),
  ...['post', 'put', 'patch', 'delete'].map((method) => ({ method, form: 'with JSON', official: (nango) => nango[method]({ ...at, data: { a: 1 } }), call: { ...at, data: { a: 1 } }, answer: echo })),
  ...verbs.map((method) => ({ method, form: 'whatever the config says', official: (nango) => nango[method]({ ...at, method: 'PATCH' }), call: { ...at, method: 'PATCH' }, answer: echo })),
  row('no method is GET', {}),
  ...['get', 'Post', 'pUT', 'PATCH', 'Delete'].map((method) => row(`method ${method}`, { method })),
  ...['propfind', 'REPORT'].map((method) => row(`method ${method}`, { method }, { method }, {
    differs: { why: 'Node announces an empty body for methods that it does not know; there is none', body: ['empty', 'none'] },
  })),
  row('an unknown method', { method: 'BREW' }, { method: 'BREW' }, {
    refused: { why: 'the official client sends GET instead, whatever the caller meant', message: 'method is to be GET, POST, PUT, PATCH, DELETE, PROPFIND or REPORT, not "BREW"' },
  }),
  ...withData('POST'),
  ...withData('PUT'),
  ...withData('PATCH'),
  row('DELETE: JSON', { method: 'DELETE', data: { a: 1 } }),
  row('DELETE: text with its type', { method: 'DELETE', data: 'x', headers: { 'Content-Type': 'text/plain' } }, { method: 'DELETE', bytes: 'x', headers: { 'Content-Type': 'text/plain' } }),
  row('PROPFIND: XML', { method: 'PROPFIND', data: '<x/>', headers: { 'Content-Type': 'application/xml' } }, { method: 'PROPFIND', bytes: '<x/>', headers: { 'Content-Type': 'application/xml' } }),
  row('REPORT: JSON', { method: 'REPORT', data: { a: 1 } }),
  row('GET with data', { method: 'GET', data: { a: 1 } }, { method: 'GET', data: { a: 1 } }, {
    refused: { why: 'the official client throws the data away', message: 'a GET request carries no data' },
  }),
  row('POST: multipart', form, { method: 'POST', parts }),
  row('POST: an empty object', { method: 'POST', data: {} }),
  row('endpoint without a slash', { endpoint: 'some/path' }),
  row('endpoint with a query', { endpoint: '/p?a=b%20c&d=e' }),
  row('endpoint with a space and an umlaut', { endpoint: '/a b/ü' }),
  row('endpoint with escapes', { endpoint: '/a%2Fb/%C3%BC' }),
  row('endpoint that begins with two slashes', { endpoint: '//x' }),
  row('endpoint with a fragment', { endpoint: '/x#y' }),
  row('params', { params: { a: 'b c', é: '&=+*~!\'()', n: 1 } }, { params: { a: 'b c', é: '&=+*~!\'()', n: '1' } }),
  row('params replace those of the endpoint', { endpoint: '/p?a=1&b=2&a=3', params: { a: 'x', c: 'y' } }),
  row('params as text', { params: 'a=b%20c&d=e f' }),
  row('params as text with a question mark', { params: '?a=b' }),
  row('params that are empty', { params: {} }),
  row('params with an array', { params: { a: [1, 2] } }, { params: { a: '1,2' } }),
  row('headers for the provider', { headers: { 'X-One': 'a b', accept: 'text/plain', 'Idempotency-Key': 'k1' } }),
  row('headers: a content type in small letters is the provider\'s alone', { method: 'POST', data: { a: 1 }, headers: { 'content-type': 'application/json; charset=utf-8' } }, { method: 'POST', data: { a: 1 }, headers: { 'content-type': 'application/json; charset=utf-8' } }),
  row('headers: a content type with GET', { headers: { 'Content-Type': 'application/json' } }),
  row('retries', { retries: 3 }),
  row('retries: none', { retries: 0 }),
  row('retry on', { retries: 2, retryOn: [404, 429] }),
  row('base URL', { baseUrlOverride: 'https://example.com/v2' }),
  row('decompress', { decompress: true }),
  row('forward headers on redirect', { forwardHeadersOnRedirect: true }),
  row('forward headers on redirect: false is lost', { forwardHeadersOnRedirect: false }),
  row('everything', {
    method: 'POST', endpoint: 'p?x=y', params: { a: 'b' }, headers: { 'Content-Type': 'application/json', 'X-A': '1' }, retries: 1, retryOn: [500], baseUrlOverride: 'http://x', decompress: true,
    forwardHeadersOnRedirect: true, data: { z: 1 },
  }),
  ...[
    ['activity log', { activityLogId: 'l1' }],
    ['is_sync', { isSync: true }],
    ['is_script and dry_run', { isScript: true, dryRun: true }],
    ['host with a path and a slash', { hostPath: '/some/where/' }],
  ].map(([name, client]) => row(name, {}, {}, { client })),
  {
    method: 'proxy',
    form: 'ids of the client',
    client: { connectionId: 'of the client', providerConfigKey: 'its key' },
    official: (nango) => nango.proxy({ endpoint: '/x' }),
    call: { endpoint: '/x' },
    answer: echo,
  },
  {
    method: 'proxy',
    form: 'ids of the call win',
    client: { connectionId: 'of the client', providerConfigKey: 'its key' },
    official: (nango) => nango.proxy(at),
    call: at,
    answer: echo,
  },
  row('answer: bytes', { responseType: 'arraybuffer' }, {}, {
    answer: { headers: { 'content-type': 'application/octet-stream' }, body: octets },
    returned: (official, answer) => assert.equal(answer.result.hex, Buffer.from(official).toString('hex')),
  }),
  row('answer: text', { responseType: 'text' }, { responseType: 'text' }, {
    answer: { headers: { 'content-type': 'text/plain' }, body: 'täxt' },
  }),
  row('answer: JSON under another type, asked for', { responseType: 'json' }, { responseType: 'json' }, { answer: { headers: { 'content-type': 'text/plain' }, body: '{"a":1}' } }),
  // Parsing is for what says that it is JSON, or is asked to be: an answer may be large and not meant so.
  row('answer: JSON under another type', {}, {}, {
    answer: { headers: { 'content-type': 'text/plain' }, body: '{"a":1}' },
    returned: (official, answer) => assert.deepEqual([official, answer.result], [{ a: 1 }, '{"a":1}']),
  }),
  row('answer: no JSON although asked for', { responseType: 'text' }, { responseType: 'json' }, {
    answer: { headers: { 'content-type': 'text/plain' }, body: 'OK' }, broken: 'NANGO_E_PARSE',
  }),
  row('answer: empty', { method: 'DELETE' }, { method: 'DELETE' }, { answer: { status: 204 } }),
  row('answer: a refusal', {}, {}, { answer: { status: 404, body: { error: 'nothing here' } }, status: 404 }),
  row('answer: a failure', {}, {}, { answer: { status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>no</h1>' }, status: 503 }),
  ...['endpoint', 'providerConfigKey', 'connectionId'].map((field) => ({
    method: 'proxy',
    form: `no ${field}`,
    // The official client takes its own empty ids for none, so it has to be told undefined.
    official: (nango) => nango.proxy({ ...at, [field]: undefined }),
    call: { ...at, [field]: undefined },
    error: `${field} is missing and is required to make a proxy call!`,
  })),
  row('query in endpoint and params', { endpoint: '/x?a=b', params: 'c=d' }, undefined, { answer: undefined, error: 'Can not set query params in endpoint and in params' }),
  {
    method: 'proxy',
    form: 'streamed',
    driver: 'proxyStream',
    official: (nango) => nango.proxy({ ...at, method: 'POST', data: 'x'.repeat(100_000), headers: { 'Content-Type': 'text/plain' } }),
    call: { ...at, method: 'POST', body: 'x'.repeat(100_000), headers: { 'Content-Type': 'text/plain' } },
    answer: { headers: { 'content-type': 'text/plain' }, body: 'y'.repeat(200_000) },
    returned: (official, answer) => assert.equal(answer.typed.body, official),
  },
  {
    method: 'proxy',
    form: 'streamed, with a body of the config',
    driver: 'proxyStream',
    official: (nango) => nango.proxy({ ...at, method: 'PUT', data: { a: 1 } }),
    call: { ...at, method: 'PUT', data: { a: 1 } },
    answer: { headers: { 'content-type': 'text/plain' }, body: 'y' },
    returned: (official, answer) => assert.equal(answer.typed.body, official),
  },
];
