/* SPDX-License-Identifier: Apache-2.0 */
/* Promises that are easily broken: times that run out, calls within callbacks, streams that
 * stall. Nothing here asserts within a callback: cmocka's way out would lead across libcurl. */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nango/adapters/epoll.h"
#include "sdk/edges.h"
#include "test.h"

/* Of what must not be waited for. */
#define LIMIT_MS 600

static nango_epoll *loop;

/* ---- a name that is looked up slowly ---- */

static pthread_mutex_t lookup_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t lookup_change = PTHREAD_COND_INITIALIZER;
static int lookups; /* under way */
static bool lookups_end, gave_up;

/* Instead of the C library's, for libcurl, too. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name,
    const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    static int (*real)(
        const char *, const char *, const struct addrinfo *, struct addrinfo **);
    struct timespec until;

    if (name != NULL && strstr(name, KEY ".test") != NULL)
        return EAI_NONAME;
    if (name == NULL || strcmp(name, "slow.test") != 0) {
        pthread_mutex_lock(&lookup_lock);
        if (real == NULL)
            *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        pthread_mutex_unlock(&lookup_lock);
        return real(name, service, hints, out);
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3;
    pthread_mutex_lock(&lookup_lock);
    lookups++;
    pthread_cond_broadcast(&lookup_change);
    while (!lookups_end && !gave_up)
        gave_up = pthread_cond_timedwait(&lookup_change, &lookup_lock, &until) != 0;
    lookups--;
    pthread_cond_broadcast(&lookup_change);
    pthread_mutex_unlock(&lookup_lock);
    return EAI_AGAIN;
}

static bool is_looking_up(void)
{
    bool so;

    pthread_mutex_lock(&lookup_lock);
    so = lookups > 0;
    pthread_mutex_unlock(&lookup_lock);
    return so;
}

/* Lets those that are under way end. None of them was waited for. */
static void end_lookups(void)
{
    bool waited;

    pthread_mutex_lock(&lookup_lock);
    waited = gave_up;
    lookups_end = true;
    pthread_cond_broadcast(&lookup_change);
    while (lookups > 0)
        pthread_cond_wait(&lookup_change, &lookup_lock);
    lookups_end = gave_up = false;
    pthread_mutex_unlock(&lookup_lock);
    assert_false(waited);
}

/* ---- clients and calls ---- */

static int set_up(void **state)
{
    (void)state;
    rough_reset();
    client = client_at(host, SOON_MS);
    return nango_epoll_attach(client, &loop, NULL) == NANGO_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    rough_open();
    nango_client_free(client);
    return 0;
}

/* A call that was started, and what became of it. */
struct seen {
    nango_call *call;
    int ended;
    nango_error error;
    int pieces; /* of its body */
    size_t bytes;
    int late_pieces; /* that came after it was cancelled */
    bool cancelled;
    struct seen *other;
    void (*on_piece)(struct seen *seen);
    bool refuses;
};

static void on_end(const nango_error *error, void *user)
{
    struct seen *seen = user;

    seen->ended++;
    seen->error = *error;
}

static void on_response(nango_response *response, const nango_error *error, void *user)
{
    nango_response_free(response);
    on_end(error, user);
}

static bool on_data(const char *data, size_t len, void *user)
{
    struct seen *seen = user;

    (void)data;
    seen->pieces++;
    seen->bytes += len;
    seen->late_pieces += seen->cancelled;
    if (seen->on_piece != NULL)
        seen->on_piece(seen);
    return !seen->refuses;
}

static void start(struct seen *seen, const char *endpoint)
{
    const nango_proxy_config config = {.endpoint = endpoint};

    if (nango_proxy_start(
            client, &config, on_response, seen, &seen->call, &seen->error) != NANGO_OK)
        seen->ended--;
}

static void start_stream(struct seen *seen, const char *endpoint)
{
    const nango_proxy_config config = {.endpoint = endpoint};
    const nango_stream stream = {.on_data = on_data, .user = seen};

    assert_int_equal(nango_proxy_stream_start(client, &config, &stream, on_end, seen,
                         &seen->call, &seen->error),
        NANGO_OK);
}

/* Runs the loop until the number is reached, which must be soon. */
static void run_until(const int *number, int least)
{
    int64_t until = now_ms() + SOON_MS;

    while (*number < least && now_ms() < until)
        nango_epoll_run_once(loop, (int)(until - now_ms()));
    assert_true(*number >= least);
}

/* Some turns of the loop, for what must not happen. */
static void run_a_little(void)
{
    for (int i = 0; i < 5; i++)
        nango_epoll_run_once(loop, 10);
}

