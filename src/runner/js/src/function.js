// SPDX-License-Identifier: Apache-2.0
// Functions made by createFunction(): what they say of themselves decides what `nango` has for them.
const OF_CAPABILITY = {
    usesOutbound: ['proxy', 'get', 'post', 'put', 'patch', 'delete', 'paginate', 'uncontrolledFetch'],
    usesCheckpoints: ['getCheckpoint', 'saveCheckpoint', 'clearCheckpoint'],
    usesMetadata: ['getMetadata', 'setMetadata', 'updateMetadata']
};

export function deriveFunctionCapabilities({ data, requires }) {
    return {
        usesRecords: Object.keys(data?.models ?? {}).length > 0,
        usesCheckpoints: Boolean(data?.checkpoint),
        usesMetadata: Boolean(data?.metadata),
        usesOutbound: requires?.connection !== false && requires?.outbound !== false,
        usesInvoke: requires?.invoke === true
    };
}

export const createFunction = (definition) => ({ type: 'function', ...definition, capabilities: deriveFunctionCapabilities(definition) });

export function limitNango(nango, attributes) {
    nango.getVariant = () => nango.variant;
    for (const [capability, methods] of Object.entries(OF_CAPABILITY)) {
        if (attributes?.capabilities?.[capability] === false) {
            for (const method of methods) {
                nango[method] = undefined;
            }
        }
    }
}
