// SPDX-License-Identifier: Apache-2.0
// nango.log(): levels, a bound for each message and for the whole run.
import { send } from './host.js';
import { native } from './native.js';

const MAX_BYTES = 99_000;
const CUT = '... (truncated)';
const LEVELS = { debug: 0, silly: 0, verbose: 0, info: 1, http: 1, warn: 2, error: 3, off: 9 };
const SHOWN = { silly: 'debug', verbose: 'debug', http: 'info' };

function isLevel(value) {
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return keys.length === 1 && keys[0] === 'level' && Object.hasOwn(LEVELS, value.level);
}

// Plain data for JSON: errors as objects, cycles and bigints as text.
function loggable(value) {
    const seen = new WeakSet();
    const text = JSON.stringify(value, (_key, item) => {
        if (typeof item === 'bigint') {
            return item.toString();
        }
        if (typeof item === 'function' || typeof item === 'symbol') {
            return String(item).slice(0, 100);
        }
        if (item instanceof Error) {
            const { name, message, stack, ...rest } = item;
            return { name, message, ...(typeof stack === 'string' ? { stack: stack.slice(0, 4000) } : {}), ...rest };
        }
        if (typeof item === 'object' && item !== null) {
            if (seen.has(item)) {
                return '[Circular]';
            }
            seen.add(item);
        }
        return item;
    });
    return text === undefined ? undefined : text;
}

function cutBytes(text, max) {
    if (text.length * 3 <= max) {
        return text;
    }
    const bytes = native.utf8Encode(text);
    return bytes.length <= max ? text : native.utf8Decode(bytes.subarray(0, max)).replace(/\ufffd+$/, '') + CUT;
}

export function makeLogger(level, limits) {
    const logger = { level: Object.hasOwn(LEVELS, level ?? '') ? level : 'debug' };
    let left = limits.logs > 0 ? limits.logs : Infinity;
    let bytesLeft = limits.log_bytes > 0 ? limits.log_bytes : Infinity;

    function emit(name, message, meta) {
        if (left <= 0 || bytesLeft <= 0) {
            return;
        }
        left--;
        bytesLeft -= message.length + (meta?.length ?? 0);
        if (left <= 0 || bytesLeft <= 0) {
            send({ t: 'log', level: 'warn', message: 'This run has logged too much: what follows is dropped' });
            return;
        }
        send({ t: 'log', level: name, message, ...(meta === undefined ? {} : { meta: JSON.parse(meta) }) });
    }

    async function log(...args) {
        if (args.length === 0 || logger.level === 'off') {
            return;
        }
        const last = args[args.length - 1];
        const named = args.length > 1 && isLevel(last);
        const name = named ? last.level : 'info';
        if (LEVELS[name] < LEVELS[logger.level]) {
            return;
        }
        const rest = named ? args.slice(0, -1) : args;
        const [first, ...more] = rest;
        const text = typeof first === 'string' ? first : (loggable(first) ?? String(first));
        let meta = more.length === 0 ? undefined : loggable(more.length === 1 ? more[0] : more);
        const message = cutBytes(text, MAX_BYTES);
        const room = Math.max(0, MAX_BYTES - message.length);
        if (meta !== undefined && meta.length * 3 > room) {
            const cut = cutBytes(meta, room);
            meta = cut === meta ? meta : JSON.stringify(cut);
        }
        emit(SHOWN[name] ?? name, message, meta);
    }

    function setLogger(next) {
        if (typeof next !== 'object' || next === null || !Object.hasOwn(LEVELS, next.level ?? '')) {
            throw new Error('setLogger needs {level}: debug, info, warn, error or off');
        }
        logger.level = next.level;
    }
    return { log, logger, setLogger };
}
