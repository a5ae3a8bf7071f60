// SPDX-License-Identifier: Apache-2.0
// Wrong input for the routes of scripts, in the form of rows.mjs. What makes a deploy be refused as a
// whole is also in deploy.test.mjs.

import { action, confirmation, deploy, onEvents, sync } from '../lib/scripts.mjs';

const long = 'x'.repeat(256);
const json = { 'Content-Type': 'application/json' };
const deploys = ['/sync/deploy', '/sync/deploy/confirmation'];
const functions = '/integrations/key/functions';

// Both routes take the same flows.
const bodies = (...rows) =>
  deploys.flatMap((at, i) => rows.map(([body, code, path, status = 400]) => ['POST', at, { body: i === 0 ? { nangoYamlBody: '', ...body } : body }, status, code, path]));
const flow = (more) => confirmation([{ ...action('key', 'a'), ...more }]);
const event = (more) => confirmation([], { onEventScriptsByProvider: [{ ...onEvents('key', { setup: 'post-connection-creation' }), ...more }] });
const early = (...syncs) => ({ syncs, reconcile: false, debug: false });
const at = (...path) => ['flowConfigs', '0', ...path];

export const scripts = {
  missing: [
    ...deploys.flatMap((target) => [
      ['POST', target, {}, 400, 'invalid_body', []],
      ['POST', target, { body: {} }, 400, 'invalid_body', ['flowConfigs']],
      ['POST', target, { key: null, body: {} }, 401, 'missing_auth_header'],
    ]),
    ['POST', '/sync/deploy', { body: confirmation([]) }, 400, 'invalid_body', ['nangoYamlBody']],
    ...bodies(
      [confirmation([], { reconcile: undefined }), 'invalid_body', ['reconcile']],
      [confirmation([], { debug: undefined }), 'invalid_body', ['debug']],
      [flow({ type: undefined }), 'invalid_body', at('type')],
      [flow({ syncName: undefined }), 'invalid_body', at('syncName')],
      [flow({ syncName: '' }), 'invalid_body', at('syncName')],
      [flow({ providerConfigKey: undefined }), 'invalid_body', at('providerConfigKey')],
      [flow({ models: undefined }), 'invalid_body', at('models')],
      [flow({ fileBody: undefined }), 'invalid_body', at('fileBody')],
      [flow({ fileBody: { js: 'x' } }), 'invalid_body', at('fileBody', 'ts')],
      [flow({ fileBody: { js: '', ts: '' } }), 'missing_required_fields_on_deploy'],
      [flow({ type: 'sync' }), 'missing_required_fields_on_deploy'],
      [flow({ type: 'sync', runs: '' }), 'missing_required_fields_on_deploy'],
      [flow({ providerConfigKey: 'nope' }), 'unknown_provider_config'],
      [flow({ models: ['Nope'] }), 'deploy_missing_json_schema_model'],
      [flow({ input: 'Nope' }), 'deploy_missing_json_schema_model'],
      [event({ scripts: undefined }), 'invalid_body', ['onEventScriptsByProvider', '0', 'scripts']],
      [event({ providerConfigKey: undefined }), 'invalid_body', ['onEventScriptsByProvider', '0', 'providerConfigKey']],
      [event({ providerConfigKey: 'nope' }), 'unknown_provider_config'],
      [early({}), 'invalid_body', ['syncs', '0', 'syncName']],
      [early({ syncName: 'a', providerConfigKey: 'key', type: 'action' }), 'missing_required_fields_on_deploy'],
    ),
    ['GET', '/integrations/nope/functions', {}, 404, 'not_found'],
    ['GET', `${functions}?search=`, {}, 400, 'invalid_query_params', ['search']],
    ['GET', `${functions}/nope`, {}, 404, 'not_found'],
    ['GET', '/integrations/nope/functions/a', {}, 404, 'not_found'],
    ['GET', `${functions}/nope/code`, {}, 404, 'not_found'],
    ['GET', `${functions}/nope/versions`, {}, 404, 'not_found'],
    ['POST', `${functions}/nope/versions/1/activate`, {}, 404, 'not_found'],
    ['POST', `${functions}/swept/versions/999999999/activate?type=sync`, {}, 404, 'not_found'],
    ['DELETE', `${functions}/nope`, {}, 400, 'invalid_query_params', ['type']],
    ['DELETE', `${functions}/nope?type=sync`, {}, 404, 'not_found'],
    ['GET', '/sync/provider', {}, 400, 'missing_sync_name'],
    ['GET', '/sync/provider?syncName=', {}, 400, 'missing_sync_name'],
    ['GET', '/sync/provider?syncName=nope', {}, 404, 'not_found'],
    ['GET', '/flow/attributes', {}, 400, 'missing_provider_config_key'],
    ['GET', '/flow/attributes?providerConfigKey=key', {}, 400, 'missing_sync_name'],
    ['GET', '/flow/attributes?providerConfigKey=key&syncName=nope', {}, 404, 'not_found'],
  ],

  malformed: [
    ...deploys.flatMap((target) => [
      ['POST', target, { body: '{', headers: json }, 400, 'invalid_json'],
      ['POST', target, { body: '{}', headers: { 'Content-Type': 'text/plain' } }, 415, 'invalid_content_type'],
      ['POST', `${target}?x=1`, { body: deploy([]) }, 400, 'invalid_query_params', []],
      ...['0.36.0', '0.39.24', '0.39', '0', 'x', ''].map((version) => [
        'POST', target, { body: deploy([]), headers: { 'User-Agent': `nango-cli/${version} (linux/6; node.js/20)` } }, 400, 'invalid_cli_version',
      ]),
    ]),
    ...bodies(
      [confirmation([], { nope: 1 }), 'invalid_body', []],
      [confirmation([], { deployMode: 'some' }), 'invalid_body', ['deployMode']],
      [confirmation([], { source: 'elsewhere' }), 'invalid_body', ['source']],
      ...['1', '1.2.3', '1.2.3-old', '1.2-zero', 'a.b.c-zero', '1.2.3-zero-x'].map((sdkVersion) => [confirmation([], { sdkVersion }), 'invalid_body', ['sdkVersion']]),
      [flow({ type: 'webhook' }), 'invalid_body', at('type')],
      [flow({ syncName: 'a b' }), 'invalid_body', at('syncName')],
      [flow({ providerConfigKey: 'a/b' }), 'invalid_body', at('providerConfigKey')],
      [flow({ features: ['flight'] }), 'invalid_body', at('features', '0')],
      [flow({ sync_type: 'half' }), 'invalid_body', at('sync_type')],
      ...['sometimes', 'every', 'every 2 weeks', 'every -1h', '1.5h', 'every  2  h', ' every hour', 'EVERY HOUR'].map((runs) => [flow({ type: 'sync', runs }), 'invalid_body', at('runs')]),
      [flow({ type: 'sync', runs: 'every 29s' }), 'sync_interval_too_short'],
      [flow({ type: 'sync', runs: 'every 0 hours' }), 'sync_interval_too_short'],
      [flow({ type: 'sync', runs: 'every 32 days' }), 'sync_interval_invalid'],
      [flow({ endpoints: [{}] }), 'invalid_body', undefined],
      [flow({ endpoints: [{ method: 'BREW', path: '/a' }] }), 'invalid_body', undefined],
      [flow({ endpoints: [{ GET: '' }] }), 'invalid_body', undefined],
      [confirmation([sync('key', 'a', { models: ['item'] })]), 'invalid_body', undefined],
      [confirmation([sync('key', 'a', { sync_type: 'incremental', track_deletes: true })]), 'invalid_body', undefined],
      [confirmation([action('key', 'a'), action('key', 'a')]), 'invalid_body', undefined],
      [confirmation([action('key', 'a'), action('key', 'b', { endpoints: [{ POST: '/a' }] })]), 'invalid_body', undefined],
      [confirmation([sync('key', 'a'), sync('key', 'b')]), 'invalid_body', undefined],
      [confirmation([], { onEventScriptsByProvider: [onEvents('key', { setup: 'birthday' })] }), 'invalid_body', ['onEventScriptsByProvider', '0', 'scripts', '0', 'event']],
      [early({ syncName: 'a/b' }), 'invalid_body', ['syncs', '0', 'syncName']],
    ),
    ['GET', `${functions}?type=nope`, {}, 400, 'invalid_query_params', ['type']],
    ['GET', `${functions}?page=-1`, {}, 400, 'invalid_query_params', ['page']],
    ['GET', `${functions}?limit=0`, {}, 400, 'invalid_query_params', ['limit']],
    ['GET', `${functions}?nope=1`, {}, 400, 'invalid_query_params', []],
    ['GET', '/integrations/a%3Fb/functions', {}, 400, 'invalid_uri_params', ['uniqueKey']],
    ['GET', `${functions}/a%20b`, {}, 400, 'invalid_uri_params', ['name']],
    ['GET', `${functions}/a?type=nope`, {}, 400, 'invalid_query_params', ['type']],
    ['GET', `${functions}/a%20b/code`, {}, 400, 'invalid_uri_params', ['name']],
    ['GET', `${functions}/a/code?nope=1`, {}, 400, 'invalid_query_params', []],
    ['GET', `${functions}/a/versions?nope=1`, {}, 400, 'invalid_query_params', []],
    ['GET', `${functions}/a%20b/versions`, {}, 400, 'invalid_uri_params', ['name']],
    ['POST', `${functions}/a/versions/latest/activate`, {}, 400, 'invalid_uri_params', ['version']],
    ['POST', `${functions}/a/versions/0/activate`, {}, 400, 'invalid_uri_params', ['version']],
    ['DELETE', `${functions}/a?type=on-event`, {}, 400, 'invalid_query_params', ['type']],
    ['DELETE', `${functions}/a%20b?type=sync`, {}, 400, 'invalid_uri_params', ['name']],
    ['GET', '/sync/provider?syncName=%00', {}, 404, 'not_found'],
    ['GET', '/flow/attributes?providerConfigKey=%2F&syncName=%2F', {}, 404, 'not_found'],
  ],

  oversized: [
    ...bodies(
      [flow({ syncName: long }), 'invalid_body', at('syncName')],
      [flow({ providerConfigKey: long }), 'invalid_body', at('providerConfigKey')],
      [flow({ input: long }), 'invalid_body', at('input')],
      [flow({ models: [long] }), 'invalid_body', at('models', '0')],
      [flow({ metadata: { description: 'x'.repeat(2001) } }), 'invalid_body', at('metadata', 'description')],
      [confirmation(Array.from({ length: 10_001 }, (_, i) => action('key', `a${i}`, { fileBody: { js: 'x', ts: '' } }))), 'request_too_large', undefined, 413],
    ),
    ['GET', `${functions}?limit=101`, {}, 400, 'invalid_query_params', ['limit']],
    ['GET', `${functions}/${long}/versions`, {}, 400, 'invalid_uri_params', ['name']],
    ['POST', `${functions}/a/versions/99999999999999999999/activate`, {}, 400, 'invalid_uri_params', ['version']],
    ['GET', `${functions}?search=${long}`, {}, 400, 'invalid_query_params', ['search']],
    ['GET', `${functions}/${long}`, {}, 400, 'invalid_uri_params', ['name']],
    ['GET', `${functions}/${long}/code`, {}, 400, 'invalid_uri_params', ['name']],
    ['DELETE', `${functions}/${long}?type=sync`, {}, 400, 'invalid_uri_params', ['name']],
    ['GET', `/sync/provider?syncName=${long}`, {}, 404, 'not_found'],
    ['GET', `/flow/attributes?providerConfigKey=key&syncName=${long}`, {}, 404, 'not_found'],
  ],

  type: [
    ...bodies(
      [confirmation('x'), 'invalid_body', ['flowConfigs']],
      [confirmation([5]), 'invalid_body', ['flowConfigs', '0']],
      [confirmation([], { reconcile: 'true' }), 'invalid_body', ['reconcile']],
      [confirmation([], { jsonSchema: [] }), 'invalid_body', ['jsonSchema']],
      [confirmation([], { onEventScriptsByProvider: {} }), 'invalid_body', ['onEventScriptsByProvider']],
      [flow({ models: 'Out' }), 'invalid_body', at('models')],
      [flow({ runs: 5 }), 'invalid_body', at('runs')],
      [flow({ endpoints: {} }), 'invalid_body', at('endpoints')],
      [flow({ fileBody: { js: 1, ts: 2 } }), 'invalid_body', at('fileBody', 'js')],
      [flow({ metadata: { scopes: 'a' } }), 'invalid_body', at('metadata', 'scopes')],
      [flow({ model_schema: 5 }), 'invalid_body', at('model_schema')],
      [flow({ auto_start: 'yes' }), 'invalid_body', at('auto_start')],
      [{ syncs: {}, reconcile: false, debug: false }, 'invalid_body', ['syncs']],
    ),
    ['GET', `${functions}?limit=x`, {}, 400, 'invalid_query_params', ['limit']],
    ['GET', `${functions}/a?type[]=sync`, {}, 400, 'invalid_query_params', ['type']],
    ['GET', `${functions}/a/code?type[]=sync`, {}, 400, 'invalid_query_params', ['type']],
    ['DELETE', `${functions}/a?type[]=sync`, {}, 400, 'invalid_query_params', ['type']],
    ['GET', '/sync/provider?syncName[]=a', {}, 400, 'missing_sync_name'],
    ['GET', '/flow/attributes?providerConfigKey[]=a&syncName=a', {}, 400, 'missing_provider_config_key'],
    ['GET', `${functions}/%ff/versions`, {}, 400, 'invalid_uri_params', ['name']],
    ['POST', `${functions}/a/versions/1.5/activate`, {}, 400, 'invalid_uri_params', ['version']],
  ],
};
