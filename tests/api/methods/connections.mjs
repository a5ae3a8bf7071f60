// SPDX-License-Identifier: Apache-2.0
// Connections and their metadata, as each client reads and writes them.

import assert from 'node:assert/strict';

import { until } from '../lib/wait.mjs';
import { isInstant, rejectsWith, refused } from './expect.mjs';

// What every era finds in a connection.
function assertConnection(connection, { id, key, provider, type }) {
  assert.equal(typeof connection.id, 'number');
  assert.equal(connection.connection_id, id);
  assert.equal(connection.provider_config_key, key);
  assert.equal(connection.provider, provider);
  assert.deepEqual(connection.errors, []);
  assert.ok(isInstant(connection.created_at), connection.created_at);
  assert.ok(isInstant(connection.updated_at), connection.updated_at);
  assert.ok(isInstant(connection.last_fetched_at), connection.last_fetched_at);
  assert.equal(typeof connection.connection_config, 'object');
  assert.equal(typeof connection.tags, 'object');
  assert.ok('end_user' in connection && 'metadata' in connection);
  assert.equal(connection.credentials.type, type);
}

export const connections = [
  {
    method: 'getConnection',
    form: 'API_KEY',
    run: async ({ nango, ids }) => {
      const connection = await nango.getConnection('key', ids.key);
      assertConnection(connection, { id: ids.key, key: 'key', provider: 'test-key', type: 'API_KEY' });
      assert.deepEqual(connection.credentials, { type: 'API_KEY', apiKey: `secret-${ids.key}` });
      assert.deepEqual(connection.connection_config, { region: 'eu' });
      assert.deepEqual(connection.metadata, { colour: 'red', nested: { a: 1 } });
      assert.equal(connection.end_user.id, ids.user);
      assert.equal(connection.end_user.email, 'ann@example.com');
      assert.equal(connection.end_user.display_name, 'Ann');
      assert.equal(connection.tags.plan, 'gold');
    },
  },
  {
    method: 'getConnection',
    form: 'the members of the early shape',
    until: '0.38.5',
    run: async ({ nango, ids }) => {
      const connection = await nango.getConnection('key', ids.key);
      assert.equal(typeof connection.account_id, 'number');
      assert.equal(typeof connection.environment_id, 'number');
    },
  },
  {
    method: 'getConnection',
    form: 'OAUTH2, refresh token left out',
    run: async ({ nango, ids, grants }) => {
      const connection = await nango.getConnection('oauth', ids.fresh);
      assertConnection(connection, { id: ids.fresh, key: 'oauth', provider: 'test-oauth', type: 'OAUTH2' });
      assert.equal(connection.credentials.access_token, grants.fresh.access_token);
      assert.equal(connection.credentials.expires_at, '2099-01-01T00:00:00.000Z');
      assert.equal(connection.credentials.refresh_token, undefined);
      assert.equal(connection.credentials.raw.access_token, grants.fresh.access_token);
      assert.equal(connection.credentials.raw.refresh_token, undefined);
    },
  },
  {
    method: 'getConnection',
    form: 'refreshToken = true',
    run: async ({ nango, ids, grants }) => {
      const connection = await nango.getConnection('oauth', ids.fresh, false, true);
      assert.equal(connection.credentials.refresh_token, grants.fresh.refresh_token);
      assert.equal(connection.credentials.raw.refresh_token, grants.fresh.refresh_token);
    },
  },
  {
    method: 'getConnection',
    form: 'an expired token is refreshed',
    run: async ({ nango, ids, grants, oauth }) => {
      const connection = await nango.getConnection('oauth', ids.expired);
      assert.notEqual(connection.credentials.access_token, grants.expired.access_token);
      assert.ok(await oauth.works(connection.credentials.access_token));
      assert.ok(Date.parse(connection.credentials.expires_at) > Date.now() + 3_000_000);
      assert.equal(connection.credentials.raw.token_type, 'Bearer');
    },
  },
  {
    method: 'getConnection',
    form: 'forceRefresh = true',
    run: async ({ nango, ids, oauth }) => {
      const before = await nango.getConnection('oauth', ids.forced, false, true);
      const after = await nango.getConnection('oauth', ids.forced, true, true);
      assert.notEqual(after.credentials.access_token, before.credentials.access_token);
      assert.notEqual(after.credentials.refresh_token, before.credentials.refresh_token);
      assert.ok(await oauth.works(after.credentials.access_token));
    },
  },
  {
    method: 'getConnection',
    form: 'refreshGithubAppJwtToken',
    since: '0.67.8',
    run: async ({ nango, ids }) => {
      const connection = await nango.getConnection('key', ids.key, false, false, true);
      assert.equal(connection.connection_id, ids.key);
    },
  },
  {
    method: 'getConnection',
    form: 'BASIC, NONE and OAUTH1',
    run: async ({ nango, ids }) => {
      assert.deepEqual((await nango.getConnection('basic', ids.basic)).credentials, { type: 'BASIC', username: 'ann', password: 'pässword' });
      assert.deepEqual((await nango.getConnection('none', ids.none)).credentials, {});
      const oauth1 = (await nango.getConnection('oauth1', ids.oauth1)).credentials;
      assert.equal(oauth1.type, 'OAUTH1');
      assert.equal(oauth1.oauth_token, 'ot');
      assert.equal(oauth1.oauth_token_secret, 'ots');
    },
  },
  {
    method: 'getConnection',
    form: 'unknown connection',
    run: ({ nango }) => rejectsWith(nango.getConnection('key', 'nobody'), 404, 'not_found'),
  },
  {
    method: 'getConnection',
    form: 'unknown integration',
    run: ({ nango, ids }) => rejectsWith(nango.getConnection('nope', ids.key), 400, 'unknown_provider_config'),
  },
  {
    method: 'getConnection',
    form: 'id with a space',
    run: async ({ nango, ids }) => {
      assert.equal((await nango.getConnection('key', ids.spaced)).connection_id, ids.spaced);
    },
  },
  {
    method: 'getToken',
    form: 'OAUTH2: the access token',
    run: async ({ nango, ids, grants }) => assert.equal(await nango.getToken('oauth', ids.fresh), grants.fresh.access_token),
  },
  {
    method: 'getToken',
    form: 'OAUTH2 forced: another one, that works',
    run: async ({ nango, ids, oauth }) => {
      const before = await nango.getToken('oauth', ids.forced);
      const after = await nango.getToken('oauth', ids.forced, true);
      assert.notEqual(after, before);
      assert.ok(await oauth.works(after));
    },
  },
  {
    method: 'getToken',
    form: 'OAUTH1: a pair',
    run: async ({ nango, ids }) => assert.deepEqual(await nango.getToken('oauth1', ids.oauth1), { oAuthToken: 'ot', oAuthTokenSecret: 'ots' }),
  },
  {
    method: 'getToken',
    form: 'other kinds: the credentials',
    run: async ({ nango, ids }) =>
      assert.deepEqual(await nango.getToken('key', ids.key), { type: 'API_KEY', apiKey: `secret-${ids.key}` }),
  },
  {
    method: 'getRawTokenResponse',
    run: async ({ nango, ids, grants }) => {
      const raw = await nango.getRawTokenResponse('oauth', ids.fresh);
      assert.equal(raw.access_token, grants.fresh.access_token);
      assert.equal(raw.refresh_token, undefined);
    },
  },
  {
    method: 'listConnections',
    form: 'all',
    run: async ({ nango, ids, since }) => {
      const { connections: list } = await nango.listConnections();
      const found = list.find((row) => row.connection_id === ids.key);
      assert.ok(found);
      // To clients before 0.39 `provider` meant the integration; they are told by their user agent.
      assert.equal(found.provider, since('0.39.33') ? 'test-key' : 'key');
      assert.equal(found.provider_config_key, 'key');
      assert.ok(isInstant(found.created));
      assert.equal(found.credentials, undefined);
      const times = list.map((row) => Date.parse(row.created));
      assert.deepEqual(times, [...times].sort((a, b) => b - a), 'newest first');
    },
  },
  {
    method: 'listConnections',
    form: 'by connection id',
    run: async ({ nango, ids }) => {
      const { connections: list } = await nango.listConnections(ids.key);
      assert.deepEqual(list.map((row) => row.connection_id), [ids.key]);
      assert.deepEqual((await nango.listConnections('nobody')).connections, []);
    },
  },
  {
    method: 'listConnections',
    form: 'by search',
    since: '0.42.22',
    run: async ({ nango, ids }) => {
      const { connections: list } = await nango.listConnections(undefined, ids.meta.toUpperCase());
      assert.deepEqual(list.map((row) => row.connection_id), [ids.meta]);
      assert.deepEqual((await nango.listConnections(ids.meta, 'zzzz')).connections, []);
    },
  },
  {
    method: 'listConnections',
    form: 'by end user and organization',
    since: '0.48.4',
    run: async ({ nango, ids }) => {
      const { connections: list } = await nango.listConnections(undefined, undefined, { endUserId: ids.user });
      assert.deepEqual(list.map((row) => row.connection_id), [ids.key]);
      assert.equal(list[0].end_user.email, 'ann@example.com');
      const none = await nango.listConnections(undefined, undefined, { endUserOrganizationId: 'no-such' });
      assert.deepEqual(none.connections, []);
    },
  },
  {
    method: 'listConnections',
    form: 'limit and page',
    since: '0.69.50',
    run: async ({ nango, ids }) => {
      const first = await nango.listConnections(undefined, ids.prefix, { limit: 2 });
      const second = await nango.listConnections(undefined, ids.prefix, { limit: 2, page: 1 });
      assert.equal(first.connections.length, 2);
      assert.equal(second.connections.length, 2);
      const seen = [...first.connections, ...second.connections].map((row) => row.connection_id);
      assert.equal(new Set(seen).size, 4);
    },
  },
  {
    method: 'listConnections',
    form: 'object: user, integrations, tags',
    since: '0.69.50',
    run: async ({ nango, ids }) => {
      const only = async (filter) => (await nango.listConnections(filter)).connections.map((row) => row.connection_id);
      assert.deepEqual(await only({ connectionId: ids.key }), [ids.key]);
      assert.deepEqual(await only({ userId: ids.user }), [ids.key]);
      assert.deepEqual(await only({ userId: ids.user, integrationId: 'oauth' }), []);
      assert.deepEqual(await only({ userId: ids.user, integrationId: ['oauth', 'key'] }), [ids.key]);
      assert.deepEqual(await only({ tags: { Owner: ids.prefix, plan: 'gold' } }), [ids.key]);
      assert.deepEqual(await only({ tags: { owner: ids.prefix, plan: 'tin' } }), []);
      assert.deepEqual(await only({ tags: { owner: ids.prefix, email: 'ann@example.com', displayName: 'Ann' } }), [ids.key]);
      assert.equal((await only({ limit: 1 })).length, 1);
    },
  },
  {
    method: 'getMetadata',
    run: async ({ nango, ids }) => {
      assert.deepEqual(await nango.getMetadata('key', ids.key), { colour: 'red', nested: { a: 1 } });
      await refused(() => nango.getMetadata('', ids.key), 'Provider Config Key is required');
      await refused(() => nango.getMetadata('key', ''), 'Connection Id is required');
    },
  },
  {
    method: 'setMetadata',
    form: 'replaces all',
    run: async ({ nango, ids }) => {
      const answer = await nango.setMetadata('key', ids.meta, { a: 1, nested: { x: 1, y: 2 } });
      assert.equal(answer.status, 201);
      assert.deepEqual(await nango.getMetadata('key', ids.meta), { a: 1, nested: { x: 1, y: 2 } });
      await nango.setMetadata('key', ids.meta, { b: 2 });
      assert.deepEqual(await nango.getMetadata('key', ids.meta), { b: 2 });
      await refused(() => nango.setMetadata('key', ids.meta, undefined), 'Metadata is required');
    },
  },
  {
    method: 'setMetadata',
    form: 'the answer echoes the request',
    run: async ({ nango, ids, since }) => {
      const answer = await nango.setMetadata('key', ids.meta, { c: 3 });
      assert.deepEqual(answer.data, since('0.39.33') ? { metadata: { c: 3 }, connection_id: ids.meta, provider_config_key: 'key' } : { c: 3 });
    },
  },
  {
    method: 'setMetadata',
    form: 'several connections, all or none',
    since: '0.39.33',
    run: async ({ nango, ids }) => {
      const answer = await nango.setMetadata('key', [ids.meta, ids.key2], { shared: true });
      assert.equal(answer.status, 201);
      assert.deepEqual(await nango.getMetadata('key', ids.key2), { shared: true });
      await rejectsWith(nango.setMetadata('key', [ids.key2, 'nobody'], { lost: true }), 404, 'unknown_connection');
      assert.deepEqual(await nango.getMetadata('key', ids.key2), { shared: true });
    },
  },
  {
    method: 'updateMetadata',
    form: 'merges at the top level',
    since: '0.36.100',
    run: async ({ nango, ids }) => {
      await nango.setMetadata('key', ids.meta, { keep: 1, nested: { x: 1, y: 2 } });
      const answer = await nango.updateMetadata('key', ids.meta, { nested: { z: 3 }, more: null });
      assert.equal(answer.status, 200);
      assert.deepEqual(await nango.getMetadata('key', ids.meta), { keep: 1, nested: { z: 3 }, more: null });
    },
  },
  {
    method: 'updateMetadata',
    form: 'the answer echoes the request, not the result',
    since: '0.36.100',
    run: async ({ nango, ids, since }) => {
      await nango.setMetadata('key', ids.meta, { a: 1 });
      const answer = await nango.updateMetadata('key', ids.meta, { b: 2 });
      assert.deepEqual(answer.data, since('0.39.33') ? { metadata: { b: 2 }, connection_id: ids.meta, provider_config_key: 'key' } : { b: 2 });
    },
  },
  {
    method: 'updateMetadata',
    form: 'several connections',
    since: '0.39.33',
    run: async ({ nango, ids }) => {
      await nango.setMetadata('key', [ids.meta, ids.key2], { base: 1 });
      await nango.updateMetadata('key', [ids.meta, ids.key2], { plus: 2 });
      for (const id of [ids.meta, ids.key2]) assert.deepEqual(await nango.getMetadata('key', id), { base: 1, plus: 2 });
    },
  },
  {
    method: 'setMetadata',
    form: 'unknown connection',
    run: ({ nango }) => rejectsWith(nango.setMetadata('key', 'nobody', { a: 1 }), 404, 'unknown_connection'),
  },
  {
    method: 'patchConnection',
    since: '0.67.8',
    run: async ({ nango, ids }) => {
      const params = { connectionId: ids.key2, provider_config_key: 'key' };
      assert.deepEqual(await nango.patchConnection(params, { tags: { Plan: 'silver' } }), { success: true });
      assert.deepEqual((await nango.getConnection('key', ids.key2)).tags, { plan: 'silver' });
      assert.deepEqual(await nango.patchConnection(params, { end_user: { id: 'bob', email: 'bob@example.com' } }), { success: true });
      const patched = await nango.getConnection('key', ids.key2);
      assert.equal(patched.end_user.id, 'bob');
      assert.equal(patched.end_user.email, 'bob@example.com');
      await rejectsWith(nango.patchConnection({ ...params, connectionId: 'nobody' }, {}), 404, 'not_found');
    },
  },
  {
    method: 'deleteConnection',
    run: async ({ nango, ids }) => {
      const answer = await nango.deleteConnection('key', ids.doomed);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.data, { success: true });
      await rejectsWith(nango.getConnection('key', ids.doomed), 404, 'not_found');
      await rejectsWith(nango.deleteConnection('key', ids.doomed), 400, 'unknown_connection');
      assert.deepEqual((await nango.listConnections(ids.doomed)).connections, []);
    },
  },
  {
    method: 'waitForConnection',
    form: 'that is there already',
    since: '0.69.10',
    run: async ({ nango, ids }) => {
      const connection = await nango.waitForConnection('key', ids.user);
      assert.equal(connection.connection_id, ids.key);
      assert.equal(connection.provider_config_key, 'key');
      assert.equal(typeof connection.id, 'number');
    },
  },
  {
    method: 'waitForConnection',
    form: 'that is made while it waits',
    since: '0.69.10',
    run: ({ nango, nangod, ids }) =>
      withHeldWaits(async (waits) => {
        const user = `${ids.prefix}-late`;
        const waiting = nango.waitForConnection('key', user);
        await until('a first look that found nothing', () => waits.length === 1);
        assert.equal(waits[0].ms, 10_000);
        waits[0].end();
        await until('a second one', () => waits.length === 2);
        assert.equal(waits[1].ms, 2000);
        const { data } = await nango.createConnectSession({ end_user: { id: user }, allowed_integrations: ['key'] });
        const { connectionId } = await giveKey(nangod, data.token, 'late');
        waits[1].end();
        const connection = await waiting;
        assert.equal(connection.connection_id, connectionId);
        assert.equal(connection.end_user.id, user);
      }),
  },
  {
    method: 'waitForConnection',
    form: 'given up by its signal',
    since: '0.69.10',
    run: ({ nango }) =>
      withHeldWaits(async (waits) => {
        const giveUp = new AbortController();
        const waiting = nango.waitForConnection('key', 'nobody-yet', { signal: giveUp.signal });
        waiting.catch(() => {}); // looked at below
        await until('a look that found nothing', () => waits.length === 1);
        giveUp.abort();
        await assert.rejects(waiting, { message: 'Wait for connection was aborted' });
        assert.equal(waits.length, 1);
      }),
  },
  {
    method: 'createConnectSession',
    since: '0.42.22',
    run: async ({ nango, ids }) => {
      const { data } = await nango.createConnectSession({
        end_user: { id: ids.user, email: 'ann@example.com', display_name: 'Ann' },
        organization: { id: 'org', display_name: 'Org' },
        allowed_integrations: ['key'],
        integrations_config_defaults: { key: { connection_config: { region: 'us' } } },
      });
      assertSession(data);
    },
  },
  {
    method: 'createConnectSession',
    form: 'unknown integration',
    since: '0.42.22',
    run: ({ nango }) =>
      rejectsWith(nango.createConnectSession({ end_user: { id: 'u' }, allowed_integrations: ['nope'] }), 400, 'invalid_body'),
  },
  {
    method: 'createReconnectSession',
    since: '0.48.4',
    run: async ({ nango, ids }) => {
      const { data } = await nango.createReconnectSession({ connection_id: ids.key, integration_id: 'key', end_user: { id: ids.user } });
      assertSession(data);
      await rejectsWith(nango.createReconnectSession({ connection_id: 'nobody', integration_id: 'key' }), 400, 'invalid_body');
    },
  },
  {
    method: 'createReconnectSession',
    form: 'completed by a credential',
    since: '0.48.4',
    run: async ({ nango, nangod, ids }) => {
      const before = await nango.getConnection('key', ids.spaced);
      const { data } = await nango.createReconnectSession({ connection_id: ids.spaced, integration_id: 'key', end_user: { id: `${ids.prefix}-again` } });
      assert.deepEqual(await giveKey(nangod, data.token, 'another'), { connectionId: ids.spaced, providerConfigKey: 'key' });
      const after = await nango.getConnection('key', ids.spaced);
      assert.equal(after.id, before.id);
      assert.equal(after.created_at, before.created_at);
      assert.deepEqual(after.credentials, { type: 'API_KEY', apiKey: 'another' });
      assert.equal(after.end_user.id, `${ids.prefix}-again`);
    },
  },
];

// What the end user's browser does with a session: it gives a key.
const giveKey = (nangod, token, apiKey) =>
  nangod.must(200, 'POST', `/api-auth/api-key/key?connect_session_token=${token}`, { key: null, body: { apiKey } });

// Runs `body` with the client's waits between two looks held until the test ends them.
async function withHeldWaits(body) {
  const { setTimeout: real } = globalThis;
  const waits = [];
  globalThis.setTimeout = (call, ms, ...rest) => {
    if (ms !== 10_000 && ms !== 2000) return real(call, ms, ...rest);
    waits.push({ ms, end: call });
    return undefined;
  };
  try {
    await body(waits);
  } finally {
    globalThis.setTimeout = real;
  }
}

function assertSession({ token, connect_link: link, expires_at: expires }) {
  assert.match(token, /^nango_connect_session_[a-f0-9]{64}$/);
  assert.equal(new URL(link).searchParams.get('session_token'), token);
  assert.ok(isInstant(expires));
  const life = Date.parse(expires) - Date.now();
  assert.ok(life > 29 * 60_000 && life <= 30 * 60_000, `half an hour, not ${life} ms`);
}


