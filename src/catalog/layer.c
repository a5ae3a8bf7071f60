/* SPDX-License-Identifier: Apache-2.0 */
/* Reads catalogue files and follows aliases. See layer.h for the rules. A file with any
 * fault adds nothing, so that a half-understood file is never in force. */
#include "catalog/layer.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/tree.h"

/* One entry of the file that is being read. */
struct draft {
    const struct tree_node *node;
    const char *alias; /* NULL when it is none */
    cJSON *json;       /* resolved; NULL before */
    UT_hash_handle hh;
};

struct reading {
    const char *file;
    struct layers *layers;
    struct faults *faults;
    struct draft *drafts; /* uthash in the order of the file */
};

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct layered_entry *beneath(const struct layers *layers, const char *name)
{
    struct layered_entry *entry;

    HASH_FIND_STR(layers->entries, name, entry);
    return entry;
}

static struct draft *draft_find(struct reading *r, const char *name)
{
    struct draft *draft;

    HASH_FIND_STR(r->drafts, name, draft);
    return draft;
}

/* Says why the target, an alias that is not resolved yet, cannot be used. */
static void unresolved_target(struct reading *r, const struct draft *from)
{
    const char *start = from->node->key;
    const struct draft *at = draft_find(r, from->alias);
    size_t steps = 0;
    struct buf chain;

    buf_init(&chain, 0);
    buf_printf(&chain, "%s", start);
    while (at && at->alias && !at->json && strcmp(at->node->key, start) != 0 &&
           steps++ < 16) {
        buf_printf(&chain, " -> %s", at->node->key);
        at = draft_find(r, at->alias);
    }
    if (at && strcmp(at->node->key, start) == 0)
        faults_add(r->faults, r->file, from->node->line, "%s: circular alias: %s -> %s",
            start, chain.data, start);
    else
        faults_add(r->faults, r->file, from->node->line,
            "%s: alias of `%s`, which is itself an alias and stands later", start,
            from->alias);
    buf_finish(&chain);
}

/* The resolved entry that an alias points to, borrowed; NULL after a fault. */
static const cJSON *alias_target(
    struct reading *r, const struct draft *draft, cJSON **temporary)
{
    bool own_name = strcmp(draft->alias, draft->node->key) == 0;
    struct draft *here = own_name ? NULL : draft_find(r, draft->alias);
    const struct layered_entry *under;

    *temporary = NULL;
    if (here && here->json)
        return here->json;
    if (here && here->alias) {
        unresolved_target(r, draft);
        return NULL;
    }
    if (here) { /* stands later in the file */
        *temporary = tree_to_json(here->node);
        return *temporary;
    }
    under = beneath(r->layers, draft->alias);
    if (under)
        return under->json;
    if (own_name)
        faults_add(r->faults, r->file, draft->node->line, "%s: circular alias: %s -> %s",
            draft->node->key, draft->alias, draft->alias);
    else
        faults_add(r->faults, r->file, draft->node->line,
            "%s: alias of `%s`, which does not exist", draft->node->key, draft->alias);
    return NULL;
}

static void resolve(struct reading *r, struct draft *draft)
{
    cJSON *temporary = NULL;
    const cJSON *target;
    cJSON *own;

    if (!draft->alias) {
        draft->json = tree_to_json(draft->node);
        return;
    }
    target = alias_target(r, draft, &temporary);
    if (!target)
        return;
    own = tree_to_json(draft->node);
    cJSON_DeleteItemFromObjectCaseSensitive(own, "alias");
    draft->json = temporary ? temporary : cJSON_Duplicate(target, true);
    json_merge(draft->json, own);
    cJSON_Delete(own);
}

static void take_over(struct reading *r, struct draft *draft)
{
    struct layered_entry *entry = beneath(r->layers, draft->node->key);

    if (!entry) {
        entry = MEM_NEW(struct layered_entry);
        entry->name = str_dup(draft->node->key);
        HASH_ADD_KEYPTR(hh, r->layers->entries, entry->name, strlen(entry->name), entry);
    }
    cJSON_Delete(entry->json);
    free(entry->origin);
    entry->json = draft->json;
    entry->origin = str_dup(file_name(r->file));
    draft->json = NULL;
}

static void read_entries(struct reading *r, const struct tree_node *root)
{
    struct draft *draft;
    struct draft *next;

    for (const struct tree_node *node = root->first; node; node = node->next) {
        const struct tree_node *alias = tree_get(node, "alias");
        schema_check(r->file, node, r->faults, &r->layers->unknown);
        draft = MEM_NEW(struct draft);
        draft->node = node;
        draft->alias = alias && alias->kind == TREE_TEXT ? alias->text : NULL;
        HASH_ADD_KEYPTR(hh, r->drafts, node->key, strlen(node->key), draft);
    }
    if (r->faults->count > 0)
        return; /* following aliases of faulty entries would only add noise */
    HASH_ITER(hh, r->drafts, draft, next)
    {
        resolve(r, draft);
        if (draft->json)
            schema_check_resolved(
                r->file, draft->node->line, draft->json, r->faults, draft->node->key);
    }
}

