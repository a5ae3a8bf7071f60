// SPDX-License-Identifier: Apache-2.0
// What a script says of itself, in the shape in which command lines deploy it.
import { part } from './parts.js';

function schemaOf(model) {
    const zod = part('zod');
    if (model instanceof zod.ZodVoid) {
        return { type: 'null' };
    }
    const schema = zod.toJSONSchema(model, {
        target: 'draft-7',
        unrepresentable: 'any',
        override({ zodSchema, jsonSchema }) {
            if (zodSchema instanceof zod.ZodDate) {
                jsonSchema.type = 'string';
                jsonSchema.format = 'date-time';
            }
        }
    });
    delete schema.$schema;
    return schema;
}

function schemasOf(models) {
    return { definitions: Object.fromEntries(Object.entries(models).map(([name, model]) => [name, schemaOf(model)])) };
}

// The models of a script's input and output have no name of their own.
function modelName(what, integration, name) {
    return `${what}_${integration.replaceAll(/[^a-zA-Z0-9]/g, '_')}_${name.replaceAll(/[^a-zA-Z0-9]/g, '')}`;
}

function common(main, code) {
    return {
        version: main.version === undefined ? '' : String(main.version),
        metadata: { description: String(main.description ?? ''), scopes: main.scopes ?? [] },
        features: /\bnango\.(get|save|clear)Checkpoint\b/.test(code) ? ['checkpoints'] : []
    };
}

function syncFlow(main, code, { integration, name }) {
    const input = main.metadata === undefined ? undefined : modelName('SyncMetadata', integration, name);
    const models = { ...main.models };
    return {
        ...common(main, code),
        type: 'sync',
        models: Object.keys(models),
        input,
        runs: main.frequency ?? '',
        auto_start: main.autoStart === true,
        track_deletes: main.trackDeletes === true,
        sync_type: main.syncType ?? 'full',
        endpoints: main.endpoints ?? [],
        webhookSubscriptions: main.webhookSubscriptions ?? [],
        models_json_schema: schemasOf(input === undefined ? models : { ...models, [input]: main.metadata })
    };
}

function actionFlow(main, code, { integration, name }) {
    const input = modelName('ActionInput', integration, name);
    const output = modelName('ActionOutput', integration, name);
    for (const member of ['input', 'output']) {
        if (main[member] === undefined) {
            throw new Error(`createAction() needs \`${member}\`, a zod schema`);
        }
    }
    return {
        ...common(main, code),
        type: 'action',
        models: [output],
        input,
        runs: '',
        endpoints: main.endpoint === undefined ? [] : [main.endpoint],
        models_json_schema: schemasOf({ [input]: main.input, [output]: main.output })
    };
}

function eventOf(main) {
    if (typeof main.event !== 'string') {
        throw new Error('createOnEvent() needs `event`');
    }
    return { type: 'on-event', event: main.event };
}

const FLOWS = { sync: syncFlow, 'on-event': eventOf };

// The flow of a sync or an action, or the event of a script of events. `describe`: its integration and name.
export function flowOf(exported, { code, kind, describe }) {
    return (FLOWS[kind] ?? actionFlow)(exported.default, code, describe);
}
