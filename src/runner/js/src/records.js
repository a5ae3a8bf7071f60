// SPDX-License-Identifier: Apache-2.0
// The methods of a sync on its records: checks, chunks, then the host.
import { ActionError } from './errors.js';
import { call, callWith } from './host.js';
import { printJson } from './native.js';

const SAVE_CHUNK = 1000;
// A message to the host holds 32 MB, and a character is at most three bytes there; a message is in the
// engine's memory some five times while it is made.
const CHUNK_CHARACTERS = 2 << 20;
const READ_CHUNK = 100;
const MAX_ID = 255;

function withoutMetadata(row) {
    if (typeof row === 'object' && row !== null && '_nango_metadata' in row) {
        const { _nango_metadata, ...rest } = row;
        return rest;
    }
    return row;
}

function checkId(row, model) {
    const id = row?.id;
    if (typeof id === 'number' ? Number.isNaN(id) : typeof id !== 'string' || id.length === 0) {
        throw new Error(`A record of the model '${model}' has no id: each needs one, a text or a number`);
    }
    if (typeof id === 'string' && id.length > MAX_ID) {
        throw new Error(`A record of the model '${model}' has an id of more than ${MAX_ID} characters`);
    }
}

// The rows as texts of lists, each short enough for one message. They are printed one by one as they
// are needed: a batch of any size is never held twice.
function* chunks(rows) {
    let texts = [];
    let length = 0;
    for (const row of rows) {
        const text = printJson(row) ?? 'null';
        if (texts.length > 0 && (texts.length === SAVE_CHUNK || length + text.length > CHUNK_CHARACTERS)) {
            yield `[${texts.join(',')}]`;
            texts = [];
            length = 0;
        }
        texts.push(text);
        length += text.length;
    }
    yield `[${texts.join(',')}]`;
}

export function recordMethods(props, { log, fixture }) {
    const models = Array.isArray(props.models) && props.models.length > 0 ? new Set(props.models) : undefined;
    const merging = new Map();

    function checkModel(model) {
        if (typeof model !== 'string' || model === '') {
            throw new Error('The name of a model is needed');
        }
        if (models !== undefined && !models.has(model)) {
            throw new Error(`The model '${model}' is not included in the declared sync models: ${[...models].join(', ')}.`);
        }
    }

    async function batch(method, rows, model) {
        if (rows === undefined || rows === null || rows.length === 0) {
            return true;
        }
        if (!Array.isArray(rows)) {
            throw new Error(`${method} needs a list of records`);
        }
        checkModel(model);
        const plain = rows.map(withoutMetadata);
        if (!fixture) {
            plain.forEach((row) => checkId(row, model));
        }
        for (const list of chunks(plain)) {
            await callWith(method, `[${list},${printJson(model)}]`);
        }
        return true;
    }

    const methods = {
        batchSave: (rows, model) => batch('batchSave', rows, model),
        batchSend: (rows, model) => batch('batchSave', rows, model),
        batchDelete: (rows, model) => batch('batchDelete', rows, model),
        batchUpdate: (rows, model) => batch('batchUpdate', rows, model),

        async getRecordsByIds(ids, model) {
            const found = new Map();
            const byText = new Map((ids ?? []).map((id) => [String(id), id]));
            const texts = [...byText.keys()];
            checkModel(model);
            for (let at = 0; at < texts.length; at += READ_CHUNK) {
                for (const [id, record] of (await call('getRecordsByIds', [texts.slice(at, at + READ_CHUNK), model])) ?? []) {
                    found.set(byText.get(String(id)) ?? id, record);
                }
            }
            return found;
        },
        async *listRecords(model, options = {}) {
            let cursor = options.cursor ?? null;
            checkModel(model);
            do {
                const page = (await call('listRecords', [model, cursor])) ?? {};
                yield* page.records ?? [];
                cursor = page.next_cursor ?? null;
            } while (cursor !== null);
        },
        async deleteRecordsFromPreviousExecutions(model) {
            checkModel(model);
            return call('deleteRecordsFromPreviousExecutions', [model]);
        },
        async trackDeletesStart(model) {
            checkModel(model);
            return call('trackDeletesStart', [model]);
        },
        async trackDeletesEnd(model) {
            checkModel(model);
            return call('trackDeletesEnd', [model]);
        },
        async setMergingStrategy(merge, model) {
            if (merge?.strategy !== 'override' && merge?.strategy !== 'ignore_if_modified_after') {
                throw new ActionError({ message: `Unknown merging strategy: ${String(merge?.strategy)}` });
            }
            checkModel(model);
            if (merging.has(model)) {
                await log(`Merging strategy for model ${model} is already set. Skipping`, { level: 'warn' });
                return;
            }
            merging.set(model, merge.strategy);
            await call('setMergingStrategy', [{ strategy: merge.strategy }, model]);
        },
        async setLastSyncDate(date) {
            const ms = date instanceof Date || typeof date === 'string' || typeof date === 'number' ? new Date(date).getTime() : NaN;
            if (Number.isNaN(ms)) {
                throw new Error('Invalid Date');
            }
            await call('setLastSyncDate', [new Date(ms).toISOString()]);
            return true;
        }
    };
    return methods;
}
