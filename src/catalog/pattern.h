/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript regular expressions of the catalogue, as far as we need them: a check of
 * their syntax, and matching of the one that the server itself evaluates
 * (`retry.in_body.value`). */
#ifndef CATALOG_PATTERN_H
#define CATALOG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* NULL when `pattern` looks like a regular expression that a browser accepts (balanced
 * groups and classes, quantifiers with something before them, no dangling escape), else
 * what is wrong. A static text. Not every fault is found. */
const char *pattern_fault(const char *pattern);

/* NULL when pattern_match() can evaluate it, else why not. `/…/` delimiters may be round
 * it. */
const char *pattern_match_fault(const char *pattern);
/* Finds `pattern` in `text` and copies its first group (free() it); NULL when nothing
 * matches, the group took no part, or the search would take too long. */
char *pattern_match(const char *pattern, const char *text);

#endif
