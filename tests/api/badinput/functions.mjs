// SPDX-License-Identifier: Apache-2.0
// Wrong input for the routes of functions as TypeScript, in the form of rows.mjs.

const long = 'x'.repeat(256);
const uuid = '11111111-1111-4111-8111-111111111111';
const code = 'export default {};';
const post = (what, body, ...wanted) => ['POST', `/functions/${what}`, body === undefined ? {} : { body }, 400, 'invalid_body', ...wanted];
const dry = { integration_id: 'key', function_type: 'action', code, connection_id: 'c1' };
const deployment = { type: 'function', integration_id: 'key', function_name: 'f', function_type: 'action', code };
const invocation = { connection_id: 'c1', integration_id: 'key', name: 'swept', invocation_type: 'wait' };
const artifact = {
  name: 'f', integrationId: 'key', description: '', trigger: { kind: 'none' }, requires: {}, limits: {}, model_schema_refs: [], json_schema: {}, fileBody: { js: 'a', ts: 'b' },
  capabilities: { usesRecords: false, usesOutbound: true, usesCheckpoints: false, usesMetadata: false, usesInvoke: false },
  input_schema_ref: null, output_schema_ref: null, metadata_schema_ref: null, checkpoint_schema_ref: null,
};
export const bundle = (more = {}) => ({ reconciliationScope: { kind: 'environment' }, functions: [{ ...artifact, ...more }] });
const bundles = ['deployments/bundle', 'deployments/bundle/preview'];
const wrong = (more, ...at) => bundles.map((what) => post(what, bundle(more), ['functions', '0', ...at]));
const ids = ['dryruns', 'deployments', 'invocations'];
const without = (body, name) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));
const each = (what, body, names) => names.map((name) => post(what, without(body, name), [name]));

export const functions = {
  missing: [
    post('compile', undefined, []),
    post('compile', {}, ['code']),
    post('compile', { code: '' }, ['code']),
    post('dryruns', undefined, []),
    ...each('dryruns', dry, ['integration_id', 'function_type', 'code', 'connection_id']),
    post('deployments', undefined, []),
    ...each('deployments', deployment, ['integration_id', 'function_name', 'function_type', 'code']),
    ...bundles.flatMap((what) => [post(what, undefined, []), post(what, {}, ['reconciliationScope']), post(what, { reconciliationScope: { kind: 'integration' }, functions: [] }, ['reconciliationScope', 'integrationId'])]),
    ...Object.keys(artifact).flatMap((name) => wrong({ [name]: undefined }, name)),
    ...wrong({ output_schema_ref: '#/definitions/Nope' }, 'json_schema', 'definitions'),
    ['POST', '/functions/deployments/bundle', { body: bundle({ integrationId: 'nope' }) }, 400, 'integration_not_found'],
    post('invocations', undefined, []),
    ...each('invocations', invocation, ['connection_id', 'integration_id', 'name', 'invocation_type']),
    ['POST', '/functions/dryruns', { body: { ...dry, integration_id: 'nope' } }, 404, 'integration_not_found'],
    ['POST', '/functions/dryruns', { body: { ...dry, connection_id: 'nobody' } }, 404, 'connection_not_found'],
    ['POST', '/functions/deployments', { body: { ...deployment, integration_id: 'nope' } }, 404, 'integration_not_found'],
    ['POST', '/functions/invocations', { body: { ...invocation, connection_id: 'nobody' } }, 404, 'connection_not_found'],
    ['POST', '/functions/invocations', { body: { ...invocation, name: 'nope' } }, 404, 'unknown_function'],
    ['GET', `/functions/dryruns/${uuid}`, {}, 404, 'dryrun_not_found'],
    ['GET', `/functions/deployments/${uuid}`, {}, 404, 'deployment_not_found'],
    ['GET', `/functions/invocations/${uuid}`, {}, 404, 'not_found'],
  ],
  malformed: [
    post('compile', { code, more: 1 }, []),
    post('dryruns', { ...dry, function_type: 'webhook' }, ['function_type']),
    post('dryruns', { ...dry, integration_id: '..' }, ['integration_id']),
    post('dryruns', { ...dry, last_sync_date: '2026-01-01' }, ['last_sync_date']),
    post('dryruns', { ...dry, connection_id: 'a?b' }, ['connection_id']),
    post('deployments', { ...deployment, type: 'thing' }, ['type']),
    post('deployments', { ...deployment, function_name: 'a b' }, ['function_name']),
    ...wrong({ name: 'a b' }, 'name'),
    ...wrong({ integrationId: 'a?b' }, 'integrationId'),
    ...wrong({ trigger: { kind: 'moon' } }, 'trigger', 'kind'),
    ...wrong({ input_schema_ref: 'Name' }, 'input_schema_ref'),
    ...wrong({ requires: { outbound: false } }, 'capabilities', 'usesOutbound'),
    ...wrong({ limits: { concurrency: { perConnection: 7 } } }, 'limits', 'concurrency', 'perConnection'),
    ...bundles.map((what) => post(what, { ...bundle(), reconciliationScope: { kind: 'moon' } }, ['reconciliationScope', 'kind'])),
    ...bundles.map((what) => ['POST', `/functions/${what}?a=b`, { body: bundle() }, 400, 'invalid_query_params', []]),
    post('invocations', { ...invocation, invocation_type: 'later' }, ['invocation_type']),
    ...ids.map((what) => ['GET', `/functions/${what}/nope`, {}, 400, 'invalid_uri_params', ['id']]),
    ['POST', '/functions/compile?a=b', { body: { code } }, 400, 'invalid_query_params', []],
  ],
  oversized: [
    ['POST', '/functions/compile', { body: { code: 'x'.repeat((1 << 20) + 1) } }, 413, 'request_too_large'],
    ['POST', '/functions/dryruns', { body: { ...dry, code: 'x'.repeat((1 << 20) + 1) } }, 413, 'request_too_large'],
    post('dryruns', { ...dry, connection_id: long }, ['connection_id']),
    post('deployments', { ...deployment, function_name: long }, ['function_name']),
    ...wrong({ name: long }, 'name'),
    ...wrong({ description: 'x'.repeat(2001) }, 'description'),
    ['POST', '/functions/deployments/bundle', { body: { ...bundle(), functions: Array(10_001).fill(artifact) } }, 413, 'request_too_large'],
    post('invocations', { ...invocation, name: long }, ['name']),
    ...ids.map((what) => ['GET', `/functions/${what}/${long}`, {}, 400, 'invalid_uri_params', ['id']]),
  ],
  type: [
    post('compile', [], []),
    post('compile', { code: 5 }, ['code']),
    post('dryruns', { ...dry, metadata: [] }, ['metadata']),
    post('dryruns', { ...dry, checkpoint: 'x' }, ['checkpoint']),
    post('dryruns', { ...dry, last_sync_date: 5 }, ['last_sync_date']),
    post('deployments', { ...deployment, allow_destructive: 'yes' }, ['allow_destructive']),
    post('deployments', { ...deployment, version: 1 }, ['version']),
    ...wrong({ fileBody: 'x' }, 'fileBody'),
    ...wrong({ json_schema: [] }, 'json_schema'),
    ...wrong({ model_schema_refs: 'x' }, 'model_schema_refs'),
    ...wrong({ input_schema_ref: 5 }, 'input_schema_ref'),
    ...bundles.map((what) => post(what, { ...bundle(), functions: {} }, ['functions'])),
    post('invocations', { ...invocation, options: 'x' }, ['options']),
    ...ids.map((what) => ['GET', `/functions/${what}/%ff`, {}, 400, 'invalid_uri_params', ['id']]),
  ],
};
