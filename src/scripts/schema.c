/* SPDX-License-Identifier: Apache-2.0 */
/* Picking is a walk over references: `#/definitions/Name`, wherever a `$ref` stands. Each
 * definition is written once, in the order it was met; the list of those met is the queue
 * of those to be walked. What all scripts of a deploy keep together is bounded by their
 * budget, since many scripts may name the same large models. */
#include "scripts/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define REF "#/definitions/"

struct definition {
    const char *name; /* of the document */
    const cJSON *value;
    size_t met;              /* number of the last walk that met it */
    struct definition *next; /* in that walk */
};

struct schema_index {
    struct definition *definitions; /* by name */
    size_t count;
    size_t walks;
};

struct walk {
    struct schema_index *index;
    struct definition *first;
    struct definition **end;
    const char *missing;
};

static int compare(const void *a, const void *b)
{
    const struct definition *left = a, *right = b;

    return strcmp(left->name, right->name);
}

struct schema_index *schema_index_new(const cJSON *schema)
{
    struct schema_index *index = MEM_NEW(struct schema_index);
    const cJSON *all = json_get(schema, "definitions");
    const cJSON *child;
    size_t count = 0;

    if (!cJSON_IsObject(all))
        return index;
    cJSON_ArrayForEach(child, all)
    {
        count++;
    }
    index->definitions = mem_zalloc((count + 1) * sizeof *index->definitions);
    cJSON_ArrayForEach(child, all)
    {
        index->definitions[index->count].name = child->string;
        index->definitions[index->count++].value = child;
    }
    if (count > 0)
        qsort(index->definitions, count, sizeof *index->definitions, compare);
    return index;
}

void schema_index_free(struct schema_index *index)
{
    if (index == NULL)
        return;
    free(index->definitions);
    free(index);
}

static struct definition *find(const struct schema_index *index, const char *name)
{
    const struct definition key = {.name = name};

    return index->count == 0 ? NULL
                             : bsearch(&key, index->definitions, index->count,
                                   sizeof *index->definitions, compare);
}

static void meet(struct walk *walk, const char *name)
{
    struct definition *found = find(walk->index, name);

    if (found == NULL) {
        if (walk->missing == NULL)
            walk->missing = name;
        return;
    }
    if (found->met == walk->index->walks)
        return;
    found->met = walk->index->walks;
    found->next = NULL;
    *walk->end = found;
    walk->end = &found->next;
}

/* Depth is that of a parsed document, which json_parse() bounds. */
static void follow(struct walk *walk, const cJSON *value)
{
    const char *ref = json_str(value, "$ref");
    const cJSON *child;

    if (ref != NULL && str_starts(ref, REF))
        meet(walk, ref + strlen(REF));
    cJSON_ArrayForEach(child, value)
    {
        if (cJSON_IsObject(child) || cJSON_IsArray(child))
            follow(walk, child);
    }
}

char *schema_pick(struct schema_index *index, const char *const *names, size_t count,
    size_t *budget, struct err *err)
{
    struct walk walk = {.index = index};
    struct buf out;

    walk.end = &walk.first;
    index->walks++;
    for (size_t i = 0; i < count; i++)
        meet(&walk, names[i]);
    for (const struct definition *d = walk.first; d != NULL && walk.missing == NULL;
         d = d->next)
        follow(&walk, d->value);
    if (walk.missing != NULL) {
        err_set(err, 400, "deploy_missing_json_schema_model",
            "the JSON schema has no definition of the model \"%.*s\"",
            str_cut(walk.missing, 100), walk.missing);
        return NULL;
    }
    buf_init(&out, *budget);
    buf_puts(&out, "{\"definitions\":{");
    for (const struct definition *d = walk.first; d != NULL && !out.overflow;
         d = d->next) {
        if (d != walk.first)
            buf_putc(&out, ',');
        json_append_string(&out, d->name);
        buf_putc(&out, ':');
        json_append(&out, d->value);
    }
    buf_puts(&out, "}}");
    if (out.overflow) {
        buf_finish(&out);
        err_set(err, 413, "request_too_large",
            "the JSON schemas of all scripts together are too large");
        return NULL;
    }
    *budget -= out.len;
    return buf_take(&out, NULL);
}
