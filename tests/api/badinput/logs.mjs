// SPDX-License-Identifier: Apache-2.0
// Wrong input for the routes of the logs, in the form of rows.mjs.

const long = 'x'.repeat(256);
const unknown = '20260101_19b76f3c00000001';
const list = (query, ...wanted) => ['GET', `/logs/operations?${query}`, {}, 400, 'invalid_query_params', ...wanted];
const said = (query, ...wanted) => ['GET', `/logs/operations/${unknown}/messages?${query}`, {}, 400, 'invalid_query_params', ...wanted];
const one = (id, ...wanted) => ['', '/messages'].map((more) => ['GET', `/logs/operations/${id}${more}`, {}, ...wanted]);

export const logs = {
  missing: [
    list('type=', ['type']),
    list('state=', ['state']),
    list('search=', ['search']),
    list('from=', ['from']),
    said('level=', ['level']),
    said('cursor=', ['cursor']),
    ...one(unknown, 404, 'not_found'),
  ],
  malformed: [
    list('type=actions', ['type']),
    list('type=action,', ['type']),
    list('state=done', ['state']),
    list('from=yesterday', ['from']),
    list('to=-1', ['to']),
    list('limit=ten', ['limit']),
    list('cursor=nope', ['cursor']),
    list('cursor=20260102_19b76f3c00000001', ['cursor']), // of another day than it says
    list('wanted=1', []),
    said('level=loud', ['level']),
    said('cursor=nope', ['cursor']),
    said('type=action', []),
    ['GET', `/logs/operations/${unknown}?search=x`, {}, 400, 'invalid_query_params', []],
    ...one('nope', 400, 'invalid_uri_params', ['id']),
    ...one(unknown.toUpperCase(), 400, 'invalid_uri_params', ['id']),
  ],
  oversized: [
    list(`integration=${long}`, ['integration']),
    list(`search=${long}`, ['search']),
    list('limit=501', ['limit']),
    list('limit=0', ['limit']),
    list('to=99999999999999999', ['to']),
    said('limit=501', ['limit']),
    said(`search=${long}`, ['search']),
    ...one(long, 400, 'invalid_uri_params', ['id']),
  ],
  type: [
    list('type=action&type=auth', ['type']),
    list('search[a]=b', ['search']),
    list('from=1&from=2', ['from']),
    list('cursor[]=x', ['cursor']),
    said('level=info&level=warn', ['level']),
    said('search[]=a', ['search']),
    ...one('%ff', 400, 'invalid_uri_params', ['id']),
  ],
};
