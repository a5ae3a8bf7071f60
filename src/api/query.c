/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings and form bodies (contract http-api.md section 1.1, "Query decoding").
 *
 * The rules are those of the form decoder that the clients were written against:
 * repetition and
 * `[]` make lists, `[name]` makes objects. Limits keep hostile input cheap: the number of
 * parameters, of brackets and of list elements; the head of a request is bounded before.
 */
#include "api/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

bool query_next(const char **text, struct query_pair *pair)
{
    const char *at = *text;
    const char *equals;
    size_t len;

    while (*at == '&')
        at++;
    if (*at == '\0')
        return false;
    len = strcspn(at, "&");
    equals = memchr(at, '=', len);
    pair->name = at;
    pair->name_len = equals != NULL ? (size_t)(equals - at) : len;
    pair->value = equals != NULL ? equals + 1 : at + len;
    pair->value_len = (size_t)(at + len - pair->value);
    *text = at + len;
    return true;
}

static bool is_plain(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] == '%' || s[i] == '+' || s[i] == '[' || s[i] == ']')
            return false;
    return true;
}

bool query_pair_is_plain(const struct query_pair *pair)
{
    return is_plain(pair->name, pair->name_len) && is_plain(pair->value, pair->value_len);
}

/* Decoded text in fresh memory; never NULL. */
static char *decode(const char *s, size_t len)
{
    struct buf out;
    struct buf clean;

    buf_init_secret(&out, 0); /* forms and queries hold credentials and tokens */
    if (!str_percent_decode(s, len, true, &out) ||
        !str_is_utf8(out.data != NULL ? out.data : "", out.len)) {
        buf_clear(&out);
        buf_append(&out, s, len);
        for (size_t i = 0; i < out.len; i++)
            if (out.data[i] == '+')
                out.data[i] = ' ';
    }
    if (out.len == 0 ||
        (memchr(out.data, '\0', out.len) == NULL && str_is_utf8(out.data, out.len)))
        return buf_take(&out, NULL);
    /* U+0000 and bytes that are no UTF-8 cannot stand in a JSON text. */
    buf_init_secret(&clean, 0);
    for (size_t i = 0; i < out.len; i++) {
        if (out.data[i] == '\0' || ((unsigned char)out.data[i] & 0x80) != 0)
            buf_puts(&clean, "\xEF\xBF\xBD");
        else
            buf_putc(&clean, out.data[i]);
    }
    buf_finish(&out);
    return buf_take(&clean, NULL);
}

/* The parts of `a[b][c]`, cut in place: "a", "b", "c". */
static size_t split_name(char *name, char *parts[QUERY_MAX_DEPTH + 1])
{
    size_t count = 0;
    char *open = strchr(name, '[');

    parts[count++] = name;
    if (open == name || open == NULL || strchr(open, ']') == NULL)
        return count;
    while (*open == '[' && count <= QUERY_MAX_DEPTH) {
        char *close = strchr(open, ']');

        if (close == NULL)
            break;
        *open = '\0';
        *close = '\0';
        parts[count++] = open + 1;
        open = close + 1;
        if (*open != '[')
            break;
    }
    /* `[d]…` beyond the depth, or text behind the last bracket, is dropped with the
     * bracket. */
    return count;
}

static bool is_index(const char *s)
{
    size_t len = strspn(s, "0123456789");

    return len > 0 && len <= 2 && s[len] == '\0';
}

/* Puts `value` (taken over) under `name` of `object`: a second one makes a list. */
static bool put(cJSON *object, const char *name, cJSON *value)
{
    cJSON *old = json_get_mut(object, name);
    cJSON *list;

    if (old == NULL) {
        cJSON_AddItemToObject(object, name, value);
        return true;
    }
    if (cJSON_IsArray(old)) {
        if (cJSON_GetArraySize(old) >= QUERY_MAX_LIST) {
            cJSON_Delete(value);
            return false;
        }
        cJSON_AddItemToArray(old, value);
        return true;
    }
    if (cJSON_IsObject(
            old)) { /* a[b]=1&a=2: the plain one becomes a member of that name */
        json_set(old, value->valuestring, cJSON_CreateTrue());
        cJSON_Delete(value);
        return true;
    }
    list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(object, old));
    cJSON_AddItemToArray(list, value);
    cJSON_AddItemToObject(object, name, list);
    return true;
}

static bool put_path(cJSON *object, char **parts, size_t count, cJSON *value)
{
    cJSON *child;

    while (count > 1) {
        bool last = count == 2;

        child = json_get_mut(object, parts[0]);
        if (last && (parts[1][0] == '\0' || is_index(parts[1])) &&
            !cJSON_IsObject(child)) {
            /* `a[]=x`, `a[0]=x`: an element, in the order of arrival */
            if (child == NULL)
                cJSON_AddItemToObject(object, parts[0], cJSON_CreateArray());
            return put(object, parts[0], value);
        }
        if (child == NULL) {
            child = cJSON_CreateObject();
            cJSON_AddItemToObject(object, parts[0], child);
        } else if (!cJSON_IsObject(child)) {
            /* `a=1&a[b]=2`: keep both, by index and by name */
            cJSON *mixed = cJSON_CreateObject();

            cJSON_AddItemToObject(mixed, "0", cJSON_DetachItemViaPointer(object, child));
            cJSON_AddItemToObject(object, parts[0], mixed);
            child = mixed;
        }
        object = child;
        parts++;
        count--;
    }
    return put(object, parts[0], value);
}

static void free_wiped(char *text, size_t len)
{
    mem_wipe(text, len);
    free(text);
}

cJSON *query_parse(const char *text, size_t len)
{
    cJSON *object = cJSON_CreateObject();
    char *copy = str_ndup(text, len);
    const char *at = copy;
    struct query_pair pair;
    size_t params = 0;
    bool ok = true;

    while (ok && query_next(&at, &pair)) {
        char *parts[QUERY_MAX_DEPTH + 1];
        char *name = decode(pair.name, pair.name_len);
        char *value = decode(pair.value, pair.value_len);
        size_t name_len = strlen(name); /* before it is cut up */
        size_t count = split_name(name, parts);

        ok = ++params <= QUERY_MAX_PARAMS;
        if (ok && parts[0][0] != '\0')
            ok = put_path(object, parts, count, cJSON_CreateString(value));
        free_wiped(name, name_len);
        free_wiped(value, strlen(value));
    }
    free_wiped(copy, len);
    if (!ok) {
        cJSON_Delete(object);
        object = NULL;
    }
    return object;
}
