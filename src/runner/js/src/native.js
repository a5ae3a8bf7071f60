// SPDX-License-Identifier: Apache-2.0
// The functions that C offers (native.c): the argument of the function that the prelude is.
/* global __native */
export const native = __native;

// What the prelude must be able to rely on after a script has changed the globals.
export const { parse: parseJson, stringify: printJson } = JSON;
export const RealDate = Date;
