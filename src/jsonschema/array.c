/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of arrays. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "jsonschema/jsonschema_int.h"

static bool check_size(struct run *run, const cJSON *schema, const cJSON *value)
{
    return check_count(
        run, schema, "maxItems", "minItems", (double)cJSON_GetArraySize(value), "items");
}

/* ---- uniqueItems ---- */

struct element {
    uint64_t hash;
    size_t index;
    const cJSON *value;
};

static int by_hash(const void *a, const void *b)
{
    const struct element *left = a, *right = b;

    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

/* Two that are the same: those with the last second one, or (`first`) with the last first
 * one, as the official validator looks for them. */
static bool find_twins(
    struct run *run, struct element *all, size_t count, bool first, size_t *i, size_t *j)
{
    bool found = false;

    qsort(all, count, sizeof *all, by_hash);
    for (size_t at = 0; at < count; at++)
        for (size_t next = at + 1; next < count && all[next].hash == all[at].hash;
             next++) {
            size_t mark = first ? all[at].index : all[next].index;

            if (!run_step(run))
                return false;
            if (!value_equal(all[at].value, all[next].value, &run->steps))
                continue;
            if (!found || mark > *i) {
                *i = mark;
                *j = first ? all[next].index : all[at].index;
                found = true;
            }
            break; /* the next one of the group looks on from there */
        }
    return found;
}

/* The kinds of elements, when they are said to be of none but such that are neither array
 * nor object; else 0. */
static unsigned scalars_of(const cJSON *schema)
{
    const cJSON *type = json_get(json_get(schema, "items"), "type"), *item;
    unsigned types = cJSON_IsString(type) ? type_of_name(type->valuestring) : 0;

    if (cJSON_IsArray(type))
        cJSON_ArrayForEach(item, type)
        {
            types |= type_of_name(item->valuestring);
        }
    return (types & (TYPE_ARRAY | TYPE_OBJECT)) == 0 ? types : 0;
}

static bool check_unique(struct run *run, const cJSON *schema, const cJSON *value)
{
    size_t count = (size_t)cJSON_GetArraySize(value), at = 0, of = 0, i = 0, j = 0;
    unsigned scalars = scalars_of(schema);
    struct element *all;
    const cJSON *item;
    bool found;

    if (!json_bool(schema, "uniqueItems", false) || count < 2)
        return true;
    all = mem_resize_array(NULL, count, sizeof *all);
    cJSON_ArrayForEach(item, value)
    {
        if (scalars == 0 || (type_of_value(item) & scalars) != 0)
            all[of++] = (struct element){value_hash(item, &run->steps), at, item};
        at++;
    }
    found = run_step(run) && find_twins(run, all, of, scalars != 0, &i, &j);
    free(all);
    return !found || run_fail(run, "uniqueItems", str_printf("\"i\":%zu,\"j\":%zu", i, j),
                         "must NOT have duplicate items (items ## %zu and %zu are "
                         "identical)",
                         j, i);
}

/* ---- items ---- */

static bool check_additional(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *items = json_get(schema, "items"), *element;
    const cJSON *rest = json_get(schema, "additionalItems");
    size_t given = (size_t)cJSON_GetArraySize(items), at = 0;
    bool ok = true;

    if (rest == NULL || !cJSON_IsArray(items) || cJSON_IsTrue(rest))
        return true;
    if (cJSON_IsFalse(rest))
        return (size_t)cJSON_GetArraySize(value) <= given ||
               run_fail(run, "additionalItems", str_printf("\"limit\":%zu", given),
                   "must NOT have more than %zu items", given);
    cJSON_ArrayForEach(element, value)
    {
        if (at >= given)
            ok = run_element(run, rest, element, at, "additionalItems", -1) && ok;
        at++;
    }
    return ok;
}

static bool check_items(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *items = json_get(schema, "items"), *element = value->child, *one;
    bool ok = true;
    size_t at = 0;

    if (items == NULL)
        return true;
    if (!cJSON_IsArray(items)) {
        cJSON_ArrayForEach(element, value)
        {
            ok = run_element(run, items, element, at++, "items", -1) && ok;
        }
        return ok;
    }
    cJSON_ArrayForEach(one, items)
    {
        if (element == NULL)
            break;
        ok = run_element(run, one, element, at, "items", (int)at) && ok;
        at++;
        element = element->next;
    }
    return ok;
}

static bool check_contains(struct run *run, const cJSON *schema, const cJSON *value)
{
    const cJSON *wanted = json_get(schema, "contains"), *element;
    struct mark mark = run_mark(run);
    size_t at = 0;

    if (wanted == NULL)
        return true;
    cJSON_ArrayForEach(element, value)
    {
        if (run_element(run, wanted, element, at++, "contains", -1)) {
            run_forget(run, mark);
            return true;
        }
    }
    return run_fail(run, "contains", str_dup("\"minContains\":1"),
        "must contain at least 1 valid item(s)");
}

bool check_array(struct run *run, const cJSON *schema, const cJSON *value)
{
    static bool (*const checks[])(struct run *, const cJSON *, const cJSON *) = {
        check_size, check_additional, check_items, check_contains, check_unique};
    bool ok = true;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        ok = checks[i](run, schema, value) && ok;
    return ok;
}
