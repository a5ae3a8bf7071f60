// SPDX-License-Identifier: Apache-2.0
// The functions that C offers (native.c), taken off the global object before any script runs.
export const native = globalThis.__native;
delete globalThis.__native;

// What the prelude must be able to rely on after a script has changed the globals.
export const { parse: parseJson, stringify: printJson } = JSON;
export const RealDate = Date;
