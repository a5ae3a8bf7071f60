// SPDX-License-Identifier: Apache-2.0
// Providers behind TLS: their certificates are checked, connections are kept, bodies of any size pass,
// and a connection's own certificate is shown to providers that ask for one.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Overlay } from './lib/catalogue.mjs';
import { logged, scratch } from './lib/daemon.mjs';
import { readAll } from './lib/http.mjs';
import { World } from './lib/world.mjs';

const MB = 1 << 20;
const dir = scratch('nangod-tls');
const file = (name) => path.join(dir, name);
const read = (name) => fs.readFileSync(file(name), 'utf8');
const openssl = (...words) => execFileSync('openssl', words, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });

// An authority of ours, and certificates by it for a name.
function certificates() {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  for (const [name, alternative] of [['right', 'IP:127.0.0.1'], ['other', 'DNS:elsewhere.example'], ['client', 'DNS:client.example']]) {
    fs.writeFileSync(file(`${name}.ext`), `subjectAltName=${alternative}\n`);
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  }
}

const seen = { requests: 0, handshakes: 0, client: undefined };

async function listen(name, more = {}) {
  const server = https.createServer({ key: read(`${name}.key`), cert: read(`${name}.pem`), ...more }, async (req, res) => {
    seen.requests += 1;
    seen.client = req.socket.getPeerCertificate?.()?.subject?.CN;
    const url = new URL(req.url, 'https://p');
    if (url.pathname === '/token') {
      await readAll(req);
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ access_token: 'fresh', refresh_token: 'next', expires_in: 3600 }));
    } else if (url.pathname === '/down') {
      res.end(Buffer.alloc(8 * MB, 'd'));
    } else {
      const hash = crypto.createHash('sha256');
      for await (const piece of req) hash.update(piece);
      res.end(hash.digest('hex'));
    }
  });
  server.on('secureConnection', () => (seen.handshakes += 1));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, base: `https://127.0.0.1:${server.address().port}` };
}

let right;
let other;
let asking;
let overlay;
let world;
const test = (name, body) => it(name, logged(() => world.nangod, body));

before(async () => {
  certificates();
  right = await listen('right');
  other = await listen('other');
  asking = await listen('right', { requestCert: true, rejectUnauthorized: true, ca: read('ca.pem') });
  const entry = (name, base, more) => `${name}:
    display_name: ${name}
    categories: [other]
    docs: https://example.com/docs
${more}
    proxy:
        base_url: ${base}
`;
  overlay = new Overlay(
    entry('tls-key', right.base, '    auth_mode: API_KEY') +
      entry('tls-oauth', right.base, `    auth_mode: OAUTH2\n    authorization_url: ${right.base}/authorize\n    token_url: ${right.base}/token`) +
      entry('tls-asking', asking.base, `    auth_mode: OAUTH2_CC\n    token_url: ${asking.base}/token\n    require_client_certificate: true`),
  );
  world = await World.start({ oauth: false, echo: false, settings: { ...overlay.setting, 'outbound.ca_file': file('ca.pem') } });
  await world.integration('tls-key', 'tls-key');
  await world.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'tls-key', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
});
after(async () => {
  try {
    await world?.finish();
  } finally {
    for (const one of [right, other, asking]) {
      one?.server.closeAllConnections();
      one?.server.close();
    }
    overlay?.finish();
    fs.rmSync(dir, { recursive: true, force: true });
  }
});

const binary = { 'Content-Type': 'application/octet-stream' };

