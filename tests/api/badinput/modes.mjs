// SPDX-License-Identifier: Apache-2.0
// Wrong input for the endpoints of the modes that obtain or sign credentials, in the form of rows.mjs;
// with the providers that they need, whose token endpoints refuse to connect.

const long = 'x'.repeat(256);
const token = 'connect_session_token=<token>';
const nobody = 'http://127.0.0.1:9';

// endpoint, integration, a good body, a member of it that must be a text
const modes = [
  ['/oauth2/auth', 'm-cc', { client_id: 'a', client_secret: 'b' }, 'client_id'],
  ['/auth/two-step', 'm-steps', { username: 'a', assertionOption: { a: 'b' } }],
  ['/auth/jwt', 'm-jwt', { secret: '00ff' }],
  ['/auth/signature', 'm-wsse', { type: 'SIGNATURE', username: 'a', password: 'b' }, 'password'],
  ['/auth/bill', 'm-bill', { username: 'a', password: 'b', organization_id: 'c', dev_key: 'd' }, 'dev_key'],
  ['/auth/tba', 'm-tba', { token_id: 'a', token_secret: 'b' }, 'token_id'],
  ['/auth/aws-sigv4', 'm-aws', { role_arn: 'arn', region: 'eu-west-1' }, 'role_arn'],
  ['/app-store-auth', 'm-jwt', { issuerId: 'a', privateKeyId: 'b', privateKey: 'c', scope: 'd' }, 'privateKey'],
];

const entry = (name, mode, more) => `${name}: ${JSON.stringify({ display_name: name, categories: ['other'], docs: 'https://example.com', auth_mode: mode, proxy: { base_url: nobody }, ...more })}\n`;
export const modeProviders = [
  entry('m-cc', 'OAUTH2_CC', { token_url: `${nobody}/token` }),
  entry('m-steps', 'TWO_STEP', { token_url: `${nobody}/token`, token_params: { a: '${credentials.username}' }, token_response: { token: 'token' } }),
  entry('m-jwt', 'JWT', { signature: { protocol: 'HMAC' }, token: { signing_key: '${credentials.secret}', expires_in_ms: 300000, header: { alg: 'HS256' }, payload: {} } }),
  entry('m-wsse', 'SIGNATURE', { signature: { protocol: 'WSSE' }, token: { expires_in_ms: 300000 } }),
  entry('m-bill', 'BILL', { token_url: `${nobody}/login` }),
  entry('m-tba', 'TBA', {}),
  entry('m-aws', 'AWS_SIGV4', {}),
].join('');
export const modeIntegrations = Object.fromEntries(['m-cc', 'm-steps', 'm-jwt', 'm-wsse', 'm-bill', 'm-aws'].map((name) => [name, name]));
export const goodModes = (session) => modes.map(([at, key, body]) => ['POST', `${at}/${key}?connect_session_token=${session}&params[a]=b`, body]);

const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 'v']));
const flat = (at) => at === '/app-store-auth';
const path = (at, where) => (flat(at) ? [] : [where]);
const each = (row) => modes.flatMap((mode) => row(...mode));
const post = (at, key, body, ...wanted) => ['POST', `${at}/${key}${key.includes('?') ? '&' : '?'}${token}`, { key: null, ...(body !== undefined && { body }) }, ...wanted];

export const modeRows = {
  missing: each((at, key, body, member) => [
    ['POST', `${at}/${key}`, { key: null, body }, 401, 'missing_public_key'],
    post(at, key, undefined, 400, 'invalid_body', ...path(at, [])),
    post(at, 'nope', body, at === '/oauth2/auth' ? 400 : 404, 'unknown_provider_config'),
    ...(member && at !== '/oauth2/auth' ? [post(at, key, { ...body, [member]: undefined }, 400, 'invalid_body', ...path(at, [member]))] : []),
  ]),
  malformed: each((at, key, body) => [
    ['POST', `${at}/${key}?public_key=x`, { key: null, body }, 401, 'invalid_public_key'],
    post(at, 'a%3Fb', body, 400, 'invalid_uri_params', ...path(at, ['providerConfigKey'])),
    post(at, 'key', body, 400, 'invalid_auth_mode'),
    post(at, `${key}?connection_id=c1`, body, 400, 'invalid_query_params', ...path(at, ['connection_id'])),
  ]),
  oversized: each((at, key, body, member) => [
    ...(member && !flat(at) ? [] : [post(at, key, { ...body, ...many }, 400, 'invalid_body', ...path(at, []))]),
    post(at, long, body, 400, 'invalid_uri_params', ...path(at, ['providerConfigKey'])),
    post(at, `${key}?ws_client_id=${long}`, body, 400, 'invalid_query_params', ...path(at, ['ws_client_id'])),
  ]),
  type: each((at, key, body, member) => [
    post(at, key, [], 400, 'invalid_body', ...path(at, [])),
    post(at, `${key}?params=x`, body, 400, 'invalid_query_params', ...path(at, ['params'])),
    ...(member ? [post(at, key, { ...body, [member]: 5 }, 400, 'invalid_body', ...path(at, [member]))] : []),
  ]),
};