/* ---- tests ---- */

static void *interrupt_lookup(void *arg)
{
    while (!is_looking_up())
        sched_yield();
    nango_interrupt(arg);
    return NULL;
}

static void on_provider(nango_provider *provider, const nango_error *error, void *user)
{
    nango_provider_free(provider);
    on_end(error, user);
}

TEST(a_slow_lookup_holds_up_nothing)
{
    nango_client *far = client_at("http://slow.test", 100);
    struct seen seen = {0};
    nango_epoll *its_loop;
    nango_error err;
    pthread_t thread;

    assert_int_equal(nango_get_provider(far, "x", NULL, &err), NANGO_E_TIMEOUT);
    end_lookups();
    nango_client_free(far);

    far = client_at("http://slow.test", SOON_MS);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_lookup, far), 0);
    assert_int_equal(nango_get_provider(far, "x", NULL, &err), NANGO_E_CANCELLED);
    assert_non_null(strstr(err.message, "interrupted"));
    pthread_join(thread, NULL);
    end_lookups();

    assert_int_equal(nango_epoll_attach(far, &its_loop, NULL), NANGO_OK);
    assert_int_equal(
        nango_get_provider_start(far, "x", on_provider, &seen, &seen.call, NULL),
        NANGO_OK);
    while (!is_looking_up())
        nango_epoll_run_once(its_loop, 10);
    nango_call_cancel(seen.call);
    assert_int_equal(seen.error.code, NANGO_E_CANCELLED);
    assert_non_null(strstr(seen.error.message, "the call was cancelled"));
    nango_client_free(far);
    end_lookups();
}

/* libcurl's words may repeat the key, and may be cut off within it. */
TEST(no_part_of_the_key_is_told)
{
    char where[400];
    nango_error err;

    for (int pad = 0; pad < 220; pad += 4) {
        nango_client *far;

        snprintf(where, sizeof where, "http://%.*s" KEY ".test", pad,
            "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
            "a."
            "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
            "a.a."
            "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.");
        far = client_at(where, SOON_MS);
        assert_int_equal(nango_get_provider(far, "x", NULL, &err), NANGO_E_RESOLVE);
        assert_null(strstr(err.message, "0791"));
        nango_client_free(far);
    }
}

/* Cancels another call and tries to wait for one, while the last answer is being read. */
static void on_refused(nango_provider *provider, const nango_error *error, void *user)
{
    struct seen *seen = user;
    const nango_response *answer = nango_client_last_answer(client);
    nango_error err;

    nango_provider_free(provider);
    on_end(error, user);
    nango_call_cancel(seen->other->call);
    if (nango_get_provider(client, "bom", NULL, &err) == NANGO_E_STATE &&
        nango_client_last_answer(client) == answer)
        seen->pieces = nango_response_status(answer);
}

TEST(the_last_answer_stays_while_it_is_read)
{
    struct seen other = {0}, seen = {.other = &other};

    start(&other, "/silent");
    assert_int_equal(
        nango_get_provider_start(client, "later", on_refused, &seen, NULL, NULL),
        NANGO_OK);
    run_until(&seen.ended, 1);
    assert_int_equal(seen.error.retry_after_s, 7);
    assert_int_equal(other.error.code, NANGO_E_CANCELLED);
    assert_int_equal(seen.pieces, 429);
}

static nango_code attached_again;

static void on_detached(nango_response *response, const nango_error *error, void *user)
{
    nango_epoll *another;

    on_response(response, error, user);
    attached_again = nango_epoll_attach(client, &another, NULL);
}

TEST(no_loop_is_attached_while_one_is_let_go_of)
{
    const nango_proxy_config config = {.endpoint = "/silent"};
    struct seen seen = {0};

    for (int i = 0; i < 2; i++)
        assert_int_equal(
            nango_proxy_start(client, &config, on_detached, &seen, NULL, NULL), NANGO_OK);
    nango_epoll_run_once(loop, SOON_MS);
    nango_detach(client);
    assert_int_equal(seen.ended, 2);
    assert_int_equal(seen.error.code, NANGO_E_CANCELLED);
    assert_int_equal(attached_again, NANGO_E_STATE);
    assert_int_equal(nango_epoll_attach(client, &loop, NULL), NANGO_OK);
    start(&seen, "/ok");
    run_until(&seen.ended, 3);
    assert_int_equal(seen.error.code, NANGO_OK);
}

