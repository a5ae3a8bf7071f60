// SPDX-License-Identifier: Apache-2.0
// A real OAuth 2 provider (oidc-provider, its own login and consent pages) whose refresh tokens
// rotate: each works once, and presenting a spent one revokes the grant. In front of it a thin
// layer that counts token calls and can hold, fail or lose them, and an API that takes the tokens:
//
//   /auth, /token, …    the provider; PKCE with S256 is demanded
//   /token-lax          the token endpoint with a reuse interval: the refresh token just spent gives
//                       its answer once more until the successor is presented. Common among real
//                       providers (Okta's grace period, Auth0's reuse interval), because an answer
//                       may be lost on the way, and nothing a client does can prevent that
//   /api/me             200 {"account"} for a live access token, else 401; any /api/… likewise

import Provider from 'oidc-provider';
import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';

import { listen, readAll, request } from './http.mjs';
import { deferred } from './wait.mjs';

export const client = { id: 'nangod-tests', secret: 'kept secret: 100% + "quoted" & more' };
export const headerClient = { id: 'nangod/tests header', secret: 'pa:ss word+/%' };

export class OAuthProvider {
  constructor({ accessTtl = 3600 } = {}) {
    this.accessTtl = accessTtl; // seconds; read at each issue
    this.calls = []; // {grant, refreshToken, headers, form, status, path} of each token call
    this.issued = new Set(); // every token handed out: must never be seen in a log
    this.apiCalls = [];
    this.next = []; // what to do with the coming token calls, one each; see script()
    this.answers = new Map(); // spent refresh token → {answer, successor}
    this.presented = new Set(); // refresh tokens that came to the token endpoint
  }

  static async start(options) {
    const self = new OAuthProvider(options);
    self.front = await listen((req, res) => {
      self.route(req, res).catch((error) => res.destroy(error));
    });
    self.provider = self.makeProvider();
    self.provider.on('server_error', (_, error) => {
      self.fault = error;
    });
    // The token endpoint proper, reached by the layer in front only.
    self.inner = await listen(self.provider.callback());
    await self.allow();
    return self;
  }

  get base() {
    return this.front.base;
  }

