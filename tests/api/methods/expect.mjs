// SPDX-License-Identifier: Apache-2.0
// What the tables of client methods expect over and over.

import assert from 'node:assert/strict';

export const isInstant = (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|\+00:00)$/.test(text);
export const isUuid = (text) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);

// The error object that all versions give for an answer outside 2xx.
export async function rejectsWith(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.response?.status, status, `status of ${JSON.stringify(error.response?.data ?? error.message)}`);
    assert.equal(error.message, `Request failed with status code ${status}`);
    assert.equal(error.code, status >= 500 ? 'ERR_BAD_RESPONSE' : 'ERR_BAD_REQUEST');
    if (code) assert.equal(error.response.data.error.code, code);
    return true;
  });
}

// An argument that the client itself refuses.
export const refused = (call, message) => assert.rejects(async () => call(), { message });
