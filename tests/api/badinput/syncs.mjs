// SPDX-License-Identifier: Apache-2.0
// Wrong input for the routes of syncs and records, in the form of rows.mjs.

const long = 'x'.repeat(256);
const many = Array(257).fill('a');
const keys = { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' };
const cursor = 'MjAyNi0wMS0wMVQwMDowMDowMC4wMDAwMDArMDA6MDB8fDExMTExMTExLTExMTEtNDExMS04MTExLTExMTExMTExMTExMQ==';
const commands = ['trigger', 'start', 'pause'];
const command = (more = {}) => ({ syncs: ['swept'], provider_config_key: 'key', ...more });
const post = (verb, body, ...wanted) => ['POST', `/sync/${verb}`, body === undefined ? {} : { body }, 400, 'invalid_body', ...wanted];
const all = (body, ...wanted) => commands.map((verb) => post(verb, body, ...wanted));
const frequency = (more = {}) => ({ sync_name: 'swept', provider_config_key: 'key', connection_id: 'c1', frequency: 'every hour', ...more });
const put = (body, ...wanted) => ['PUT', '/sync/update-connection-frequency', body === undefined ? {} : { body }, 400, 'invalid_body', ...wanted];
const whose = (more = {}) => ({ provider_config_key: 'key', connection_id: 'c1', ...more });
const verbs = ['POST', 'DELETE'];
const variant = (body, ...wanted) => verbs.map((method) => [method, '/sync/swept/variant/v1', body === undefined ? {} : { body }, 400, 'invalid_body', ...wanted]);
const status = (query, path) => ['GET', `/sync/status${query}`, {}, 400, 'invalid_query_params', path];
const records = (query, path) => ['GET', `/records${query}`, { headers: keys }, 400, 'invalid_query_params', path];
const early = (query, code) => ['GET', `/sync/records${query}`, { headers: keys }, 400, code];
const prune = (body, ...wanted) => ['PATCH', '/records/prune', { headers: keys, ...(body !== undefined && { body }) }, 400, 'invalid_body', ...wanted];

export const syncs = {
  missing: [
    ...all(undefined, []),
    ...all({}, ['syncs']),
    ['POST', '/sync/trigger', { body: { syncs: [] } }, 400, 'missing_provider_config_key'],
    ...['start', 'pause'].map((verb) => post(verb, { syncs: [] }, ['provider_config_key'])),
    ...commands.map((verb) => ['POST', `/sync/${verb}`, { body: command({ syncs: ['nope'] }) }, 400, 'no_syncs_found']),
    ...commands.map((verb) => ['POST', `/sync/${verb}`, { body: command({ connection_id: 'nobody' }) }, 404, 'unknown_connection']),
    ...commands.map((verb) => ['POST', `/sync/${verb}`, { body: command({ provider_config_key: 'nope' }) }, 400, 'unknown_provider_config']),
    status('', ['syncs']),
    status('?syncs=*', ['provider_config_key']),
    ['GET', '/sync/status?syncs=*&provider_config_key=key&connection_id=nobody', {}, 400, 'invalid_body'],
    put(undefined, []),
    put({}, ['sync_name']),
    ...['sync_name', 'provider_config_key', 'connection_id', 'frequency'].map((name) => put(frequency({ [name]: undefined }), [name])),
    ['PUT', '/sync/update-connection-frequency', { body: frequency({ sync_name: 'nope' }) }, 400, 'unknown_sync'],
    ['PUT', '/sync/update-connection-frequency', { body: frequency({ connection_id: 'nobody' }) }, 400, 'unknown_connection'],
    ...variant(undefined, []),
    ...variant({}, ['provider_config_key']),
    ...variant(whose({ connection_id: undefined }), ['connection_id']),
    ['POST', '/sync/nope/variant/v1', { body: whose() }, 400, 'unknown_sync'],
    ['DELETE', '/sync/nope/variant/v1', { body: whose() }, 404, 'not_found'],
    ...verbs.map((method) => [method, '/sync/swept/variant/v1', { body: whose({ connection_id: 'nobody' }) }, 400, 'unknown_connection']),
    ['GET', '/records?model=Item', {}, 400, 'invalid_headers', ['connection-id']],
    ['GET', '/records?model=Item', { headers: { 'Connection-Id': 'c1' } }, 400, 'invalid_headers', ['provider-config-key']],
    ['GET', '/records?model=Item', { headers: { ...keys, 'Connection-Id': 'nobody' } }, 400, 'unknown_connection'],
    records('', ['model']),
    records('?model=Item&cursor=', ['cursor']),
    ['GET', '/sync/records?model=Item', {}, 400, 'invalid_headers', ['connection-id']],
    early('', 'missing_model'),
    ['PATCH', '/records/prune', { body: { model: 'Item', until_cursor: cursor } }, 400, 'invalid_headers', ['connection-id']],
    prune(undefined, []),
    prune({}, ['model']),
    prune({ model: 'Item' }, ['until_cursor']),
  ],
  malformed: [
    ...all(command({ more: 1 }), []),
    ...all(command({ syncs: [{ nope: 1 }] }), ['syncs', '0']),
    ...all(command({ provider_config_key: 'a?b' }), ['provider_config_key']),
    ...all(command({ connection_id: 'a?b' }), ['connection_id']),
    post('trigger', command({ sync_mode: 'sometimes' }), ['sync_mode']),
    post('trigger', command({ opts: { more: true } }), ['opts']),
    post('trigger', command({ opts: { reset: true }, full_resync: true })),
    ['POST', '/sync/trigger?a=b', { body: command() }, 400, 'invalid_query_params', []],
    status('?syncs=*&provider_config_key=a%3Fb', ['provider_config_key']),
    status('?syncs=*&provider_config_key=key&a=b', []),
    put(frequency({ frequency: 'sometimes' }), ['frequency']),
    put(frequency({ sync_name: 'a b' }), ['sync_name']),
    put(frequency({ more: 1 }), []),
    ...variant(whose({ more: 1 }), []),
    ...variant(whose({ provider_config_key: 'a?b' }), ['provider_config_key']),
    ...verbs.flatMap((method) => [
      [method, '/sync/a%20b/variant/v1', { body: whose() }, 400, 'invalid_uri_params', ['name']],
      [method, '/sync/swept/variant/a%20b', { body: whose() }, 400, 'invalid_uri_params', ['variant']],
      [method, '/sync/swept/variant/Base', { body: whose() }, 400, 'invalid_variant'],
    ]),
    records('?model=lower', ['model']),
    records('?model=Item&limit=x', ['limit']),
    records('?model=Item&filter=some', ['filter', '0']),
    records('?model=Item&modified_after=yesterday', ['modified_after']),
    records('?model=Item&delta=yesterday', ['delta']),
    records('?model=Item&more=1', []),
    ['GET', '/records?model=Item&cursor=zzz', { headers: keys }, 400, 'invalid_cursor_value'],
    early('?model=Item&limit=x', 'invalid_limit'),
    early('?model=Item&offset=-1', 'invalid_offset'),
    early('?model=Item&delta=yesterday', 'invalid_timestamp'),
    prune({ model: 'lower', until_cursor: cursor }, ['model']),
    prune({ model: 'Item', until_cursor: cursor, more: 1 }, []),
    ['PATCH', '/records/prune', { headers: keys, body: { model: 'Item', until_cursor: 'zzz' } }, 400, 'invalid_cursor_value'],
  ],
  oversized: [
    ...all(command({ syncs: many }), ['syncs']),
    ...all(command({ connection_id: long }), ['connection_id']),
    status(`?syncs=*&provider_config_key=${long}`, ['provider_config_key']),
    put(frequency({ sync_name: long }), ['sync_name']),
    ['PUT', '/sync/update-connection-frequency', { body: frequency({ frequency: '5 seconds' }) }, 400, 'unknown_sync'],
    ...variant(whose({ connection_id: long }), ['connection_id']),
    ...verbs.map((method) => [method, `/sync/swept/variant/${long}`, { body: whose() }, 400, 'invalid_uri_params', ['variant']]),
    records('?model=Item&limit=0', ['limit']),
    records('?model=Item&limit=10001', ['limit']),
    records(`?model=Item&cursor=${'x'.repeat(1001)}`, ['cursor']),
    records(`?model=Item&${Array(101).fill('ids=1').join('&')}`, []),
    records(`?model=Item&ids=${'x'.repeat(257)}`, ['ids']),
    early('?model=Item&limit=99999999999999', 'invalid_limit'),
    prune({ model: 'Item', until_cursor: cursor, limit: 10001 }, ['limit']),
    prune({ model: 'Item', until_cursor: 'x'.repeat(1001) }, ['until_cursor']),
  ],
  type: [
    ...all([], []),
    ...all(command({ syncs: 'swept' }), ['syncs']),
    ...all(command({ syncs: [5] }), ['syncs', '0']),
    post('trigger', command({ full_resync: 'yes' }), ['full_resync']),
    post('trigger', command({ opts: { reset: 1 } }), ['opts', 'reset']),
    status('?syncs=*&syncs=a&provider_config_key=key', ['syncs']),
    put(frequency({ frequency: 5 }), ['frequency']),
    put(frequency({ sync_variant: 5 }), ['sync_variant']),
    ...variant([], []),
    ...variant(whose({ connection_id: 5 }), ['connection_id']),
    records('?model=Item&model=Other', ['model']),
    records('?model=Item&delta=1&delta=2', ['delta']),
    ['GET', '/sync/records?model=Item&model=Other', { headers: keys }, 400, 'missing_model'],
    prune([], []),
    prune({ model: 5, until_cursor: cursor }, ['model']),
    prune({ model: 'Item', until_cursor: cursor, limit: 'x' }, ['limit']),
  ],
};
