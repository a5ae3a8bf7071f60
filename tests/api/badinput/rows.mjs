// SPDX-License-Identifier: Apache-2.0
// Wrong input and what the contract answers to it, line by line, by the way in which it is wrong:
//
//   [method, target, options, status, code, path of the first issue]
//
// `options` are those of Daemon.api(). `<token>` stands for a connect session's token. The code
// `page` means the page for browsers.

import zlib from 'node:zlib';

import { actions } from './actions.mjs';
import { functions } from './functions.mjs';
import { logs } from './logs.mjs';
import { scripts } from './scripts.mjs';
import { syncs } from './syncs.mjs';
import { modeRows } from './modes.mjs';
import { webhooks } from './webhooks.mjs';

export const long = 'x'.repeat(256);
export const json = { 'Content-Type': 'application/json' };

const token = 'connect_session_token=<token>';
const session = { key: null, headers: { Authorization: 'Bearer <token>' } };
const none = '/11111111-1111-4111-8111-111111111111';
const tooMany = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']));
const keys = { 'Provider-Config-Key': 'key', 'Connection-Id': 'c1' };
const apiKey = (more = {}) => ({ body: { provider_config_key: 'key', credentials: { type: 'API_KEY', apiKey: 'k' }, ...more } });
const early = (more = {}) => ({ body: { provider_config_key: 'oauth', connection_id: 'a', access_token: 't', ...more } });
const user = (more = {}) => ({ body: { end_user: { id: 'u' }, ...more } });
const again = (more = {}) => ({ body: { connection_id: 'c1', integration_id: 'key', ...more } });
const made = (more = {}) => ({ body: { provider: 'test-key', unique_key: 'a', ...more } });
const client = (more = {}) => ({ credentials: { type: 'OAUTH2', client_id: 'i', client_secret: 's', ...more } });
const config = (more = {}) => ({ body: { provider_config_key: 'a', provider: 'test-oauth', oauth_client_id: 'x', oauth_client_secret: 'y', ...more } });
const meta = (more = {}) => ({ body: { connection_id: 'c1', provider_config_key: 'key', metadata: {}, ...more } });
const report = (more = {}) => ({ key: null, body: { token: '<token>', event: 'open', timestamp: new Date().toISOString(), ...more } });

// For routes that stand at two paths.
const both = (paths, rows) => paths.flatMap((path) => rows(path));
const connection = ['/connections', '/connection'];
const written = ['POST', 'PATCH'];

