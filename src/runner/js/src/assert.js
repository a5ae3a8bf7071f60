// SPDX-License-Identifier: Apache-2.0
// As much of Node's `assert` as packages use.
import { inspect, same } from './util.js';

class AssertionError extends Error {
    constructor({ message, actual, expected, operator }) {
        super(message);
        this.name = 'AssertionError';
        this.code = 'ERR_ASSERTION';
        this.generatedMessage = false;
        Object.assign(this, { actual, expected, operator });
    }
}

function check(good, message, actual, expected, operator) {
    if (!good) {
        if (message instanceof Error) {
            throw message;
        }
        throw new AssertionError({ message: message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`, actual, expected, operator });
    }
}

export function assert(value, message) {
    check(value, message, value, true, '==');
}

const compare = (operator, judge) => (actual, expected, message) => check(judge(actual, expected), message, actual, expected, operator);

Object.assign(assert, {
    AssertionError,
    deepEqual: compare('deepEqual', same),
    deepStrictEqual: compare('deepStrictEqual', same),
    // As in Node, the loose ones.
    equal: compare('==', (a, b) => a == b), // eslint-disable-line eqeqeq
    fail: (message = 'Failed') => check(false, message),
    notEqual: compare('!=', (a, b) => a != b), // eslint-disable-line eqeqeq
    notStrictEqual: compare('!==', (a, b) => !Object.is(a, b)),
    ok: assert,
    strict: assert,
    strictEqual: compare('===', Object.is)
});
