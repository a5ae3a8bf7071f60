// SPDX-License-Identifier: Apache-2.0
// The modes whose credentials are obtained with what the user enters, or signed with it: connected by
// public key and by session, fetched, renewed, proxied and deleted, against a provider that verifies
// what it is sent.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { logged } from './lib/daemon.mjs';
import { TokenProvider, sigV4Problem, verifiedJwt } from './lib/tokens.mjs';
import { World } from './lib/world.mjs';

const minute = 60_000;
const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (pair, type = 'pkcs8') => pair.privateKey.export({ type, format: 'pem' });
const jwk = { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'key-1' };

let world;
let provider;
let names = 0;
const test = (name, body) => it(name, logged(() => world.nangod, body));
const form = (call) => Object.fromEntries(new URLSearchParams(call.body));
const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

const awsConfig = Object.fromEntries(['service', 'defaultRegion', 'stsMode', 'awsAccessKeyId', 'awsSecretAccessKey', 'stsEndpointUrl', 'stsAuthType', 'stsAuthHeader', 'stsApiKey', 'stsAuthUsername', 'stsAuthPassword'].map((name) => [name, { type: 'string', title: name, description: name, optional: true }]));

const entries = (at) => ({
  'cc': { auth_mode: 'OAUTH2_CC', token_url: `${at}/cc?keep=1`, token_params: { grant_type: 'client_credentials', audience: '${connectionConfig.audience}' }, token_response_metadata: ['region', 'deep.er'] },
  'cc-basic': { auth_mode: 'OAUTH2_CC', token_url: `${at}/cc`, token_request_auth_method: 'basic', body_format: 'json', token_params: { grant_type: 'client_credentials' }, expires_in_unit: 'milliseconds' },
  'cc-custom': { auth_mode: 'OAUTH2_CC', token_url: `${at}/cc`, token_request_auth_method: 'custom', body_format: 'query', scope_separator: ',' },
  'cc-jwk': { auth_mode: 'OAUTH2_CC', token_url: `${at}/cc`, token_request_auth_method: 'private_key_jwt', token_params: { grant_type: 'client_credentials' } },
  'steps': {
    auth_mode: 'TWO_STEP',
    token_url: `${at}/steps/\${connectionConfig.tenant}/login`,
    token_params: { user: { name: '${credentials.username}' }, password: '${credentials.password}', flag: true },
    token_headers: { 'x-request': '${base64(${credentials.username})}' },
    refresh_url: `${at}/steps/refresh`,
    refresh_token_params: { RefreshToken: '${refresh_token}' },
    token_response: { token: 'data.session', refresh_token: 'data.Renewal', token_expiration: 'data.life', token_expiration_strategy: 'expireIn' },
    token_response_headers: ['x-instance'],
    proxy: { base_url: `${at}/api`, headers: { 'x-session': '${accessToken}', 'x-instance': '${credentials.x-instance}' } },
  },
  'chain': {
    auth_mode: 'TWO_STEP',
    body_format: 'form',
    token_url: `${at}/chain/1`,
    token_request_method: 'GET',
    token_params: { never: 'sent' },
    token_response: { token: 'access' },
    token_expires_in_ms: 3600000,
    token_response_metadata: ['instance'],
    additional_steps: [
      { token_url: '${step1.next}/chain/2', token_params: { ticket: '${step1.ticket}', user: '${credentials.username}' }, body_format: 'form', token_headers: { authorization: 'Bearer ${step1.ticket}' } },
      { token_url: `${at}/chain/3`, token_params: { one: '${step1.ticket}', two: '${step2.ticket}' }, body_format: 'json' },
    ],
  },
  'xml': { auth_mode: 'TWO_STEP', body_format: 'xml', token_url: `${at}/xml`, token_params: { request: { login: { user: '${credentials.username}' }, function: { $id: '${random}', ask: '' } } }, token_response: { token: 'response.session.id', token_expiration: 'response.session.until' } },
  'cookies': { auth_mode: 'TWO_STEP', token_url: `${at}/cookies`, token_params: {}, token_response: { token: 'id' }, token_response_headers: ['set-cookie'], proxy: { base_url: `${at}/api`, headers: { cookie: '${credentials._cookies}' } } },
  'plain': { auth_mode: 'TWO_STEP', token_url: `${at}/plain?u=\${credentials.username}`, token_request_method: 'GET', token_response: { token: '' } },
  'moved': { auth_mode: 'TWO_STEP', token_url: `${at}/moved?k=${'$'}{credentials.username}`, token_request_method: 'GET', token_headers: { 'x-key': '${credentials.username}' }, token_response: { token: 'token' } },
  'account': {
    auth_mode: 'TWO_STEP', body_format: 'form', token_url: `${at}/account`, token_params: { assertion: '${token}' }, token_response: { token: 'access_token' }, signature: { protocol: 'RSA' },
    token: { signing_key: '${credentials.privateKey}', expires_in_ms: 3600000, header: { alg: 'RS256', typ: 'JWT' }, payload: { iss: '${credentials.email}', sub: '${credentials.delegated}', scope: ['${credentials.scopes}'] } },
  },
  'asserted': {
    auth_mode: 'TWO_STEP', body_format: 'form', token_url: `${at}/asserted`, token_params: { assertion: '${credentials.assertion}' }, token_response: { token: 'access_token', token_expiration: 'expires_in', token_expiration_strategy: 'expireIn' },
    assertion: { type: 'jwt', key: '${assertionOption.privateKey}', lifetimeInSeconds: 7200, header: { alg: 'PS256', kid: '${credentials.keyId}' }, payload: { iss: '${credentials.clientId}', jti: '${random}' } },
    assertion_option: { privateKey: { type: 'string', title: 'Key', description: 'Key' } },
  },
  'saml': {
    auth_mode: 'TWO_STEP', body_format: 'form', token_url: `${at}/saml`, token_params: { assertion: '${credentials.assertion}' }, token_response: { token: 'access_token' },
    assertion: { type: 'saml', key: '${assertionOption.privateKey}', issuer: 'www.issuer.test', lifetimeInSeconds: '600', audiences: 'one, two', recipient: `${at}/saml`, nameIdentifier: '${assertionOption.userName}', sessionIndex: '${random}', attributes: { api_key: '${credentials.apiKey}', use_email: false } },
  },
  'owned': { auth_mode: 'TWO_STEP', body_format: 'form', token_url: `${at}/owned`, token_params: { id: '${credentials.clientId}', user: '${credentials.username}' }, token_response: { token: 'access_token' }, integration_config: { clientId: { type: 'string', title: 'Id', description: 'Id', optional: true } } },
  'ghost': { auth_mode: 'JWT', signature: { protocol: 'HMAC' }, token: { signing_key: '${credentials.privateKey.secret}', expires_in_ms: 300000, header: { alg: 'HS256', kid: '${credentials.privateKey.id}' }, payload: { aud: '/admin/' } }, proxy: { base_url: `${at}/api`, headers: { authorization: 'Ghost ${accessToken}' }, verification: { method: 'GET', endpoints: ['/checked'] } } },
  'store': { auth_mode: 'JWT', signature: { protocol: 'EC' }, token: { signing_key: '${credentials.privateKey}', expires_in_ms: 900000, header: { alg: 'ES256', kid: '${credentials.privateKeyId}', typ: 'JWT' }, payload: { iss: '${credentials.issuerId}', aud: 'store', scope: ['${connectionConfig.scope}'] } } },
  'wsse': { auth_mode: 'SIGNATURE', signature: { protocol: 'WSSE' }, token: { expires_in_ms: 300000 }, proxy: { base_url: `${at}/api`, headers: { 'x-wsse': '${accessToken}' }, verification: { method: 'GET', endpoints: ['/wsse'] } } },
  'login': { auth_mode: 'BILL', token_url: `${at}/bill`, proxy: { base_url: `${at}/api`, headers: { sessionid: '${credentials.session_id}', devkey: '${credentials.dev_key}' } } },
  'tba': { auth_mode: 'TBA', proxy: { base_url: `${at}/api` , verification: { method: 'GET', endpoints: ['/tba'] } } },
  'aws': { auth_mode: 'AWS_SIGV4', proxy: { base_url: `${at}/api`, verification: { method: 'GET', endpoints: ['/aws'] } }, integration_config: awsConfig },
  'aws-unchecked': { auth_mode: 'AWS_SIGV4', proxy: { base_url: `${at}/api` }, integration_config: awsConfig },
});

