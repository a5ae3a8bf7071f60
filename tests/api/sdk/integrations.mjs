// SPDX-License-Identifier: Apache-2.0
// Integrations, functions, providers: the newest client and libnango.

import assert from 'node:assert/strict';

import * as canned from './canned.mjs';

const one = { body: canned.integration };

const written = (form, official, call = { body: official }) => ({
  method: 'createIntegration',
  form,
  official: (nango) => nango.createIntegration(official),
  call,
  answer: one,
});

const full = {
  provider: 'github',
  unique_key: 'key',
  display_name: 'Git "Hub" é',
  forward_webhooks: false,
  credentials: { type: 'OAUTH2', client_id: 'ci', client_secret: 'cs', scopes: 'a,b', webhook_secret: 'ws' },
  integration_config: { a: 'b' },
  custom: { c: 'd' },
};

const include = (form, queries, call, differs) => ({
  method: 'getIntegration',
  form,
  official: (nango) => nango.getIntegration({ uniqueKey: 'key' }, queries),
  call: { uniqueKey: 'key', ...call },
  answer: one,
  differs,
});

export const integrations = [
  {
    method: 'listIntegrations',
    official: (nango) => nango.listIntegrations(),
    call: {},
    answer: { body: canned.integrations },
    returned: (official, answer) => assert.deepEqual({ configs: answer.result.data }, official),
  },
  { method: 'getIntegration', form: 'plain', official: (nango) => nango.getIntegration({ uniqueKey: 'key' }), call: { uniqueKey: 'key' }, answer: one },
  { method: 'getIntegration', form: 'key with spaces', official: (nango) => nango.getIntegration({ uniqueKey: 'k e:y@~' }), call: { uniqueKey: 'k e:y@~' }, answer: one },
  include('with credentials', { include: ['credentials'] }, { credentials: true }),
  include('with the webhook address', { include: ['webhook'] }, { webhook: true }),
  include('with both', { include: ['webhook', 'credentials'] }, { webhook: true, credentials: true }, {
    why: 'the official client sends only the last element of an array (node-sdk.md section 2)',
    query: ['include=credentials', 'include=webhook&include=credentials'],
  }),
  written('the least', { provider: 'github', unique_key: 'key' }),
  written('everything', full),
  written('APP', { provider: 'github-app', unique_key: 'key', credentials: { type: 'APP', app_id: '1', app_link: 'https://example.com', private_key: '-----BEGIN\nX\n-----END' } }),
  written('CUSTOM', { provider: 'x', unique_key: 'key', credentials: { type: 'CUSTOM', client_id: 'ci', client_secret: 'cs', app_id: '1', app_link: 'l', private_key: 'p' } }),
  written('by JSON', { provider: 'github', unique_key: 'key', odd: [1, null] }, { json: { provider: 'github', unique_key: 'key', odd: [1, null] } }),
  {
    method: 'createQuickstartIntegration',
    official: (nango) => nango.createQuickstartIntegration({ provider: 'github', unique_key: 'key', display_name: 'G', forward_webhooks: true }),
    call: { body: { provider: 'github', unique_key: 'key', display_name: 'G', forward_webhooks: true } },
    answer: one,
  },
  {
    method: 'createQuickstartIntegration',
    form: 'by JSON',
    official: (nango) => nango.createQuickstartIntegration({ provider: 'github' }),
    call: { json: { provider: 'github' } },
    answer: one,
  },
  {
    method: 'updateIntegration',
    form: 'a new key and name',
    official: (nango) => nango.updateIntegration({ uniqueKey: 'k ey' }, { unique_key: 'new', display_name: 'N' }),
    call: { uniqueKey: 'k ey', body: { unique_key: 'new', display_name: 'N' } },
    answer: one,
  },
  {
    method: 'updateIntegration',
    form: 'everything',
    official: (nango) => nango.updateIntegration({ uniqueKey: 'key' }, { ...full, provider: undefined }),
    call: { uniqueKey: 'key', body: full },
    answer: one,
  },
  {
    method: 'updateIntegration',
    form: 'by JSON',
    official: (nango) => nango.updateIntegration({ uniqueKey: 'key' }, { custom: null }),
    call: { uniqueKey: 'key', json: { custom: null } },
    answer: one,
  },
  { method: 'deleteIntegration', official: (nango) => nango.deleteIntegration('k ey'), call: { uniqueKey: 'k ey' }, answer: { body: canned.success } },

  { method: 'listFunctions', form: 'all', official: (nango) => nango.listFunctions({ uniqueKey: 'k ey' }), call: { uniqueKey: 'k ey', plain: true }, answer: { body: canned.functions } },
  {
    method: 'listFunctions',
    form: 'some',
    official: (nango) => nango.listFunctions({ uniqueKey: 'key' }, { type: 'sync', search: 'a b&c', page: 2, limit: 10 }),
    call: { uniqueKey: 'key', type: 'sync', search: 'a b&c', page: 2, limit: 10 },
    answer: { body: canned.functions },
  },
  { method: 'getFunction', form: 'by name', official: (nango) => nango.getFunction({ uniqueKey: 'key', name: 'my fn' }), call: { uniqueKey: 'key', name: 'my fn' }, answer: { body: { data: canned.functions.data[0] } } },
  { method: 'getFunction', form: 'by name and type', official: (nango) => nango.getFunction({ uniqueKey: 'key', name: 'fn' }, { type: 'on-event' }), call: { uniqueKey: 'key', name: 'fn', type: 'on-event' }, answer: { body: { data: canned.functions.data[0] } } },
  { method: 'getFunctionCode', form: 'by name', official: (nango) => nango.getFunctionCode({ uniqueKey: 'key', name: 'fn' }), call: { uniqueKey: 'key', name: 'fn' }, answer: { body: { type: 'sync', code: 'export default 1;\n' } } },
  { method: 'getFunctionCode', form: 'by name and type', official: (nango) => nango.getFunctionCode({ uniqueKey: 'key', name: 'fn' }, { type: 'sync' }), call: { uniqueKey: 'key', name: 'fn', type: 'sync' }, answer: { body: { type: 'sync', code: '' } } },
  { method: 'deleteFunction', official: (nango) => nango.deleteFunction({ uniqueKey: 'key', name: 'f n' }, { type: 'sync' }), call: { uniqueKey: 'key', name: 'f n', type: 'sync' }, answer: { body: canned.success } },

  { method: 'listProviders', form: 'all', official: (nango) => nango.listProviders({}), call: {}, answer: { body: canned.providers } },
  { method: 'listProviders', form: 'searched', official: (nango) => nango.listProviders({ search: 'git hub&*~' }), call: { search: 'git hub&*~' }, answer: { body: canned.providers } },
  { method: 'getProvider', official: (nango) => nango.getProvider({ provider: 'github' }), call: { provider: 'github' }, answer: { body: canned.provider } },
  { method: 'getProvider', form: 'odd name', official: (nango) => nango.getProvider({ provider: 'a b-ü' }), call: { provider: 'a b-ü' }, answer: { body: canned.provider } },
  { method: 'getProviderTemplates', official: (nango) => nango.getProviderTemplates({ provider: 'git hub' }), call: { provider: 'git hub' }, answer: { body: canned.templates } },
];
