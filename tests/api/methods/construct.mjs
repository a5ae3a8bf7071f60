// SPDX-License-Identifier: Apache-2.0
// What the clients do on their own: construction, argument checks, signature verification. Here as
// the ground the other tables stand on: a client that did not load or check would make them empty.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';

export const construct = [
  {
    method: 'constructor',
    form: 'default host and one trailing slash removed',
    run: ({ Nango }) => {
      assert.equal(new Nango({ secretKey: 'k' }).serverUrl, 'https://api.nango.dev');
      assert.equal(new Nango({ secretKey: 'k', host: 'http://h.test//' }).serverUrl, 'http://h.test/');
    },
  },
  {
    method: 'constructor',
    form: 'without a key',
    run: ({ Nango, since }) => {
      assert.throws(() => new Nango({ host: 'http://h.test' }), {
        message: since('0.70.9') ? 'You must specify an API key (cf. documentation).' : 'You must specify a secret key (cf. documentation).',
      });
    },
  },
  {
    method: 'constructor',
    form: 'host that is no URL',
    run: ({ Nango }) =>
      assert.throws(() => new Nango({ secretKey: 'k', host: 'nope' }), { message: 'Invalid URL provided for the Nango host: nope' }),
  },
  {
    method: 'constructor',
    form: 'apiKey is an alias that works',
    since: '0.70.9',
    run: async ({ Nango, nangod }) => {
      const nango = new Nango({ apiKey: nangod.keys.secretKey, host: nangod.base });
      assert.ok(Array.isArray((await nango.listConnections()).connections));
      assert.throws(() => new Nango({ apiKey: 'a', secretKey: 'b' }), {
        message: 'You must specify only one of apiKey or secretKey, not both (cf. documentation).',
      });
    },
  },
  {
    method: 'constructor',
    form: 'custom user agent',
    since: '0.39.33',
    run: async ({ Nango, nangod }) => {
      const nango = new Nango({ secretKey: nangod.keys.secretKey, host: nangod.base }, { userAgent: 'tests/1' });
      assert.match(nango.userAgent, /^nango-node-client\/.*; tests\/1$/);
      assert.ok(Array.isArray((await nango.listConnections()).connections));
    },
  },
  {
    method: 'isSync and dryRun flags',
    form: 'are accepted by the connection calls',
    run: async ({ Nango, nangod, ids, quiet }) => {
      const nango = new Nango({ secretKey: nangod.keys.secretKey, host: nangod.base, isSync: true, dryRun: true });
      const connection = await nango.getConnection('key', ids.key);
      assert.equal(connection.connection_id, ids.key);
      // The early clients print dry-run proxy calls on the console.
      const answer = await quiet(() => nango.get({ endpoint: '/echo/flags', connectionId: ids.key, providerConfigKey: 'key' }));
      assert.equal(answer.data.url, '/echo/flags');
    },
  },
  {
    method: 'verifyWebhookSignature',
    since: '0.39.33',
    run: ({ nango, nangod, quiet }) =>
      quiet(() => {
        const payload = { a: 1, b: ['x'] };
        const good = crypto.createHash('sha256').update(nangod.keys.secretKey + JSON.stringify(payload)).digest('hex');
        assert.equal(nango.verifyWebhookSignature(good, payload), true);
        assert.equal(nango.verifyWebhookSignature(good, { ...payload, a: 2 }), false);
      }),
  },
  {
    method: 'verifyIncomingWebhookRequest',
    since: '0.69.50',
    run: ({ nango, nangod }) => {
      const body = '{"a":1}';
      const good = crypto.createHmac('sha256', nangod.keys.secretKey).update(body).digest('hex');
      assert.equal(nango.verifyIncomingWebhookRequest(body, { 'X-Nango-Hmac-Sha256': good }), true);
      assert.equal(nango.verifyIncomingWebhookRequest(`${body} `, { 'X-Nango-Hmac-Sha256': good }), false);
    },
  },
  {
    method: 'importConnection, createConnection',
    form: 'throw without a request',
    until: '0.60.5',
    run: async ({ nango }) => {
      await assert.rejects(async () => nango.importConnection({}));
      await assert.rejects(async () => nango.createConnection({}));
    },
  },
];
