// SPDX-License-Identifier: Apache-2.0
// URL and URLSearchParams of the WHATWG URL standard.
import { native } from './native.js';
import { hostToAscii } from './punycode.js';

const SPECIAL = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21', 'file:': '' };

// Sets of the standard: what is percent-encoded where, beside controls and non-ASCII.
const QUERY = ' "#<>';
const SPECIAL_QUERY = QUERY + "'";
const PATH = QUERY + '?`{}';
const USERINFO = PATH + '^/:;=@[\\]|';
const FRAGMENT = ' "<>`';

function encode(text, set) {
    let out = '';
    for (const byte of native.utf8Encode(text)) {
        const c = String.fromCharCode(byte);
        out += byte <= 32 || byte >= 127 || set.includes(c) ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : c;
    }
    return out;
}

function encodeIfNeeded(text, set) {
    // eslint-disable-next-line no-control-regex
    return /^[A-Za-z0-9\-._~!$&()*+,;=:@/%]*$/.test(text) && set !== USERINFO ? text : encode(text, set);
}

function percentDecode(text) {
    if (!text.includes('%')) {
        return text;
    }
    const bytes = native.utf8Encode(text);
    const out = [];
    for (let i = 0; i < bytes.length; i++) {
        const hex = bytes[i] === 37 ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : '';
        if (/^[0-9a-fA-F]{2}$/.test(hex)) {
            out.push(parseInt(hex, 16));
            i += 2;
        } else {
            out.push(bytes[i]);
        }
    }
    return native.utf8Decode(Uint8Array.from(out));
}

function fail(input) {
    const error = new TypeError('Invalid URL');
    error.code = 'ERR_INVALID_URL';
    error.input = String(input);
    throw error;
}

