// SPDX-License-Identifier: Apache-2.0
// The global names that scripts find beside the language's own.
import { late } from './late.js';
import { RealDate } from './native.js';
import { clearTimeout, setImmediate, setInterval, setTimeout } from './timers.js';

function nothing() {}
const consoleMethods = [
    'log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table', 'group', 'groupEnd', 'groupCollapsed', 'time', 'timeEnd',
    'timeLog', 'assert', 'count', 'countReset', 'clear'
];

async function fetch() {
    throw new TypeError('fetch is not allowed in scripts: use nango.proxy() or nango.uncontrolledFetch()');
}

const silent = {};
for (let i = 0; i < consoleMethods.length; i++) {
    silent[consoleMethods[i]] = nothing;
}

const globals = {
    clearImmediate: clearTimeout,
    clearInterval: clearTimeout,
    clearTimeout,
    console: silent,
    fetch,
    global: globalThis,
    queueMicrotask: (run) => void Promise.resolve().then(run),
    setImmediate,
    setInterval,
    setTimeout
};
for (const name in globals) {
    Object.defineProperty(globalThis, name, { value: globals[name], writable: true, configurable: true, enumerable: false });
}
for (const name in late) {
    Object.defineProperty(globalThis, name, {
        get() {
            const value = late[name];
            Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
            return value;
        },
        set(value) {
            Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
        },
        configurable: true,
        enumerable: false
    });
}
// Not deleted, which would make every later use of a global slow. Shared memory the engine does not have.
globalThis.WebAssembly = undefined;

// The script's clock stands still at `now`.
export function freezeClock(now) {
    function Date(...args) {
        if (new.target === undefined) {
            return new RealDate(now).toString();
        }
        return Reflect.construct(RealDate, args.length === 0 ? [now] : args, new.target === Date ? RealDate : new.target);
    }
    Object.defineProperty(Date, 'length', { value: 7 });
    Object.setPrototypeOf(Date, RealDate);
    Date.prototype = RealDate.prototype;
    Object.defineProperty(RealDate.prototype, 'constructor', { value: Date, writable: true, configurable: true });
    Object.defineProperty(Date, 'now', { value: () => now, writable: true, configurable: true });
    globalThis.Date = Date;
}
