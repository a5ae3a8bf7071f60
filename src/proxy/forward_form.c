/* SPDX-License-Identifier: Apache-2.0 */
/* Forms. The reference server reads an incoming form into an object and sends JSON, or a
 * form again when the caller asked for one; and it makes a form of incoming JSON
 * likewise. Bracketed names nest (`a[b]`, `a[]`, `a[0]`), as that server's parser and its
 * HTTP library spell them.
 *
 * An object under construction holds list elements under their index; what then has
 * nothing but indices as names becomes an array. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "proxy/forward_int.h"

#define MAX_DEPTH 5 /* deeper brackets stay part of the name */
#define INDEX_LIMIT                                                                      \
    100 /* a larger index is a name, unless the form has that many pairs */

struct pair {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

/* The next pair from *at on; false at the end. Empty ones are passed over. */
static bool next_pair(const char *form, size_t len, size_t *at, struct pair *out)
{
    const char *equals, *end;

    while (*at < len && form[*at] == '&')
        (*at)++;
    if (*at >= len)
        return false;
    out->name = form + *at;
    end = memchr(out->name, '&', len - *at);
    if (end == NULL)
        end = form + len;
    *at = (size_t)(end - form);
    equals = memchr(out->name, '=', (size_t)(end - out->name));
    out->name_len = (size_t)((equals != NULL ? equals : end) - out->name);
    out->value = equals != NULL ? equals + 1 : end;
    out->value_len = (size_t)(end - out->value);
    return true;
}

/* Decoded text; what does not decode to text stays as it was written. */
static char *decoded(const char *s, size_t len)
{
    struct buf out;

    buf_init_secret(&out, 0);
    if (str_percent_decode(s, len, true, &out) &&
        (out.len == 0 || memchr(out.data, '\0', out.len) == NULL) &&
        str_is_utf8(out.data != NULL ? out.data : "", out.len))
        return buf_take(&out, NULL);
    buf_clear(&out);
    if (str_is_utf8(s, len) && memchr(s, '\0', len) == NULL)
        buf_append(&out, s, len);
    else
        str_form_encode(s, len, &out);
    return buf_take(&out, NULL);
}

static char *next_index(const cJSON *list)
{
    return str_printf("%d", cJSON_GetArraySize(list));
}

/* The object under `name`, made when there is none; a lone value there becomes its first
 * element. */
static cJSON *descend(cJSON *into, const char *name)
{
    cJSON *child = json_get_mut(into, name);
    cJSON *made;

    if (cJSON_IsObject(child))
        return child;
    made = cJSON_CreateObject();
    if (child != NULL)
        cJSON_AddItemToObject(
            made, "0", cJSON_DetachItemFromObjectCaseSensitive(into, name));
    cJSON_AddItemToObject(into, name, made);
    return made;
}

static void put(cJSON *into, const char *name, const char *value)
{
    cJSON *there = *name != '\0' ? json_get_mut(into, name) : NULL;
    char *index = NULL;

    if (there != NULL) { /* named again: a list */
        into = descend(into, name);
        name = index = next_index(into);
    } else if (*name == '\0') {
        name = index = next_index(into);
    }
    cJSON_AddItemToObject(into, name, cJSON_CreateString(value));
    free(index);
}

/* Cuts `a[b][c]` into its parts, in place; the rest below MAX_DEPTH is one part. */
static size_t split_name(char *name, char *parts[MAX_DEPTH + 2])
{
    size_t count = 0;
    char *open = strchr(name, '[');

    if (open == NULL || strchr(open, ']') == NULL) {
        parts[count++] = name;
        return count;
    }
    if (open != name)
        parts[count++] = name;
    for (int depth = 0; open != NULL && *open == '['; depth++) {
        char *close = strchr(open, ']');

        if (close == NULL)
            break;
        if (depth == MAX_DEPTH) {
            parts[count++] = open;
            return count;
        }
        *open = '\0';
        *close = '\0';
        parts[count++] = open + 1;
        open = close + 1;
    }
    return count;
}

static void put_pair(cJSON *root, const struct pair *pair)
{
    char *name = decoded(pair->name, pair->name_len);
    char *value = decoded(pair->value, pair->value_len);
    char *parts[MAX_DEPTH + 2];
    size_t count = split_name(name, parts);
    cJSON *into = root;

    for (size_t i = 0; i + 1 < count; i++) {
        char *index = *parts[i] == '\0' ? next_index(into) : NULL;

        into = descend(into, index != NULL ? index : parts[i]);
        free(index);
    }
    /* A nameless pair of the top level is dropped, like a missing name. */
    if (into != root || *parts[count - 1] != '\0')
        put(into, parts[count - 1], value);
    mem_free_text(value);
    free(name);
}

/* The index that a member's name spells; -1 when it is a name. */
static int index_of(const char *name, int limit)
{
    int64_t number;

    if (*name < '0' || *name > '9' || (*name == '0' && name[1] != '\0') ||
        !str_to_i64(name, &number) || number > limit)
        return -1;
    return (int)number;
}

struct element {
    int index;
    cJSON *value;
};

static int by_index(const void *a, const void *b)
{
    const struct element *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

/* The array that `object` means, or NULL. Takes the elements over. */
static cJSON *list_of(cJSON *object, int limit)
{
    int count = cJSON_GetArraySize(object);
    struct element *elements;
    cJSON *list;
    cJSON *member;
    int at = 0;

    if (count == 0)
        return NULL;
    cJSON_ArrayForEach(member, object)
    {
        if (index_of(member->string, limit) < 0)
            return NULL;
    }
    elements = mem_resize_array(NULL, (size_t)count, sizeof *elements);
    while (object->child != NULL) {
        member = cJSON_DetachItemViaPointer(object, object->child);
        elements[at++] =
            (struct element){.index = index_of(member->string, limit), .value = member};
    }
    qsort(elements, (size_t)count, sizeof *elements, by_index);
    list = cJSON_CreateArray();
    for (at = 0; at < count; at++)
        cJSON_AddItemToArray(list, elements[at].value);
    free(elements);
    return list;
}

static void make_lists(cJSON *object, int limit)
{
    cJSON *member, *next;

    for (member = object->child; member != NULL; member = next) {
        cJSON *list;

        next = member->next;
        if (!cJSON_IsObject(member))
            continue;
        make_lists(member, limit);
        list = list_of(member, limit);
        if (list != NULL)
            cJSON_ReplaceItemInObjectCaseSensitive(object, member->string, list);
    }
}

cJSON *form_to_json(const char *form, size_t len)
{
    cJSON *root = cJSON_CreateObject();
    struct pair pair;
    size_t at = 0;
    int count = 0;

    while (next_pair(form, len, &at, &pair)) {
        if (++count > FORM_MAX_PAIRS) {
            cJSON_Delete(root);
            return NULL;
        }
        put_pair(root, &pair);
    }
    make_lists(root, count > INDEX_LIMIT ? count : INDEX_LIMIT);
    return root;
}

static void recode(const char *s, size_t len, struct buf *out)
{
    struct buf plain;

    buf_init_secret(&plain, 0);
    if (str_percent_decode(s, len, true, &plain))
        str_form_encode(plain.data != NULL ? plain.data : "", plain.len, out);
    else
        buf_append(out, s, len);
    buf_finish(&plain);
}

void form_normalise(const char *form, size_t len, struct buf *out)
{
    struct pair pair;
    size_t at = 0;

    while (next_pair(form, len, &at, &pair)) {
        if (out->len > 0)
            buf_putc(out, '&');
        recode(pair.name, pair.name_len, out);
        buf_putc(out, '=');
        recode(pair.value, pair.value_len, out);
    }
}

static void add_leaf(struct buf *out, const char *name, const cJSON *value)
{
    char *printed = cJSON_IsString(value) ? NULL : json_print(value);
    const char *text = printed != NULL ? printed : value->valuestring;

    if (out->len > 0)
        buf_putc(out, '&');
    str_form_encode(name, strlen(name), out);
    buf_putc(out, '=');
    str_form_encode(text, strlen(text), out);
    free(printed);
}

static bool is_flat(const cJSON *list)
{
    const cJSON *element;

    cJSON_ArrayForEach(element, list)
    {
        if (cJSON_IsObject(element) || cJSON_IsArray(element))
            return false;
    }
    return true;
}

/* A list of plain values at the top is spelled without indices. */
static void add_list(struct buf *out, const char *name, const cJSON *list)
{
    char *each = str_printf("%s[]", name);
    const cJSON *element;

    cJSON_ArrayForEach(element, list)
    {
        if (!cJSON_IsNull(element))
            add_leaf(out, each, element);
    }
    free(each);
}

/* The members of an object or array, below `path` (NULL at the top). Null is left out. */
static void add_members(struct buf *out, const char *path, const cJSON *value)
{
    const cJSON *member;
    int index = 0;

    cJSON_ArrayForEach(member, value)
    {
        if (out->overflow)
            return;
        char number[16];
        const char *own = member->string;
        char *name;

        if (cJSON_IsArray(value)) {
            snprintf(number, sizeof number, "%d", index);
            own = number;
        }
        index++;
        if (cJSON_IsNull(member))
            continue;
        name = path != NULL ? str_printf("%s[%s]", path, own) : str_dup(own);
        if (path == NULL && cJSON_IsArray(member) && is_flat(member)) {
            add_list(out, name, member);
        } else if (cJSON_IsObject(member) || cJSON_IsArray(member)) {
            add_members(out, name, member);
        } else {
            add_leaf(out, name, member);
        }
        free(name);
    }
}

void form_from_json(const cJSON *value, struct buf *out)
{
    add_members(out, NULL, value);
}
