/* SPDX-License-Identifier: Apache-2.0 */
/* The loaded catalogue: an array of providers by name, a hash to find one, the text of all.
 *
 *   embedded text, or FILE ─┐
 *   *.yaml of the overlay  ─┼─► layers (aliases followed, checked) ─► struct catalog
 *   further files          ─┘
 *
 * A catalogue does not change once made, so threads read it without locks; only its
 * counter and the text of /providers.json, made when first asked for, are guarded. */
#include "catalog/catalog.h"

#include "catalog/hash.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/embedded.h"
#include "catalog/layer.h"
#include "catalog/plan.h"

#define DEFAULT_EXPIRY_MARGIN_MS ((int64_t)15 * 60 * 1000)

struct item {
    struct provider provider;
    struct provider_plan plan;
    char *name;
    char *origin;
    cJSON *entry;
    UT_hash_handle hh;
};

struct text_cache {
    pthread_mutex_t lock;
    char *text; /* NULL until asked for */
    size_t len;
};

struct catalog {
    atomic_int references;
    struct item *items; /* by name */
    size_t count;
    struct item *by_name; /* uthash */
    struct text_cache *cache;
};

/* ---- making one ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static void item_init(struct item *item)
{
    const char *display_name = json_str(item->entry, "display_name");
    int64_t buffer_s;

    plan_init(&item->plan, item->entry);
    item->provider = (struct provider){
        .name = item->name,
        .entry = item->entry,
        .mode = auth_mode_parse(json_str(item->entry, "auth_mode")),
        .display_name = display_name ? display_name : item->name,
        .base_url = item->plan.base_url,
        .expiry_margin_ms = DEFAULT_EXPIRY_MARGIN_MS,
        .origin = item->origin,
        .plan = &item->plan,
    };
    if (json_i64(item->entry, "token_expiration_buffer", &buffer_s) && buffer_s >= 0 &&
        buffer_s < INT64_MAX / 1000)
        item->provider.expiry_margin_ms = buffer_s * 1000;
}

/* Takes the entries out of the layers. */
static struct catalog *catalog_new(struct layers *layers)
{
    struct catalog *catalog = MEM_NEW(struct catalog);
    struct layered_entry *entry = layers->entries;

    atomic_init(&catalog->references, 1);
    catalog->cache = MEM_NEW(struct text_cache);
    pthread_mutex_init(&catalog->cache->lock, NULL);
    catalog->items = mem_zalloc((HASH_COUNT(layers->entries) + 1) * sizeof(struct item));
    for (; entry; entry = entry->hh.next) {
        struct item *item = &catalog->items[catalog->count++];
        item->name = str_dup(entry->name);
        item->origin = entry->origin;
        item->entry = entry->json;
        entry->origin = NULL;
        entry->json = NULL;
    }
    qsort(catalog->items, catalog->count, sizeof(struct item), by_name);
    for (size_t i = 0; i < catalog->count; i++) {
        struct item *item = &catalog->items[i];
        item_init(item);
        HASH_ADD_KEYPTR(hh, catalog->by_name, item->name, strlen(item->name), item);
    }
    return catalog;
}

bool catalog_load_checked(
    const struct catalog_source *source, struct catalog **out, struct faults *faults)
{
    struct layers layers = {0};
    struct err err = {0};
    bool ok = true;

    *out = NULL;
    if (source->file) {
        ok = layers_add_file(&layers, source->file, faults);
    } else if (!layers_add_resolved(
                   &layers, catalog_embedded_text, catalog_embedded_len, &err)) {
        faults_add(faults, "embedded catalogue", 0, "%s", err.message);
        ok = false;
    }
    if (source->overlay_dir)
        ok = layers_add_dir(&layers, source->overlay_dir, faults) && ok;
    for (const char *const *file = source->overlay_files; file && *file; file++)
        ok = layers_add_file(&layers, *file, faults) && ok;
    if (source->extra_yaml)
        ok = layers_add_yaml(&layers, "built-in demo", source->extra_yaml,
                 strlen(source->extra_yaml), faults) &&
             ok;
    schema_log_unknown(layers.unknown, source->log);
    if (ok)
        *out = catalog_new(&layers);
    layers_finish(&layers);
    return ok;
}