before(async () => {
  provider = await TokenProvider.start();
  const common = (name) => ({ display_name: name, categories: ['other'], docs: 'https://example.com' });
  const all = Object.entries(entries(provider.base)).map(([name, entry]) => [`m-${name}`, { ...common(name), proxy: { base_url: `${provider.base}/api` }, ...entry }]);
  // One of the names whose tokens' lives only the provider knows.
  all.push(['salesforce-jwt', { ...common('Salesforce'), auth_mode: 'TWO_STEP', token_url: `${provider.base}/sf`, token_response: { token: 'access_token' }, token_expires_in_ms: 0, proxy: { base_url: `${provider.base}/api` } }]);
  const providers = all.map(([name, entry]) => `${name}: ${JSON.stringify(entry)}\n`).join('');
  world = await World.start({ oauth: false, echo: false, clock: true, providers });
  for (const [name] of all) {
    if (name.includes('aws')) continue;
    const credentials = name === 'm-tba' ? { credentials: { type: 'TBA', client_id: 'ck', client_secret: 'cs' } } : {};
    await world.integration(name.replace(/^m-/, ''), name, credentials);
  }
  await world.integration('aws', 'm-aws', { integration_config: { service: 's3', stsMode: 'custom', stsEndpointUrl: `${provider.base}/sts`, stsApiKey: 'broker-key', defaultRegion: 'eu-west-1' } });
  await world.integration('aws-own', 'm-aws-unchecked', { integration_config: { service: 'execute-api', stsMode: 'builtin', stsEndpointUrl: `${provider.base}/sts-aws`, awsAccessKeyId: 'AKIA1', awsSecretAccessKey: 'own-secret' } });
});
after(async () => {
  await world?.finish();
  await provider?.finish();
});

