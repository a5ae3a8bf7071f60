/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to other servers, where a real peer cannot be made to behave like that: a resolver
 * that does not answer. And what needs no peer: inflating, policies, redirect targets. */
#include "test.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/inflate.h"
#include "net/policy.h"
#include "world.h"

/* ---- a name that is slow to resolve ---- */

static sem_t asked, answer_now, answered;
static atomic_bool in_vain; /* nobody said answer_now in time */
static atomic_bool given_up;

typedef int resolve(
    const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* In place of the system's: libcurl's threads call this one. Addresses need no resolver. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name,
    const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    struct timespec end;

    if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0) {
        void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
        resolve *real;

        memcpy(&real, &symbol, sizeof real);
        return real(name, service, hints, out);
    }
    *out = NULL;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LIMIT_MS / 1000;
    sem_post(&asked);
    if (sem_timedwait(&answer_now, &end) != 0)
        atomic_store(&in_vain, true);
    sem_post(&answered);
    return EAI_AGAIN;
}

static struct world world;
static struct up_call *slow_call;

static void on_done(void *arg, enum up_failure failure, const char *message)
{
    (void)arg;
    (void)failure;
    (void)message;
    slow_call = NULL;
}

static void call_slow(void *arg)
{
    static const struct up_ops ops = {.on_done = on_done};
    static const struct up_request request = {
        .method = "GET", .url = "http://slow.test/"};

    (void)arg;
    slow_call = up_start(world.pool, &request, &ops, NULL);
}

static void give_up(void *arg)
{
    (void)arg;
    up_cancel(slow_call);
}

TEST(a_call_that_is_given_up_does_not_wait_for_its_name)
{
    sem_init(&asked, 0, 0);
    sem_init(&answer_now, 0, 0);
    sem_init(&answered, 0, 0);
    world_start(&world, NULL);
    world_call(&world, call_slow, NULL);
    sem_wait(&asked);
    world_call(&world, give_up, NULL); /* with a join in it, this outlasts the resolver */
    assert_false(atomic_load(&in_vain));
    sem_post(&answer_now);
    sem_wait(&answered);
    world_stop(&world);
}

/* ---- a peer that takes the request and says nothing ---- */

static void *give_up_once_asked(void *arg)
{
    int *listener = arg, peer = accept(*listener, NULL, NULL);
    char byte;

    /* the call is on its way; its other end closes when it has ended */
    (void)recv(peer, &byte, 1, 0);
    atomic_store(&given_up, true);
    while (recv(peer, &byte, 1, 0) > 0)
        continue;
    close(peer);
    return NULL;
}

TEST(a_blocking_call_ends_soon_when_nobody_wants_its_answer)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int64_t began_ms = clock_mono_ms();
    struct up_request request = {.method = "GET"};
    const struct up_blocking call = {
        .request = &request, .timeout_ms = LIMIT_MS, .given_up = &given_up};
    struct up_answer answer;
    pthread_t thread;
    char url[64];

    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(
        url, sizeof url, "http://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
    request.url = url;
    atomic_store(&given_up, false);
    assert_int_equal(pthread_create(&thread, NULL, give_up_once_asked, &listener), 0);
    assert_false(up_call_blocking(&call, &answer));
    assert_int_equal(answer.failure, UP_FAILED);
    assert_true(clock_mono_ms() - began_ms < LIMIT_MS / 2);
    up_answer_finish(&answer);
    pthread_join(thread, NULL);
    close(listener);
}

/* ---- inflating ---- */

struct taken {
    struct buf bytes;
    bool refuses; /* every other piece, the first time it is offered */
    bool refused;
    size_t longest;
};

static bool take(void *arg, const char *data, size_t len)
{
    struct taken *t = arg;

    t->refused = t->refuses && !t->refused;
    if (t->refused)
        return false;
    if (len > t->longest)
        t->longest = len;
    buf_append(&t->bytes, data, len);
    return true;
}

/* `text` under gzip (31), zlib (15) or raw deflate (-15). */
static void deflate_text(int window, const char *text, size_t len, struct buf *out)
{
    z_stream z = {0};

    assert_int_equal(
        deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)buf_room(out, len + 1000);
    z.avail_out = (uInt)len + 1000;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_added(out, z.total_out);
    deflateEnd(&z);
}

/* Feeds in steps, each again from its beginning while it is refused, as libcurl does. */
static enum inflate_result feed(
    struct inflater *inflater, const struct buf *in, size_t step, struct taken *t)
{
    enum inflate_result result = INFLATE_ON;

    for (size_t at = 0; at < in->len && result == INFLATE_ON; at += step) {
        size_t n = in->len - at < step ? in->len - at : step;

        do
            result = inflater_feed(inflater, in->data + at, n, take, t);
        while (result == INFLATE_WAIT);
    }
    return result;
}

