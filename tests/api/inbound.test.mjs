// SPDX-License-Identifier: Apache-2.0
// Webhooks that providers send: each provider's own way to sign and to name a connection, the scripts
// that run for them, what is passed on, and what is refused.

import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, sign as rsaSign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Webhook } from 'standardwebhooks';

import { loadClient } from './lib/clients.mjs';
import { Overlay } from './lib/catalogue.mjs';
import { Clock, Daemon, logged } from './lib/daemon.mjs';
import { messages, operations } from './lib/logs.mjs';
import { Receiver } from './lib/receiver.mjs';
import { deploy, sync } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';

const secret = 'the secret';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = publicKey.export({ type: 'spki', format: 'pem' });
const hmac = (algorithm, encoding, prefix = '', key = secret) => (text) => prefix + createHmac(algorithm, key).update(text).digest(encoding);
const hex = (prefix = '', key = secret) => hmac('sha256', 'hex', prefix, key);
const base64 = (key = secret) => hmac('sha256', 'base64', '', key);
const now = () => Math.floor(Date.now() / 1000);
const svix = (key) => (text) => {
  const at = new Date(now() * 1000);
  return { 'webhook-id': 'msg_1', 'webhook-timestamp': String(now()), 'webhook-signature': new Webhook(key).sign('msg_1', at, text) };
};
const whsec = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const addressHash = (address) => createHash('sha256').update(`nango.emailAddressHash.v1:${address}`).digest('hex');
const githubKey = '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n';
const githubSecret = createHash('sha256').update(`id${githubKey}https://github.com/apps/x`).digest('hex');

