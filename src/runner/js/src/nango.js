// SPDX-License-Identifier: Apache-2.0
// The `nango` object of a run.
import { checkpointMethods } from './checkpoints.js';
import { ActionError } from './errors.js';
import { DENIED, fetchOutside } from './fetch.js';
import { limitNango } from './function.js';
import { call } from './host.js';
import { late } from './late.js';
import { makeLogger } from './log.js';
import { RealDate, native } from './native.js';
import { paginate } from './paginate.js';
import { isBytes, makeProxy } from './proxy.js';
import { recordMethods } from './records.js';

const CONNECTION_MS = 60_000;
const INTEGRATION_MS = 600_000;
const MAX_LOCK_TEXT = 255;

const PROPERTIES = [
    'connectionId',
    'providerConfigKey',
    'provider',
    'environmentId',
    'environmentName',
    'activityLogId',
    'syncId',
    'syncJobId',
    'nangoConnectionId',
    'scriptType',
    'track_deletes',
    'syncConfig',
    'isCLI'
];

// Remembers answers for a while. What a script gets is its own copy.
function memo(ms) {
    const entries = new Map();
    return {
        async get(key, load) {
            const entry = entries.get(key);
            if (entry !== undefined && native.now() - entry.at < ms) {
                return entry.value;
            }
            const value = await load();
            entries.set(key, { at: native.now(), value });
            return value;
        },
        drop(key) {
            entries.delete(key);
        }
    };
}

