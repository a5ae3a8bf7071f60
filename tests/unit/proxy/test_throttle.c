/* SPDX-License-Identifier: Apache-2.0 */
/* What answers teach, who is held back by it, and declared rates. */
#include "proxy/throttle.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "test.h"

#define NOW_MS INT64_C(1700000000000)

static struct throttle *throttle;
static struct provider provider;
static cJSON *entry;

static void begin(const char *text)
{
    throttle = throttle_new();
    entry = json_parse(text, strlen(text), NULL);
    assert_non_null(entry);
    provider.entry = entry;
}

static void end(void)
{
    throttle_free(throttle);
    cJSON_Delete(entry);
}

static struct throttle_call call_of(int64_t connection, bool background, int64_t now_ms)
{
    return (struct throttle_call){.integration_id = 1,
        .connection_id = connection,
        .provider = &provider,
        .background = background,
        .now_ms = now_ms};
}

static int64_t ask(int64_t connection, bool background, int64_t now_ms)
{
    struct throttle_call call = call_of(connection, background, now_ms);

    return throttle_ask(throttle, &call);
}

/* Headers as "name: value" each; ends with NULL. */
static void learn(int64_t connection, int status, const char *const *lines)
{
    struct throttle_call call = call_of(connection, false, NOW_MS);
    struct http_headers headers = {0};

    for (; *lines != NULL; lines += 2)
        http_headers_add(&headers, lines[0], lines[1]);
    throttle_learn(throttle, &call, status, &headers);
    http_headers_finish(&headers);
}

#define LEARN(connection, status, ...)                                                   \
    learn(connection, status, (const char *const[]){__VA_ARGS__, NULL})

TEST(nothing_is_held_back_before_a_provider_has_said_so)
{
    begin("{}");
    assert_int_equal(ask(1, true, NOW_MS), 0);
    LEARN(1, 200, "Content-Type", "a/b");
    LEARN(1, 500, "Retry-After", "60");
    assert_int_equal(ask(1, true, NOW_MS), 0);
    end();
}

TEST(who_is_told_to_wait_waits_and_those_that_somebody_waits_for_do_not)
{
    begin("{}");
    LEARN(1, 429, "Retry-After", "30");
    assert_int_equal(ask(1, true, NOW_MS), 30000);
    assert_int_equal(ask(1, true, NOW_MS), 30020); /* one after the other */
    assert_int_equal(ask(1, false, NOW_MS), 0);
    assert_int_equal(ask(2, true, NOW_MS), 0); /* another connection */
    assert_int_equal(ask(1, true, NOW_MS + 30000), 0);
    end();
}

TEST(a_refusal_without_a_time_holds_for_a_moment)
{
    begin("{}");
    LEARN(1, 429, "Content-Type", "a/b");
    assert_int_equal(ask(1, true, NOW_MS), 1000);
    LEARN(2, 503, "Content-Type", "a/b"); /* as any fault */
    assert_int_equal(ask(2, true, NOW_MS), 0);
    LEARN(3, 503, "Retry-After", "Tue, 14 Nov 2023 22:13:30 GMT");
    assert_int_equal(ask(3, true, NOW_MS), 10000);
    LEARN(4, 429, "Retry-After", "999999999");
    assert_int_equal(ask(4, true, NOW_MS), 3600000); /* no longer than an hour */
    end();
}

TEST(what_is_left_is_kept_for_those_that_somebody_waits_for)
{
    begin("{}");
    LEARN(1, 200, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "12",
        "X-RateLimit-Reset", "1700000060");
    assert_int_equal(ask(1, true, NOW_MS), 0); /* 11 are left */
    assert_int_equal(ask(1, true, NOW_MS), 0); /* 10: a tenth */
    assert_int_equal(ask(1, true, NOW_MS), 60000);
    assert_int_equal(ask(1, false, NOW_MS), 0);
    assert_int_equal(ask(1, true, NOW_MS + 60000), 0);
    end();
}

TEST(each_spelling_is_understood)
{
    static const struct {
        const char *lines[7];
    } rows[] = {
        {{"RateLimit-Remaining", "0", "RateLimit-Reset", "5", NULL}},
        {{"RateLimit", "\"default\";r=0;t=5", NULL}},
        {{"RateLimit", "limit=10, remaining=0, reset=5", NULL}},
        {{"RateLimit", "\"a\";r=1;t=5", "RateLimit-Policy", "\"a\";q=10;w=60", NULL}},
        {{"X-Rate-Limit-Remaining", "0", "X-Rate-Limit-Reset", "1700000005", NULL}},
        {{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1700000005000", NULL}},
        {{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "2023-11-14T22:13:25Z",
            NULL}},
        {{"X-Own-Left", "0", "X-Own-At", "1700000005", NULL}},
    };

    begin("{\"proxy\":{\"retry\":{\"remaining\":\"X-Own-Left\",\"at\":[\"X-Own-At\"]}}}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        learn((int64_t)i + 1, 200, rows[i].lines);
        assert_int_equal(ask((int64_t)i + 1, true, NOW_MS), 5000);
    }
    end();
}

TEST(nonsense_is_nothing)
{
    begin("{}");
    LEARN(1, 200, "RateLimit-Remaining", "many", "RateLimit-Reset", "soon");
    LEARN(1, 200, "RateLimit-Remaining", "-1", "RateLimit-Reset", "-5");
    LEARN(1, 200, "RateLimit", ";;;,,,=", "RateLimit-Policy", "q");
    LEARN(1, 200, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "nan");
    LEARN(1, 200, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "");
    assert_int_equal(ask(1, true, NOW_MS), 0);
    end();
}

TEST(a_declared_rate_holds_for_all_and_leaves_a_tenth_to_those_that_wait)
{
    begin("{\"proxy\":{\"rate_limit\":{\"requests\":10,\"seconds\":10}}}");
    for (int i = 0; i < 9; i++)
        assert_int_equal(ask(1, true, NOW_MS), 0);
    assert_int_equal(ask(1, true, NOW_MS), 1000);
    assert_int_equal(ask(1, false, NOW_MS), 0);
    assert_int_equal(ask(1, false, NOW_MS), 1000);
    assert_int_equal(ask(2, false, NOW_MS), 0); /* of each connection */
    assert_int_equal(ask(1, false, NOW_MS + 1000), 0);
    end();
}

TEST(a_rate_may_be_that_of_the_integration)
{
    begin("{\"proxy\":{\"rate_limit\":{\"requests\":1,\"seconds\":2,"
          "\"scope\":\"integration\"}}}");
    assert_int_equal(ask(1, true, NOW_MS), 0); /* of one there is no tenth */
    assert_int_equal(ask(2, false, NOW_MS), 2000);
    assert_int_equal(ask(2, false, NOW_MS + 2000), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_held_back_before_a_provider_has_said_so),
        cmocka_unit_test(
            who_is_told_to_wait_waits_and_those_that_somebody_waits_for_do_not),
        cmocka_unit_test(a_refusal_without_a_time_holds_for_a_moment),
        cmocka_unit_test(what_is_left_is_kept_for_those_that_somebody_waits_for),
        cmocka_unit_test(each_spelling_is_understood),
        cmocka_unit_test(nonsense_is_nothing),
        cmocka_unit_test(
            a_declared_rate_holds_for_all_and_leaves_a_tenth_to_those_that_wait),
        cmocka_unit_test(a_rate_may_be_that_of_the_integration),
    };

    return RUN(tests);
}