describe('a provider whose certificate is right', () => {
  test('answers, over one connection for one call after another', async () => {
    const before_ = seen.handshakes;
    const via = new http.Agent({ keepAlive: true, maxSockets: 1 }); // one reactor
    for (let i = 0; i < 3; i++) assert.equal((await world.proxied('tls-key', 'c', '/x', { via })).status, 200);
    via.destroy();
    assert.equal(seen.handshakes - before_, 1);
  });

  test('takes 8 MB', async () => {
    const body = crypto.randomBytes(8 * MB);
    const answer = await world.proxied('tls-key', 'c', '/up', { method: 'POST', headers: binary, body });
    assert.equal(answer.text, crypto.createHash('sha256').update(body).digest('hex'));
  });

  test('takes 8 MB in chunks', async () => {
    const body = crypto.randomBytes(8 * MB);
    const answer = await world.proxied('tls-key', 'c', '/up', { method: 'POST', headers: { ...binary, 'Transfer-Encoding': 'chunked' }, body });
    assert.equal(answer.text, crypto.createHash('sha256').update(body).digest('hex'));
  });

  test('gives 8 MB', async () => {
    const answer = await world.proxied('tls-key', 'c', '/down');
    assert.equal(answer.raw.length, 8 * MB);
  });

  test('refreshes a token', async () => {
    await world.nangod.must(200, 'POST', '/integrations', { body: { provider: 'tls-oauth', unique_key: 'tls-oauth', credentials: { type: 'OAUTH2', client_id: 'id', client_secret: 'secret' } } });
    await world.nangod.must(201, 'POST', '/connections', {
      body: { provider_config_key: 'tls-oauth', connection_id: 'c', credentials: { type: 'OAUTH2', access_token: 'old', refresh_token: 'r', expires_at: '2020-01-01T00:00:00.000Z' } },
    });
    assert.equal((await world.get('tls-oauth', 'c')).body.credentials.access_token, 'fresh');
  });
});

describe('a provider whose certificate is not', () => {
  async function isRefused(world_, base) {
    const before_ = seen.requests;
    const answer = await world_.proxied('tls-key', 'c', '/x', { headers: { 'Base-Url-Override': base } });
    assert.equal(answer.status, 500, answer.text);
    assert.equal(answer.body.code, 'EPROTO');
    assert.match(answer.body.message, /certificate/);
    assert.equal(seen.requests, before_, 'no request was sent');
  }

  test('of another name: nothing is sent', () => isRefused(world, other.base));

  it('of an authority that is not known: nothing is sent', async () => {
    const strict = await World.start({ oauth: false, echo: false, settings: overlay.setting });
    try {
      await strict.integration('tls-key', 'tls-key');
      await strict.nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'tls-key', connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
      await isRefused(strict, right.base);
    } finally {
      await strict.finish();
    }
  });
});

describe('a provider that asks for a certificate', () => {
  const put = (id, more) =>
    world.nangod.must(201, 'POST', '/connections', {
      body: { provider_config_key: 'tls-asking', connection_id: id, credentials: { type: 'OAUTH2_CC', token: 't', client_id: 'i', client_secret: 's', expires_at: '2099-01-01T00:00:00.000Z', ...more } },
    });

  test("is shown the connection's own, also when it was pasted in one line", async () => {
    await world.integration('tls-asking', 'tls-asking');
    await put('c', { client_certificate: read('client.pem'), client_private_key: read('client.key') });
    assert.equal((await world.proxied('tls-asking', 'c', '/x')).status, 200);
    assert.equal(seen.client, 'client');
    seen.client = undefined;
    await put('pasted', { client_certificate: read('client.pem').replace(/\n/g, ' '), client_private_key: read('client.key').replace(/\n/g, ' ') });
    assert.equal((await world.proxied('tls-asking', 'pasted', '/x')).status, 200);
    assert.equal(seen.client, 'client');
  });

  test('also where the token is asked for', async () => {
    const submit = (body) => world.nangod.api('POST', `/oauth2/auth/tls-asking?public_key=${world.nangod.keys.publicKey}&connection_id=asked`, { key: null, body: { client_id: 'i', client_secret: 's', ...body } });
    seen.client = undefined;
    const answer = await submit({ client_certificate: read('client.pem'), client_private_key: read('client.key') });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(seen.client, 'client');
    const bare = await submit({});
    assert.equal(bare.status, 400);
    assert.equal(bare.body.error.code, 'client_credentials_fetch_error');
    const odd = await submit({ client_certificate: read('client.pem'), client_private_key: read('other.key') });
    assert.equal(odd.status, 400, odd.text);
  });

  test('and refuses a connection without one', async () => {
    await put('bare', {});
    const answer = await world.proxied('tls-asking', 'bare', '/x');
    assert.equal(answer.status, 500);
    assert.match(answer.body.code, /EPROTO|ECONNRESET|ERR_NETWORK/);
  });
});