// name: {oauth2?, secrets?, config?, metadata?: of the connection `it`; body, query?, headers?, sign?(text):
// headers or the value of `header`; type: what a script subscribes to; payload?: what it gets, else the body;
// all?: every connection is meant; unsigned?: also without a signature it is taken}
const providers = {
  affinity: { body: { type: 'list.created' }, type: 'list.created', all: true },
  airtable: { metadata: { webhooks: ['w0', 'w1'] }, body: { webhook: { id: 'w1' } }, type: '*' },
  attio: { custom: true, config: { workspace_id: 'ws' }, body: { events: [{ event_type: 'note.created', id: { workspace_id: 'ws' } }] }, header: 'x-attio-signature', sign: hex(), type: 'note.created', payload: { event_type: 'note.created', id: { workspace_id: 'ws' } } },
  autotask: { custom: true, config: { webhookGuid: 'g' }, body: { EntityType: 'Ticket', Guid: 'g' }, header: 'x-hook-signature', sign: hmac('sha1', 'base64', 'sha1='), type: 'Ticket' },
  calCom: { custom: true, query: '?nangoConnectionId=it', body: { triggerEvent: 'BOOKING_CREATED' }, header: 'x-cal-signature-256', sign: hex(), type: 'BOOKING_CREATED' },
  calendly: { custom: true, config: { owner: 'u' }, body: { event: 'invitee.created', created_by: 'u' }, header: 'calendly-webhook-signature', sign: (text) => `t=${now()},v1=${hex()(`${now()}.${text}`)}`, type: 'invitee.created' },
  checkrPartner: { custom: true, config: { checkr_account_id: 'a' }, body: { type: 'report.completed', account_id: 'a' }, header: 'x-checkr-signature', sign: hex(), type: 'report.completed' },
  fathom: { custom: whsec, metadata: { emailAddress: 'a@b.co' }, body: { recorded_by: { email: 'a@b.co' } }, sign: svix(whsec), type: '*' },
  fillout: { metadata: { formId: 'f' }, body: { type: 'submitted', formId: 'f' }, type: 'submitted' },
  folk: { custom: whsec, query: '?nangoConnectionId=it', body: { type: 'person.created' }, sign: svix(whsec), type: 'person.created' },
  githubApp: { oauth2: { client_id: 'id', client_secret: Buffer.from(githubKey).toString('base64') }, app: true, config: { installation_id: '77' }, headers: { 'x-github-event': 'push', 'x-github-delivery': 'd1' }, body: { installation: { id: 77 } }, header: 'x-hub-signature-256', sign: hex('sha256=', githubSecret), type: 'push', unsigned: true },
  githubAppOauth: { oauth2: { client_id: 'other', client_secret: 's' }, app: true, more: { app_id: 'id', private_key: Buffer.from(githubKey).toString('base64') }, config: { installation_id: '78' }, headers: { 'x-github-event': 'issues', 'x-github-delivery': 'd1' }, body: { installation: { id: 78 } }, header: 'x-hub-signature-256', sign: hex('sha256=', githubSecret), type: 'issues', unsigned: true },
  gitlab: { metadata: { webhookSecret: secret }, query: '?nangoConnectionId=it', headers: { 'x-gitlab-event': 'Push Hook' }, body: { a: 1 }, header: 'x-gitlab-token', sign: () => secret, type: 'Push Hook' },
  gmail: { config: { emailAddressHash: addressHash('a@b.co') }, body: { message: { data: Buffer.from('{"emailAddress":"A@b.co ","historyId":1}').toString('base64'), messageId: 'm1' } }, type: '*' },
  googleCalendar: { metadata: { email: 'a@b.co' }, headers: { 'x-goog-resource-state': 'exists', 'x-goog-resource-uri': 'https://www.googleapis.com/calendar/v3/calendars/a%40b.co/events?alt=json' }, type: 'exists', payload: 'headers' },
  googleDrive: { metadata: { googleDriveWatchResourceIds: { r1: {} } }, headers: { 'x-goog-resource-state': 'update', 'x-goog-resource-id': 'r1' }, type: 'update', payload: 'headers' },
  google: { metadata: { googleCalendarWatchResourceUris: ['u1'] }, headers: { 'x-goog-resource-state': 'sync', 'x-goog-resource-uri': 'u1' }, type: 'sync', payload: 'headers' },
  highlevel: { custom: pem, config: { locationId: 'l' }, body: { type: 'ContactCreate', locationId: 'l', companyId: 'none' }, header: 'x-wh-signature', sign: (text) => rsaSign('sha256', Buffer.from(text), privateKey).toString('base64'), type: 'ContactCreate' },
  hubspot: { oauth2: { client_id: 'i', client_secret: secret }, config: { portalId: '5' }, body: [{ subscriptionType: 'contact.creation', portalId: 5, objectId: 1, occurredAt: 1 }, { subscriptionType: 'contact.x', changeSource: 'IMPORT', portalId: 5 }], header: 'x-hubspot-signature', sign: (text) => createHash('sha256').update(secret + text).digest('hex'), type: 'contact.creation', payload: { subscriptionType: 'contact.creation', portalId: 5, objectId: 1, occurredAt: 1 } },
  jira: { custom: true, config: { baseUrl: 'https://x.atlassian.net' }, body: { webhookEvent: 'jira:issue_created', issue: { fields: { self: 'https://x.atlassian.net/rest/1' } } }, header: 'x-hub-signature', sign: hex('sha256='), type: 'jira:issue_created' },
  jobber: { oauth2: { client_id: 'i', client_secret: secret }, config: { accountId: 'a' }, body: { data: { webHookEvent: { topic: 'CLIENT_CREATE', accountId: 'a' } } }, header: 'x-jobber-hmac-sha256', sign: base64(), type: 'CLIENT_CREATE' },
  jobdiva: { custom: true, body: { type: 'Job', operation: 'Create' }, header: 'x-hub-signature', sign: hmac('sha1', 'hex'), type: 'Job Create', all: true },
  linear: { custom: true, config: { organizationId: 'o' }, body: { type: 'Issue', organizationId: 'o' }, header: 'linear-signature', sign: hex(), type: 'Issue' },
  microsoftClientCredentials: { custom: true, config: { tenantId: 't' }, body: { value: [{ changeType: 'updated', tenantId: 't', clientState: secret }] }, type: 'updated', payload: { changeType: 'updated', tenantId: 't', clientState: secret } },
  microsoftTeams: { config: { tenantId: 't' }, body: { type: 'message', channelData: { tenant: { id: 't' } } }, type: 'message' },
  notion: { custom: true, config: { workspace_id: 'w' }, body: { type: 'page.created', workspace_id: 'w' }, header: 'x-notion-signature', sign: hex('sha256='), type: 'page.created' },
  pagerduty: { metadata: { webhookSecret: [secret] }, headers: { 'x-nango-connection-id': 'it' }, body: { event: { event_type: 'incident.triggered' } }, header: 'x-pagerduty-signature', sign: (text) => `v1=00,${hex('v1=')(text)}`, type: 'incident.triggered' },
  salesforce: { body: { nango: { eventType: 'Account', connectionId: 'it' } }, type: 'Account' },
  sellsy: { custom: true, config: { corpid: '9' }, body: { relatedtype: 'prospect', event: 'created', corpid: 9 }, header: 'x-webhook-signature', sign: (text) => createHash('sha1').update(secret + text).digest('hex'), type: 'prospect.created' },
  sentryOauth: { oauth2: { client_id: 'i', client_secret: secret }, config: { installation_id: 'n' }, body: { action: 'created', installation: { id: 'n' } }, header: 'sentry-hook-signature', sign: hex(), type: 'created', unsigned: true },
  shipstation: { metadata: { storeId: '3' }, body: { resource_type: 'ORDER_NOTIFY', resource_url: 'https://x/orders?storeID=3&a=1' }, type: 'ORDER_NOTIFY' },
  shopify: { oauth2: { client_id: 'i', client_secret: secret }, config: { subdomain: 'shop' }, headers: { 'x-shopify-topic': 'orders/create', 'x-shopify-shop-domain': 'shop.myshopify.com', 'x-shopify-webhook-id': 's1' }, body: { order: 1 }, header: 'x-shopify-hmac-sha256', sign: base64(), type: 'orders/create' },
  slack: { custom: true, config: { 'team.id': 'T1' }, body: { type: 'event_callback', team_id: 'T1' }, sign: (text) => ({ 'x-slack-request-timestamp': String(now()), 'x-slack-signature': hex('v0=')(`v0:${now()}:${text}`) }), type: 'event_callback' },
  streak: { config: { streakWebhookToken: 'k' }, headers: { 'x-streak-webhook-token': 'k' }, body: { a: 1 }, type: '*' },
  unauthenticated: { body: { type: 'ping', connectionId: 'it' }, type: 'ping' },
  videoask: { custom: true, headers: { 'nango-connection-id': 'it' }, body: { type: 'form_response' }, header: 'nango-webhook-secret', sign: () => secret, type: 'form_response' },
  xero: { custom: true, config: { tenant_id: 't' }, body: { events: [{ eventType: 'CREATE', tenantId: 't' }] }, header: 'x-xero-signature', sign: base64(), type: 'CREATE', payload: { eventType: 'CREATE', tenantId: 't' } },
};

