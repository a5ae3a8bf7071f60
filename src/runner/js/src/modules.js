// SPDX-License-Identifier: Apache-2.0
// What require() knows.
import { ActionError } from './errors.js';
import { createFunction, deriveFunctionCapabilities } from './function.js';
import { late } from './late.js';
import { part } from './parts.js';

function esModule(members) {
    return Object.defineProperty(members, '__esModule', { value: true });
}

const definitions = {
    createFunction,
    deriveFunctionCapabilities,
    createSync: (definition) => ({ type: 'sync', ...definition }),
    createAction: (definition) => ({ type: 'action', ...definition }),
    createOnEvent: (definition) => ({ type: 'onEvent', ...definition })
};

// Each is made when it is first asked for.
const LOADERS = {
    nango: () => esModule({ ...definitions, ActionError, default: definitions }),
    zod: () => {
        const zod = part('zod');
        return esModule({ ...zod, z: zod, default: zod });
    },
    url: () => ({ URL: late.URL, URLSearchParams: late.URLSearchParams, fileURLToPath: refuse('url.fileURLToPath'), parse: parseUrl, format: (url) => String(url) }),
    crypto: () => part('node').cryptoModule,
    unzipper: () => part('node').unzipper,
    soap: () => packaged('soap'),
    botbuilder: () => packaged('botbuilder'),
    buffer: () => ({ Buffer: late.Buffer }),
    util: () => ({ TextDecoder: late.TextDecoder, TextEncoder: late.TextEncoder, promisify, inspect: (value) => JSON.stringify(value) })
};
const ALIASES = {
    'node:crypto': 'crypto',
    'node:url': 'url',
    'node:buffer': 'buffer',
    'node:util': 'util',
    '@nangohq/runner-sdk': 'nango',
    'nango/experimental': 'nango',
    'zod/v4': 'zod'
};

// A package of npm, with what it takes for Node's modules: those of scripts, and more.
function packaged(name) {
    const { builtin, process } = part('builtins');
    const own = new Set(['buffer', 'crypto', 'url']);
    const members = part(name, (wanted) => (own.has(wanted.replace(/^node:/, '')) ? load(wanted) : builtin(wanted)), process);
    // As an ES module that imports it whole sees it.
    return esModule({ ...members, default: members });
}

function refuse(name) {
    return () => {
        throw new Error(`${name} is not offered to scripts`);
    };
}

function promisify(run) {
    return (...args) => new Promise((resolve, reject) => run(...args, (error, value) => (error ? reject(error) : resolve(value))));
}

// Node's legacy url.parse(), for what scripts read of it.
function parseUrl(text) {
    const url = new late.URL(text, 'http://relative/');
    const { protocol, host, hostname, port, pathname, search, hash, href } = url;
    return { protocol, host, hostname, port, pathname, search, hash, href, path: pathname + search, query: search.slice(1) };
}

const loaded = new Map();
export function load(name) {
    const key = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
    if (!Object.hasOwn(LOADERS, key)) {
        const error = new Error(`Module '${name}' is not allowed (Cannot find module '${name}')`);
        error.code = 'MODULE_NOT_FOUND';
        throw error;
    }
    if (!loaded.has(key)) {
        loaded.set(key, LOADERS[key]());
    }
    return loaded.get(key);
}
