// SPDX-License-Identifier: Apache-2.0
// The connect flow by redirect, against a real OAuth 2 provider over HTTP: a person's browser goes from
// the connect session to the provider's login and consent pages and back to the callback.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Browser } from './lib/browser.mjs';
import { loadClient, versions } from './lib/clients.mjs';
import { connecting } from './lib/connect.mjs';
import { logged } from './lib/daemon.mjs';
import { client, headerClient } from './lib/oauth.mjs';
import { World } from './lib/world.mjs';

let world;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({
    clock: true,
    integrations: { oauth: 'test-oauth', header: 'test-oauth-header', key: 'test-key', verified: 'test-key-verified', anywhere: 'test-key-anywhere', basic: 'test-basic', none: 'test-none' },
  });
});
after(() => world?.finish());

const newSession = async (body = {}) =>
  (await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'ann', email: 'ann@example.com' }, ...body } })).data.token;

const { connectUrl, isCallback, reachConsent, consentUpToCallback, connect } = connecting(() => world);

const connectionsOf = async (endUserId) =>
  (await world.nangod.must(200, 'GET', `/connections?endUserId=${endUserId}`)).connections;

const all = async () => (await world.nangod.must(200, 'GET', '/connections')).connections;

function assertErrorPage(page, pattern) {
  assert.equal(page.status, 400, page.text.slice(0, 300));
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.match(page.text, /nango_oauth_callback_error/);
  if (pattern) assert.match(page.text, pattern);
}

