// SPDX-License-Identifier: Apache-2.0
// Checkpoints: flat objects of texts, numbers and booleans.
import { call } from './host.js';

const MAX_FIELDS = 16;
const MAX_NAME = 255;
const MAX_TEXT = 4000;

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
        if (key.length > MAX_NAME) {
            throw fault(`a field's name cannot have more than ${MAX_NAME} characters`);
        }
        if (typeof item === 'string' && item.length > MAX_TEXT) {
            throw fault(`a string cannot have more than ${MAX_TEXT} characters`);
        }
        out[key] = item;
    }
    if (Object.keys(out).length > MAX_FIELDS) {
        throw fault(`it cannot have more than ${MAX_FIELDS} fields`);
    }
    return out;
}

// In a fixture run any value will do.
export function checkpointMethods(fixture) {
    return {
        async getCheckpoint() {
            return (await call('getCheckpoint', [])) ?? null;
        },
        async saveCheckpoint(value) {
            await call('saveCheckpoint', [fixture ? value : checkCheckpoint(value)]);
        },
        async clearCheckpoint() {
            await call('clearCheckpoint', []);
        }
    };
}
