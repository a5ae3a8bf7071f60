// SPDX-License-Identifier: Apache-2.0
// The modules `crypto` and `node:crypto`, and the global `crypto`.
import { Buffer, bytesToText, textToBytes } from './buffer.js';
import { asBytes } from './bytes.js';
import { native } from './native.js';

function bytesOf(data, encoding) {
    return typeof data === 'string' ? textToBytes(data, encoding) : asBytes(data);
}

function output(bytes, encoding) {
    return encoding === undefined || encoding === 'buffer' ? Buffer.from(bytes) : bytesToText(bytes, encoding);
}

// Names as OpenSSL's: `SHA-256`, `RSA-SHA256` are `sha256`.
function hashName(name) {
    return String(name)
        .toLowerCase()
        .replace(/^rsa-/, '')
        .replace(/^sha-(\d)/, 'sha$1')
        .replace('/', '-');
}

class Hash {
    #parts = [];
    #finish;
    constructor(finish) {
        this.#finish = finish;
    }
    update(data, encoding) {
        if (this.#parts === null) {
            throw new Error('Digest already called');
        }
        this.#parts.push(new Uint8Array(bytesOf(data, encoding)));
        return this;
    }
    digest(encoding) {
        if (this.#parts === null) {
            throw new Error('Digest already called');
        }
        const whole = Buffer.concat(this.#parts);
        this.#parts = null;
        return output(this.#finish(whole), encoding);
    }
}

class Sign {
    #parts = [];
    #name;
    constructor(name) {
        this.#name = name;
    }
    update(data, encoding) {
        this.#parts.push(new Uint8Array(bytesOf(data, encoding)));
        return this;
    }
    sign(key, encoding) {
        return output(sign(this.#name, Buffer.concat(this.#parts), key), encoding);
    }
}

function keyText(key) {
    const pem = typeof key === 'object' && key !== null && 'key' in key ? key.key : key;
    return bytesOf(pem);
}

export function createHash(name) {
    const hash = hashName(name);
    native.digest(hash, new Uint8Array(0)); // an unknown one is refused here
    return new Hash((bytes) => native.digest(hash, bytes));
}
export function createHmac(name, key) {
    const hash = hashName(name);
    const secret = new Uint8Array(bytesOf(key));
    native.digest(hash, secret);
    return new Hash((bytes) => native.hmac(hash, secret, bytes));
}
export function hash(name, data, encoding = 'hex') {
    return createHash(name).update(data).digest(encoding);
}
export function createSign(name) {
    return new Sign(name);
}
export function sign(name, data, key) {
    return Buffer.from(native.sign(name === null || name === undefined ? '' : hashName(name), keyText(key), bytesOf(data)));
}
export function randomBytes(size, done) {
    const bytes = Buffer.from(native.random(size));
    if (typeof done === 'function') {
        Promise.resolve().then(() => done(null, bytes));
        return undefined;
    }
    return bytes;
}
export function randomFillSync(into) {
    const bytes = asBytes(into);
    bytes.set(native.random(bytes.length));
    return into;
}
export function randomUUID() {
    const bytes = native.random(16);
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = bytesToText(bytes, 'hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
export function randomInt(low, high) {
    const [min, max] = high === undefined || typeof high === 'function' ? [0, low] : [low, high];
    const range = max - min;
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || !(range > 0 && range <= 2 ** 48 - 1)) {
        throw new RangeError('The range of randomInt must be positive and below 2^48');
    }
    const limit = 2 ** 48 - (2 ** 48 % range);
    for (;;) {
        const value = native.random(6).reduce((sum, byte) => sum * 256 + byte, 0);
        if (value < limit) {
            return min + (value % range);
        }
    }
}
export function timingSafeEqual(a, b) {
    const [x, y] = [asBytes(a), asBytes(b)];
    if (x.length !== y.length) {
        throw new RangeError('Input buffers must have the same byte length');
    }
    let differs = 0;
    for (let i = 0; i < x.length; i++) {
        differs |= x[i] ^ y[i];
    }
    return differs === 0;
}
export function pbkdf2Sync(password, salt, iterations, length, name) {
    return Buffer.from(native.pbkdf2(hashName(name), bytesOf(password), bytesOf(salt), iterations, length));
}
export function getHashes() {
    return ['md5', 'ripemd160', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha512-256', 'sha3-256', 'sha3-384', 'sha3-512'];
}

const SUBTLE_HASHES = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
function subtleHash(algorithm) {
    const name = SUBTLE_HASHES[String(algorithm?.name ?? algorithm).toUpperCase()];
    if (name === undefined) {
        throw new TypeError(`crypto.subtle does not offer ${String(algorithm?.name ?? algorithm)} here`);
    }
    return name;
}
export const subtle = {
    async digest(algorithm, data) {
        return native.digest(subtleHash(algorithm), asBytes(data)).buffer;
    },
    async importKey(format, key, algorithm, extractable, usages) {
        if (format !== 'raw' || algorithm?.name?.toUpperCase() !== 'HMAC') {
            throw new TypeError('crypto.subtle imports raw HMAC keys only');
        }
        return { type: 'secret', extractable, usages, algorithm: { name: 'HMAC', hash: subtleHash(algorithm.hash) }, bytes: new Uint8Array(asBytes(key)) };
    },
    async sign(algorithm, key, data) {
        return native.hmac(key.algorithm.hash, key.bytes, asBytes(data)).buffer;
    },
    async verify(algorithm, key, signature, data) {
        const made = native.hmac(key.algorithm.hash, key.bytes, asBytes(data));
        const given = asBytes(signature);
        return made.length === given.length && timingSafeEqual(made, given);
    }
};
export function getRandomValues(into) {
    return randomFillSync(into);
}

export const webcrypto = { getRandomValues, randomUUID, subtle };

// What Node's module has besides: named, so that a call says what is wrong.
const ABSENT = ['createCipheriv', 'createDecipheriv', 'createVerify', 'verify', 'generateKeyPairSync', 'scryptSync', 'hkdfSync', 'publicEncrypt'];

export const cryptoModule = {
    createHash, createHmac, createSign, getHashes, getRandomValues, hash, pbkdf2Sync, randomBytes, randomFillSync,
    randomInt, randomUUID, sign, subtle, timingSafeEqual, webcrypto
};
for (const name of ABSENT) {
    cryptoModule[name] = () => {
        throw new Error(`crypto.${name} is not offered to scripts`);
    };
}
