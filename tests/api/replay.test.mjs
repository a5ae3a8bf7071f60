// SPDX-License-Identifier: Apache-2.0
// The recorded requests of tests/data/recordings/, replayed in order against nangod: each answer must
// be the recorded one, by shape and value. Left-out entries and on-purpose differences are in
// replay/tables.mjs, by name, with their reasons.
//
// Runs with the daemon's own catalogue, and once more with the reference catalogue where one is found
// (shared/data/providers.yaml beside the checkout, or $NANGO_SHARED): it is not ours to ship.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Overlay } from './lib/catalogue.mjs';
import { Daemon, logged } from './lib/daemon.mjs';
import { Echo } from './lib/echo.mjs';
import { request } from './lib/http.mjs';
import { areas, before as steps, extraProviders, rewrite, sessionToken, setup } from './replay/areas.mjs';
import { differences } from './replay/compare.mjs';
import { differing, skipped } from './replay/tables.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const shared = process.env.NANGO_SHARED ?? path.join(here, '../../../shared');
const reference = path.join(shared, 'data/providers.yaml');

// The recorder used a client of this release; the answer of one route depends on it.
const userAgent = 'nango-node-client/0.71.4 (linux/6; node.js/20)';
const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' });

const read = (area) => JSON.parse(fs.readFileSync(path.join(here, `../data/recordings/${area}.json`), 'utf8'));

// Everything one recordings file is replayed with.
class Stage {
  constructor(area, nangod, echo, facts) {
    Object.assign(this, { area, nangod, echo, facts, sessions: {}, lastConnection: undefined, cursors: {} });
  }

  async recording(area) {
    return read(area);
  }

  async must(status, method, target, body, headers) {
    return this.nangod.must(status, method, target, { body, headers: { 'User-Agent': userAgent, ...headers } });
  }

  // Fills what is known of the placeholders into a recorded value.
  fill(value, name) {
    if (Array.isArray(value)) return value.map((element) => this.fill(element, name));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.fill(member, name)]));
    if (typeof value !== 'string') return value;
    return value
      .replaceAll('<SECRET>', this.nangod.keys.secretKey)
      .replaceAll('<ECHO>', this.echo.base)
      .replaceAll('<ECHO-HOST>', this.echo.host)
      .replaceAll('<ECHO-PORT>', String(this.echo.port))
      .replaceAll('<HOST>', this.nangod.base)
      .replaceAll('http%3A%2F%2Flocalhost%3A3103', encodeURIComponent(this.nangod.base))
      .replaceAll('<environment-uuid>', this.nangod.keys.uuid)
      .replaceAll('<RSA private key PEM>', pem);
  }

  // Those that only a request can carry.
  fillRequest(value, name) {
    if (value === '<id>') return 12;
    if (Array.isArray(value)) return value.map((element) => this.fillRequest(element, name));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.fillRequest(member, name)]));
    if (typeof value !== 'string') return value;
    // Code and its source are left out of recordings, but for the one that was asked back.
    if (value === '<script>') return 'exports.default = async () => {};';
    if (value === '<source>') return '// a';
    let text = this.fill(value, name);
    if (text.includes('<session-token>')) text = text.replaceAll('<session-token>', sessionToken(this, this.area, name));
    return text
      .replaceAll('<uuid>', this.lastConnection ?? '11111111-1111-4111-8111-111111111111')
      .replaceAll('<timestamp ms Z>', new Date().toISOString())
      .replace(/<(\d+) characters in all>/, (_, length) => 'a'.repeat(Number(length) - value.indexOf('<')));
  }

  send(entry) {
    const { method, path: target, headers, body } = entry.request;
    const change = rewrite[this.area]?.[entry.name] ?? {};
    const more = typeof change === 'function' ? change(this) : change;
    const filled = more.body ?? this.fillRequest(body, entry.name);
    const bytes = filled?.base64 !== undefined ? Buffer.from(filled.base64, 'base64') : filled;
    return request(this.nangod.base, method, more.path ?? encodeTarget(this.fillRequest(target, entry.name)), {
      headers: { 'User-Agent': userAgent, ...this.fillRequest(headers, entry.name), ...more.headers },
      // A recorded text was sent as it stands, even under a JSON content type.
      body: typeof bytes === 'object' && !Buffer.isBuffer(bytes) ? JSON.stringify(bytes) : bytes,
    });
  }

  // All differences between an answer and what was recorded.
  judge(entry, answer) {
    const found = [];
    const { status, headers, body } = entry.response;
    if (answer.status !== status) found.push(`status: expected ${status}, got ${answer.status}`);
    for (const name of ['content-type', 'location', 'x-request-id', 'x-correlation-id', 'content-disposition']) {
      if (headers[name] === undefined) continue;
      const proxied = this.area === 'proxy' && name === 'content-type' && typeof body?.error !== 'object';
      // Behind the proxy the type is the provider's own, parameters included.
      const cut = (text) => (proxied ? text?.split(';')[0] : text);
      const wrong = differences(cut(this.fill(headers[name])), cut(answer.headers[name]) ?? '', {}, `header ${name}`);
      found.push(...wrong);
    }
    const got = body?.base64 !== undefined ? { base64: answer.raw.toString('base64') } : answer.body;
    found.push(...differences(this.expected(entry), this.seen(got), { trimmed: entry.trimmed, partial: entry.trimmed }));
    return found;
  }

  expected(entry) {
    return this.fill(withoutLibrary(entry.response.body));
  }

  seen(body) {
    return withoutLibrary(body);
  }
}

