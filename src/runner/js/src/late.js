// SPDX-License-Identifier: Apache-2.0
// Globals of the part `node`, made when they are first asked for.
import { part } from './parts.js';

export const late = {
    get crypto() {
        const { getRandomValues, randomUUID, subtle } = part('node');
        return { getRandomValues, randomUUID, subtle };
    }
};
for (const name of [
    'AbortController', 'AbortSignal', 'Buffer', 'DOMException', 'Event', 'EventTarget', 'Headers', 'Response', 'TextDecoder', 'TextEncoder', 'URL', 'URLSearchParams', 'atob', 'btoa',
    'structuredClone'
]) {
    Object.defineProperty(late, name, { get: () => part('node')[name], enumerable: true });
}