export const rows = {
  missing: [
    ...scripts.missing,
    ...actions.missing,
    ...logs.missing,
    ...functions.missing,
    ...syncs.missing,
    ...webhooks.missing,
    ...modeRows.missing,
    // who asks
    ['GET', '/connections', { key: null }, 401, 'missing_auth_header'],
    ['GET', '/connect/session', { key: null }, 401, 'missing_auth_header'],
    ['DELETE', '/connect/session', { key: null }, 401, 'missing_auth_header'],
    ['GET', '/providers', { key: null }, 401, 'missing_auth_header'],
    ['GET', '/integrations', { key: null }, 401, 'missing_auth_header'],
    // connections
    ...both(connection, (at) => [
      ['GET', `${at}/c1`, {}, 400, 'invalid_query_params', ['provider_config_key']],
      ['GET', `${at}/c1?provider_config_key=`, {}, 400, 'invalid_query_params', ['provider_config_key']],
      ['GET', `${at}/nobody?provider_config_key=key`, {}, 404, 'not_found'],
      ['GET', `${at}/c1?provider_config_key=nope`, {}, 400, 'unknown_provider_config'],
      ['DELETE', `${at}/c1`, {}, 400, 'invalid_query_params', ['provider_config_key']],
      ['DELETE', `${at}/nobody?provider_config_key=key`, {}, 400, 'unknown_connection'],
      ['GET', `${at}?search=`, {}, 400, 'invalid_query_params', ['search']],
    ]),
    ['POST', '/connections', {}, 400, 'invalid_body', []],
    // an empty body announced as JSON is {}; without a type it is none
    ['POST', '/connections', { body: '', headers: json }, 400, 'invalid_body', ['provider_config_key']],
    ['POST', '/connections', { body: '' }, 400, 'invalid_body', []],
    ['POST', '/connections', { body: {} }, 400, 'invalid_body', ['provider_config_key']],
    ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'API_KEY' } } }, 400, 'invalid_body', ['credentials', 'apiKey']],
    ['POST', '/connections', apiKey({ end_user: {} }), 400, 'invalid_body', ['end_user', 'id']],
    ['POST', '/connections', apiKey({ tags: { a: '' } }), 400, 'invalid_body', ['tags', 'a']],
    ['PATCH', '/connections/c1', { body: {} }, 400, 'invalid_query_params', ['provider_config_key']],
    ['PATCH', '/connections/c1?provider_config_key=key', {}, 400, 'invalid_body', []],
    ['PATCH', '/connections/nobody?provider_config_key=key', { body: {} }, 404, 'not_found'],
    // early import
    ['POST', '/connection', {}, 400, 'missing_provider_config'],
    ['POST', '/connection', { body: {} }, 400, 'missing_provider_config'],
    ['POST', '/connection', { body: { provider_config_key: 'nope', connection_id: 'a' } }, 400, 'unknown_provider_config'],
    ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: '', api_key: 'k' } }, 400, 'missing_connection'],
    ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: 'a' } }, 400, 'missing_api_key'],
    ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: 'a', api_key: '' } }, 400, 'missing_api_key'],
    ['POST', '/connection', { body: { provider_config_key: 'oauth', connection_id: 'a' } }, 400, 'missing_access_token'],
    ['POST', '/connection', early({ access_token: '', no_expiration: true }), 400, 'missing_access_token'],
    ['POST', '/connection', early(), 400, 'missing_expires_at'],
    ['POST', '/connection', { body: { provider_config_key: 'oauth1', connection_id: 'a', oauth_token: '', oauth_token_secret: 's' } }, 400, 'missing_oauth_token'],
    ['POST', '/connection', { body: { provider_config_key: 'oauth1', connection_id: 'a', oauth_token: 't', oauth_token_secret: '' } }, 400, 'missing_oauth_token_secret'],
    ['POST', '/connection', { body: { provider_config_key: 'basic', connection_id: 'a' } }, 400, 'missing_basic_username'],
    // metadata
    ...both(connection, (at) => written.flatMap((method) => [
      [method, `${at}/metadata`, {}, 400, 'invalid_body', []],
      [method, `${at}/metadata`, { body: { connection_id: 'c1', provider_config_key: 'key' } }, 400, 'invalid_body', ['metadata']],
      [method, `${at}/metadata`, { body: { provider_config_key: 'key', metadata: {} } }, 400, 'invalid_body', ['connection_id']],
      [method, `${at}/metadata`, meta({ connection_id: 'nobody' }), 404, 'unknown_connection'],
      [method, `${at}/metadata`, meta({ connection_id: ['c1', 'nobody'] }), 404, 'unknown_connection'],
    ])),
    ...written.flatMap((method) => [
      [method, '/connection/nobody/metadata?provider_config_key=key', { body: {} }, 404, 'unknown_connection'],
      [method, '/connection/c1/metadata', { body: {} }, 400, 'missing_provider_config'],
      [method, '/connection/c1/metadata?provider_config_key=key', {}, 400, 'invalid_body'],
    ]),
    // integrations
    ['GET', '/integrations/nope', {}, 404, 'not_found'],
    ['POST', '/integrations', {}, 400, 'invalid_body', []],
    ['POST', '/integrations', { body: {} }, 400, 'invalid_body', ['provider']],
    ['POST', '/integrations', made({ display_name: '' }), 400, 'invalid_body', ['display_name']],
    ['POST', '/integrations', made({ provider: 'test-oauth' }), 400, 'invalid_body'],
    ['POST', '/integrations', made({ provider: 'test-oauth', ...client({ client_id: '' }) }), 400, 'invalid_body', ['credentials', 'client_id']],
    ['POST', '/integrations/quickstart', {}, 400, 'invalid_body', []],
    ['POST', '/integrations/quickstart', { body: { provider: 'test-oauth' } }, 400, 'invalid_body', ['unique_key']],
    ['PATCH', '/integrations/key', {}, 400, 'invalid_body', []],
    ['PATCH', '/integrations/nope', { body: {} }, 404, 'not_found'],
    ['DELETE', '/integrations/nope', {}, 404, 'not_found'],
    // the early forms
    ['GET', '/config/nope', {}, 400, 'unknown_provider_config'],
    ...['POST', 'PUT'].flatMap((method) => [
      [method, '/config', {}, 400, 'missing_body'],
      [method, '/config', { body: {} }, 400, 'missing_provider_config'],
      [method, '/config', { body: { provider_config_key: 'a' } }, 400, 'missing_provider_template'],
      [method, '/config', { body: { provider_config_key: 'a', provider: 'no-such' } }, 400, 'unknown_provider_template'],
      [method, '/config', { body: { provider_config_key: 'a', provider: 'test-oauth' } }, 400, 'missing_client_id'],
      [method, '/config', { body: { provider_config_key: 'a', provider: 'test-oauth', oauth_client_id: 'x' } }, 400, 'missing_client_secret'],
    ]),
    ['PUT', '/config', config({ provider_config_key: 'nope' }), 400, 'unknown_provider_config'],
    // providers
    ['GET', '/providers?search=', {}, 400, 'invalid_query_params', ['search']],
    ['GET', '/providers/no-such', {}, 404, 'not_found'],
    ['GET', '/provider/no-such', {}, 404, 'unknown_provider_template'],
    // connect sessions
    ['POST', '/connect/sessions', {}, 400, 'invalid_body', []],
    ['POST', '/connect/sessions', { body: {} }, 400, 'invalid_body', ['end_user']],
    ['POST', '/connect/sessions', user({ end_user: { id: '' } }), 400, 'invalid_body', ['end_user', 'id']],
    ['POST', '/connect/sessions', user({ organization: {} }), 400, 'invalid_body', ['organization', 'id']],
    ['POST', '/connect/sessions', user({ allowed_integrations: ['key', 'nope'] }), 400, 'invalid_body', ['allowed_integrations', '1']],
    ['POST', '/connect/sessions', user({ overrides: { nope: {} } }), 400, 'invalid_body', ['overrides', 'nope']],
    ['POST', '/connect/sessions', user({ integrations_config_defaults: { nope: {} } }), 400, 'invalid_body', ['integrations_config_defaults', 'nope']],
    ['POST', '/connect/sessions/reconnect', {}, 400, 'invalid_body', []],
    ['POST', '/connect/sessions/reconnect', { body: {} }, 400, 'invalid_body', ['connection_id']],
    ['POST', '/connect/sessions/reconnect', again({ connection_id: 'nobody' }), 400, 'invalid_body'],
    ['POST', '/connect/sessions/reconnect', again({ integration_id: 'nope' }), 400, 'invalid_body'],
    ['POST', '/connect/telemetry', { key: null }, 400, 'invalid_body', []],
    ['POST', '/connect/telemetry', { key: null, body: {} }, 400, 'invalid_body', ['token']],
    ['POST', '/connect/telemetry', report({ event: undefined }), 400, 'invalid_body', ['event']],
    ['POST', '/connect/telemetry', report({ timestamp: undefined }), 400, 'invalid_body', ['timestamp']],
    // browsers
    ...['/api-auth/api-key/key', '/api-auth/basic/basic', '/auth/unauthenticated/none'].map((at) => ['POST', at, { key: null }, 401, 'missing_public_key']),
    ['POST', '/unauth/none', { key: null }, 401, 'missing_public_key'],
    ['POST', `/api-auth/api-key/key?${token}`, { key: null }, 400, 'invalid_body', []],
    ['POST', `/api-auth/api-key/key?${token}`, { key: null, body: {} }, 400, 'invalid_body', ['apiKey']],
    ['POST', `/api-auth/api-key/key?${token}`, { key: null, body: { apiKey: '' } }, 400, 'invalid_body', ['apiKey']],
    ['POST', `/api-auth/api-key/nope?${token}`, { key: null, body: { apiKey: 'k' } }, 404, 'unknown_provider_config'],
    ['POST', `/api-auth/basic/basic?${token}`, { key: null }, 400, 'invalid_body', []],
    ['POST', `/api-auth/basic/basic?${token}`, { key: null, body: { username: 'u' } }, 400, 'invalid_body', ['password']],
    ['POST', `/api-auth/basic/nope?${token}`, { key: null, body: { username: 'u', password: 'p' } }, 404, 'unknown_provider_config'],
    ['POST', `/auth/unauthenticated/nope?${token}`, { key: null }, 404, 'unknown_provider_config'],
    ['POST', `/unauth/nope?${token}`, { key: null }, 404, 'unknown_provider_config'],
    ['GET', '/oauth/connect/oauth', { key: null }, 401, 'missing_public_key'],
    ['GET', `/oauth/connect/nope?${token}`, { key: null }, 400, 'page'],
    ['GET', '/oauth/callback', { key: null }, 400, 'page'],
    ['GET', '/oauth/callback?code=x', { key: null }, 400, 'page'],
    // environments
    ['POST', '/environments', {}, 400, 'invalid_body', []],
    ['POST', '/environments', { body: {} }, 400, 'invalid_body', ['name']],
    ['POST', '/environments', { body: { name: 'e', hmac_enabled: true } }, 400, 'invalid_body', ['hmac_key']],
    ['DELETE', '/environments/999999', {}, 404, 'not_found'],
    ['POST', '/environment/api-keys', {}, 400, 'invalid_body', []],
    ['POST', '/environment/api-keys', { body: { environment_id: 1 } }, 400, 'invalid_body', ['display_name']],
    ['POST', '/environment/api-keys', { body: { environment_id: 999999, display_name: 'k' } }, 404, 'not_found'],
    ['DELETE', '/environment/api-keys', {}, 400, 'invalid_body', []],
    ['DELETE', '/environment/api-keys', { body: { environment_id: 1 } }, 400, 'invalid_body', ['key_id']],
    ['DELETE', '/environment/api-keys', { body: { environment_id: 1, key_id: 999999 } }, 404, 'not_found'],
    // the proxy
    ['GET', '/proxy/a', {}, 400, 'invalid_headers', ['provider-config-key']],
    ['GET', '/proxy/a', { headers: { 'Provider-Config-Key': 'key' } }, 400, 'invalid_headers', ['connection-id']],
    ['GET', '/proxy/a', { headers: { ...keys, 'Provider-Config-Key': 'nope' } }, 404, 'unknown_provider_config'],
    ['GET', '/proxy/a', { headers: { ...keys, 'Connection-Id': 'nobody' } }, 400, 'server_error'],
  ],

  malformed: [
    ...scripts.malformed,
    ...actions.malformed,
    ...logs.malformed,
    ...functions.malformed,
    ...syncs.malformed,
    ...webhooks.malformed,
    ...modeRows.malformed,
    // who asks
    ['GET', '/connections', { key: 'x' }, 401, 'invalid_secret_key_format'],
    ['GET', '/connections', { key: none.slice(1) }, 401, 'unknown_account'],
    ['GET', '/connections', { key: '11111111-1111-1111-8111-111111111111' }, 401, 'invalid_secret_key_format'],
    ['GET', '/connect/session', {}, 401, 'invalid_connect_session_token_format'],
    ['GET', '/connect/session', { key: `nango_connect_session_${'0'.repeat(64)}` }, 401, 'unknown_connect_session_token'],
    ['DELETE', '/connect/session', {}, 401, 'invalid_connect_session_token_format'],
    ['DELETE', '/connect/session', { key: `nango_connect_session_${'g'.repeat(64)}` }, 401, 'invalid_connect_session_token_format'],
    // what
    ['POST', '/connections', { key: null, body: '{', headers: json }, 400, 'invalid_json'],
    ['POST', '/connections', { key: null, body: 'x', headers: { 'Content-Type': 'text/plain' } }, 415, 'invalid_content_type'],
    ['GET', '/connections', { headers: { 'Content-Type': 'text/plain' } }, 415, 'invalid_content_type'],
    ...['gzip', 'deflate', 'br', 'x, gzip'].map((coding) => ['POST', '/connections', { body: zlib.gzipSync('{}'), headers: { ...json, 'Content-Encoding': coding } }, 415, 'invalid_content_encoding']),
    ['POST', '/connections', { key: null, body: zlib.gzipSync('{}'), headers: { ...json, 'Content-Encoding': 'gzip' } }, 415, 'invalid_content_encoding'],
    ['POST', '/config', { body: zlib.gzipSync('{}'), headers: { ...json, 'Content-Encoding': 'gzip' } }, 415, 'invalid_content_encoding'],
    ['POST', '/connections', { body: {}, headers: { 'Content-Encoding': 'identity' } }, 400, 'invalid_body', ['provider_config_key']],
    ['POST', '/connections', { body: '"x"', headers: json }, 400, 'invalid_json'],
    ['POST', '/connections', { body: '{"a":1,}', headers: json }, 400, 'invalid_json'],
    ['POST', '/proxy/a', { body: '{', headers: { ...json, ...keys } }, 400, 'invalid_json'],
    // connections
    ...both(connection, (at) => [
      ['GET', `${at}/c1?provider_config_key=a/b`, {}, 400, 'invalid_query_params', ['provider_config_key']],
      ['GET', `${at}/c1?provider_config_key=key&force_refresh=maybe`, {}, 400, 'invalid_query_params', ['force_refresh']],
      ['GET', `${at}/c1?provider_config_key=key&x=1`, {}, 400, 'invalid_query_params', []],
      ['GET', `${at}/a%3Fb?provider_config_key=key`, {}, 400, 'invalid_uri_params', ['connectionId']],
      ['DELETE', `${at}/a%3Fb?provider_config_key=key`, {}, 400, 'invalid_uri_params', ['connectionId']],
      ['DELETE', `${at}/c1?provider_config_key=key&x=1`, {}, 400, 'invalid_query_params', []],
      ['GET', `${at}?limit=0`, {}, 400, 'invalid_query_params', ['limit']],
      ['GET', `${at}?limit=x`, {}, 400, 'invalid_query_params', ['limit']],
      ['GET', `${at}?page=-1`, {}, 400, 'invalid_query_params', ['page']],
      ['GET', `${at}?nope=1`, {}, 400, 'invalid_query_params', []],
    ]),
    ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'NOPE' } } }, 400, 'invalid_body', ['credentials', 'type']],
    ['POST', '/connections', { body: { provider_config_key: 'nope', credentials: { type: 'API_KEY', apiKey: 'k' } } }, 404, 'not_found'],
    ['POST', '/connections', { body: { provider_config_key: 'key', credentials: { type: 'BASIC', username: 'u', password: 'p' } } }, 400, 'invalid_body'],
    ['POST', '/connections', apiKey({ x: 1 }), 400, 'invalid_body', []],
    ['POST', '/connections', apiKey({ tags: { '1x': 'v' } }), 400, 'invalid_body', ['tags', '1x']],
    ['POST', '/connections', apiKey({ tags: { end_user_email: 'x' } }), 400, 'invalid_body', ['tags']],
    ['POST', '/connections', apiKey({ tags: { A: '1', a: '2' } }), 400, 'invalid_body', ['tags']],
    ['POST', '/connections?x=1', apiKey(), 400, 'invalid_query_params', []],
    ['PATCH', '/connections/c1?provider_config_key=key', { body: { metadata: {} } }, 400, 'invalid_body', []],
    ['PATCH', '/connections/a%3Fb?provider_config_key=key', { body: {} }, 400, 'invalid_uri_params', ['connectionId']],
    ['POST', '/connection', { body: '{', headers: json }, 400, 'invalid_json'],
    ['POST', '/connection', early({ expires_at: 'x' }), 400, 'missing_expires_at'],
    ['POST', '/connection', early({ expires_in: -1 }), 400, 'missing_expires_at'],
    // metadata
    ...both(connection, (at) => written.flatMap((method) => [
      [method, `${at}/metadata`, meta({ connection_id: 'a?b' }), 400, 'invalid_body', ['connection_id']],
      [method, `${at}/metadata`, meta({ provider_config_key: 'a/b' }), 400, 'invalid_body', ['provider_config_key']],
      [method, `${at}/metadata`, meta({ x: 1 }), 400, 'invalid_body', []],
      [method, `${at}/metadata?x=1`, meta(), 400, 'invalid_query_params', []],
    ])),
    ...written.map((method) => [method, '/connection/a%3Fb/metadata?provider_config_key=key', { body: {} }, 400, 'invalid_uri_params', ['connectionId']]),
    // integrations
    ['GET', '/integrations?x=1', {}, 400, 'invalid_query_params', []],
    ['GET', '/integrations/key?include=all', {}, 400, 'invalid_query_params', ['include']],
    ['GET', '/integrations/a%00b', {}, 400, 'invalid_uri_params', ['uniqueKey']],
    ['POST', '/integrations', made({ provider: 'no-such' }), 400, 'invalid_body', ['provider']],
    ['POST', '/integrations', made({ unique_key: 'key' }), 400, 'invalid_body', ['uniqueKey']],
    ['POST', '/integrations', made({ unique_key: 'a/b' }), 400, 'invalid_body', ['unique_key']],
    ['POST', '/integrations', made({ provider: 'test-oauth', ...client({ scopes: 'a b' }) }), 400, 'invalid_body', ['credentials', 'scopes']],
    ['POST', '/integrations', made({ integration_config: { a: 'b' } }), 400, 'invalid_body'],
    ['POST', '/integrations/quickstart', made({ unique_key: 'a/b' }), 400, 'invalid_body', ['unique_key']],
    ['POST', '/integrations/quickstart', made({ provider: 'no-such' }), 400, 'invalid_body', ['provider']],
    ['POST', '/integrations/quickstart', made({ provider: 'test-oauth', ...client() }), 400, 'invalid_body', []],
    ['POST', '/integrations/quickstart?x=1', made(), 400, 'invalid_query_params', []],
    ['PATCH', '/integrations/key', { body: { provider: 'test-key' } }, 400, 'invalid_body', []],
    ['PATCH', '/integrations/key', { body: client() }, 400, 'invalid_body'],
    ['PATCH', '/integrations/a%3Fb', { body: {} }, 400, 'invalid_uri_params', ['uniqueKey']],
    ['DELETE', '/integrations/a%3Fb', {}, 400, 'invalid_uri_params', ['uniqueKey']],
    ['DELETE', '/integrations/nope?x=1', {}, 400, 'invalid_query_params', []],
    ['GET', '/config/%zz', {}, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['DELETE', '/config/%zz', {}, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['POST', '/config', config({ provider_config_key: 'a/b' }), 400, 'invalid_provider_config'],
    ['PUT', '/config', config({ provider_config_key: 'a/b' }), 400, 'invalid_provider_config'],
    ['POST', '/config', config({ provider_config_key: 'oauth' }), 409, 'duplicate_provider_config'],
    ['PUT', '/config', { body: { provider_config_key: 'key', provider: 'test-key' } }, 400, 'provider_config_edit_not_allowed'],
    // providers, variables
    ['GET', '/providers?search=(', {}, 400, 'invalid_query_params', ['search']],
    ['GET', '/providers?x=1', {}, 400, 'invalid_query_params', []],
    ['GET', '/providers/a.b', {}, 400, 'invalid_uri_params', ['provider']],
    ['GET', '/providers/a.b/templates', {}, 400, 'invalid_uri_params', ['provider']],
    ['GET', '/providers/test-key/templates?x=1', {}, 400, 'invalid_query_params', []],
    ['GET', '/provider/a.b', {}, 400, 'invalid_uri_params', ['provider']],
    ['GET', '/environment-variables?x=1', {}, 400, 'invalid_query_params', []],
    // connect sessions
    ['POST', '/connect/sessions', user({ end_user: { id: 'u', email: 'x' } }), 400, 'invalid_body', ['end_user', 'email']],
    ['POST', '/connect/sessions', user({ webhook_url_override: 'x' }), 400, 'invalid_body', ['webhook_url_override']],
    ['POST', '/connect/sessions', user({ x: 1 }), 400, 'invalid_body', []],
    ['POST', '/connect/sessions?x=1', user(), 400, 'invalid_query_params', []],
    ['POST', '/connect/sessions/reconnect', again({ end_user: { id: 'u', email: 'x' } }), 400, 'invalid_body', ['end_user', 'email']],
    ['POST', '/connect/sessions/reconnect', again({ allowed_integrations: ['key'] }), 400, 'invalid_body', []],
    ['GET', '/connect/session?x=1', session, 400, 'invalid_query_params', []],
    ['DELETE', '/connect/session?x=1', session, 400, 'invalid_query_params', []],
    ['POST', '/connect/telemetry', report({ event: 'nope' }), 400, 'invalid_body', ['event']],
    ['POST', '/connect/telemetry', report({ timestamp: 'x' }), 400, 'invalid_body', ['timestamp']],
    ['POST', '/connect/telemetry', report({ timestamp: '2020-01-01T00:00:00Z' }), 400, 'invalid_body', ['timestamp']],
    ['POST', '/connect/telemetry', report({ token: 'x' }), 401, 'invalid_connect_session_token_format'],
    ['POST', '/connect/telemetry', report({ token: `nango_connect_session_${'0'.repeat(64)}` }), 401, 'unknown_connect_session_token'],
    ['POST', '/connect/telemetry', report({ x: 1 }), 400, 'invalid_body', []],
    // browsers
    ...['/api-auth/api-key/key', '/api-auth/basic/basic', '/auth/unauthenticated/none', '/unauth/none'].flatMap((at) => [
      ['POST', `${at}?public_key=x`, { key: null }, 401, 'invalid_public_key'],
      ['POST', `${at}?public_key=${none.slice(1)}`, { key: null }, 401, 'unknown_account'],
      ['POST', `${at}?connect_session_token=x`, { key: null }, 401, 'invalid_connect_session_token_format'],
    ]),
    ['POST', `/api-auth/api-key/a%3Fb?${token}`, { key: null, body: { apiKey: 'k' } }, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['POST', `/api-auth/api-key/basic?${token}`, { key: null, body: { apiKey: 'k' } }, 400, 'invalid_auth_mode'],
    ['POST', `/api-auth/api-key/key?${token}&connection_id=c1`, { key: null, body: { apiKey: 'k' } }, 400, 'invalid_query_params', ['connection_id']],
    ['POST', `/api-auth/api-key/key?${token}`, { key: null, body: { apiKey: 'k', x: 1 } }, 400, 'invalid_body', []],
    ['POST', `/api-auth/basic/a%3Fb?${token}`, { key: null, body: { username: 'u', password: 'p' } }, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['POST', `/api-auth/basic/key?${token}`, { key: null, body: { username: 'u', password: 'p' } }, 400, 'invalid_auth_mode'],
    ['POST', `/auth/unauthenticated/key?${token}`, { key: null }, 400, 'invalid_auth_mode'],
    ['POST', `/auth/unauthenticated/none?${token}`, { key: null, body: { x: 1 } }, 400, 'invalid_body', []],
    ['POST', `/unauth/key?${token}`, { key: null }, 400, 'invalid_auth_mode'],
    ['POST', `/unauth/a%3Fb?${token}`, { key: null }, 400, 'invalid_uri_params'],
    ['GET', '/oauth/connect/oauth?public_key=x', { key: null }, 401, 'invalid_public_key'],
    ['GET', `/oauth/connect/a%3Fb?${token}`, { key: null }, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['GET', `/oauth/connect/key?${token}`, { key: null }, 400, 'page'],
    ['GET', '/oauth/callback?state=x&code=y', { key: null }, 400, 'page'],
    ['GET', `/oauth/callback?state=${none.slice(1)}&code=y`, { key: null }, 400, 'page'],
    // environments
    ['POST', '/environments', { body: { name: 'A b' } }, 400, 'invalid_body', ['name']],
    ['POST', '/environments', { body: { name: 'dev' } }, 409, 'conflict'],
    ['POST', '/environments', { body: { name: 'e', callback_url: 'x' } }, 400, 'invalid_body', ['callback_url']],
    ['POST', '/environments?x=1', { body: { name: 'e' } }, 400, 'invalid_query_params', []],
    ['DELETE', '/environments/x', {}, 400, 'invalid_uri_params', ['environmentId']],
    ['DELETE', '/environments/-1', {}, 400, 'invalid_uri_params', ['environmentId']],
    ['POST', '/environment/api-keys', { body: { environment_id: 0, display_name: 'k' } }, 400, 'invalid_body', ['environment_id']],
    ['DELETE', '/environment/api-keys', { body: { environment_id: 1, key_id: 1.5 } }, 400, 'invalid_body', ['key_id']],
    // the proxy
    ['GET', '/proxy/a', { headers: { ...keys, Retries: 'x' } }, 400, 'invalid_headers', ['retries']],
    ['GET', '/proxy/a', { headers: { ...keys, Retries: '-1' } }, 400, 'invalid_headers', ['retries']],
    ['GET', '/proxy/a', { headers: { ...keys, 'Retry-On': '4xx' } }, 400, 'invalid_headers', ['retry-on']],
    ['GET', '/proxy/a', { headers: { ...keys, 'Base-Url-Override': 'nope' } }, 400, 'invalid_headers', ['base-url-override']],
    ['GET', '/proxy/a', { headers: { ...keys, 'Base-Url-Override': 'ftp://127.0.0.1/' } }, 400, 'base_url_override_not_allowed'],
    // routes that are none
    ['GET', '/nope', {}, 404, 'not_found'],
    ['POST', '/connections/c1', { body: {} }, 404, 'not_found'],
    ['PUT', '/integrations/key', { body: {} }, 404, 'not_found'],
    ['GET', '/connections/c1/metadata', {}, 404, 'not_found'],
  ],

  oversized: [
    ...scripts.oversized,
    ...actions.oversized,
    ...logs.oversized,
    ...functions.oversized,
    ...syncs.oversized,
    ...webhooks.oversized,
    ...modeRows.oversized,
    ...both(connection, (at) => [
      ['GET', `${at}/c1?provider_config_key=${long}`, {}, 400, 'invalid_query_params', ['provider_config_key']],
      ['GET', `${at}/${long}?provider_config_key=key`, {}, 400, 'invalid_uri_params', ['connectionId']],
      ['DELETE', `${at}/${long}?provider_config_key=key`, {}, 400, 'invalid_uri_params', ['connectionId']],
      ...['connectionId', 'search', 'endUserId', 'endUserOrganizationId'].map((name) => ['GET', `${at}?${name}=${long}`, {}, 400, 'invalid_query_params', [name]]),
      ['GET', `${at}?limit=2001`, {}, 400, 'invalid_query_params', ['limit']],
      ['GET', `${at}?limit=1e999`, {}, 400, 'invalid_query_params', ['limit']],
      ['GET', `${at}?integrationId=${'a,'.repeat(200)}b`, {}, 400, 'invalid_query_params', ['integrationId']],
      ['GET', `${at}?${Array.from({ length: 21 }, (_, i) => `tags[a${i}]=b`).join('&')}`, {}, 400, 'invalid_query_params', ['tags']],
    ]),
    ['POST', '/connections', apiKey({ provider_config_key: long }), 400, 'invalid_body', ['provider_config_key']],
    ['POST', '/connections', apiKey({ connection_id: long }), 400, 'invalid_body', ['connection_id']],
    ['POST', '/connections', apiKey({ tags: { ['k'.repeat(65)]: 'v' } }), 400, 'invalid_body', ['tags', 'k'.repeat(65)]],
    ['POST', '/connections', apiKey({ tags: { k: long } }), 400, 'invalid_body', ['tags', 'k']],
    ['POST', '/connections', apiKey({ tags: tooMany(11) }), 400, 'invalid_body', ['tags']],
    ['POST', '/connections', apiKey({ end_user: { id: long } }), 400, 'invalid_body', ['end_user', 'id']],
    ['PATCH', `/connections/${long}?provider_config_key=key`, { body: {} }, 400, 'invalid_uri_params', ['connectionId']],
    ['PATCH', '/connections/c1?provider_config_key=key', { body: { end_user: { id: 'u', display_name: long } } }, 400, 'invalid_body', ['end_user', 'display_name']],
    ['PATCH', '/connections/c1?provider_config_key=key', { body: { end_user: { id: 'u', tags: { k: long } } } }, 400, 'invalid_body', ['end_user', 'tags', 'k']],
    ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: long, api_key: 'k' } }, 400, 'missing_connection'],
    ['POST', '/connection', early({ expires_at: 1e308 }), 400, 'missing_expires_at'],
    ['POST', '/connection', early({ expires_at: -9e15 }), 400, 'missing_expires_at'],
    ['POST', '/connection', early({ expires_in: '9223372036854775807' }), 400, 'missing_expires_at'],
    ...both(connection, (at) => written.flatMap((method) => [
      [method, `${at}/metadata`, meta({ connection_id: long }), 400, 'invalid_body', ['connection_id']],
      [method, `${at}/metadata`, meta({ connection_id: ['c1', long] }), 400, 'invalid_body', ['connection_id']],
      [method, `${at}/metadata`, meta({ connection_id: Array(10_001).fill('c1') }), 400, 'invalid_body', ['connection_id']],
    ])),
    ...written.map((method) => [method, `/connection/${long}/metadata?provider_config_key=key`, { body: {} }, 400, 'invalid_uri_params', ['connectionId']]),
    // integrations
    ...['GET', 'PATCH', 'DELETE'].map((method) => [method, `/integrations/${long}`, method === 'PATCH' ? { body: {} } : {}, 400, 'invalid_uri_params', ['uniqueKey']]),
    ['POST', '/integrations', made({ unique_key: long }), 400, 'invalid_body', ['unique_key']],
    ['POST', '/integrations', made({ display_name: long }), 400, 'invalid_body', ['display_name']],
    ['POST', '/integrations', made({ provider: 'test-oauth', ...client({ client_id: long }) }), 400, 'invalid_body', ['credentials', 'client_id']],
    ['POST', '/integrations', made({ provider: 'test-oauth', ...client({ webhook_secret: long }) }), 400, 'invalid_body', ['credentials', 'webhook_secret']],
    ['POST', '/integrations', made({ integration_config: { a: 'x'.repeat(8193) } }), 400, 'invalid_body', ['integration_config', 'a']],
    ['PATCH', '/integrations/key', { body: { unique_key: long } }, 400, 'invalid_body', ['unique_key']],
    ['POST', '/integrations/quickstart', made({ unique_key: long }), 400, 'invalid_body', ['unique_key']],
    ['POST', '/config', config({ provider_config_key: long }), 400, 'invalid_provider_config'],
    ['PUT', '/config', config({ provider_config_key: long }), 400, 'invalid_provider_config'],
    ['GET', `/config/${long}`, {}, 400, 'unknown_provider_config'],
    ['GET', `/providers/${long}`, {}, 400, 'invalid_uri_params', ['provider']],
    ['GET', `/providers/${long}/templates`, {}, 400, 'invalid_uri_params', ['provider']],
    ['GET', `/provider/${long}`, {}, 400, 'invalid_uri_params', ['provider']],
    // connect sessions
    ['POST', '/connect/sessions', user({ end_user: { id: long } }), 400, 'invalid_body', ['end_user', 'id']],
    ['POST', '/connect/sessions', user({ organization: { id: long } }), 400, 'invalid_body', ['organization', 'id']],
    ['POST', '/connect/sessions', user({ organization: { id: 'o', display_name: long } }), 400, 'invalid_body', ['organization', 'display_name']],
    ['POST', '/connect/sessions', user({ tags: { k: long } }), 400, 'invalid_body', ['tags', 'k']],
    ['POST', '/connect/sessions/reconnect', again({ organization: { id: long } }), 400, 'invalid_body', ['organization', 'id']],
    ['GET', '/connect/session', { key: `nango_connect_session_${'0'.repeat(65)}` }, 401, 'invalid_connect_session_token_format'],
    ['DELETE', '/connect/session', { key: `nango_connect_session_${'0'.repeat(65)}` }, 401, 'invalid_connect_session_token_format'],
    ['POST', '/connect/telemetry', report({ timestamp: 1e308 }), 400, 'invalid_body', ['timestamp']],
    ['POST', '/connect/telemetry', report({ token: long }), 401, 'invalid_connect_session_token_format'],
    // browsers
    ['POST', `/api-auth/api-key/key?${token}`, { key: null, body: { apiKey: 'x'.repeat(1025) } }, 400, 'invalid_body', ['apiKey']],
    ['POST', `/api-auth/api-key/${long}?${token}`, { key: null, body: { apiKey: 'k' } }, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['POST', `/api-auth/basic/basic?${token}`, { key: null, body: { username: 'x'.repeat(1025), password: 'p' } }, 400, 'invalid_body', ['username']],
    ['POST', `/auth/unauthenticated/${long}?${token}`, { key: null }, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['POST', `/auth/unauthenticated/none?${token}&ws_client_id=${long}`, { key: null }, 400, 'invalid_query_params', ['ws_client_id']],
    ['POST', `/unauth/${long}?${token}`, { key: null }, 400, 'invalid_uri_params'],
    ['GET', `/oauth/connect/${long}?${token}`, { key: null }, 400, 'invalid_uri_params', ['providerConfigKey']],
    ['GET', `/oauth/callback?state=${long}&code=y`, { key: null }, 400, 'page'],
    // environments
    ['POST', '/environments', { body: { name: long } }, 400, 'invalid_body', ['name']],
    ['POST', '/environments', { body: { name: 'e', hmac_key: 'x'.repeat(1001) } }, 400, 'invalid_body', ['hmac_key']],
    ['DELETE', '/environments/99999999999999999999', {}, 400, 'invalid_uri_params', ['environmentId']],
    ['POST', '/environment/api-keys', { body: { environment_id: 1, display_name: long } }, 400, 'invalid_body', ['display_name']],
    ['DELETE', '/environment/api-keys', { body: { environment_id: 1, key_id: 1e30 } }, 404, 'not_found'],
    // the proxy
    ['GET', '/proxy/a', { headers: { ...keys, 'Connection-Id': long } }, 400, 'invalid_headers', ['connection-id']],
    ['GET', '/proxy/a', { headers: { ...keys, 'Provider-Config-Key': long } }, 400, 'invalid_headers', ['provider-config-key']],
  ],

  type: [
    ...scripts.type,
    ...actions.type,
    ...logs.type,
    ...functions.type,
    ...syncs.type,
    ...webhooks.type,
    ...modeRows.type,
    ...both(connection, (at) => [
      ['GET', `${at}/c1?provider_config_key=key&provider_config_key=key`, {}, 400, 'invalid_query_params', ['provider_config_key']],
      ['DELETE', `${at}/c1?provider_config_key[]=key`, {}, 400, 'invalid_query_params', ['provider_config_key']],
      ['GET', `${at}?tags=x`, {}, 400, 'invalid_query_params', ['tags']],
      ['GET', `${at}?search[a]=b`, {}, 400, 'invalid_query_params', ['search']],
    ]),
    ['POST', '/connections', { body: [] }, 400, 'invalid_body', []],
    ['POST', '/connections', apiKey({ connection_id: 5 }), 400, 'invalid_body', ['connection_id']],
    ['POST', '/connections', apiKey({ metadata: [] }), 400, 'invalid_body', ['metadata']],
    ['POST', '/connections', apiKey({ credentials: 'x' }), 400, 'invalid_body', ['credentials']],
    ['PATCH', '/connections/c1?provider_config_key=key', { body: { tags: 'x' } }, 400, 'invalid_body', ['tags']],
    ['POST', '/connection', { body: { provider_config_key: 5 } }, 400, 'missing_provider_config'],
    ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: 'a', api_key: 5 } }, 400, 'missing_api_key'],
    ['POST', '/connection', { body: { provider_config_key: 'key', connection_id: {}, api_key: 'k' } }, 400, 'missing_connection'],
    ...both(connection, (at) => written.flatMap((method) => [
      [method, `${at}/metadata`, meta({ metadata: null }), 400, 'invalid_body', ['metadata']],
      [method, `${at}/metadata`, meta({ connection_id: [5] }), 400, 'invalid_body', ['connection_id']],
    ])),
    ...written.map((method) => [method, '/connection/c1/metadata?provider_config_key=key', { body: [] }, 400, 'invalid_body']),
    // integrations
    ['GET', '/integrations/key?include[a]=b', {}, 400, 'invalid_query_params', ['include']],
    ['POST', '/integrations', made({ forward_webhooks: 'x' }), 400, 'invalid_body', ['forward_webhooks']],
    ['POST', '/integrations', made({ custom: { a: 1 } }), 400, 'invalid_body', ['custom', 'a']],
    ['POST', '/integrations', made({ credentials: [] }), 400, 'invalid_body', ['credentials']],
    ['POST', '/integrations/quickstart', made({ forward_webhooks: 1 }), 400, 'invalid_body', ['forward_webhooks']],
    ['PATCH', '/integrations/key', { body: { display_name: 5 } }, 400, 'invalid_body', ['display_name']],
    ['POST', '/config', config({ oauth_scopes: ['a'] }), 400, 'invalid_oauth_scopes'],
    ['PUT', '/config', config({ oauth_scopes: ['a'] }), 400, 'invalid_oauth_scopes'],
    ['POST', '/config', config({ provider: 5 }), 400, 'missing_provider_template'],
    ['GET', '/providers?search[]=a', {}, 400, 'invalid_query_params', ['search']],
    // connect sessions
    ['POST', '/connect/sessions', user({ end_user: 'u' }), 400, 'invalid_body', ['end_user']],
    ['POST', '/connect/sessions', user({ allowed_integrations: {} }), 400, 'invalid_body', ['allowed_integrations']],
    ['POST', '/connect/sessions', user({ allowed_integrations: [5] }), 400, 'invalid_body', ['allowed_integrations', '0']],
    ['POST', '/connect/sessions/reconnect', again({ connection_id: 5 }), 400, 'invalid_body', ['connection_id']],
    ['POST', '/connect/telemetry', report({ event: 5 }), 400, 'invalid_body', ['event']],
    ['POST', '/connect/telemetry', report({ dimensions: [] }), 400, 'invalid_body', ['dimensions']],
    // browsers
    ['POST', `/api-auth/api-key/key?${token}`, { key: null, body: { apiKey: 5 } }, 400, 'invalid_body', ['apiKey']],
    ['POST', `/api-auth/basic/basic?${token}`, { key: null, body: { username: 'u', password: null } }, 400, 'invalid_body', ['password']],
    ['POST', `/auth/unauthenticated/none?${token}`, { key: null, body: [] }, 400, 'invalid_body', []],
    ['POST', `/auth/unauthenticated/none?${token}&params=x`, { key: null }, 400, 'invalid_query_params', ['params']],
    ['POST', `/unauth/none?${token}&params=x`, { key: null }, 400, 'invalid_query_params'],
    ['GET', `/oauth/connect/oauth?${token}&params=x`, { key: null }, 400, 'invalid_query_params', ['params']],
    ['GET', '/oauth/callback?state[]=x&code=y', { key: null }, 400, 'page'],
    // environments
    ['POST', '/environments', { body: { name: 5 } }, 400, 'invalid_body', ['name']],
    ['POST', '/environments', { body: { name: 'e', is_production: 'x' } }, 400, 'invalid_body', ['is_production']],
    ['POST', '/environment/api-keys', { body: { environment_id: '1', display_name: 'k' } }, 400, 'invalid_body', ['environment_id']],
    ['DELETE', '/environment/api-keys', { body: { environment_id: 1, key_id: '1' } }, 400, 'invalid_body', ['key_id']],
    // the proxy
    ['GET', '/proxy/a', { headers: { ...keys, Decompress: 'maybe' } }, 400, 'invalid_headers', ['decompress']],
  ],
};

