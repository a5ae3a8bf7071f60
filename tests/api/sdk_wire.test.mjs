// SPDX-License-Identifier: Apache-2.0
// libnango beside the official clients: the same task given to both, the requests compared, then what
// each makes of the answer. Tables in sdk/; every row runs in the blocking and in the asynchronous form.
// Where the two differ, the row says why and how exactly.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { at, loadClient } from './lib/clients.mjs';
import { Drivers, driveOnce } from './lib/driver.mjs';
import { Recorder } from './lib/recorder.mjs';
import { connections } from './sdk/connections.mjs';
import { incoming, legacy, refusals } from './sdk/construct.mjs';
import { early2023 } from './sdk/early.mjs';
import { integrations } from './sdk/integrations.mjs';
import { proxy } from './sdk/proxy.mjs';
import { syncs } from './sdk/syncs.mjs';

const newest = '0.71.10';
const early = '0.36.100';
const table = [...connections, ...integrations, ...syncs, ...proxy, ...early2023].map((row) => ({ version: newest, ...row }));

let recorder;
const drivers = new Drivers();

before(async () => {
  recorder = await Recorder.start();
});

after(async () => {
  try {
    await drivers.finish();
  } finally {
    await recorder?.finish();
  }
});

const secretKey = 'the key';
const isEarly = (version) => at(version) <= at(early);

async function officialClient(version, { hostPath = '', ...client } = {}) {
  const Nango = await loadClient(version);
  return new Nango({ ...(!client.apiKey && { secretKey }), host: recorder.base + hostPath, ...client });
}

function ourClient(version, { hostPath = '', secretKey: key, ...client } = {}, async = false) {
  return drivers.of({ ...(!client.apiKey && { key: key ?? secretKey }), host: recorder.base + hostPath, ...client, era: isEarly(version) ? '2023' : undefined, async });
}

// Official clients wait long seconds and print what is deprecated: neither is looked at here.
async function calmly({ hurry }, call) {
  const { setTimeout: real } = globalThis;
  const { log, warn } = console;
  console.log = () => {};
  console.warn = () => {};
  if (hurry) globalThis.setTimeout = (done, ms, ...rest) => real(done, ms === 10_000 || ms === 2_000 ? 1 : ms, ...rest);
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  } finally {
    globalThis.setTimeout = real;
    Object.assign(console, { log, warn });
  }
}

// The data of what an official client gave: some methods give the whole response.
const data = (value) => (value !== null && typeof value === 'object' && 'config' in value && 'statusText' in value ? value.data : value);

// Takes the differences that the row names out of both, after making sure that they are these.
function sameBut(official, ours, { why, ...differences } = {}) {
  for (const [member, [expected, instead]] of Object.entries(differences)) {
    const [parent, name] = member.startsWith('headers.') ? ['headers', member.slice(8)] : [null, member];
    for (const [call, value] of [[official, expected], [ours, instead]]) {
      const holder = parent ? call[parent] : call;
      assert.deepEqual(holder[name], value, `${member}: ${why}`);
      delete holder[name];
    }
  }
  assert.deepEqual(ours, official);
}

async function compare(row, async) {
  const { version, method, driver = method } = row;
  recorder.answer(row.answer ?? {});
  const official = await calmly(row, async () => row.official(await officialClient(version, row.client)));
  const theirs = recorder.taken();
  recorder.answer(row.answer ?? {});
  const answer = await ourClient(version, row.client, async).call(driver, row.call);
  const ours = recorder.taken();

  if (row.refused) {
    assert.equal(official.error, undefined);
    assert.deepEqual([answer.code, answer.message, ours.length], ['NANGO_E_ARGUMENT', row.refused.message, 0], row.refused.why);
    return;
  }
  assert.equal(ours.length, theirs.length, `requests: official ${JSON.stringify(theirs)}, ours ${JSON.stringify(ours)}; ${JSON.stringify(answer)}`);
  theirs.forEach((call, index) => sameBut(call, ours[index], row.differs));
  if (row.error) {
    assert.equal(official.error?.message, row.error);
    assert.equal(answer.message, row.message ?? row.error);
    assert.equal(answer.code, row.code ?? 'NANGO_E_ARGUMENT');
    return;
  }
  assert.ok(theirs.length > 0, 'something was asked');
  if (row.status) {
    assert.equal(official.error?.response?.status, row.status);
    assert.equal(answer.code, 'NANGO_E_HTTP');
    assert.equal(answer.http_status, row.status);
    assert.deepEqual(answer.result, official.error.response.data);
    return;
  }
  if (official.error) throw official.error;
  if (row.broken) {
    assert.equal(answer.code, row.broken);
    assert.equal(answer.result, official.value.data, 'what came is given all the same');
    return;
  }
  assert.equal(answer.code, 'NANGO_OK', JSON.stringify(answer));
  if (row.returned) row.returned(data(official.value), answer);
  else assert.deepEqual(answer.result, data(official.value));
}