bool catalog_load(
    const struct catalog_source *source, struct catalog **out, struct err *err)
{
    struct faults faults = {0};
    bool ok = catalog_load_checked(source, out, &faults);

    if (!ok)
        faults_to_err(&faults, err);
    faults_finish(&faults);
    return ok;
}

void catalog_ref(struct catalog *catalog)
{
    atomic_fetch_add_explicit(&catalog->references, 1, memory_order_relaxed);
}

void catalog_unref(struct catalog *catalog)
{
    if (!catalog ||
        atomic_fetch_sub_explicit(&catalog->references, 1, memory_order_acq_rel) != 1)
        return;
    HASH_CLEAR(hh, catalog->by_name);
    for (size_t i = 0; i < catalog->count; i++) {
        struct item *item = &catalog->items[i];
        plan_finish(&item->plan);
        cJSON_Delete(item->entry);
        free(item->name);
        free(item->origin);
    }
    pthread_mutex_destroy(&catalog->cache->lock);
    free(catalog->cache->text);
    free(catalog->cache);
    free(catalog->items);
    free(catalog);
}

/* ---- reading one ---- */

const struct provider *catalog_find(const struct catalog *catalog, const char *name)
{
    struct item *item;

    if (!name)
        return NULL;
    HASH_FIND_STR(catalog->by_name, name, item);
    return item ? &item->provider : NULL;
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->count;
}

const struct provider *catalog_at(const struct catalog *catalog, size_t i)
{
    return i < catalog->count ? &catalog->items[i].provider : NULL;
}

static char *make_text(const struct catalog *catalog, size_t *len)
{
    struct buf out;

    buf_init(&out, 0);
    buf_putc(&out, '{');
    for (size_t i = 0; i < catalog->count; i++) {
        if (i > 0)
            buf_putc(&out, ',');
        json_append_string(&out, catalog->items[i].name);
        buf_putc(&out, ':');
        json_append(&out, catalog->items[i].entry);
    }
    buf_putc(&out, '}');
    return buf_take(&out, len);
}

const char *catalog_json(const struct catalog *catalog, size_t *len)
{
    struct text_cache *cache = catalog->cache;

    pthread_mutex_lock(&cache->lock);
    if (!cache->text)
        cache->text = make_text(catalog, &cache->len);
    pthread_mutex_unlock(&cache->lock);
    if (len)
        *len = cache->len;
    return cache->text;
}

/* ---- the one in force ---- */

struct catalog_holder {
    pthread_mutex_t lock;
    struct catalog *current;
};

struct catalog_holder *catalog_holder_new(struct catalog *first)
{
    struct catalog_holder *holder = MEM_NEW(struct catalog_holder);

    pthread_mutex_init(&holder->lock, NULL);
    holder->current = first;
    return holder;
}

void catalog_holder_free(struct catalog_holder *holder)
{
    if (!holder)
        return;
    catalog_unref(holder->current);
    pthread_mutex_destroy(&holder->lock);
    free(holder);
}

struct catalog *catalog_acquire(struct catalog_holder *holder)
{
    struct catalog *current;

    pthread_mutex_lock(&holder->lock);
    current = holder->current;
    catalog_ref(current);
    pthread_mutex_unlock(&holder->lock);
    return current;
}

void catalog_replace(struct catalog_holder *holder, struct catalog *next)
{
    struct catalog *before;

    pthread_mutex_lock(&holder->lock);
    before = holder->current;
    holder->current = next;
    pthread_mutex_unlock(&holder->lock);
    catalog_unref(before);
}
