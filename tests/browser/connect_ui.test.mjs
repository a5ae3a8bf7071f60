// SPDX-License-Identifier: Apache-2.0
// The Connect UI in a real browser, against a real daemon: on its own, and in the frame of the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';

import { World } from '../api/lib/world.mjs';
import { application, launch, shot } from './ui/stage.mjs';

let world, browser, app;

before(async () => {
  world = await World.start({ integrations: { oauth: 'test-oauth', key: 'test-key', verified: 'test-key-verified', basic: 'test-basic', none: 'test-none', anywhere: 'test-key-anywhere', second: 'test-key' } });
  browser = await launch();
  app = await application();
});
after(async () => {
  await browser?.close();
  await app?.close();
  await world?.finish();
});

const newSession = async (...allowed) =>
  (await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'ann' }, ...(allowed.length && { allowed_integrations: allowed }) } })).data;

// A page whose browser reports no fault, such as a breach of the content security policy.
async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 900, height: 760 }, locale: 'en-US', ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && page.faults.push(message.text()));
  await page.goto(url);
  return page;
}
async function finish(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}
const connection = async (id, key) => (await world.get(key, id)).body;

test('connect_link: a list that can be searched, a form that judges, a connection', async () => {
  const page = await open((await newSession()).connect_link);
  await page.getByRole('dialog', { name: 'Connect an account' }).waitFor();
  await page.getByRole('heading', { name: 'Choose what to connect' }).waitFor();
  await shot(page, 'list');
  await page.getByRole('searchbox', { name: 'Search' }).fill('nothing like it');
  await page.getByText('Nothing matches.').waitFor();
  await page.getByRole('searchbox').fill('basic');
  await page.getByRole('listitem').getByRole('button').click();
  await page.getByRole('heading', { name: /^Connect / }).waitFor();
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByText('Please fill this in.').first().waitFor();
  assert.equal(await page.getByLabel('User name').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByLabel('User name').evaluate((input) => input === document.activeElement), true);
  assert.equal(await page.getByLabel('Password').getAttribute('type'), 'password');
  await shot(page, 'form-faults');
  await page.getByLabel('User name').fill('ann');
  await page.getByLabel('Password').fill('secret');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Connected' }).waitFor();
  await shot(page, 'success');
  const { connections } = await world.nangod.must(200, 'GET', '/connections?endUserId=ann');
  const made = connections.find((one) => one.provider_config_key === 'basic');
  assert.deepEqual([(await connection(made.connection_id, 'basic')).credentials.username], ['ann']);
  await finish(page);
});

test('light, dark and German', async () => {
  for (const [name, query, button] of [['form-light', '&theme=light', 'Connect'], ['form-dark', '&theme=dark', 'Connect'], ['form-german', '&theme=light&lang=de', 'Verbinden']]) {
    const page = await open(`${(await newSession('basic')).connect_link}${query}`);
    await page.getByRole('button', { name: button, exact: true }).waitFor();
    await shot(page, name);
    await finish(page);
  }
});

test('a refused credential is told in words, and can be put right', async () => {
  const page = await open((await newSession('verified')).connect_link);
  await page.getByLabel(/API key/i).fill('wrong');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('alert').getByText('The credentials were not accepted.').waitFor();
  await shot(page, 'error');
  await page.getByLabel(/API key/i).fill([...world.echo.goodKeys][0]);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'Connected' }).waitFor();
  await finish(page);
});

test('a session that is over is told', async () => {
  const page = await open(`${world.nangod.base}/connect?session_token=nango_connect_session_${'0'.repeat(64)}`);
  await page.getByRole('alert').getByText('This link has expired.').waitFor();
  await shot(page, 'expired');
  await finish(page);
});

test('the official client opens it, gives the token, hears of the connection, and Escape closes it', async () => {
  const { token } = await newSession('key');
  const page = await open(`${app.base}/?${new URLSearchParams({ api: world.nangod.base, token, lang: 'fr' })}`);
  const frame = page.frameLocator('#connect-ui');
  await frame.getByLabel(/^(API key|Clé d’API)/i).fill('k');
  await shot(page, 'frame-french');
  await frame.getByRole('button', { name: 'Connecter', exact: true }).click();
  await frame.getByRole('heading', { name: 'Connecté' }).waitFor();
  await page.waitForFunction(() => window.events.some(({ type }) => type === 'connect'));
  const event = (await page.evaluate(() => window.events)).find(({ type }) => type === 'connect');
  assert.equal(event.payload.providerConfigKey, 'key');
  assert.ok((await connection(event.payload.connectionId, 'key')).id);
  await frame.getByRole('button', { name: 'Terminer' }).focus();
  await page.keyboard.press('Escape');
  await page.locator('#connect-ui').waitFor({ state: 'detached' });
  await finish(page);
});

test('OAuth 2 in a window', async () => {
  const page = await open((await newSession('oauth')).connect_link);
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  const popup = await opened;
  await popup.locator('input[name=login]').fill('ann');
  await popup.locator('input[name=password]').fill('any');
  await popup.locator('[type=submit]').click();
  await popup.getByRole('button', { name: /continue/i }).click();
  await page.getByRole('heading', { name: 'Connected' }).waitFor();
  await finish(page);
});

for (const detects of [false, true])
  test(`a sign-in window that is closed: ${detects ? 'seen' : 'cancelled'}`, async () => {
    const page = await open(`${(await newSession('oauth')).connect_link}&detectClosedAuthWindow=${detects}`);
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    const popup = await opened;
    await popup.locator('input[name=login]').waitFor();
    await shot(page, 'waiting');
    if (detects) await popup.close();
    else await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('alert').getByText('The sign-in window was closed before the end.').waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await finish(page);
  });

test('the focus stays in the dialog', async () => {
  const page = await open((await newSession('basic')).connect_link);
  await page.getByRole('heading', { name: /^Connect / }).waitFor();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.closest('[role=dialog]') !== null), true);
  }
  await finish(page);
});

test('files: small, compressed, cached for good but for the page, under a strict policy', async () => {
  const answer = await fetch(`${world.nangod.base}/connect/`);
  const html = await answer.text();
  assert.match(answer.headers.get('content-security-policy'), /script-src 'self'; style-src 'self'/);
  assert.equal((await fetch(`${world.nangod.base}/connect/`, { headers: { 'If-None-Match': answer.headers.get('etag') } })).status, 304);
  const moved = await fetch(`${world.nangod.base}/connect?session_token=x`, { redirect: 'manual' });
  assert.deepEqual([moved.status, moved.headers.get('location')], [308, 'connect/?session_token=x']);
  let size = zlib.gzipSync(html).length;
  const names = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name);
  assert.equal(names.length, 2);
  for (const name of names) {
    const bodies = [];
    for (const coding of ['identity', 'gzip', 'br', 'br;q=0']) {
      const file = await fetch(`${world.nangod.base}/connect/${name}`, { headers: { 'Accept-Encoding': coding } });
      assert.equal(file.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.equal(file.headers.get('content-encoding'), { gzip: 'gzip', br: 'br' }[coding] ?? null);
      bodies.push(await file.text());
    }
    assert.equal(new Set(bodies).size, 1);
    size += zlib.gzipSync(bodies[0]).length;
  }
  assert.ok(size < 60 * 1024, `${size} bytes`);
  assert.equal((await fetch(`${world.nangod.base}/connect/assets/none.js`)).status, 404);
});
