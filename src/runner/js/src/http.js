// SPDX-License-Identifier: Apache-2.0
// Node's `http` and `https` for packages: a request is collected, done by the host as a whole, and answered
// as a stream. There are no sockets and no servers.
import EventEmitter from 'events';
import { Readable, Writable } from 'stream-browserify';
import { fetchOutside } from './fetch.js';
import { late } from './late.js';
import { refused } from './refuse.js';
import { clearTimeout, setTimeout } from './timers.js';

// Said by the host, which decodes what it receives.
const TRANSPORT = new Set(['connection', 'content-length', 'expect', 'host', 'keep-alive', 'transfer-encoding', 'upgrade', 'accept-encoding']);
const DECODED = new Set(['content-encoding', 'content-length', 'transfer-encoding']);

function checkOptions(options) {
    const given = ['cert', 'key', 'pfx'].find((name) => options[name] !== undefined && options[name] !== null);
    if (given !== undefined) {
        throw new Error(`https: a client certificate (\`${given}\`) is not offered to scripts`);
    }
}

class Agent extends EventEmitter {
    constructor(options = {}) {
        super();
        checkOptions(options);
        this.options = options;
        this.maxSockets = Infinity;
        this.requests = this.sockets = this.freeSockets = {};
    }
    destroy() {}
    getName() {
        return '';
    }
}

class IncomingMessage extends Readable {
    constructor(request, { status, statusText, headers, body }) {
        super({ read() {} });
        this.statusCode = status;
        this.statusMessage = statusText || STATUS_CODES[status] || '';
        this.httpVersion = '1.1';
        this.req = request;
        this.socket = this.connection = request.socket;
        this.headers = {};
        this.rawHeaders = [];
        this.trailers = {};
        for (const [name, value] of Object.entries(headers)) {
            const lower = name.toLowerCase();
            if (!DECODED.has(lower)) {
                this.headers[lower] = lower === 'set-cookie' ? [value].flat() : String(value);
                this.rawHeaders.push(name, String(value));
            }
        }
        this.complete = true;
        if (body !== null && body.length > 0) {
            this.push(typeof body === 'string' ? late.Buffer.from(body) : body);
        }
        this.push(null);
    }
    setTimeout() {
        return this;
    }
}

class Socket extends EventEmitter {
    encrypted = true;
    destroyed = false;
    setKeepAlive() {
        return this;
    }
    setNoDelay() {
        return this;
    }
    setTimeout() {
        return this;
    }
    ref() {
        return this;
    }
    unref() {
        return this;
    }
    destroy() {
        this.destroyed = true;
        return this;
    }
}

class ClientRequest extends Writable {
    #headers = new Map(); // lower-case name → [name, value]
    #pieces = [];
    #url;
    #timer;
    #over = false;

