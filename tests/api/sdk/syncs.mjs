// SPDX-License-Identifier: Apache-2.0
// Records, syncs, actions, what is deployed: the newest client (and of triggerSync the two before) and
// libnango.

import assert from 'node:assert/strict';

import * as canned from './canned.mjs';

const need = { providerConfigKey: 'key', connectionId: 'c1', model: 'Item' };
const done = { body: canned.success };

const listed = (form, config) => ({
  method: 'listRecords',
  form,
  official: (nango) => nango.listRecords({ ...need, ...config }),
  call: { ...need, ...config },
  answer: { body: canned.records },
});

const missing = (method) => ['model', 'providerConfigKey', 'connectionId'].map((field) => ({
  method,
  form: `no ${field}`,
  official: (nango) => nango[method]({ ...need, [field]: undefined }),
  call: { ...need, [field]: undefined },
  error: `${field} is missing and is required to make a proxy call!`,
}));

const trigger = (form, args, call, more = {}) => ({
  method: 'triggerSync',
  form,
  official: (nango) => nango.triggerSync('key', ...args),
  call: { providerConfigKey: 'key', ...call },
  answer: done,
  ...more,
});

const steered = (method) => [
  { method, form: 'one connection', official: (nango) => nango[method]('key', ['a', 'b'], 'c 1'), call: { providerConfigKey: 'key', syncs: ['a', 'b'], connectionId: 'c 1' }, answer: done },
  { method, form: 'all connections', official: (nango) => nango[method]('key', ['a']), call: { providerConfigKey: 'key', syncs: ['a'] }, answer: done },
  { method, form: 'a variant', official: (nango) => nango[method]('key', [{ name: 'a', variant: 'v' }, 'b']), call: { providerConfigKey: 'key', syncs: [{ name: 'a', variant: 'v' }, 'b'] }, answer: done },
  { method, form: 'plain text as answer', official: (nango) => nango[method]('key', ['a']), call: { providerConfigKey: 'key', syncs: ['a'] }, answer: { headers: { 'content-type': 'text/html' }, body: 'OK' } },
  { method, form: 'no key', official: (nango) => nango[method]('', ['a']), call: { providerConfigKey: '', syncs: ['a'] }, error: 'Provider Config Key is required' },
];

const status = (form, args, call) => ({
  method: 'syncStatus',
  form,
  official: (nango) => nango.syncStatus(...args),
  call,
  answer: { body: canned.states },
});

const variant = { name: 'my sync', variant: 'v 1', provider_config_key: 'key', connection_id: 'c1' };

const acted = (form, input, more = {}) => ({
  method: 'triggerAction',
  form,
  official: (nango) => nango.triggerAction('key', 'c1', 'act', input),
  call: { providerConfigKey: 'key', connectionId: 'c1', actionName: 'act', input },
  answer: { body: { any: ['result', 1] } },
  ...more,
});

