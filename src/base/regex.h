/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript's regular expressions: a check of their syntax, and searching by PCRE2 with a
 * bound. What JavaScript means otherwise than PCRE2 is translated, so that a pattern means
 * the same here as where it was written.
 *
 * Patterns and texts may both be anybody's: a search counts what it does, and gives up. */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct regex; /* does not change once made: any number of threads may search with it */

/* NULL when `pattern` looks like a regular expression that a browser accepts (balanced
 * groups and classes, quantifiers with something before them, no dangling escape), else
 * what is wrong. A static text. Not every fault is found. With `unicode` it is held to the
 * stricter rules of the flag "u". */
const char *regex_fault(const char *pattern, bool unicode);

/* NULL with *fault, a static text, when the pattern is wrong or has a form that cannot be
 * evaluated here (a lookbehind of any length, for one). With `unicode`, `\p{…}` and
 * `\u{…}` mean what they do under the flag "u"; its stricter rules are not asked for. */
struct regex *regex_new(const char *pattern, bool unicode, const char **fault);
void regex_free(struct regex *regex);           /* accepts NULL */
size_t regex_size(const struct regex *regex);   /* bytes that it takes */
size_t regex_groups(const struct regex *regex); /* how many it captures */

enum regex_found {
    REGEX_NO,
    REGEX_YES,
    REGEX_GAVE_UP, /* it would have taken too long, or too much memory */
};

/* What searches may take, all together: each takes off `steps`, of which a million is some
 * ten milliseconds. */
struct regex_effort {
    uint64_t steps;
    uint32_t memory_kb; /* of one search */
};

struct regex_span {
    size_t from, to;
};

/* Searches `text`, UTF-8 (other bytes match nothing). `group`, unless NULL, is where the
 * first group matched; .from == .to == SIZE_MAX when it took no part. */
enum regex_found regex_search(const struct regex *regex, const char *text, size_t len,
    struct regex_effort *effort, struct regex_span *group);

#endif
