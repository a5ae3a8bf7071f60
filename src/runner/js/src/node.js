// SPDX-License-Identifier: Apache-2.0
// The part `node`: what scripts know from Node.
export { AbortController, AbortSignal, DOMException, Event, EventTarget } from './abort.js';
export { Buffer } from './buffer.js';
export { TextDecoder, TextEncoder, atob, btoa } from './bytes.js';
export { structuredClone } from './clone.js';
export { cryptoModule, getRandomValues, randomUUID, subtle } from './crypto.js';
export { Headers, Response } from './headers.js';
export { unzipper } from './unzipper.js';
export { URL, URLSearchParams } from './url.js';
