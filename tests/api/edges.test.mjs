// SPDX-License-Identifier: Apache-2.0
// Input that is right, at its edges: what it must mean. Wrong input is in badinput.test.mjs.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { logged } from './lib/daemon.mjs';
import { World } from './lib/world.mjs';

let world;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  world = await World.start({ integrations: { key: 'test-key', oauth: 'test-oauth', basic: 'test-basic', none: 'test-none' } });
});
after(() => world?.finish());

const put = (id, credentials, more = {}) =>
  world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'oauth', connection_id: id, credentials: { type: 'OAUTH2', ...credentials }, ...more } });

describe('dates of expiry', () => {
  test('as HTTP writes them', async () => {
    const made = await put('http-date', { access_token: 'a', expires_at: 'Thu, 01 Jan 2099 00:00:00 GMT' });
    assert.equal(made.credentials.expires_at, '2099-01-01T00:00:00.000Z');
    await world.nangod.must(201, 'POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'http-date-early', access_token: 'a', expires_at: 'Thu, 01 Jan 2099 00:00:00 GMT' } });
    assert.equal((await world.get('oauth', 'http-date-early')).body.credentials.expires_at, '2099-01-01T00:00:00.000Z');
  });
});
