// SPDX-License-Identifier: Apache-2.0
// zod 4 without the error messages of fifty languages, which would double the prelude: English only.
// The list is that of zod's own `v4/classic/external.js`; a test compares the names.
import { config } from 'zod/v4/core';
import en from '../node_modules/zod/v4/locales/en.js';
config(en());

import * as core from './zodcore.js';
export { core };
export * from '../node_modules/zod/v4/classic/schemas.js';
export * from '../node_modules/zod/v4/classic/checks.js';
export * from '../node_modules/zod/v4/classic/errors.js';
export * from '../node_modules/zod/v4/classic/parse.js';
export * from '../node_modules/zod/v4/classic/compat.js';
export {
    globalRegistry, registry, config, $output, $input, $brand, clone, regexes, treeifyError, prettifyError, formatError,
    flattenError, TimePrecision, util, NEVER
} from 'zod/v4/core';
export { toJSONSchema } from '../node_modules/zod/v4/core/json-schema-processors.js';
export { fromJSONSchema } from '../node_modules/zod/v4/classic/from-json-schema.js';
export const locales = { en };
export { ZodISODateTime, ZodISODate, ZodISOTime, ZodISODuration } from '../node_modules/zod/v4/classic/iso.js';
export * as iso from '../node_modules/zod/v4/classic/iso.js';
export * as coerce from '../node_modules/zod/v4/classic/coerce.js';
