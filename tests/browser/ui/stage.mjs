// SPDX-License-Identifier: Apache-2.0
// A browser, and a page of an application that opens the Connect UI with the official client.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { listen } from '../../api/lib/http.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const clientDir = path.join(here, '../node_modules/nango-frontend-0.71.10/dist');

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

// CONNECT_UI_SHOTS=DIR keeps a picture of each screen.
export async function shot(page, name) {
  const dir = process.env.CONNECT_UI_SHOTS;
  if (dir) await page.screenshot({ path: path.join(dir, `${name}.png`) });
}

const html = `<!doctype html><title>An application</title><h1>An application</h1><script type="module">
import Nango from '/client/index.js';
const { api, token, lang } = Object.fromEntries(new URLSearchParams(location.search));
window.events = [];
const nango = new Nango({ host: api });
const ui = nango.openConnectUI({ baseURL: api + '/connect', apiURL: api, lang, onEvent: (event) => window.events.push(event) });
if (token) ui.setSessionToken(token);
</script>`;

export const application = () =>
  listen((req, res) => {
    const { pathname } = new URL(req.url, 'http://localhost');
    const isClient = pathname.startsWith('/client/');
    const file = path.join(clientDir, path.basename(pathname));
    if (isClient && !fs.existsSync(file)) return res.writeHead(404).end();
    res.writeHead(200, { 'Content-Type': isClient ? 'text/javascript' : 'text/html' });
    res.end(isClient ? fs.readFileSync(file) : html);
  });
