// SPDX-License-Identifier: Apache-2.0
// The same as sdk_get.c, by the official client.
//
//   node sdk_get.mjs HOST KEY SECONDS IN_FLIGHT
import fs from 'node:fs';
import http from 'node:http';

import { Nango } from '../tests/api/node_modules/nango-0.71.10/dist/index.js';

const [host, apiKey, seconds, inFlight] = process.argv.slice(2);
// Kept connections, as the C library keeps them; the client does so by itself for https only.
http.globalAgent = new http.Agent({ keepAlive: true });
const nango = new Nango({ host, apiKey });
const began = process.hrtime.bigint();
const cpu = process.cpuUsage();
const until = Date.now() + Number(seconds) * 1000;
let calls = 0;
let failures = 0;

async function work() {
  while (Date.now() < until) {
    try {
      const connection = await nango.getConnection('bench', 'c1');
      if (connection.credentials.access_token.length !== 400) failures++;
    } catch {
      failures++;
    }
    calls++;
  }
}

await Promise.all(Array.from({ length: Number(inFlight) }, work));
const used = process.cpuUsage(cpu);
const status = fs.readFileSync('/proc/self/status', 'utf8');
const kb = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]);
console.log(JSON.stringify({
  calls,
  failures,
  seconds: Number(process.hrtime.bigint() - began) / 1e9,
  cpu: (used.user + used.system) / 1e6,
  rss_kb: kb('VmHWM'),
  private_kb: kb('RssAnon'),
}));
