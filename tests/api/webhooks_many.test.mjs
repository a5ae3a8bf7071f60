// SPDX-License-Identifier: Apache-2.0
// Many webhooks to a receiver that fails one time in three: each gets there, when the schedule says, and
// nobody else could have signed it. SOAK=1: ten thousand of them.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { Daemon, logged } from './lib/daemon.mjs';
import { Receiver, verify } from './lib/receiver.mjs';
import { until } from './lib/wait.mjs';

const MANY = process.env.SOAK ? 10_000 : 400;
const AT_ONCE = 64;
const waits = [1, 2, 1, 1, 1, 1]; // seconds
const LATE = 20_000; // of a machine that does other things as well

let nangod;
let receiver;
before(async () => {
  nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true', 'webhooks.retry_waits': waits.map((s) => `${s}s`).join(' ') } });
  receiver = await Receiver.start();
});
after(async () => {
  await nangod?.finish();
  await receiver?.finish();
});

// By message, in the order of their coming.
function messages(all) {
  const by = new Map();
  for (const got of all) {
    const id = got.headers['webhook-id'];
    by.set(id, [...(by.get(id) ?? []), got]);
  }
  return [...by.values()];
}
const inState = async (state) => (await nangod.must(200, 'GET', `/webhooks/deliveries?state=${state}`)).data;

it(`${MANY} webhooks are delivered to a receiver that fails one time in three`, { timeout: 600_000 }, logged(() => nangod, async (t) => {
  const tried = new Map(); // message → attempts
  const fails = (id, n) => n < waits.length && createHash('md5').update(`${id} ${n}`).digest()[0] % 3 === 0;
  receiver.answer = ({ headers }) => {
    const id = headers['webhook-id'];
    const n = tried.get(id) ?? 0;
    tried.set(id, n + 1);
    return fails(id, n) ? [500, 503, 0][n % 3] : 200;
  };
  const Nango = await loadClient('0.71.10');
  const nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
  const verifier = { verifyIncomingWebhookRequest: nango.verifyIncomingWebhookRequest.bind(nango) }; // the other one warns each time
  await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
  await nangod.must(200, 'PATCH', '/environment/webhooks', { body: { primary_url: receiver.url } });
  let made = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let n = made++; n < MANY; n = made++)
      await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: `c${n}`, credentials: { type: 'API_KEY', apiKey: 'k' } } });
  }));
  const delivered = () => new Set(receiver.got.filter(({ status }) => status === 200).map(({ body }) => body.connectionId));
  await until('all of them', () => receiver.got.length >= MANY && delivered().size === MANY, { within: 300_000, every: 100 });
  const sent = messages(receiver.got);
  assert.equal(sent.length, MANY, 'one message for each');
  let late = 0;
  for (const attempts of sent)
    for (const [i, got] of attempts.entries()) {
      assert.equal(got.status === 200, i === attempts.length - 1, 'none after it was taken');
      verify(got, nangod.keys.secretKey, verifier);
      const over = i === 0 ? 0 : got.at - attempts[i - 1].at - waits[i - 1] * 1000;
      assert.ok(over > -20, `attempt ${i + 1} came ${-over} ms too early`);
      late = Math.max(late, over);
    }
  assert.ok(late < LATE, `an attempt came ${late} ms too late`);
  await until('the store to know it', async () => (await inState('waiting')).length + (await inState('sending')).length === 0);
  assert.deepEqual(await inState('dead'), []);
  t.diagnostic(`${receiver.got.length} attempts, the latest ${late} ms after its time`);
}));
