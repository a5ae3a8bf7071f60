/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers over cJSON: checked parsing, printing, reading and setting members. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* ---- members by name ----
 *
 * cJSON finds a member by walking the list. What clients send may have a hundred thousand
 * of them, so whatever looks for each of many goes by a sorted list. */

struct named {
    cJSON *item;
    size_t place;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(
        ((const struct named *)a)->item->string, ((const struct named *)b)->item->string);
}

static int by_name_and_place(const void *a, const void *b)
{
    const struct named *one = a, *other = b;
    int order = by_name(a, b);

    return order != 0 ? order : one->place < other->place ? -1 : 1;
}

/* The members of `object`, sorted; the caller frees. */
static struct named *sort_members(const cJSON *object, size_t *count)
{
    struct named *all;

    *count = 0;
    for (const cJSON *item = object->child; item != NULL; item = item->next)
        ++*count;
    all = mem_resize_array(NULL, *count + 1, sizeof *all);
    *count = 0;
    for (cJSON *item = object->child; item != NULL; item = item->next, ++*count)
        all[*count] = (struct named){item, *count};
    qsort(all, *count, sizeof *all, by_name_and_place);
    return all;
}

static bool has_twins_among_few(const cJSON *object)
{
    for (const cJSON *a = object->child; a != NULL; a = a->next) {
        for (const cJSON *b = a->next; b != NULL; b = b->next) {
            if (strcmp(a->string, b->string) == 0)
                return true;
        }
    }
    return false;
}

/* Of members with one name the last one's value counts, in the first one's place: what
 * JavaScript makes of them. */
static void drop_twins_here(cJSON *object)
{
    size_t count, next;
    struct named *all = sort_members(object, &count);

    for (size_t i = 0; i < count; i = next) {
        for (next = i + 1; next < count && by_name(&all[i], &all[next]) == 0; next++) {
            if (next > i + 1)
                cJSON_Delete(cJSON_DetachItemViaPointer(object, all[next - 1].item));
        }
        if (next > i + 1)
            cJSON_ReplaceItemViaPointer(object, all[i].item,
                cJSON_DetachItemViaPointer(object, all[next - 1].item));
    }
    free(all);
}

#define FEW 16

static void drop_twins(cJSON *value)
{
    if (cJSON_IsObject(value)) {
        const cJSON *item = value->child;

        for (int i = 0; i < FEW && item != NULL; i++)
            item = item->next;
        if (item != NULL || has_twins_among_few(value))
            drop_twins_here(value);
    }
    for (cJSON *item = value->child; item != NULL; item = item->next) {
        if (item->child != NULL)
            drop_twins(item);
    }
}

cJSON *json_parse(const char *text, size_t len, struct err *err)
{
    cJSON *value;

    if (!json_check_strict(text, len, err))
        return NULL;
    value = cJSON_ParseWithLength(text, len);
    if (value == NULL)
        err_set(err, 400, "invalid_json", "The text cannot be read as JSON");
    else
        drop_twins(value);
    return value;
}

/* Writes a number as JavaScript does (ECMA-262, Number::toString): the shortest digits
 * that read back equal, plain between 1e-7 and 1e21, else with an exponent. */
static void append_shortest(struct buf *out, double number)
{
    char text[40], digits[20];
    size_t count = 0;
    int point; /* where the decimal point stands, counted from before the first digit */

    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, fabs(number));
        if (strtod(text, NULL) == fabs(number))
            break;
    }
    for (const char *c = text; *c != 'e' && *c != '\0'; c++) {
        if (*c != '.' && count < sizeof digits)
            digits[count++] = *c;
    }
    point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    if (number < 0)
        buf_putc(out, '-');
    if (point > 21 || point < -5) {
        buf_append(out, digits, 1);
        if (count > 1) {
            buf_putc(out, '.');
            buf_append(out, digits + 1, count - 1);
        }
        buf_printf(out, "e%+d", point - 1);
        return;
    }
    if (point <= 0)
        buf_printf(out, "0.%.*s", -point, "00000");
    for (int i = 0; i < (int)count || i < point; i++) {
        if (i == point && i > 0)
            buf_putc(out, '.');
        buf_putc(out, i < (int)count ? digits[i] : '0');
    }
}

static void append_number(struct buf *out, double number)
{
    if (!isfinite(number))
        buf_puts(out, "null");
    else if (number == floor(number) && fabs(number) < 1e15) /* the usual ones, quickly */
        buf_printf(out, "%lld", (long long)number);
    else
        append_shortest(out, number);
}

