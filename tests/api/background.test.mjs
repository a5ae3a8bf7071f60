// SPDX-License-Identifier: Apache-2.0
// Connections that nobody fetches stay alive: their tokens are renewed, their keys tried at the
// provider, by rounds of the daemon. A round comes each second here; the days are the clock's.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { logged } from './lib/daemon.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

const hour = 3_600_000;

let world;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({
    clock: true,
    integrations: { oauth: 'test-oauth', verified: 'test-key-verified', plain: 'test-key' },
    settings: { 'refresh.background_period_s': '1' },
  });
});
after(() => world?.finish());

const refreshes = () => world.oauth.tokenCalls('refresh_token');
const listed = async (id) => {
  const { connections } = await world.nangod.must(200, 'GET', `/connections?connectionId=${id}`);
  return connections.find((row) => row.connection_id === id);
};
const key = (integration, id, apiKey) =>
  world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: integration, connection_id: id, credentials: { type: 'API_KEY', apiKey } } });
// How often the provider was asked about a key.
const tried = (apiKey) => world.echo.calls.filter((one) => one.url === '/verify/me' && one.headers.authorization === `Bearer ${apiKey}`).length;

describe('background refresh', () => {
  test('renews the token of a connection that was not fetched for a day, once, and leaves others alone', async () => {
    await world.connect('oauth', 'idle');
    world.clock.advance(25 * hour);
    await world.connect('oauth', 'new'); // expired as well, but made just now
    world.oauth.reset();
    await until('the refresh of the idle one', () => refreshes().length > 0);
    const count = refreshes().length;
    assert.equal(count, 1);
    const fetched = await world.nangod.must(200, 'GET', '/connections/idle?provider_config_key=oauth');
    assert.ok(await world.oauth.works(fetched.credentials.access_token));
    assert.equal(refreshes().length, count, 'there was nothing left to renew');
    // Whole rounds later: a connection that becomes idle is found, and it is the only call more.
    await world.connect('oauth', 'later');
    world.clock.advance(25 * hour);
    await until('the refreshes of all three', () => refreshes().length >= count + 3);
    assert.equal(refreshes().length, count + 3);
  });

  test('tries a key that nothing renews once a day, notes a refusal, and tells it', async () => {
    world.echo.goodKeys.add('good-key');
    await key('verified', 'k-1', 'good-key');
    await key('plain', 'k-2', 'good-key'); // its provider declares no check
    const before = tried('good-key');
    world.clock.advance(25 * hour);
    await until('the first trial', () => tried('good-key') > before);
    assert.equal(tried('good-key'), before + 1);
    assert.deepEqual((await listed('k-1')).errors, []);
    world.clock.advance(25 * hour);
    await until('the second', () => tried('good-key') > before + 1);
    world.echo.goodKeys.delete('good-key');
    world.clock.advance(25 * hour);
    await until('the error on the connection', async () => (await listed('k-1')).errors.length === 1);
    const [error] = (await listed('k-1')).errors;
    assert.equal(error.type, 'auth');
    // It works again: the error goes.
    world.echo.goodKeys.add('good-key');
    world.clock.advance(25 * hour);
    await until('the error to go', async () => (await listed('k-1')).errors.length === 0);
    assert.deepEqual((await listed('k-2')).errors, []);
  });
});
