// SPDX-License-Identifier: Apache-2.0
// Messages to and from the host (protocol.h).
import { HostError, RunEnded } from './errors.js';
import { native, printJson } from './native.js';

const waiting = new Map(); // call id → {resolve, reject, request, asked}
let nextCall = 1;
// What a recording lacks is no failure of a provider.
const LACKING = new Set(['not_recorded', 'invalid_endpoint']);
let ended; // a RunEnded once the run may ask for nothing more

export function send(message) {
    native.send(printJson(message));
}

// Asks the host. `request`: the proxy configuration that an error should carry.
export function call(method, args, request) {
    let text;
    try {
        text = printJson(args);
    } catch (error) {
        return Promise.reject(error);
    }
    return callWith(method, text, request);
}

// The same with the arguments printed already, as a list.
export function callWith(method, args, request) {
    if (ended !== undefined) {
        return Promise.reject(ended);
    }
    const id = nextCall++;
    const text = `{"t":"call","id":${id},"method":${printJson(method)},"args":${args}}`;
    // The engine keeps no frames of functions that wait: where the call was made is noted here.
    const asked = new Error();
    return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject, request, asked });
        native.send(text);
    });
}

export function onResult({ id, ok, value, error }) {
    const entry = waiting.get(id);
    if (entry === undefined) {
        return;
    }
    waiting.delete(id);
    if (ok) {
        entry.resolve(value);
    } else {
        entry.reject(new HostError(error ?? {}, LACKING.has(error?.code) ? undefined : entry.request, entry.asked));
    }
}

export function callsWaiting() {
    return waiting.size > 0;
}

// Every call that waits fails, and so does every later one.
export function endCalls(type, message, status) {
    ended = new RunEnded(type, message, status);
    const entries = [...waiting.values()];
    waiting.clear();
    for (const entry of entries) {
        entry.reject(ended);
    }
    return ended;
}
