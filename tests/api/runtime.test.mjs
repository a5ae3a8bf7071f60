// SPDX-License-Identifier: Apache-2.0
// What scripts know from Node does as in Node: each piece of code runs in an action and here, and gives
// the same JSON. Under the sanitizers this is what shakes the functions that the runner has in C.

import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';

import { Daemon, logged } from './lib/daemon.mjs';
import { action, deploy, dryrun } from './lib/scripts.mjs';

const key = 'one';
const require = createRequire(import.meta.url);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });

// A ZIP archive with two files: one deflated, one as it is.
function archive() {
  const local = [];
  const central = [];
  let at = 0;
  for (const [name, text, method] of [['a.txt', 'hello '.repeat(50), 8], ['b.txt', 'plain', 0]]) {
    const data = method === 8 ? deflateRawSync(text) : Buffer.from(text);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(method, 4);
    head.writeUInt32LE(crc32(text), 10);
    head.writeUInt32LE(data.length, 14);
    head.writeUInt32LE(text.length, 18);
    head.writeUInt16LE(name.length, 22);
    const where = Buffer.alloc(14);
    where.writeUInt32LE(at, 10);
    const entry = [Buffer.from('PK\x03\x04'), head, Buffer.from(name), data];
    local.push(...entry);
    central.push(Buffer.from('PK\x01\x02\x14\x00'), head, where, Buffer.from(name));
    at += Buffer.concat(entry).length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(2, 4);
  end.writeUInt16LE(2, 6);
  end.writeUInt32LE(Buffer.concat(central).length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...local, ...central, Buffer.from('PK\x05\x06'), end]);
}

function crc32(text) {
  let crc = ~0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const input = {
  rsa,
  ed: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
  sealed: createPrivateKey(rsa).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'p' }),
  archive: archive().toString('base64'),
};

// `tried` makes of each call its value, or that it threw.
const TRIED = `
const tried = (...calls) => calls.map((call) => {
  try {
    const value = call();
    return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') : value ?? null;
  } catch (error) {
    return 'threw ' + error.constructor.name.replace(/^(Type|Range)?Error$/, 'Error');
  }
});
`;

