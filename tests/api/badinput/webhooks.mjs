// SPDX-License-Identifier: Apache-2.0
// Wrong input for the routes of webhooks that are sent, in the form of rows.mjs.

const long = 'x'.repeat(256);
const list = (query, ...wanted) => ['GET', `/webhooks/deliveries?${query}`, {}, 400, 'invalid_query_params', ...wanted];
const settings = (body, ...wanted) => ['PATCH', '/environment/webhooks', body === undefined ? {} : { body }, 400, 'invalid_body', ...wanted];
const replay = (body, ...wanted) => ['POST', '/webhooks/deliveries/replay', body === undefined ? {} : { body }, 400, 'invalid_body', ...wanted];
const one = (id, ...wanted) => [['GET', ''], ['POST', '/replay']].map(([method, more]) => [method, `/webhooks/deliveries/${id}${more}`, {}, ...wanted]);
const bare = (query) => [
  ['GET', `/environment/webhooks?${query}`, {}, 400, 'invalid_query_params', []],
  ['POST', `/environment/webhook-signing-key/rotate?${query}`, {}, 400, 'invalid_query_params', []],
];

const env = '11111111-1111-4111-8111-111111111111';
const came = (path, ...wanted) => ['POST', `/webhook/${path}`, { body: { a: 1 } }, ...wanted];

export const webhooks = {
  missing: [
    came(`${env}/key`, 404, 'unknown_environment'),
    list('state=', ['state']),
    list('type=', ['type']),
    list('cursor=', ['cursor']),
    settings(undefined, []),
    replay(undefined, []),
    ...one('9999', 404, 'not_found'),
  ],
  malformed: [
    came('nope/key', 400, 'invalid_uri_params', ['environmentUuid']),
    came(`${env}/a%3Fb`, 400, 'invalid_uri_params', ['providerConfigKey']),
    list('state=done', ['state']),
    list('type=auth,sync', ['type']),
    list('limit=ten', ['limit']),
    list('cursor=nope', ['cursor']),
    list('wanted=1', []),
    settings({ primary_url: 'nowhere' }, ['primary_url']),
    settings({ secondary_url: 'ftp://a.example/x' }, ['secondary_url']),
    settings({ primary_url: 'https://api.nango.dev/x' }, ['primary_url']),
    settings({ url: 'https://a.example/x' }, []),
    replay({ since: 'yesterday' }, ['since']),
    replay({ all: true }, []),
    ...one('nope', 400, 'invalid_uri_params', ['id']),
    ...one('0', 400, 'invalid_uri_params', ['id']),
    ['GET', '/webhooks/deliveries/1?x=1', {}, 400, 'invalid_query_params', []],
    ['POST', '/webhooks/deliveries/1/replay?x=1', {}, 400, 'invalid_query_params', []],
    ...bare('x=1'),
  ],
  oversized: [
    came(`${env}/${long}`, 400, 'invalid_uri_params', ['providerConfigKey']),
    list('limit=501', ['limit']),
    list('limit=0', ['limit']),
    list(`integration=${long}`, ['integration']),
    list(`connection=${long}`, ['connection']),
    list('cursor=99999999999999999999', ['cursor']),
    ...one('99999999999999999999', 400, 'invalid_uri_params', ['id']),
    ...bare(`${long}=1`),
  ],
  type: [
    came(`${env}/%ff`, 400, 'invalid_uri_params', ['providerConfigKey']),
    list('state=dead&state=waiting', ['state']),
    list('cursor[]=1', ['cursor']),
    settings({ primary_url: 1 }, ['primary_url']),
    settings({ on_sync_error: 'yes' }, ['on_sync_error']),
    settings({ on_auth_creation: null }, ['on_auth_creation']),
    settings([], []),
    replay({ since: {} }, ['since']),
    replay('text', []),
    ...one('%ff', 400, 'invalid_uri_params', ['id']),
    ...bare('a[b]=1'),
  ],
};
