// SPDX-License-Identifier: Apache-2.0
// Webhooks that are sent: what they say, who signed them, and what happens when nobody wants them.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { loadClient } from './lib/clients.mjs';
import { besideRun, Clock, Daemon, logged, nangodRun } from './lib/daemon.mjs';
import { operation } from './lib/logs.mjs';
import { client } from './lib/oauth.mjs';
import { Receiver, verify } from './lib/receiver.mjs';
import { action, deploy, sync } from './lib/scripts.mjs';
import { until } from './lib/wait.mjs';
import { World } from './lib/world.mjs';

let nangod;
let nango;
let early;
let receiver;
let clock;
const test = (name, body) => it(name, { timeout: 60_000 }, logged(() => nangod, body));

const code = (js) => ({ fileBody: { js, ts: 'export default 1;' } });
const items = `
exports.default = async (nango) => {
  const { save = [], fail, checkpoint } = (await nango.getMetadata()) ?? {};
  if (fail) throw new nango.ActionError({ message: 'The provider is down', b: 1, a: { d: 1, c: 2 } });
  await nango.batchSave(save, 'Item');
  if (checkpoint) await nango.saveCheckpoint(checkpoint);
};
`;
const act = "exports.default = async (nango, input) => { if (input.fail) throw new Error('no'); return input; };";

const connect = (id, more = {}, status = 201) => nangod.must(status, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: id, credentials: { type: 'API_KEY', apiKey: 'k' }, ...more } });
const settings = (body) => nangod.must(200, 'PATCH', '/environment/webhooks', { body });
const deliveries = async (query = '') => (await nangod.must(200, 'GET', `/webhooks/deliveries${query}`)).data;
const delivery = async (id) => (await nangod.must(200, 'GET', `/webhooks/deliveries/${id}`)).data;
const of = (type, id) => ({ body }) => body.type === type && body.connectionId === id;
const trigger = (id) => nango.triggerSync('one', ['items'], id);
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

before(async () => {
  clock = new Clock();
  receiver = await Receiver.start();
  nangod = await Daemon.start({ settings: { 'outbound.allow_private': 'true', ...clock.setting } });
  const [Nango, Early] = [await loadClient('0.71.10'), await loadClient('0.36.100')];
  nango = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey });
  early = new Early({ host: nangod.base, secretKey: nangod.keys.secretKey });
  await nangod.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
  await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([sync('one', 'items', { ...code(items), runs: 'every 1 day', auto_start: false, sync_type: 'incremental' }), action('one', 'act', code(act))]) });
});
after(async () => {
  await nangod?.finish();
  await receiver?.finish();
  clock?.finish();
});