// What an HTTP library says of itself in an echoed request is nobody's contract.
function withoutLibrary(body) {
  if (!body?.headers || typeof body.url !== 'string') return body;
  const headers = { ...body.headers };
  for (const name of ['accept-encoding', 'connection', 'content-length', 'transfer-encoding']) delete headers[name];
  if (!/^mine/.test(headers['user-agent'] ?? '')) delete headers['user-agent'];
  return { ...body, headers };
}

// Recorded paths hold a few characters that a request line must not.
const encodeTarget = (target) => target.replace(/[ "<>^`|\\]/g, (c) => encodeURIComponent(c));

const rowFor = (table, area, entry) =>
  table.find((row) => (!row.area || row.area === area) && row.when(entry) && !row.except?.includes(entry.name));

function replay(title, settings, { facts }) {
  describe(title, () => {
    for (const area of areas) {
      describe(area, () => {
        let overlay;
        let nangod;
        let echo;
        let stage;

        before(async () => {
          echo = await Echo.start();
          overlay = new Overlay(extraProviders);
          nangod = await Daemon.start({
            settings: { 'outbound.allow_private': 'true', 'proxy.backoff_base_ms': '10', ...overlay.setting, ...settings },
          });
          stage = new Stage(area, nangod, echo, facts);
          await setup[area]?.(stage);
        });

        after(async () => {
          await nangod?.finish();
          await echo?.finish();
          overlay?.finish();
        });

        for (const entry of read(area)) {
          const left = rowFor(skipped, area, entry);
          const mine = rowFor(differing, area, entry);
          const factual = !facts && tellsFacts(area, entry);
          it(
            `${area}: ${entry.name}`,
            { skip: left?.why ?? (factual ? "the answer is the reference catalogue's entry" : false) },
            logged(() => nangod, async () => {
              await steps[area]?.[entry.name]?.(stage);
              const answer = await stage.send(entry);
              if (answer.body?.data?.token) stage.sessions[entry.name] = answer.body.data.token;
              if (answer.body?.connectionId) stage.lastConnection = answer.body.connectionId;
              if (answer.body?.statusUrl) stage.lastConnection = answer.body.id; // what <uuid> stands for next
              if (answer.body?.next_cursor) stage.cursor = answer.body.next_cursor;
              for (const { id, _nango_metadata: { cursor } } of answer.body?.records ?? []) stage.cursors[id] = cursor;
              const found = stage.judge(entry, answer);
              if (!mine) {
                assert.deepEqual(found, [], `${entry.request.method} ${entry.request.path}: ${answer.status} ${answer.text.slice(0, 300)}`);
                return;
              }
              assert.notDeepEqual(found, [], `listed as differing (${mine.why}), but it does not`);
              const { status, body, trimmed, whole = false } = typeof mine.ours === 'function' ? mine.ours(entry, stage) : mine.ours;
              assert.equal(answer.status, status, `${mine.why}: ${answer.text.slice(0, 300)}`);
              if (body !== undefined) {
                assert.deepEqual(differences(stage.fill(body), stage.seen(answer.body), { partial: !whole, trimmed }), [], mine.why);
              }
            }),
          );
        }
      });
    }
  });
}

// Answers that hold a catalogue entry whole.
function tellsFacts(area, entry) {
  if (/^legacy GET \/config\/:key with creds(, API_KEY)?$/.test(entry.name)) return true; // `docs` is a fact, too
  if (area === 'providers') return entry.response.status === 200 && /^(list|get|localised)/.test(entry.name) && entry.name !== 'list search none';
  return (area === 'errors' && entry.name === 'providers.json') || entry.name === 'provider by token';
}

replay("the daemon's own catalogue", {}, { facts: false });

if (fs.existsSync(reference)) {
  replay('the reference catalogue', { 'catalog.file': reference }, { facts: true });
} else {
  it('the reference catalogue', { skip: `not found: ${reference}` }, () => {});
}

describe('the tables of the replay', () => {
  for (const [name, table] of Object.entries({ skipped, differing })) {
    it(`${name}: every row names an entry`, () => {
      for (const row of table) {
        const hit = areas.some((area) => (!row.area || row.area === area) && read(area).some((entry) => row.when(entry) && !row.except?.includes(entry.name)));
        assert.ok(hit, row.why);
      }
    });
  }

  it('differing: every row is told to users, in the table of docs/api.md', () => {
    const text = fs.readFileSync(path.join(here, '../../docs/api.md'), 'utf8');
    const told = text.split('\n').filter((line) => /^\| .* \| .* \| .* \|$/.test(line)).map((line) => line.slice(2));
    for (const row of differing) assert.ok(row.noDoc ?? told.some((line) => line.startsWith(row.doc)), `docs/api.md has no row "${row.doc}": ${row.why}`);
  });
});
