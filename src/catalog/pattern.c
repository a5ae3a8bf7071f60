/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions. See pattern.h. Patterns are the catalogue's, but texts are
 * anybody's: each match has a bound. */
#include "catalog/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/regex.h"
#include "base/str.h"

#define MATCH_STEPS 200000
#define MATCH_KB 1024

const char *pattern_fault(const char *pattern)
{
    return regex_fault(pattern, false);
}

/* NULL with *fault. */
static struct regex *compile(const char *pattern, const char **fault)
{
    size_t len = strlen(pattern);

    if (len >= 2 && pattern[0] == '/' && pattern[len - 1] == '/') {
        char *inner = str_ndup(pattern + 1, len - 2);
        struct regex *regex = regex_new(inner, false, fault);

        free(inner);
        return regex;
    }
    return regex_new(pattern, false, fault);
}

const char *pattern_match_fault(const char *pattern)
{
    const char *fault;
    struct regex *regex = compile(pattern, &fault);

    if (regex != NULL && regex_groups(regex) == 0)
        fault = "no group, so nothing would be read";
    regex_free(regex);
    return fault;
}

char *pattern_match(const char *pattern, const char *text)
{
    struct regex_effort effort = {.steps = MATCH_STEPS, .memory_kb = MATCH_KB};
    struct regex_span group;
    const char *fault;
    struct regex *regex = compile(pattern, &fault);
    char *found = NULL;

    if (regex == NULL)
        return NULL;
    if (regex_search(regex, text, strlen(text), &effort, &group) == REGEX_YES &&
        group.from != SIZE_MAX)
        found = str_ndup(text + group.from, group.to - group.from);
    regex_free(regex);
    return found;
}
