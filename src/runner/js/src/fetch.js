// SPDX-License-Identifier: Apache-2.0
// A request to the outside without credentials, as the host's policy allows it.
import { call } from './host.js';
import { isBytes, packBytes, receive } from './proxy.js';

export const DENIED = 'url_not_allowed';

// `request`: {url, method, headers: {name: text}, body?: text | bytes}. Answers {status, statusText, url, headers,
// body: text | Buffer | null}; redirects were followed, the body is as it was before any coding.
export async function fetchOutside({ url, method, headers, body }) {
    const request = { url, method: method.toUpperCase(), headers };
    if (body !== undefined && body !== null) {
        request.body = isBytes(body) ? packBytes(body) : body;
    }
    let answer;
    try {
        answer = await call('uncontrolledFetch', [request]);
    } catch (error) {
        if (error?.payload?.code === DENIED) {
            error.code = DENIED;
        }
        throw error;
    }
    const { data, status, statusText } = receive(answer, 'arraybuffer');
    const bare = data === undefined ? null : isBytes(data) || typeof data === 'string' ? data : JSON.stringify(data);
    return { status, statusText, url: answer.url ?? url, headers: answer.headers ?? {}, body: bare };
}
