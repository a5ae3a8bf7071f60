// SPDX-License-Identifier: Apache-2.0
// Stands in front of a server, on TCP, and spoils its answers:
//
//   pass        hands everything on
//   cut         the first half of the answer, then the end of the connection
//   silent      takes the request and never answers
//   fail        the answer's status line and body replaced by a 503
//
// The request always reaches the server, but for `silent`.

import net from 'node:net';

const failure = '{"error":{"code":"server_down","message":"the server is down for a while"}}';

// Where a whole answer ends within `bytes`; -1 while it is not whole.
function endOf(bytes) {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return -1;
  const headers = bytes.subarray(0, head).toString('latin1');
  const length = /^content-length: *(\d+)/im.exec(headers);
  if (length) return bytes.length >= head + 4 + Number(length[1]) ? head + 4 + Number(length[1]) : -1;
  if (/^transfer-encoding: *chunked/im.test(headers)) {
    const end = bytes.indexOf('\r\n0\r\n\r\n', head);
    return end < 0 ? -1 : end + 7;
  }
  return head + 4;
}

export class Relay {
  // `port`: of the server that is asked.
  static async start(port) {
    const self = new Relay();
    self.port = port;
    self.mode = 'pass';
    self.requests = 0;
    self.sockets = new Set();
    self.server = net.createServer((socket) => self.take(socket));
    await new Promise((resolve, reject) => {
      self.server.once('error', reject);
      self.server.listen(0, '127.0.0.1', resolve);
    });
    self.base = `http://127.0.0.1:${self.server.address().port}`;
    return self;
  }

  take(socket) {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {}); // the client may leave when it likes
    const { mode } = this;
    this.requests++;
    if (mode === 'silent') {
      socket.resume();
      return;
    }
    const upstream = net.connect(this.port, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream, { end: false });
    if (mode === 'pass') {
      upstream.pipe(socket);
      return;
    }
    let answer = Buffer.alloc(0);
    upstream.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes]);
      const end = endOf(answer);
      if (end < 0) return;
      upstream.destroy();
      if (mode === 'cut') socket.end(answer.subarray(0, this.half(answer, end)));
      else socket.end(`HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 7\r\nContent-Length: ${failure.length}\r\n\r\n${failure}`);
    });
  }

  // Half of the body; of an answer without one, half of its head.
  half(answer, end) {
    const head = answer.indexOf('\r\n\r\n') + 4;
    return end > head ? head + ((end - head) >> 1) : head >> 1;
  }

  finish() {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

// An address where nobody listens: a free port, but of a loopback address that no test listens on, so
// that nobody takes the port meanwhile.
export async function nowhere() {
  const server = net.createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.9.8.7', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.9.8.7:${port}`;
}