    constructor(defaultProtocol, options) {
        super();
        checkOptions(options);
        this.method = String(options.method ?? 'GET').toUpperCase();
        const protocol = options.protocol ?? options.agent?.protocol ?? defaultProtocol;
        const host = String(options.hostname ?? options.host ?? 'localhost').replace(/^\[?([^\]]*:[^\]]*)\]?$/, '[$1]');
        const port = options.port ? `:${options.port}` : '';
        this.protocol = protocol;
        this.host = host;
        this.path = options.path ?? '/';
        this.#url = `${protocol}//${host}${port}${this.path}`;
        this.socket = this.connection = new Socket();
        this.aborted = this.reusedSocket = false;
        const pairs = Array.isArray(options.headers) ? options.headers : Object.entries(options.headers ?? {});
        for (const [name, value] of pairs) {
            this.setHeader(name, value);
        }
        if (options.auth && !this.hasHeader('authorization')) {
            this.setHeader('Authorization', `Basic ${late.Buffer.from(options.auth).toString('base64')}`);
        }
        if (options.timeout) {
            this.setTimeout(options.timeout);
        }
        Promise.resolve().then(() => this.emit('socket', this.socket));
    }
    setHeader(name, value) {
        if (value !== undefined && value !== null) {
            this.#headers.set(String(name).toLowerCase(), [String(name), value]);
        }
        return this;
    }
    getHeader(name) {
        return this.#headers.get(String(name).toLowerCase())?.[1];
    }
    getHeaders() {
        return Object.fromEntries([...this.#headers].map(([lower, [, value]]) => [lower, value]));
    }
    getHeaderNames() {
        return [...this.#headers.keys()];
    }
    hasHeader(name) {
        return this.#headers.has(String(name).toLowerCase());
    }
    removeHeader(name) {
        this.#headers.delete(String(name).toLowerCase());
    }
    flushHeaders() {}
    setNoDelay() {}
    setSocketKeepAlive() {}
    setTimeout(ms, done) {
        clearTimeout(this.#timer);
        if (done) {
            this.once('timeout', done);
        }
        if (ms > 0 && !this.#over) {
            this.#timer = setTimeout(() => this.emit('timeout'), ms);
        }
        return this;
    }
    abort() {
        this.aborted = true;
        this.emit('abort');
        this.destroy();
    }
    _write(piece, encoding, done) {
        this.#pieces.push(typeof piece === 'string' ? late.Buffer.from(piece, encoding) : piece);
        done();
    }
    _final(done) {
        done();
        const headers = {};
        for (const [lower, [name, value]] of this.#headers) {
            if (!TRANSPORT.has(lower)) {
                headers[name] = Array.isArray(value) ? value.join(', ') : String(value);
            }
        }
        const body = this.#pieces.length > 0 ? late.Buffer.concat(this.#pieces) : undefined;
        this.#pieces = [];
        fetchOutside({ url: this.#url, method: this.method, headers, body }).then(
            (answer) => this.#end(() => {
                this.res = new IncomingMessage(this, answer);
                if (!this.emit('response', this.res)) {
                    this.res.resume();
                }
                this.emit('close');
            }),
            (error) => this.#end(() => this.emit('error', error))
        );
    }
    _destroy(error, done) {
        this.#end(() => {
            const gone = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
            done(null);
            this.emit('error', error ?? gone);
            this.emit('close');
        });
    }
    // Once: what comes of the request.
    #end(what) {
        if (!this.#over) {
            this.#over = true;
            clearTimeout(this.#timer);
            what();
        }
    }
}

function optionsOf(first, second) {
    if (typeof first !== 'string' && !(first instanceof late.URL)) {
        return { ...first, ...second };
    }
    const url = new late.URL(first);
    const auth = url.username ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` } : {};
    return { protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search, ...auth, ...second };
}

function module(name) {
    function request(first, second, third) {
        const done = [first, second, third].find((argument) => typeof argument === 'function');
        const made = new ClientRequest(`${name}:`, optionsOf(first, typeof second === 'function' ? undefined : second));
        return done ? made.once('response', done) : made;
    }
    return {
        Agent,
        ClientRequest,
        IncomingMessage,
        METHODS: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'],
        STATUS_CODES,
        Server: refused(`${name}.Server`),
        ServerResponse: refused(`${name}.ServerResponse`),
        createServer: refused(`${name}.createServer`),
        get: (...args) => request(...args).end(),
        globalAgent: new Agent(),
        request
    };
}

const STATUS_CODES = {
    200: 'OK',
    201: 'Created',
    202: 'Accepted',
    204: 'No Content',
    206: 'Partial Content',
    301: 'Moved Permanently',
    302: 'Found',
    303: 'See Other',
    304: 'Not Modified',
    307: 'Temporary Redirect',
    308: 'Permanent Redirect',
    400: 'Bad Request',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'Not Found',
    405: 'Method Not Allowed',
    406: 'Not Acceptable',
    408: 'Request Timeout',
    409: 'Conflict',
    410: 'Gone',
    411: 'Length Required',
    412: 'Precondition Failed',
    413: 'Payload Too Large',
    415: 'Unsupported Media Type',
    422: 'Unprocessable Entity',
    425: 'Too Early',
    426: 'Upgrade Required',
    428: 'Precondition Required',
    429: 'Too Many Requests',
    431: 'Request Header Fields Too Large',
    500: 'Internal Server Error',
    501: 'Not Implemented',
    502: 'Bad Gateway',
    503: 'Service Unavailable',
    504: 'Gateway Timeout'
};

export const http = module('http');
export const https = module('https');