const cases = {
  'digests of every name and size': `
    const out = [];
    for (const name of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-256', 'ripemd160', 'RSA-SHA256', 'none', ''])
      for (const size of [0, 1, 55, 56, 63, 64, 65, 127, 128, 4096])
        out.push(...tried(() => crypto.createHash(name).update(Buffer.alloc(size, 7)).digest('hex'), () => crypto.createHmac(name, Buffer.alloc(size, 9)).update('x').digest('base64')));
    return out;`,
  'keys derived': `
    return tried(
      () => crypto.pbkdf2Sync('pass', 'salt', 1000, 32, 'sha256'), () => crypto.pbkdf2Sync('', '', 1, 0, 'sha1'), () => crypto.pbkdf2Sync('p', 's', 0, 8, 'sha1'),
      () => crypto.pbkdf2Sync('p', 's', -1, 8, 'sha1'), () => crypto.pbkdf2Sync('p', 's', 1, -8, 'sha1'), () => crypto.pbkdf2Sync('p', 's', 1, 64, 'no'));`,
  'signatures': `
    return tried(
      () => crypto.createSign('RSA-SHA256').update('text').sign(input.rsa, 'base64'), () => crypto.sign(null, Buffer.from('text'), input.ed), () => crypto.sign('sha1', Buffer.from(''), input.rsa),
      () => crypto.createSign('sha256').update('x').sign('no key'), () => crypto.createSign('sha256').update('x').sign(input.sealed), () => crypto.createSign('sha256').update('x').sign(''));`,
  'randomness as much as asked for': `
    return tried(() => crypto.randomBytes(0).length, () => crypto.randomBytes(65536).length, () => crypto.randomBytes(-1), () => crypto.randomBytes(NaN), () => crypto.randomUUID().length, () => crypto.randomInt(5, 6));`,
  'bytes of text, in every encoding': `
    const texts = ['', 'a', 'é', '\\u0000', '€uro', '\\ud83f\\ude00', '\\ud83f', '\\ude00x', 'a\\ud83fb', '\\uffff', 'x'.repeat(8193), '\\ud83f\\ude00'.repeat(4096)];
    const out = [];
    for (const text of texts) for (const encoding of ['utf8', 'latin1', 'utf16le', 'base64', 'base64url', 'hex', 'ascii'])
      out.push([encoding, text.slice(0, 4), crypto.createHash('md5').update(Buffer.from(text, encoding)).digest('hex')]);
    return out;`,
  'text of bytes, also where they are none': `
    const bytes = ['', 'c3', 'c3a9', 'e282ac', 'e282', 'e2', 'f09f9880', 'f09f98', 'f09f', 'f0', 'eda080', 'c080', 'f5808080', 'f4908080', '80', 'ff41ff', '00', '4100', 'efbbbf41', 'e28241', 'f08080', 'f0908041'];
    const out = [];
    for (const hex of bytes) for (const encoding of ['utf8', 'latin1', 'utf16le', 'base64', 'base64url', 'hex', 'ascii'])
      out.push(Array.from(Buffer.from(hex, 'hex').toString(encoding), (c) => c.codePointAt(0)));
    return out;`,
  'base64 in all its spellings': `
    return ['', '=', 'A', 'AA', 'AAA', 'AAAA', 'AAAA=', 'AA==AA', 'A A\\nA A', '+/-_', '++--', 'Zm9v!YmFy', 'Zg==', 'Zg', 'Zm8=', 'x'.repeat(1001)].map((text) => Buffer.from(text, 'base64').toString('hex'));`,
  'views into a larger buffer': `
    const whole = new Uint8Array(64).map((_, i) => 3 * i);
    const parts = [whole.subarray(7, 21), new Uint16Array(whole.buffer, 4, 6), new DataView(whole.buffer, 9, 11), new Float64Array(whole.buffer, 8, 2), whole.subarray(64), whole.buffer];
    return [...tried(...parts.map((part) => () => crypto.createHash('sha1').update(part instanceof ArrayBuffer ? Buffer.from(part) : part).digest('hex'))),
      ...tried(() => new TextDecoder().decode(parts[0]), () => new TextDecoder().decode(parts[1]), () => new TextDecoder().decode(parts[2]), () => new TextDecoder().decode(whole.buffer))];`,
  'numbers in a buffer, and beside it': `
    const bytes = Buffer.from('0102030405060708f0f1f2f3f4f5f6f7', 'hex');
    return tried(() => bytes.readUInt32LE(1), () => bytes.readInt16BE(8), () => bytes.readDoubleBE(8), () => String(bytes.readBigUInt64LE(8)), () => bytes.readUInt32LE(13), () => bytes.readInt8(16),
      () => bytes.subarray(4, 2).length, () => bytes.subarray(-4).toString('hex'), () => bytes.toString('hex', 3, 99), () => bytes.indexOf(0xf0), () => bytes.fill('ab', 3, 9), () => bytes.copy(bytes, 2, 0, 5));`,
  'an archive, and damaged ones': `
    const archive = Buffer.from(input.archive, 'base64');
    return Promise.all([archive, archive.subarray(0, 40), archive.subarray(10), Buffer.alloc(0), Buffer.concat([archive, Buffer.from('comment')]), Buffer.from(archive).fill(255, 33, 45)].map(async (bytes) => {
      try {
        const { files } = await unzipper.Open.buffer(bytes);
        return await Promise.all(files.map(async (file) => [file.path, (await file.buffer()).toString()]));
      } catch { return 'threw'; }
    }));`,
};

describe('in an action as in Node', () => {
  let nangod;

  before(async () => {
    nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true', 'scripts.cpu_s': '30' } });
    await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: key } });
    await nangod.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
  });
  after(() => nangod?.finish());

  const test = (name, body) => it(name, logged(() => nangod, body));
  async function inAction(text) {
    const js = `const crypto = require('crypto'); const unzipper = require('unzipper'); ${TRIED} exports.default = async (nango, input) => { ${text} };`;
    await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([action(key, 'runs', { fileBody: { js, ts: '//' } })]) });
    return nangod.must(200, 'POST', '/action/trigger', { body: { action_name: 'runs', input }, headers: { 'Provider-Config-Key': key, 'Connection-Id': 'c' } });
  }
  const here = (text) => new Function('crypto', 'unzipper', 'input', `${TRIED} return (async () => { ${text} })();`)(require('crypto'), require('unzipper'), input);

  for (const [name, text] of Object.entries(cases)) {
    test(name, async () => assert.deepEqual(await inAction(text), JSON.parse(JSON.stringify(await here(text)))));
  }

  test('a buffer that shrinks while it is used', async () => {
    const out = await inAction(`
      const shrinking = new ArrayBuffer(1 << 20, { maxByteLength: 1 << 20 });
      const rounds = { valueOf() { shrinking.resize?.(0); return 1; } };
      return tried(() => crypto.pbkdf2Sync(new Uint8Array(shrinking), 's', rounds, 8, 'sha1'));`);
    assert.equal(out.length, 1);
  });

  test('a key with a password: nobody is asked for it', async () => {
    const sign = `exports.default = () => require('crypto').createSign('sha256').update('x').sign(${JSON.stringify(input.sealed)}, 'hex');`;
    const { status, error } = await dryrun(sign, { input: 'p\n' });
    assert.equal(status, 'error');
    assert.match(error.message, /^The private key cannot be read/);
  });
});
