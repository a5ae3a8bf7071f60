// SPDX-License-Identifier: Apache-2.0
// What scripts know from Node does as in Node: each piece of code runs in an action and here, and gives
// the same JSON; packages send the same requests besides. Under the sanitizers this is what shakes the functions
// that the runner has in C.

import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';

import { Daemon, logged } from './lib/daemon.mjs';
import { action, deploy, dryrun } from './lib/scripts.mjs';
import { SoapService } from './lib/soap.mjs';

const key = 'one';
const own = createRequire(import.meta.url);
// The packages that are in the runner, of the same version.
const packaged = createRequire(new URL('../../src/runner/js/package.json', import.meta.url));
const require = (name) => (['soap', 'botbuilder'].includes(name) ? packaged : own)(name);
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
const crypto = require('crypto');
const unzipper = require('unzipper');
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

// Packages, which call `input.base`.
const wsdl = "const soap = require('soap'); const client = await soap.createClientAsync(`${input.base}/service?wsdl`, { disableCache: true });";
const bot = `
const { ActionTypes, ActivityHandler, ActivityTypes, BotFrameworkAdapter, CardFactory, CloudAdapter, ConfigurationBotFrameworkAuthentication, MessageFactory, TeamsInfo, TestAdapter, TurnContext } = require('botbuilder');
const reference = { serviceUrl: input.base + '/bot', channelId: 'msteams', conversation: { id: 'conv', name: '', isGroup: false, conversationType: 'personal', tenantId: 't' }, bot: { id: 'bot', name: 'b' }, user: { id: 'u', name: 'n' } };`;
const packages = {
  'soap: its names': `const soap = require('soap'); return [Object.keys(soap).filter((name) => name !== 'default').sort(), Object.keys(soap.security).sort(), typeof (soap.default ?? soap).createClientAsync];`,
  'soap: a service is described, and called': `${wsdl}
    const [result, raw, header, request] = await client.GreetAsync({ name: 'é <x>', times: 2 });
    return [client.describe(), result, raw, header ?? null, request];`,
  'soap: from a text, at another address': `
    const soap = require('soap');
    const client = await soap.createClientAsync(input.wsdl, { endpoint: input.base + '/moved' });
    return (await client.GreetAsync({ name: 'a', times: 1 }))[0];`,
  'soap: with callbacks': `${wsdl} return new Promise((resolve, reject) => client.Greet({ name: 'b', times: 1 }, (error, result) => (error ? reject(error) : resolve(result))));`,
  'soap: security, headers, options': `${wsdl}
    client.addHttpHeader('Accept-Encoding', 'gzip, deflate');
    client.addSoapHeader({ Token: 't' }, '', 'h', 'urn:h');
    for (const security of [new soap.BasicAuthSecurity('u', 'p'), new soap.BearerSecurity('b'), new soap.WSSecurity('u', 'p', { hasTimeStamp: false, hasTokenCreated: false, hasNonce: false })]) {
      client.setSecurity(security);
      await client.GreetAsync({ name: 'c', times: 1 });
    }
    client.setEndpoint(input.base + '/elsewhere');
    await client.GreetAsync({ name: 'd', times: 1 }, { timeout: 5000 }, { 'X-More': '1' });
    const digest = new soap.WSSecurity('u', 'p', { passwordType: 'PasswordDigest' }).toXML();
    return [soap.passwordDigest('bm9uY2U=', '2020-01-01T00:00:00Z', 'p'), /#PasswordDigest">[A-Za-z0-9+/=]{28}</.test(digest), client.lastRequestHeaders?.Authorization ?? null];`,
  'soap: a fault is an error': `${wsdl}
    return client.GreetAsync({ name: 'fail', times: 1 }).then(() => 'no error', (error) => [error.message, error.root.Envelope.Body.Fault, error.response.status]);`,
  'soap: what is no description': `
    const soap = require('soap');
    const out = [];
    for (const path of ['/none', '/html', '/reset']) out.push(await soap.createClientAsync(input.base + path).then(() => 'no error', (error) => typeof error.message));
    return out;`,
  'botbuilder: its names': `return Object.keys(require('botbuilder')).filter((name) => name !== 'default').sort();`,
  'botbuilder: cards and messages': `${bot}
    const cards = [
      CardFactory.heroCard('title', 'text', ['http://x/y.png'], [{ type: ActionTypes.OpenUrl, title: 'go', value: 'http://x' }]), CardFactory.thumbnailCard('t', ['http://x/z.png'], ['yes', 'no']),
      CardFactory.adaptiveCard({ type: 'AdaptiveCard', version: '1.5', body: [] }), CardFactory.signinCard('in', 'http://x', 'text'), CardFactory.receiptCard({ title: 'r', items: [] }),
    ];
    return [cards, MessageFactory.text('a', 'b'), MessageFactory.list(cards), MessageFactory.carousel(cards), MessageFactory.suggestedActions(['x'], 'y'), MessageFactory.contentUrl('http://x/y.png', 'image/png'), ActivityTypes];`,
  'botbuilder: a conversation': `${bot}
    const said = [];
    const handler = new ActivityHandler().onMessage(async (context, next) => { await context.sendActivity('you said ' + context.activity.text); await next(); });
    const adapter = new TestAdapter((context) => handler.run(context));
    await adapter.send('hello').assertReply('you said hello');
    return TurnContext.getConversationReference({ id: 'i', channelId: 'c', serviceUrl: 's', from: { id: 'f' }, recipient: { id: 'r' }, conversation: { id: 'v' } });`,
  'botbuilder: messages to a channel': `${bot}
    const out = [];
    await new BotFrameworkAdapter({ appId: '', appPassword: '' }).continueConversation(reference, async (context) => {
      out.push(await context.sendActivity(MessageFactory.text('hi')), await TeamsInfo.getMembers(context));
    });
    await new CloudAdapter(new ConfigurationBotFrameworkAuthentication({})).continueConversationAsync('', reference, async (context) => {
      out.push(await context.sendActivity({ type: 'message', attachments: [CardFactory.adaptiveCard({ type: 'AdaptiveCard' })] }));
    });
    return out;`,
};

