// SPDX-License-Identifier: Apache-2.0
// Provider definitions of the tests, laid over the daemon's catalogue by `catalog.overlay_dir`.

import fs from 'node:fs';
import path from 'node:path';

import { scratch } from './daemon.mjs';

const text = (value) => JSON.stringify(value); // a JSON string is a YAML one

function entry(name, lines) {
  return `${name}:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

// The providers of these tests. `oauth` and `echo` are base URLs; what needs an absent one is left out.
export function testProviders({ oauth, echo }) {
  const common = (title) => [`display_name: ${text(title)}`, 'categories: [other]', 'docs: https://example.com/docs'];
  const parts = [];
  if (oauth) {
    const oauth2 = (token) => [
      'auth_mode: OAUTH2',
      `authorization_url: ${oauth}/auth`,
      'authorization_params:',
      '    prompt: consent',
      `token_url: ${oauth}${token}`,
      'default_scopes: [openid, offline_access, read]',
      'proxy:',
      `    base_url: ${oauth}/api`,
    ];
    parts.push(entry('test-oauth', [...common('Test OAuth'), ...oauth2('/token')]));
    // Forgives the loss of an answer; see lib/oauth.mjs.
    parts.push(entry('test-oauth-lax', [...common('Test OAuth, lax'), ...oauth2('/token-lax')]));
    parts.push(entry('test-oauth-header', [...common('Test OAuth, Basic'), ...oauth2('/token'), 'authorization_method: header']));
  }
  if (echo) {
    parts.push(entry('test-key', [
      ...common('Test Key'),
      'auth_mode: API_KEY',
      'proxy:',
      `    base_url: ${echo}`,
      '    headers:',
      '        x-api-key: ${apiKey}',
    ]));
    parts.push(entry('test-key-verified', [
      ...common('Test Key, verified'),
      'auth_mode: API_KEY',
      'proxy:',
      `    base_url: ${echo}`,
      '    headers:',
      '        authorization: Bearer ${apiKey}',
      '    verification:',
      '        method: GET',
      '        endpoints: [/verify/me]',
    ]));
    // Its check waits at /hold/NAME for as long as the test likes; NAME is the key.
    parts.push(entry('test-key-slow', [
      ...common('Test Key, slowly verified'),
      'auth_mode: API_KEY',
      'proxy:',
      `    base_url: ${echo}`,
      '    verification:',
      '        method: GET',
      '        endpoints: ["/hold/${apiKey}"]',
    ]));
    // Its check goes where the key says.
    parts.push(entry('test-key-anywhere', [
      ...common('Test Key, verified anywhere'),
      'auth_mode: API_KEY',
      'proxy:',
      `    base_url: ${echo}`,
      '    verification:',
      '        method: GET',
      '        endpoints: ["/${apiKey}"]',
    ]));
    parts.push(entry('test-oauth1', [
      ...common('Test OAuth 1'),
      'auth_mode: OAUTH1',
      'signature_method: HMAC-SHA1',
      `request_url: ${echo}/oauth1/request`,
      `authorization_url: ${echo}/oauth1/authorize`,
      `token_url: ${echo}/oauth1/access`,
      'proxy:',
      `    base_url: ${echo}`,
    ]));
    parts.push(entry('test-basic', [...common('Test Basic'), 'auth_mode: BASIC', 'proxy:', `    base_url: ${echo}`]));
    for (const [name, script] of [['routed', 'testWebhookRouting'], ['unrouted', "''"]]) {
      parts.push(entry(`test-key-${name}`, [...common(`Test Key, ${name}`), 'auth_mode: API_KEY', `webhook_routing_script: ${script}`, 'proxy:', `    base_url: ${echo}`]));
    }
    parts.push(entry('test-none', [...common('Test None'), 'auth_mode: NONE', 'proxy:', `    base_url: ${echo}`]));
  }
  return parts.join('');
}

// A directory holding one overlay file; write() replaces it as an editor would.
export class Overlay {
  constructor(yaml) {
    this.dir = scratch('nangod-overlay');
    this.file = path.join(this.dir, 'tests.yaml');
    this.write(yaml);
  }

  get setting() {
    return { 'catalog.overlay_dir': this.dir };
  }

  write(yaml) {
    fs.writeFileSync(`${this.file}.new`, yaml);
    fs.renameSync(`${this.file}.new`, this.file);
  }

  finish() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
