// SPDX-License-Identifier: Apache-2.0
// The usual stage: a daemon whose catalogue knows an OAuth provider, an echo API and their
// integrations. Everything is a test file's own, so that files run side by side.

import { Overlay, testProviders } from './catalogue.mjs';
import { Clock, Daemon } from './daemon.mjs';
import { Echo } from './echo.mjs';
import { OAuthProvider, client, headerClient } from './oauth.mjs';

const clients = { 'test-oauth': client, 'test-oauth-lax': client, 'test-oauth-header': headerClient };

export class World {
  // `integrations`: key → provider, made through the API. `providers`: more of the overlay's YAML.
  static async start({ oauth = true, echo = true, clock = false, integrations = {}, providers = '', settings = {}, ...daemon } = {}) {
    const world = new World();
    if (oauth) world.oauth = await OAuthProvider.start(oauth === true ? {} : oauth);
    if (echo) world.echo = await Echo.start();
    if (clock) world.clock = new Clock();
    world.overlay = new Overlay(testProviders({ oauth: world.oauth?.base, echo: world.echo?.base }) + providers);
    try {
      world.nangod = await Daemon.start({
        settings: {
          'outbound.allow_private': 'true',
          'proxy.backoff_base_ms': '10',
          ...world.overlay.setting,
          ...world.clock?.setting,
          ...settings,
        },
        ...daemon,
      });
      await world.oauth?.allow(`${world.nangod.base}/oauth/callback`);
      for (const [key, provider] of Object.entries(integrations)) await world.integration(key, provider);
    } catch (error) {
      await world.finish().catch(() => {});
      throw error;
    }
    return world;
  }

  integration(key, provider, more = {}) {
    const who = clients[provider];
    const credentials = who && { type: 'OAUTH2', client_id: who.id, client_secret: who.secret, scopes: 'openid,offline_access,read' };
    return this.nangod.must(200, 'POST', '/integrations', { body: { provider, unique_key: key, ...(credentials && { credentials }), ...more } });
  }

  // Imports a connection with tokens the provider really issued. `expires_at`: past by default, so
  // that the first use refreshes.
  async connect(key, id, { account = id, expiresAt = '2020-01-01T00:00:00.000Z', ...more } = {}) {
    const grant = await this.oauth.issue(account);
    await this.nangod.must(201, 'POST', '/connections', {
      body: {
        provider_config_key: key,
        connection_id: id,
        credentials: { type: 'OAUTH2', access_token: grant.access_token, refresh_token: grant.refresh_token, expires_at: expiresAt },
        ...more,
      },
    });
    return grant;
  }

  get(key, id, query = '') {
    return this.nangod.api('GET', `/connections/${id}?provider_config_key=${key}${query}`);
  }

  // A proxied call to the connection's own provider.
  proxied(key, id, target = '/me', options = {}) {
    return this.nangod.api(options.method ?? 'GET', `/proxy${target}`, {
      ...options,
      headers: { 'Connection-Id': id, 'Provider-Config-Key': key, ...options.headers },
    });
  }

  async finish() {
    try {
      await this.nangod?.finish();
    } finally {
      await this.oauth?.finish();
      await this.echo?.finish();
      this.overlay?.finish();
      this.clock?.finish();
    }
  }
}