describe('in an action as in Node', () => {
  let nangod;

  let service;

  before(async () => {
    service = await SoapService.start();
    input.base = service.base;
    input.wsdl = service.wsdl();
    nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true' } });
  });
  after(async () => {
    service?.finish();
    await nangod?.finish();
  });

  const test = (name, body) => it(name, logged(() => nangod, body));
  async function inAction(text, daemon = nangod) {
    if (!daemon.prepared) {
      daemon.prepared = true;
      await daemon.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: key } });
      await daemon.must(201, 'POST', '/connections', { body: { provider_config_key: key, connection_id: 'c', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    }
    const js = `${TRIED} exports.default = async (nango, input) => { ${text} };`;
    await daemon.must(200, 'POST', '/sync/deploy', { body: deploy([action(key, 'runs', { fileBody: { js, ts: '//' } })]) });
    return daemon.must(200, 'POST', '/action/trigger', { body: { action_name: 'runs', input }, headers: { 'Provider-Config-Key': key, 'Connection-Id': 'c' } });
  }
  const here = (text) => new Function('require', 'input', `${TRIED} return (async () => { ${text} })();`)(require, input);
  const asJson = (value) => JSON.parse(JSON.stringify(value));

  for (const [name, text] of Object.entries(cases)) {
    test(name, async () => assert.deepEqual(await inAction(text), asJson(await here(text))));
  }

  for (const [name, text] of Object.entries(packages)) {
    test(name, async () => {
      const there = await inAction(text);
      const asked = service.taken();
      assert.deepEqual(there, asJson(await here(text)));
      assert.deepEqual(asked, service.taken());
    });
  }

  test('what packages cannot do says so', async () => {
    const out = await inAction(`
      const soap = require('soap');
      const { FileTranscriptStore } = require('botbuilder');
      const messages = [];
      for (const run of [() => require('http'), () => new soap.ClientSSLSecurity(Buffer.from('k'), Buffer.from('c')).addOptions({}), () => soap.createClientAsync('/etc/passwd'), () => new FileTranscriptStore('/tmp').logActivity({ id: 'i', type: 'message', timestamp: new Date(), channelId: 'c', conversation: { id: 'v' } })]) {
        try { await run(); messages.push('done'); } catch (error) { messages.push(error.message); }
      }
      return messages;`);
    assert.match(out[0], /^Module 'http' is not allowed/);
    assert.match(out[1], /client certificate .* is not offered to scripts/);
    assert.equal(out[2], 'fs.readFile is not offered to scripts');
    assert.match(out[3], /^fs.*is not offered to scripts$/);
  });

  test('packages go where the policy lets them', async () => {
    const closed = await Daemon.start({ settings: { 'outbound.allow_private': 'false' } });
    try {
      const out = await inAction("return require('soap').createClientAsync(input.base).then(() => 'no error', (error) => [error.code, error.message]);", closed);
      assert.deepEqual(out, ['url_not_allowed', 'This address is not allowed']);
      assert.deepEqual(service.taken(), []);
    } finally {
      await closed.finish();
    }
  });

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
