/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of a nango.yaml: `models.ts` with its models and the types of what scripts are
 * called with, `.nango/schema.json` with the models as JSON schema, and `.nango/nango.json`
 * with its scripts as the official command line writes them. */
#ifndef CLI_GENERATE_H
#define CLI_GENERATE_H

#include <stdbool.h>

#include "base/err.h"

/* False and *err, after what is wrong with the file was printed as "nango.yaml:LINE: error: …". */
bool generate_files(const char *dir, struct err *err);

#endif