describe('webhooks', () => {
  test('are not sent before there is a URL', async () => {
    await connect('before');
    assert.deepEqual(await deliveries(), []);
    assert.deepEqual((await nangod.must(200, 'GET', '/environment/webhooks')).data, {
      primary_url: null, secondary_url: null, on_sync_completion_always: true, on_sync_error: true, on_auth_creation: true, on_auth_refresh_error: true, on_async_action_completion: true,
    });
  });

  test('tell of a connection that is made, and of one that is authorized again', async () => {
    const set = await settings({ primary_url: receiver.url });
    assert.equal(set.data.primary_url, receiver.url);
    await connect('c1', { end_user: { id: 'u1', email: 'a@b.co', tags: { z: '1', a: '2' } }, tags: { plan: 'pro' } });
    const made = await receiver.next('the creation', of('auth', 'c1'));
    assert.deepEqual(made.body, {
      authMode: 'API_KEY', connectionId: 'c1', endUser: { endUserEmail: 'a@b.co', endUserId: 'u1', tags: { a: '2', z: '1' } }, environment: 'dev', from: 'nango',
      operation: 'creation', provider: 'private-api-bearer', providerConfigKey: 'one', success: true, tags: made.body.tags, type: 'auth',
    });
    assert.equal(made.body.tags.plan, 'pro');
    assert.equal(made.raw.toString(), JSON.stringify(made.body), 'no spaces, no needless escapes');
    assert.deepEqual(Object.keys(made.body), Object.keys(made.body).toSorted(), 'in the order of their names');
    verify(made, nangod.keys.secretKey, nango);
    verify(made, nangod.keys.secretKey, early);
    assert.match(made.headers['user-agent'], /^nango\/\S+ \(linux\/\S+; nangod\)$/);
    await connect('c1');
    const again = await receiver.next('the override', of('auth', 'c1'));
    const { tags, end_user: user } = await nango.getConnection('one', 'c1');
    assert.deepEqual([again.body.operation, again.body.tags, again.body.endUser.endUserId], ['override', tags, user.id], 'what it has now');
  });

  test('tell what a sync did, and that it failed', async () => {
    await connect('c2', { metadata: { save: [{ id: '1' }, { id: '2' }], checkpoint: { page: 3 } } });
    const from = Date.now();
    await trigger('c2');
    const { body } = await receiver.next('the sync', of('sync', 'c2'));
    assert.match(body.modifiedAfter, time);
    assert.ok(Date.parse(body.modifiedAfter) >= from - 1000);
    assert.deepEqual(body, {
      checkpoints: { from: null, to: { page: 3 } }, connectionId: 'c2', from: 'nango', model: 'Item', modifiedAfter: body.modifiedAfter, providerConfigKey: 'one', queryTimeStamp: body.modifiedAfter,
      responseResults: { added: 2, deleted: 0, updated: 0 }, success: true, syncName: 'items', syncType: 'INITIAL', syncVariant: 'base', type: 'sync',
    });
    const { records } = await nango.listRecords({ providerConfigKey: 'one', connectionId: 'c2', model: 'Item', modifiedAfter: body.modifiedAfter });
    assert.equal(records.length, 2, 'what is new since then');
    await nango.setMetadata('one', 'c2', { fail: true });
    await trigger('c2');
    const failed = await receiver.next('the failure', of('sync', 'c2'));
    assert.match(failed.body.failedAt, time);
    assert.match(failed.body.startedAt, time);
    assert.deepEqual({ ...failed.body, failedAt: 0, startedAt: 0, error: 0 }, {
      connectionId: 'c2', error: 0, failedAt: 0, from: 'nango', model: 'Item', providerConfigKey: 'one', startedAt: 0, success: false, syncName: 'items', syncType: 'INCREMENTAL', syncVariant: 'base', type: 'sync',
    });
    assert.equal(failed.body.error.type, 'action_script_runtime_error');
    assert.deepEqual(failed.body.error.additional_properties, {});
    assert.match(failed.raw.toString(), /"payload":\{"a":\{"c":2,"d":1\},"b":1,"message":"The provider is down"\}/, 'sorted at every level');
  });

  test('tell that an asynchronous action has ended', async () => {
    await connect('c3');
    const { id } = await nango.triggerActionAsync('one', 'c3', 'act', { mode: 'x' });
    const { body } = await receiver.next('the action', of('async_action', 'c3'));
    assert.deepEqual(body, { connectionId: 'c3', from: 'nango', payload: { id, statusUrl: `/action/${id}` }, providerConfigKey: 'one', type: 'async_action' });
    assert.deepEqual(await nango.getAsyncActionResult({ id }), { mode: 'x' });
  });

  test('are left out where the environment does not want them', async () => {
    await settings({ on_sync_completion_always: false, on_auth_creation: false, on_sync_error: false, on_async_action_completion: false });
    await connect('c4', { metadata: { save: [{ id: '1' }] } });
    const run = async () => {
      await trigger('c4');
      await until('the run', async () => (await nango.syncStatus('one', ['items'], 'c4')).syncs[0].status !== 'RUNNING');
    };
    await run();
    await receiver.next('one with changes', of('sync', 'c4'));
    await run(); // no change
    await nango.setMetadata('one', 'c4', { fail: true });
    await run();
    await nango.triggerActionAsync('one', 'c4', 'act', { mode: 'x' });
    await connect('c4'); // an override is always told
    const told = await receiver.next('the override', ({ body }) => body.connectionId === 'c4');
    assert.equal(told.body.operation, 'override');
    const all = await deliveries('?connection=c4');
    assert.deepEqual(all.map(({ type, state }) => [type, state]), [['auth', 'delivered'], ['sync', 'delivered']]);
    await settings({ on_sync_completion_always: true, on_auth_creation: true, on_sync_error: true, on_async_action_completion: true });
  });

  test('go to both URLs, or to that of the connection alone', async () => {
    const second = await Receiver.start();
    const own = await Receiver.start();
    await settings({ secondary_url: second.url });
    await connect('c5');
    await receiver.next('at the first', of('auth', 'c5'));
    await second.next('at the second', of('auth', 'c5'));
    await connect('c6', { webhook_url_override: own.url });
    await own.next("at the connection's", of('auth', 'c6'));
    assert.deepEqual((await deliveries('?connection=c6')).map(({ url }) => url), [own.url]);
    await settings({ secondary_url: '' });
    await second.finish();
    await own.finish();
  });

  test('are signed with a key of their own once there is one', async () => {
    const { data } = await nangod.must(200, 'POST', '/environment/webhook-signing-key/rotate');
    const Nango = await loadClient('0.71.10');
    const other = new Nango({ host: nangod.base, secretKey: nangod.keys.secretKey, webhookSigningKey: data.webhook_signing_key });
    await connect('c7');
    const made = await receiver.next('the creation', of('auth', 'c7'));
    verify(made, data.webhook_signing_key, other);
    assert.equal(nango.verifyIncomingWebhookRequest(made.raw.toString(), made.headers), false);
    const set = await nangodRun(['environments', '--data', nangod.data, 'set', 'dev', 'signing_key'], { input: 'k\n' });
    assert.equal(set.code, 0, set.stderr);
    await connect('c8');
    verify(await receiver.next('the next', of('auth', 'c8')), 'k');
    assert.equal((await nangodRun(['environments', '--data', nangod.data, 'set', 'dev', 'signing_key='])).code, 0);
  });
});

