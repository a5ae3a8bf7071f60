// SPDX-License-Identifier: Apache-2.0
// Integrations in both eras, providers, environment variables.

import assert from 'node:assert/strict';

import { isInstant, rejectsWith } from './expect.mjs';

// The public integration object of the current era.
function assertIntegration(data, { key, provider, name }) {
  assert.equal(data.unique_key, key);
  assert.equal(data.provider, provider);
  assert.equal(data.display_name, name);
  assert.match(data.logo, new RegExp(`/images/template-logos/${provider}\\.svg$`));
  assert.equal(data.forward_webhooks, true);
  assert.ok(isInstant(data.created_at) && isInstant(data.updated_at));
  assert.equal(data.credentials, undefined, 'no secrets unless asked');
}

export const integrations = [
  {
    method: 'listIntegrations',
    run: async ({ nango, since }) => {
      const { configs } = await nango.listIntegrations();
      const found = configs.find((row) => row.unique_key === 'key');
      assert.equal(found.provider, 'test-key');
      if (since('0.42.22')) assertIntegration(found, { key: 'key', provider: 'test-key', name: 'Test Key' });
      assert.ok(configs.some((row) => row.unique_key === 'oauth' && row.provider === 'test-oauth'));
    },
  },
  {
    method: 'getIntegration',
    form: 'by key',
    until: '0.60.5',
    run: async ({ nango }) => {
      const { config } = await nango.getIntegration('oauth');
      assert.equal(config.unique_key, 'oauth');
      assert.equal(config.provider, 'test-oauth');
      assert.deepEqual(config.syncs, []);
      assert.deepEqual(config.actions, []);
      assert.equal(config.client_secret, undefined);
    },
  },
  {
    method: 'getIntegration',
    form: 'by key, with credentials',
    until: '0.60.5',
    run: async ({ nango, clients }) => {
      const { config } = await nango.getIntegration('oauth', true);
      assert.equal(config.client_id, clients.oauth.id);
      assert.equal(config.client_secret, clients.oauth.secret);
      assert.equal(config.scopes, 'openid,offline_access,read');
      assert.equal(config.auth_mode, 'OAUTH2');
      assert.equal(config.app_link, null);
    },
  },
  {
    method: 'getIntegration',
    form: 'by key, unknown',
    until: '0.60.5',
    run: ({ nango }) => rejectsWith(nango.getIntegration('nope'), 400, 'unknown_provider_config'),
  },
  {
    method: 'getIntegration',
    form: 'by object',
    since: '0.42.22',
    run: async ({ nango }) => {
      const { data } = await nango.getIntegration({ uniqueKey: 'oauth' });
      assertIntegration(data, { key: 'oauth', provider: 'test-oauth', name: 'Test OAuth' });
    },
  },
  {
    method: 'getIntegration',
    form: 'by object, including credentials or the webhook address',
    since: '0.42.22',
    run: async ({ nango, clients }) => {
      const { data } = await nango.getIntegration({ uniqueKey: 'oauth' }, { include: ['credentials'] });
      assert.deepEqual(data.credentials, {
        type: 'OAUTH2',
        client_id: clients.oauth.id,
        client_secret: clients.oauth.secret,
        scopes: 'openid,offline_access,read',
        webhook_secret: null,
      });
      const other = await nango.getIntegration({ uniqueKey: 'key' }, { include: ['credentials', 'webhook'] });
      assert.equal(other.data.webhook_url, null, 'the helper sends the last of a list');
      assert.equal(other.data.credentials, undefined);
    },
  },
  {
    method: 'getIntegration',
    form: 'by object, unknown',
    since: '0.42.22',
    run: ({ nango }) => rejectsWith(nango.getIntegration({ uniqueKey: 'nope' }), 404, 'not_found'),
  },
  {
    method: 'createIntegration, updateIntegration, deleteIntegration',
    form: 'early arguments',
    until: '0.60.5',
    run: async ({ nango, ids, since }) => {
      const key = `${ids.prefix}-early`;
      const made = await nango.createIntegration('test-oauth', key, { oauth_client_id: 'a', oauth_client_secret: 'b', oauth_scopes: 'x y,z' });
      assert.equal(made.config.unique_key, key);
      assert.equal(made.config.provider, 'test-oauth');
      await rejectsWith(nango.createIntegration('test-oauth', key, { oauth_client_id: 'a', oauth_client_secret: 'b' }), 409, 'duplicate_provider_config');
      const changed = await nango.updateIntegration('test-oauth', key, { oauth_client_id: 'c', oauth_client_secret: 'd', oauth_scopes: 'x' });
      assert.equal(changed.config.unique_key, key);
      const { config } = await nango.getIntegration(key, true);
      assert.equal(config.client_id, 'c');
      assert.equal(config.client_secret, 'd');
      assert.equal(config.scopes, 'x');
      const gone = await nango.deleteIntegration(key);
      assert.equal(gone.status, since('0.58.7') ? 200 : 204);
      await rejectsWith(nango.getIntegration(key), 400, 'unknown_provider_config');
    },
  },
  {
    method: 'createIntegration',
    form: 'early arguments, refused',
    until: '0.60.5',
    run: async ({ nango, ids }) => {
      await rejectsWith(nango.createIntegration('no-such', `${ids.prefix}-x`, { oauth_client_id: 'a', oauth_client_secret: 'b' }), 400, 'unknown_provider_template');
      await rejectsWith(nango.createIntegration('test-oauth', `${ids.prefix}-x`, { oauth_client_secret: 'b' }), 400, 'missing_client_id');
      await rejectsWith(nango.createIntegration('test-oauth', `${ids.prefix}-x`, { oauth_client_id: 'a' }), 400, 'missing_client_secret');
    },
  },
  {
    method: 'createIntegration, updateIntegration, deleteIntegration',
    form: 'current arguments',
    since: '0.58.7',
    run: async ({ nango, ids }) => {
      const key = `${ids.prefix}-now`;
      const made = await nango.createIntegration({
        provider: 'test-oauth',
        unique_key: key,
        display_name: 'Mine',
        credentials: { type: 'OAUTH2', client_id: 'a', client_secret: 'b', scopes: 'x,y' },
      });
      assertIntegration(made.data, { key, provider: 'test-oauth', name: 'Mine' });
      const changed = await nango.updateIntegration({ uniqueKey: key }, { display_name: 'Yours', unique_key: `${key}-2` });
      assertIntegration(changed.data, { key: `${key}-2`, provider: 'test-oauth', name: 'Yours' });
      const gone = await nango.deleteIntegration(`${key}-2`);
      assert.equal(gone.status, 200);
      assert.deepEqual(gone.data, { success: true });
      await rejectsWith(nango.getIntegration({ uniqueKey: `${key}-2` }), 404, 'not_found');
    },
  },
  {
    method: 'createIntegration',
    form: 'current arguments, refused',
    since: '0.58.7',
    run: async ({ nango, ids }) => {
      await rejectsWith(nango.createIntegration({ provider: 'no-such', unique_key: `${ids.prefix}-x` }), 400, 'invalid_body');
      await rejectsWith(nango.createIntegration({ provider: 'test-key', unique_key: 'key' }), 400, 'invalid_body');
      await rejectsWith(nango.createIntegration({ provider: 'test-oauth', unique_key: `${ids.prefix}-x` }), 400, 'invalid_body');
    },
  },
  {
    method: 'updateIntegration',
    form: 'early arguments to a current client',
    since: '0.64.4',
    run: async ({ nango }) => {
      // A bare string as the body: whatever the answer, it is a refusal in JSON.
      await assert.rejects(nango.updateIntegration('test-oauth', 'key'), (error) => {
        assert.ok([400, 404, 415].includes(error.response.status), String(error.response.status));
        assert.equal(typeof error.response.data.error.code, 'string');
        return true;
      });
    },
  },
  {
    method: 'createQuickstartIntegration',
    since: '0.70.9',
    run: ({ nango, ids }) =>
      rejectsWith(nango.createQuickstartIntegration({ provider: 'test-oauth', unique_key: `${ids.prefix}-quick` }), 400, 'invalid_body'),
  },
  {
    method: 'listProviders',
    since: '0.42.22',
    run: async ({ nango }) => {
      const { data } = await nango.listProviders({});
      const found = data.find((row) => row.name === 'test-oauth');
      assert.equal(found.auth_mode, 'OAUTH2');
      assert.equal(found.display_name, 'Test OAuth');
      assert.match(found.logo_url, /\/images\/template-logos\/test-oauth\.svg$/);
      const some = await nango.listProviders({ search: 'TEST-OAUTH' });
      assert.ok(some.data.length >= 3);
      assert.ok(some.data.every((row) => row.name.includes('test-oauth')));
    },
  },
  {
    method: 'getProvider',
    since: '0.42.22',
    run: async ({ nango, oauth }) => {
      const { data } = await nango.getProvider({ provider: 'test-oauth' });
      assert.equal(data.name, 'test-oauth');
      assert.equal(data.token_url, `${oauth.base}/token`);
      assert.deepEqual(data.proxy, { base_url: `${oauth.base}/api` });
      assert.deepEqual(data.categories, ['other']);
      await rejectsWith(nango.getProvider({ provider: 'no-such' }), 404, 'not_found');
    },
  },
  {
    method: 'getProviderTemplates',
    since: '0.71.4',
    run: async ({ nango }) => assert.deepEqual(await nango.getProviderTemplates({ provider: 'test-oauth' }), { data: [] }),
  },
  {
    method: 'getEnvironmentVariables',
    run: async ({ nango }) =>
      assert.deepEqual(await nango.getEnvironmentVariables(), [
        { name: 'BOT_TOKEN', value: 'abcdefg' },
        { name: 'EMPTY', value: '' },
        { name: 'unicode', value: 'é ☃' },
      ]),
  },
  {
    method: 'getEnvironmentVariables',
    form: 'none',
    run: async ({ elsewhere }) => assert.deepEqual(await elsewhere.getEnvironmentVariables(), []),
  },
];
