// SPDX-License-Identifier: Apache-2.0
// libnango over TLS: whom it believes, and what it says when it does not. The server is Node's own,
// its certificates are made here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import { driveOnce, driverBinary } from './lib/driver.mjs';

const dir = mkdtempSync(path.join(os.tmpdir(), 'sdk-tls-'));
const at = (name) => path.join(dir, name);
const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
const body = JSON.stringify({ data: { name: 'github', display_name: 'GitHub' } });
const encodings = { br: brotliCompressSync, gzip: gzipSync, deflate: deflateSync };

// A certificate for `host`, by the authority `by`.
function certificate(name, host, by) {
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${host}`);
  writeFileSync(at(`${name}.ext`), `subjectAltName=DNS:${host}\n`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', '2', '-out', `${name}.pem`, '-extfile', `${name}.ext`);
}

function authority(name) {
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
}

describe('libnango over TLS', { skip: !existsSync(driverBinary), timeout: 120_000 }, () => {
  const servers = [];
  const ports = {};
  let accepted;
  let encoding;

  function serve(name) {
    const server = https.createServer({ key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) }, (req, res) => {
      accepted = req.headers['accept-encoding'];
      const packed = encoding ? encodings[encoding](body) : Buffer.from(body);
      res.writeHead(200, { 'content-type': 'application/json', ...(encoding && { 'content-encoding': encoding }) });
      res.end(packed);
    });
    servers.push(server);
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        ports[name] = server.address().port;
        resolve();
      });
    });
  }

  before(async () => {
    authority('ours');
    authority('another');
    certificate('right', 'localhost', 'ours');
    certificate('wrong-host', 'example.com', 'ours');
    writeFileSync(at('none.pem'), 'this is no certificate\n');
    await Promise.all([serve('right'), serve('wrong-host')]);
  });
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(dir, { recursive: true });
  });

  const ask = async (name, caFile) => {
    const [answer] = await driveOnce({ key: 'k', host: `https://localhost:${ports[name]}`, caFile }, 'getProvider', { provider: 'github' });
    return answer;
  };

  it('believes the authorities of ca_file', async () => {
    const answer = await ask('right', at('ours.pem'));
    assert.equal(answer.code, 'NANGO_OK', answer.message);
  });
  for (const [what, server, ca, words] of [
    ['who signed for himself', 'right', undefined, /certificate/],
    ['whom another authority signed for', 'right', 'another.pem', /certificate/],
    ['who has the certificate of another host', 'wrong-host', 'ours.pem', /localhost|name/],
    ['when ca_file is not there', 'right', 'nowhere.pem', /nowhere\.pem|CA|certificate/],
    ['when ca_file holds none', 'right', 'none.pem', /none\.pem|CA|certificate/],
  ]) {
    it(`does not believe a server ${what}`, async () => {
      const answer = await ask(server, ca && at(ca));
      assert.equal(answer.code, 'NANGO_E_TLS', JSON.stringify(answer));
      assert.match(answer.message, words);
    });
  }

  for (const name of Object.keys(encodings)) {
    it(`reads an answer in ${name}, which it asks for`, async () => {
      encoding = name;
      const answer = await ask('right', at('ours.pem'));
      encoding = undefined;
      assert.equal(answer.code, 'NANGO_OK', answer.message);
      assert.equal(answer.result.data.display_name, 'GitHub');
      assert.ok(accepted.split(', ').includes(name), accepted);
    });
  }
});
