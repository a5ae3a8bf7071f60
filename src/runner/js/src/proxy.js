// SPDX-License-Identifier: Apache-2.0
// nango.proxy(): the script's configuration as a request that the host sends, and its answer as the
// script expects it.
import { asBytes } from './bytes.js';
import { call } from './host.js';
import { native, parseJson, printJson } from './native.js';
import { late } from './late.js';

const PASSED_ON = [
    'retries',
    'retryOn',
    'baseUrlOverride',
    'responseType',
    'decompress',
    'retryHeader',
    'forwardHeadersOnRedirect',
    'timeout',
    'maxRedirects'
];

export function isBytes(value) {
    return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

// {"$bytes"} of the protocol, both ways.
export function packBytes(value) {
    return { $bytes: native.base64(asBytes(value), false) };
}
export function unpackBytes(value) {
    const bytes = native.unbase64(value.$bytes);
    return new late.Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// The body as it goes over the wire, and its content type where the script gave none.
function wireBody(data) {
    if (data === undefined || data === null) {
        return {};
    }
    if (typeof data === 'string') {
        return { body: data };
    }
    if (isBytes(data)) {
        return { body: packBytes(data) };
    }
    if (data instanceof late.URLSearchParams) {
        return { body: data.toString(), contentType: 'application/x-www-form-urlencoded;charset=utf-8' };
    }
    const text = printJson(data);
    return text === undefined ? {} : { body: text, contentType: 'application/json' };
}

// The body as recordings identify it: nothing, a text, bytes of a Buffer, or the JSON text of the value.
function recordedBody(data) {
    if (!data) {
        return {};
    }
    if (typeof data === 'string') {
        return { body: data };
    }
    return { body: late.Buffer.isBuffer(data) ? packBytes(data) : printJson(data) };
}

function wireParams(params) {
    if (params === undefined || params === null || typeof params === 'string') {
        return params ?? undefined;
    }
    if (params instanceof late.URLSearchParams) {
        return params.toString();
    }
    const out = {};
    for (const [name, value] of Object.entries(params)) {
        if (value !== undefined) {
            out[name] = Array.isArray(value) ? value.map(String) : String(value);
        }
    }
    return out;
}

function wireHeaders(headers) {
    const out = {};
    const pairs = typeof headers?.[Symbol.iterator] === 'function' ? headers : Object.entries(headers ?? {});
    for (const [name, value] of pairs) {
        if (value !== undefined && value !== null) {
            out[name] = String(value);
        }
    }
    return out;
}

// A text answer as the script's `responseType` wants it: JSON where it is that, as the client does.
function decode(text, responseType) {
    if (responseType === 'text') {
        return text;
    }
    try {
        return parseJson(text);
    } catch {
        return text;
    }
}

export function receive(answer, responseType) {
    const { status, headers = {} } = answer;
    let { data } = answer;
    if (data !== null && typeof data === 'object' && typeof data.$bytes === 'string') {
        data = unpackBytes(data);
        if (responseType !== 'arraybuffer' && responseType !== 'stream') {
            data = decode(data.toString(), responseType);
        }
    } else if (answer.text !== undefined) {
        data = responseType === 'arraybuffer' || responseType === 'stream' ? late.Buffer.from(answer.text) : decode(answer.text, responseType);
    }
    return { data, status, statusText: answer.statusText ?? '', headers };
}

export function makeProxy(props, fixture) {
    return async function proxy(config) {
        if (typeof config?.endpoint !== 'string') {
            throw new Error('endpoint is missing and is required to make a proxy call!');
        }
        const request = {
            method: String(config.method ?? 'GET').toUpperCase(),
            endpoint: config.endpoint,
            providerConfigKey: config.providerConfigKey ?? props.providerConfigKey,
            connectionId: config.connectionId ?? props.connectionId,
            headers: wireHeaders(config.headers),
            params: wireParams(config.params),
            ...(fixture ? recordedBody(config.data) : wireBody(config.data))
        };
        for (const name of PASSED_ON) {
            if (config[name] !== undefined) {
                request[name] = config[name];
            }
        }
        try {
            return { ...receive(await call('proxy', [request], config), config.responseType), config, request: {} };
        } catch (error) {
            if (error?.response) {
                error.response = { ...receive(error.response, config.responseType), config };
            }
            throw error;
        }
    };
}
