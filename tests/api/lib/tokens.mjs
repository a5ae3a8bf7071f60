// SPDX-License-Identifier: Apache-2.0
// The provider of tests/api/modes.test.mjs, on loopback: token endpoints that judge what they are sent
// with node's own cryptography, and an API that answers with the headers that it got.

import crypto from 'node:crypto';

import { listen, readAll } from './http.mjs';

const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');
const hmac = (key, text, as) => crypto.createHmac('sha256', key).update(text).digest(as);

// Checks an Authorization of Signature Version 4 against the request as it came in.
export function sigV4Problem({ method, url, headers, body }, secretOf) {
  const found = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '');
  if (!found) return `no signature: ${headers.authorization}`;
  const [, id, day, region, service, signed, signature] = found;
  const secret = secretOf(id);
  if (!secret) return `unknown key ${id}`;
  const { pathname, searchParams } = new URL(url, 'http://x');
  const query = [...searchParams].map((pair) => pair.map(encodeURIComponent).join('=')).sort().join('&');
  const canonical = [method, pathname, query, ...signed.split(';').map((name) => `${name}:${headers[name].trim()}`), '', signed, headers['x-amz-content-sha256'] ?? sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], `${day}/${region}/${service}/aws4_request`, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce((last, part) => hmac(last, part), `AWS4${secret}`);
  return hmac(key, text, 'hex') === signature ? undefined : 'bad signature';
}

// Verifies a JWT; its payload, or an error.
export function verifiedJwt(token, key) {
  const [head, payload, signature] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(head, 'base64url'));
  const text = `${head}.${payload}`;
  const bytes = Buffer.from(signature, 'base64url');
  if (alg.startsWith('HS')) {
    if (crypto.createHmac(`sha${alg.slice(2)}`, key).update(text).digest('base64url') !== signature) throw new Error('bad HMAC');
  } else {
    const options = { key, ...(alg.startsWith('ES') && { dsaEncoding: 'ieee-p1363' }), ...(alg.startsWith('PS') && { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }) };
    if (!crypto.verify(`sha${alg.slice(2)}`, Buffer.from(text), options, bytes)) throw new Error(`bad ${alg} signature`);
  }
  return { header: JSON.parse(Buffer.from(head, 'base64url')), payload: JSON.parse(Buffer.from(payload, 'base64url')) };
}

export class TokenProvider {
  constructor() {
    this.calls = [];
    this.handlers = new Map(); // path → (call) => {status, body, headers}
  }

  static async start() {
    const provider = new TokenProvider();
    provider.server = await listen(async (req, res) => {
      const body = (await readAll(req)).toString();
      const call = { method: req.method, url: req.url, path: req.url.split('?')[0], headers: req.headers, body };
      provider.calls.push(call);
      const handler = provider.handlers.get(call.path);
      if (!handler) {
        res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ method: call.method, url: call.url, headers: call.headers }));
        return;
      }
      let answer;
      try {
        answer = handler(call);
      } catch (error) {
        answer = { status: 500, body: { error: 'test_failed', error_description: error.message } };
      }
      if (answer.endless) {
        res.writeHead(200, { 'content-type': 'application/json' });
        const more = () => { while (!res.destroyed && res.write(Buffer.alloc(65536, 'x'))); };
        res.on('drain', more).on('error', () => {});
        more();
        return;
      }
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
      res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(text);
    });
    return provider;
  }

  get base() {
    return this.server.base;
  }

  on(path, handler) {
    this.handlers.set(path, typeof handler === 'function' ? handler : () => handler);
  }

  of(path) {
    return this.calls.filter((call) => call.path === path);
  }

  last(path) {
    return this.of(path).at(-1);
  }

  finish() {
    return this.server.close();
  }
}
