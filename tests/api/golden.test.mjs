// SPDX-License-Identifier: Apache-2.0
// What `nangod catalog explain` makes of each recorded case, compared with what the reference engine
// made of it: proxied requests, authorization URLs, token requests. All cases run where the
// reference's providers.yaml is found (NANGO_SHARED, else ../shared beside the sources); those whose
// entries are our own always run, on the daemon's own catalogue.
//
// Differences are listed by name with the reason, and our own result is asserted. A listed difference
// that is none any more fails.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { nangodRun } from './lib/daemon.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const shared = process.env.NANGO_SHARED ?? path.resolve(root, '../shared');
const reference = path.join(shared, 'data/providers.yaml');
const golden = (name) => path.join(root, 'tests/data/golden', `${name}.json`);

const plaintext = {
  why: 'PLAINTEXT means the secrets themselves (RFC 5849, 3.4.4), not an HMAC under that name',
  ours: (result) => assert.match(result.headers.authorization, /oauth_signature="cs-1%26os-1", oauth_signature_method="PLAINTEXT"/),
};
const refreshGrant = {
  why: 'refreshing says grant_type=refresh_token, whatever the exchange said',
  ours: (result) => assert.match(JSON.stringify(result.body), /refresh_token(=|\\?":\\?")rt-1/) ?? assert.match(JSON.stringify(result.body), /grant_type(=|\\?":\\?")refresh_token/),
};
const keepsQuery = {
  why: "the token URL's query is kept: the key that the provider asks for stands there",
  ours: (result) => assert.ok(new URL(result.url).search.length > 1),
};

const differing = {
  proxy: { smugmug: plaintext },
  authurl: {},
  token: {
    ...Object.fromEntries(
      ['ahrefs', 'aircall', 'battlenet', 'bigcommerce', 'bing-webmasters', 'bitly', 'checkr-partner', 'checkr-partner-staging', 'datto-rmm', 'eventbrite', 'grain', 'judgeme-oauth', 'payfit', 'survey-monkey', 'timely', 'vimeo', 'webflow', 'wordpress', 'microsoft-dynamics-365-finance-and-operations'].map((name) => [`${name} refresh`, refreshGrant]),
    ),
    'paycor exchange': keepsQuery,
    'paycor refresh': keepsQuery,
    'paycor-sandbox exchange': keepsQuery,
    'paycor-sandbox refresh': keepsQuery,
  },
};

// `skipped`: the reference did not record these.
const inScope = { proxy: () => true, authurl: () => true, token: (one) => one.result.skipped === undefined };
const key = (kind, one) => (kind === 'token' ? `${one.name} ${one.step}` : one.name);

const lower = (headers = {}) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
function urlParts(text) {
  const url = new URL(text);
  return { origin: url.origin, path: url.pathname, query: url.search.slice(1).split('&').sort(), hash: url.hash };
}
function body(value) {
  if (typeof value !== 'string') return value ?? null;
  try {
    return JSON.parse(value);
  } catch {
    return value.split('&').sort();
  }
}
function comparable(result) {
  if (result.error) return { error: result.error };
  const { url, headers, ...rest } = result;
  return { ...rest, url: urlParts(url), headers: lower(headers), ...(rest.body !== undefined && { body: body(rest.body) }) };
}

async function explain(kind, cases, catalogue) {
  const file = path.join(fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'golden-')), 'cases.json');
  fs.writeFileSync(file, JSON.stringify(cases));
  const { code, stdout, stderr } = await nangodRun(['catalog', 'explain', kind, file, '--frozen', ...catalogue]);
  fs.rmSync(path.dirname(file), { recursive: true });
  assert.equal(code, 0, stderr);
  return stdout.trim().split('\n').map((line) => JSON.parse(line).result);
}

const expected = (kind, one) => (kind === 'authurl' ? { url: one.url } : one.result);

async function judge(kind, cases, catalogue) {
  const results = await explain(kind, cases, catalogue);
  assert.equal(results.length, cases.length);
  let same = 0;
  cases.forEach((one, i) => {
    const listed = differing[kind][key(kind, one)];
    const want = comparable(expected(kind, one));
    const got = comparable(results[i]);
    if (!listed) {
      assert.deepEqual(got, want, `${kind} ${key(kind, one)}`);
      same += 1;
      return;
    }
    assert.notDeepEqual(got, want, `${key(kind, one)} is listed as differing (${listed.why}), but it does not`);
    listed.ours(results[i]);
  });
  return same;
}

describe('recorded results of the reference engine', () => {
  for (const kind of ['proxy', 'authurl', 'token']) {
    const cases = JSON.parse(fs.readFileSync(golden(kind))).filter(inScope[kind]);

    it(`${kind}: ${cases.length} cases on the reference catalogue`, { skip: fs.existsSync(reference) ? false : `not found: ${reference}` }, async (t) => {
      const same = await judge(kind, cases, ['--catalog', reference]);
      t.diagnostic(`${kind}: ${same} of ${cases.length} equal, ${cases.length - same} listed`);
    });

    it(`${kind}: the cases of our own entries`, async (t) => {
      const { stdout } = await nangodRun(['catalog', 'list', '--json']);
      const own = new Set(JSON.parse(stdout).map((row) => row.name));
      const known = cases.filter((one) => own.has(one.name));
      assert.ok(known.length > 20);
      const same = await judge(kind, known, []);
      t.diagnostic(`${kind}: ${same} of ${known.length} equal, ${known.length - same} listed`);
    });
  }
});
