// SPDX-License-Identifier: Apache-2.0
// Event, EventTarget, AbortController, AbortSignal: as much of the DOM's as signals need.
import { setTimeout } from './timers.js';

export class Event {
    constructor(type, init = {}) {
        this.type = String(type);
        this.cancelable = Boolean(init.cancelable);
        this.defaultPrevented = false;
        this.target = null;
    }
    preventDefault() {
        this.defaultPrevented = this.cancelable;
    }
}

export class EventTarget {
    #listeners = new Map();
    addEventListener(type, listener, options) {
        const list = this.#listeners.get(type) ?? [];
        if (listener && !list.some((entry) => entry.listener === listener)) {
            list.push({ listener, once: Boolean(options?.once) });
        }
        this.#listeners.set(type, list);
    }
    removeEventListener(type, listener) {
        const list = this.#listeners.get(type) ?? [];
        this.#listeners.set(
            type,
            list.filter((entry) => entry.listener !== listener)
        );
    }
    dispatchEvent(event) {
        event.target = this;
        for (const { listener, once } of [...(this.#listeners.get(event.type) ?? [])]) {
            if (once) {
                this.removeEventListener(event.type, listener);
            }
            if (typeof listener === 'function') {
                listener.call(this, event);
            } else {
                listener.handleEvent(event);
            }
        }
        return !event.defaultPrevented;
    }
}

export class DOMException extends Error {
    constructor(message = '', name = 'Error') {
        super(message);
        Object.defineProperty(this, 'name', { value: name, configurable: true });
        this.code = name === 'AbortError' ? 20 : name === 'TimeoutError' ? 23 : 0;
    }
}

let abortSignal;
export class AbortSignal extends EventTarget {
    #aborted = false;
    #reason;
    onabort = null;
    static {
        abortSignal = (signal, reason) => {
            if (signal.#aborted) {
                return;
            }
            signal.#aborted = true;
            signal.#reason = reason ?? new DOMException('This operation was aborted', 'AbortError');
            const event = new Event('abort');
            signal.onabort?.call(signal, event);
            signal.dispatchEvent(event);
        };
    }
    static abort(reason) {
        const signal = new AbortSignal();
        abortSignal(signal, reason);
        return signal;
    }
    static timeout(ms) {
        const signal = new AbortSignal();
        setTimeout(() => abortSignal(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms);
        return signal;
    }
    static any(signals) {
        const any = new AbortSignal();
        for (const signal of signals) {
            if (signal.aborted) {
                abortSignal(any, signal.reason);
            } else {
                signal.addEventListener('abort', () => abortSignal(any, signal.reason), { once: true });
            }
        }
        return any;
    }
    get aborted() {
        return this.#aborted;
    }
    get reason() {
        return this.#reason;
    }
    throwIfAborted() {
        if (this.#aborted) {
            throw this.#reason;
        }
    }
}

export class AbortController {
    signal = new AbortSignal();
    abort(reason) {
        abortSignal(this.signal, reason);
    }
}

