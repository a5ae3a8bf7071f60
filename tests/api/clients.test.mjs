// SPDX-License-Identifier: Apache-2.0
// Every method of every official client in scope, against a real nangod and real providers on
// loopback. The tables in methods/ say from which version until which each form exists; each line of
// the report names version, method and form.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { at, between, loadClient, versions } from './lib/clients.mjs';
import { logged } from './lib/daemon.mjs';
import { client } from './lib/oauth.mjs';
import { World } from './lib/world.mjs';
import { connections } from './methods/connections.mjs';
import { construct } from './methods/construct.mjs';
import { integrations } from './methods/integrations.mjs';
import { proxy } from './methods/proxy.mjs';
import { scripts } from './methods/scripts.mjs';

const table = [...construct, ...connections, ...integrations, ...proxy, ...scripts];

let world;

before(async () => {
  world = await World.start({
    integrations: { oauth: 'test-oauth', key: 'test-key', basic: 'test-basic', none: 'test-none' },
  });
  await world.integration('oauth1', 'test-oauth1', { credentials: { type: 'OAUTH1', client_id: 'ck', client_secret: 'cs' } });
  for (const [name, value] of [['BOT_TOKEN', 'abcdefg'], ['EMPTY', ''], ['unicode', 'é ☃']]) await world.nangod.setVariable(name, value);
});

after(() => world?.finish());

// Silences the console while `call` runs: some versions print what they send.
async function quiet(call) {
  const { log } = console;
  console.log = () => {};
  try {
    return await call();
  } finally {
    console.log = log;
  }
}

// The connections one version works on, all its own.
async function stage(version) {
  const prefix = `v${version}`;
  const ids = {
    prefix,
    user: `${prefix}-user`,
    spaced: `${prefix} with space`,
    ...Object.fromEntries(
      ['key', 'key2', 'meta', 'doomed', 'basic', 'none', 'oauth1', 'fresh', 'expired', 'forced', 'proxied'].map((name) => [name, `${prefix}-${name}`]),
    ),
  };
  const put = (key, id, credentials, more = {}) =>
    world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: id, credentials, ...more } });
  const secret = (id) => ({ type: 'API_KEY', apiKey: `secret-${id}` });
  await put('key', ids.key, secret(ids.key), {
    metadata: { colour: 'red', nested: { a: 1 } },
    connection_config: { region: 'eu' },
    end_user: { id: ids.user, email: 'ann@example.com', display_name: 'Ann' },
    tags: { Plan: 'gold', owner: prefix },
  });
  for (const id of [ids.key2, ids.meta, ids.doomed, ids.spaced]) await put('key', id, secret(id));
  await put('basic', ids.basic, { type: 'BASIC', username: 'ann', password: 'pässword' });
  await put('none', ids.none, { type: 'NONE' });
  await put('oauth1', ids.oauth1, { type: 'OAUTH1', oauth_token: 'ot', oauth_token_secret: 'ots' });
  const grants = {
    fresh: await world.connect('oauth', ids.fresh, { expiresAt: '2099-01-01T00:00:00.000Z' }),
    expired: await world.connect('oauth', ids.expired),
    forced: await world.connect('oauth', ids.forced, { expiresAt: '2099-01-01T00:00:00.000Z' }),
    proxied: await world.connect('oauth', ids.proxied),
  };
  return { ids, grants };
}

for (const version of versions) {
  describe(`client ${version}`, () => {
    const context = {};

    before(async () => {
      const Nango = await loadClient(version);
      const prod = await world.nangod.readKeys('prod');
      Object.assign(context, await stage(version), {
        Nango,
        // Another environment, in which there is nothing.
        elsewhere: new Nango({ secretKey: prod.secretKey, host: world.nangod.base }),
        nango: new Nango({ secretKey: world.nangod.keys.secretKey, host: world.nangod.base }),
        since: (other) => at(version) >= at(other),
        nangod: world.nangod,
        oauth: world.oauth,
        echo: world.echo,
        clients: { oauth: client },
        quiet,
      });
    });

    for (const row of table.filter(({ since, until }) => between(version, since, until))) {
      const name = `${row.method}${row.form ? ` (${row.form})` : ''}`;
      it(`${version} ${name}`, logged(() => world.nangod, () => row.run(context)));
    }
  });
}

describe('the tables', () => {
  const elsewhere = new Map([
    ...['getRecords', 'listRecords', 'pruneRecords', 'triggerSync', 'startSync', 'pauseSync', 'syncStatus', 'updateSyncConnectionFrequency',
      'createSyncVariant', 'deleteSyncVariant'].map((name) => [name, 'syncs']),
    ...['triggerAction', 'triggerActionAsync', 'getAsyncActionResult'].map((name) => [name, 'actions']),
  ]);
  // Helpers of the clients themselves: other methods call them.
  const internal = new Set(['enrichHeaders', 'getConnectionDetails', 'listConnectionDetails']);

  for (const version of versions) {
    it(`name every public method of ${version}, or say why not`, async () => {
      const Nango = await loadClient(version);
      const named = new Set(table.filter(({ since, until }) => between(version, since, until)).flatMap((row) => row.method.split(/[ ,]+/)));
      const methods = Object.getOwnPropertyNames(Nango.prototype).filter((name) => name !== 'constructor' && !name.startsWith('_'));
      assert.ok(methods.length > 20, String(methods.length));
      assert.deepEqual(methods.filter((name) => !named.has(name) && !elsewhere.has(name) && !internal.has(name)), []);
    });
  }
});
