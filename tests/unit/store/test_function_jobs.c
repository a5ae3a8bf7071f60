/* SPDX-License-Identifier: Apache-2.0 */
#include "store/function_jobs.h"

#include "base/mem.h"
#include "store/world.h"

#define UUID "00000000-0000-4000-8000-00000000000"

static int64_t given_job(struct world *w, enum function_job_kind kind, const char *uuid)
{
    char key[] = "github", name[] = "sum";
    struct function_job_row row = {
        .environment_id = w->env->id,
        .kind = kind,
        .integration_key = key,
        .function_kind = SCRIPT_ACTION,
        .name = name,
    };

    str_copy(row.uuid, sizeof row.uuid, uuid);
    MUST(store_put_function_job(w->store, &row, &err));
    assert_true(row.id > 0);
    return row.id;
}

static struct function_job_row *find_job(
    struct world *w, enum function_job_kind kind, const char *uuid)
{
    struct function_job_row *row;

    MUST(store_find_function_job(w->store, w->env->id, kind, uuid, &row, &err));
    return row;
}

TEST(a_job_waits_runs_and_is_over)
{
    struct blob outcome = text_blob("sealed");
    struct function_job_row *row;
    struct world w;
    int64_t id;

    world_begin(&w);
    id = given_job(&w, FUNCTION_DRYRUN, UUID "1");
    row = find_job(&w, FUNCTION_DRYRUN, UUID "1");
    assert_int_equal(row->state, FUNCTION_JOB_WAITING);
    assert_string_equal(row->integration_key, "github");
    assert_string_equal(row->name, "sum");
    assert_int_equal(row->function_kind, SCRIPT_ACTION);
    assert_int_equal(row->created_at_ms, NOW_MS);
    assert_int_equal(row->started_at_ms, 0);
    function_job_row_free(row);

    MUST(store_begin_function_job(w.store, id, &err));
    row = find_job(&w, FUNCTION_DRYRUN, UUID "1");
    assert_int_equal(row->state, FUNCTION_JOB_RUNNING);
    assert_int_equal(row->started_at_ms, NOW_MS);
    function_job_row_free(row);

    MUST(store_end_function_job(w.store, id, &outcome, &err));
    world_reopen(&w);
    row = find_job(&w, FUNCTION_DRYRUN, UUID "1");
    assert_int_equal(row->state, FUNCTION_JOB_OVER);
    assert_int_equal(row->finished_at_ms, NOW_MS);
    expect_blob(row->outcome, "sealed");
    function_job_row_free(row);
    world_end(&w);
}

TEST(a_job_is_found_by_its_kind_and_environment_only)
{
    struct environment_row *other;
    struct function_job_row *row;
    struct world w;

    world_begin(&w);
    other = given_environment(&w, "other");
    given_job(&w, FUNCTION_DEPLOYMENT, UUID "1");
    assert_null(find_job(&w, FUNCTION_DRYRUN, UUID "1"));
    assert_null(find_job(&w, FUNCTION_DEPLOYMENT, UUID "2"));
    MUST(store_find_function_job(
        w.store, other->id, FUNCTION_DEPLOYMENT, UUID "1", &row, &err));
    assert_null(row);
    environment_row_unref(other);
    world_end(&w);
}

TEST(what_did_not_end_with_its_server_is_lost)
{
    struct blob outcome = text_blob("sealed");
    enum function_job_state states[] = {
        FUNCTION_JOB_LOST, FUNCTION_JOB_LOST, FUNCTION_JOB_OVER};
    struct world w;
    int64_t id;

    world_begin(&w);
    given_job(&w, FUNCTION_DRYRUN, UUID "0");
    id = given_job(&w, FUNCTION_DRYRUN, UUID "1");
    MUST(store_begin_function_job(w.store, id, &err));
    id = given_job(&w, FUNCTION_DRYRUN, UUID "2");
    MUST(store_end_function_job(w.store, id, &outcome, &err));
    MUST(store_lose_function_jobs(w.store, &err));
    for (int i = 0; i < 3; i++) {
        char uuid[] = UUID "0";
        struct function_job_row *row;

        uuid[sizeof uuid - 2] = (char)('0' + i);
        row = find_job(&w, FUNCTION_DRYRUN, uuid);
        assert_int_equal(row->state, states[i]);
        assert_int_equal(row->finished_at_ms, NOW_MS);
        function_job_row_free(row);
    }
    world_end(&w);
}

TEST(what_was_over_long_ago_is_forgotten)
{
    struct blob outcome = text_blob("sealed");
    struct function_job_row *row;
    struct world w;
    int64_t id;

    world_begin(&w);
    id = given_job(&w, FUNCTION_DRYRUN, UUID "1");
    MUST(store_end_function_job(w.store, id, &outcome, &err));
    given_job(&w, FUNCTION_DRYRUN, UUID "2");
    MUST(store_sweep_function_jobs(w.store, NOW_MS, &err));
    row = find_job(&w, FUNCTION_DRYRUN, UUID "1");
    assert_non_null(row);
    function_job_row_free(row);
    MUST(store_sweep_function_jobs(w.store, NOW_MS + 1, &err));
    assert_null(find_job(&w, FUNCTION_DRYRUN, UUID "1"));
    row = find_job(&w, FUNCTION_DRYRUN, UUID "2");
    assert_non_null(row); /* it waits still */
    function_job_row_free(row);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_waits_runs_and_is_over),
        cmocka_unit_test(a_job_is_found_by_its_kind_and_environment_only),
        cmocka_unit_test(what_did_not_end_with_its_server_is_lost),
        cmocka_unit_test(what_was_over_long_ago_is_forgotten),
    };

    return RUN_FOR_EACH_STORE(tests);
}
