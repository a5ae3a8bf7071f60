// SPDX-License-Identifier: Apache-2.0
// structuredClone of what scripts hold: plain data, dates, maps, sets, errors, bytes.
import { DOMException } from './abort.js';
import { Buffer } from './buffer.js';

export function structuredClone(value) {
    const seen = new Map();
    const copy = (from) => {
        if (typeof from === 'function' || typeof from === 'symbol') {
            throw new DOMException(`${String(from)} could not be cloned.`, 'DataCloneError');
        }
        if (from === null || typeof from !== 'object') {
            return from;
        }
        if (seen.has(from)) {
            return seen.get(from);
        }
        const keep = (made) => {
            seen.set(from, made);
            return made;
        };
        if (from instanceof Date) {
            return keep(new Date(from.getTime()));
        }
        if (from instanceof RegExp) {
            return keep(new RegExp(from.source, from.flags));
        }
        if (from instanceof ArrayBuffer) {
            return keep(from.slice(0));
        }
        if (ArrayBuffer.isView(from)) {
            const buffer = copy(from.buffer);
            const Type = from instanceof Buffer ? Uint8Array : from.constructor;
            return keep(new Type(buffer, from.byteOffset, from instanceof DataView ? from.byteLength : from.length));
        }
        if (from instanceof Map) {
            const made = keep(new Map());
            for (const [key, item] of from) {
                made.set(copy(key), copy(item));
            }
            return made;
        }
        if (from instanceof Set) {
            const made = keep(new Set());
            for (const item of from) {
                made.add(copy(item));
            }
            return made;
        }
        if (from instanceof Error) {
            const made = keep(new Error(from.message));
            made.name = from.name;
            made.stack = from.stack;
            return made;
        }
        if (from instanceof Boolean || from instanceof Number || from instanceof String) {
            return keep(Object(from.valueOf()));
        }
        if (from instanceof Promise || from instanceof WeakMap || from instanceof WeakSet) {
            throw new DOMException('#<Object> could not be cloned.', 'DataCloneError');
        }
        const made = keep(Array.isArray(from) ? new Array(from.length) : {});
        for (const key of Object.keys(from)) {
            Object.defineProperty(made, key, { value: copy(from[key]), writable: true, enumerable: true, configurable: true });
        }
        return made;
    };
    return copy(value);
}
