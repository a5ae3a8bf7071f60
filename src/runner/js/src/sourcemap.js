// SPDX-License-Identifier: Apache-2.0
// Places in code: what it is wrapped in, and inline source maps, which say where a line of the bundle
// came from.
import { native, parseJson } from './native.js';

// Stands before the code on its first line.
export const WRAPPER = '(function (exports, require, module, __filename, __dirname) {';

const MARK = '//# sourceMappingURL=data:application/json';
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function* numbers(text) {
    let [value, shift] = [0, 0];
    for (const c of text) {
        const digit = DIGITS.indexOf(c);
        value += (digit & 31) * 2 ** shift;
        shift += 5;
        if ((digit & 32) === 0) {
            yield value & 1 ? -(value >>> 1) : value >>> 1;
            [value, shift] = [0, 0];
        }
    }
}

// [generated column, source, line, column] of each piece, by generated line.
function lines({ mappings }) {
    let [source, line, column] = [0, 0, 0];
    return mappings.split(';').map((row) => {
        let generated = 0;
        const pieces = [];
        for (const piece of row.split(',')) {
            const [a, b, c, d] = numbers(piece);
            if (a === undefined || b === undefined) {
                continue;
            }
            generated += a;
            source += b;
            line += c;
            column += d;
            pieces.push([generated, source, line, column]);
        }
        return pieces;
    });
}

// A function from a place in the bundle to the place in its source. The map is read when it is first
// asked, which is for a failure only.
export function readSourceMap(code) {
    const at = typeof code === 'string' ? code.lastIndexOf(MARK) : -1;
    if (at < 0) {
        return undefined;
    }
    let rows;
    let map;
    return (file, line, column) => {
        try {
            if (rows === undefined) {
                map = parseJson(native.utf8Decode(native.unbase64(code.slice(code.indexOf(',', at) + 1).split('\n', 1)[0].trim())));
                rows = lines(map);
            }
            const found = rows[line - 1]?.findLast(([from]) => from <= column - 1) ?? rows[line - 1]?.[0];
            if (found !== undefined) {
                return { file: map.sources[found[1]], line: found[2] + 1, column: found[3] + 1 };
            }
        } catch {
            rows = []; // a damaged map: the bundle's own place will do
        }
        return { file, line, column };
    };
}
