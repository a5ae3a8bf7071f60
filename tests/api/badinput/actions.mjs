// SPDX-License-Identifier: Apache-2.0
// Wrong input for the routes of actions, in the form of rows.mjs.

const long = 'x'.repeat(256);
const headers = { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' };
const uuid = '11111111-1111-4111-8111-111111111111';
const body = { action_name: 'swept' };
const trigger = (options, ...wanted) => ['POST', '/action/trigger', options, 400, ...wanted];
const endpoint = (more, ...wanted) => ['GET', '/v1/swept', { headers: { ...headers, ...more } }, 400, ...wanted];

export const actions = {
  missing: [
    trigger({ body }, 'invalid_headers', ['provider-config-key']),
    trigger({ body, headers: { 'Provider-Config-Key': 'key' } }, 'invalid_headers', ['connection-id']),
    trigger({ headers }, 'invalid_body', []),
    trigger({ headers, body: {} }, 'invalid_body', ['action_name']),
    trigger({ headers, body: { action_name: '' } }, 'invalid_body', ['action_name']),
    trigger({ headers: { ...headers, 'Connection-Id': 'nobody' }, body }, 'unknown_connection'),
    trigger({ headers: { ...headers, 'Provider-Config-Key': 'nope' }, body }, 'unknown_connection'),
    ['POST', '/action/trigger', { headers, body: { action_name: 'nope' } }, 404, 'not_found'],
    ['GET', `/action/${uuid}`, {}, 404, 'not_found'],
    ['GET', '/v1/swept', {}, 400, 'invalid_headers', ['provider-config-key']],
    endpoint({ 'Connection-Id': 'nobody' }, 'unknown_connection'),
  ],
  malformed: [
    trigger({ headers, body: { action_name: 'a b' } }, 'invalid_body', ['action_name']),
    trigger({ headers: { ...headers, 'Provider-Config-Key': 'a?b' }, body }, 'invalid_headers', ['provider-config-key']),
    trigger({ headers: { ...headers, 'X-Async': 'maybe' }, body }, 'invalid_headers', ['x-async']),
    trigger({ headers: { ...headers, 'X-Max-Retries': '-1' }, body }, 'invalid_headers', ['x-max-retries']),
    ['GET', '/action/nope', {}, 400, 'invalid_uri_params', ['id']],
    endpoint({ 'Provider-Config-Key': 'a?b' }, 'invalid_headers', ['provider-config-key']),
  ],
  oversized: [
    trigger({ headers, body: { action_name: long } }, 'invalid_body', ['action_name']),
    trigger({ headers: { ...headers, 'X-Max-Retries': '6' }, body }, 'invalid_headers', ['x-max-retries']),
    ['GET', `/action/${long}`, {}, 400, 'invalid_uri_params', ['id']],
    endpoint({ 'Connection-Id': long }, 'invalid_headers', ['connection-id']),
  ],
  type: [
    trigger({ headers, body: { action_name: 5 } }, 'invalid_body', ['action_name']),
    trigger({ headers, body: [] }, 'invalid_body', []),
  ],
};