describe('a person connects', () => {
  test('from session to connection, with PKCE, and the client sees it', async () => {
    world.oauth.reset();
    const token = await newSession({
      end_user: { id: 'whole', email: 'whole@example.com', display_name: 'Whole', tags: { team: 'red' } },
      organization: { id: 'org-1', display_name: 'Org' },
      allowed_integrations: ['oauth'],
      tags: { Plan: 'gold' },
    });
    const { page, browser } = await connect('oauth', { connect_session_token: token }, { login: 'whole' });
    assert.equal(page.status, 200, page.text);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.text, /nango_oauth_callback_success/);

    const Nango = await loadClient(versions.at(-1));
    const nango = new Nango({ secretKey: world.nangod.keys.secretKey, host: world.nangod.base });
    const seen = await nango.waitForConnection('oauth', 'whole');
    const connection = await nango.getConnection('oauth', seen.connection_id, false, true);
    assert.match(connection.connection_id, /^[0-9a-f-]{36}$/);
    assert.equal(connection.end_user.id, 'whole');
    assert.equal(connection.end_user.organization.id, 'org-1');
    assert.equal(connection.tags.plan, 'gold');
    assert.equal(connection.tags.end_user_email, 'whole@example.com');
    assert.ok(await world.oauth.works(connection.credentials.access_token));
    assert.equal(connection.credentials.raw.token_type, 'Bearer');
    assert.equal(connection.credentials.refresh_token, connection.credentials.raw.refresh_token);

    const [call, ...more] = world.oauth.tokenCalls();
    assert.deepEqual(more, [], 'one exchange');
    const asked = new URL(browser.visited.find((url) => url.startsWith(`${world.oauth.base}/auth?`))).searchParams;
    assert.equal(asked.get('code_challenge_method'), 'S256');
    assert.equal(crypto.createHash('sha256').update(call.form.code_verifier).digest('base64url'), asked.get('code_challenge'));
    assert.equal(asked.get('redirect_uri'), `${world.nangod.base}/oauth/callback`);
    assert.equal(call.form.redirect_uri, asked.get('redirect_uri'));
    assert.equal(asked.get('scope'), 'openid offline_access read');
    assert.equal(asked.get('client_id'), client.id);
    assert.equal(call.form.client_secret, client.secret);
    assert.ok(asked.get('state').length >= 22, 'a state of 128 bits or more');

    assert.equal((await world.proxied('oauth', seen.connection_id)).body.account, 'whole');
  });

  test('with client authentication in the header, encoded as RFC 6749 says', async () => {
    world.oauth.reset();
    const token = await newSession({ end_user: { id: 'header' } });
    const { page } = await connect('header', { connect_session_token: token });
    assert.equal(page.status, 200, page.text);
    const [call] = world.oauth.tokenCalls();
    assert.equal(call.form.client_secret, undefined);
    const [id, secret] = Buffer.from(call.headers.authorization.replace('Basic ', ''), 'base64').toString().split(':');
    const decoded = (text) => decodeURIComponent(text.replaceAll('+', ' '));
    assert.equal(decoded(id), headerClient.id);
    assert.equal(decoded(secret), headerClient.secret);
    assert.equal((await connectionsOf('header')).length, 1);
  });

  test('by public key, under an id of the caller', async () => {
    const { page } = await connect('oauth', { public_key: world.nangod.keys.publicKey, connection_id: 'by-public-key', 'params[region]': 'eu', 'params[webhook_url]': 'http://evil.test' });
    assert.equal(page.status, 200, page.text);
    const connection = (await world.get('oauth', 'by-public-key')).body;
    assert.equal(connection.connection_config.region, 'eu');
    assert.equal(connection.connection_config.webhook_url, undefined, 'never from a browser');
    assert.equal(connection.end_user, null);
  });

  test('with the defaults of the session', async () => {
    const token = await newSession({
      end_user: { id: 'defaults' },
      integrations_config_defaults: {
        oauth: { connection_config: { region: 'us', oauth_scopes_override: 'openid,offline_access,write' }, authorization_params: { ui_locales: 'fr' } },
      },
    });
    const { browser } = await connect('oauth', { connect_session_token: token, 'params[region]': 'eu' });
    const asked = new URL(browser.visited.find((url) => url.startsWith(`${world.oauth.base}/auth?`))).searchParams;
    assert.equal(asked.get('scope'), 'openid offline_access write');
    assert.equal(asked.get('ui_locales'), 'fr');
    const [{ connection_id: id }] = await connectionsOf('defaults');
    assert.equal((await world.get('oauth', id)).body.connection_config.region, 'us', "the session's word counts");
  });

  test('again: a reconnect session keeps the connection and replaces its tokens', async () => {
    await world.connect('oauth', 'again', { expiresAt: '2099-01-01T00:00:00.000Z', metadata: { keep: 1 } });
    const old = (await world.get('oauth', 'again')).body;
    const { data } = await world.nangod.must(201, 'POST', '/connect/sessions/reconnect', { body: { connection_id: 'again', integration_id: 'oauth', end_user: { id: 'again-user' } } });
    const { page } = await connect('oauth', { connect_session_token: data.token }, { login: 'again' });
    assert.equal(page.status, 200, page.text);
    const now = (await world.get('oauth', 'again')).body;
    assert.equal(now.id, old.id);
    assert.equal(now.created_at, old.created_at);
    assert.deepEqual(now.metadata, { keep: 1 });
    assert.notEqual(now.credentials.access_token, old.credentials.access_token);
    assert.ok(await world.oauth.works(now.credentials.access_token));
    assert.equal(now.end_user.id, 'again-user');
  });

  test('twice at once, each with its own state', async () => {
    const [one, two] = await Promise.all(['left', 'right'].map(async (id) => connect('oauth', { connect_session_token: await newSession({ end_user: { id } }) }, { login: id })));
    assert.equal(one.page.status, 200);
    assert.equal(two.page.status, 200);
    for (const id of ['left', 'right']) {
      const [{ connection_id: connection }] = await connectionsOf(id);
      assert.equal((await world.proxied('oauth', connection)).body.account, id);
    }
  });

  test("with the connection's own client, which never shows in its configuration", async () => {
    await world.nangod.must(200, 'POST', '/integrations', { body: { provider: 'test-oauth', unique_key: 'stranger', credentials: { type: 'OAUTH2', client_id: 'nobody', client_secret: 'nothing', scopes: 'openid' } } });
    const { page } = await connect('stranger', {
      connect_session_token: await newSession({ end_user: { id: 'own-client' } }),
      'credentials[oauth_client_id_override]': client.id,
      'credentials[oauth_client_secret_override]': client.secret,
    });
    assert.equal(page.status, 200, page.text);
    const [{ connection_id: id }] = await connectionsOf('own-client');
    const { credentials, connection_config: config } = (await world.get('stranger', id)).body;
    assert.deepEqual(credentials.config_override, { client_id: client.id, client_secret: client.secret });
    assert.ok(!JSON.stringify(config).includes('override'), JSON.stringify(config));
  });

  test('and sets the cookie that binds the browser', async () => {
    const answer = await new Browser().visit(connectUrl('oauth', { connect_session_token: await newSession() }));
    assert.equal(answer.status, 302);
    const state = new URL(answer.next).searchParams.get('state');
    const [cookie] = answer.headers['set-cookie'];
    assert.ok(cookie.startsWith(`oauth2-${state}=1;`), cookie);
    assert.match(cookie, /HttpOnly/i);
    assert.match(cookie, /SameSite=Lax/i);
    assert.match(cookie, /Max-Age=3600/i, 'as long as the state');
  });
});

