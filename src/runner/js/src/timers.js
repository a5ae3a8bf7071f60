// SPDX-License-Identifier: Apache-2.0
// setTimeout and its kin. C asks onTick() how long it may sleep.
import { native } from './native.js';

const MAX_DELAY_MS = 0x7fffffff;
let nextId = 1;
let pending = new Map(); // id → {at, every, run, args}
// A fixture run waits for nothing that a provider could need.
let scale = 1;

export function shortenTimers() {
    scale = 0;
}

class Timeout {
    constructor(id) {
        Object.defineProperty(this, 'id', { value: id });
    }
    ref() {
        return this;
    }
    unref() {
        return this;
    }
    hasRef() {
        return pending.has(this.id);
    }
    refresh() {
        const timer = pending.get(this.id);
        if (timer !== undefined) {
            timer.at = native.now() + timer.delay;
        }
        return this;
    }
    [Symbol.toPrimitive]() {
        return this.id;
    }
}

function start(run, delay, args, repeat) {
    if (typeof run !== 'function') {
        throw new TypeError('The "callback" argument must be of type function.');
    }
    const id = nextId++;
    const asked = Number(delay);
    const ms = (asked >= 1 && asked <= MAX_DELAY_MS ? asked : 1) * scale;
    pending.set(id, { at: native.now() + ms, delay: ms, repeat, run, args });
    return new Timeout(id);
}

export function setTimeout(run, delay, ...args) {
    return start(run, delay, args, false);
}
export function setInterval(run, delay, ...args) {
    return start(run, delay, args, true);
}
export function setImmediate(run, ...args) {
    return start(run, 0, args, false);
}
export function clearTimeout(timer) {
    pending.delete(timer instanceof Timeout ? timer.id : Number(timer));
}

// Runs the first timer that is due, so that its microtasks come before the next one. Returns the
// time until the next timer, -1 when there is none.
export function runTimers() {
    let next;
    let nextTimer;
    for (const [id, timer] of pending) {
        if (nextTimer === undefined || timer.at < nextTimer.at) {
            next = id;
            nextTimer = timer;
        }
    }
    if (nextTimer === undefined) {
        return -1;
    }
    const wait = nextTimer.at - native.now();
    if (wait > 0) {
        return wait;
    }
    if (nextTimer.repeat) {
        nextTimer.at = native.now() + Math.max(1, nextTimer.delay);
    } else {
        pending.delete(next);
    }
    nextTimer.run.apply(undefined, nextTimer.args);
    return 0;
}

export function timersPending() {
    return pending.size > 0;
}
