// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange, as written on the wire: any method, any body with any method, no redirects
// followed, no header added but Host and the framing. node:http rather than fetch(), which refuses
// or changes much of what the tests must send.

import http from 'node:http';
import zlib from 'node:zlib';

// A pool wide enough for the concurrency tests; each daemon has its own address, hence its sockets.
export const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });

const inflate = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync, br: zlib.brotliDecompressSync };

// `body`: undefined (none), Buffer or string (as is), anything else as JSON with its content type.
// Answers {status, headers, raw, text, body}: body is parsed when the answer says JSON.
// A coded body is decoded, as every client does.
export function request(base, method, target, { headers = {}, body, timeout = 30_000, via = agent } = {}) {
  const url = new URL(base);
  const head = { ...headers };
  const has = (name) => Object.keys(head).some((key) => key.toLowerCase() === name);
  let bytes;
  if (body !== undefined) {
    bytes = Buffer.isBuffer(body) || typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
    if (!Buffer.isBuffer(body) && typeof body !== 'string' && !has('content-type')) head['Content-Type'] = 'application/json';
    if (!has('content-length') && !has('transfer-encoding')) head['Content-Length'] = String(bytes.length);
  }
  return new Promise((resolve, reject) => {
    const req = http.request(
      { host: url.hostname, port: url.port, method, path: target, headers: head, agent: via, timeout },
      (res) => {
        const parts = [];
        res.on('data', (part) => parts.push(part));
        res.on('error', reject);
        res.on('aborted', () => reject(Object.assign(new Error('answer cut short'), { code: 'ECONNRESET' })));
        res.on('end', () => {
          const coding = res.headers['content-encoding'];
          const raw = inflate[coding] ? inflate[coding](Buffer.concat(parts)) : Buffer.concat(parts);
          const type = res.headers['content-type'] ?? '';
          const text = raw.toString('utf8');
          let parsed = text;
          if (/^application\/(.*\+)?json/.test(type) && text !== '') {
            try {
              parsed = JSON.parse(text);
            } catch {
              reject(new Error(`${method} ${target}: answer claims JSON but is not: ${text.slice(0, 200)}`));
              return;
            }
          }
          resolve({ status: res.statusCode, headers: res.headers, raw, text, body: parsed });
        });
      },
    );
    req.on('timeout', () => req.destroy(new Error(`${method} ${target}: no answer in ${timeout} ms`)));
    req.on('error', reject);
    req.end(bytes);
  });
}

// A listening server for tests: {base, port, host, close}.
export async function listen(handler) {
  const server = http.createServer(handler);
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  return {
    server,
    port,
    host: `127.0.0.1:${port}`,
    base: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

export async function readAll(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