// By public key; `connect.session` by a session of its own.
async function connect(endpoint, key, body, { params = {}, session = false, status = 200 } = {}) {
  const id = `m${++names}`;
  const query = new URLSearchParams(Object.entries(params).map(([name, value]) => [`params[${name}]`, value]));
  if (session) {
    const { data } = await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' }, allowed_integrations: [key] } });
    query.set('connect_session_token', data.token);
  } else {
    query.set('public_key', world.nangod.keys.publicKey);
    query.set('connection_id', id);
  }
  const answer = await world.nangod.api('POST', `/${endpoint}/${key}?${query}`, { key: null, body });
  assert.equal(answer.status, status, answer.text);
  if (status !== 200) return answer.body;
  assert.deepEqual(Object.keys(answer.body), ['connectionId', 'providerConfigKey']);
  return answer.body.connectionId;
}
const fetched = async (key, id, query = '') => (await world.nangod.must(200, 'GET', `/connections/${id}?provider_config_key=${key}${query}`));
const credentials = async (key, id, query) => (await fetched(key, id, query)).credentials;
async function proxied(key, id, target = '/me', options = {}) {
  const answer = await world.proxied(key, id, target, options);
  assert.equal(answer.status, 200, answer.text);
  return provider.last(`/api${target.split('?')[0]}`);
}
const life = ({ expires_at }) => Date.parse(expires_at) - world.clock.now();
const about = (ms, expected) => assert.ok(Math.abs(ms - expected) < minute, `${ms} ms, ${expected} expected`);

describe('client credentials', () => {
  let n = 0;
  before(() => provider.on('/cc', () => ({ body: { access_token: `cc-${++n}`, expires_in: 3600, region: 'eu', deep: { er: 'yes' } } })));

  for (const session of [false, true]) {
    test(`connected by ${session ? 'session' : 'public key'}, renewed, proxied, deleted`, async () => {
      const id = await connect('oauth2/auth', 'cc', { client_id: 'a', client_secret: 's&1' }, { session, params: { audience: 'aud', oauth_scopes: 'x,y' } });
      const sent = provider.last('/cc');
      assert.equal(sent.url, '/cc?keep=1');
      assert.deepEqual(form(sent), { client_id: 'a', client_secret: 's&1', grant_type: 'client_credentials', audience: 'aud', scope: 'x y' });
      const first = await fetched('cc', id);
      assert.deepEqual({ ...first.credentials, expires_at: undefined, raw: undefined }, { type: 'OAUTH2_CC', token: `cc-${n}`, client_id: 'a', client_secret: 's&1', expires_at: undefined, raw: undefined });
      assert.equal(first.credentials.raw.region, 'eu');
      assert.equal(first.connection_config.region, 'eu');
      assert.equal(first.connection_config['deep.er'], 'yes');
      about(life(first.credentials), 60 * minute);
      assert.equal((await proxied('cc', id)).headers.authorization, `Bearer ${first.credentials.token}`);
      world.clock.advance(50 * minute);
      const second = await credentials('cc', id);
      assert.notEqual(second.token, first.credentials.token);
      about(life(second), 60 * minute);
      const calls = provider.of('/cc').length;
      assert.equal((await credentials('cc', id)).token, second.token);
      assert.equal(provider.of('/cc').length, calls);
      assert.notEqual((await credentials('cc', id, '&force_refresh=true')).token, second.token);
      await world.nangod.must(200, 'DELETE', `/connections/${id}?provider_config_key=cc`);
    });
  }

  test('Basic, JSON, and a life in milliseconds', async () => {
    provider.on('/cc', { body: { data: { token: 'inner' }, expires_in: 7_200_000 } });
    const id = await connect('oauth2/auth', 'cc-basic', { client_id: 'a b', client_secret: 'c' });
    assert.equal(provider.last('/cc').headers.authorization, basic('a b', 'c'));
    assert.deepEqual(JSON.parse(provider.last('/cc').body), { grant_type: 'client_credentials' });
    const got = await credentials('cc-basic', id);
    assert.equal(got.token, 'inner');
    about(life(got), 120 * minute);
  });

  test('user name and password in the query, and no life told', async () => {
    provider.on('/cc', { body: { jwt: 'the-jwt' } });
    const id = await connect('oauth2/auth', 'cc-custom', { client_id: 'a', client_secret: 'b' }, { params: { oauth_scopes: 'x,y' } });
    assert.equal(provider.last('/cc').url, '/cc?username=a&password=b&scope=x%2Cy');
    assert.equal(provider.last('/cc').body, '');
    about(life(await credentials('cc-custom', id)), 55 * minute);
  });

  test('an assertion signed with a JWK', async () => {
    provider.on('/cc', (call) => {
      const { header, payload } = verifiedJwt(form(call).client_assertion, rsa.publicKey);
      assert.equal(header.kid, 'key-1');
      assert.deepEqual([payload.iss, payload.sub, payload.aud], ['a', 'a', `${provider.base}/cc`]);
      assert.equal(payload.exp - payload.iat, 300);
      return { body: { access_token: 'by-jwk' } };
    });
    const id = await connect('oauth2/auth', 'cc-jwk', { client_id: 'a', client_private_key: JSON.stringify(jwk) });
    assert.equal((await credentials('cc-jwk', id)).token, 'by-jwk');
    const { error } = await connect('oauth2/auth', 'cc-jwk', { client_id: 'a', client_private_key: 'nonsense' }, { status: 400 });
    assert.equal(error.code, 'failed_to_generate');
  });

  const bad = {
    'an HTML page': [{ body: '<html>hi</html>', headers: { 'content-type': 'text/html' } }, 'token_parsing_error', /page/],
    'an error in a 200': [{ body: { error: 'invalid_client', error_description: 'who are you' } }, 'incomplete_raw_credentials', /who are you/],
    'a refusal': [{ status: 401, body: { error: 'invalid_client' } }, 'client_credentials_fetch_error', /401.*invalid_client/],
    'an answer that quotes the secret': [{ status: 400, body: { error: 'bad', error_description: 'no: top-secret' } }, 'client_credentials_fetch_error', /400$/],
    'an endless body': [{ endless: true }, 'client_credentials_fetch_error', /larger than 1 MiB/],
    'nothing': [{ body: '' }, 'token_parsing_error', /empty/],
  };
  for (const [name, [answer, code, message]] of Object.entries(bad)) {
    test(`${name} is told, and nothing is stored`, async () => {
      provider.on('/cc', answer);
      const { error } = await connect('oauth2/auth', 'cc', { client_id: 'a', client_secret: 'top-secret' }, { status: 400 });
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.equal((await world.nangod.api('GET', `/connections/m${names}?provider_config_key=cc`)).status, 404);
    });
  }

  test('a token of 64 KB', async () => {
    const token = 'x'.repeat(65_536);
    provider.on('/cc', { body: { access_token: token } });
    const id = await connect('oauth2/auth', 'cc', { client_id: 'a', client_secret: 'b' });
    assert.equal((await credentials('cc', id)).token, token);
  });

  test('a refresh that fails is told, backed off, and heals', async () => {
    provider.on('/cc', { body: { access_token: 'ok' } });
    const id = await connect('oauth2/auth', 'cc', { client_id: 'a', client_secret: 'b' });
    world.clock.advance(56 * minute);
    provider.on('/cc', { status: 500, body: {} });
    const get = () => world.nangod.api('GET', `/connections/${id}?provider_config_key=cc`);
    assert.equal((await get()).body.error.payload.code, 'client_credentials_fetch_error');
    assert.equal((await get()).status, 424);
    provider.on('/cc', { body: { access_token: 'again' } });
    world.clock.advance(minute);
    assert.equal((await get()).body.credentials.token, 'again');
  });

  test('what is missing is named', async () => {
    assert.equal((await connect('oauth2/auth', 'cc', {}, { status: 400 })).error.code, 'missing_client_id');
    assert.equal((await connect('oauth2/auth', 'cc', { client_id: 'a' }, { status: 400 })).error.code, 'missing_client_secret');
    assert.equal((await connect('oauth2/auth', 'cc', { client_id: 'a', client_certificate: 'x!', client_private_key: 'y' }, { status: 400 })).error.code, 'invalid_certificate_or_key_format');
  });
});

