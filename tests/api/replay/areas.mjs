// SPDX-License-Identifier: Apache-2.0
// What each recordings file presupposes: integrations, connections, variables and sessions that were
// there before, made here through the API and the command line; and the few steps the recorder took
// between two requests.

import crypto from 'node:crypto';

import { outcome } from '../lib/scripts.mjs';
import { until } from '../lib/wait.mjs';

export const areas = ['integrations', 'connections', 'metadata', 'environment-variables', 'providers', 'connect-sessions', 'auth-endpoints', 'errors', 'proxy', 'scripts-config', 'actions', 'sync-control', 'records'];

// Integrations as integrations.json itself makes them, and those it does not make.
const integrationNames = {
  'rec-api': 'create API_KEY',
  'rec-oauth2': 'create OAUTH2',
  'rec-oauth1': 'create OAUTH1',
  'rec-cc': 'create OAUTH2_CC',
  'rec-basic': 'create BASIC',
  'rec-none': 'create NONE',
  'rec-tba': 'create TBA',
  'rec-app': 'create APP',
  'rec-custom': 'create CUSTOM',
  'rec-two-step': 'create TWO_STEP',
  'rec-jwt': 'create JWT',
  'rec-bill': 'create BILL',
  'rec-sig': 'create SIGNATURE',
  'rec-mcp': 'create MCP_OAUTH2',
};
const otherIntegrations = {
  'rec-ren': 'agencyzoom',
  'rec-verif': 'meilisearch',
  'rec-jira': 'jira-data-center-api-key',
};

async function makeIntegrations(stage, ...keys) {
  const recorded = await stage.recording('integrations');
  for (const key of keys) {
    const entry = recorded.find((candidate) => candidate.name === integrationNames[key]);
    const body = entry ? stage.fill(entry.request.body) : { provider: otherIntegrations[key], unique_key: key };
    await stage.must(200, 'POST', '/integrations', body);
  }
}

const makeConnection = (stage, key, id, credentials, more = {}) =>
  stage.must(201, 'POST', '/connections', { provider_config_key: key, connection_id: id, credentials, ...more });

const makeSession = async (stage, body) => (await stage.must(201, 'POST', '/connect/sessions', body)).data.token;

const apiKey = (value) => ({ type: 'API_KEY', apiKey: value });

const ann = {
  end_user: { id: 'u-1', email: 'ann@example.com', display_name: 'Ann', tags: { team: 'red' } },
  organization: { id: 'o-1', display_name: 'Org' },
  integrations_config_defaults: { 'rec-api': { connection_config: { a: 'b' } } },
  tags: { Plan: 'gold' },
};