export const syncs = [
  listed('plain', {}),
  listed('model with odd characters', { model: 'I tem&é' }),
  listed('everything', { variant: 'v 1', modifiedAfter: '2026-01-02T03:04:05.678+01:00', limit: 10, filter: 'added,updated', cursor: 'a+/=', ids: ['1', 'two three'] }),
  listed('delta', { delta: '2026-01-02' }),
  listed('delta and modifiedAfter', { delta: '2026-01-02', modifiedAfter: '2026-01-03' }),
  listed('ids alone', { ids: ['a&b'] }),
  ...missing('listRecords'),
  {
    method: 'pruneRecords',
    form: 'plain',
    official: (nango) => nango.pruneRecords({ ...need, untilCursor: 'c+=' }),
    call: { ...need, untilCursor: 'c+=' },
    answer: { body: canned.pruned },
    returned: (official, answer) => assert.deepEqual(answer.typed, official),
  },
  {
    method: 'pruneRecords',
    form: 'variant and limit',
    official: (nango) => nango.pruneRecords({ ...need, untilCursor: 'c', variant: 'v', limit: 5 }),
    call: { ...need, untilCursor: 'c', variant: 'v', limit: 5 },
    answer: { body: { count: 0, has_more: false } },
    returned: (official, answer) => assert.deepEqual(answer.typed, official),
  },

  trigger('all syncs', [], { plain: true }),
  trigger('some syncs', [['a', 'b'], 'c 1'], { syncs: ['a', 'b'], connectionId: 'c 1' }),
  trigger('a variant', [[{ name: 'a', variant: 'v' }], 'c1'], { syncs: [{ name: 'a', variant: 'v' }], connectionId: 'c1' }),
  trigger('opts: reset and empty cache', [['a'], 'c1', { reset: true, emptyCache: true }], { syncs: ['a'], connectionId: 'c1', opts: { reset: true, emptyCache: true } }),
  trigger('opts: neither', [['a'], undefined, {}], { syncs: ['a'], opts: { reset: false, emptyCache: false } }),
  trigger('sync_mode', [['a'], 'c1', 'full_refresh_and_clear_cache'], { syncs: ['a'], connectionId: 'c1', syncMode: 'full_refresh_and_clear_cache' }),
  trigger('sync_mode: true', [['a'], 'c1', true], { syncs: ['a'], connectionId: 'c1', syncMode: 'full_refresh' }),
  trigger('sync_mode: false', [['a'], 'c1', false], { syncs: ['a'], connectionId: 'c1', syncMode: 'incremental' }),
  trigger('sync_mode of 0.58', [['a'], 'c1'], { syncs: ['a'], connectionId: 'c1', syncMode: 'incremental' }, { version: '0.58.7' }),
  trigger('full_resync of 0.48: true', [['a'], 'c1', true], { syncs: ['a'], connectionId: 'c1', fullResync: true }, { version: '0.48.4' }),
  trigger('full_resync of 0.48: false', [undefined, undefined, false], { fullResync: false }, { version: '0.48.4' }),
  trigger('full_resync of 0.48: left out', [['a'], 'c1'], { syncs: ['a'], connectionId: 'c1' }, { version: '0.48.4' }),
  trigger('plain text as answer', [['a']], { syncs: ['a'] }, { answer: { headers: { 'content-type': 'text/html; charset=utf-8' }, body: 'OK' } }),
  ...steered('startSync'),
  ...steered('pauseSync'),
  status('all', ['key', '*'], { providerConfigKey: 'key', syncs: '*' }),
  status('some of one connection', ['k y', ['a', 'b c'], 'c 1'], { providerConfigKey: 'k y', syncs: ['a', 'b c'], connectionId: 'c 1' }),
  status('variants', ['key', [{ name: 'a', variant: 'v' }, { name: 'b' }, 'c'], 'c1'], { providerConfigKey: 'key', syncs: [{ name: 'a', variant: 'v' }, { name: 'b' }, 'c'], connectionId: 'c1' }),
  { method: 'syncStatus', form: 'no key', official: (nango) => nango.syncStatus('', '*'), call: { syncs: '*' }, error: 'Provider Config Key is required' },
  ...[
    ['a text', 'every 2 hours'],
    ['back to the script\'s own', null],
  ].map(([form, frequency]) => ({
    method: 'updateSyncConnectionFrequency',
    form,
    official: (nango) => nango.updateSyncConnectionFrequency('key', 's', 'c1', frequency),
    call: { providerConfigKey: 'key', sync: 's', connectionId: 'c1', frequency },
    answer: { body: canned.frequency },
  })),
  {
    method: 'updateSyncConnectionFrequency',
    form: 'a variant',
    official: (nango) => nango.updateSyncConnectionFrequency('key', { name: 's', variant: 'v' }, 'c1', 'every hour'),
    call: { providerConfigKey: 'key', sync: { name: 's', variant: 'v' }, connectionId: 'c1', frequency: 'every hour' },
    answer: { body: canned.frequency },
  },
  { method: 'updateSyncConnectionFrequency', form: 'no key', official: (nango) => nango.updateSyncConnectionFrequency('', 's', 'c1', null), call: { sync: 's', connectionId: 'c1' }, error: 'Provider Config Key is required' },
  { method: 'updateSyncConnectionFrequency', form: 'no sync', official: (nango) => nango.updateSyncConnectionFrequency('key', '', 'c1', null), call: { providerConfigKey: 'key', connectionId: 'c1' }, error: 'Sync is required' },
  { method: 'createSyncVariant', official: (nango) => nango.createSyncVariant(variant), call: variant, answer: { body: canned.variant } },
  { method: 'deleteSyncVariant', official: (nango) => nango.deleteSyncVariant(variant), call: variant, answer: done },
  { method: 'getScriptsConfig', form: 'plain', official: (nango) => nango.getScriptsConfig(), call: {}, answer: { body: canned.scripts } },
  { method: 'getScriptsConfig', form: 'openai', official: (nango) => nango.getScriptsConfig('openai'), call: { format: 'openai' }, answer: { body: { data: [] } } },
  { method: 'getEnvironmentVariables', official: (nango) => nango.getEnvironmentVariables(), call: {}, answer: { body: canned.variables } },
  {
    method: 'getEnvironmentVariables',
    form: 'empty answer',
    official: (nango) => nango.getEnvironmentVariables(),
    call: {},
    answer: { body: '' },
    returned: (official, answer) => assert.deepEqual(answer.typed.items, official),
  },

  acted('an object', { a: 'é', b: [1] }),
  acted('no input', undefined),
  acted('null', null),
  acted('a text', 'just text'),
  acted('a number', 17),
  acted('text as answer', {}, { answer: { headers: { 'content-type': 'text/plain' }, body: 'plain ☃' } }),
  acted('empty answer', {}, { answer: { status: 204 } }),
  {
    method: 'triggerActionAsync',
    official: (nango) => nango.triggerActionAsync('key', 'c 1', 'act', { a: 1 }),
    call: { providerConfigKey: 'key', connectionId: 'c 1', actionName: 'act', input: { a: 1 } },
    answer: { body: canned.asyncAction },
  },
  { method: 'triggerActionAsync', form: 'no input', official: (nango) => nango.triggerActionAsync('key', 'c1', 'act'), call: { providerConfigKey: 'key', connectionId: 'c1', actionName: 'act' }, answer: { body: canned.asyncAction } },
  { method: 'getAsyncActionResult', form: 'by id', official: (nango) => nango.getAsyncActionResult({ id: 'i d' }), call: { id: 'i d' }, answer: { body: { x: 1 } } },
  { method: 'getAsyncActionResult', form: 'by address', official: (nango) => nango.getAsyncActionResult({ statusUrl: '/action/abc?x=1' }), call: { statusUrl: '/action/abc?x=1' }, answer: { body: [1] } },
  { method: 'getAsyncActionResult', form: 'by both', official: (nango) => nango.getAsyncActionResult({ id: 'i', statusUrl: '/action/abc' }), call: { id: 'i', statusUrl: '/action/abc' }, answer: { body: null } },
  { method: 'getAsyncActionResult', form: 'by nothing', official: (nango) => nango.getAsyncActionResult({}), call: {}, error: 'Either id or statusUrl must be provided' },
];