bool layers_add_yaml(struct layers *layers, const char *file, const char *text,
    size_t len, struct faults *faults)
{
    struct faults found = {0};
    struct reading r = {.file = file, .layers = layers, .faults = &found};
    struct draft *draft;
    struct draft *next;
    struct tree tree;
    bool ok;

    tree_parse(file, text, len, &tree, &found);
    if (tree.root && tree.root->kind == TREE_MAP)
        read_entries(&r, tree.root);
    else if (found.count == 0 && tree.root && tree.root->kind != TREE_NULL)
        faults_add(&found, file, tree.root->line,
            "the file must be a map of entries, is %s", tree_kind_name(tree.root->kind));
    ok = found.count == 0;
    HASH_ITER(hh, r.drafts, draft, next)
    {
        if (ok)
            take_over(&r, draft);
        HASH_DEL(r.drafts, draft);
        cJSON_Delete(draft->json);
        free(draft);
    }
    faults_sort(&found);
    for (size_t i = 0; i < found.count; i++)
        faults_add(faults, file, found.items[i].line, "%s", found.items[i].message);
    faults_finish(&found);
    tree_finish(&tree);
    return ok;
}

static bool read_whole(const char *path, struct buf *out, struct faults *faults)
{
    FILE *file = fopen(path, "rbe");
    bool ok;
    size_t n;

    if (!file) {
        faults_add(faults, path, 0, "%s", strerror(errno));
        return false;
    }
    do {
        n = fread(buf_room(out, 65536), 1, 65536, file);
        buf_added(out, n);
    } while (n > 0 && out->len <= TREE_MAX_BYTES);
    ok = !ferror(file);
    if (!ok)
        faults_add(faults, path, 0, "%s", strerror(errno));
    fclose(file);
    return ok;
}

bool layers_add_file(struct layers *layers, const char *path, struct faults *faults)
{
    struct buf text;
    bool ok;

    buf_init(&text, 0);
    ok = read_whole(path, &text, faults) &&
         layers_add_yaml(layers, path, text.data ? text.data : "", text.len, faults);
    buf_finish(&text);
    return ok;
}

static int is_yaml(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && str_ends(entry->d_name, ".yaml");
}

/* By bytes, whatever the locale: the order decides which entry wins. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

bool layers_add_dir(struct layers *layers, const char *dir, struct faults *faults)
{
    struct dirent **list = NULL;
    int count = scandir(dir, &list, is_yaml, by_name);
    bool ok = true;

    if (count < 0) {
        faults_add(faults, dir, 0, "%s", strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        char *path = str_printf("%s/%s", dir, list[i]->d_name);
        ok = layers_add_file(layers, path, faults) && ok;
        free(path);
        free(list[i]);
    }
    free(list);
    return ok;
}

bool layers_add_resolved(
    struct layers *layers, const char *text, size_t len, struct err *err)
{
    cJSON *all = json_parse(text, len, err);
    cJSON *item;

    if (!all)
        return false;
    cJSON_ArrayForEach(item, all)
    {
        struct layered_entry *entry = MEM_NEW(struct layered_entry);
        entry->name = str_dup(item->string);
        entry->origin = str_dup(json_str(item, "origin"));
        entry->json = cJSON_DetachItemFromObjectCaseSensitive(item, "entry");
        HASH_ADD_KEYPTR(hh, layers->entries, entry->name, strlen(entry->name), entry);
    }
    cJSON_Delete(all);
    return true;
}

void layers_print(const struct layers *layers, struct buf *out)
{
    const struct layered_entry *entry = layers->entries;

    buf_putc(out, '{');
    for (; entry; entry = entry->hh.next) {
        json_append_string(out, entry->name);
        buf_puts(out, ":{\"origin\":");
        json_append_string(out, entry->origin);
        buf_puts(out, ",\"entry\":");
        json_append(out, entry->json);
        buf_putc(out, '}');
        if (entry->hh.next)
            buf_putc(out, ',');
    }
    buf_putc(out, '}');
}

void layers_finish(struct layers *layers)
{
    struct layered_entry *entry;
    struct layered_entry *next;

    HASH_ITER(hh, layers->entries, entry, next)
    {
        HASH_DEL(layers->entries, entry);
        cJSON_Delete(entry->json);
        free(entry->name);
        free(entry->origin);
        free(entry);
    }
    schema_free_unknown(layers->unknown);
    *layers = (struct layers){0};
}
