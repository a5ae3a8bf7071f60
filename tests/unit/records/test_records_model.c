/* SPDX-License-Identifier: Apache-2.0 */
/* Random saves, updates, deletes and prunings by two threads on one part, each on ids of
 * its own, checked step by step against a small model; and a third that follows by cursor,
 * whose picture must be that of the part in the end. SOAK=1: 100,000 steps. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "records/records.h"
#include "test.h"
#include "world.h"

enum {
    WRITERS = 2,
    IDS = 60,
    BATCH = 4,
    STEPS = 2500,
    SOAK_STEPS = 100000,
    PAGE = 7,
    TEXT = 200,
};

static const struct records_place items = {1, 7, 5, "Item", NULL};

/* ---- the model ---- */

/* What there should be of one id. */
struct expected {
    bool there, deleted, pruned, fresh; /* fresh: not changed since it was created */
    char given[TEXT];                   /* the last text */
    int n, m;                           /* members of the payload; -1 = it has none */
};

struct writer {
    struct model *model;
    int number;
    unsigned seed;
    int steps;
    struct expected ids[IDS];
    pthread_t thread;
};

struct model {
    struct world w;
    struct writer writers[WRITERS];
    pthread_rwlock_t lock; /* whoever prunes is alone */
    bool over;
};

static int chance(struct writer *writer, int of)
{
    return rand_r(&writer->seed) % of;
}

static void expect_save(
    struct expected *id, const char *text, int n, struct records_counts *counts)
{
    bool live = id->there && !id->deleted, same = live && strcmp(id->given, text) == 0;

    if (!live)
        counts->added++;
    else if (same)
        counts->unchanged++;
    else
        counts->updated++;
    id->fresh = !live || (same && id->fresh);
    id->there = true;
    id->deleted = id->pruned = false;
    id->n = n;
    id->m = -1; /* what has the text has been given nothing over it since */
    str_copy(id->given, TEXT, text);
}

static void expect_update(
    struct expected *id, const char *text, int m, struct records_counts *counts)
{
    if (!id->there || id->deleted || strcmp(id->given, text) == 0) {
        counts->unchanged++;
        return;
    }
    counts->updated++;
    if (id->pruned)
        id->n = -1;
    id->m = m;
    id->pruned = id->fresh = false;
    str_copy(id->given, TEXT, text);
}

static void expect_delete(
    struct expected *id, const char *text, struct records_counts *counts)
{
    bool live = id->there && !id->deleted;

    if (live)
        counts->deleted++;
    else
        counts->unchanged++;
    if (!id->there)
        id->fresh = true;
    else if (live || strcmp(id->given, text) != 0)
        id->fresh = false;
    if (!id->there || live || strcmp(id->given, text) != 0) {
        id->n = id->m = -1;
        id->pruned = false;
    }
    id->there = id->deleted = true;
    str_copy(id->given, TEXT, text);
}

/* ---- steps ---- */

static void step(struct writer *writer)
{
    enum records_kind kind = (enum records_kind)chance(writer, 3);
    struct records_counts wanted = {0}, got = {0};
    struct records_batch batch = {.place = items, .kind = kind};
    bool used[IDS] = {false};
    struct buf rows;

    buf_init(&rows, 0);
    for (int i = 0; i < BATCH; i++) {
        int number = chance(writer, IDS), value = chance(writer, 3);
        struct expected *id = &writer->ids[number];
        char text[TEXT];

        if (used[number])
            continue;
        used[number] = true;
        (void)snprintf(text, TEXT,
            kind == RECORDS_SAVE     ? "{\"id\":\"%d-%d\",\"n\":%d}"
            : kind == RECORDS_UPDATE ? "{\"id\":\"%d-%d\",\"m\":%d}"
                                     : "{\"id\":\"%d-%d\"}",
            writer->number, number, value);
        buf_printf(&rows, "%s%s", rows.len == 0 ? "[" : ",", text);
        if (kind == RECORDS_SAVE)
            expect_save(id, text, value, &wanted);
        else if (kind == RECORDS_UPDATE)
            expect_update(id, text, value, &wanted);
        else
            expect_delete(id, text, &wanted);
    }
    buf_putc(&rows, ']');
    batch.rows = (struct json_raw){rows.data, rows.len};
    MUST(records_write(writer->model->w.records, &batch, &got, &err));
    assert_memory_equal(&got, &wanted, sizeof got);
    buf_finish(&rows);
}

static struct expected *expected_of(struct model *model, const char *external_id)
{
    int writer, number;

    assert_int_equal(sscanf(external_id, "%d-%d", &writer, &number), 2);
    return &model->writers[writer].ids[number];
}

struct pruning {
    struct model *model;
    struct records_cursor until;
    size_t left;
};

static bool note_pruned(void *arg, const struct record *record)
{
    struct pruning *pruning = arg;

    if (pruning->left == 0)
        return false;
    if (record->pruned_us == 0) {
        pruning->left--;
        expected_of(pruning->model, record->external_id)->pruned = true;
    }
    pruning->until = record->at;
    return true;
}

/* The first few that are not pruned. */
static void prune(struct writer *writer)
{
    struct model *model = writer->model;
    const struct records_query all = {.place = items};
    struct pruning pruning = {.model = model, .left = (size_t)chance(writer, 5)};
    size_t wanted = pruning.left, count;
    bool more;

    MUST(records_list(model->w.records, &all, note_pruned, &pruning, NULL, &err));
    if (pruning.left == wanted)
        return; /* nothing was there, or nothing was wanted */
    MUST(records_prune(
        model->w.records, &items, &pruning.until, 100, &count, &more, &err));
    assert_int_equal(count, wanted - pruning.left);
}

