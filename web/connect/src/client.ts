// SPDX-License-Identifier: Apache-2.0
// The server's endpoints, as the page uses them.

export interface Field {
  type?: string; title?: string; description?: string; pattern?: string; format?: string; enum?: string[]; order?: number; example?: string;
  optional?: boolean; secret?: boolean; hidden?: boolean; automated?: boolean | string; default_value?: string; prefix?: string; suffix?: string; doc_section?: string;
}
export type Fields = Record<string, Field>;
export interface Integration { unique_key: string; provider: string; display_name: string; logo?: string }
export interface Provider { auth_mode: string; display_name: string; docs_connect?: string; installation?: string; credentials?: Fields; connection_config?: Fields; integration_config?: Fields }
export interface Colours { primary?: string }
export interface Settings { showWatermark?: boolean; defaultTheme?: string; theme?: { light?: Colours; dark?: Colours } }
export interface Session {
  connectUISettings?: Settings; isReconnecting?: boolean; websocketsPath?: string; overrides?: Record<string, { docs_connect?: string }>;
  integrations_config_defaults?: Record<string, { connection_config?: Record<string, unknown> }>;
}
export interface Result { providerConfigKey: string; connectionId: string; isPending?: boolean }

export class Failure extends Error {
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

const params = new URLSearchParams(location.search);
// The page is in a folder of the server's, below whatever path that is published at.
export const api = (params.get('apiURL') ?? new URL('..', location.href).href).replace(/\/+$/, '');
const apiOrigin = new URL(api).origin;

async function call<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response, body;
  try {
    response = await fetch(api + path, init);
    body = response.status === 204 ? {} : await response.json();
  } catch {
    throw new Failure('network', '');
  }
  if (!response.ok) throw new Failure(body.error?.code ?? 'server_error', body.error?.message ?? `HTTP ${response.status}`);
  return body;
}

export const get = async <T>(path: string, token: string) => (await call<{ data: T }>(path, { headers: { Authorization: `Bearer ${token}` } })).data;

export function tell(token: string, event: string, integration?: string) {
  const body = JSON.stringify({ token, event, timestamp: new Date().toISOString(), ...(integration && { dimensions: { integration } }) });
  // Nobody waits for it, and a lost count is no fault of the person's.
  fetch(`${api}/connect/telemetry`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body, keepalive: true }).catch(() => undefined);
}

const endpoints: Record<string, string> = {
  API_KEY: '/api-auth/api-key/', BASIC: '/api-auth/basic/', NONE: '/auth/unauthenticated/', OAUTH2_CC: '/oauth2/auth/', JWT: '/auth/jwt/', TWO_STEP: '/auth/two-step/',
  SIGNATURE: '/auth/signature/', BILL: '/auth/bill/', TBA: '/auth/tba/', AWS_SIGV4: '/auth/aws-sigv4/',
};
const popups = ['OAUTH1', 'OAUTH2', 'APP', 'CUSTOM', 'INSTALL_PLUGIN', 'MCP_OAUTH2', 'MCP_OAUTH2_GENERIC'];
export const isPopup = (provider: Provider) => popups.includes(provider.auth_mode) && provider.installation !== 'outbound';

const query = (token: string, config: Record<string, string>) => {
  const out = new URLSearchParams({ connect_session_token: token });
  for (const [name, value] of Object.entries(config)) out.append(`params[${name}]`, value);
  return out;
};

export async function connect(key: string, provider: Provider, token: string, credentials: Record<string, string>, config: Record<string, string>, extra: object) {
  const outbound = provider.installation === 'outbound';
  const endpoint = outbound ? '/auth/oauth-outbound/' : endpoints[provider.auth_mode];
  if (!endpoint) throw new Failure('unsupported', '');
  const body = { ...credentials, ...extra, ...(['SIGNATURE', 'TWO_STEP'].includes(provider.auth_mode) && { type: provider.auth_mode }) };
  const empty = outbound || provider.auth_mode === 'NONE';
  return call<Result>(`${endpoint}${encodeURIComponent(key)}?${query(token, config)}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, ...(!empty && { body: JSON.stringify(body) }),
  });
}

// Must be called by a click, or the browser blocks the window. The outcome comes by the socket, or from the page at the end of
// the flow, whichever is first.
export function authorize(key: string, token: string, config: Record<string, string>, session: Session, signal: AbortSignal) {
  const popup = window.open('', '_blank', 'popup,width=560,height=720');
  return new Promise<Result>((resolve, reject) => {
    const over = new AbortController();
    const socketUrl = new URL(api + (session.websocketsPath ?? '/'));
    socketUrl.protocol = socketUrl.protocol.replace('http', 'ws');
    const socket = popup ? new WebSocket(socketUrl) : undefined;
    let started = false, timer = 0;
    const finish = (done: () => void) => {
      over.abort();
      clearInterval(timer);
      socket?.close();
      popup?.close();
      done();
    };
    const fail = (code: string, message = '') => finish(() => reject(new Failure(code, message)));
    if (!popup) return fail('blocked_by_browser');
    const start = (id?: string) => {
      if (started) return;
      started = true;
      const search = query(token, config);
      if (id) search.set('ws_client_id', id);
      popup.location.href = `${api}/oauth/connect/${encodeURIComponent(key)}?${search}`;
    };
    socket!.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.message_type === 'connection_ack') start(message.ws_client_id);
      if (message.message_type === 'error') fail(message.error_type, message.error_desc);
      if (message.message_type === 'success')
        finish(() => resolve({ providerConfigKey: message.provider_config_key, connectionId: message.connection_id, isPending: message.is_pending }));
    };
    socket!.onerror = () => start();
    socket!.onclose = () => start();
    window.addEventListener('message', ({ origin, source, data }) => {
      if (origin !== apiOrigin || source !== popup) return;
      // The page at the end repeats itself until it is heard.
      if (/^nango_oauth_callback_(success|error)$/.test(data?.type)) popup.postMessage({ type: 'nango_oauth_callback_ack' }, apiOrigin);
      if (data?.type === 'nango_oauth_callback_error') fail(data.payload?.errorType ?? 'unknown_err', data.payload?.message);
      if (data?.eventType === 'AUTHORIZATION_SUCEEDED') finish(() => resolve({ providerConfigKey: data.data.providerConfigKey, connectionId: data.data.connectionId }));
    }, { signal: over.signal });
    signal.addEventListener('abort', () => fail('window_closed'), { signal: over.signal });
    // A provider's isolation policy makes its window look closed, so this is done only when the application wants it.
    if (params.get('detectClosedAuthWindow') !== 'true') return;
    // The page closes itself on success: its message may be on the way then.
    let gone = 0;
    timer = window.setInterval(() => {
      gone = popup.closed ? gone + 1 : 0;
      if (gone > 3) fail('window_closed');
    }, 500);
  });
}
