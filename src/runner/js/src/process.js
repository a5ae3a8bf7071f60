// SPDX-License-Identifier: Apache-2.0
// As much of Node's `process` as packages look at. Scripts do not see it.
import { native } from './native.js';

function nothing() {
    return process;
}

export const process = {
    [Symbol.toStringTag]: 'process',
    arch: 'x64',
    argv: [],
    browser: false,
    cwd: () => '/',
    emitWarning: nothing,
    env: {},
    execArgv: [],
    hrtime: Object.assign(
        ([seconds, nanos] = [0, 0]) => {
            const now = native.now() * 1e6;
            const past = now - (seconds * 1e9 + nanos);
            return [Math.floor(past / 1e9), past % 1e9];
        },
        { bigint: () => BigInt(Math.round(native.now() * 1e6)) }
    ),
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    nextTick: (run, ...args) => void Promise.resolve().then(() => run(...args)),
    off: nothing,
    on: nothing,
    once: nothing,
    pid: 1,
    platform: 'linux',
    release: { name: 'node' },
    removeListener: nothing,
    stderr: { fd: 2, isTTY: false, write: () => true },
    stdout: { fd: 1, isTTY: false, write: () => true },
    uptime: () => native.now() / 1000,
    version: 'v20.0.0',
    versions: { node: '20.0.0' }
};