const js = `
exports.onWebhookPayloadReceived = async (nango, payload) => {
  if (payload.fail) throw new Error('no');
  await nango.log('got it');
  await nango.batchSave([{ id: '1', payload, type: nango.scriptType }], 'Item');
};
exports.default = async () => {};
`;

let nangod;
let nango;
let receiver;
let overlay;
let clock;
let address;
const test = (name, body) => it(name, { timeout: 60_000 }, logged(() => nangod, body));

const key = (name) => `hook-${name}`.toLowerCase();
const entry = (name, { oauth2, query }) => `${key(name)}:
    display_name: ${name}
    categories: [other]
    docs: https://example.com/docs
    auth_mode: ${oauth2 ? 'OAUTH2' : 'API_KEY'}
    webhook_routing_script: ${name}WebhookRouting
${oauth2 ? '    authorization_url: https://example.com/a\n    token_url: https://example.com/t\n' : ''}${query ? '    webhook_allowed_query_params: [nangoConnectionId]\n' : ''}    proxy:
        base_url: https://example.com
`;

async function integrate(name, { oauth2, custom, app, more }) {
  const credentials = oauth2 && { type: 'OAUTH2', scopes: 'a', ...oauth2 };
  const all = { ...more, ...(custom && { webhookSecret: custom === true ? secret : custom }) };
  await nangod.must(200, 'POST', '/integrations', { body: { provider: key(name), unique_key: name, ...(credentials && { credentials }), ...(Object.keys(all).length > 0 && { custom: all }) } });
  if (app) await nangod.must(200, 'PUT', '/config', { body: { provider_config_key: name, provider: key(name), oauth_client_id: oauth2.client_id, oauth_client_secret: oauth2.client_secret, oauth_scopes: 'a', app_link: 'https://github.com/apps/x', ...(more && { custom: more }) } });
}
const connect = (name, id, { oauth2, config, metadata } = {}) => nangod.must(201, 'POST', '/connections', {
  body: { provider_config_key: name, connection_id: id, credentials: oauth2 ? { type: 'OAUTH2', access_token: 't' } : { type: 'API_KEY', apiKey: 'k' }, ...(config && { connection_config: config }), ...(metadata && { metadata }) },
});
const post = (name, { query = '', headers = {}, body } = {}) => nangod.api('POST', `${address}/${name}${query}`, { headers, body, key: null });
const signed = ({ header, sign }, text) => {
  const made = sign?.(text);
  return made === undefined ? {} : typeof made === 'string' ? { [header]: made } : made;
};
const send = (name, more = {}) => {
  const one = providers[name];
  const text = one.body === undefined ? '' : JSON.stringify(one.body);
  return post(name, { query: one.query, headers: { ...(text && { 'Content-Type': 'application/json' }), ...one.headers, ...signed(one, text), ...more.headers }, body: more.body ?? (text || undefined) });
};
const record = async (name, id) => (await nango.listRecords({ providerConfigKey: name, connectionId: id, model: 'Item' })).records[0];