for (const version of [...new Set(table.map((row) => row.version))]) {
  describe(`as client ${version}`, () => {
    for (const row of table.filter((one) => one.version === version && !one.onlyPoints)) {
      const name = `${version} ${row.method}${row.form ? ` (${row.form})` : ''}`;
      it(name, () => compare(row, false));
      it(`${name}, async`, () => compare(row, true));
    }
  });
}

describe('what the early client only points to', () => {
  const made = { provider_config_key: 'key', connection_id: 'c1' };
  const flat = [
    ['OAUTH2', { type: 'OAUTH2', access_token: 'a', refresh_token: 'r', expires_at: '2030-01-31T12:00:00.000Z' }, { access_token: 'a', refresh_token: 'r', expires_at: '2030-01-31T12:00:00.000Z' }],
    ['API_KEY', { type: 'API_KEY', apiKey: 'k1' }, { api_key: 'k1' }],
    ['BASIC', { type: 'BASIC', username: 'u', password: 'p' }, { username: 'u', password: 'p' }],
  ];

  for (const row of table.filter((one) => one.onlyPoints)) {
    it(`${row.version} ${row.method} (${row.form})`, async () => row.official(await officialClient(row.version)));
  }
  for (const async of [false, true]) {
    for (const [form, credentials, body] of flat) {
      it(`${early} createConnection (${form}, flat)${async ? ', async' : ''}`, async () => {
        recorder.answer({ status: 201, body: made });
        const answer = await ourClient(early, {}, async).call('createConnection', { ...made, credentials, metadata: { m: 1 } });
        assert.equal(answer.code, 'NANGO_OK', JSON.stringify(answer));
        assert.equal(answer.typed.id, 'c1');
        const [{ method, path, body: sent }] = recorder.taken();
        assert.deepEqual([method, path, sent], ['POST', '/connection', { json: { ...made, ...body, metadata: { m: 1 } } }]);
      });
    }
    it(`${early} importConnection${async ? ', async' : ''}`, async () => {
      recorder.answer({ status: 201, body: made });
      const answer = await ourClient(early, {}, async).call('importConnection', { body: { ...made, no_expiration: true } });
      assert.equal(answer.code, 'NANGO_OK', JSON.stringify(answer));
      const [{ method, path, body }] = recorder.taken();
      assert.deepEqual([method, path, body], ['POST', '/connection', { json: { ...made, no_expiration: true } }]);
    });
    it(`${early} setMetadata takes one connection at a time${async ? ', async' : ''}`, async () => {
      const answer = await ourClient(early, {}, async).call('setMetadata', { providerConfigKey: 'key', connectionId: ['c1', 'c2'], metadata: {} });
      assert.deepEqual([answer.code, answer.message, recorder.taken()], ['NANGO_E_ARGUMENT', 'servers of 2023 take the metadata of one connection at a time', []]);
    });
  }
});

