// SPDX-License-Identifier: Apache-2.0
// Where webhooks go: answers as it is told, and keeps what came.

import { createHash, createHmac } from 'node:crypto';
import assert from 'node:assert/strict';

import { Webhook } from 'standardwebhooks';

import { listen, readAll } from './http.mjs';
import { until } from './wait.mjs';

export class Receiver {
  // `answer(got)`: a status, or {status, headers, body}; 0 breaks the connection off.
  static async start(answer = () => 200) {
    const receiver = new Receiver();
    receiver.answer = answer;
    receiver.got = [];
    receiver.server = await listen(async (req, res) => {
      const raw = await readAll(req);
      const got = { path: req.url, headers: req.headers, raw, at: Date.now(), body: JSON.parse(raw) };
      const told = await receiver.answer(got);
      const { status, headers = {}, body = 'ok' } = typeof told === 'number' ? { status: told } : told;
      got.status = status;
      receiver.got.push(got);
      if (status === 0) return res.destroy();
      res.writeHead(status, headers).end(body);
    });
    receiver.url = `${receiver.server.base}/hook`;
    return receiver;
  }

  // The first that is so, and was not given before.
  async next(what, is = () => true) {
    const found = await until(what, () => this.got.find((got) => !got.seen && is(got)));
    found.seen = true;
    return found;
  }

  finish() {
    return this.server.close();
  }
}

// All three signatures, by the packages that receivers use.
export function verify({ raw, headers, body }, key, nango) {
  assert.equal(headers['x-nango-signature'], createHash('sha256').update(key + raw).digest('hex'));
  assert.equal(headers['x-nango-hmac-sha256'], createHmac('sha256', key).update(raw).digest('hex'));
  if (nango?.verifyIncomingWebhookRequest) assert.equal(nango.verifyIncomingWebhookRequest(raw.toString(), headers), true);
  if (nango?.verifyWebhookSignature) assert.equal(nango.verifyWebhookSignature(headers['x-nango-signature'], body), true);
  assert.deepEqual(new Webhook(`whsec_${Buffer.from(key).toString('base64')}`).verify(raw.toString(), headers), body);
}
