/* SPDX-License-Identifier: Apache-2.0 */
/* The touch queue: connection id → time of the latest fetch. A fetch costs a look into a
 * hash table; a thread writes the whole table once a second while there is anything in
 * it, so that a connection fetched 10,000 times a second is written once.
 *
 * Two tables: `noted` takes new touches while `writing` is on its way to the database.
 * Readers look into both, so a row read in between shows the newest time.
 *
 * What can fail: the write. It is logged and the touches of that batch are lost; they say
 * when a connection was last used, and no promise hangs on them. */
#include "store/touch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/mem.h"
#include "store/store_int.h"
#include "store/thread.h"

enum {
    FLUSH_SECONDS = 1,
    FIRST_SLOTS = 64
};

/* Open addressing; id 0 = free slot (row ids begin with 1). Only grows or is emptied. */
struct table {
    int64_t *ids;
    int64_t *times;
    size_t slots; /* a power of two, or 0 */
    size_t count;
};

struct touches {
    struct backend *backend;
    const struct log *log;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool stop;
    struct table noted;
    struct table writing;
};

static size_t slot_of(const struct table *table, int64_t id)
{
    size_t i = (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32);

    for (;; i++) {
        i &= table->slots - 1;
        if (table->ids[i] == 0 || table->ids[i] == id)
            return i;
    }
}

static void table_finish(struct table *table)
{
    free(table->ids);
    free(table->times);
    *table = (struct table){0};
}

static void table_put(struct table *table, int64_t id, int64_t time_ms)
{
    size_t i;

    if (2 * (table->count + 1) > table->slots) {
        struct table larger = {
            .slots = table->slots > 0 ? 2 * table->slots : FIRST_SLOTS};

        larger.ids = mem_zalloc(larger.slots * sizeof *larger.ids);
        larger.times = mem_zalloc(larger.slots * sizeof *larger.times);
        for (size_t old = 0; old < table->slots; old++) {
            if (table->ids[old] != 0)
                table_put(&larger, table->ids[old], table->times[old]);
        }
        table_finish(table);
        *table = larger;
    }
    i = slot_of(table, id);
    if (table->ids[i] == 0) {
        table->ids[i] = id;
        table->count++;
    }
    if (time_ms > table->times[i])
        table->times[i] = time_ms;
}

static int64_t table_get(const struct table *table, int64_t id)
{
    size_t i;

    if (table->count == 0)
        return 0;
    i = slot_of(table, id);
    return table->ids[i] == id ? table->times[i] : 0;
}

/* Moves the used slots to the front, for the backend to read as arrays. */
static void table_pack(struct table *table)
{
    size_t used = 0;

    for (size_t i = 0; i < table->slots; i++) {
        if (table->ids[i] != 0) {
            table->ids[used] = table->ids[i];
            table->times[used] = table->times[i];
            used++;
        }
    }
}

/* The lock is held, and is released while writing. */
static void flush_locked(struct touches *touches)
{
    struct table batch = {0};
    struct err err = {0};

    if (touches->noted.count == 0)
        return;
    touches->writing = touches->noted;
    touches->noted = (struct table){0};

    /* Readers look ids up in `writing`, so the packed copy is our own. */
    batch.slots = touches->writing.slots;
    batch.count = touches->writing.count;
    batch.ids = mem_dup(touches->writing.ids, batch.slots * sizeof *batch.ids);
    batch.times = mem_dup(touches->writing.times, batch.slots * sizeof *batch.times);
    pthread_mutex_unlock(&touches->lock);

    table_pack(&batch);
    if (!touches->backend->ops->touch_connections(
            touches->backend, batch.ids, batch.times, batch.count, &err))
        log_event(touches->log, LOG_WARN, "times of last use could not be stored",
            LOG_STR("reason", err.message), LOG_INT("connections", batch.count), LOG_END);
    table_finish(&batch);

    pthread_mutex_lock(&touches->lock);
    table_finish(&touches->writing);
}

static void *write_touches(void *arg)
{
    struct touches *touches = arg;

    pthread_mutex_lock(&touches->lock);
    while (!touches->stop) {
        int64_t until;

        if (touches->noted.count == 0) {
            pthread_cond_wait(&touches->wake, &touches->lock);
            continue;
        }
        until = clock_mono_us() + FLUSH_SECONDS * 1000000;
        while (!touches->stop && cond_wait_until(&touches->wake, &touches->lock, until)) {
        }
        flush_locked(touches);
    }
    flush_locked(touches);
    pthread_mutex_unlock(&touches->lock);
    return NULL;
}

struct touches *touches_new(struct backend *backend, const struct log *log)
{
    struct touches *touches = MEM_NEW(struct touches);

    touches->backend = backend;
    touches->log = log;
    pthread_mutex_init(&touches->lock, NULL);
    cond_init(&touches->wake);
    thread_start(&touches->thread, "touches", write_touches, touches);
    return touches;
}

void touches_free(struct touches *touches)
{
    if (touches == NULL)
        return;
    pthread_mutex_lock(&touches->lock);
    touches->stop = true;
    pthread_cond_signal(&touches->wake);
    pthread_mutex_unlock(&touches->lock);
    pthread_join(touches->thread, NULL);
    table_finish(&touches->noted);
    pthread_cond_destroy(&touches->wake);
    pthread_mutex_destroy(&touches->lock);
    free(touches);
}

void touches_note(struct touches *touches, int64_t id, int64_t now_ms)
{
    bool first;

    if (id <= 0)
        return;
    pthread_mutex_lock(&touches->lock);
    first = touches->noted.count == 0;
    table_put(&touches->noted, id, now_ms);
    if (first)
        pthread_cond_signal(&touches->wake);
    pthread_mutex_unlock(&touches->lock);
}

int64_t touches_latest(struct touches *touches, int64_t id)
{
    int64_t noted, writing;

    pthread_mutex_lock(&touches->lock);
    noted = table_get(&touches->noted, id);
    writing = table_get(&touches->writing, id);
    pthread_mutex_unlock(&touches->lock);
    return noted > writing ? noted : writing;
}
