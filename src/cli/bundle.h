/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts of a project to what runs: by esbuild (Debian's package of that name), one
 * CommonJS file for each, with all that it imports of the project and a source map.
 *
 * esbuild takes types away and does not check them. What is imported from packages stays
 * require(): of those, scripts have only a few, and others are refused here. */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/project.h"

/* Bundles `only`, or all of them when that is NULL. False and *err, after what is wrong was printed
 * as "FILE:LINE:COLUMN: error: …" on standard error. */
bool bundle_project(
    const struct project *project, const struct project_script *only, struct err *err);

#endif
