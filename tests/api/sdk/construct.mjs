// SPDX-License-Identifier: Apache-2.0
// How clients are made, and the webhooks that they check without asking anyone.

import crypto from 'node:crypto';

const key = 'the key';
const missingKey = 'You must specify an API key (cf. documentation).';
// The same said in words that suit C: members have other names, and there is no other documentation.
const ourMissingKey = 'You must specify an API key: set secret_key or api_key';
const noUrl = (host) => `Invalid URL provided for the Nango host: ${host}`;
const ourNoUrl = (host) => `${noUrl(host)}; it is to be like http://localhost:3003`;

export const refusals = [
  { form: 'no key', options: {}, error: missingKey, ours: ourMissingKey },
  { form: 'an empty key', options: { secretKey: '' }, error: missingKey, ours: ourMissingKey },
  {
    form: 'both keys',
    options: { secretKey: 'a', apiKey: 'b' },
    error: 'You must specify only one of apiKey or secretKey, not both (cf. documentation).',
    ours: 'You must specify only one of api_key or secret_key, not both',
  },
  { form: 'a host that is no URL', options: { secretKey: key, host: 'no url' }, error: noUrl('no url'), ours: ourNoUrl('no url') },
  { form: 'a host that is no URL, with a slash', options: { secretKey: key, host: 'nowhere/' }, error: noUrl('nowhere'), ours: ourNoUrl('nowhere/') },
  { version: '0.36.100', form: 'no key', options: {}, error: 'You must specify a secret key (cf. documentation).', ours: ourMissingKey },
  { version: '0.36.100', form: 'a host that is no URL', options: { secretKey: key, host: '::' }, error: noUrl('::'), ours: ourNoUrl('::') },
];

const hmac = (signingKey, body) => crypto.createHmac('sha256', signingKey).update(body).digest('hex');
const sha = (signingKey, value) => crypto.createHash('sha256').update(`${signingKey}${JSON.stringify(value)}`).digest('hex');

const secret = { secretKey: key };
const signing = { secretKey: key, webhookSigningKey: 'signing é' };
const apiOnly = { apiKey: key };
const apiAndSigning = { apiKey: key, webhookSigningKey: 'signing é' };
const body = '{"from": "nango", "type": "sync",\n "n": 1.50, "s": "é ☃"}';
const good = hmac(key, body);

// verifyIncomingWebhookRequest: the client, the body, the headers, the verdict.
export const incoming = [
  ['the secret key', secret, body, { 'X-Nango-Hmac-Sha256': good }, true],
  ['header in small letters', secret, body, { 'x-nango-hmac-sha256': good }, true],
  ['header in capitals, among others', secret, body, { A: 'b', 'X-NANGO-HMAC-SHA256': good, C: 'd' }, true],
  ['an empty body', secret, '', { 'X-Nango-Hmac-Sha256': hmac(key, '') }, true],
  ['the webhook signing key', signing, body, { 'X-Nango-Hmac-Sha256': hmac('signing é', body) }, true],
  ['the signing key beside an API key', apiAndSigning, body, { 'X-Nango-Hmac-Sha256': hmac('signing é', body) }, true],
  ['the secret key does not count beside a signing key', signing, body, { 'X-Nango-Hmac-Sha256': good }, false],
  ['an API key alone', apiOnly, body, { 'X-Nango-Hmac-Sha256': good }, false],
  ['no headers', secret, body, {}, false],
  ['another header', secret, body, { 'X-Nango-Signature': good }, false],
  ['one byte of the body', secret, `${body} `, { 'X-Nango-Hmac-Sha256': good }, false],
  ['one digit of the signature', secret, body, { 'X-Nango-Hmac-Sha256': good.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }, false],
  ['a signature that is too short', secret, body, { 'X-Nango-Hmac-Sha256': good.slice(2) }, false],
  ['a signature that is too long', secret, body, { 'X-Nango-Hmac-Sha256': `${good}00` }, false],
  ['a signature in capitals', secret, body, { 'X-Nango-Hmac-Sha256': good.toUpperCase() }, true],
  ['no hexadecimal digits', secret, body, { 'X-Nango-Hmac-Sha256': 'z'.repeat(64) }, false],
  ['an empty signature', secret, body, { 'X-Nango-Hmac-Sha256': '' }, false],
  // The official client takes the first one, whatever the others say; that is a guess.
  ['two signatures', secret, body, { 'X-Nango-Hmac-Sha256': good, 'x-nango-hmac-sha256': good }, true, false],
];

const values = [
  ['an object', { from: 'nango', nested: { list: [1, 2.5, true, null], text: 'é "☃" \\ / \n' } }],
  ['an empty object', {}],
  ['a list', [1, 'a']],
  ['a text', 'just text'],
  ['a number', 12],
  ['odd numbers', { big: 9007199254740991, small: -0.5 }],
];

// verifyWebhookSignature: the client, the value, its text as received, the signature, the verdict.
export const legacy = [
  ...values.map(([form, value]) => [form, secret, value, JSON.stringify(value), sha(key, value), true]),
  ...values.map(([form, value]) => [`${form}, spread over lines`, secret, value, JSON.stringify(value, null, 2), sha(key, value), true]),
  ['the webhook signing key', signing, { a: 1 }, '{"a":1}', sha('signing é', { a: 1 }), true],
  ['the signing key beside an API key', apiAndSigning, { a: 1 }, '{"a":1}', sha('signing é', { a: 1 }), true],
  ['an API key alone', apiOnly, { a: 1 }, '{"a":1}', sha(key, { a: 1 }), false],
  ['another value', secret, { a: 2 }, '{"a":2}', sha(key, { a: 1 }), false],
  ['a signature that is too short', secret, { a: 1 }, '{"a":1}', sha(key, { a: 1 }).slice(1), false],
  ['a signature in capitals', secret, { a: 1 }, '{"a":1}', sha(key, { a: 1 }).toUpperCase(), false],
  ['an empty signature', secret, { a: 1 }, '{"a":1}', '', false],
];