before(async () => {
  clock = new Clock();
  overlay = new Overlay(Object.entries(providers).map(([name, one]) => entry(name, one)).join(''));
  receiver = await Receiver.start();
  nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true', ...overlay.setting, ...clock.setting } });
  const Nango = await loadClient('0.71.10');
  nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
  for (const [name, one] of Object.entries(providers)) await integrate(name, one);
  const { data } = await nangod.must(200, 'GET', '/integrations/linear?include=webhook');
  address = new URL(data.webhook_url).pathname.replace(/\/[^/]+$/, '');
  await nangod.must(200, 'POST', '/sync/deploy', { body: deploy(Object.entries(providers).map(([name, { type }]) => sync(name, 'hooked', { auto_start: false, webhookSubscriptions: ['never', type], fileBody: { js, ts: 'export default 1;' } }))) });
  for (const [name, one] of Object.entries(providers)) {
    await connect(name, 'other', one.oauth2 && { oauth2: one.oauth2 });
    await connect(name, 'it', one);
  }
  await nangod.must(200, 'PATCH', '/environment/webhooks', { body: { primary_url: receiver.url } });
});
after(async () => {
  await nangod?.finish();
  await receiver?.finish();
  overlay?.finish();
  clock?.finish();
});

describe('a webhook of', () => {
  for (const [name, one] of Object.entries(providers)) {
    test(`${name} runs the scripts of its connection and is passed on`, async () => {
      const answer = await send(name);
      assert.deepEqual([answer.status, answer.body], [200, { status: 'success' }]);
      for (const id of one.all ? ['it', 'other'] : ['it']) {
        const { body, headers } = await receiver.next(`${id} to be told`, ({ body: b }) => b.type === 'forward' && b.providerConfigKey === name && b.connectionId === id);
        assert.equal(body.from, key(name));
        if (one.payload !== 'headers') assert.deepEqual(body.payload, one.body);
        for (const [header, value] of Object.entries(one.headers ?? {})) if (!header.startsWith('x-nango-')) assert.equal(headers[header], value);
        const ran = await receiver.next(`the script of ${id}`, ({ body: b }) => b.type === 'sync' && b.providerConfigKey === name && b.connectionId === id);
        assert.deepEqual([ran.body.syncType, ran.body.success, ran.body.responseResults], ['WEBHOOK', true, { added: 1, deleted: 0, updated: 0 }]);
        const { payload, type } = await record(name, id);
        assert.equal(type, 'webhook');
        if (one.payload === 'headers') assert.equal(payload['x-goog-resource-state'], one.headers['x-goog-resource-state']);
        else assert.deepEqual(payload, one.payload ?? one.body);
      }
      if (!one.all) assert.equal(await record(name, 'other'), undefined);
    });
    if (one.sign) {
      test(`${name} that somebody else has signed is refused`, async () => {
        const forged = await send(name, { body: JSON.stringify({ ...providers[name].body, forged: true }) });
        const same = name === 'gitlab' || name === 'videoask'; // their token does not look at the body
        if (!same) assert.deepEqual([forged.status, forged.body.code], [401, 'webhook_invalid_signature'], forged.text);
        const made = signed(one, '');
        for (const header of Object.keys(made).filter((header) => /signature|sha256|token|secret/.test(header))) {
          const wrong = await send(name, { headers: { [header]: 'x' } });
          assert.deepEqual([wrong.status, wrong.body.code], [401, 'webhook_invalid_signature'], wrong.text);
        }
        if (one.unsigned) return;
        const text = JSON.stringify(one.body);
        const bare = await post(name, { query: one.query, headers: { 'Content-Type': 'application/json', ...one.headers }, body: text });
        assert.deepEqual([bare.status, bare.body.code], [401, 'webhook_missing_signature'], bare.text);
      });
    }
  }
});