describe('webhooks about tokens', () => {
  let world;
  let mine;
  before(async () => {
    mine = await Receiver.start();
    world = await World.start({ integrations: { oauth: 'test-oauth' } });
    await world.nangod.must(200, 'PATCH', '/environment/webhooks', { body: { primary_url: mine.url } });
  });
  after(async () => {
    await world?.finish();
    await mine?.finish();
  });
  const theirs = (name, body) => it(name, { timeout: 60_000 }, logged(() => world.nangod, body));

  theirs('tell that one cannot be renewed, without saying any', async () => {
    const grant = await world.connect('oauth', 'r', { tags: { k: 'v' } });
    assert.equal((await mine.next('the creation')).body.operation, 'creation');
    world.oauth.script({ status: 400, body: { error: 'invalid_grant', error_description: `bad ${grant.refresh_token} of ${client.secret}` } });
    assert.equal((await world.get('oauth', 'r')).status, 400);
    const failed = await mine.next('the failure');
    assert.deepEqual({ ...failed.body, error: 0 }, {
      authMode: 'OAUTH2', connectionId: 'r', environment: 'dev', error: 0, from: 'nango', operation: 'refresh', provider: 'test-oauth', providerConfigKey: 'oauth', success: false, tags: { k: 'v' }, type: 'auth',
    });
    assert.equal(typeof failed.body.error.type, 'string');
    assert.match(failed.body.error.description, /token endpoint/);
    for (const secret of [grant.refresh_token, grant.access_token, client.secret]) assert.ok(!failed.raw.includes(secret), 'a secret');
    assert.equal((await world.nangod.must(200, 'PATCH', '/environment/webhooks', { body: { on_auth_refresh_error: false } })).data.on_auth_refresh_error, false);
  });

  theirs('tell that an authorization failed', async () => {
    const session = await world.nangod.must(201, 'POST', '/connect/sessions', { body: { end_user: { id: 'u1' } } });
    const query = `connect_session_token=${session.data.token}`;
    const gone = await world.nangod.api('GET', `/oauth/connect/oauth?${query}`);
    const state = new URL(gone.headers.location).searchParams.get('state');
    const cookie = gone.headers['set-cookie']?.map((text) => text.split(';')[0]).join('; ');
    await world.nangod.api('GET', `/oauth/callback?state=${state}&error=access_denied`, { headers: { cookie } });
    const { body } = await mine.next('the failure');
    assert.deepEqual([body.type, body.operation, body.success, body.providerConfigKey, typeof body.connectionId, typeof body.error.description], ['auth', 'creation', false, 'oauth', 'string', 'string']);
  });
});

