/* SPDX-License-Identifier: Apache-2.0 */
/* Listing: every combination of filters against a plain walk over what was stored. The
 * store comes in by another index for each, so that one which is right alone may be wrong
 * with others. Enough connections that a tag most of them have counts as common. */
#include "world.h"

#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"

enum {
    COUNT = 2400,
    WRITERS = 16,
    STRANGERS = 40, /* alike, in another environment */
    PAGES = 3,
};

struct fleet {
    struct world w;
    struct environment_row *other;
    struct integration_row *other_github;
    struct connection_row *stored[COUNT]; /* as the store gave them back */
};

struct writer {
    struct fleet *fleet;
    size_t first;
};

/* What connection `i` is like. The newest ones lack what is rare. */
struct likeness {
    char id[32], person[32], name[48], email[48], organization[32], tags[96];
    struct end_user_row end_user;
};

static void liken(size_t i, struct likeness *out)
{
    (void)snprintf(out->id, sizeof out->id, "Conn-%04zu", i);
    (void)snprintf(out->person, sizeof out->person, "user-%zu", i / 3);
    (void)snprintf(out->name, sizeof out->name, "Person %zu of 50%%", i / 3);
    (void)snprintf(out->email, sizeof out->email, "p_%zu@example.com", i / 3);
    (void)snprintf(out->organization, sizeof out->organization, "org-%zu", i % 4);
    (void)snprintf(out->tags, sizeof out->tags, "{\"plan\":\"%s\",\"seat\":\"%zu\"}",
        i % 100 == 3 ? "rare" : "common", i % 5);
    out->end_user = (struct end_user_row){.id = out->person,
        .email = i % 2 == 0 ? out->email : NULL,
        .display_name = out->name,
        .organization_id = i % 3 == 0 ? out->organization : NULL};
}

static struct connection_row *put_like(
    struct world *w, const struct integration_row *of, size_t i)
{
    struct likeness like;
    struct connection_row wanted;

    liken(i, &like);
    wanted = a_connection(of, like.id);
    wanted.tags_json = like.tags;
    wanted.end_user = i % 8 == 7 ? NULL : &like.end_user;
    return put_connection(w, &wanted);
}

static void *put_share(void *arg)
{
    const struct writer *writer = arg;
    struct fleet *fleet = writer->fleet;

    for (size_t i = writer->first; i < COUNT; i += WRITERS)
        fleet->stored[i] =
            put_like(&fleet->w, i % 50 == 3 ? fleet->w.slack : fleet->w.github, i);
    return NULL;
}

static void given_fleet(struct fleet *fleet)
{
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];

    memset(fleet, 0, sizeof *fleet);
    world_begin(&fleet->w);
    fleet->w.clock.frozen_ms = 0; /* so that times differ */
    fleet->other = given_environment(&fleet->w, "other");
    fleet->other_github = given_integration(&fleet->w, fleet->other, "github");
    for (size_t i = 0; i < STRANGERS; i++)
        connection_row_unref(put_like(&fleet->w, fleet->other_github, i));
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){fleet, i};
        assert_int_equal(pthread_create(&threads[i], NULL, put_share, &writers[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    /* Some are gone, and the end user of a row is as whoever wrote it last left it. */
    for (size_t i = 0; i < COUNT; i++) {
        bool found;

        if (i % 11 == 5)
            MUST(store_delete_connection(
                fleet->w.store, fleet->stored[i]->id, &found, &err));
    }
    for (size_t i = 0; i < COUNT; i++) {
        int64_t id = fleet->stored[i]->id;

        connection_row_unref(fleet->stored[i]);
        MUST(store_reload_connection(fleet->w.store, id, &fleet->stored[i], &err));
        assert_true((fleet->stored[i] == NULL) == (i % 11 == 5));
    }
}

static void finish_fleet(struct fleet *fleet)
{
    for (size_t i = 0; i < COUNT; i++)
        connection_row_unref(fleet->stored[i]);
    environment_row_unref(fleet->other);
    integration_row_unref(fleet->other_github);
    world_end(&fleet->w);
}

/* ---- the plain walk ---- */

static bool has_tag(const struct connection_row *row, const char *key, const char *value)
{
    char wanted[64];

    (void)snprintf(wanted, sizeof wanted, "\"%s\":\"%s\"", key, value);
    return strstr(row->tags_json, wanted) != NULL;
}

static bool is_found(const struct connection_row *row, const char *search)
{
    const struct end_user_row *person = row->end_user;

    return str_contains_nocase(row->connection_id, search) ||
           (person != NULL && person->display_name != NULL &&
               str_contains_nocase(person->display_name, search)) ||
           (person != NULL && person->email != NULL &&
               str_contains_nocase(person->email, search));
}

static bool matches(
    const struct connection_row *row, const struct connection_filter *filter)
{
    bool in = filter->integration_count == 0;

    for (size_t i = 0; i < filter->integration_count; i++)
        in = in || str_eq(row->provider_config_key, filter->integrations[i]);
    for (size_t i = 0; i < filter->tag_count; i++)
        in = in && has_tag(row, filter->tag_keys[i], filter->tag_values[i]);
    if (filter->connection_id != NULL)
        in = in && str_eq(row->connection_id, filter->connection_id);
    if (filter->search != NULL)
        in = in && is_found(row, filter->search);
    if (filter->end_user_id != NULL)
        in =
            in && row->end_user != NULL && str_eq(row->end_user->id, filter->end_user_id);
    if (filter->organization_id != NULL)
        in = in && row->end_user != NULL &&
             str_eq(row->end_user->organization_id, filter->organization_id);
    return in;
}

static int newest_first(const void *a, const void *b)
{
    const struct connection_row *one = *(struct connection_row *const *)a;
    const struct connection_row *two = *(struct connection_row *const *)b;

    if (one->created_at_ms != two->created_at_ms)
        return one->created_at_ms < two->created_at_ms ? 1 : -1;
    return (one->id < two->id) - (one->id > two->id);
}

/* How many of the fleet match, in the order of a listing. */
static size_t walk(const struct fleet *fleet, const struct connection_filter *filter,
    struct connection_row **out)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT; i++) {
        if (fleet->stored[i] != NULL && matches(fleet->stored[i], filter))
            out[count++] = fleet->stored[i];
    }
    qsort(out, count, sizeof(struct connection_row *), newest_first);
    return count;
}

