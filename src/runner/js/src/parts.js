// SPDX-License-Identifier: Apache-2.0
// Parts of what scripts see that take longer to set up than all the rest and that few scripts use.
// Each is a bundle of its own (../build), evaluated when it is first asked for, and shares with the
// prelude only what is named here.
import * as abort from './abort.js';
import * as nativeModule from './native.js';

const shared = { './abort.js': abort, './native.js': nativeModule };
const made = new Map();

export function part(name) {
    if (!made.has(name)) {
        const module = { exports: {} };
        made.set(name, module);
        nativeModule.native.part(name)(module, module.exports, (path) => shared[path]);
    }
    return made.get(name).exports;
}
