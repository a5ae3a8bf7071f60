// SPDX-License-Identifier: Apache-2.0
// TextEncoder, TextDecoder, atob, btoa.
import { native } from './native.js';

export class TextEncoder {
    get encoding() {
        return 'utf-8';
    }
    encode(text = '') {
        return native.utf8Encode(String(text));
    }
    encodeInto(text, into) {
        const bytes = native.utf8Encode(String(text));
        let length = Math.min(bytes.length, into.length);
        // Never a part of a character.
        while (length > 0 && length < bytes.length && (bytes[length] & 0xc0) === 0x80) {
            length--;
        }
        into.set(bytes.subarray(0, length));
        return { read: native.utf8Decode(bytes.subarray(0, length)).length, written: length };
    }
}

export function asBytes(data) {
    if (data instanceof Uint8Array) {
        return data;
    }
    if (ArrayBuffer.isView(data)) {
        return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    }
    if (data instanceof ArrayBuffer) {
        return new Uint8Array(data);
    }
    throw new TypeError('Bytes are needed: a Buffer, a typed array or an ArrayBuffer');
}

const LATIN1 = new Set(['latin1', 'iso-8859-1', 'iso8859-1', 'ascii', 'us-ascii', 'windows-1252']);
const UTF8 = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8']);

export class TextDecoder {
    #label;
    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
        const name = String(label).trim().toLowerCase();
        if (UTF8.has(name)) {
            this.#label = 'utf-8';
        } else if (LATIN1.has(name)) {
            this.#label = 'windows-1252';
        } else if (name === 'utf-16le' || name === 'utf-16') {
            this.#label = 'utf-16le';
        } else {
            throw new RangeError(`The "${label}" encoding is not supported`);
        }
        this.fatal = Boolean(fatal);
        this.ignoreBOM = Boolean(ignoreBOM);
    }
    get encoding() {
        return this.#label;
    }
    decode(data = new Uint8Array(0), { stream = false } = {}) {
        if (stream) {
            throw new TypeError('TextDecoder does not decode in pieces here');
        }
        const bytes = asBytes(data);
        let text = '';
        if (this.#label === 'utf-8') {
            text = native.utf8Decode(bytes);
            if (this.fatal && text.includes('\ufffd') && !sameBytes(native.utf8Encode(text), bytes)) {
                throw new TypeError('The encoded data was not valid for encoding utf-8');
            }
        } else if (this.#label === 'utf-16le') {
            for (let i = 0; i + 1 < bytes.length; i += 2) {
                text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
            }
        } else {
            text = latin1Text(bytes);
        }
        return !this.ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }
}

function sameBytes(a, b) {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function latin1Text(bytes) {
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) {
        text += String.fromCharCode.apply(null, bytes.subarray(i, i + 8192));
    }
    return text;
}

export function latin1Bytes(text) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
        bytes[i] = text.charCodeAt(i);
    }
    return bytes;
}

export function btoa(text) {
    const value = String(text);
    for (let i = 0; i < value.length; i++) {
        if (value.charCodeAt(i) > 255) {
            throw new RangeError('Invalid character');
        }
    }
    return native.base64(latin1Bytes(value), false);
}

export function atob(text) {
    const value = String(text).replace(/[\t\n\f\r ]/g, '');
    const bare = value.length % 4 === 0 ? value.replace(/={1,2}$/, '') : value;
    if (bare.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(bare)) {
        throw new RangeError('The string to be decoded is not correctly encoded.');
    }
    return latin1Text(native.unbase64(bare));
}
