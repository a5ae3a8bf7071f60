// SPDX-License-Identifier: Apache-2.0
// Where the replay does not follow the recordings, and why. Two tables:
//
//   skipped      entries that are not sent: endpoints of later work
//   differing    entries that are sent and whose answer is ours on purpose; `ours` is what must come
//                instead (status, and the members of the body given, or with `whole` all of them;
//                `trimmed` lists as in recordings). A row whose entries no longer differ from the
//                recording is an error: the table must not outlive its reason. `doc` begins a row
//                of the table in docs/api.md, which tells users; `noDoc` says why none does.
//
// `names` selects by name (a list, or a pattern); `when` by the entry itself.

import { createHash } from 'node:crypto';

const named = (...list) => (entry) => list.includes(entry.name);
const like = (pattern) => (entry) => pattern.test(entry.name);

export const skipped = [
  { area: 'actions', when: named('result: at once'), why: 'here it may be over by then' },
  { area: 'sync-control', when: named('status: right after trigger'), why: 'here it may be over by then' },
  { area: 'auth-endpoints', when: like(/^webhook/), why: "providers' webhooks are not served yet" },
  { area: 'auth-endpoints', when: like(/^(app-auth|client metadata)/), why: 'APP and MCP modes are not served yet' },
  { area: 'auth-endpoints', when: like(/^oauth connect OAUTH1/), why: 'the OAuth 1 flow is not served yet' },
  { area: 'connections', when: like(/^(import|legacy import:) (APP|CUSTOM)$/), why: 'imports that must reach a real provider; APP and CUSTOM are not served yet' },
];

const notFound = { status: 404, body: { error: { code: 'not_found' } } };
const refusal = (code, status = 400, message = undefined) => ({ status, body: { error: { code, ...(message && { message }) } } });

// An echoed request with these members in place of the recorded ones.
const echoed = (headers, more = {}) => ({ status: 200, body: { ...more, headers } });
const sentBody = (entry) => (typeof entry.request.body === 'string' ? entry.request.body : JSON.stringify(entry.request.body));