// Routes, as the daemon's table spells them, without a row of some kind, and why.
const noInput = { missing: 'takes no input', malformed: 'takes no input', oversized: 'takes no input', type: 'takes no input' };
const noQuery = { oversized: 'takes no parameters', type: 'takes no parameters' };
const onlyPath = { type: 'a path is a text' };

export const exempt = {
  'GET /health': noInput,
  'GET /ready': noInput,
  'GET /metrics': noInput,
  'GET /providers.json': noInput,
  'GET /config': noInput,
  'GET /scripts/config': { ...noInput, why: 'an unknown format is the usual one' },
  'GET /flow/configs': noInput,
  'GET /provider': { ...noInput, why: 'any query is a search' },
  'GET /integrations': noQuery,
  'GET /images/template-logos/:file': { missing: 'takes no more', oversized: 'a name is a provider or it is none', malformed: 'a name is a provider or it is none', type: 'a path is a text' },
  'GET /connect': { ...noInput, why: 'a page' },
  'GET /connect/assets/:name': { missing: 'takes no more', oversized: 'a name is a file or it is none', malformed: 'a name is a file or it is none', type: 'a path is a text' },
  'GET /connect/session': { type: 'takes a token alone' },
  'DELETE /connect/session': { type: 'takes a token alone' },
  'GET /environment/webhooks': { missing: 'takes no parameters' },
  'PATCH /environment/webhooks': { oversized: 'a URL has no bound but that of the body' },
  'POST /environment/webhook-signing-key/rotate': { missing: 'takes no parameters' },
  'POST /webhooks/deliveries/replay': { oversized: 'takes one date' },
  'GET /environment-variables': { ...noQuery, missing: 'takes no parameters' },
  'GET /providers': { oversized: 'a search has no bound but that of the request line' },
  'GET /providers/:provider': onlyPath,
  'GET /providers/:provider/templates': { ...onlyPath, missing: 'unknown providers have no templates, too' },
  'GET /provider/:provider': onlyPath,
  'GET /config/:providerConfigKey': onlyPath,
  'DELETE /config/:providerConfigKey': { missing: 'also 204 for what is not there', oversized: 'also 204 for what cannot be there', ...onlyPath },
  'DELETE /integrations/:uniqueKey': onlyPath,
  'DELETE /environments/:environmentId': onlyPath,
  'GET /action/:id': onlyPath,
  '* /v1/*': { type: "a body is the script's affair" },
};
