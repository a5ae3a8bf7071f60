// SPDX-License-Identifier: Apache-2.0
// As much of Node's `util` as packages use.
import { late } from './late.js';
import { native } from './native.js';

const custom = Symbol.for('nodejs.util.promisify.custom');

export function promisify(run) {
    if (run[custom] !== undefined) {
        return run[custom];
    }
    return function (...args) {
        return new Promise((resolve, reject) => run.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value))));
    };
}
promisify.custom = custom;

function callbackify(run) {
    return (...args) => {
        const done = args.pop();
        run(...args).then((value) => done(null, value), done);
    };
}

function inherits(child, parent) {
    Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(child.prototype, parent.prototype);
}

export function inspect(value) {
    if (typeof value === 'string') {
        return `'${value}'`;
    }
    if (value instanceof Error) {
        return String(value.stack ?? value);
    }
    try {
        return JSON.stringify(value) ?? String(value);
    } catch {
        return String(value);
    }
}
inspect.custom = Symbol.for('nodejs.util.inspect.custom');
inspect.defaultOptions = {};

function format(first, ...rest) {
    const shown = (value) => (typeof value === 'string' ? value : inspect(value));
    const text =
        typeof first === 'string'
            ? first.replace(/%[sdifjoOc%]/g, (mark) => {
                  if (mark === '%%') {
                      return '%';
                  }
                  if (rest.length === 0) {
                      return mark;
                  }
                  const value = rest.shift();
                  return mark === '%s' ? (typeof value === 'object' ? inspect(value) : String(value)) : mark === '%c' ? '' : /%[dif]/.test(mark) ? String(Number(value)) : inspect(value);
              })
            : shown(first);
    return [text, ...rest.map(shown)].join(' ');
}

const tagged = (tag) => (value) => Object.prototype.toString.call(value) === `[object ${tag}]`;
const types = {
    isAnyArrayBuffer: tagged('ArrayBuffer'),
    isArrayBuffer: tagged('ArrayBuffer'),
    isArrayBufferView: (value) => ArrayBuffer.isView(value),
    isAsyncFunction: tagged('AsyncFunction'),
    isBoxedPrimitive: () => false,
    isDate: tagged('Date'),
    isGeneratorFunction: tagged('GeneratorFunction'),
    isMap: tagged('Map'),
    isNativeError: tagged('Error'),
    isPromise: tagged('Promise'),
    isProxy: () => false,
    isRegExp: tagged('RegExp'),
    isSet: tagged('Set'),
    isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
    isUint8Array: (value) => value instanceof Uint8Array
};

export const util = {
    get TextDecoder() {
        return late.TextDecoder;
    },
    get TextEncoder() {
        return late.TextEncoder;
    },
    callbackify,
    debuglog: () => () => {},
    deprecate: (run) => run,
    format,
    inherits,
    inspect,
    isArray: Array.isArray,
    isDeepStrictEqual: same,
    promisify,
    stripVTControlCharacters: (text) => text.replace(/\u001b\[[0-9;]*m/g, ''),
    toUSVString: (text) => native.utf8Decode(native.utf8Encode(String(text))),
    types
};

export function same(a, b) {
    if (Object.is(a, b)) {
        return true;
    }
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) {
        return false;
    }
    if (a instanceof Date) {
        return a.getTime() === b.getTime();
    }
    if (a instanceof Map || a instanceof Set) {
        return a.size === b.size && same([...a], [...b]);
    }
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