void json_append_string(struct buf *out, const char *s)
{
    const char *run = s;

    if (s == NULL) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, run, (size_t)(s - run));
        run = s + 1;
        switch (c) {
        case '"':
            buf_puts(out, "\\\"");
            break;
        case '\\':
            buf_puts(out, "\\\\");
            break;
        case '\n':
            buf_puts(out, "\\n");
            break;
        case '\r':
            buf_puts(out, "\\r");
            break;
        case '\t':
            buf_puts(out, "\\t");
            break;
        case '\b':
            buf_puts(out, "\\b");
            break;
        case '\f':
            buf_puts(out, "\\f");
            break;
        default:
            buf_printf(out, "\\u%04x", c);
        }
    }
    buf_append(out, run, (size_t)(s - run));
    buf_putc(out, '"');
}

void json_append_name(struct buf *out, const char *name)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        buf_putc(out, ',');
    buf_putc(out, '"');
    buf_puts(out, name);
    buf_puts(out, "\":");
}

void json_append_text(struct buf *out, const char *name, const char *s)
{
    json_append_name(out, name);
    json_append_string(out, s);
}

void json_append(struct buf *out, const cJSON *value)
{
    const cJSON *child;

    if (value == NULL || cJSON_IsNull(value)) {
        buf_puts(out, "null");
    } else if (cJSON_IsString(value)) {
        json_append_string(out, value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        append_number(out, value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        buf_puts(out, cJSON_IsTrue(value) ? "true" : "false");
    } else if (cJSON_IsRaw(value)) {
        buf_puts(out, value->valuestring);
    } else {
        bool object = cJSON_IsObject(value);

        buf_putc(out, object ? '{' : '[');
        cJSON_ArrayForEach(child, value)
        {
            if (child != value->child)
                buf_putc(out, ',');
            if (object) {
                json_append_string(out, child->string);
                buf_putc(out, ':');
            }
            json_append(out, child);
        }
        buf_putc(out, object ? '}' : ']');
    }
}

char *json_print(const cJSON *value)
{
    struct buf out;

    buf_init(&out, 0);
    json_append(&out, value);
    return buf_take(&out, NULL);
}

const cJSON *json_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

cJSON *json_get_mut(cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const char *json_str(const cJSON *object, const char *key)
{
    const cJSON *item = json_get(object, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool json_bool(const cJSON *object, const char *key, bool otherwise)
{
    const cJSON *item = json_get(object, key);

    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

bool json_i64(const cJSON *object, const char *key, int64_t *out)
{
    const cJSON *item = json_get(object, key);

    if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
        fabs(item->valuedouble) > 9007199254740992.0)
        return false;
    *out = (int64_t)item->valuedouble;
    return true;
}

/* One step of a path; `len` characters of `name`. */
static const cJSON *step(const cJSON *at, const char *name, size_t len)
{
    const cJSON *found = NULL;
    char *key = str_ndup(name, len);
    int64_t index;

    if (cJSON_IsObject(at))
        found = cJSON_GetObjectItemCaseSensitive(at, key);
    else if (cJSON_IsArray(at) && str_to_i64(key, &index) && index >= 0 &&
             index < 1000000000)
        found = cJSON_GetArrayItem(at, (int)index);
    free(key);
    return found;
}

const cJSON *json_path(const cJSON *object, const char *path)
{
    const cJSON *at = json_get(object, path);

    if (at != NULL)
        return at;
    for (at = object; at != NULL && *path != '\0';) {
        size_t len = strcspn(path, ".[]");

        if (len > 0)
            at = step(at, path, len);
        path += len;
        if (*path != '\0')
            path++;
    }
    return at;
}

void json_set(cJSON *object, const char *key, cJSON *value)
{
    if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL)
        cJSON_ReplaceItemInObjectCaseSensitive(object, key, value);
    else
        cJSON_AddItemToObject(object, key, value);
}

void json_set_str(cJSON *object, const char *key, const char *value)
{
    json_set(object, key, value != NULL ? cJSON_CreateString(value) : cJSON_CreateNull());
}

void json_set_i64(cJSON *object, const char *key, int64_t value)
{
    json_set(object, key, cJSON_CreateNumber((double)value));
}

void json_set_bool(cJSON *object, const char *key, bool value)
{
    json_set(object, key, cJSON_CreateBool(value));
}

void json_remove(cJSON *object, const char *key)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

void json_merge(cJSON *into, const cJSON *from)
{
    const cJSON *item;
    struct named *all;
    size_t count;

    all = sort_members(into, &count);
    cJSON_ArrayForEach(item, from)
    {
        cJSON *copy = cJSON_Duplicate(item, true);
        struct named wanted = {copy, 0};
        struct named *there = bsearch(&wanted, all, count, sizeof *all, by_name);

        if (there == NULL) {
            cJSON_AddItemToObject(into, item->string, copy);
        } else {
            cJSON_ReplaceItemViaPointer(into, there->item, copy);
            there->item = copy;
        }
    }
    free(all);
}
