// SPDX-License-Identifier: Apache-2.0
// Errors that scripts throw and get, and what a run that failed with one reports.
import { WRAPPER } from './sourcemap.js';

export class ActionError extends Error {
    type = 'action_script_runtime_error';
    payload;
    constructor(payload) {
        super(messageOf(payload));
        this.payload = typeof payload === 'object' && payload !== null ? payload : payload === undefined ? {} : { message: payload };
    }
    get name() {
        return 'ActionError';
    }
}

function messageOf(payload) {
    const message = typeof payload === 'object' && payload !== null ? payload.message : payload;
    return typeof message === 'string' ? message : '';
}

// A call of `nango` that the host answered with an error. With `response` it has the shape that the
// HTTP client's errors have in Nango's own runner, which scripts look into.
export class HostError extends Error {
    constructor({ name, message, code, type, payload, response }, request, asked) {
        super(message ?? 'The call failed');
        define(this, 'stack', asked.stack);
        define(this, 'name', name ?? 'Error');
        if (code !== undefined) {
            this.code = code;
        }
        if (type !== undefined) {
            define(this, 'hostType', type);
        }
        if (payload !== undefined) {
            this.payload = payload;
        }
        if (request !== undefined) {
            this.isAxiosError = true;
            this.config = request;
            this.request = {};
            if (response !== undefined) {
                this.response = response;
                this.status = response.status;
            }
        }
    }
}

function define(object, name, value) {
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
}

// Thrown in the script by what the runner itself ends.
export class RunEnded extends Error {
    constructor(type, message, status = 500) {
        super(message);
        define(this, 'name', 'Error');
        define(this, 'hostType', type);
        define(this, 'hostStatus', status);
    }
}

const MAX_TEXT = 20000;
function cut(text) {
    return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function readable(read) {
    try {
        return read();
    } catch {
        return undefined;
    }
}

// [{name, file, line, column}] of where it was thrown, without the prelude's own.
function framesOf(error, position) {
    const raw = readable(() => error.stack);
    const frames = [];
    for (const frame of typeof raw === 'string' ? raw.split('\n') : []) {
        const match = /^(?:(.*)@)?(.*?):(\d+)(?::(\d+))?$/.exec(frame);
        if (match === null || match[2] === 'nango:prelude' || frame.includes('[native code]')) {
            continue;
        }
        const line = Number(match[3]);
        const column = Number(match[4] ?? 1) - (line === 1 ? WRAPPER.length : 0);
        frames.push({ name: match[1], ...position(match[2], line, Math.max(column, 1)) });
    }
    return frames;
}

const unmapped = (file, line, column) => ({ file, line, column });

// Frames as Node prints them.
export function stackOf(error, position = unmapped) {
    if (typeof readable(() => error.stack) !== 'string') {
        return '';
    }
    const frames = framesOf(error, position).map(({ name, file, line, column }) => {
        const where = `${file}:${line}:${column}`;
        return name ? `    at ${name} (${where})` : `    at ${where}`;
    });
    return cut([`${readable(() => String(error)) ?? 'Error'}`, ...frames].join('\n'));
}

// Source maps name sources from where the bundle was written.
function shortened(file) {
    return String(file).replace(/^(\.\.?\/)+/, '');
}

// {file, line, column?} of what was thrown while code was loaded, or undefined. Code that cannot be
// parsed has no frames: the error itself says where.
export function placeOf(error, position = unmapped) {
    if (typeof error !== 'object' || error === null) {
        return undefined;
    }
    const [first] = framesOf(error, position);
    if (first !== undefined) {
        return { file: shortened(first.file), line: first.line, column: first.column };
    }
    const file = readable(() => error.sourceURL);
    const line = readable(() => error.line);
    if (!(error instanceof SyntaxError) || typeof file !== 'string' || file === 'nango:prelude' || !Number.isInteger(line)) {
        return undefined;
    }
    const at = position(file, line, 1); // the engine tells no column
    return { file: shortened(at.file), line: at.line };
}

function plain(value) {
    const text = readable(() => JSON.stringify(value));
    return text === undefined ? undefined : JSON.parse(text);
}

function upstreamHeaders(headers) {
    const kept = {};
    for (const [name, value] of Object.entries(headers ?? {})) {
        const lower = name.toLowerCase();
        if (lower === 'content-type' || lower.startsWith('x-rate')) {
            kept[lower] = value;
        }
    }
    return kept;
}

// {type, message, payload?, stack, status, upstream?} of whatever was thrown.
export function classify(thrown, { aborted, position }) {
    const isObject = typeof thrown === 'object' && thrown !== null;
    const error = isObject ? thrown : new Error(readable(() => String(thrown)) ?? 'unknown');
    const message = cut(String(readable(() => error.message) ?? ''));
    const stack = isObject ? stackOf(error, position) : '';
    const name = String(readable(() => error.name) ?? 'Error');
    const code = readable(() => error.code);
    const details = { name, ...(code === undefined ? {} : { code: plain(code) }), message, ...(stack === '' ? {} : { stacktrace: stack.split('\n').map((line) => line.trim()) }) };

    if (aborted) {
        return { type: 'script_aborted', message: 'The script was aborted', stack, status: 410 };
    }
    if (readable(() => error.type) === 'action_script_runtime_error' || error instanceof ActionError) {
        const given = plain(readable(() => error.payload));
        const payload = typeof given === 'object' && given !== null ? given : { message: given ?? message };
        return { type: 'action_script_runtime_error', message: messageOf(payload) || message, payload, stack, status: 500 };
    }
    const hostType = readable(() => error.hostType);
    if (typeof hostType === 'string') {
        const status = readable(() => error.hostStatus) ?? (hostType === 'script_api_rate_limit_error' ? 424 : 500);
        return { type: hostType, message, payload: plain(readable(() => error.payload)) ?? details, stack, status };
    }
    if (readable(() => error.isAxiosError)) {
        const response = readable(() => error.response);
        if (response === undefined || response === null) {
            return { type: 'script_network_error', message, payload: details, stack, status: 500 };
        }
        const body = plain(response.data);
        const payload = typeof body === 'object' && body !== null && body.payload !== undefined ? body.payload : body;
        return {
            type: 'script_http_error',
            message,
            payload: typeof payload === 'object' && payload !== null ? payload : { message: payload ?? message },
            stack,
            status: 424,
            upstream: { status: response.status, headers: upstreamHeaders(response.headers), body }
        };
    }
    if (error instanceof RangeError && /^Out of memory/.test(message)) {
        return { type: 'script_internal_error', message: 'The script went over its memory limit', payload: details, stack, status: 500 };
    }
    return { type: 'script_internal_error', message, payload: details, stack, status: 500 };
}