static void expect_same(struct fleet *fleet, const struct connection_filter *filter,
    struct connection_row *const *wanted, size_t from, size_t upto)
{
    struct connection_row **rows;
    size_t count;

    MUST(store_list_connections(fleet->w.store, filter, &rows, &count, &err));
    assert_int_equal(count, upto - from);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i]->id, wanted[from + i]->id);
    store_connections_free(rows, count);
}

/* All of them, and each page. True when there were any. */
static bool expect_listed(struct fleet *fleet, struct connection_filter filter)
{
    static struct connection_row *wanted[COUNT];
    size_t count, page;

    filter.environment_id = fleet->w.env->id;
    count = walk(fleet, &filter, wanted);
    expect_same(fleet, &filter, wanted, 0, count);
    filter.limit = count / PAGES + 1;
    for (page = 0; count > 0 && page <= PAGES; page++) {
        size_t from = page * filter.limit;
        size_t upto = from + filter.limit;

        filter.offset = from;
        expect_same(fleet, &filter, wanted, from < count ? from : count,
            upto < count ? upto : count);
    }
    return count > 0;
}

/* ---- every combination ---- */

TEST(every_combination_of_filters_lists_what_a_plain_walk_finds)
{
    static const char *const ids[] = {NULL, "Conn-0042"};
    static const char *const searches[] = {NULL, "cOnN-00", "OF 50%", "p_1", "nobody"};
    static const char *const persons[] = {NULL, "user-14", "nobody"};
    static const char *const organizations[] = {NULL, "org-2", "none"};
    static const char *const keys[] = {"github", "slack"};
    static const char *const tag_keys[] = {"plan", "seat"};
    static const char *const rare[] = {"rare", "3"}, *const common[] = {"common", "2"};
    static const struct {
        const char *const *integrations;
        size_t count;
    } sets[] = {{NULL, 0}, {keys, 1}, {keys + 1, 1}, {keys, 2}};
    static const struct {
        const char *const *values;
        size_t count;
    } tags[] = {{NULL, 0}, {common, 1}, {rare, 1}, {common, 2}, {rare, 2}};
    struct fleet *fleet = mem_alloc(sizeof *fleet);
    size_t tried = 0, filled = 0;

    given_fleet(fleet);
    for (size_t n = 0; n < 2 * 5 * 3 * 3 * 4 * 5; n++) {
        struct connection_filter filter = {
            .connection_id = ids[n % 2],
            .search = searches[n / 2 % 5],
            .end_user_id = persons[n / 10 % 3],
            .organization_id = organizations[n / 30 % 3],
            .integrations = sets[n / 90 % 4].integrations,
            .integration_count = sets[n / 90 % 4].count,
            .tag_keys = tag_keys,
            .tag_values = tags[n / 360].values,
            .tag_count = tags[n / 360].count,
        };

        filled += expect_listed(fleet, filter);
        tried++;
    }
    print_message("%zu combinations, %zu of them with rows\n", tried, filled);
    assert_true(filled > 100);
    finish_fleet(fleet);
    free(fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_filters_lists_what_a_plain_walk_finds),
    };

    return RUN_FOR_EACH_STORE(tests);
}
