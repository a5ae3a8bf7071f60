// SPDX-License-Identifier: Apache-2.0
// Paging through a provider's list. The settings are the provider's (from the catalogue) under those
// of the call; each way of paging is one generator.
import { getPath, setPath } from './paths.js';
import { late } from './late.js';

const IN_BODY = new Set(['POST', 'PUT', 'PATCH']);

export async function* paginate(request, defaults, proxy, fixture) {
    const given = request.paginate ?? {};
    if (defaults === undefined || defaults === null ? Object.keys(given).length === 0 : false) {
        throw new Error('There was no pagination configuration for this integration or configuration passed in.');
    }
    const settings = { ...defaults, ...given };
    const method = String(request.method ?? 'GET').toUpperCase();
    const inBody = settings.in_body ?? IN_BODY.has(method);
    const config = { ...request, method };
    delete config.paginate;

    if (settings.type === undefined) {
        throw new Error('Missing pagination type.');
    }
    const way = WAYS[String(settings.type).toLowerCase()];
    if (way === undefined) {
        throw new Error(`'${settings.type}' is not a supported pagination type.`);
    }
    const values = inBody ? { ...(config.data ?? {}) } : { ...paramsObject(config.params) };
    const pager = {
        settings,
        inBody,
        set(name, value) {
            if (inBody) {
                setPath(values, name, value);
            } else {
                values[name] = value;
            }
        },
        // One page. The values of the call itself are never changed.
        fetch(overrides = {}) {
            const page = inBody ? { data: { ...values } } : { params: { ...values } };
            return proxy({ ...config, ...page, ...overrides });
        },
        list(response) {
            return settings.response_path ? getPath(response.data, settings.response_path) : response.data;
        },
        async told(nextPageParam, response) {
            await settings.on_page?.({ nextPageParam, response });
        }
    };
    if (settings.limit) {
        if (settings.limit_name_in_request) {
            pager.set(settings.limit_name_in_request, settings.limit);
        } else if (way === cursor) {
            throw new Error('Param limit_name_in_request is required for cursor pagination when limit is set');
        } else if (fixture) {
            pager.set('undefined', settings.limit); // so it was sent when it was recorded
        }
    }
    yield* way(pager);
}

function paramsObject(params) {
    if (typeof params !== 'string') {
        return params ?? {};
    }
    const url = new late.URL('http://x/');
    url.search = params;
    return Object.fromEntries(url.searchParams);
}

function need(settings, names) {
    for (const name of names) {
        if (!settings[name]) {
            throw new Error(`Param ${name} is required for ${settings.type} pagination`);
        }
    }
}

function isEmpty(list) {
    return list === undefined || list === null || list.length === 0 || list.length === undefined;
}

async function* cursor(pager) {
    const { settings } = pager;
    need(settings, ['cursor_name_in_request', 'cursor_path_in_response']);
    for (;;) {
        const response = await pager.fetch();
        const list = pager.list(response);
        if (isEmpty(list)) {
            return;
        }
        yield list;
        let next = getPath(response.data, settings.cursor_path_in_response);
        if (typeof next === 'string') {
            next = next.trim() || undefined;
        } else if (typeof next !== 'number') {
            next = undefined;
        }
        await pager.told(next, response);
        if (next === undefined) {
            return;
        }
        pager.set(settings.cursor_name_in_request, next);
    }
}

async function* offset(pager) {
    const { settings, inBody } = pager;
    need(settings, ['offset_name_in_request']);
    const method = settings.offset_calculation_method ?? 'by-response-size';
    let at = settings.offset_start_value ?? 0;
    for (;;) {
        pager.set(settings.offset_name_in_request, inBody ? at : String(at));
        const response = await pager.fetch();
        const list = pager.list(response);
        if (isEmpty(list)) {
            return;
        }
        yield list;
        if (settings.limit && list.length < settings.limit) {
            return;
        }
        // The offset of this page, as in Nango's own runner.
        await pager.told(at, response);
        at = method === 'per-page' ? at + 1 : at + list.length;
    }
}

async function* link(pager) {
    const { settings } = pager;
    if (!settings.link_rel_in_response_header && !settings.link_path_in_response_body) {
        throw new Error('Either param link_rel_in_response_header or link_path_in_response_body is required for link pagination');
    }
    let overrides = {};
    let before;
    for (;;) {
        const response = await pager.fetch(overrides);
        yield pager.list(response);
        const next = nextLink(response, settings);
        await pager.told(next, response);
        if (!next || next === before) {
            return;
        }
        before = next;
        overrides = target(next);
    }
}

function nextLink(response, settings) {
    if (settings.link_rel_in_response_header) {
        const found = linkWithRel(response.headers?.link ?? response.headers?.Link, settings.link_rel_in_response_header);
        if (found !== undefined || !settings.link_path_in_response_body) {
            return found;
        }
    }
    const found = getPath(response.data, settings.link_path_in_response_body);
    return typeof found === 'string' ? found.trim() || undefined : undefined;
}

// RFC 8288, section 3.
function linkWithRel(header, rel) {
    for (const [, url, params] of String(header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^\s=;,]+\s*=\s*(?:"[^"]*"|[^;,"]*))*)/g)) {
        const found = /;\s*rel\s*=\s*(?:"([^"]*)"|([^;,\s]*))/i.exec(params);
        if (found !== null && (found[1] ?? found[2]).split(/\s+/).includes(rel)) {
            return url;
        }
    }
    return undefined;
}

function target(next) {
    if (!late.URL.canParse(next)) {
        return { endpoint: next, params: undefined };
    }
    const url = new late.URL(next);
    return { baseUrlOverride: url.origin, endpoint: url.pathname + url.search, params: undefined };
}

const WAYS = { cursor, link, offset };
