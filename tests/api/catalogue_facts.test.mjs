// SPDX-License-Identifier: Apache-2.0
// Our catalogue and the reference's say the same of every provider, field by field. What is compared
// are facts: addresses, parameters, headers, patterns, names. What people read is each one's own.
//
// Runs where the reference's providers.yaml is found (NANGO_SHARED, else ../shared beside the sources):
// it is not ours to ship.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Overlay } from './lib/catalogue.mjs';
import { Daemon, besideRun } from './lib/daemon.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const shared = process.env.NANGO_SHARED ?? path.resolve(root, '../shared');
const reference = path.join(shared, 'data/providers.yaml');

// Prose, links to somebody's own pages, hints that no program reads, and keys of ours that the
// reference does not know.
const ofEntry = ['docs', 'docs_connect', 'setup_guide_url', 'connection_configuration', 'auth', 'decode_url', 'pre_connection_creation_script', 'refresh_token_response_metadata', 'logo_url'];
const ofProxy = ['connection_config', 'rate_limit'];
const ofField = ['title', 'description', 'doc_section', 'warnings'];
const fieldMaps = ['connection_config', 'credentials', 'integration_config', 'assertion_option'];

const without = (object, names) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
function facts(entry) {
  const out = without(entry, ofEntry);
  if (out.proxy) out.proxy = without(out.proxy, ofProxy);
  for (const map of fieldMaps) {
    if (out[map]) out[map] = Object.fromEntries(Object.entries(out[map]).map(([name, field]) => [name, without(field, ofField)]));
  }
  for (const name of Object.keys(out)) if (out[name] === '') delete out[name]; // switched off
  return out;
}

async function resolved(settings) {
  const nangod = await Daemon.start({ settings });
  try {
    return await nangod.must(200, 'GET', '/providers.json', { key: null });
  } finally {
    await nangod.finish();
  }
}

describe('the catalogue', () => {
  it('has every provider of the reference, with the same facts', { skip: fs.existsSync(reference) ? false : `not found: ${reference}` }, async (t) => {
    const ours = await resolved({});
    const theirs = await resolved({ 'catalog.file': reference });
    const names = Object.keys(theirs).sort();
    assert.ok(names.length > 900);
    assert.deepEqual(names.filter((name) => !ours[name]), [], 'missing');
    const different = [];
    for (const name of names) {
      try {
        assert.deepEqual(facts(ours[name]), facts(theirs[name]));
      } catch (error) {
        different.push(`${name}: ${error.message}`);
      }
    }
    assert.equal(different.length, 0, `${different.length} differ\n${different.slice(0, 20).join('\n')}`);
    t.diagnostic(`${names.length} providers with the same facts`);
  });

  it('is listed and searched by nangoctl', async () => {
    const nangod = await Daemon.start({});
    try {
      const run = (...args) => besideRun('nangoctl', ['providers', ...args], { env: { NANGO_HOSTPORT: nangod.base, NANGO_SECRET_KEY: nangod.keys.secretKey } });
      const all = await run();
      assert.equal(all.code, 0, all.stderr);
      assert.ok(all.stdout.trim().split('\n').length > 900);
      assert.match((await run('GITHUB-APP')).stdout, /^github-app  APP  GitHub.*  .*dev-tools/);
      const rows = (await run('hub', '--mode', 'oauth2', '--category', 'crm', '--json')).stdout.trim().split('\n').map((line) => JSON.parse(line));
      assert.ok(rows.length > 0);
      for (const row of rows) {
        assert.match(`${row.name} ${row.display_name}`, /hub/i);
        assert.equal(row.auth_mode, 'OAUTH2');
        assert.ok(row.categories.includes('crm'));
      }
      const none = await run('no-such-thing');
      assert.deepEqual([none.code, none.stdout], [1, '']);
      assert.equal((await run('a', 'b')).code, 2);
    } finally {
      await nangod.finish();
    }
  });

  it('has a mark for each provider, that no script can hide in', async () => {
    const overlay = new Overlay(`evil:\n    display_name: "<script>alert(1)</script> & Co"\n    auth_mode: NONE\n    docs: https://example.com\n    proxy:\n        base_url: https://example.com\n`);
    const nangod = await Daemon.start({ settings: overlay.setting });
    try {
      const { data } = await nangod.must(200, 'GET', '/providers/github');
      const logo = (name) => nangod.api('GET', `/images/template-logos/${name}`, { key: null });
      assert.ok(data.logo_url.endsWith('/images/template-logos/github.svg'));
      const github = await logo('github.svg');
      assert.equal(github.status, 200);
      assert.equal(github.headers['content-type'], 'image/svg+xml');
      assert.match(github.text, /^<svg .*<title>GitHub.*<\/title>.*>G<?/);
      const evil = await logo('evil.svg');
      assert.doesNotMatch(evil.text, /<script/);
      assert.match(evil.text, /<title>&#60;script&#62;alert\(1\)&#60;\/script&#62; &#38; Co<\/title>/);
      for (const name of ['none.svg', 'github', '.svg', 'github.png', '..%2fgithub.svg']) assert.equal((await logo(name)).status, 404, name);
    } finally {
      await nangod.finish();
      overlay.finish();
    }
  });

  it('tells people what each field is', async () => {
    for (const [name, entry] of Object.entries(await resolved({}))) {
      assert.ok(entry.display_name, name);
      for (const map of fieldMaps) {
        for (const [field, spec] of Object.entries(entry[map] ?? {})) {
          if (spec.hidden || spec.automated) continue;
          assert.ok(spec.title && spec.description, `${name}: ${map}.${field} has no title or no description`);
        }
      }
    }
  });
});
