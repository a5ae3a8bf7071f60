// SPDX-License-Identifier: Apache-2.0
// A raw client: writes the bytes it is told to, and notes what comes back.

import net from 'node:net';

import { deferred, inTime } from './wait.mjs';

export class RawClient {
  static async open(port) {
    const client = new RawClient();
    client.text = '';
    client.closed = deferred();
    client.answered = deferred();
    client.socket = net.connect(port, '127.0.0.1');
    client.socket.on('data', (bytes) => {
      client.text += bytes.toString('latin1');
      if (/\r\n\r\n/.test(client.text)) client.answered.resolve();
    });
    client.socket.on('error', () => {}); // a reset is a close
    client.socket.on('close', () => {
      client.closed.resolve();
      client.answered.resolve();
    });
    await new Promise((resolve, reject) => {
      client.socket.once('connect', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  write(bytes) {
    this.socket.write(bytes, 'latin1');
    return this;
  }

  // Statuses of all answers so far.
  get statuses() {
    return [...this.text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((m) => Number(m[1]));
  }

  async answer(within = 5000) {
    await inTime('an answer', this.answered.promise, within);
    return this.statuses[0];
  }

  close(within = 5000) {
    return inTime('the server to close', this.closed.promise, within);
  }

  finish() {
    this.socket.destroy();
  }
}

// One exchange that is to end with the server closing: {statuses, text}.
export async function exchange(port, bytes, { within = 5000 } = {}) {
  const client = await RawClient.open(port);
  try {
    client.write(bytes);
    await client.close(within);
    return { statuses: client.statuses, text: client.text };
  } finally {
    client.finish();
  }
}
