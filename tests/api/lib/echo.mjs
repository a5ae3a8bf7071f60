// SPDX-License-Identifier: Apache-2.0
// The provider of the proxy tests, and of the recordings in tests/data/recordings/: an API on
// loopback that answers with what it was asked, and misbehaves on demand.
//
//   …/echo/…           {method, url, headers, body} of the request; so does any path not named here
//   /headers           headers worth passing on, some of them not
//   /status/N          status N, {"status": N, "error": "as asked"}
//   /204 /empty/N      no body
//   /gzip /chunked /binary /attachment /text    kinds of bodies
//   /redirect/N?to=    status N, Location `to` (default /echo/after-redirect)
//   …/flaky/N?s=       fails N times with status s (500), then 200; {"n": calls so far}, by path and query
//   /reset             the connection is reset
//   /large/N           N bytes, streamed
//   /endless           a body that never ends
//   /hold/NAME         waits until release(NAME)
//   /verify/…          200 when the credential is one of `goodKeys`, else 401

import { isUtf8 } from 'node:buffer';
import zlib from 'node:zlib';

import { listen, readAll } from './http.mjs';
import { deferred } from './wait.mjs';

const bytes = Buffer.from([0, 1, 2, 253, 254, 255, 10, 13]);

export class Echo {
  constructor() {
    this.calls = []; // {method, url, headers, body} of every request, oldest first
    this.counts = new Map();
    this.held = new Map();
    this.goodKeys = new Set(['good']);
  }

  static async start() {
    const echo = new Echo();
    echo.server = await listen((req, res) => {
      echo.answer(req, res).catch((error) => res.destroy(error));
    });
    return echo;
  }

  get base() {
    return this.server.base;
  }

  get host() {
    return this.server.host;
  }

  get port() {
    return this.server.port;
  }

  gate(name) {
    let gate = this.held.get(name);
    if (!gate) {
      gate = { arrived: deferred(), release: deferred() };
      this.held.set(name, gate);
    }
    return gate;
  }

  // Whoever comes to /hold/NAME from now on waits, whatever was released before.
  hold(name) {
    this.held.delete(name);
    return this.gate(name);
  }

  // Resolves when a request waits at /hold/NAME.
  arrived(name) {
    return this.gate(name).arrived.promise;
  }

  release(name) {
    this.gate(name).release.resolve();
  }

  async answer(req, res) {
    const body = await readAll(req);
    const call = { method: req.method, url: req.url, headers: req.headers, body: isUtf8(body) ? body.toString('utf8') : { base64: body.toString('base64'), length: body.length } };
    this.calls.push(call);
    const url = new URL(req.url, 'http://echo.invalid');
    const path = url.pathname;
    const json = (status, value, headers = {}) => this.send(res, status, JSON.stringify(value), { 'content-type': 'application/json', ...headers });

    let m;
    if (path === '/headers') {
      return json(200, { ok: true }, {
        'x-request-id': 'req-1',
        'x-correlation-id': 'cor-1',
        'x-ratelimit-remaining': '42',
        link: '<http://echo.invalid/2>; rel="next"',
        'set-cookie': ['a=1; Path=/', 'b=2; Path=/'],
        'access-control-allow-origin': 'http://elsewhere.invalid',
        'keep-alive': 'timeout=7',
      });
    }
    if ((m = /^\/status\/(\d+)(?:\/|$)/.exec(path))) {
      const status = Number(m[1]);
      if (status === 304) return this.send(res, status, '');
      return json(status, { status, error: 'as asked' });
    }
    if (path === '/204') return this.send(res, 204, '');
    if ((m = /^\/empty\/(\d+)$/.exec(path))) return this.send(res, Number(m[1]), '', { 'content-type': 'application/octet-stream' });
    if (path === '/gzip') {
      const zipped = zlib.gzipSync(JSON.stringify({ zipped: true }));
      return this.send(res, 200, zipped, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    }
    if (path === '/chunked') {
      res.writeHead(200, { 'content-type': 'application/json', 'x-echo': '1' });
      res.write('{"chunk":');
      return res.end('"ed"}');
    }
    if (path === '/binary') return this.send(res, 200, bytes, { 'content-type': 'application/octet-stream' });
    if (path === '/attachment') {
      return this.send(res, 200, bytes, {
        'content-type': 'application/octet-stream',
        'content-disposition': 'attachment; filename="f.bin"',
      });
    }
    if (path === '/text') return this.send(res, 200, 'plain', { 'content-type': 'text/plain; charset=utf-8' });
    if ((m = /^\/redirect\/(\d+)$/.exec(path))) {
      return this.send(res, Number(m[1]), '', { location: url.searchParams.get('to') ?? '/echo/after-redirect' });
    }
    if ((m = /\/flaky\/(\d+)$/.exec(path))) {
      const n = (this.counts.get(req.url) ?? 0) + 1;
      this.counts.set(req.url, n);
      return json(n > Number(m[1]) ? 200 : Number(url.searchParams.get('s') ?? 500), { n });
    }
    if (path === '/reset') return req.socket.resetAndDestroy();
    if ((m = /^\/large\/(\d+)$/.exec(path))) return this.sendLarge(res, Number(m[1]));
    if (path === '/endless') {
      res.writeHead(200, { 'content-type': 'text/plain' });
      return res.write('and so on');
    }
    if ((m = /^\/hold\/(\w+)$/.exec(path))) {
      const gate = this.gate(m[1]);
      gate.arrived.resolve();
      await gate.release.promise;
      return json(200, { held: m[1] });
    }
    if (path.startsWith('/verify')) {
      const given = (req.headers.authorization ?? '').replace(/^Bearer /, '');
      return json(this.goodKeys.has(given) ? 200 : 401, {});
    }
    return json(200, call);
  }

  send(res, status, body, headers = {}) {
    const length = status === 204 || status === 304 ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    res.writeHead(status, { 'x-echo': '1', ...length, ...headers });
    res.end(body);
  }

  async sendLarge(res, total) {
    res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': String(total) });
    const piece = Buffer.alloc(65_536, 'x');
    for (let left = total; left > 0 && !res.destroyed; left -= piece.length) {
      const part = left < piece.length ? piece.subarray(0, left) : piece;
      if (res.write(part) || res.destroyed) continue;
      await new Promise((resolve) => {
        const go = () => {
          res.off('drain', go).off('close', go);
          resolve();
        };
        res.on('drain', go).on('close', go);
      });
    }
    res.end();
  }

  finish() {
    return this.server.close();
  }
}