export function makeNango(props, { fixture, limits, kind }) {
    const nango = {};
    const connections = memo(CONNECTION_MS);
    const integrations = memo(INTEGRATION_MS);
    const { log, logger, setLogger } = makeLogger(props.logger, limits);
    const proxy = makeProxy(props, fixture);
    let locks = false;

    const ownKey = () => `${props.providerConfigKey}\n${props.connectionId}`;
    const askConnection = (key, id, options) => call('getConnection', options === undefined ? [key, id] : [key, id, options]);

    async function getConnection(providerConfigKey = props.providerConfigKey, connectionId = props.connectionId, options) {
        const key = `${providerConfigKey}\n${connectionId}`;
        if (options !== undefined && options !== null && Object.values(options).some(Boolean)) {
            connections.drop(key);
            return askConnection(providerConfigKey, connectionId, options);
        }
        return connections.get(key, () => askConnection(providerConfigKey, connectionId));
    }

    async function ownMetadata() {
        if (fixture) {
            return call('getMetadata', []);
        }
        return (await getConnection()).metadata;
    }

    async function changeMetadata(method, metadata) {
        try {
            return await call(method, [metadata]);
        } finally {
            connections.drop(ownKey());
        }
    }

    async function fetchPlain({ url, method = 'GET', headers, body }) {
        const target = url instanceof late.URL ? url : new late.URL(String(url));
        const named = Object.fromEntries(headersOf(headers));
        if (body instanceof late.URLSearchParams && !Object.keys(named).some((name) => name.toLowerCase() === 'content-type')) {
            named['content-type'] = 'application/x-www-form-urlencoded;charset=UTF-8';
        }
        const payload = body === undefined || body === null || isBytes(body) ? body : String(body);
        try {
            const { body: bytes, ...init } = await fetchOutside({ url: target.href, method: String(method), headers: named, body: payload });
            return new late.Response(bytes, init);
        } catch (error) {
            throw error?.code === DENIED ? new ActionError({ code: DENIED, message: error.message }) : error;
        }
    }

    for (const name of PROPERTIES) {
        nango[name] = props[name];
    }
    const lastSync = props.lastSyncDate;
    nango.lastSyncDate = typeof lastSync === 'string' || typeof lastSync === 'number' ? new RealDate(lastSync) : fixture ? null : undefined;
    nango.variant = props.variant ?? 'base';
    let aborter; // few scripts look at it
    function aborting() {
        aborter ??= new late.AbortController();
        return aborter;
    }
    Object.defineProperty(nango, 'abortSignal', { get: () => aborting().signal, enumerable: true, configurable: true });
    nango.ActionError = ActionError;
    nango.logger = logger;
    if (fixture || props.isCLI) {
        nango.dryRun = true; // as in Nango's own command line
    }

    Object.assign(nango, {
        proxy,
        get: (config) => proxy({ ...config, method: 'GET' }),
        post: (config) => proxy({ ...config, method: 'POST' }),
        put: (config) => proxy({ ...config, method: 'PUT' }),
        patch: (config) => proxy({ ...config, method: 'PATCH' }),
        delete: (config) => proxy({ ...config, method: 'DELETE' }),
        paginate: (config) => paginate(config, props.paginate, proxy, fixture),

        getConnection,
        async getToken() {
            if (fixture) {
                return call('getToken', []);
            }
            return tokenOf((await getConnection()).credentials);
        },
        async getIntegration(options = {}) {
            return integrations.get(JSON.stringify(options?.include ?? []), () => call('getIntegration', [options]));
        },
        getMetadata: ownMetadata,
        setMetadata: (metadata) => changeMetadata('setMetadata', metadata),
        updateMetadata: (metadata) => changeMetadata('updateMetadata', metadata),
        setFieldMapping: (mapping) => changeMetadata('setMetadata', { fieldMapping: mapping }),
        getFieldMapping: async () => (await ownMetadata())?.fieldMapping ?? {},
        async getWebhookURL() {
            if (fixture) {
                return call('getWebhookURL', []);
            }
            return (await nango.getIntegration({ include: ['webhook'] }))?.webhook_url;
        },
        async getEnvironmentVariables() {
            return (await call('getEnvironmentVariables', [])) ?? null;
        },
        getFlowAttributes() {
            if (props.syncJobId === undefined && !fixture) {
                throw new Error('There is no current sync to get attributes from');
            }
            return props.attributes ?? props.syncConfig?.attributes ?? {};
        },

        log,
        setLogger,
        triggerAction: (key, id, name, input) => call('triggerAction', [key, id, name, input]),
        triggerSync: (key, id, sync, options) => call('triggerSync', [key, id, sync, options]),
        startSync: (key, syncs, id) => call('startSync', [key, syncs, id]),
        uncontrolledFetch: fetchPlain,

        async zodValidateInput({ zodSchema, input }) {
            if (fixture) {
                return { data: input }; // as the recorder of the public templates
            }
            const result = zodSchema.safeParse(input);
            if (result.success) {
                return { success: true, data: result.data };
            }
            for (const issue of result.error.issues) {
                await log(`Invalid input provided: ${issue.message} at path ${issue.path.join('.')}`, { level: 'error' });
            }
            throw new ActionError({ message: 'Invalid input provided' });
        },

        async tryAcquireLock({ key, ttlMs }) {
            checkLockKey(key);
            if (!(typeof ttlMs === 'number' && ttlMs > 0)) {
                throw new Error('Invalid lock TTL (must be greater than 0)');
            }
            locks = true;
            return Boolean(await call('tryAcquireLock', [{ key, ttlMs }]));
        },
        async releaseLock({ key }) {
            checkLockKey(key);
            return Boolean(await call('releaseLock', [{ key }]));
        },
        async releaseAllLocks() {
            locks = false;
            return call('releaseAllLocks', []);
        },
        ...checkpointMethods(fixture)
    });
    if (kind === 'function') {
        limitNango(nango, props.attributes);
    }
    if (kind === 'sync' || kind === 'webhook') {
        Object.assign(nango, recordMethods(props, { log, fixture }));
    }
    return {
        nango,
        abort: (reason) => aborting().abort(reason),
        holdsLocks: () => locks,
        release: () => nango.releaseAllLocks()
    };
}

function checkLockKey(key) {
    if (typeof key !== 'string' || key.length === 0 || key.length > MAX_LOCK_TEXT) {
        throw new Error(`Invalid lock key (must be 1..${MAX_LOCK_TEXT} characters)`);
    }
}

function headersOf(headers) {
    if (headers === undefined || headers === null) {
        return [];
    }
    return typeof headers[Symbol.iterator] === 'function' ? headers : Object.entries(headers);
}

// As the node client's getToken(): the token itself where there is one, else the credentials.
function tokenOf(credentials) {
    switch (credentials?.type) {
        case 'OAUTH2':
            return credentials.access_token;
        case 'OAUTH1':
            return { oAuthToken: credentials.oauth_token, oAuthTokenSecret: credentials.oauth_token_secret };
        case 'OAUTH2_CC':
        case 'APP_STORE':
        case 'TWO_STEP':
        case 'JWT':
        case 'BILL':
        case 'TABLEAU':
        case 'SIGNATURE':
            return credentials.token ?? credentials.access_token ?? credentials.raw?.access_token ?? credentials;
        case 'APP':
            return credentials.access_token;
        default:
            return credentials;
    }
}
