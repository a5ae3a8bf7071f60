// SPDX-License-Identifier: Apache-2.0
// The part of npm's `unzipper` that works on an archive in memory: Open.buffer(). The format is
// PKWARE's APPNOTE 6.3; stored and deflated entries, no encryption, no ZIP64.
import { Buffer } from './buffer.js';
import { asBytes } from './bytes.js';
import { native } from './native.js';

const END_MARK = 0x06054b50;
const ENTRY_MARK = 0x02014b50;
const LOCAL_MARK = 0x04034b50;
const END_SIZE = 22;
const MAX_COMMENT = 65535;
const MAX_INFLATED = 200 * 1024 * 1024;

function damaged(what) {
    return new Error(`FILE_ENDED: the archive is damaged (${what})`);
}

function findEnd(data) {
    for (let at = data.length - END_SIZE; at >= Math.max(0, data.length - END_SIZE - MAX_COMMENT); at--) {
        if (data.readUInt32LE(at) === END_MARK) {
            return at;
        }
    }
    throw damaged('no end of central directory');
}

function entryAt(archive, at) {
    if (at + 46 > archive.length || archive.readUInt32LE(at) !== ENTRY_MARK) {
        throw damaged('central directory');
    }
    const nameLength = archive.readUInt16LE(at + 28);
    const extraLength = archive.readUInt16LE(at + 30);
    const commentLength = archive.readUInt16LE(at + 32);
    const path = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const entry = {
        path,
        type: path.endsWith('/') ? 'Directory' : 'File',
        flags: archive.readUInt16LE(at + 8),
        compressionMethod: archive.readUInt16LE(at + 10),
        crc32: archive.readUInt32LE(at + 16),
        compressedSize: archive.readUInt32LE(at + 20),
        uncompressedSize: archive.readUInt32LE(at + 24),
        offsetToLocalFileHeader: archive.readUInt32LE(at + 42)
    };
    entry.buffer = async () => contents(archive, entry);
    entry.stream = () => {
        throw new Error('unzipper: streams are not offered to scripts, use file.buffer()');
    };
    return { entry, next: at + 46 + nameLength + extraLength + commentLength };
}

function contents(archive, entry) {
    const at = entry.offsetToLocalFileHeader;
    if (entry.flags & 1) {
        throw new Error('unzipper: encrypted entries are not offered to scripts');
    }
    if (at + 30 > archive.length || archive.readUInt32LE(at) !== LOCAL_MARK) {
        throw damaged('local header');
    }
    const from = at + 30 + archive.readUInt16LE(at + 26) + archive.readUInt16LE(at + 28);
    const packed = archive.subarray(from, from + entry.compressedSize);
    if (packed.length !== entry.compressedSize) {
        throw damaged('an entry is cut short');
    }
    if (entry.compressionMethod === 0) {
        return Buffer.from(packed);
    }
    if (entry.compressionMethod !== 8) {
        throw new Error(`unzipper: compression method ${entry.compressionMethod} is not known`);
    }
    const plain = native.inflate(packed, -15, Math.min(entry.uncompressedSize || MAX_INFLATED, MAX_INFLATED));
    return new Buffer(plain.buffer, plain.byteOffset, plain.byteLength);
}

async function openBuffer(data) {
    const archive = Buffer.from(asBytes(data));
    const end = findEnd(archive);
    const count = archive.readUInt16LE(end + 10);
    const files = [];
    let at = archive.readUInt32LE(end + 16);
    for (let i = 0; i < count; i++) {
        const { entry, next } = entryAt(archive, at);
        files.push(entry);
        at = next;
    }
    return { files, numberOfRecords: count };
}

function refuse(name) {
    return () => {
        throw new Error(`unzipper.${name} is not offered to scripts: use unzipper.Open.buffer`);
    };
}

export const unzipper = {
    Open: { buffer: openBuffer, file: refuse('Open.file'), url: refuse('Open.url'), s3: refuse('Open.s3') },
    Parse: refuse('Parse'),
    ParseOne: refuse('ParseOne'),
    Extract: refuse('Extract')
};