describe('webhooks of providers', () => {
  const forwards = (name) => receiver.got.filter(({ body }) => body.type === 'forward' && body.providerConfigKey === name);

  test('that come again are taken without effect', async () => {
    const before = forwards('githubApp').length;
    assert.equal((await send('githubApp')).status, 200);
    assert.equal((await send('githubApp', { headers: { 'x-github-delivery': 'd2' } })).status, 200);
    await until('the new one', () => forwards('githubApp').length > before);
    assert.equal(forwards('githubApp').length, before + 1);
    const [op] = (await operations(nangod, { type: 'webhook', action: 'incoming', integration: 'githubApp', state: 'cancelled' })).slice(-1);
    assert.match((await messages(nangod, op.id))[0].message, /came before/);
  });

  test('that concern nobody are passed on bare', async () => {
    assert.equal((await post('unauthenticated', { headers: { 'X-Kept': '1', Cookie: 'a=b', Authorization: 'Bearer x' }, body: { z: 1, a: { d: 1.0, c: 2 }, connectionId: 'nobody' } })).status, 200);
    const got = await receiver.next('the bare one', ({ body }) => body.connectionId === 'nobody');
    assert.equal(got.raw.toString(), '{"a":{"c":2,"d":1},"connectionId":"nobody","z":1}');
    assert.deepEqual([got.headers['x-kept'], got.headers.cookie, got.headers.authorization, got.headers['content-type']], ['1', undefined, undefined, 'application/json']);
  });

  test('answer the questions of providers', async () => {
    const asked = await post('microsoftClientCredentials', { query: '?validationToken=a%20b' });
    assert.deepEqual([asked.status, asked.text], [200, 'a b']);
    const text = JSON.stringify({ type: 'url_verification', challenge: 'c' });
    const slack = await post('slack', { headers: { 'Content-Type': 'application/json', ...signed(providers.slack, text) }, body: text });
    assert.deepEqual([slack.status, slack.text], [200, 'c']);
    const form = `payload=${encodeURIComponent(JSON.stringify({ type: 'view_submission', team: { id: 'T1' } }))}`;
    const view = await post('slack', { headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...signed(providers.slack, form) }, body: form });
    assert.deepEqual([view.status, view.text], [200, '']);
    await receiver.next('the form', ({ body }) => body.type === 'forward' && body.providerConfigKey === 'slack' && body.payload.type === 'view_submission');
    const empty = JSON.stringify({ events: [] });
    assert.equal((await post('xero', { headers: { 'Content-Type': 'application/json', ...signed(providers.xero, empty) }, body: empty })).status, 200);
  });

  test('that are too old are refused', async () => {
    clock.advance(6 * 60_000);
    for (const name of ['calendly', 'fathom', 'slack']) assert.equal((await send(name)).status, 401, name);
    assert.notEqual((await send('folk')).status, 401, 'any age');
    clock.advance(-6 * 60_000);
  });

  test('tell when a script of theirs fails', async () => {
    await post('unauthenticated', { body: { type: 'ping', connectionId: 'it', fail: true } });
    const { body } = await receiver.next('the failure', ({ body: b }) => b.type === 'sync' && b.success === false);
    assert.deepEqual([body.connectionId, body.syncType, body.error.type], ['it', 'WEBHOOK', 'script_internal_error']);
  });

  test('are not passed on where the integration says so', async () => {
    await nangod.must(200, 'PATCH', '/integrations/salesforce', { body: { forward_webhooks: false } });
    const before = receiver.got.length;
    await post('salesforce', { body: { nango: { eventType: 'Account', connectionId: 'it', n: 2 } } });
    await receiver.next('the script', ({ body }) => body.type === 'sync' && body.providerConfigKey === 'salesforce');
    assert.deepEqual(receiver.got.slice(before).filter(({ body }) => body.type === 'forward'), []);
  });

  test('are refused with the reason when they cannot be meant', async () => {
    for (const [where, more, status, code] of [
      ['/webhook/nope/linear', {}, 400, 'invalid_uri_params'],
      ['/webhook/11111111-1111-4111-8111-111111111111/linear', {}, 404, 'unknown_environment'],
      [`${address}/none`, {}, 404, 'unknown_provider_config'],
      [`${address}/unauthenticated`, { headers: { 'Content-Type': 'application/json' }, body: '{"type":' }, 400, 'webhook_invalid_payload'],
      [`${address}/gmail`, { body: { message: { data: '!' } } }, 400, 'webhook_invalid_payload'],
      [`${address}/calCom`, { headers: { 'Content-Type': 'application/json', ...signed(providers.calCom, '{}') }, body: '{}' }, 400, 'webhook_missing_connection_id'],
      [`${address}/unauthenticated`, { headers: { 'Content-Type': 'application/json' }, body: `"${'x'.repeat(10 << 20)}"` }, 413, 'request_too_large'],
    ]) {
      const answer = await nangod.api('POST', where, { ...more, key: null });
      assert.equal(answer.status, status, `${where} ${answer.text.slice(0, 200)}`);
      assert.equal(answer.body.code ?? answer.body.error?.code, code, answer.text.slice(0, 200));
    }
    const refused = await operations(nangod, { type: 'webhook', action: 'incoming', integration: 'linear', state: 'failed' });
    assert.ok(refused.length > 0 && refused.every(({ error }) => error.type.startsWith('webhook_')), 'and told of');
  });

  test('survive the death of the server', async () => {
    await nangod.kill();
    await nangod.again();
    const sending = Array.from({ length: 20 }, (_, n) => post('unauthenticated', { body: { type: 'none', connectionId: 'it', n } }));
    const sent = Promise.allSettled(sending);
    await Promise.race(sending);
    await nangod.kill(); // some are answered, some are not
    const answered = (await sent).flatMap(({ value }, n) => (value?.status === 200 ? [n] : []));
    await nangod.again();
    for (const n of answered) await receiver.next(`number ${n}`, ({ body }) => body.type === 'forward' && body.payload.n === n && body.payload.type === 'none');
  });
});