  makeProvider() {
    const Adapter = memoryAdapter();
    const provider = new Provider(this.front.base, {
      adapter: Adapter,
      cookies: { keys: ['of the tests'] },
      jwks: { keys: [signingKey] },
      clients: [],
      pkce: { required: () => true, methods: ['S256'] },
      rotateRefreshToken: true,
      issueRefreshToken: async () => true,
      scopes: ['openid', 'offline_access', 'read', 'write'],
      claims: { openid: ['sub'] },
      ttl: {
        AccessToken: () => this.accessTtl,
        RefreshToken: 14 * 86_400,
        Grant: 14 * 86_400,
        Session: 3600,
        Interaction: 3600,
        AuthorizationCode: 60,
        IdToken: 3600,
      },
      features: { devInteractions: { enabled: true } },
      renderError: async (ctx, out) => {
        ctx.type = 'json';
        ctx.body = out;
      },
      findAccount: async (_, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    });
    this.clients = new Adapter('Client');
    return provider;
  }

  // Registers both clients with this redirect address.
  async allow(redirectUri = 'http://127.0.0.1:9/oauth/callback') {
    const common = {
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid offline_access read write',
    };
    for (const [who, method] of [
      [client, 'client_secret_post'],
      [headerClient, 'client_secret_basic'],
    ]) {
      await this.clients.upsert(who.id, {
        client_id: who.id,
        client_secret: who.secret,
        token_endpoint_auth_method: method,
        ...common,
      });
    }
  }

  // A grant as if the account had consented: tokens as a token answer has them.
  async issue(account = 'ann', who = client) {
    const { Grant, AccessToken, RefreshToken, Client } = this.provider;
    const registered = await Client.find(who.id);
    const grant = new Grant({ clientId: who.id, accountId: account });
    grant.addOIDCScope('openid offline_access read write');
    const grantId = await grant.save();
    const common = { client: registered, accountId: account, grantId, scope: 'openid offline_access read write', gty: 'authorization_code' };
    const access = await new AccessToken({ ...common, expiresWithSession: false }).save();
    const refresh = await new RefreshToken({ ...common, expiresWithSession: false, rotations: 0 }).save();
    this.issued.add(access).add(refresh);
    return { grantId, access_token: access, refresh_token: refresh };
  }

  // Takes a grant back: its refresh tokens answer invalid_grant from now on.
  async revoke(grantId) {
    await this.provider.RefreshToken.adapter.revokeByGrantId(grantId);
    await this.provider.AccessToken.adapter.revokeByGrantId(grantId);
    const grant = await this.provider.Grant.find(grantId);
    await grant?.destroy();
  }

  // Is this access token taken by the API?
  async works(token) {
    const answer = await request(this.base, 'GET', '/api/me', { headers: { Authorization: `Bearer ${token}` } });
    return answer.status === 200;
  }

  tokenCalls(grant) {
    return this.calls.filter((call) => !grant || call.grant === grant);
  }

  reset() {
    this.calls.length = 0;
    this.apiCalls.length = 0;
  }

  // What happens to the next token call:
  //   {status, body, headers}   answered so; the provider never hears of it
  //   {lose: true}              the provider answers, but the answer is lost on the way
  //   {hold: true}              waits; returns {arrived, release}
  // With `path` (/token, /token-lax) it is for the next call there.
  script(step) {
    const handle = step.hold ? { ...step, arrived: deferred(), release: deferred() } : step;
    this.next.push(handle);
    return step.hold ? { arrived: handle.arrived.promise, release: () => handle.release.resolve() } : undefined;
  }

  async route(req, res) {
    const path = new URL(req.url, this.base).pathname;
    if (path === '/token' || path === '/token-lax') return this.token(req, res, path);
    if (path.startsWith('/api/')) return this.resource(req, res);
    return this.provider.callback()(req, res);
  }

  async token(req, res, path) {
    const body = await readAll(req);
    const form = Object.fromEntries(new URLSearchParams(body.toString()));
    const call = { path, grant: form.grant_type, refreshToken: form.refresh_token, headers: req.headers, form };
    this.calls.push(call);
    const at = this.next.findIndex((step) => !step.path || step.path === path);
    const [step] = at < 0 ? [] : this.next.splice(at, 1);
    if (step?.arrived) {
      step.arrived.resolve();
      await step.release.promise;
    }
    if (step?.status) {
      call.status = step.status;
      res.writeHead(step.status, { 'content-type': 'application/json', ...step.headers });
      res.end(typeof step.body === 'string' || Buffer.isBuffer(step.body) ? step.body : JSON.stringify(step.body ?? {}));
      return;
    }
    const answer = await this.exchange(path, req.headers, body, form);
    call.status = answer.status;
    if (step?.lose) {
      req.socket.destroy();
      return;
    }
    res.writeHead(answer.status, { 'content-type': answer.headers['content-type'], 'cache-control': 'no-store' });
    res.end(answer.raw);
  }

  async exchange(path, headers, body, form) {
    const spent = form.refresh_token;
    if (spent) this.presented.add(spent);
    const before = path === '/token-lax' && spent && this.answers.get(spent);
    // A call for the same token may still be under way: its answer is this one's too.
    if (before) {
      const kept = await before;
      if (kept.status === 200 && !this.presented.has(kept.body.refresh_token)) return kept;
    }
    const pending = request(this.inner.base, 'POST', '/token', {
      headers: {
        ...(headers.authorization && { Authorization: headers.authorization }),
        'Content-Type': headers['content-type'],
        'Content-Length': String(body.length),
        Host: this.front.host,
      },
      body,
      via: inside,
    });
    if (path === '/token-lax' && spent) this.answers.set(spent, pending);
    const answer = await pending;
    for (const name of ['access_token', 'refresh_token', 'id_token']) {
      if (answer.body?.[name]) this.issued.add(answer.body[name]);
    }
    return answer;
  }

  async resource(req, res) {
    const body = await readAll(req);
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
    const found = token && (await this.provider.AccessToken.find(token));
    const live = found && !found.isExpired;
    this.apiCalls.push({ method: req.method, url: req.url, token, live: Boolean(live), body: body.toString('utf8') });
    res.writeHead(live ? 200 : 401, { 'content-type': 'application/json' });
    res.end(JSON.stringify(live ? { account: found.accountId } : { error: 'invalid_token' }));
  }

  async finish() {
    await this.front.close();
    await this.inner.close();
  }
}

// What the provider remembers, in the shape oidc-provider asks for; one store for each provider.
function memoryAdapter() {
  const rows = new Map(); // "Model:id" → {payload, until}
  const grants = new Map(); // grant id → keys of its tokens

  return class Adapter {
    constructor(model) {
      this.model = model;
    }

    key(id) {
      return `${this.model}:${id}`;
    }

    async upsert(id, payload, expiresIn) {
      const key = this.key(id);
      rows.set(key, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
      if (payload.grantId && this.model !== 'Grant') {
        if (!grants.has(payload.grantId)) grants.set(payload.grantId, new Set());
        grants.get(payload.grantId).add(key);
      }
    }

    async find(id) {
      const row = rows.get(this.key(id));
      return row && row.until > Date.now() ? row.payload : undefined;
    }

    async findByUid(uid) {
      for (const [key, { payload }] of rows) {
        if (key.startsWith(`${this.model}:`) && payload.uid === uid) return payload;
      }
      return undefined;
    }

    async findByUserCode() {
      return undefined;
    }

    async consume(id) {
      rows.get(this.key(id)).payload.consumed = Math.floor(Date.now() / 1000);
    }

    async destroy(id) {
      rows.delete(this.key(id));
    }

    async revokeByGrantId(grantId) {
      for (const key of grants.get(grantId) ?? []) rows.delete(key);
      grants.delete(grantId);
    }
  };
}

// Made once a process: an RSA key takes a while.
const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
Object.assign(signingKey, { use: 'sig', kid: 'tests' });

const inside = new http.Agent({ keepAlive: true, maxSockets: 64 });
