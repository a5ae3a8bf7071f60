// SPDX-License-Identifier: Apache-2.0
// Parts of what scripts see that take longer to set up than all the rest and that few scripts use.
// Each is a bundle of its own (../build), evaluated when it is first asked for, and shares with the
// prelude only what is named here.
import * as abort from './abort.js';
import * as fetch from './fetch.js';
import * as late from './late.js';
import * as nativeModule from './native.js';
import * as timers from './timers.js';

const shared = {
    get buffer() {
        return late.late; // not at once: that module needs this one
    },
    './abort.js': abort,
    './fetch.js': fetch,
    './late.js': late,
    './native.js': nativeModule,
    './timers.js': timers
};
const made = new Map();

// `require` and `process`: what the bundle takes for Node's.
export function part(name, require = (path) => shared[path], process = undefined) {
    if (!made.has(name)) {
        const module = { exports: {} };
        made.set(name, module);
        nativeModule.native.part(name)(module, module.exports, require, process);
    }
    return made.get(name).exports;
}