static void run_loop_within(struct seen *seen)
{
    if (seen->pieces > 1)
        return;
    start(seen->other, "/ok");
    nango_epoll_run_once(loop, SOON_MS); /* its timer, for nothing */
}

TEST(a_turn_that_came_too_early_is_made_up_for)
{
    const nango_proxy_config config = {.endpoint = "/pieces"};
    struct seen other = {0}, seen = {.other = &other, .on_piece = run_loop_within};
    const nango_stream stream = {.on_data = on_data, .user = &seen};

    assert_int_equal(nango_proxy_stream(client, &config, &stream, NULL), NANGO_OK);
    assert_true(seen.pieces > 0);
    assert_int_equal(other.ended, 0);
    run_until(&other.ended, 1);
    assert_int_equal(other.error.code, NANGO_OK);
}

/* Also what libcurl has kept for the other must not reach it any more. */
static void cancel_other(struct seen *seen)
{
    if (seen->other->cancelled)
        return;
    nango_call_cancel(seen->other->call);
    seen->other->cancelled = true;
    nango_call_resume(seen->other->call);
}

static void pause_it(struct seen *seen)
{
    if (seen->pieces == 1)
        nango_call_pause(seen->call);
}

TEST(nothing_of_a_call_runs_after_another_cancelled_it)
{
    struct seen held = {.on_piece = pause_it}, seen = {.other = &held};

    start_stream(&held, "/zipped");
    run_until(&held.pieces, 1);
    seen.on_piece = cancel_other;
    start_stream(&seen, "/pieces");
    run_until(&seen.ended, 1);
    run_until(&held.ended, 1);
    assert_int_equal(held.error.code, NANGO_E_CANCELLED);
    assert_int_equal(held.late_pieces, 0);
    assert_int_equal(seen.error.code, NANGO_OK);
}

/* A waiting call's stream may cancel those of the loop. */
TEST(a_call_that_waits_may_cancel_one_that_was_started)
{
    const nango_proxy_config config = {.endpoint = "/pieces"};
    struct seen held = {.on_piece = pause_it}, seen = {.other = &held};
    const nango_stream stream = {.on_data = on_data, .user = &seen};

    start_stream(&held, "/zipped");
    run_until(&held.pieces, 1);
    seen.on_piece = cancel_other;
    assert_int_equal(nango_proxy_stream(client, &config, &stream, NULL), NANGO_OK);
    run_until(&held.ended, 1);
    assert_int_equal(held.error.code, NANGO_E_CANCELLED);
    assert_int_equal(held.late_pieces, 0);
}

static void refuse_second(struct seen *seen)
{
    if (seen->pieces == 1)
        nango_call_pause(seen->call);
    else
        seen->refuses = true;
}

TEST(a_stream_refused_while_it_goes_on_ends_at_once)
{
    struct seen seen = {.on_piece = refuse_second};

    nango_client_set_timeout(client, -1);
    start_stream(&seen, "/zipped");
    run_until(&seen.pieces, 1);
    run_a_little(); /* all of it is there */
    assert_int_equal(seen.pieces, 1);
    nango_call_resume(seen.call);
    run_until(&seen.ended, 1);
    assert_int_equal(seen.pieces, 2);
    assert_int_equal(seen.error.code, NANGO_E_CANCELLED);
    assert_non_null(strstr(seen.error.message, "on_data ended the call"));
}

/* ---- requests' bodies ---- */

struct upload {
    struct seen seen; /* first: it is the callback's */
    int64_t left;
    int waits; /* as often it has nothing yet */
    int asked;
    bool greedy; /* says that it gave more than fits */
};

static int64_t read_piece(char *data, size_t size, void *user)
{
    struct upload *upload = user;
    int64_t part = upload->left < (int64_t)size ? upload->left : (int64_t)size;

    upload->asked++;
    if (upload->waits > 0) {
        upload->waits--;
        return NANGO_STREAM_WAIT;
    }
    if (upload->greedy)
        return (int64_t)size + 1;
    memset(data, 'U', (size_t)part);
    upload->left -= part;
    return part;
}

static nango_code send_stream(struct upload *upload, int64_t announced, nango_error *err)
{
    const nango_proxy_config config = {.method = "POST", .endpoint = "/ok"};
    const nango_stream stream = {
        .read = read_piece, .read_size = announced, .user = upload};

    return nango_proxy_stream(client, &config, &stream, err);
}