describe('a webhook that is not taken', () => {
  const attempts = (id) => receiver.got.filter(of('auth', id));
  const only = async (id, state) => until(`the delivery to be ${state}`, async () => {
    const [one] = await deliveries(`?connection=${id}`);
    return one?.state === state ? one : undefined;
  });

  test('is sent again, later each time, with the same id', async () => {
    const told = [503, 0, 200];
    receiver.answer = () => told.shift() ?? 200;
    await connect('r1');
    let one = await until('the first attempt', async () => (await deliveries('?connection=r1&state=waiting')).find(({ attempts: n }) => n === 1));
    assert.deepEqual([one.status, one.error], [503, 'answered 503']);
    const wait = () => Date.parse(one.next_attempt_at) - clock.now();
    assert.ok(wait() > 1000 && wait() <= 3000, `${wait()}`);
    clock.advance(3000);
    one = await until('the second', async () => (await deliveries('?connection=r1&state=waiting')).find(({ attempts: n }) => n === 2));
    assert.deepEqual([one.status, one.error.slice(0, 11)], [null, 'ECONNRESET:']);
    assert.ok(wait() > 3000 && wait() <= 6000, `${wait()}`);
    clock.advance(6000);
    one = await only('r1', 'delivered');
    assert.deepEqual([one.attempts, one.status, one.error, one.next_attempt_at], [3, 200, null, null]);
    assert.equal(new Set(attempts('r1').map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.equal(attempts('r1')[0].headers['webhook-id'], one.message);
    const whole = await delivery(one.id);
    assert.deepEqual(whole.history.map(({ status, answer }) => [status, answer]), [[503, 'ok'], [null, null], [200, null]]);
    assert.equal(whole.body, attempts('r1')[0].raw.toString());
    const log = await operation(nangod, { type: 'webhook', connection: 'r1' });
    assert.deepEqual([log.operation?.action ?? log.action, log.state], ['auth', 'success']);
  });

  test('waits as long as the receiver says, and so do the others for it', async () => {
    receiver.answer = () => ({ status: 429, headers: { 'Retry-After': '3600' } });
    await connect('r2');
    const [one] = await until('the attempt', async () => {
      const all = await deliveries('?connection=r2');
      return all[0]?.attempts === 1 ? all : undefined;
    });
    const wait = Date.parse(one.next_attempt_at) - clock.now();
    assert.ok(wait > 3_500_000 && wait <= 3_600_000, `${wait}`);
    receiver.answer = () => 200;
    clock.advance(3_600_000);
    await only('r2', 'delivered');
  });

  test('is dead at once when the answer says no, and can be replayed', async () => {
    receiver.answer = () => ({ status: 410, body: 'Gone fishing' });
    await connect('r3');
    const one = await only('r3', 'dead');
    assert.deepEqual((await delivery(one.id)).history.map(({ status, answer }) => [status, answer]), [[410, 'Gone fishing']]);
    receiver.answer = () => 200;
    assert.deepEqual(await nangod.must(202, 'POST', `/webhooks/deliveries/${one.id}/replay`), { data: { replayed: 1 } });
    assert.deepEqual([(await only('r3', 'delivered')).attempts, attempts('r3').length], [2, 2]);
  });

  test('is dead after its last attempt; all that are dead are replayed together', async () => {
    receiver.answer = () => 500;
    await connect('r4');
    for (let n = 1; n <= 11; n++) {
      await until(`attempt ${n}`, async () => (await deliveries('?connection=r4'))[0]?.attempts === n);
      clock.advance(24 * 3_600_000);
    }
    assert.equal((await only('r4', 'dead')).attempts, 12);
    receiver.answer = () => 200;
    assert.equal((await nangod.must(202, 'POST', '/webhooks/deliveries/replay', { body: { since: new Date(clock.now()).toISOString() } })).data.replayed, 0);
    assert.equal((await nangod.must(202, 'POST', '/webhooks/deliveries/replay', { body: {} })).data.replayed, 1);
    await only('r4', 'delivered');
  });

  test('to an address that is out of bounds is dead, and says so', async () => {
    const other = await Daemon.start();
    await other.must(200, 'POST', '/integrations', { body: { provider: 'private-api-bearer', unique_key: 'one' } });
    const refused = await other.api('PATCH', '/environment/webhooks', { body: { primary_url: receiver.url } });
    assert.deepEqual([refused.status, refused.body.error.code], [400, 'invalid_body']);
    assert.equal((await nangodRun(['environments', '--data', other.data, 'set', 'dev', `webhook_url=${receiver.url}`])).code, 0);
    await other.must(201, 'POST', '/connections', { body: { provider_config_key: 'one', connection_id: 'x', credentials: { type: 'API_KEY', apiKey: 'k' } } });
    const [one] = await until('the refusal', async () => {
      const { data } = await other.must(200, 'GET', '/webhooks/deliveries?state=dead');
      return data.length ? data : undefined;
    });
    assert.match(one.error, /not allowed|denied|blocked/i);
    await other.finish();
  });
});

describe('nangoctl webhooks', () => {
  const run = (...args) => besideRun('nangoctl', ['webhooks', ...args], { env: { NANGO_HOSTPORT: nangod.base, NANGO_SECRET_KEY: nangod.keys.secretKey } });

  test('lists, shows and replays', async () => {
    receiver.answer = () => ({ status: 400, body: 'not \u001b[31mme' });
    await connect('ctl');
    const [{ id }] = await until('it to be dead', async () => {
      const all = await deliveries('?connection=ctl&state=dead');
      return all.length ? all : undefined;
    });
    const listed = await run('list', '--state', 'dead', '--connection', 'ctl');
    assert.match(listed.stdout, new RegExp(`^\\S+ ${id} dead auth one ctl → ${receiver.url} \\(1 attempt\\): answered 400\\n$`));
    assert.deepEqual(JSON.parse((await run('list', '--connection', 'ctl', '--json')).stdout).state, 'dead');
    const shown = await run('show', id);
    assert.match(shown.stdout, /\n {2}\S+ 400 \d+ ms answered 400: not \\x1b\[31mme\n {2}\{"authMode"/);
    receiver.answer = () => 200;
    assert.deepEqual(await run('replay', id), { code: 0, stdout: '1 to be sent again\n', stderr: '' });
    await until('it to be delivered', async () => (await deliveries('?connection=ctl'))[0].state === 'delivered');
    assert.deepEqual(await run('replay', '--dead', '--since', '1h'), { code: 0, stdout: '0 to be sent again\n', stderr: '' });
  });

  test('says what is wrong', async () => {
    for (const [args, code, wanted] of [
      [[], 2, /one of `list`/],
      [['look'], 2, /one of `list`/],
      [['show'], 2, /which one/],
      [['replay'], 2, /an id, or --dead/],
      [['replay', '1', '--dead'], 2, /an id, or --dead/],
      [['replay', '--dead', '--since', 'yesterday'], 2, /no time such as/],
      [['list', '--loud'], 2, /unknown option/],
      [['show', '999999'], 1, /There is no such delivery/],
    ]) {
      const out = await run(...args);
      assert.deepEqual([out.code, out.stdout], [code, ''], args.join(' '));
      assert.match(out.stderr, wanted);
    }
  });
});
