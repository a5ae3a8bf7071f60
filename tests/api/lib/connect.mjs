// SPDX-License-Identifier: Apache-2.0
// A person who connects: from the first address through the provider's login and consent pages to the
// callback. `stage` gives the world, which may start later than this is called.

import assert from 'node:assert/strict';

import { Browser } from './browser.mjs';

export function connecting(stage) {
  const connectUrl = (key, query) => `${stage().nangod.base}/oauth/connect/${key}?${new URLSearchParams(query)}`;
  const isCallback = (url) => url.startsWith(`${stage().nangod.base}/oauth/callback`);

  // Goes as far as the provider's consent page.
  async function reachConsent(browser, url, login = 'ann') {
    const page = await browser.open(url);
    assert.equal(page.status, 200, `${page.url}: ${page.text.slice(0, 300)}`);
    assert.ok(page.url.startsWith(stage().oauth.base), `at the provider, not ${page.url}`);
    return browser.submit(page, { login, password: 'any' });
  }

  // Consents, and gives the address of the callback without visiting it.
  async function consentUpToCallback(browser, url, login) {
    const consent = await reachConsent(browser, url, login);
    const answer = await browser.submit(consent, {}, { go: (next) => !isCallback(next) });
    assert.ok(isCallback(answer.next), `on the way to our callback, not ${answer.next}`);
    return answer.next;
  }

  // The whole way; the callback page.
  async function connect(key, query, { login, browser = new Browser() } = {}) {
    const callback = await consentUpToCallback(browser, connectUrl(key, query), login);
    return { page: await browser.visit(callback), callback, browser };
  }

  return { connectUrl, isCallback, reachConsent, consentUpToCallback, connect };
}