TEST(a_body_is_as_long_as_was_announced)
{
    static const struct {
        int64_t announced, there;
        bool greedy;
        nango_code code;
        int sent; /* -1: whatever */
    } rows[] = {
        {10, 50, false, NANGO_OK, 10},
        {50, 50, false, NANGO_OK, 50},
        {50, 10, false, NANGO_E_ARGUMENT, -1},
        {0, 50, false, NANGO_OK, 50},
        {-1, 50, false, NANGO_OK, 50},
        {-1, 0, false, NANGO_OK, 0},
        {10, 50, true, NANGO_E_CANCELLED, -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct upload upload = {.left = rows[i].there, .greedy = rows[i].greedy};
        nango_error err;

        rough_reset();
        assert_int_equal(send_stream(&upload, rows[i].announced, &err), rows[i].code);
        if (rows[i].sent >= 0)
            assert_int_equal(rough_count(ROUGH_UPLOADED), rows[i].sent);
        /* The next request is not taken for a rest of this one. */
        assert_int_equal(fetch("/ok", NULL, &err), NANGO_OK);
    }
}

TEST(a_body_may_be_waited_for)
{
    const nango_proxy_config config = {.method = "POST", .endpoint = "/ok"};
    struct upload upload = {.left = 50, .waits = 1};
    const nango_stream stream = {.read = read_piece, .read_size = 50, .user = &upload};
    nango_error err;

    assert_int_equal(nango_proxy_stream_start(client, &config, &stream, on_end,
                         &upload.seen, &upload.seen.call, NULL),
        NANGO_OK);
    run_until(&upload.asked, 1);
    nango_call_pause(upload.seen.call); /* of the answer: does not ask again */
    run_a_little();
    assert_int_equal(upload.asked, 1);
    nango_call_resume(upload.seen.call);
    run_until(&upload.seen.ended, 1);
    assert_int_equal(upload.seen.error.code, NANGO_OK);
    assert_int_equal(rough_count(ROUGH_UPLOADED), 50);
    /* Nobody could resume a call that waits. */
    upload.waits = 1;
    assert_int_equal(send_stream(&upload, 50, &err), NANGO_E_CANCELLED);
}

/* ---- times ---- */

TEST(a_streams_time_counts_from_its_last_piece)
{
    const nango_proxy_config config = {.method = "POST", .endpoint = "/ok"};
    struct seen drip = {0}, stuck = {0}, silent = {0};
    struct seen held = {.on_piece = pause_it}, away = {0};
    struct upload late = {.left = 50, .waits = 1};
    const nango_stream stream = {.read = read_piece, .read_size = 50, .user = &late};
    int64_t began = now_ms();
    nango_error err;

    nango_client_set_timeout(client, LIMIT_MS);
    start_stream(&drip, "/drip");
    start_stream(&stuck, "/gated");
    start_stream(&silent, "/silent");
    start_stream(&away, "/stuck");
    start_stream(&held, "/pieces");
    assert_int_equal(nango_proxy_stream_start(client, &config, &stream, on_end,
                         &late.seen, &late.seen.call, NULL),
        NANGO_OK);
    run_until(&drip.ended, 1);
    assert_true(now_ms() - began > 2 * LIMIT_MS * 9 / 10);
    assert_int_equal(drip.error.code, NANGO_OK);
    assert_int_equal(drip.bytes, 12);
    run_until(&stuck.ended, 1);
    assert_int_equal(stuck.error.code, NANGO_E_TIMEOUT);
    assert_int_equal(stuck.bytes, 1);
    run_until(&silent.ended, 1);
    assert_int_equal(silent.error.code, NANGO_E_TIMEOUT);
    run_until(&away.ended, 1);
    assert_int_equal(away.error.code, NANGO_E_TIMEOUT);
    /* Those that the program holds have all the time. */
    assert_int_equal(held.ended + late.seen.ended, 0);
    nango_call_resume(held.call);
    nango_call_resume(late.seen.call);
    run_until(&held.ended, 1);
    run_until(&late.seen.ended, 1);
    assert_int_equal(held.error.code, NANGO_OK);
    assert_int_equal(late.seen.error.code, NANGO_OK);

    /* The same without a loop. */
    nango_client_set_timeout(client, 100);
    assert_int_equal(nango_proxy_stream(
                         client, &(nango_proxy_config){.endpoint = "/gated"}, NULL, &err),
        NANGO_E_TIMEOUT);
}

static void be_busy(struct seen *seen)
{
    if (seen->pieces == 1) {
        struct timespec time = {.tv_nsec = (LIMIT_MS + 100) * 1000000};

        nanosleep(&time, NULL);
        rough_open(); /* and what comes of that has come: */
        rough_await(ROUGH_PASSED, 2);
    }
}

/* What was there in time is not late because the program looks late. */
TEST(a_busy_program_does_not_run_out_of_time)
{
    struct seen busy = {.on_piece = be_busy}, other = {0};

    nango_client_set_timeout(client, LIMIT_MS);
    start_stream(&other, "/gated");
    run_until(&other.pieces, 1);
    start_stream(&busy, "/pieces");
    run_until(&busy.ended, 1);
    run_until(&other.ended, 1);
    assert_int_equal(busy.error.code, NANGO_OK);
    assert_int_equal(other.error.code, NANGO_OK);
}

TEST(redirects_share_one_time)
{
    int64_t began = now_ms();
    nango_error err;

    nango_client_set_timeout(client, 350);
    assert_int_equal(fetch("/hop", NULL, &err), NANGO_E_TIMEOUT);
    assert_true(now_ms() - began < 10 * 100);
}

TEST(the_longest_time_is_none_too_long)
{
    nango_client *patient = client_at(host, INT64_MAX);
    const nango_proxy_config config = {.endpoint = "/ok"};

    assert_int_equal(nango_proxy_stream(patient, &config, NULL, NULL), NANGO_OK);
    assert_int_equal(nango_proxy(patient, &config, NULL, NULL), NANGO_OK);
    nango_client_free(patient);
}

/* Before it is libcurl's, before it is connected, and when it is. */
TEST(a_call_can_be_paused_from_its_start)
{
    for (int turns = 0; turns < 4; turns++) {
        struct seen seen = {0};

        rough_reset();
        nango_detach(client); /* a new connection each time */
        assert_int_equal(nango_epoll_attach(client, &loop, NULL), NANGO_OK);
        start_stream(&seen, "/pieces");
        for (int i = 0; i < turns && seen.pieces == 0; i++)
            nango_epoll_run_once(loop, 0);
        nango_call_pause(seen.call);
        for (int i = 0; i < 200 && rough_count(ROUGH_PASSED) == 0 && seen.ended == 0; i++)
            nango_epoll_run_once(loop, 10);
        run_a_little();
        assert_int_equal(seen.pieces + seen.ended, 0);
        nango_call_resume(seen.call);
        run_until(&seen.ended, 1);
        assert_int_equal(seen.error.code, NANGO_OK);
        assert_int_equal(seen.bytes, 2);
    }
}

/* ---- loops ---- */

static int slots, timer_sets;

static bool watch_badly(void *user, int fd, int events, void **slot)
{
    (void)user;
    (void)fd;
    if (events == 0) {
        slots -= *slot != NULL;
        *slot = NULL;
        return true;
    }
    slots += *slot == NULL;
    *slot = &slots;
    return false;
}

static void set_timer(void *user, int64_t timeout_ms)
{
    (void)user;
    timer_sets += timeout_ms >= 0;
}

TEST(a_loop_that_refuses_may_forget)
{
    static const nango_loop operations = {watch_badly, set_timer, NULL, {NULL, NULL}};
    struct seen seen = {0};

    nango_detach(client);
    assert_int_equal(nango_attach(client, &operations, NULL, NULL), NANGO_OK);
    start(&seen, "/ok");
    for (int64_t until = now_ms() + SOON_MS; seen.ended == 0 && now_ms() < until;)
        nango_expired(client);
    assert_int_equal(seen.error.code, NANGO_E_STATE);
    nango_detach(client);
    assert_int_equal(slots, 0);
    assert_true(timer_sets > 0);
}

#define EDGE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EDGE(a_slow_lookup_holds_up_nothing),
        EDGE(no_part_of_the_key_is_told),
        EDGE(the_last_answer_stays_while_it_is_read),
        EDGE(no_loop_is_attached_while_one_is_let_go_of),
        EDGE(a_turn_that_came_too_early_is_made_up_for),
        EDGE(nothing_of_a_call_runs_after_another_cancelled_it),
        EDGE(a_call_that_waits_may_cancel_one_that_was_started),
        EDGE(a_stream_refused_while_it_goes_on_ends_at_once),
        EDGE(a_body_is_as_long_as_was_announced),
        EDGE(a_body_may_be_waited_for),
        EDGE(a_streams_time_counts_from_its_last_piece),
        EDGE(a_busy_program_does_not_run_out_of_time),
        EDGE(redirects_share_one_time),
        EDGE(the_longest_time_is_none_too_long),
        EDGE(a_call_can_be_paused_from_its_start),
        EDGE(a_loop_that_refuses_may_forget),
    };

    if (!rough_start(host, sizeof host))
        return 1;
    return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