describe('two-step', () => {
  test('connected, renewed with its refresh token, proxied', async () => {
    provider.on('/steps/t1/login', () => ({ status: 201, headers: { 'x-instance': 'i7' }, body: { data: { session: 's1', Renewal: 'r1', life: '1h' } } }));
    provider.on('/steps/refresh', (call) => ({ body: { data: { session: `after-${JSON.parse(call.body).RefreshToken}`, life: 7200 } } }));
    const id = await connect('auth/two-step', 'steps', { username: 'ann', password: 'p"w', extra: 'kept' }, { params: { tenant: 't1' } });
    const sent = provider.last('/steps/t1/login');
    assert.deepEqual(JSON.parse(sent.body), { user: { name: 'ann' }, password: 'p"w', flag: true });
    assert.equal(sent.headers['x-request'], Buffer.from('ann').toString('base64'));
    assert.equal(sent.headers['content-type'], 'application/json');
    const first = await credentials('steps', id);
    assert.deepEqual({ ...first, expires_at: 0 }, { username: 'ann', password: 'p"w', extra: 'kept', type: 'TWO_STEP', 'x-instance': 'i7', token: 's1', raw: { data: { session: 's1', life: '1h' } }, expires_at: 0 });
    about(life(first), 60 * minute);
    assert.equal((await credentials('steps', id, '&refresh_token=true')).raw.data.Renewal, 'r1');
    const call = await proxied('steps', id);
    assert.deepEqual([call.headers['x-session'], call.headers['x-instance'], call.headers.authorization], ['s1', 'i7', undefined]);
    world.clock.advance(50 * minute);
    const second = await credentials('steps', id, '&refresh_token=true');
    assert.equal(second.token, 'after-r1');
    assert.equal(second.refresh_token, 'r1', 'kept, as the answer brought none');
    about(life(second), 120 * minute);
  });

  test('further steps with what the earlier ones answered', async () => {
    provider.on('/chain/1', { body: { ticket: 't/1', next: provider.base, instance: 'from-1' } });
    provider.on('/chain/2', { body: { ticket: 't2' } });
    provider.on('/chain/3', { body: { access: 'final' } });
    const id = await connect('auth/two-step', 'chain', { username: 'ann' }, { session: true });
    assert.equal(provider.last('/chain/1').method, 'GET');
    assert.equal(provider.last('/chain/1').body, '');
    assert.deepEqual(form(provider.last('/chain/2')), { ticket: 't/1', user: 'ann' });
    assert.equal(provider.last('/chain/2').headers.authorization, 'Bearer t/1');
    assert.deepEqual(JSON.parse(provider.last('/chain/3').body), { one: 't/1', two: 't2' });
    const connection = await fetched('chain', id);
    assert.equal(connection.credentials.token, 'final');
    assert.deepEqual(connection.credentials.raw, { access: 'final' });
    assert.equal(connection.connection_config.instance, 'from-1');
    about(life(connection.credentials), 60 * minute);
    provider.on('/chain/3', { status: 403, body: { message: 'no' } });
    assert.equal((await connect('auth/two-step', 'chain', { username: 'ann' }, { status: 400 })).error.code, 'invalid_two_step_credentials_step_3');
  });

  test('XML both ways', async () => {
    const until = new Date(world.clock.now() + 90 * minute).toISOString();
    provider.on('/xml', { headers: { 'content-type': 'text/xml' }, body: `<?xml version="1.0"?><!-- x --><response><session a="b"><id>s&amp;1</id><until>${until}</until></session></response>` });
    const id = await connect('auth/two-step', 'xml', { username: 'a<b&"c' });
    assert.match(provider.last('/xml').body, /^<\?xml version="1.0" encoding="UTF-8"\?><request><login><user>a&lt;b&amp;&quot;c<\/user><\/login><function id="[0-9a-f-]{36}"><ask><\/ask><\/function><\/request>$/);
    const got = await credentials('xml', id);
    assert.equal(got.token, 's&1');
    assert.equal(got.expires_at, until);
    assert.deepEqual(got.raw.response.session.$, { a: 'b' });
    provider.on('/xml', { body: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>' });
    assert.match((await connect('auth/two-step', 'xml', { username: 'u' }, { status: 400 })).error.message, /no XML/);
  });

  test('cookies of the answer', async () => {
    provider.on('/cookies', { body: { id: '1' }, headers: { 'set-cookie': ['B1SESSION=abc; Path=/; HttpOnly', 'ROUTE=.n1; Path=/'] } });
    const id = await connect('auth/two-step', 'cookies', {});
    const got = await credentials('cookies', id);
    assert.deepEqual([got.B1SESSION, got.ROUTE, got._cookies], ['abc', '.n1', 'B1SESSION=abc; ROUTE=.n1']);
    assert.equal((await proxied('cookies', id)).headers.cookie, 'B1SESSION=abc; ROUTE=.n1');
  });

  test('a token that is the whole answer', async () => {
    provider.on('/plain', { body: 'the-token\n', headers: { 'content-type': 'text/plain' } });
    const id = await connect('auth/two-step', 'plain', { username: 'a b&c' });
    assert.equal(provider.last('/plain').url, '/plain?u=a%20b%26c');
    const got = await credentials('plain', id);
    assert.equal(got.token, 'the-token');
    assert.ok(life(got) > 90 * 365 * 24 * 60 * minute);
    provider.on('/plain', { body: '<html>', headers: { 'content-type': 'text/html' } });
    assert.match((await connect('auth/two-step', 'plain', { username: 'a' }, { status: 400 })).error.message, /page/);
  });

  test('a signed token as assertion, its end within the token itself', async () => {
    const end = Math.floor(world.clock.now() / 1000) + 3600;
    const inner = ['{"alg":"none"}', JSON.stringify({ exp: end }), ''].map((part) => Buffer.from(part).toString('base64url')).join('.');
    provider.on('/account', (call) => {
      const { payload } = verifiedJwt(form(call).assertion, rsa.publicKey);
      assert.deepEqual({ ...payload, iat: 0, exp: payload.exp - payload.iat }, { iss: 'a@b', scope: ['x', 'y'], iat: 0, exp: 3600 });
      return { body: { access_token: inner } };
    });
    const oneLine = pem(rsa, 'pkcs1').replaceAll('\n', '\\n');
    const id = await connect('auth/two-step', 'account', { email: 'a@b', scopes: 'x, y', privateKey: oneLine });
    const got = await credentials('account', id);
    assert.equal(got.token, inner);
    assert.equal(Date.parse(got.expires_at), end * 1000 - 15 * minute);
    const { error } = await connect('auth/two-step', 'account', { email: 'a@b', privateKey: 'bad' }, { status: 400 });
    assert.equal(error.code, 'failed_to_generate');
  });

  test('an assertion lives on, its key does not', async () => {
    let seen;
    provider.on('/asserted', (call) => {
      seen = form(call).assertion;
      const { header, payload } = verifiedJwt(seen, rsa.publicKey);
      assert.deepEqual([header.alg, header.kid, payload.iss, payload.exp - payload.iat], ['PS256', 'k1', 'c', 7200]);
      return { body: { access_token: `t-${provider.of('/asserted').length}`, expires_in: '3600' } };
    });
    const id = await connect('auth/two-step', 'asserted', { clientId: 'c', keyId: 'k1', assertionOption: { privateKey: pem(rsa) } });
    const first = await credentials('asserted', id);
    assert.equal(first.assertion, seen);
    assert.equal(JSON.stringify(first).includes('PRIVATE KEY'), false);
    world.clock.advance(50 * minute);
    const second = await credentials('asserted', id);
    assert.notEqual(second.token, first.token);
    assert.equal(second.assertion, first.assertion);
    world.clock.advance(75 * minute);
    const late = await world.nangod.api('GET', `/connections/${id}?provider_config_key=asserted`);
    assert.equal(late.body.error.payload.code, 'failed_to_generate');
  });

  test('a SAML assertion whose signature holds', async () => {
    provider.on('/saml', (call) => {
      const xml = Buffer.from(form(call).assertion, 'base64').toString();
      const [signature] = /<ds:Signature .*<\/ds:Signature>/s.exec(xml);
      const [info] = /<ds:SignedInfo .*<\/ds:SignedInfo>/s.exec(signature);
      const digest = crypto.createHash('sha256').update(xml.replace(signature, '')).digest('base64');
      assert.equal(/<ds:DigestValue>(.*)<\/ds:DigestValue>/.exec(info)[1], digest);
      assert.ok(crypto.verify('sha256', Buffer.from(info), rsa.publicKey, Buffer.from(/<ds:SignatureValue>(.*)<\/ds:SignatureValue>/.exec(signature)[1], 'base64')));
      assert.equal(/ ID="(_[0-9a-f]{32})"/.exec(xml)[1], /URI="#(.*?)"/.exec(info)[1]);
      assert.match(xml, /<saml:NameID Format="[^"]+">A&amp;B<\/saml:NameID>/);
      assert.match(xml, /<saml:Audience>one<\/saml:Audience><saml:Audience>two<\/saml:Audience>/);
      assert.match(xml, /Name="api_key".*?<saml:AttributeValue>key<\/saml:AttributeValue>.*Name="use_email".*<saml:AttributeValue>false</);
      return { body: { access_token: 'by-saml' } };
    });
    const id = await connect('auth/two-step', 'saml', { apiKey: 'key', assertionOption: { privateKey: pem(rsa), userName: 'A&B' } });
    assert.equal((await credentials('saml', id)).token, 'by-saml');
  });

  test("the integration's fields win and are not kept", async () => {
    await world.nangod.must(200, 'PATCH', '/integrations/owned', { body: { integration_config: { clientId: 'of-the-owner' } } });
    provider.on('/owned', { body: { access_token: 'x' } });
    const id = await connect('auth/two-step', 'owned', { username: 'u', clientId: 'mine' });
    assert.deepEqual(form(provider.last('/owned')), { id: 'of-the-owner', user: 'u' });
    assert.equal((await credentials('owned', id)).clientId, undefined);
  });

  test('a token without an end that is told is asked about', async () => {
    let active = true;
    provider.on('/sf', () => ({ body: { access_token: `sf-${provider.of('/sf').length}`, instance_url: provider.base } }));
    provider.on('/services/oauth2/introspect', (call) => {
      const asked = form(call);
      assert.deepEqual([asked.client_id, asked.client_secret], ['i', 's3cr3t']);
      return { body: active ? { active, exp: Math.floor(world.clock.now() / 1000) + 3600 } : { active } };
    });
    const id = await connect('auth/two-step', 'salesforce-jwt', { clientId: 'i', clientSecret: 's3cr3t' });
    const first = await credentials('salesforce-jwt', id);
    assert.equal(first.token, 'sf-1');
    assert.equal(first.expires_at, undefined);
    assert.equal(form(provider.last('/services/oauth2/introspect')).token, 'sf-1');
    active = false;
    world.clock.advance(60 * minute);
    assert.equal((await credentials('salesforce-jwt', id)).token, 'sf-2');
  });

  test('no header of the catalogue follows a redirect to another host', async () => {
    for (const [host, key] of [['127.0.0.1', 'sec-ret'], ['localhost', undefined]]) {
      provider.on('/moved', { status: 302, headers: { location: `http://${host}:${provider.server.port}/there` } });
      provider.on('/there', { body: { token: 'found' } });
      await connect('auth/two-step', 'moved', { username: 'sec-ret' });
      assert.equal(provider.last('/there').headers['x-key'], key);
    }
  });

  test('a value cannot add a header', async () => {
    const calls = provider.of('/moved').length;
    const { error } = await connect('auth/two-step', 'moved', { username: 'a\r\nx-evil: 1' }, { status: 400 });
    assert.equal(error.code, 'two_step_credentials_fetch_error');
    assert.equal(provider.of('/moved').length, calls);
  });

  const bad = {
    'a refusal': [{ status: 401, body: { message: 'wrong password' } }, 'invalid_two_step_credentials', /401: wrong password/],
    'another success': [{ status: 202, body: {} }, 'invalid_two_step_credentials', /202/],
    'a page': [{ body: '<p>', headers: { 'content-type': 'text/html; charset=utf-8' } }, 'two_step_credentials_fetch_error', /page/],
    'no token': [{ body: { data: {} } }, 'incomplete_raw_credentials', /no access token/],
    'an endless body': [{ endless: true }, 'two_step_credentials_fetch_error', /1 MiB/],
  };
  for (const [name, [answer, code, message]] of Object.entries(bad)) {
    test(`${name} is told`, async () => {
      provider.on('/steps/t1/login', answer);
      const { error } = await connect('auth/two-step', 'steps', { username: 'a', password: 'b' }, { params: { tenant: 't1' }, status: 400 });
      assert.equal(error.code, code);
      assert.match(error.message, message);
    });
  }
});

describe('signed by ourselves', () => {
  test('HMAC, the key in two parts', async () => {
    const secret = '00ff'.repeat(16);
    const check = (call) => verifiedJwt(call.headers.authorization.replace(/^Ghost /, ''), Buffer.from(secret, 'hex'));
    provider.on('/api/checked', (call) => ({ status: check(call).payload.aud === '/admin/' ? 200 : 401 }));
    for (const session of [false, true]) {
      const id = await connect('auth/jwt', 'ghost', { privateKey: `id1:${secret}` }, { session });
      const first = await credentials('ghost', id);
      assert.equal(first.privateKey, `id1:${secret}`);
      about(life(first), 5 * minute);
      const { header, payload } = check(await proxied('ghost', id));
      assert.deepEqual([header.alg, header.kid, payload.exp - payload.iat], ['HS256', 'id1', 300]);
      world.clock.advance(6 * minute);
      assert.notEqual((await credentials('ghost', id)).token, first.token);
      const again = check(await proxied('ghost', id));
      assert.ok(again.payload.exp * 1000 > world.clock.now());
    }
    const { error } = await connect('auth/jwt', 'ghost', { privateKey: 'id1:xyz' }, { status: 400 });
    assert.equal(error.code, 'failed_to_generate');
    provider.on('/api/checked', { status: 401 });
    assert.equal((await connect('auth/jwt', 'ghost', { privateKey: `id1:${secret}` }, { status: 400 })).error.code, 'connection_test_failed');
  });

  test('EC, by today\'s path and by that of the first clients', async () => {
    const bodies = [
      ['auth/jwt', { issuerId: 'i', privateKeyId: 'k', privateKey: pem(ec) }, { scope: 'a,b' }],
      ['app-store-auth', { issuerId: 'i', privateKeyId: 'k', privateKey: pem(ec), scope: ['a', 'b'] }, {}],
    ];
    for (const [path, body, params] of bodies) {
      const id = await connect(path, 'store', body, { params });
      const { header, payload } = verifiedJwt((await credentials('store', id)).token, ec.publicKey);
      assert.deepEqual([header.alg, header.kid, payload.iss, payload.aud, payload.scope], ['ES256', 'k', 'i', 'store', ['a', 'b']]);
    }
    const id = await connect('app-store-auth', 'store', bodies[1][1] && { issuerId: 'i', privateKeyId: 'k', privateKey: pem(ec) });
    assert.equal(verifiedJwt((await credentials('store', id)).token, ec.publicKey).payload.scope, undefined);
    const { error, type } = await connect('app-store-auth', 'store', { issuerId: 'i', privateKeyId: 'k', privateKey: pem(rsa) }, { status: 400 });
    assert.equal(typeof error, 'string');
    assert.equal(type, 'failed_to_generate');
  });

  test('WSSE', async () => {
    const good = (header) => {
      const [, name, digest, nonce, created] = /^UsernameToken Username="(.*?)", PasswordDigest="(.*?)", Nonce="(.*?)", Created="(.*?)"$/.exec(header);
      return name === 'u' && digest === Buffer.from(crypto.createHash('sha1').update(`${nonce}${created}p`).digest('hex')).toString('base64') && Math.abs(Date.parse(created) - world.clock.now()) < 5 * minute;
    };
    provider.on('/api/wsse', (call) => ({ status: good(call.headers['x-wsse']) ? 200 : 401 }));
    const id = await connect('auth/signature', 'wsse', { type: 'SIGNATURE', username: 'u', password: 'p' });
    await proxied('wsse', id, '/wsse');
    const first = await credentials('wsse', id);
    world.clock.advance(6 * minute);
    await proxied('wsse', id, '/wsse');
    assert.notEqual((await credentials('wsse', id)).token, first.token);
    assert.equal((await connect('auth/signature', 'wsse', { type: 'SIGNATURE', username: 'x', password: 'p' }, { status: 400 })).error.code, 'connection_test_failed');
  });
});

test('Bill: a login, again before its session ends', async () => {
  const body = { username: 'u', password: 'p', organization_id: 'o', dev_key: 'd' };
  provider.on('/bill', () => ({ body: { sessionId: `s${provider.of('/bill').length}`, userId: 'u1' } }));
  const id = await connect('auth/bill', 'login', body, { session: true });
  assert.deepEqual(JSON.parse(provider.last('/bill').body), { username: 'u', password: 'p', organizationId: 'o', devKey: 'd' });
  const first = await credentials('login', id);
  assert.deepEqual({ ...first, expires_at: 0, raw: 0 }, { type: 'BILL', ...body, session_id: 's1', user_id: 'u1', expires_at: 0, raw: 0 });
  about(life(first), 35 * minute);
  const call = await proxied('login', id);
  assert.deepEqual([call.headers.sessionid, call.headers.devkey], ['s1', 'd']);
  world.clock.advance(21 * minute);
  assert.equal((await credentials('login', id)).session_id, 's2');
  provider.on('/bill', { body: [{ code: 'BDC_1', message: 'bad' }] });
  assert.equal((await connect('auth/bill', 'login', body, { status: 400 })).error.code, 'incomplete_raw_credentials');
});

test('TBA: each request signed for the account', async () => {
  const signed = (call) => {
    const parts = Object.fromEntries([...call.headers.authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, decodeURIComponent(value)]));
    const { realm, oauth_signature: signature, ...oauth } = parts;
    const url = new URL(call.url, provider.base);
    const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    const pairs = [...Object.entries(oauth), ...url.searchParams].map((pair) => pair.map(encode).join('=')).sort().join('&');
    const text = [call.method, encode(`${url.origin}${url.pathname}`), encode(pairs)].join('&');
    assert.equal(realm, '123_SB1');
    assert.equal(oauth.oauth_token, 'ti');
    return crypto.createHmac('sha256', `${oauth.oauth_consumer_key === 'own' ? 'own-s' : 'cs'}&ts`).update(text).digest('base64') === signature;
  };
  provider.on('/api/tba', (call) => ({ status: signed(call) ? 200 : 401 }));
  const id = await connect('auth/tba', 'tba', { token_id: 'ti', token_secret: 'ts' }, { params: { accountId: '123-sb1' } });
  await proxied('tba', id, '/tba?a=b%20c&d=1');
  const own = await connect('auth/tba', 'tba', { token_id: 'ti', token_secret: 'ts', oauth_client_id_override: 'own', oauth_client_secret_override: 'own-s' }, { session: true, params: { accountId: '123-sb1' } });
  await proxied('tba', own, '/tba', { method: 'POST', body: { x: 1 } });
  assert.deepEqual((await credentials('tba', own)), { type: 'TBA', token_id: 'ti', token_secret: 'ts', config_override: { client_id: 'own', client_secret: 'own-s' } });
  const { error } = await connect('auth/tba', 'tba', { token_id: 'ti', token_secret: 'bad' }, { params: { accountId: '123-sb1' }, status: 400 });
  assert.equal(error.code, 'connection_test_failed');
});

describe('roles of AWS', () => {
  const secrets = { ASIA1: 'temporary' };
  const assumed = (call) => {
    const problem = sigV4Problem(call, (id) => secrets[id]);
    return problem ? { status: 403, body: problem } : { body: {} };
  };
  const role = 'arn:aws:iam::123456789012:role/reader';

  test('a broker gives the keys, the proxy signs with them', async () => {
    let n = 0;
    provider.on('/api/aws', assumed);
    provider.on('/sts', (call) => ({ status: call.headers['x-api-key'] === 'broker-key' ? 200 : 401, body: { credentials: { access_key_id: 'ASIA1', secret_access_key: 'temporary', session_token: `st-${++n}`, expiration: Math.floor(world.clock.now() / 1000) + 3600 } } }));
    const id = await connect('auth/aws-sigv4', 'aws', { role_arn: role }, { session: true });
    const sent = JSON.parse(provider.last('/sts').body);
    assert.deepEqual({ ...sent, external_id: 0 }, { role_arn: role, external_id: 0, region: 'eu-west-1', service: 's3' });
    const connection = await fetched('aws', id);
    assert.deepEqual([connection.connection_config.region, connection.connection_config.service, connection.connection_config.external_id], ['eu-west-1', 's3', sent.external_id]);
    assert.equal(connection.credentials.session_token, 'st-1');
    about(life(connection.credentials), 60 * minute);
    const call = await proxied('aws', id, '/aws?b=2&a=1');
    assert.equal(call.headers['x-amz-security-token'], 'st-1');
    world.clock.advance(50 * minute);
    assert.equal((await credentials('aws', id)).session_token, 'st-2');
    assert.deepEqual(JSON.parse(provider.last('/sts').body), sent, 'the same terms again');
    const { data } = await world.nangod.must(201, 'POST', '/connect/sessions/reconnect', { body: { connection_id: id, integration_id: 'aws' } });
    const again = await world.nangod.api('POST', `/auth/aws-sigv4/aws?connect_session_token=${data.token}`, { key: null, body: { role_arn: role, region: 'us-east-1' } });
    assert.equal(again.status, 200, again.text);
    assert.deepEqual(JSON.parse(provider.last('/sts').body), sent, 'also when authorized again');
    provider.on('/sts', { status: 500, body: 'x' });
    assert.equal((await connect('auth/aws-sigv4', 'aws', { role_arn: role }, { status: 502 })).error.code, 'aws_sigv4_sts_request_failed');
    assert.equal((await connect('auth/aws-sigv4', 'aws', { role_arn: role, region: 'EU/../x' }, { status: 400 })).error.code, 'invalid_aws_sigv4_config');
  });

  test('our own keys sign AssumeRole, the new ones GetCallerIdentity', async () => {
    const own = { AKIA1: 'own-secret', ...secrets };
    provider.on('/sts-aws', (call) => {
      const problem = sigV4Problem(call, (id) => own[id]);
      if (problem) return { status: 403, body: problem };
      const asked = form(call);
      if (asked.Action === 'GetCallerIdentity') return { status: call.headers['x-amz-security-token'] === 'st' ? 200 : 403, body: {} };
      assert.deepEqual([asked.Action, asked.RoleArn, asked.DurationSeconds], ['AssumeRole', role, '3600']);
      return { headers: { 'content-type': 'text/xml' }, body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>temporary</SecretAccessKey><SessionToken>st</SessionToken><Expiration>${new Date(world.clock.now() + 60 * minute).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>` };
    });
    const id = await connect('auth/aws-sigv4', 'aws-own', { role_arn: role, region: 'eu-central-1' });
    assert.deepEqual(provider.of('/sts-aws').map((call) => form(call).Action), ['AssumeRole', 'GetCallerIdentity']);
    assert.equal((await credentials('aws-own', id)).secret_access_key, 'temporary');
    secrets.ASIA1 = 'revoked';
    own.ASIA1 = 'revoked';
    assert.equal((await connect('auth/aws-sigv4', 'aws-own', { role_arn: role, region: 'eu-central-1' }, { status: 400 })).error.code, 'connection_test_failed');
    assert.equal((await connect('auth/aws-sigv4', 'aws-own', { role_arn: role }, { status: 400 })).error.code, 'missing_aws_sigv4_region');
  });
});

test('nothing that was entered stands in the log or in the operations', async () => {
  const secrets = ['top-secret', 's3cr3t', 'PRIVATE KEY', 'broker-key', 'own-secret', 'temporary', 'sec-ret', 'p"w', '00ff00ff', jwk.d];
  const texts = [world.nangod.log];
  let cursor = '';
  do {
    const answer = await world.nangod.api('GET', `/logs/operations?type=auth&limit=100${cursor}`);
    assert.equal(answer.status, 200, answer.text);
    texts.push(answer.text);
    for (const { id } of answer.body.data) texts.push((await world.nangod.api('GET', `/logs/operations/${id}/messages`)).text);
    cursor = answer.body.pagination.cursor_after ? `&cursor=${answer.body.pagination.cursor_after}` : '';
  } while (cursor);
  assert.ok(texts.length > 30, String(texts.length));
  for (const text of texts) for (const secret of secrets) assert.equal(text.includes(secret), false, `${secret} in ${text.slice(0, 300)}`);
});
