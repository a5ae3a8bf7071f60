// SPDX-License-Identifier: Apache-2.0
// Dotted paths into answers and requests, as the paging settings write them.

// A member whose whole name is the path comes first: `@odata.nextLink`.
export function getPath(value, path) {
    if (value === null || value === undefined) {
        return undefined;
    }
    if (Object.prototype.hasOwnProperty.call(Object(value), path)) {
        return value[path];
    }
    let at = value;
    for (const part of path.replace(/\[(\w+)\]/g, '.$1').split('.')) {
        if (at === null || at === undefined) {
            return undefined;
        }
        at = at[part];
    }
    return at;
}

export function setPath(target, path, value) {
    const parts = path.split('.');
    const last = parts.pop();
    let at = target;
    for (const part of parts) {
        if (part === '__proto__') {
            throw new TypeError(`${path} is no name of a parameter`);
        }
        const next = Object.prototype.hasOwnProperty.call(at, part) ? at[part] : undefined;
        at[part] = typeof next === 'object' && next !== null ? (Array.isArray(next) ? [...next] : { ...next }) : {};
        at = at[part];
    }
    at[last] = value;
}
