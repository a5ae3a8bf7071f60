// SPDX-License-Identifier: Apache-2.0
// One run: from the host's `run` message to `done`.
import { classify } from './errors.js';
import { freezeClock } from './globals.js';
import { callsWaiting, endCalls, onResult, send } from './host.js';
import { load, look } from './load.js';
import { makeNango } from './nango.js';
import { native, parseJson, printJson } from './native.js';
import { readSourceMap } from './sourcemap.js';
import { runTimers, shortenTimers, timersPending } from './timers.js';

let run; // {id, abort, aborted, over, loaded?}

function finish(message) {
    if (run.over) {
        return;
    }
    run.over = true;
    send({ t: 'done', id: run.id, ...message });
    native.finish();
}

function fail(thrown) {
    let error;
    try {
        error = classify(thrown, { aborted: run.aborted, position: readSourceMap(native.code()) });
    } catch {
        error = { type: 'script_internal_error', message: 'The script failed with an error that cannot be read', stack: '', status: 500 };
    }
    try {
        finish({ status: 'error', error });
    } catch {
        finish({ status: 'error', error: { type: 'script_internal_error', message: String(error.message).slice(0, 1000), stack: '', status: 500 } });
    }
}

// What is to be called, and with what after `nango`.
function entry(exported, { kind, form, input }) {
    const main = exported?.default ?? exported;
    const zero = form === undefined || form === null ? typeof main !== 'function' : form === 'zero';
    const name = { sync: 'exec', action: 'exec', function: 'exec', 'on-event': 'exec', webhook: 'onWebhook' }[kind];
    if (name === undefined) {
        throw new Error(`Unknown kind of script: ${kind}`);
    }
    if (zero) {
        if (typeof main?.[name] !== 'function') {
            throw new Error(`The script has no default export with a function \`${name}\``);
        }
        return (nango) => main[name](nango, ...(kind === 'action' || kind === 'function' || kind === 'webhook' ? [input] : []));
    }
    const old = kind === 'webhook' ? exported?.onWebhookPayloadReceived : main;
    if (typeof old !== 'function') {
        throw new Error(kind === 'webhook' ? 'The script does not export onWebhookPayloadReceived' : 'The script has no default export that is a function');
    }
    const empty = typeof input === 'object' && input !== null && Object.keys(input).length === 0;
    return (nango) => old(nango, ...(kind === 'action' ? [empty ? undefined : input] : kind === 'webhook' ? [input] : []));
}

function succeed(output, { kind, limits }) {
    const text = (kind === 'action' || kind === 'function') && output !== undefined ? printJson(output) : undefined;
    if (limits?.output_bytes > 0 && text?.length > limits.output_bytes) {
        throw new Error(`The output is larger than ${limits.output_bytes} bytes`);
    }
    finish(text === undefined ? { status: 'ok' } : { status: 'ok', output: parseJson(text) });
}

// One asynchronous function, with nothing chained to it: each that a context sees for the first time
// takes microseconds to set up, and a context sees one run.
async function execute(message, { nango, holdsLocks, release }) {
    try {
        let output;
        try {
            output = await entry(load(message), message)(nango);
        } finally {
            if (holdsLocks()) {
                await release();
            }
        }
        succeed(output, message);
    } catch (error) {
        fail(error);
    }
}

// Nothing is called: the code is loaded, and its exports are looked at. What came of it is told at the
// next tick: when the code's promises never come to rest, there is none.
function onlyLoad(message) {
    run.loaded = look(message);
}

function begin(message) {
    const limits = message.limits ?? {};
    run = { id: message.id, aborted: false, over: false };
    if (typeof message.now === 'number') {
        freezeClock(message.now);
    }
    if (message.fixture) {
        shortenTimers();
    }
    const setUp = makeNango(message.props ?? {}, { fixture: Boolean(message.fixture), limits, kind: message.kind });
    run.abort = setUp.abort;
    native.begin(limits.wall_ms ?? 0, limits.cpu_ms ?? 0, limits.memory_mb ?? 0);
    if (message.load) {
        onlyLoad(message);
    } else {
        execute(message, setUp);
    }
}

function abort() {
    if (run !== undefined && !run.over) {
        run.aborted = true;
        const error = endCalls('script_aborted', 'The script was aborted', 410);
        run.abort(error);
        // A script that does not look at its signal is ended all the same.
        fail(error);
    }
}

native.onMessage = (text) => {
    const message = parseJson(text);
    if (message.t === 'run') {
        begin(message);
    } else if (message.t === 'result') {
        onResult(message);
    } else if (message.t === 'abort') {
        abort();
    }
};

// Milliseconds until there is something to do.
native.onTick = () => {
    if (run === undefined || run.over) {
        return -1;
    }
    if (run.loaded !== undefined) {
        finish(run.loaded);
        return -1;
    }
    let wait;
    try {
        wait = runTimers();
    } catch (error) {
        fail(error);
        return -1;
    }
    if (wait < 0 && !callsWaiting() && !timersPending()) {
        fail(new Error('The script waits for a promise that nothing can settle'));
    }
    return wait;
};

native.onExpire = () => {
    if (run !== undefined && !run.over) {
        fail(endCalls('execution_timeout', 'The script ran longer than it may', 500));
    }
};
