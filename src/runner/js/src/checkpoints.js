// SPDX-License-Identifier: Apache-2.0
// Checkpoints: flat objects of texts, numbers and booleans.
import { call } from './host.js';

function fault(message) {
    return new Error(`Invalid checkpoint: ${message}`);
}

export function checkCheckpoint(value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw fault('it must be an object');
    }
    const out = {};
    for (const [key, item] of Object.entries(value)) {
        if (item === undefined) {
            continue;
        }
        if (typeof item !== 'string' && typeof item !== 'boolean' && !(typeof item === 'number' && Number.isFinite(item))) {
            throw fault(`the value of '${key}' must be a string, a number or a boolean`);
        }
        out[key] = item;
    }
    return out;
}

export const checkpointMethods = {
    async getCheckpoint() {
        return (await call('getCheckpoint', [])) ?? null;
    },
    async saveCheckpoint(value) {
        await call('saveCheckpoint', [checkCheckpoint(value)]);
    },
    async clearCheckpoint() {
        await call('clearCheckpoint', []);
    }
};
