// SPDX-License-Identifier: Apache-2.0
// Scripts: what is deployed, as the clients read it. Each version has an integration of its own.

import assert from 'node:assert/strict';

import { action, deploy, onEvents, sync, ts } from '../lib/scripts.mjs';
import { isInstant, rejectsWith } from './expect.mjs';

// An integration with an action, a sync of another name, both of one name, and an event script; and one
// that no repository knows.
async function stage({ nangod, ids }, name) {
  const key = `${ids.prefix}-${name}`;
  await nangod.must(200, 'POST', '/integrations', { body: { provider: 'test-key', unique_key: key } });
  const flows = [action(key, 'act'), action(key, 'both'), sync(key, 'items'), sync(key, 'both', { models: [], runs: 'every half day' })];
  await nangod.must(200, 'POST', '/sync/deploy', {
    body: deploy(flows, { onEventScriptsByProvider: [onEvents(key, { setup: 'post-connection-creation' })] }),
  });
  await nangod.must(200, 'POST', '/sync/deploy', { body: deploy([action(key, 'alone')], { source: 'standalone' }) });
  return key;
}

const names = (list) => list.map(({ name }) => name);

function assertFunction(fn, expected) {
  const { id, last_deployed, json_schema, ...rest } = fn;
  assert.ok(Number.isInteger(id) && isInstant(last_deployed), JSON.stringify(fn));
  assert.ok(fn.type === 'on-event' || json_schema.definitions);
  assert.deepEqual(rest, { enabled: true, source: 'repo', ...expected });
}

const act = { name: 'act', type: 'action', description: 'An action', scopes: ['a:b'], input: 'In', returns: ['Out'] };
const items = { name: 'items', type: 'sync', description: 'A sync', returns: ['Item'], runs: 'every hour', auto_start: true, track_deletes: false };
const setup = { name: 'setup', type: 'on-event', event: 'post-connection-creation' };

export const scripts = [
  {
    method: 'getScriptsConfig',
    since: '0.39.33',
    run: async (context) => {
      const key = await stage(context, 'config');
      const configs = await context.nango.getScriptsConfig();
      const config = configs.find(({ providerConfigKey }) => providerConfigKey === key);
      assert.equal(config.provider, 'test-key');
      assert.deepEqual(names(config.actions), ['act', 'alone', 'both']);
      assert.deepEqual(names(config.syncs), ['both', 'items']);
      assert.deepEqual(names(config['on-events']), ['setup']);
      const [, { id, last_deployed, ...sync }] = config.syncs;
      assert.ok(Number.isInteger(id) && isInstant(last_deployed));
      assert.deepEqual(sync, {
        ...items,
        endpoints: [{ method: 'GET', path: '/items', group: null }],
        scopes: [],
        models: [{ name: 'Item', fields: [] }],
        json_schema: {
          definitions: {
            Item: { type: 'object', properties: { id: { type: 'string' }, owner: { $ref: '#/definitions/Owner' } }, required: ['id'] },
            Owner: { type: 'object', properties: { name: { type: 'string' } } },
          },
        },
        attributes: {},
        features: [],
        webhookSubscriptions: [],
        sdk_version: '0.71.10-yaml',
        version: '1',
        source: 'repo',
        enabled: true,
        sync_type: 'full',
      });
    },
  },
  {
    method: 'getScriptsConfig',
    form: 'openai',
    since: '0.58.7',
    run: async (context) => {
      await stage(context, 'tools');
      const { data } = await context.nango.getScriptsConfig('openai');
      const parameters = { type: 'object', properties: { mode: { type: 'string' } }, required: ['mode'] };
      assert.deepEqual(data.find(({ name }) => name === 'act'), { name: 'act', description: 'An action', parameters });
      assert.ok(!data.some(({ name }) => name === 'setup'), 'event scripts are no tools');
    },
  },
  {
    method: 'listFunctions',
    since: '0.71.10',
    run: async (context) => {
      const { nango } = context;
      const key = await stage(context, 'functions');
      const all = await nango.listFunctions({ uniqueKey: key });
      assert.deepEqual(names(all.data), ['act', 'alone', 'both', 'setup', 'both', 'items']);
      assert.deepEqual(all.pagination, { total: 6, page: 0, limit: 20 });
      assertFunction(all.data[0], act);
      assertFunction(all.data[3], setup);
      assertFunction(all.data[5], items);
      const some = await nango.listFunctions({ uniqueKey: key }, { type: 'action', search: 'A', page: 1, limit: 1 });
      assert.deepEqual([names(some.data), some.pagination], [['alone'], { total: 2, page: 1, limit: 1 }]);
      await rejectsWith(nango.listFunctions({ uniqueKey: 'nope' }), 404, 'not_found');
      await rejectsWith(nango.listFunctions({ uniqueKey: key }, { limit: 101 }), 400, 'invalid_query_params');
    },
  },
  {
    method: 'getFunction, getFunctionCode',
    since: '0.71.10',
    run: async (context) => {
      const { nango } = context;
      const uniqueKey = await stage(context, 'function');
      const { data } = await nango.getFunction({ uniqueKey, name: 'items' });
      assertFunction(data, items);
      assert.deepEqual(await nango.getFunctionCode({ uniqueKey, name: 'items' }), { type: 'sync', code: ts });
      assert.equal((await nango.getFunction({ uniqueKey, name: 'both' }, { type: 'sync' })).data.runs, 'every half day');
      for (const call of [() => nango.getFunction({ uniqueKey, name: 'both' }), () => nango.getFunctionCode({ uniqueKey, name: 'both' })]) {
        await assert.rejects(call, ({ response: { status, data: { error } } }) => {
          assert.deepEqual([status, error.code], [409, 'ambiguous_function']);
          assert.deepEqual(error.payload.matches, [{ name: 'both', type: 'action' }, { name: 'both', type: 'sync' }]);
          return true;
        });
      }
      await rejectsWith(nango.getFunction({ uniqueKey, name: 'nope' }), 404, 'not_found');
      await rejectsWith(nango.getFunctionCode({ uniqueKey, name: 'items' }, { type: 'action' }), 404, 'not_found');
    },
  },
  {
    method: 'deleteFunction',
    since: '0.71.10',
    run: async (context) => {
      const { nango } = context;
      const uniqueKey = await stage(context, 'deleted');
      await rejectsWith(nango.deleteFunction({ uniqueKey, name: 'act' }, { type: 'action' }), 400, 'function_managed_by_deploy');
      await rejectsWith(nango.deleteFunction({ uniqueKey, name: 'alone' }, { type: 'sync' }), 404, 'not_found');
      assert.deepEqual(await nango.deleteFunction({ uniqueKey, name: 'alone' }, { type: 'action' }), { data: { success: true } });
      await rejectsWith(nango.getFunction({ uniqueKey, name: 'alone' }), 404, 'not_found');
    },
  },
];