describe('a flow is refused', () => {
  // Nothing may have been stored, and the provider never asked for tokens.
  async function nothingHappens(action) {
    const before = (await all()).length;
    world.oauth.reset();
    const result = await action();
    assert.equal((await all()).length, before, 'no connection was made');
    return result;
  }

  test('a state that nobody gave out', () =>
    nothingHappens(async () => {
      const page = await new Browser().visit(`${world.nangod.base}/oauth/callback?state=${crypto.randomUUID()}&code=x`);
      assertErrorPage(page);
      assert.deepEqual(world.oauth.tokenCalls(), []);
    }));

  test('no state, an empty one, a malformed one', () =>
    nothingHappens(async () => {
      for (const query of ['', '?code=x', '?state=&code=x', '?state=zz&code=x', `?state=${'a'.repeat(5000)}&code=x`, '?state=%00&code=x', '?state[]=a&code=x']) {
        assertErrorPage(await new Browser().visit(`${world.nangod.base}/oauth/callback${query}`));
      }
      assert.deepEqual(world.oauth.tokenCalls(), []);
    }));

  test('a state used twice', async () => {
    const { page, callback, browser } = await connect('oauth', { connect_session_token: await newSession({ end_user: { id: 'replay' } }) });
    assert.equal(page.status, 200);
    await nothingHappens(async () => {
      assertErrorPage(await browser.visit(callback));
      assert.deepEqual(world.oauth.tokenCalls(), []);
    });
    assert.equal((await connectionsOf('replay')).length, 1);
  });

  test('but HEAD uses nothing up, neither a state nor a session', async () => {
    const browser = new Browser();
    const start = connectUrl('oauth', { connect_session_token: await newSession({ end_user: { id: 'head' } }) });
    const head = await browser.visit(start, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers['set-cookie'], undefined, 'no flow was begun');
    assert.equal(head.headers.location, undefined);
    const callback = await consentUpToCallback(browser, start);
    world.oauth.reset();
    assert.equal((await browser.visit(callback, { method: 'HEAD' })).status, 200);
    assert.deepEqual(world.oauth.tokenCalls(), []);
    assert.equal((await browser.visit(callback)).status, 200);
    assert.equal((await connectionsOf('head')).length, 1);
  });

  test('a state used twice at the same moment: one of them wins', async () => {
    const browser = new Browser();
    const callback = await consentUpToCallback(browser, connectUrl('oauth', { connect_session_token: await newSession({ end_user: { id: 'race' } }) }));
    world.oauth.reset();
    const pages = await Promise.all([1, 2, 3, 4].map(() => browser.visit(callback)));
    assert.deepEqual(pages.map((page) => page.status).sort(), [200, 400, 400, 400]);
    assert.equal(world.oauth.tokenCalls().length, 1);
    assert.equal((await connectionsOf('race')).length, 1);
  });

  test('another browser than the one that began', () =>
    nothingHappens(async () => {
      const callback = await consentUpToCallback(new Browser(), connectUrl('oauth', { connect_session_token: await newSession() }));
      assertErrorPage(await new Browser().visit(callback), /state_cookie_err|cookie/i);
      assert.deepEqual(world.oauth.tokenCalls(), []);
    }));

  test('consent denied', () =>
    nothingHappens(async () => {
      const browser = new Browser();
      const consent = await reachConsent(browser, connectUrl('oauth', { connect_session_token: await newSession({ end_user: { id: 'denied' } }) }));
      const abort = /href="([^"]*\/abort)"/.exec(consent.text)[1];
      const page = await browser.open(new URL(abort, consent.url).href);
      assert.ok(isCallback(page.url));
      assertErrorPage(page, /access_denied/);
      assert.deepEqual(world.oauth.tokenCalls(), []);
      assert.deepEqual(await connectionsOf('denied'), []);
    }));

  test("the provider's error is shown, never run", async () => {
    const browser = new Browser();
    const start = await browser.visit(connectUrl('oauth', { connect_session_token: await newSession() }));
    const state = new URL(start.next).searchParams.get('state');
    const evil = '</script><script>alert(1)</script>\u2028"\'';
    const page = await browser.visit(`${world.nangod.base}/oauth/callback?${new URLSearchParams({ state, error: 'bad', error_description: evil })}`);
    assertErrorPage(page, /bad/);
    assert.ok(!page.text.includes('<script>alert(1)'), 'escaped');
    const scripts = [...page.text.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map(([, text]) => text);
    assert.ok(scripts.some((text) => text.includes('alert(1)')), 'the message goes to the opener');
    for (const text of scripts) assert.ok(!/[\u2028\u2029]/.test(text), 'no raw line separator in a script');
  });

  test('the token endpoint answers an error', () =>
    nothingHappens(async () => {
      for (const step of [
        { status: 500, body: { error: 'server_error' } },
        { status: 400, body: { error: 'invalid_client', error_description: 'nope' } },
        { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>not tokens' },
        { status: 200, body: { token_type: 'Bearer' } },
        { status: 200, body: [] },
      ]) {
        world.oauth.script(step);
        const { page } = await connect('oauth', { connect_session_token: await newSession() });
        assertErrorPage(page);
        assert.ok(!page.text.includes(client.secret), 'no secret on the page');
      }
    }));

  test('an expired session', async () => {
    const token = await newSession();
    world.clock.advance(31 * 60_000);
    const answer = await new Browser().visit(connectUrl('oauth', { connect_session_token: token }));
    assert.equal(answer.status, 401);
    assert.equal(answer.body.error.code, 'unknown_connect_session_token');
  });

  test('a session just before it expires is good', async () => {
    const token = await newSession();
    world.clock.advance(29 * 60_000);
    assert.equal((await new Browser().visit(connectUrl('oauth', { connect_session_token: token }))).status, 302);
  });

  test('a state within its hour is good', async () => {
    const browser = new Browser();
    const callback = await consentUpToCallback(browser, connectUrl('oauth', { connect_session_token: await newSession({ end_user: { id: 'patient' } }) }));
    world.clock.advance(58 * 60_000);
    assert.equal((await browser.visit(callback)).status, 200);
  });

  test('an expired state', () =>
    nothingHappens(async () => {
      const browser = new Browser();
      const callback = await consentUpToCallback(browser, connectUrl('oauth', { connect_session_token: await newSession() }));
      world.clock.advance(61 * 60_000);
      assertErrorPage(await browser.visit(callback));
      assert.deepEqual(world.oauth.tokenCalls(), []);
    }));

  test('a deleted session', async () => {
    const token = await newSession();
    await world.nangod.must(204, 'DELETE', '/connect/session', { key: token });
    const answer = await new Browser().visit(connectUrl('oauth', { connect_session_token: token }));
    assert.equal(answer.status, 401);
    assert.equal(answer.body.error.code, 'unknown_connect_session_token');
  });

  for (const [what, query, status, code] of [
    ['no credential', {}, 401, 'missing_public_key'],
    ['a malformed public key', { public_key: 'x' }, 401, 'invalid_public_key'],
    ['an unknown public key', { public_key: '11111111-1111-4111-8111-111111111111' }, 401, 'unknown_account'],
    ['the secret key in place of the public one', 'secret', 401, 'unknown_account'],
    ['a malformed session token', { connect_session_token: 'x' }, 401, 'invalid_connect_session_token_format'],
    ['an unknown session token', { connect_session_token: `nango_connect_session_${'a'.repeat(64)}` }, 401, 'unknown_connect_session_token'],
  ]) {
    test(what, async () => {
      const given = query === 'secret' ? { public_key: world.nangod.keys.secretKey } : query;
      const answer = await new Browser().visit(connectUrl('oauth', given));
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body.error.code, code);
    });
  }

  test('a connection id beside a session token', async () => {
    const answer = await new Browser().visit(connectUrl('oauth', { connect_session_token: await newSession(), connection_id: 'mine' }));
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'invalid_query_params');
    assert.deepEqual(answer.body.error.errors[0].path, ['connection_id']);
  });

  test('an integration that the session does not allow', async () => {
    const answer = await new Browser().visit(connectUrl('oauth', { connect_session_token: await newSession({ allowed_integrations: ['key'] }) }));
    assert.equal(answer.status, 400);
    assert.equal(answer.body.error.code, 'integration_not_allowed');
  });

  test('an unknown integration, and one without a popup', async () => {
    for (const key of ['nope', 'key']) assertErrorPage(await new Browser().visit(connectUrl(key, { connect_session_token: await newSession() })));
  });
});