export const differing = [
  {
    why: 'a sync that is deployed runs for the connections that there are',
    doc: 'syncs of a deploy',
    area: 'sync-control',
    when: named('status: after deploy'),
    ours: { status: 200, body: { syncs: [{ name: 'items', variant: 'base', connection_id: 'rec-c1', recordCount: { Item: 3 } }] } },
  },
  {
    why: 'a variant has records of its own, and runs once it is there',
    doc: '`recordCount` of a variant',
    area: 'sync-control',
    when: named('status: variant'),
    ours: { status: 200, body: { syncs: [{ name: 'items', variant: 'v1', connection_id: 'rec-c1', frequency: 'every 1 hour' }] } },
  },
  {
    why: 'what the caller got wrong is no failure of the server',
    doc: 'a variant of an unknown sync',
    area: 'sync-control',
    when: named('variant create: unknown sync'),
    ours: refusal('unknown_sync'),
  },
  {
    why: 'a cursor that is none is the caller\'s mistake',
    doc: 'a cursor that is none',
    area: 'records',
    when: named('bad cursor', 'prune: bad cursor'),
    ours: refusal('invalid_cursor_value'),
  },
  {
    why: 'any date is taken, however old and in whatever zone',
    doc: '`modified_after` and `delta`',
    area: 'records',
    when: named('old modified_after', 'modified_after with offset'),
    ours: { status: 200, body: { records: [], next_cursor: null }, whole: true },
  },
  {
    why: 'a date that is none is told once',
    noDoc: 'the same refusal, with one issue less',
    area: 'records',
    when: named('bad modified_after', 'delta and empty params of the old SDK'),
    ours: (entry) => ({ status: 400, body: { error: { code: 'invalid_query_params', errors: entry.response.body.error.errors.filter(({ code }) => code !== 'custom') } } }),
  },
  {
    why: 'filters are joined as they are documented',
    doc: '`filter` of records',
    area: 'records',
    when: named('filter updated,deleted', 'filter added,deleted', 'filter added,updated,deleted'),
    ours: (entry) => ({ status: 200, body: { records: ['1', '2', '3'].filter((id) => id === '3' || entry.name.includes({ 1: 'added', 2: 'updated' }[id])).map((id) => ({ id })), next_cursor: null } }),
  },
  {
    why: 'what early clients call is served',
    doc: '`GET /sync/records`',
    area: 'records',
    when: named('legacy GET /sync/records'),
    ours: { status: 200, body: [], whole: true },
  },
  {
    why: 'what early clients call is served, for a connection',
    doc: '`GET /sync/records`',
    area: 'errors',
    when: named('route GET /sync/records?model=A'),
    ours: refusal('invalid_headers'),
  },
  {
    why: 'an unknown route is 404 in JSON, never a failure',
    doc: 'unknown route',
    area: 'errors',
    when: named('route GET /sync'),
    ours: notFound,
  },
  {
    why: 'an action may return anything',
    doc: '`false` and `""` from an action',
    area: 'actions',
    when: named('run: false', 'run: empty'),
    ours: (entry) => ({ status: 200, body: entry.name === 'run: false' ? false : '', whole: true }),
  },
  {
    why: 'frames of stacks are named as the engine names functions',
    doc: '`stacktrace` of a failed action',
    area: 'actions',
    when: named('run: throw', 'run: refused'),
    ours: (entry) => ({
      status: 500,
      body: { error: { code: entry.response.body.error.code, payload: { name: 'Error', stacktrace: [entry.response.body.error.payload.stacktrace[0], entry.name === 'run: throw' ? 'at act-rec-api.cjs:3:47' : 'at act-rec-api.cjs:4:50', 'at act-rec-api.cjs:2:26'] } } },
    }),
  },
  {
    why: 'an unknown route is 404 in JSON, never a page',
    doc: 'unknown route',
    when: (entry) => entry.response.status === 404 && typeof entry.response.body === 'string' && entry.response.body.includes('<pre>Cannot '),
    except: ['legacy POST /config', 'legacy PUT /config', 'legacy DELETE /config/:key', 'legacy /unauth'],
    ours: notFound,
  },
  {
    why: 'GET of an unknown route: the recorder fell through to a dashboard it did not have',
    doc: 'unknown route',
    area: 'errors',
    when: named('route GET /nope', 'route GET /connections/a/b/c', 'route GET /', 'duplicate slash'),
    ours: notFound,
  },
  {
    why: 'there are no plans here that would forbid it',
    doc: '`overrides` of a connect session',
    area: 'connect-sessions',
    when: named('create, overrides'),
    ours: { status: 201, body: { data: { token: '<session-token>', connect_link: '<CONNECT-UI>?session_token=<session-token>', expires_at: '<timestamp ms Z>' } } },
  },
  {
    why: 'times of the list have milliseconds, whoever made the connection',
    doc: '`created` in lists',
    area: 'connections',
    when: named('list: integrationId list'),
    ours: (entry) => ({ status: 200, body: JSON.parse(JSON.stringify(entry.response.body).replaceAll('<timestamp us', '<timestamp ms')) }),
  },
  {
    why: 'the derived webhook secret depends on the key, which the recording leaves out',
    noDoc: 'the secret is made in the same way',
    area: 'integrations',
    when: named('legacy GET /config/:key with creds, APP'),
    ours: (entry, stage) => {
      const { config } = entry.response.body;
      const secret = createHash('sha256').update(config.client_id + stage.fill(config.client_secret) + config.app_link).digest('hex');
      // The address of the documentation is the reference catalogue's.
      return { status: 200, whole: true, body: { config: { ...config, webhook_secret: secret, ...(!stage.facts && { docs: '<volatile>' }) } } };
    },
  },
  {
    why: 'the message says what was wrong with the token endpoint',
    noDoc: 'the same code, with words for people in place of the client library\'s',
    area: 'auth-endpoints',
    when: named('client credentials, token endpoint unreachable', 'two-step unreachable'),
    ours: (entry) => refusal(entry.response.body.error.code, 400),
  },
  {
    why: 'the message says what was wrong with the token endpoint',
    doc: 'proxied call whose refresh failed',
    area: 'proxy',
    when: named('OAUTH2 expired, refresh fails'),
    ours: refusal('server_error', 400, "Failed to get connection credentials: 'the token endpoint could not be reached (ECONNREFUSED): The host refused the connection'"),
  },

  // early paths that the newest reference server dropped, and ours keeps for the early clients
  { why: 'early path kept', doc: 'early paths', when: named('legacy GET /config'), ours: { status: 200, trimmed: true, body: { configs: [{ unique_key: 'rec-api', provider: 'private-api-bearer' }, { unique_key: 'rec-oauth2', provider: 'github' }] } } },
  { why: 'early path kept', doc: 'early paths', when: named('legacy POST /config'), ours: { status: 200, body: { config: { unique_key: 'rec-tmp', provider: 'github' } } } },
  { why: 'early path kept', doc: 'early paths', when: named('legacy PUT /config'), ours: refusal('missing_client_id') },
  { why: 'early path kept', doc: 'early paths', when: named('legacy DELETE /config/:key'), ours: { status: 204 } },
  { why: 'early path kept', doc: 'early paths', when: named('legacy GET /provider'), ours: { status: 200, body: { providers: { github: { auth_mode: 'OAUTH2' } } } } },
  { why: 'early path kept', doc: 'early paths', when: named('legacy GET /provider/:p'), ours: { status: 200, body: { provider: { auth_mode: 'OAUTH2' } } } },
  { why: 'early path kept', doc: 'early paths', when: named('legacy /unauth'), ours: { status: 200, body: { connectionId: '<uuid>', providerConfigKey: 'rec-none' } } },

  // scripts
  {
    why: 'a sync that is deployed is not new, whether or not connections run it',
    doc: 'confirmation of a deploy',
    area: 'scripts-config',
    when: named('deploy confirmation, unchanged', 'deploy confirmation, one integration, reconcile'),
    ours: (entry) => ({ status: 200, whole: true, body: { ...entry.response.body, newSyncs: [], updatedSyncs: entry.response.body.newSyncs } }),
  },
  {
    why: 'an entry for each integration',
    doc: '`GET /scripts/config`',
    area: 'scripts-config',
    when: named('config'),
    ours: (entry) => {
      const [both] = entry.response.body;
      const mine = (list) => list.filter(({ name, description }) => name !== 'noop' && (name !== 'items' || description));
      const theirs = (list) => list.filter((one) => !mine(list).includes(one));
      const share = (providerConfigKey, choose) => ({ ...both, providerConfigKey, actions: choose(both.actions), syncs: choose(both.syncs) });
      return { status: 200, whole: true, body: [share('other-api', theirs), share('rec-api', mine)] };
    },
  },
  {
    why: 'says which model of which script',
    doc: 'refusal of a deploy',
    area: 'scripts-config',
    when: named('deploy without json schema model'),
    ours: {
      status: 400,
      whole: true,
      body: {
        error: {
          code: 'deploy_missing_json_schema_model',
          message: 'action "act2" of "rec-api": the JSON schema has no definition of the model "Nope"',
          payload: { providerConfigKey: 'rec-api', script: 'act2' },
        },
      },
    },
  },
  {
    why: 'the first releases post `syncs`, which the newest server no longer reads; the recorded list was left out',
    doc: 'deploy of a 0.36 command line',
    area: 'scripts-config',
    when: named('deploy legacy body'),
    ours: { status: 400, whole: true, body: { error: { code: 'invalid_body', errors: [{ code: 'invalid_type', message: 'Invalid input: expected array, received string', path: ['syncs'] }] } } },
  },
  {
    why: 'scripts are listed, as they were for early clients',
    doc: 'early paths',
    area: 'scripts-config',
    when: named('legacy config lists scripts'),
    ours: {
      status: 200,
      whole: true,
      body: {
        config: {
          unique_key: 'rec-api',
          provider: 'private-api-bearer',
          syncs: [{ name: 'items', description: 'A sync', created_at: '<timestamp ms Z>', updated_at: '<timestamp ms Z>' }],
          actions: [
            { name: 'act', description: 'An action', created_at: '<timestamp ms Z>', updated_at: '<timestamp ms Z>' },
            { name: 'typed', created_at: '<timestamp ms Z>', updated_at: '<timestamp ms Z>' },
          ],
        },
      },
    },
  },

  // server errors for what the caller did wrong
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', when: named('import oversize connection id'), ours: refusal('invalid_body') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', when: named('legacy import: OAUTH2 without token'), ours: refusal('missing_access_token') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', when: named('legacy import: OAUTH1 missing secret'), ours: refusal('missing_oauth_token_secret') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', when: named('legacy import: TBA without account'), ours: refusal('missing_account_id') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', when: named('legacy import: TWO_STEP'), ours: refusal('unknown_oauth_type') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', area: 'metadata', when: named('legacy set no key'), ours: refusal('missing_provider_config') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', area: 'metadata', when: named('legacy set no body'), ours: refusal('invalid_body') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', area: 'errors', when: named('no content type POST /connection'), ours: refusal('missing_provider_config') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', area: 'errors', when: named('NUL in body'), ours: refusal('invalid_json') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', area: 'errors', when: named('bad percent encoding'), ours: refusal('invalid_uri_params') },
  { why: 'a refusal, not a server error', doc: 'bad input that made it answer 500', area: 'proxy', when: named('negative Retries'), ours: refusal('invalid_headers') },

  // the proxy passes on what the provider said
  {
    why: "the provider's status passes",
    doc: 'proxied status 201',
    area: 'proxy',
    when: (entry) => /\/(status|empty)\/20[1-6]$/.test(entry.request.path),
    ours: (entry) => ({ status: Number(entry.request.path.slice(-3)) }),
  },
  {
    why: 'a bare JSON value is JSON, too',
    doc: 'proxied JSON',
    area: 'proxy',
    when: named('POST JSON scalar'),
    ours: echoed({ 'content-type': 'application/json' }, { body: '"x"' }),
  },
  {
    why: 'JSON passes as it was written, numbers included',
    doc: 'proxied JSON',
    area: 'proxy',
    when: named('POST big number JSON'),
    ours: (entry) => echoed({ 'content-type': 'application/json' }, { body: sentBody(entry) }),
  },
  {
    why: "the caller's content type goes with the caller's bytes",
    doc: 'proxied body without a forwarded type',
    area: 'proxy',
    when: named('POST text without forwarded type', 'POST unknown content type'),
    ours: (entry) => echoed({ 'content-type': entry.request.headers['Content-Type'] }, { body: entry.request.body }),
  },
  {
    why: 'multipart bodies pass as they came, files included',
    doc: 'proxied multipart',
    area: 'proxy',
    when: named('POST multipart', 'POST multipart, forwarded type with boundary'),
    ours: (entry) => echoed({ 'content-type': 'multipart/form-data; boundary=XyZ' }, { body: entry.request.body }),
  },
];
