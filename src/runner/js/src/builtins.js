// SPDX-License-Identifier: Apache-2.0
// The part `builtins`: the modules of Node that the packages in other parts are written for. Scripts
// cannot ask for them.
import { EventEmitter } from 'events';
import path from 'path-browserify';
import stream from 'stream-browserify';
import { StringDecoder } from 'string_decoder/';
import { assert } from './assert.js';
import { http, https } from './http.js';
import { late } from './late.js';
import { process } from './process.js';
import { refused } from './refuse.js';
import { clearTimeout, setImmediate, setInterval, setTimeout } from './timers.js';
import { promisify, util } from './util.js';
import { zlib } from './zlib.js';

stream.promises = { finished: promisify(stream.finished), pipeline: promisify(stream.pipeline) };

export { process };
const modules = {
    assert,
    events: EventEmitter,
    http,
    https,
    os: { EOL: '\n', arch: () => 'x64', cpus: () => [], hostname: () => 'localhost', platform: () => 'linux', release: () => '', tmpdir: () => '/tmp', type: () => 'Linux' },
    path,
    process,
    stream,
    'stream/promises': stream.promises,
    string_decoder: { StringDecoder },
    timers: { clearImmediate: clearTimeout, clearInterval: clearTimeout, clearTimeout, setImmediate, setInterval, setTimeout },
    tty: { isatty: () => false },
    util,
    'whatwg-url': late,
    zlib
};
// What needs files, sockets or other programs; some of it packages of npm, which are then left out (../build).
for (const name of ['child_process', 'fs', 'fs/promises', 'http2', 'net', 'tls', '@azure/identity', 'fs-extra', 'openssl-wrapper', 'ws']) {
    modules[name] = refused(name);
}

// What the packages' require() gives for a name that is none of Node's.
export function builtin(name) {
    const bare = name.replace(/^node:/, '');
    if (Object.hasOwn(modules, bare)) {
        return modules[bare];
    }
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
}