function ipv4(host) {
    const parts = host.split('.');
    if (parts[parts.length - 1] === '' && parts.length > 1) {
        parts.pop();
    }
    const last = parts[parts.length - 1];
    if (!/^(0[xX][0-9a-fA-F]*|[0-9]+)$/.test(last)) {
        return host;
    }
    if (parts.length > 4) {
        return null;
    }
    const numbers = parts.map((part) => {
        if (/^0[xX][0-9a-fA-F]*$/.test(part)) {
            return part.length === 2 ? 0 : parseInt(part.slice(2), 16);
        }
        if (/^0[0-7]+$/.test(part)) {
            return parseInt(part, 8);
        }
        return /^(0|[1-9][0-9]*)$/.test(part) ? Number(part) : NaN;
    });
    const final = numbers.pop();
    if (numbers.some((n) => !(n <= 255)) || !(final < 256 ** (4 - numbers.length))) {
        return null;
    }
    const value = numbers.reduce((sum, n, i) => sum + n * 256 ** (3 - i), final);
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function ipv6(text) {
    const [head, tail, more] = text.split('::');
    if (more !== undefined) {
        return null;
    }
    const groups = (part) => {
        if (part === '' || part === undefined) {
            return [];
        }
        return part.split(':').flatMap((group, i, all) => {
            if (i === all.length - 1 && group.includes('.')) {
                if (!/^(\d{1,3})(\.(\d{1,3})){3}$/.test(group)) {
                    return [NaN];
                }
                const b = group.split('.').map((n) => (n > 255 ? NaN : Number(n)));
                return [b[0] * 256 + b[1], b[2] * 256 + b[3]];
            }
            return [/^[0-9a-fA-F]{1,4}$/.test(group) ? parseInt(group, 16) : NaN];
        });
    };
    const [a, b] = [groups(head), groups(tail)];
    if (tail === undefined ? a.length !== 8 : a.length + b.length > 7) {
        return null;
    }
    const all = tail === undefined ? a : [...a, ...Array(8 - a.length - b.length).fill(0), ...b];
    if (all.some(Number.isNaN)) {
        return null;
    }
    let [best, bestLength] = [-1, 1];
    for (let i = 0; i < 8; i++) {
        let length = 0;
        while (i + length < 8 && all[i + length] === 0) {
            length++;
        }
        if (length > bestLength) {
            [best, bestLength] = [i, length];
        }
    }
    const print = (list) => list.map((n) => n.toString(16)).join(':');
    return best < 0 ? print(all) : `${print(all.slice(0, best))}::${print(all.slice(best + bestLength))}`;
}

// null = not a host
function parseHost(text, special) {
    if (text.startsWith('[')) {
        const inner = text.endsWith(']') ? ipv6(text.slice(1, -1)) : null;
        return inner === null ? null : `[${inner}]`;
    }
    if (!special) {
        // eslint-disable-next-line no-control-regex
        return /[\x00\t\n\r #/:<>?@[\\\]^|]/.test(text) ? null : encode(text, '');
    }
    const host = hostToAscii(percentDecode(text));
    // eslint-disable-next-line no-control-regex
    if (host === '' || /[\x00-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(host)) {
        return null;
    }
    return ipv4(host);
}

function resolvePath(segments, path, special) {
    const out = [...segments];
    const parts = path.split(special ? /[/\\]/ : '/');
    parts.forEach((part, i) => {
        const last = i === parts.length - 1;
        const plain = part.replace(/%2e/gi, '.');
        if (plain === '..') {
            out.pop();
            if (last) {
                out.push('');
            }
        } else if (plain === '.') {
            if (last) {
                out.push('');
            }
        } else {
            out.push(encodeIfNeeded(part, PATH));
        }
    });
    return out;
}

// The record of a URL, or null. `base` is such a record.
function parse(input, base) {
    // eslint-disable-next-line no-control-regex
    let rest = input.replace(/^[\x00-\x20]+|[\x00-\x20]+$/g, '').replace(/[\t\n\r]/g, '');
    const url = { protocol: '', username: '', password: '', host: null, port: '', path: [], opaque: null, query: null, fragment: null };
    const hash = rest.indexOf('#');
    if (hash >= 0) {
        url.fragment = encodeIfNeeded(rest.slice(hash + 1), FRAGMENT);
        rest = rest.slice(0, hash);
    }
    const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(rest);
    const takeQuery = () => {
        const mark = rest.indexOf('?');
        if (mark >= 0) {
            url.query = encodeIfNeeded(rest.slice(mark + 1), url.protocol in SPECIAL ? SPECIAL_QUERY : QUERY);
            rest = rest.slice(0, mark);
        }
    };
    const takeAuthority = (special) => {
        const end = rest.search(special ? /[/\\]/ : /\//);
        let authority = end < 0 ? rest : rest.slice(0, end);
        rest = end < 0 ? '' : rest.slice(end);
        const at = authority.lastIndexOf('@');
        if (at >= 0) {
            const user = authority.slice(0, at);
            const colon = user.indexOf(':');
            url.username = encode(colon < 0 ? user : user.slice(0, colon), USERINFO);
            url.password = colon < 0 ? '' : encode(user.slice(colon + 1), USERINFO);
            authority = authority.slice(at + 1);
        }
        const port = /:([0-9]*)$/.exec(authority);
        if (port !== null) {
            authority = authority.slice(0, port.index);
            if (Number(port[1]) > 65535) {
                return false;
            }
            url.port = port[1] === '' || String(Number(port[1])) === SPECIAL[url.protocol] ? '' : String(Number(port[1]));
        }
        if (authority === '' && (special || at >= 0 || port !== null)) {
            return false;
        }
        url.host = authority === '' ? '' : parseHost(authority, special);
        return url.host !== null;
    };
    const inherit = () => {
        ({ username: url.username, password: url.password, host: url.host, port: url.port } = base);
    };
    if (scheme !== null) {
        url.protocol = scheme[0].toLowerCase();
    }
    const special = scheme !== null ? url.protocol in SPECIAL : base !== undefined && base.protocol in SPECIAL;
    const sameSpecial = scheme !== null && special && base !== undefined && base.protocol === url.protocol;
    if (scheme !== null && !(sameSpecial && !/^[/\\]{2}/.test(rest.slice(scheme[0].length)))) {
        rest = rest.slice(scheme[0].length);
        takeQuery();
        if (url.protocol === 'file:') {
            url.host = '';
            if (/^[/\\]{2}/.test(rest)) {
                rest = rest.slice(2);
                const end = rest.search(/[/\\]/);
                const host = end < 0 ? rest : rest.slice(0, end);
                rest = end < 0 ? '' : rest.slice(end);
                url.host = host === '' ? '' : parseHost(host, true);
                if (url.host === null) {
                    return null;
                }
                if (url.host === 'localhost') {
                    url.host = '';
                }
            }
        } else if (special) {
            rest = rest.replace(/^[/\\]*/, '');
            if (!takeAuthority(true)) {
                return null;
            }
        } else if (rest.startsWith('//')) {
            rest = rest.slice(2);
            if (!takeAuthority(false)) {
                return null;
            }
        } else if (!rest.startsWith('/')) {
            url.opaque = encode(rest, '').replace(/%20/g, ' ');
            return url;
        }
        url.path = rest === '' && !special ? [] : resolvePath([], rest.replace(special ? /^[/\\]/ : /^\//, ''), special);
        return url;
    }
    if (base === undefined || (base.opaque !== null && (rest !== '' || hash < 0))) {
        return null;
    }
    if (scheme !== null) {
        rest = rest.slice(scheme[0].length);
    }
    url.protocol = base.protocol;
    if (base.opaque !== null) {
        return { ...base, fragment: url.fragment };
    }
    takeQuery();
    if (special ? /^[/\\]{2}/.test(rest) : rest.startsWith('//')) {
        rest = rest.slice(2);
        if (special) {
            rest = rest.replace(/^[/\\]*/, '');
        }
        if (!takeAuthority(special)) {
            return null;
        }
        url.path = rest === '' && !special ? [] : resolvePath([], rest.slice(1), special);
        return url;
    }
    inherit();
    if (rest === '') {
        url.path = [...base.path];
        url.query ??= base.query;
    } else if (rest[0] === '/' || (special && rest[0] === '\\')) {
        url.path = resolvePath([], rest.slice(1), special);
    } else {
        url.path = resolvePath(base.path.slice(0, -1), rest, special);
    }
    return url;
}

function pathOf(url) {
    return url.opaque !== null ? url.opaque : url.path.length > 0 ? `/${url.path.join('/')}` : '';
}

function print(url) {
    let text = url.protocol;
    if (url.host !== null) {
        text += '//';
        if (url.username !== '' || url.password !== '') {
            text += url.username + (url.password !== '' ? `:${url.password}` : '') + '@';
        }
        text += url.host + (url.port !== '' ? `:${url.port}` : '');
    } else if (url.opaque === null && url.path.length > 1 && url.path[0] === '') {
        text += '/.';
    }
    text += pathOf(url);
    if (url.query !== null) {
        text += `?${url.query}`;
    }
    return url.fragment === null ? text : `${text}#${url.fragment}`;
}

function formEncode(text) {
    return encodeURIComponent(text.toWellFormed?.() ?? text)
        .replace(/%20/g, '+')
        .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export class URLSearchParams {
    #list = [];
    #changed = () => {};
    static attach(params, changed) {
        params.#changed = changed;
    }
    static reset(params, text) {
        params.#list = URLSearchParams.#read(text);
    }
    static #read(text) {
        return text
            .split('&')
            .filter((pair) => pair !== '')
            .map((pair) => {
                const at = pair.indexOf('=');
                const plain = (part) => percentDecode(part.replace(/\+/g, ' '));
                return at < 0 ? [plain(pair), ''] : [plain(pair.slice(0, at)), plain(pair.slice(at + 1))];
            });
    }
    constructor(init = '') {
        if (init !== null && (typeof init === 'object' || typeof init === 'function')) {
            if (typeof init[Symbol.iterator] === 'function') {
                for (const pair of init) {
                    const [name, value, ...more] = pair;
                    if (value === undefined || more.length > 0) {
                        throw new TypeError('Each query pair must be an iterable [name, value] tuple');
                    }
                    this.#list.push([String(name), String(value)]);
                }
            } else {
                for (const name of Object.keys(init)) {
                    this.#list.push([name, String(init[name])]);
                }
            }
        } else {
            this.#list = URLSearchParams.#read(String(init).replace(/^\?/, ''));
        }
    }
    get size() {
        return this.#list.length;
    }
    append(name, value) {
        this.#list.push([String(name), String(value)]);
        this.#changed();
    }
    delete(name, value) {
        this.#list = this.#list.filter(([key, item]) => key !== String(name) || (value !== undefined && item !== String(value)));
        this.#changed();
    }
    get(name) {
        return this.#list.find(([key]) => key === String(name))?.[1] ?? null;
    }
    getAll(name) {
        return this.#list.filter(([key]) => key === String(name)).map(([, value]) => value);
    }
    has(name, value) {
        return this.#list.some(([key, item]) => key === String(name) && (value === undefined || item === String(value)));
    }
    set(name, value) {
        const key = String(name);
        const first = this.#list.findIndex(([other]) => other === key);
        if (first < 0) {
            this.#list.push([key, String(value)]);
        } else {
            this.#list[first] = [key, String(value)];
            this.#list = this.#list.filter(([other], i) => i <= first || other !== key);
        }
        this.#changed();
    }
    sort() {
        this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
        this.#changed();
    }
    forEach(run, self) {
        for (const [name, value] of this.#list) {
            run.call(self, value, name, this);
        }
    }
    *entries() {
        for (const [name, value] of this.#list) {
            yield [name, value];
        }
    }
    *keys() {
        for (const [name] of this.#list) {
            yield name;
        }
    }
    *values() {
        for (const [, value] of this.#list) {
            yield value;
        }
    }
    [Symbol.iterator]() {
        return this.entries();
    }
    get [Symbol.toStringTag]() {
        return 'URLSearchParams';
    }
    toString() {
        return this.#list.map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`).join('&');
    }
}
// Only for URL below, not for scripts.
const { attach, reset } = URLSearchParams;
delete URLSearchParams.attach;
delete URLSearchParams.reset;

export class URL {
    #url;
    #params;
    constructor(input, base) {
        let record;
        if (base !== undefined) {
            record = parse(String(base)) ?? fail(base);
        }
        this.#url = parse(String(input), record) ?? fail(input);
        this.#link();
    }
    static canParse(input, base) {
        return URL.parse(input, base) !== null;
    }
    static parse(input, base) {
        try {
            return new URL(input, base);
        } catch {
            return null;
        }
    }
    #link() {
        this.#params = new URLSearchParams(this.#url.query ?? '');
        attach(this.#params, () => {
            const text = this.#params.toString();
            this.#url.query = text === '' ? null : text;
        });
    }
    get href() {
        return print(this.#url);
    }
    set href(value) {
        this.#url = parse(String(value)) ?? fail(value);
        this.#link();
    }
    get origin() {
        const { protocol, host, port } = this.#url;
        return protocol in SPECIAL && protocol !== 'file:' ? `${protocol}//${host}${port === '' ? '' : `:${port}`}` : 'null';
    }
    get protocol() {
        return this.#url.protocol;
    }
    set protocol(value) {
        const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):?/.exec(String(value));
        const next = scheme === null ? '' : `${scheme[1].toLowerCase()}:`;
        if (scheme !== null && next in SPECIAL === this.#url.protocol in SPECIAL) {
            this.#url.protocol = next;
            if (this.#url.port === SPECIAL[next]) {
                this.#url.port = '';
            }
        }
    }
    get username() {
        return this.#url.username;
    }
    set username(value) {
        if (this.#url.host) {
            this.#url.username = encode(String(value), USERINFO);
        }
    }
    get password() {
        return this.#url.password;
    }
    set password(value) {
        if (this.#url.host) {
            this.#url.password = encode(String(value), USERINFO);
        }
    }
    get host() {
        return (this.#url.host ?? '') + (this.#url.port === '' ? '' : `:${this.#url.port}`);
    }
    set host(value) {
        const match = /^([^/?#]*?)(?::([0-9]+))?$/.exec(String(value));
        if (match !== null) {
            this.hostname = match[1];
            if (match[2] !== undefined) {
                this.port = match[2];
            }
        }
    }
    get hostname() {
        return this.#url.host ?? '';
    }
    set hostname(value) {
        const host = this.#url.opaque === null ? parseHost(String(value), this.#url.protocol in SPECIAL) : null;
        if (host !== null) {
            this.#url.host = host;
        }
    }
    get port() {
        return this.#url.port;
    }
    set port(value) {
        const digits = /^[0-9]*/.exec(String(value))[0];
        if (this.#url.host && (digits === '' ? String(value) === '' : Number(digits) <= 65535)) {
            const port = digits === '' ? '' : String(Number(digits));
            this.#url.port = port === SPECIAL[this.#url.protocol] ? '' : port;
        }
    }
    get pathname() {
        return pathOf(this.#url);
    }
    set pathname(value) {
        if (this.#url.opaque === null) {
            const special = this.#url.protocol in SPECIAL;
            this.#url.path = resolvePath([], String(value).replace(special ? /^[/\\]/ : /^\//, '').replace(/[?#]/g, (c) => (c === '?' ? '%3F' : '%23')), special);
        }
    }
    get search() {
        return this.#url.query ? `?${this.#url.query}` : '';
    }
    set search(value) {
        const text = String(value).replace(/^\?/, '');
        this.#url.query = text === '' ? null : encodeIfNeeded(text, (this.#url.protocol in SPECIAL ? SPECIAL_QUERY : QUERY));
        reset(this.#params, this.#url.query ?? '');
    }
    get searchParams() {
        return this.#params;
    }
    get hash() {
        return this.#url.fragment ? `#${this.#url.fragment}` : '';
    }
    set hash(value) {
        const text = String(value).replace(/^#/, '');
        this.#url.fragment = text === '' ? null : encodeIfNeeded(text, FRAGMENT);
    }
    toString() {
        return this.href;
    }
    toJSON() {
        return this.href;
    }
    get [Symbol.toStringTag]() {
        return 'URL';
    }
}