static void *write_all(void *arg)
{
    struct writer *writer = arg;
    struct model *model = writer->model;

    for (int i = 0; i < writer->steps; i++) {
        bool alone = chance(writer, 20) == 0;

        if (alone)
            pthread_rwlock_wrlock(&model->lock);
        else
            pthread_rwlock_rdlock(&model->lock);
        if (alone)
            prune(writer);
        else
            step(writer);
        pthread_rwlock_unlock(&model->lock);
    }
    return NULL;
}

/* ---- who follows ---- */

struct seen {
    int64_t updated_us;
    bool deleted;
};
struct follower {
    struct model *model;
    struct records_cursor at;
    bool begun;
    struct seen ids[WRITERS][IDS];
};

static bool follow_one(void *arg, const struct record *record)
{
    struct follower *follower = arg;
    int writer, number;

    assert_int_equal(sscanf(record->external_id, "%d-%d", &writer, &number), 2);
    if (follower->begun)
        assert_true(
            record->at.updated_us > follower->at.updated_us ||
            (record->at.updated_us == follower->at.updated_us &&
                memcmp(record->at.uuid, follower->at.uuid, RECORDS_UUID_LEN) > 0));
    follower->begun = true;
    follower->at = record->at;
    follower->ids[writer][number] =
        (struct seen){record->at.updated_us, record->deleted_us > 0};
    return true;
}

static void follow(struct follower *follower)
{
    struct records_query query = {.place = items, .limit = PAGE};
    bool more = true;

    while (more) {
        struct records_cursor after = follower->at;

        query.after = follower->begun ? &after : NULL;
        MUST(records_list(
            follower->model->w.records, &query, follow_one, follower, &more, &err));
    }
}

static void *follow_all(void *arg)
{
    struct follower *follower = arg;

    while (!__atomic_load_n(&follower->model->over, __ATOMIC_ACQUIRE))
        follow(follower);
    follow(follower);
    return NULL;
}

/* ---- the end ---- */

struct judging {
    struct model *model;
    const struct follower *follower;
    size_t count;
    int64_t live;
};

static bool judge(void *arg, const struct record *record)
{
    struct judging *judging = arg;
    const struct expected *wanted = expected_of(judging->model, record->external_id);
    char payload[TEXT], n[32] = "", m[32] = "";
    int writer, number;

    assert_true(wanted->there);
    assert_int_equal(wanted->deleted, record->deleted_us > 0);
    assert_int_equal(wanted->pruned, record->pruned_us > 0);
    if (!wanted->deleted)
        assert_int_equal(wanted->fresh, record->created_us == record->at.updated_us);
    if (wanted->n >= 0 && !wanted->pruned)
        (void)snprintf(n, sizeof n, ",\"n\":%d", wanted->n);
    if (wanted->m >= 0 && !wanted->pruned)
        (void)snprintf(m, sizeof m, ",\"m\":%d", wanted->m);
    (void)snprintf(
        payload, sizeof payload, "{\"id\":\"%s\"%s%s}", record->external_id, n, m);
    assert_int_equal(record->payload.len, strlen(payload));
    assert_memory_equal(record->payload.text, payload, record->payload.len);
    (void)sscanf(record->external_id, "%d-%d", &writer, &number);
    assert_int_equal(
        judging->follower->ids[writer][number].updated_us, record->at.updated_us);
    assert_int_equal(
        judging->follower->ids[writer][number].deleted, record->deleted_us > 0);
    judging->count++;
    judging->live += record->deleted_us == 0;
    return true;
}

static void judge_all(struct model *model, const struct follower *follower)
{
    const struct records_query all = {.place = items};
    struct judging judging = {.model = model, .follower = follower};
    struct records_model *models;
    size_t there = 0, count;

    MUST(records_list(model->w.records, &all, judge, &judging, NULL, &err));
    for (int i = 0; i < WRITERS; i++)
        for (int k = 0; k < IDS; k++)
            there += model->writers[i].ids[k].there;
    assert_int_equal(judging.count, there);
    MUST(records_models(model->w.records, &items, &models, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(models[0].live, judging.live);
    records_models_free(models, count);
}

TEST(random_writes_by_two_threads_are_what_the_model_says_and_a_reader_misses_nothing)
{
    const char *seed = getenv("SEED");
    int steps = getenv("SOAK") != NULL ? SOAK_STEPS : STEPS;
    static struct model model;
    static struct follower follower;
    pthread_t reader;

    memset(&model, 0, sizeof model);
    memset(&follower, 0, sizeof follower);
    world_begin(&model.w);
    pthread_rwlock_init(&model.lock, NULL);
    follower.model = &model;
    for (int i = 0; i < WRITERS; i++) {
        model.writers[i].model = &model;
        model.writers[i].number = i;
        model.writers[i].seed =
            (seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : 1) + (unsigned)i;
        model.writers[i].steps = steps / WRITERS;
        for (int k = 0; k < IDS; k++)
            model.writers[i].ids[k].n = model.writers[i].ids[k].m = -1;
    }
    assert_int_equal(pthread_create(&reader, NULL, follow_all, &follower), 0);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(
            pthread_create(&model.writers[i].thread, NULL, write_all, &model.writers[i]),
            0);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(model.writers[i].thread, NULL), 0);
    __atomic_store_n(&model.over, true, __ATOMIC_RELEASE);
    assert_int_equal(pthread_join(reader, NULL), 0);
    judge_all(&model, &follower);
    world_reopen(&model.w);
    judge_all(&model, &follower);
    pthread_rwlock_destroy(&model.lock);
    world_end(&model.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            random_writes_by_two_threads_are_what_the_model_says_and_a_reader_misses_nothing),
    };

    return RUN(tests);
}
