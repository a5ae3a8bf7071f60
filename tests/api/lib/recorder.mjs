// SPDX-License-Identifier: Apache-2.0
// A server that notes what it is asked and answers what it was told to: two clients that were given
// the same task are compared by what they put on the wire.

import { listen, readAll } from './http.mjs';

// Headers that a server acts on. All others are the HTTP libraries' own affair.
const matters = /^(authorization|accept|content-type|connection-id|provider-config-key|base-url-override|retries|retry-on|decompress|forward-headers-on-redirect|nango-activity-log-id|nango-is-.*|nango-proxy-.*|x-async)$/;

export class Recorder {
  static async start() {
    const self = new Recorder();
    self.calls = [];
    self.next = {};
    self.server = await listen((req, res) => {
      self.take(req, res).catch((error) => res.destroy(error));
    });
    return self;
  }

  get base() {
    return this.server.base;
  }

  // Answers from now on. `body`: text as it is, anything else as JSON; an array of answers goes one by
  // one, the last one for ever.
  answer(next) {
    this.next = next;
  }

  async take(req, res) {
    const body = await readAll(req);
    const framed = req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
    this.calls.push({ method: req.method, url: req.url, headers: req.headers, raw: req.rawHeaders, body: framed ? body : null });
    const list = [this.next].flat();
    const { status = 200, headers = {}, body: content = {} } = list[0];
    if (list.length > 1) this.next = list.slice(1);
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
    res.writeHead(status, { 'content-type': 'application/json', ...(status !== 204 && { 'content-length': bytes.length }), ...headers });
    res.end(status === 204 ? undefined : bytes);
  }

  // What came since the last time, reduced to what matters.
  taken() {
    return this.calls.splice(0).map(essence);
  }

  finish() {
    return this.server.close();
  }
}

function parts(type, body) {
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1];
  const pieces = body.toString('latin1').split(`--${boundary}`).slice(1, -1);
  return pieces.map((piece) => {
    const [head, ...content] = piece.replace(/^\r\n/, '').split('\r\n\r\n');
    const headers = Object.fromEntries(head.split('\r\n').map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }));
    return { headers, content: content.join('\r\n\r\n').replace(/\r\n$/, '') };
  });
}

function content(type, body) {
  if (body === null) return 'none';
  if (body.length === 0) return 'empty';
  if (/^multipart\//.test(type)) return { parts: parts(type, body) };
  if (/json/.test(type)) {
    try {
      return { json: JSON.parse(body.toString('utf8')) };
    } catch {
      // then as text
    }
  }
  return { text: body.toString('latin1') };
}

function essence(call) {
  const at = call.url.indexOf('?');
  const type = call.headers['content-type'] ?? '';
  const headers = Object.fromEntries(Object.entries(call.headers).filter(([name]) => matters.test(name)).sort());
  if (/^multipart\//.test(type)) headers['content-type'] = type.replace(/boundary=.*/, 'boundary=…');
  return {
    method: call.method,
    path: at < 0 ? call.url : call.url.slice(0, at),
    query: at < 0 ? null : call.url.slice(at + 1),
    headers,
    body: content(type, call.body),
  };
}
