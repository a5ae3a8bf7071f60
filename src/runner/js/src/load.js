// SPDX-License-Identifier: Apache-2.0
// Loading code: making its exports, and, for who is about to deploy it, whether they are what its kind
// of script is called by.
import { flowOf } from './definition.js';
import { classify, placeOf } from './errors.js';
import { load as require } from './modules.js';
import { native, parseJson, printJson } from './native.js';
import { WRAPPER, readSourceMap } from './sourcemap.js';

const OF_KIND = {
    sync: { type: 'sync', maker: 'createSync' },
    action: { type: 'action', maker: 'createAction' },
    'on-event': { type: 'onEvent', maker: 'createOnEvent' },
    function: { type: 'function', maker: 'createFunction' }
};

// Without code: of the run before, which the engine has kept.
export function load({ code, file }) {
    const module = { exports: {} };
    const wrapper = native.evaluate(code === undefined ? undefined : `${WRAPPER}${code}\n})`, file);
    wrapper.call(module.exports, module.exports, (name) => require(name), module, file, '/');
    return module.exports;
}

function shapeOfZero(main, { kind, webhooks }) {
    const { type, maker } = kind === 'any' ? (Object.values(OF_KIND).find(({ type }) => type === main?.type) ?? OF_KIND.action) : OF_KIND[kind];
    if (typeof main !== 'object' || main === null) {
        return `The default export is not what ${maker}() makes`;
    }
    if (main.type !== type) {
        return typeof main.type === 'string' ? `The default export is of type '${main.type}', not '${type}': it must be what ${maker}() makes` : `The default export is not what ${maker}() makes: it has no type`;
    }
    if (typeof main.exec !== 'function') {
        return 'The default export has no function `exec`';
    }
    if (main.onWebhook !== undefined && typeof main.onWebhook !== 'function') {
        return '`onWebhook` is not a function';
    }
    return webhooks && main.onWebhook === undefined ? 'It subscribes to webhooks, but has no function `onWebhook`' : undefined;
}

function shapeOfYaml(exported, main, { kind, webhooks }) {
    if (typeof main !== 'function') {
        const { maker } = OF_KIND[kind];
        return typeof main === 'object' && main !== null && typeof main.type === 'string'
            ? `The default export is made by ${maker}(), but sdkVersion does not end with -zero`
            : 'The default export is not a function';
    }
    const handler = exported?.onWebhookPayloadReceived;
    if (handler !== undefined && typeof handler !== 'function') {
        return 'The export `onWebhookPayloadReceived` is not a function';
    }
    return webhooks && handler === undefined ? 'It subscribes to webhooks, but does not export `onWebhookPayloadReceived`' : undefined;
}

// What is wrong with the exports; undefined = nothing.
function faultOf(exported, message) {
    const main = exported?.default ?? exported;
    const empty = typeof main === 'object' && main !== null && exported === main && Object.keys(main).length === 0;
    if (main === undefined || main === null || empty) {
        return 'The script has no default export';
    }
    return message.form === 'zero' ? shapeOfZero(main, message) : shapeOfYaml(exported, main, message);
}

// What comes of a `run` message that only loads, as the members of `done`.
export function look(message) {
    let reason;
    let at;
    let output;
    try {
        const exported = load(message);
        reason = faultOf(exported, message);
        if (reason === undefined && message.describe) {
            const text = printJson(flowOf(exported, message));
            const most = message.limits?.output_bytes ?? 0;
            if (most > 0 && text.length > most) {
                throw new Error(`What the script says of itself is larger than ${most} bytes`);
            }
            output = parseJson(text);
        }
    } catch (thrown) {
        const position = readSourceMap(native.code());
        const { message: said, payload } = classify(thrown, { aborted: false, position });
        reason = typeof payload?.name === 'string' && payload.name !== 'Error' ? `${payload.name}: ${said}` : said;
        at = placeOf(thrown, position);
    }
    if (reason === undefined) {
        return { status: 'ok', ...(output === undefined ? {} : { output }) };
    }
    return { status: 'error', error: { type: 'script_does_not_load', message: reason, stack: '', ...(at === undefined ? {} : { at }) } };
}