describe('making a client', () => {
  for (const { version = newest, form, options, error, ours } of refusals) {
    it(`${version} refuses ${form}`, async () => {
      const Nango = await loadClient(version);
      assert.throws(() => new Nango({ ...options }), { message: error });
      const { secretKey: key, ...rest } = options;
      const [answer] = await driveOnce({ key, ...rest, era: isEarly(version) ? '2023' : undefined }, 'clientHost');
      assert.deepEqual(answer, { code: 'NANGO_E_ARGUMENT', message: ours, no_client: true });
    });
  }

  for (const [host, seen] of [[undefined, 'https://api.nango.dev'], ['http://h/', 'http://h'], ['http://h/p/', 'http://h/p'], ['http://h:1//', 'http://h:1/']]) {
    it(`host ${host} is used as ${seen}`, async () => {
      const Nango = await loadClient(newest);
      assert.equal(new Nango({ secretKey, host }).serverUrl, seen);
      const [answer] = await driveOnce({ key: secretKey, host }, 'clientHost');
      assert.equal(answer.result, seen);
    });
  }

  it('takes key and host from the environment, what is given first', async () => {
    const env = { NANGO_SECRET_KEY: 'key of the environment', NANGO_HOSTPORT: recorder.base };
    recorder.answer({ body: { connections: [] } });
    await driveOnce({ fromEnv: true }, 'listConnections', {}, { env });
    await driveOnce({ fromEnv: true, key: 'given' }, 'listConnections', {}, { env });
    await driveOnce({ fromEnv: true, apiKey: 'given too', host: `${recorder.base}/p` }, 'listConnections', {}, { env });
    assert.deepEqual(recorder.taken().map(({ path, headers }) => [path, headers.authorization]), [
      ['/connections', 'Bearer key of the environment'],
      ['/connections', 'Bearer given'],
      ['/p/connections', 'Bearer given too'],
    ]);
    const [empty] = await driveOnce({ fromEnv: true }, 'clientHost', {}, { env: { NANGO_SECRET_KEY: '', NANGO_HOSTPORT: '' } });
    assert.equal(empty.code, 'NANGO_E_ARGUMENT');
  });

  it('sends the headers that it was given, and says who it is', async () => {
    recorder.answer({ body: { connections: [] } });
    await driveOnce({ key: secretKey, host: recorder.base, userAgent: 'my-product/3', header: ['X-One:a b', 'X-Two:'] }, 'listConnections');
    const [{ headers }] = recorder.calls;
    recorder.taken();
    assert.match(headers['user-agent'], /^\S+\/\d+\.\d+\.\d+ .*; my-product\/3$/);
    assert.equal(headers['x-one'], 'a b');
    assert.equal(headers['x-two'], '');
  });

  it('names its version and codes', async () => {
    const [{ result }] = await driveOnce({ key: secretKey }, 'constants');
    assert.match(result.version, /^\d+\.\d+\.\d+$/);
    assert.deepEqual(result.codes.slice(0, -1), ['OK', 'E_ARGUMENT', 'E_MEMORY', 'E_STATE', 'E_RESOLVE', 'E_CONNECT', 'E_TLS', 'E_TIMEOUT', 'E_NETWORK', 'E_TRUNCATED', 'E_TOO_LARGE', 'E_CANCELLED', 'E_HTTP', 'E_PARSE'].map((name) => `NANGO_${name}`));
    assert.equal(typeof result.codes.at(-1), 'string');
    assert.deepEqual(result.auth_types, ['', 'OAUTH2', 'OAUTH1', 'API_KEY', 'BASIC', 'APP', 'APP_STORE', 'OAUTH2_CC', 'TBA', 'JWT', 'BILL', 'TWO_STEP', 'SIGNATURE', 'CUSTOM', 'AWS_SIGV4', 'MCP_OAUTH2', 'INSTALL_PLUGIN', 'NONE']);
  });
});

describe('webhooks', () => {
  for (const [form, client, body, headers, verdict, ours = verdict] of incoming) {
    it(`${newest} verifyIncomingWebhookRequest (${form})`, async () => {
      assert.equal((await officialClient(newest, client)).verifyIncomingWebhookRequest(body, headers), verdict);
      assert.equal((await ourClient(newest, client).call('verifyIncomingWebhookRequest', { body, headers })).result, ours);
    });
  }
  for (const [form, client, value, json, signature, verdict] of legacy) {
    it(`${newest} verifyWebhookSignature (${form})`, async () => {
      assert.equal((await officialClient(newest, client)).verifyWebhookSignature(signature, value), verdict);
      assert.equal((await ourClient(newest, client).call('verifyWebhookSignature', { signature, json })).result, verdict);
    });
  }
});