describe('how many a minute takes', () => {
  it('is told, and beyond it refused where that is wanted', async () => {
    const time = new Clock();
    const limited = await Daemon.start({
      settings: { ...overlay.setting, ...time.setting, 'webhooks.ingress_per_minute': '2', 'webhooks.ingress_enforce': 'true' },
    });
    try {
      const [name, other] = Object.keys(providers).filter((one) => !providers[one].sign);
      for (const one of [name, other]) await limited.must(200, 'POST', '/integrations', { body: { provider: key(one), unique_key: one } });
      const { data } = await limited.must(200, 'GET', `/integrations/${name}?include=webhook`);
      const base = new URL(data.webhook_url).pathname.replace(/\/[^/]+$/, '');
      const come = (to) => limited.api('POST', `${base}/${to}`, { body: '{}', headers: { 'Content-Type': 'application/json' }, key: null });
      const told = ({ headers }) => ['limit', 'remaining'].map((what) => headers[`x-ratelimit-${what}`]);
      assert.deepEqual(told(await come(name)), ['2', '1']);
      assert.deepEqual(told(await come(name)), ['2', '0']);
      const third = await come(name);
      assert.deepEqual([third.status, third.body.error.code], [429, 'too_many_request']);
      assert.ok(Number(third.headers['retry-after']) >= 1 && Number(third.headers['retry-after']) <= 60);
      assert.ok(Number(third.headers['x-ratelimit-reset']) * 1000 > time.now());
      assert.notEqual((await come(other)).status, 429, 'each integration counts its own');
      time.advance(60_000);
      assert.deepEqual(told(await come(name)), ['2', '1']);
    } finally {
      await limited.finish();
      time.finish();
    }
  });
});