TEST(what_was_coded_comes_back_piece_by_piece)
{
    static const struct {
        const char *coding;
        int window;
    } rows[] = {
        {"gzip", 31}, {"x-gzip", 31}, {"GZIP", 31}, {"deflate", 15}, {"deflate", -15}};
    size_t len = 1 << 20;
    char *text = mem_alloc(len);

    for (size_t i = 0; i < len; i++)
        text[i] = i < len / 2 ? 'z' : (char)('a' + i * i % 23);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const size_t steps[] = {1, 1000, 1 << 20};
        struct buf coded;

        buf_init(&coded, 0);
        deflate_text(rows[i].window, text, len, &coded);
        if (rows[i].window == 31) /* gzip files may follow one another */
            deflate_text(31, text, len, &coded);
        for (size_t s = 0; s < 6; s++) {
            struct inflater *inflater = inflater_new(rows[i].coding);
            struct taken t = {.refuses = s >= 3};
            size_t want = rows[i].window == 31 ? 2 * len : len;

            buf_init(&t.bytes, 0);
            assert_true(inflater_is_whole(inflater));
            assert_int_equal(feed(inflater, &coded, steps[s % 3], &t), INFLATE_ON);
            assert_true(inflater_is_whole(inflater));
            assert_int_equal(t.bytes.len, want);
            assert_memory_equal(t.bytes.data, text, len);
            assert_memory_equal(t.bytes.data + want - len, text, len);
            assert_true(t.longest <= 16384);
            buf_finish(&t.bytes);
            inflater_free(inflater);
        }
        buf_finish(&coded);
    }
    free(text);
}

TEST(what_is_not_what_its_coding_says_is_broken)
{
    struct buf coded, plain;
    struct taken t = {0};
    struct inflater *inflater = inflater_new("gzip");

    buf_init(&coded, 0);
    buf_init(&plain, 0);
    buf_init(&t.bytes, 0);
    buf_puts(&plain, "this is no gzip file");
    assert_int_equal(feed(inflater, &plain, 100, &t), INFLATE_BROKEN);
    inflater_free(inflater);

    deflate_text(31, "cut short", 9, &coded);
    coded.len -= 4;
    inflater = inflater_new("gzip");
    assert_int_equal(feed(inflater, &coded, 100, &t), INFLATE_ON);
    assert_false(inflater_is_whole(inflater));
    inflater_free(inflater);

    inflater = inflater_new("br");
    assert_int_equal(feed(inflater, &plain, 100, &t), INFLATE_BROKEN);
    inflater_free(inflater);
    assert_null(inflater_new("aws-chunked"));
    assert_null(inflater_new("gzip, br"));
    buf_finish(&coded);
    buf_finish(&plain);
    buf_finish(&t.bytes);
}

/* ---- policies and redirects ---- */

TEST(an_overlay_takes_back_what_permissive_opened)
{
    struct policy policy;
    struct err err = {0};

    policy_init(&policy, false);
    assert_false(policy_check_url(&policy, "http://127.0.0.1/", &err));
    assert_true(policy_apply_json(&policy,
        "{\"mode\":\"permissive\",\"denylist\":[],\"blockPrivateIps\":false}", &err));
    assert_true(policy_check_url(&policy, "http://127.0.0.1/", &err));
    assert_true(policy_apply_json(&policy, "{\"mode\":\"denylist\"}", &err));
    assert_false(policy_check_url(&policy, "http://127.0.0.1/", &err));
    policy_finish(&policy);
}

TEST(a_location_is_read_against_the_url_it_came_from)
{
    static const char *const rows[][3] = {
        {"https://a.test/b/c?q=1", "d", "https://a.test/b/d"},
        {"https://a.test/b/c?q=1", "?r", "https://a.test/b/c?r"},
        {"https://a.test/b/c?q=1#x", "#y", "https://a.test/b/c?q=1"},
        {"https://a.test/b/c", "//c.test/", "https://c.test/"},
        {"https://a.test/b/c", "http://c.test/x?y", "http://c.test/x?y"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *url = up_resolve_url(rows[i][0], rows[i][1]);

        assert_string_equal(url, rows[i][2]);
        free(url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_is_given_up_does_not_wait_for_its_name),
        cmocka_unit_test(a_blocking_call_ends_soon_when_nobody_wants_its_answer),
        cmocka_unit_test(what_was_coded_comes_back_piece_by_piece),
        cmocka_unit_test(what_is_not_what_its_coding_says_is_broken),
        cmocka_unit_test(an_overlay_takes_back_what_permissive_opened),
        cmocka_unit_test(a_location_is_read_against_the_url_it_came_from),
    };

    up_global_init();
    return RUN(tests);
}
