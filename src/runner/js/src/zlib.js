// SPDX-License-Identifier: Apache-2.0
// Node's `zlib` for packages: inflating, of what is there as a whole.
import { Transform } from 'stream-browserify';
import { asBytes } from './bytes.js';
import { late } from './late.js';
import { native } from './native.js';
import { refused } from './refuse.js';

const MAX_INFLATED = 64 * 1024 * 1024;

function inflate(data, bits) {
    const bytes = native.inflate(asBytes(typeof data === 'string' ? late.Buffer.from(data) : data), bits, MAX_INFLATED);
    return late.Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

class Inflate extends Transform {
    #pieces = [];
    #bits;
    constructor(bits) {
        super();
        this.#bits = bits;
    }
    _transform(piece, encoding, done) {
        this.#pieces.push(piece);
        done();
    }
    _flush(done) {
        try {
            done(null, inflate(late.Buffer.concat(this.#pieces), this.#bits));
        } catch (error) {
            done(error);
        }
    }
}

const HEADED = 47;
const BARE = -15;
export const zlib = { constants: { Z_SYNC_FLUSH: 2, Z_FINISH: 4, BROTLI_OPERATION_FLUSH: 1 } };
for (const [name, bits] of [['gunzip', HEADED], ['inflate', HEADED], ['unzip', HEADED], ['inflateRaw', BARE]]) {
    zlib[`${name}Sync`] = (data) => inflate(data, bits);
    zlib[name] = (data, ...rest) => {
        let result;
        try {
            result = [null, inflate(data, bits)];
        } catch (error) {
            result = [error];
        }
        Promise.resolve().then(() => rest.at(-1)(...result));
    };
    zlib[`create${name[0].toUpperCase()}${name.slice(1)}`] = () => new Inflate(bits);
}
for (const name of ['brotliDecompress', 'brotliDecompressSync', 'createDeflate', 'createDeflateRaw', 'createGzip', 'deflate', 'deflateSync', 'gzip', 'gzipSync']) {
    zlib[name] = refused(`zlib.${name}`);
}
