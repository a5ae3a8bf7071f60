/* SPDX-License-Identifier: Apache-2.0 */
/* One object laid over another. Both are texts that a runner made (JSON.stringify), so that
 * equal names are equal bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "records/records_int.h"

enum {
    MAX_DEPTH = 512,
};

struct member {
    struct json_raw key;
    struct json_raw value;
};
struct members {
    struct member *list;
    size_t count;
};

static struct members members_of(struct json_raw object)
{
    struct members out = {0};
    struct json_raw_iter iter;
    struct member one;

    json_raw_begin(object, &iter);
    while (json_raw_next(&iter, &one.key, &one.value)) {
        out.list = sql_room(out.list, out.count, sizeof *out.list);
        out.list[out.count++] = one;
    }
    return out;
}

static int compare_keys(const void *a, const void *b)
{
    const struct json_raw *x = &((const struct member *)a)->key;
    const struct json_raw *y = &((const struct member *)b)->key;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static const struct member *find(const struct members *sorted, const struct member *key)
{
    return sorted->count == 0 ? NULL
                              : bsearch(key, sorted->list, sorted->count,
                                    sizeof *sorted->list, compare_keys);
}

static void sort(struct members *members)
{
    if (members->count > 0)
        qsort(members->list, members->count, sizeof *members->list, compare_keys);
}

static void put_name(struct json_raw key, bool *first, struct buf *out)
{
    if (!*first)
        buf_putc(out, ',');
    *first = false;
    buf_append(out, key.text, key.len);
    buf_putc(out, ':');
}

static void merge(struct json_raw into, struct json_raw part, int depth, struct buf *out);

static void merge_objects(
    struct json_raw into, struct json_raw part, int depth, struct buf *out)
{
    struct members old = members_of(into), new = members_of(part);
    struct members by_name = members_of(part), old_by_name = members_of(into);
    bool first = true;

    sort(&by_name);
    sort(&old_by_name);
    buf_putc(out, '{');
    for (size_t i = 0; i < old.count; i++) {
        const struct member *over = find(&by_name, &old.list[i]);

        put_name(old.list[i].key, &first, out);
        if (over != NULL)
            merge(old.list[i].value, over->value, depth + 1, out);
        else
            buf_append(out, old.list[i].value.text, old.list[i].value.len);
    }
    for (size_t i = 0; i < new.count; i++)
        if (find(&old_by_name, &new.list[i]) == NULL) {
            put_name(new.list[i].key, &first, out);
            buf_append(out, new.list[i].value.text, new.list[i].value.len);
        }
    buf_putc(out, '}');
    free(old.list);
    free(new.list);
    free(by_name.list);
    free(old_by_name.list);
}

static void merge(struct json_raw into, struct json_raw part, int depth, struct buf *out)
{
    if (depth < MAX_DEPTH && json_raw_kind(into) == JSON_RAW_OBJECT &&
        json_raw_kind(part) == JSON_RAW_OBJECT)
        merge_objects(into, part, depth, out);
    else
        buf_append(out, part.text, part.len);
}

void merge_json(struct json_raw into, struct json_raw part, struct buf *out)
{
    merge(into, part, 0, out);
}
