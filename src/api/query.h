/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings and form bodies. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* More parameters than this are refused. */
#define QUERY_MAX_PARAMS 1000
/* `a[b][c]`: brackets taken apart; what is deeper stays text of the last key. */
#define QUERY_MAX_DEPTH 5
/* Elements of one list, by repetition or by index. */
#define QUERY_MAX_LIST 100

/* Form decoding into an object whose members are strings, lists and objects: `a=1&a=2`
 * and `a[]=1` make lists, `a[b]=1` an object. A name without `=` is the empty string. An
 * escape that is bad, or does not give UTF-8, leaves its text as it is. Never NULL unless
 * there are too many parameters or list elements. Free with cJSON_Delete(). */
cJSON *query_parse(const char *text, size_t len);

/* Walks plain pairs without building anything, for the busiest route: false at the end.
 * `*text` moves behind the pair. */
struct query_pair {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};
bool query_next(const char **text, struct query_pair *pair);
/* Neither escapes, plus signs nor brackets: the pair means what it says. */
bool query_pair_is_plain(const struct query_pair *pair);

#endif