// What has no official counterpart: the REST API's own description says what is to be sent.
describe('making connections', () => {
  const made = { provider_config_key: 'key', connection_id: 'c1' };
  const rows = [
    ['OAUTH2', { type: 'OAUTH2', access_token: 'a', refresh_token: 'r', expires_at: '2030-01-31T12:00:00.000Z' }],
    ['OAUTH2 with a client of its own', { type: 'OAUTH2', access_token: 'a', client_id: 'ci', client_secret: 'cs' }, { type: 'OAUTH2', access_token: 'a', config_override: { client_id: 'ci', client_secret: 'cs' } }],
    ['OAUTH2_CC', { type: 'OAUTH2_CC', token: 't', client_id: 'ci', client_secret: 'cs', expires_at: '2030-01-31T12:00:00.000Z' }],
    ['OAUTH1', { type: 'OAUTH1', oauth_token: 't', oauth_token_secret: 's' }],
    ['API_KEY', { type: 'API_KEY', apiKey: 'k' }],
    ['BASIC', { type: 'BASIC', username: 'u', password: '' }],
    ['TBA', { type: 'TBA', token_id: 'i', token_secret: 's' }],
    ['APP', { type: 'APP', app_id: 'a', installation_id: 'i' }],
    ['CUSTOM', { type: 'CUSTOM', app_id: 'a', installation_id: 'i' }],
    ['NONE', { type: 'NONE' }],
  ];
  const everything = { metadata: { a: [1] }, connection_config: { subdomain: 's' }, end_user: { id: 'u', email: 'a@b.c', display_name: 'A', tags: { x: 'y' } }, tags: { p: 'q' }, webhook_url_override: 'https://example.com' };
  const wire = (json) => ({
    method: 'POST',
    path: '/connections',
    query: null,
    headers: { accept: 'application/json, text/plain, */*', authorization: 'Bearer the key', 'content-type': 'application/json' },
    body: { json },
  });
  const sent = async (async, method, call, json) => {
    recorder.answer({ status: 201, body: { id: 7, ...made } });
    const answer = await ourClient(newest, {}, async).call(method, call);
    assert.equal(answer.code, 'NANGO_OK', JSON.stringify(answer));
    assert.equal(answer.typed.number, 7);
    assert.deepEqual(recorder.taken(), [wire(json)]);
  };

  for (const async of [false, true]) {
    const suffix = async ? ', async' : '';
    for (const [form, credentials, expected = credentials] of rows) {
      it(`createConnection (${form})${suffix}`, () => sent(async, 'createConnection', { ...made, credentials }, { ...made, credentials: expected }));
    }
    it(`createConnection (everything)${suffix}`, () => sent(async, 'createConnection', { ...made, credentials: { type: 'NONE' }, ...everything }, { ...made, credentials: { type: 'NONE' }, ...everything }));
    it(`createConnection (the server's own id)${suffix}`, () => sent(async, 'createConnection', { provider_config_key: 'key', credentials: { type: 'NONE' } }, { provider_config_key: 'key', credentials: { type: 'NONE' } }));
    it(`importConnection${suffix}`, () => sent(async, 'importConnection', { body: { any: ['thing'] } }, { any: ['thing'] }));
    it(`importConnection (no JSON)${suffix}`, async () => {
      const answer = await ourClient(newest, {}, async).call('importConnection', { body$: '{"a":' });
      assert.equal(answer.code, 'NANGO_E_ARGUMENT');
      assert.deepEqual(recorder.taken(), []);
    });
  }
});

describe('records one by one', () => {
  for (const async of [false, true]) {
    it(`iterateRecords fetches page after page${async ? ', beside a loop' : ''}`, async () => {
      const need = { providerConfigKey: 'key', connectionId: 'c1', model: 'Item' };
      const page = (ids, next) => ({ body: { records: ids.map((id) => ({ id })), next_cursor: next } });
      recorder.answer([page(['1', '2'], 'x+'), page([], 'y'), { status: 502, body: 'no' }, page(['3'], null)]);
      const answer = await ourClient(newest, {}, async).call('iterateRecords', { ...need, limit: 2, $again: 1 });
      assert.equal(answer.code, 'NANGO_OK');
      assert.deepEqual(answer.typed.map((record) => record.id), ['1', '2', '3']);
      assert.deepEqual(recorder.taken().map((call) => call.query), ['model=Item&limit=2', 'model=Item&limit=2&cursor=x%2B', 'model=Item&limit=2&cursor=y', 'model=Item&limit=2&cursor=y']);
    });
  }
});

describe('the tables', () => {
  // Helpers of the clients themselves, which other methods call.
  const internal = new Set(['enrichHeaders', 'getConnectionDetails', 'listConnectionDetails']);
  const here = new Map([['verifyWebhookSignature', legacy], ['verifyIncomingWebhookRequest', incoming]]);

  for (const version of [newest, early]) {
    it(`have a row for every public method of ${version}`, async () => {
      const Nango = await loadClient(version);
      const named = new Set(table.filter((row) => row.version === version).map((row) => row.method));
      const methods = Object.getOwnPropertyNames(Nango.prototype).filter((name) => name !== 'constructor' && !name.startsWith('_') && !internal.has(name));
      assert.ok(methods.length > 20, String(methods.length));
      assert.deepEqual(methods.filter((name) => !named.has(name) && !here.has(name)), []);
    });
  }
});