describe('connecting without a popup', () => {
  const post = (path, query, body) => world.nangod.api('POST', `${path}?${new URLSearchParams(query)}`, { key: null, body });

  test('an API key, and its connection', async () => {
    const token = await newSession({ end_user: { id: 'keyed' } });
    const answer = await post('/api-auth/api-key/key', { connect_session_token: token, 'params[region]': 'eu' }, { apiKey: 'sesame' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.providerConfigKey, 'key');
    const connection = (await world.get('key', answer.body.connectionId)).body;
    assert.deepEqual(connection.credentials, { type: 'API_KEY', apiKey: 'sesame' });
    assert.equal(connection.connection_config.region, 'eu');
    assert.equal(connection.end_user.id, 'keyed');
  });

  test('of what a verification answers only the status counts, however much follows', async () => {
    for (const [apiKey, status] of [
      ['large/50000000', 200],
      ['endless', 200],
      ['204', 200],
      ['chunked', 200],
      ['redirect/302?to=/large/2000000', 200],
      ['status/401', 400],
      ['reset', 400],
    ]) {
      const start = performance.now();
      const answer = await post('/api-auth/api-key/anywhere', { connect_session_token: await newSession() }, { apiKey });
      assert.equal(answer.status, status, `${apiKey}: ${answer.text}`);
      assert.ok(performance.now() - start < 5000, `${apiKey}: not waited for`);
    }
  });

  test('again, under an id that is longer in bytes than in characters', async () => {
    const id = '\u20ac'.repeat(255);
    await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'key', connection_id: id, credentials: { type: 'API_KEY', apiKey: 'old' } } });
    const { data } = await world.nangod.must(201, 'POST', '/connect/sessions/reconnect', { body: { connection_id: id, integration_id: 'key' } });
    const before = (await all()).length;
    const answer = await post('/api-auth/api-key/key', { connect_session_token: data.token }, { apiKey: 'new' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.connectionId, id);
    assert.equal((await all()).length, before);
  });

  test('an API key that the provider refuses is not stored', async () => {
    const before = (await all()).length;
    const token = await newSession({ end_user: { id: 'verified' } });
    const bad = await post('/api-auth/api-key/verified', { connect_session_token: token }, { apiKey: 'wrong' });
    assert.equal(bad.status, 400);
    assert.equal(bad.body.error.code, 'connection_test_failed');
    assert.equal((await all()).length, before);
    const good = await post('/api-auth/api-key/verified', { connect_session_token: token }, { apiKey: 'good' });
    assert.equal(good.status, 200, good.text);
  });

  test('user name and password, and nothing at all', async () => {
    const token = await newSession({ end_user: { id: 'basic' } });
    const basic = await post('/api-auth/basic/basic', { connect_session_token: token }, { username: 'u', password: '' });
    assert.equal(basic.status, 200, basic.text);
    assert.deepEqual((await world.get('basic', basic.body.connectionId)).body.credentials, { type: 'BASIC', username: 'u', password: '' });
    const none = await post('/auth/unauthenticated/none', { connect_session_token: token });
    assert.equal(none.status, 200, none.text);
    assert.deepEqual((await world.get('none', none.body.connectionId)).body.credentials, {});
  });

  test('by public key, under an id of the caller; the early path too', async () => {
    const publicKey = world.nangod.keys.publicKey;
    const answer = await post('/api-auth/api-key/key', { public_key: publicKey, connection_id: 'chosen' }, { apiKey: 'k' });
    assert.deepEqual(answer.body, { connectionId: 'chosen', providerConfigKey: 'key' });
    const early = await post('/unauth/none', { public_key: publicKey, connection_id: 'early' });
    assert.equal(early.status, 200, early.text);
    assert.deepEqual(early.body, { connectionId: 'early', providerConfigKey: 'none' });
  });

  test('the wrong kind of credential, an unknown integration, one not allowed', async () => {
    const token = await newSession({ allowed_integrations: ['key'] });
    const refusal = async (path, body) => {
      const answer = await post(path, { connect_session_token: token }, body);
      return [answer.status, answer.body.error.code];
    };
    assert.deepEqual(await refusal('/api-auth/basic/key', { username: 'u', password: 'p' }), [400, 'invalid_auth_mode']);
    assert.deepEqual(await refusal('/api-auth/api-key/nope', { apiKey: 'k' }), [404, 'unknown_provider_config']);
    assert.deepEqual(await refusal('/api-auth/basic/basic', { username: 'u', password: 'p' }), [400, 'integration_not_allowed']);
  });
});

