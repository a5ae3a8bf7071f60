// SPDX-License-Identifier: Apache-2.0
// The Fetch standard's Headers, and a Response that holds its whole body.
import { Buffer } from './buffer.js';
import { native, parseJson } from './native.js';

export class Headers {
    #map = new Map();
    constructor(init) {
        if (init === undefined || init === null) {
            return;
        }
        const pairs = typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init);
        for (const [name, value] of pairs) {
            this.append(name, value);
        }
    }
    append(name, value) {
        const key = String(name).toLowerCase();
        const text = String(value).trim();
        if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key)) {
            throw new TypeError(`Invalid header name: ${name}`);
        }
        if (/[\0\r\n]/.test(text)) {
            throw new TypeError(`Invalid value of header ${key}`);
        }
        const before = this.#map.get(key);
        this.#map.set(key, before === undefined ? text : `${before}, ${text}`);
    }
    set(name, value) {
        this.delete(name);
        this.append(name, value);
    }
    get(name) {
        return this.#map.get(String(name).toLowerCase()) ?? null;
    }
    getSetCookie() {
        const value = this.get('set-cookie');
        return value === null ? [] : [value];
    }
    has(name) {
        return this.#map.has(String(name).toLowerCase());
    }
    delete(name) {
        this.#map.delete(String(name).toLowerCase());
    }
    forEach(run, self) {
        for (const [name, value] of this) {
            run.call(self, value, name, this);
        }
    }
    *entries() {
        yield* [...this.#map].sort(([a], [b]) => (a < b ? -1 : 1));
    }
    *keys() {
        for (const [name] of this.entries()) {
            yield name;
        }
    }
    *values() {
        for (const [, value] of this.entries()) {
            yield value;
        }
    }
    [Symbol.iterator]() {
        return this.entries();
    }
    get [Symbol.toStringTag]() {
        return 'Headers';
    }
}

export class Response {
    #bytes;
    constructor(body = null, { status = 200, statusText = '', headers, url = '' } = {}) {
        this.#bytes = body === null ? new Uint8Array(0) : typeof body === 'string' ? native.utf8Encode(body) : body;
        this.status = status;
        this.statusText = statusText;
        this.headers = new Headers(headers);
        this.url = url;
        this.ok = status >= 200 && status < 300;
        this.redirected = false;
        this.type = 'default';
        this.bodyUsed = false;
    }
    #use() {
        if (this.bodyUsed) {
            throw new TypeError('Body is unusable: Body has already been read');
        }
        this.bodyUsed = true;
        return this.#bytes;
    }
    async text() {
        return native.utf8Decode(this.#use()).replace(/^\ufeff/, '');
    }
    async json() {
        return parseJson(await this.text());
    }
    async arrayBuffer() {
        return new Uint8Array(this.#use()).buffer;
    }
    async bytes() {
        return new Uint8Array(this.#use());
    }
    async buffer() {
        return Buffer.from(this.#use());
    }
    clone() {
        if (this.bodyUsed) {
            throw new TypeError('Body is unusable: Body has already been read');
        }
        const { status, statusText, headers, url } = this;
        return new Response(this.#bytes, { status, statusText, headers, url });
    }
}