export const setup = {
  async connections(stage) {
    await makeIntegrations(stage, ...Object.keys(integrationNames), 'rec-verif');
  },

  async metadata(stage) {
    await makeIntegrations(stage, 'rec-api');
    for (const id of ['rec-c1', 'rec-tags']) await makeConnection(stage, 'rec-api', id, apiKey('key-1b'));
  },

  async 'connect-sessions'(stage) {
    await makeIntegrations(stage, 'rec-api', 'rec-oauth2');
    await makeConnection(stage, 'rec-api', 'rec-c1', apiKey('key-1'));
  },

  async 'auth-endpoints'(stage) {
    await makeIntegrations(stage, 'rec-api', 'rec-oauth2', 'rec-basic', 'rec-none', 'rec-jira', 'rec-tba', 'rec-cc', 'rec-two-step', 'rec-jwt', 'rec-sig', 'rec-bill');
    stage.sessions.full = await makeSession(stage, ann);
    stage.sessions.restricted = await makeSession(stage, { ...ann, allowed_integrations: ['rec-api'] });
    stage.sessions.deleted = await makeSession(stage, ann);
    await stage.must(204, 'DELETE', '/connect/session', undefined, { Authorization: `Bearer ${stage.sessions.deleted}` });
  },

  // Another integration of the same provider had scripts before, deployed more than once.
  async 'scripts-config'(stage) {
    await makeIntegrations(stage, 'rec-api');
    await stage.must(200, 'POST', '/integrations', { provider: 'private-api-bearer', unique_key: 'other-api' });
    await makeConnection(stage, 'rec-api', 'rec-c1', apiKey('key-1'));
    for (let i = 1; i <= 7; i++) await makeConnection(stage, 'other-api', `other-c${i}`, apiKey('key-1'));
    const flow = (type, syncName, models, more) => ({
      type, syncName, providerConfigKey: 'other-api', models, fileBody: { js: 'exports.default = async () => {};', ts: '// b' }, track_deletes: false, ...more,
    });
    const noop = flow('action', 'noop', ['Out'], { runs: null, endpoints: [{ method: 'POST', path: '/noop' }] });
    const items = flow('sync', 'items', ['Item'], { runs: 'every 1 hour', auto_start: true, endpoints: [{ method: 'GET', path: '/items' }] });
    const jsonSchema = {
      definitions: {
        Out: { type: 'object', properties: { ok: { type: 'boolean' } } },
        Item: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
      },
    };
    for (const flowConfigs of [[noop, items], [noop, items], [noop]]) {
      await stage.must(200, 'POST', '/sync/deploy', { flowConfigs, jsonSchema, reconcile: false, debug: false, nangoYamlBody: '', sdkVersion: '0.71.4-yaml' });
    }
  },

  // What the recorded scripts did, told from what they answered.
  async actions(stage) {
    await makeIntegrations(stage, 'rec-api');
    await makeConnection(stage, 'rec-api', 'rec-c1', apiKey('key-1'), { metadata: { save: [{ n: 1, id: '1' }] } });
    const base = JSON.stringify(stage.echo.base);
    const act = `
exports.default = async (nango, input) => {
  if (input?.mode === 'throw') throw new Error('boom');
  if (input?.mode === 'refused') return nango.get({ endpoint: '/x', baseUrlOverride: 'http://127.0.0.1:9' });
  const modes = {
    undefined: () => undefined, null: () => null, string: () => 'text', number: () => 5, array: () => [1, 2], false: () => false, empty: () => '',
    'action-error': () => { throw new nango.ActionError({ n: 1, why: 'because' }); },
    http: () => nango.get({ endpoint: '/status/404', baseUrlOverride: ${base} }),
    proxy: async () => (await nango.get({ endpoint: '/any', baseUrlOverride: ${base} })).data.headers.authorization,
    meta: () => nango.getMetadata(), env: () => nango.getEnvironmentVariables(), conn: async () => Object.keys(await nango.getConnection()),
  };
  const mode = typeof input?.mode === 'string' && modes[input.mode];
  return mode ? mode() : { ok: true, input: input === undefined ? 'undefined' : input };
};`;
    const typed = "exports.default = async (nango, input) => (input.mode === 'number' ? 5 : { ok: true, input });";
    const flow = (syncName, js) => ({ type: 'action', syncName, providerConfigKey: 'rec-api', models: ['Out'], input: 'In', runs: null, fileBody: { js, ts: '// b' }, track_deletes: false, endpoints: [{ method: 'POST', path: `/${syncName}` }] });
    const jsonSchema = { definitions: { In: { type: 'object', properties: { mode: { type: 'string' } }, required: ['mode'] }, Out: { type: 'object', properties: { ok: { type: 'boolean' } } } } };
    await stage.must(200, 'POST', '/sync/deploy', { flowConfigs: [flow('act', act), flow('typed', typed)], jsonSchema, reconcile: false, debug: false, nangoYamlBody: '', sdkVersion: '0.71.4-yaml' });
  },

  async 'sync-control'(stage) {
    await makeIntegrations(stage, 'rec-api');
    await makeConnection(stage, 'rec-api', 'rec-c1', apiKey('key-1'), { metadata: first });
  },

  async records(stage) {
    await makeIntegrations(stage, 'rec-api');
    await makeConnection(stage, 'rec-api', 'rec-c1', apiKey('key-1'), { metadata: first });
  },

  async errors(stage) {
    await makeIntegrations(stage, 'rec-api');
  },

  async proxy(stage) {
    await makeIntegrations(stage, 'rec-api', 'rec-oauth2', 'rec-oauth1', 'rec-cc', 'rec-basic', 'rec-none', 'rec-tba', 'rec-jira');
    // A provider whose token endpoint nobody listens at stands in for the one the recorder could not reach.
    await stage.must(200, 'POST', '/integrations', {
      provider: 'test-unreachable',
      unique_key: 'rec-unreachable',
      credentials: { type: 'OAUTH2', client_id: 'cid', client_secret: 'csecret', scopes: '' },
    });
    await makeConnection(stage, 'rec-api', 'rec-c1', apiKey('key-1'));
    await makeConnection(stage, 'rec-jira', 'rec-j1', apiKey('key-j'), { connection_config: { baseUrl: stage.echo.base } });
    await makeConnection(stage, 'rec-basic', 'rec-b1', { type: 'BASIC', username: 'u', password: 'p' });
    await makeConnection(stage, 'rec-none', 'rec-n1', { type: 'NONE' });
    await makeConnection(stage, 'rec-oauth2', 'rec-o2', { type: 'OAUTH2', access_token: 'at1', refresh_token: 'rt1', expires_at: '2099-01-01T00:00:00.000Z' });
    await makeConnection(stage, 'rec-oauth1', 'rec-o1', { type: 'OAUTH1', oauth_token: 'ot', oauth_token_secret: 'ots' });
    await makeConnection(stage, 'rec-cc', 'rec-cc1', { type: 'OAUTH2_CC', token: 'tok', client_id: 'ci', client_secret: 'cs', expires_at: '2099-01-01T00:00:00.000Z' });
    await makeConnection(stage, 'rec-tba', 'rec-t1', { type: 'TBA', token_id: 'ti', token_secret: 'ts' }, { connection_config: { accountId: '123_SB1' } });
    await makeConnection(stage, 'rec-unreachable', 'rec-exp', { type: 'OAUTH2', access_token: 'old', refresh_token: 'r', expires_at: '2020-01-01T00:00:00.000Z' });
  },
};

