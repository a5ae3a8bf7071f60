/* SPDX-License-Identifier: Apache-2.0 */
/* JSON with its members in order: one text for one value, whoever wrote it. */
#include <stdlib.h>
#include <string.h>

#include "base/json_raw.h"
#include "base/mem.h"

#define DEPTH_MAX 512 /* as json_raw_parse() looks */

struct member {
    char *name; /* escapes resolved */
    size_t place;
    struct json_raw key, value;
};

static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static void append_sorted(struct json_raw value, int depth, struct buf *out);

static void append_object(struct json_raw value, int depth, struct buf *out)
{
    struct member *all = NULL;
    size_t count = 0, room = 0;
    struct json_raw_iter iter;
    struct json_raw key, item;
    bool first = true;

    json_raw_begin(value, &iter);
    while (json_raw_next(&iter, &key, &item)) {
        if (count == room) {
            room = room > 0 ? 2 * room : 16;
            all = mem_resize_array(all, room, sizeof *all);
        }
        all[count] = (struct member){json_raw_dup_string(key), count, key, item};
        count += all[count].name != NULL;
    }
    if (count > 1)
        qsort(all, count, sizeof *all, by_name);
    buf_putc(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && strcmp(all[i].name, all[i + 1].name) == 0)
            continue; /* the last one counts */
        if (!first)
            buf_putc(out, ',');
        first = false;
        json_raw_append_compact(all[i].key, out);
        buf_putc(out, ':');
        append_sorted(all[i].value, depth + 1, out);
    }
    buf_putc(out, '}');
    for (size_t i = 0; i < count; i++)
        free(all[i].name);
    free(all);
}

static void append_array(struct json_raw value, int depth, struct buf *out)
{
    struct json_raw_iter iter;
    struct json_raw item;
    bool first = true;

    json_raw_begin(value, &iter);
    buf_putc(out, '[');
    while (json_raw_next(&iter, NULL, &item)) {
        if (!first)
            buf_putc(out, ',');
        first = false;
        append_sorted(item, depth + 1, out);
    }
    buf_putc(out, ']');
}

static void append_sorted(struct json_raw value, int depth, struct buf *out)
{
    enum json_raw_kind kind = json_raw_kind(value);

    if (kind == JSON_RAW_OBJECT && depth < DEPTH_MAX)
        append_object(value, depth, out);
    else if (kind == JSON_RAW_ARRAY && depth < DEPTH_MAX)
        append_array(value, depth, out);
    else
        json_raw_append_compact(value, out);
}

void json_raw_append_sorted(struct json_raw value, struct buf *out)
{
    append_sorted(value, 0, out);
}
