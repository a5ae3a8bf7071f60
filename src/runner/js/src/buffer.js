// SPDX-License-Identifier: Apache-2.0
// Node's Buffer: a Uint8Array with text encodings and numbers.
import { native } from './native.js';
import { asBytes, latin1Bytes, latin1Text } from './bytes.js';

const ENCODINGS = {
    utf8: 'utf8',
    'utf-8': 'utf8',
    hex: 'hex',
    base64: 'base64',
    base64url: 'base64url',
    latin1: 'latin1',
    binary: 'latin1',
    ascii: 'ascii',
    ucs2: 'utf16le',
    'ucs-2': 'utf16le',
    utf16le: 'utf16le',
    'utf-16le': 'utf16le'
};

function encodingOf(name) {
    const encoding = ENCODINGS[String(name ?? 'utf8').toLowerCase()];
    if (encoding === undefined) {
        throw new TypeError(`Unknown encoding: ${name}`);
    }
    return encoding;
}

export function textToBytes(text, name) {
    switch (encodingOf(name)) {
        case 'hex': {
            const whole = /^(?:[0-9a-fA-F]{2})*/.exec(text)[0];
            const bytes = new Uint8Array(whole.length / 2);
            for (let i = 0; i < bytes.length; i++) {
                bytes[i] = parseInt(whole.slice(2 * i, 2 * i + 2), 16);
            }
            return bytes;
        }
        case 'base64':
        case 'base64url':
            return native.unbase64(text);
        case 'latin1':
        case 'ascii':
            return latin1Bytes(text);
        case 'utf16le': {
            const bytes = new Uint8Array(text.length * 2);
            for (let i = 0; i < text.length; i++) {
                bytes[2 * i] = text.charCodeAt(i) & 255;
                bytes[2 * i + 1] = text.charCodeAt(i) >> 8;
            }
            return bytes;
        }
        default:
            return native.utf8Encode(text);
    }
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function bytesToText(bytes, name) {
    switch (encodingOf(name)) {
        case 'hex': {
            let text = '';
            for (let i = 0; i < bytes.length; i++) {
                text += HEX[bytes[i]];
            }
            return text;
        }
        case 'base64':
            return native.base64(bytes, false);
        case 'base64url':
            return native.base64(bytes, true);
        case 'latin1':
            return latin1Text(bytes);
        case 'ascii':
            return latin1Text(bytes.map((byte) => byte & 127));
        case 'utf16le': {
            let text = '';
            for (let i = 0; i + 1 < bytes.length; i += 2) {
                text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
            }
            return text;
        }
        default:
            return native.utf8Decode(bytes);
    }
}

// The bytes of `data` as a Buffer over the same memory.
function view(data) {
    return new Buffer(data.buffer, data.byteOffset, data.byteLength);
}

function tooLong(length) {
    if (typeof length !== 'number' || !(length >= 0 && length <= 0x7fffffff)) {
        throw new RangeError(`The value of "size" is out of range. Received ${String(length)}`);
    }
    return length;
}

export class Buffer extends Uint8Array {
    static poolSize = 8192;

    static from(value, encodingOrOffset, length) {
        if (typeof value === 'string') {
            return view(textToBytes(value, encodingOrOffset));
        }
        if (value instanceof ArrayBuffer || value instanceof SharedBuffer) {
            return new Buffer(value, encodingOrOffset, length);
        }
        if (ArrayBuffer.isView(value)) {
            const copy = new Buffer(value.length);
            copy.set(value);
            return copy;
        }
        if (value !== null && typeof value === 'object') {
            const primitive = value.valueOf?.();
            if (primitive !== undefined && primitive !== null && primitive !== value) {
                return Buffer.from(primitive, encodingOrOffset, length);
            }
            if (value.type === 'Buffer' && Array.isArray(value.data)) {
                return Buffer.from(value.data);
            }
            if (typeof value.length === 'number' || Array.isArray(value)) {
                const made = new Buffer(tooLong(Math.max(0, value.length)));
                for (let i = 0; i < made.length; i++) {
                    made[i] = value[i];
                }
                return made;
            }
        }
        throw new TypeError(
            'The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object.'
        );
    }
    static of(...bytes) {
        return Buffer.from(bytes);
    }
    static alloc(size, fill, encoding) {
        const made = new Buffer(tooLong(size));
        return fill === undefined || fill === 0 ? made : made.fill(fill, 0, made.length, encoding);
    }
    static allocUnsafe(size) {
        return new Buffer(tooLong(size));
    }
    static allocUnsafeSlow(size) {
        return new Buffer(tooLong(size));
    }
    static isBuffer(value) {
        return value instanceof Buffer;
    }
    static isEncoding(name) {
        return typeof name === 'string' && ENCODINGS[name.toLowerCase()] !== undefined;
    }
    static byteLength(value, encoding) {
        return typeof value === 'string' ? textToBytes(value, encoding).length : value.byteLength;
    }
    static concat(list, total = list.reduce((sum, part) => sum + part.length, 0)) {
        const made = new Buffer(tooLong(total));
        let at = 0;
        for (const part of list) {
            const fits = part.length > total - at ? part.subarray(0, total - at) : part;
            made.set(fits, at);
            at += fits.length;
        }
        return made;
    }
    static compare(a, b) {
        const shared = Math.min(a.length, b.length);
        for (let i = 0; i < shared; i++) {
            if (a[i] !== b[i]) {
                return a[i] < b[i] ? -1 : 1;
            }
        }
        return Math.sign(a.length - b.length);
    }

    // Typed array methods that make a new array take this: plain bytes would lack our methods.
    static get [Symbol.species]() {
        return Buffer;
    }

    get parent() {
        return this.buffer;
    }
    toString(encoding, start = 0, end = this.length) {
        const bytes = start === 0 && end >= this.length ? this : this.subarray(start, end);
        return bytesToText(bytes, encoding);
    }
    toLocaleString(encoding) {
        return this.toString(encoding);
    }
    toJSON() {
        return { type: 'Buffer', data: Array.from(this) };
    }
    equals(other) {
        return Buffer.compare(this, other) === 0;
    }
    compare(other) {
        return Buffer.compare(this, other);
    }
    // Shares memory, unlike a Uint8Array's.
    slice(start, end) {
        return this.subarray(start, end);
    }
    subarray(start, end) {
        return view(super.subarray(start, end));
    }
    copy(target, targetStart = 0, start = 0, end = this.length) {
        const from = this.subarray(start, Math.min(end, start + target.length - targetStart));
        target.set(from, targetStart);
        return from.length;
    }
    write(text, offset = 0, length = this.length, encoding = 'utf8') {
        if (typeof offset === 'string') {
            [offset, length, encoding] = [0, this.length, offset];
        } else if (typeof length === 'string') {
            [length, encoding] = [this.length, length];
        }
        const bytes = textToBytes(text, encoding).subarray(0, Math.min(length, this.length - offset));
        this.set(bytes, offset);
        return bytes.length;
    }
    fill(value, start = 0, end = this.length, encoding = 'utf8') {
        if (typeof start === 'string') {
            [start, end, encoding] = [0, this.length, start];
        }
        if (typeof value === 'number' || typeof value === 'boolean') {
            return super.fill(Number(value) & 255, start, end);
        }
        const pattern = typeof value === 'string' ? textToBytes(value, encoding) : asBytes(value);
        for (let i = start; pattern.length > 0 && i < end; i++) {
            this[i] = pattern[(i - start) % pattern.length];
        }
        return this;
    }
    indexOf(value, from = 0, encoding = 'utf8') {
        if (typeof value === 'number') {
            return super.indexOf(value & 255, from);
        }
        const wanted = typeof value === 'string' ? textToBytes(value, encoding) : value;
        const first = from < 0 ? Math.max(0, this.length + from) : from;
        for (let i = first; i + wanted.length <= this.length; i++) {
            let same = 0;
            while (same < wanted.length && this[i + same] === wanted[same]) {
                same++;
            }
            if (same === wanted.length) {
                return i;
            }
        }
        return -1;
    }
    lastIndexOf(value, from = this.length, encoding = 'utf8') {
        const wanted = typeof value === 'number' ? [value & 255] : typeof value === 'string' ? textToBytes(value, encoding) : value;
        for (let i = Math.min(from, this.length - wanted.length); i >= 0; i--) {
            let same = 0;
            while (same < wanted.length && this[i + same] === wanted[same]) {
                same++;
            }
            if (same === wanted.length) {
                return i;
            }
        }
        return -1;
    }
    includes(value, from, encoding) {
        return this.indexOf(value, from, encoding) !== -1;
    }
    swap16() {
        for (let i = 0; i + 1 < this.length; i += 2) {
            [this[i], this[i + 1]] = [this[i + 1], this[i]];
        }
        return this;
    }
}

// Numbers: read and write of each width and order, by one table over DataView.
const NUMBERS = [
    ['UInt8', 'Uint8', 1],
    ['Int8', 'Int8', 1],
    ['UInt16', 'Uint16', 2],
    ['Int16', 'Int16', 2],
    ['UInt32', 'Uint32', 4],
    ['Int32', 'Int32', 4],
    ['Float', 'Float32', 4],
    ['Double', 'Float64', 8],
    ['BigUInt64', 'BigUint64', 8],
    ['BigInt64', 'BigInt64', 8]
];
function method(name, run) {
    Object.defineProperty(Buffer.prototype, name, { value: run, writable: true, configurable: true });
}
for (const [name, type, width] of NUMBERS) {
    for (const order of width === 1 ? [''] : ['LE', 'BE']) {
        const little = order === 'LE';
        const read = function (offset = 0) {
            return new DataView(this.buffer, this.byteOffset, this.byteLength)[`get${type}`](offset, little);
        };
        const write = function (value, offset = 0) {
            new DataView(this.buffer, this.byteOffset, this.byteLength)[`set${type}`](offset, value, little);
            return offset + width;
        };
        method(`read${name}${order}`, read);
        method(`write${name}${order}`, write);
        if (name.includes('UInt')) {
            method(`read${name.replace('UInt', 'Uint')}${order}`, read);
            method(`write${name.replace('UInt', 'Uint')}${order}`, write);
        }
    }
}
for (const little of [true, false]) {
    const order = little ? 'LE' : 'BE';
    method(`readUInt${order}`, function (offset, width) {
        let value = 0;
        for (let i = 0; i < width; i++) {
            value = value * 256 + this[little ? offset + width - 1 - i : offset + i];
        }
        return value;
    });
    method(`writeUInt${order}`, function (value, offset, width) {
        for (let i = 0; i < width; i++) {
            this[little ? offset + i : offset + width - 1 - i] = value % 256;
            value = Math.floor(value / 256);
        }
        return offset + width;
    });
}

// The engine may lack shared memory.
const SharedBuffer = globalThis.SharedArrayBuffer ?? ArrayBuffer;