// A sync that does what the metadata of its connection says, as the recorder's did.
const first = { save: [{ id: '1', n: 1 }, { id: '2', n: 2 }, { id: '3', n: 3 }] };
const changed = { save: [{ id: '2', n: 22 }], remove: [{ id: '3' }] };
const deploySync = (stage) => stage.must(200, 'POST', '/sync/deploy', {
  flowConfigs: [{
    type: 'sync', syncName: 'items', providerConfigKey: 'rec-api', models: ['Item'], runs: 'every 1 hour', auto_start: true, sync_type: 'incremental', track_deletes: false, endpoints: [{ method: 'GET', path: '/items' }],
    fileBody: { ts: '// b', js: `exports.default = async (nango) => {
  const { save = [], remove = [], fail } = await nango.getMetadata();
  if (fail) throw new Error('boom');
  await nango.batchSave(save, 'Item');
  await nango.batchDelete(remove, 'Item');
};` },
  }],
  jsonSchema: { definitions: { Item: { type: 'object', properties: { id: { type: 'string' }, n: { type: 'number' } }, required: ['id'] } } },
  reconcile: false, debug: false, nangoYamlBody: '', sdkVersion: '0.71.4-yaml',
});
const syncsOf = async (stage, names = '*') => (await stage.must(200, 'GET', `/sync/status?syncs=${names}&provider_config_key=rec-api&connection_id=rec-c1`)).syncs;
const untilSync = (stage, is) => until('the sync', async () => {
  const [one] = await syncsOf(stage, 'items');
  return one !== undefined && one.status !== 'RUNNING' && one.finishedAt !== undefined && is(one) ? one : undefined;
});
const setWork = (stage, metadata) => stage.must(201, 'POST', '/connections/metadata', { provider_config_key: 'rec-api', connection_id: 'rec-c1', metadata });
async function deployAndWait(stage) {
  await deploySync(stage);
  stage.before = await untilSync(stage, () => true);
}
// One execution with that to do, waited for.
async function execute(stage, metadata, more = {}) {
  const [before] = await syncsOf(stage, 'items');
  await setWork(stage, metadata);
  await stage.must(200, 'POST', '/sync/trigger', { syncs: ['items'], provider_config_key: 'rec-api', connection_id: 'rec-c1', ...more });
  await untilSync(stage, ({ finishedAt }) => finishedAt !== before.finishedAt);
}

const result = (stage) => outcome(stage.nangod, stage.lastConnection);