describe('behind https', () => {
  it('the callback address is the public one, and the cookie is for https alone', async () => {
    const own = await World.start({ integrations: { oauth: 'test-oauth' }, settings: { public_url: 'https://nango.example.test/' } });
    try {
      const { data } = await own.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u' } } });
      assert.match(data.connect_link, /^https:\/\/nango\.example\.test\//);
      const start = await new Browser().visit(`${own.nangod.base}/oauth/connect/oauth?connect_session_token=${data.token}`);
      assert.equal(new URL(start.next).searchParams.get('redirect_uri'), 'https://nango.example.test/oauth/callback');
      const [cookie] = start.headers['set-cookie'];
      assert.match(cookie, /; *Secure/i);
      assert.match(cookie, /SameSite=None/i);
    } finally {
      await own.finish();
    }
  });
});

describe('a page of another origin', () => {
  test('may ask before it sends, and read the answer', async () => {
    for (const path of ['/api-auth/api-key/key', '/connect/session', '/integrations']) {
      const asked = await world.nangod.api('OPTIONS', path, { key: null, headers: { Origin: 'https://app.test', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,content-type' } });
      assert.equal(asked.status, 204, path);
      assert.equal(asked.headers['access-control-allow-origin'], '*');
      assert.equal(asked.headers['access-control-max-age'], '600');
      for (const name of ['authorization', 'content-type', 'connection-id', 'provider-config-key', 'nango-is-sync']) {
        assert.ok(asked.headers['access-control-allow-headers'].toLowerCase().split(/, */).includes(name), name);
      }
    }
    const answer = await world.nangod.api('GET', '/connect/session', { key: await newSession(), headers: { Origin: 'https://app.test' } });
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    const refused = await world.nangod.api('GET', '/connect/session', { key: 'x', headers: { Origin: 'https://app.test' } });
    assert.equal(refused.headers['access-control-allow-origin'], '*', 'refusals can be read, too');
  });
});

describe('without the browser binding', () => {
  let loose;
  before(async () => {
    loose = await World.start({ integrations: { oauth: 'test-oauth' }, settings: { 'oauth.require_cookie': 'false' } });
  });
  after(() => loose?.finish());

  it('a callback from another browser is accepted', async () => {
    const { data } = await loose.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'loose' } } });
    const browser = new Browser();
    const login = await browser.open(`${loose.nangod.base}/oauth/connect/oauth?connect_session_token=${data.token}`);
    const consent = await browser.submit(login, { login: 'loose', password: 'x' });
    const { next } = await browser.submit(consent, {}, { go: (url) => !url.startsWith(`${loose.nangod.base}/oauth/callback`) });
    const page = await new Browser().visit(next);
    assert.equal(page.status, 200, page.text);
    const { connections } = await loose.nangod.must(200, 'GET', '/connections?endUserId=loose');
    assert.equal(connections.length, 1);
  });
});
