// SPDX-License-Identifier: Apache-2.0
// Parts of what scripts see that take longer to set up than all the rest and that few scripts use.
// Each is a bundle of its own (../build), evaluated when it is first asked for, and shares with the
// prelude only what is named here.
import { DENIED, fetchOutside } from './fetch.js';
import { late } from './late.js';
import { RealDate, native, parseJson, printJson } from './native.js';
import { clearTimeout, setImmediate, setInterval, setTimeout } from './timers.js';

const shared = {
    get buffer() {
        return late; // not at once: that module needs this one
    },
    './fetch.js': { DENIED, fetchOutside },
    get './late.js'() {
        return { late };
    },
    './native.js': { RealDate, native, parseJson, printJson },
    './timers.js': { clearTimeout, setImmediate, setInterval, setTimeout }
};
const made = new Map();

// `require` and `process`: what the bundle takes for Node's.
export function part(name, require = (path) => shared[path], process = undefined) {
    if (!made.has(name)) {
        const module = { exports: {} };
        made.set(name, module);
        native.part(name)(module, module.exports, require, process);
    }
    return made.get(name).exports;
}