// Steps before a named entry.
export const before = {
  'sync-control': {
    'status: after deploy': deployAndWait,
    'status: after run': (stage) => untilSync(stage, ({ finishedAt }) => finishedAt !== stage.before.finishedAt),
    'status: after update and delete': (stage) => execute(stage, changed),
    'status: failed run': (stage) => execute(stage, { fail: true }),
    'trigger: full refresh': (stage) => setWork(stage, { save: [{ id: '1', n: 1 }] }),
    'status: after full refresh and clear': (stage) => untilSync(stage, ({ latestResult, recordCount }) => latestResult.Item?.added === 1 && recordCount.Item === 1),
  },
  records: {
    all: async (stage) => {
      await deployAndWait(stage);
      await execute(stage, changed);
    },
    'after clear': (stage) => execute(stage, { save: [{ id: '1', n: 1 }] }, { sync_mode: 'full_refresh_and_clear_cache' }),
  },
  actions: { 'result: done': result, 'result: failed': result },
  integrations: {
    'create OAUTH2 with API_KEY-type credentials': (stage) => stage.must(200, 'DELETE', '/integrations/rec-tmp'),
    'patch rename': (stage) => makeIntegrations(stage, 'rec-ren'),
    'patch rename with connections': (stage) => makeConnection(stage, 'rec-api', 'rec-c1', apiKey('key-1')),
  },
  'environment-variables': {
    list: async (stage) => {
      for (const [name, value] of [['BOT_TOKEN', 'abcdefg'], ['EMPTY', ''], ['unicode', 'é ☃']]) await stage.nangod.setVariable(name, value);
    },
    'with content type': async (stage) => {
      for (const name of ['BOT_TOKEN', 'EMPTY', 'unicode']) await stage.nangod.variables(['delete', name]);
    },
  },
};

// Which session's token an entry carries: the name of the entry that made it, a session of setup, or
// `none` for one that never was.
const sessionOf = {
  'connect-sessions': {
    'get, end user only': 'create, end user only',
    'get unknown token': 'none',
    'get reconnect session': 'reconnect without end user',
    otherwise: 'create',
  },
  'auth-endpoints': {
    'unknown token': 'none',
    'api key not allowed by session': 'restricted',
    'oauth connect not allowed': 'restricted',
    'token of a deleted session': 'deleted',
    otherwise: 'full',
  },
};

export function sessionToken(stage, area, name) {
  const table = sessionOf[area] ?? { otherwise: 'none' };
  const which = table[name] ?? table.otherwise;
  const token = which === 'none' ? `nango_connect_session_${crypto.randomBytes(32).toString('hex')}` : stage.sessions[which];
  if (!token) throw new Error(`${area}: no session "${which}" for "${name}"`);
  return token;
}

// Changes to a request that a stand-in of setup needs, or a key that the recording leaves out.
export const rewrite = {
  records: {
    'second page': (stage) => ({ path: `/records?model=Item&limit=1&cursor=${encodeURIComponent(stage.cursor)}` }),
    'cursor of a record': (stage) => ({ path: `/records?model=Item&cursor=${encodeURIComponent(stage.cursors['2'])}` }),
    'modified_after a day ago': () => ({ path: `/records?model=Item&modified_after=${new Date(Date.now() - 86_400_000).toISOString()}` }),
    prune: (stage) => ({ body: { model: 'Item', until_cursor: stage.cursors['1'] } }),
  },
  errors: {
    'UUID v1': { headers: { Authorization: 'Bearer 5b2d1f60-1d5c-11ef-9c1a-0242ac120002' } },
    'upper-case key': (stage) => {
      const key = stage.nangod.keys.secretKey;
      if (key === key.toUpperCase()) throw new Error(`the key ${key} has no letters`);
      return { headers: { Authorization: `Bearer ${key.toUpperCase()}` } };
    },
  },
  proxy: {
    'OAUTH2 expired, refresh fails': { headers: { 'Provider-Config-Key': 'rec-unreachable' } },
    'OAUTH2 expired, again (back-off)': { headers: { 'Provider-Config-Key': 'rec-unreachable' } },
  },
};

export const extraProviders = `test-unreachable:
    display_name: Test unreachable
    categories: [other]
    docs: https://example.com/docs
    auth_mode: OAUTH2
    authorization_url: http://127.0.0.1:9/auth
    token_url: http://127.0.0.1:9/token
    proxy:
        base_url: http://127.0.0.1:9
`;
