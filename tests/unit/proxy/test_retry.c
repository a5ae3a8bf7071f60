/* SPDX-License-Identifier: Apache-2.0 */
/* Whether and when a failed call is tried again: the recorded table, and what it leaves
 * out. */
#include "test.h"

#include <string.h>

#include "base/str.h"
#include "catalog/catalog.h"
#include "catalog/plan.h"
#include "proxy/retry.h"
#include "vectors.h"

/* Rows of the recorded table that end otherwise here. */
static const struct {
    const char *label;
    const char *reason; /* NULL = the row is not run */
    int64_t wait_ms;
    const char *why;
} differing[] = {
    {"EAI_AGAIN", "not_retryable", 0,
        "the resolver's passing and lasting failures are one case below us "
        "(UP_UNRESOLVED)"},
    {"in_body slashed pattern", "preconfigured_in_body:at", 304000,
        "the slashes are delimiters, not part of the pattern"},
    {"script header after", NULL, 0,
        "a header named by a script: scripts call another way"},
};

static const struct {
    const char *code;
    enum up_failure failure;
} codes[] = {
    {"ECONNRESET", UP_RESET},
    {"ECONNREFUSED", UP_REFUSED},
    {"ENOTFOUND", UP_UNRESOLVED},
    {"EAI_AGAIN", UP_UNRESOLVED},
};

static enum up_failure failure_of(const char *code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (str_eq(codes[i].code, code))
            return codes[i].failure;
    }
    fail_msg("unknown code %s", code);
    return UP_FAILED;
}

/* A provider with these retry rules and nothing else. */
struct given {
    struct provider provider;
    struct provider_plan plan;
    struct http_headers headers;
    struct retry_case c;
};

static void given_rules(struct given *given, const cJSON *rules)
{
    memset(given, 0, sizeof *given);
    given->plan.retry = cJSON_IsObject(rules) ? rules : NULL;
    given->provider.plan = &given->plan;
    given->c = (struct retry_case){.provider = &given->provider,
        .headers = &given->headers,
        .now_ms = VECTORS_NOW_MS};
}

static void decide_row(const cJSON *row, struct retry_verdict *verdict)
{
    struct given given;
    const cJSON *header;
    int retry_on[4];
    int64_t status = 0;
    char *body = json_print(json_get(row, "data"));

    given_rules(&given, json_get(row, "provider_retry"));
    cJSON_ArrayForEach(header, json_get(row, "headers"))
        http_headers_add(&given.headers, header->string, header->valuestring);
    cJSON_ArrayForEach(header, json_get(row, "retryOn"))
        retry_on[given.c.retry_on_count++] = header->valueint;
    given.c.retry_on = retry_on;
    json_i64(row, "status", &status);
    given.c.status = (int)status;
    if (json_str(row, "code"))
        given.c.failure = failure_of(json_str(row, "code"));
    given.c.body = body;
    given.c.body_len = strlen(body);
    retry_decide(&given.c, verdict);
    http_headers_finish(&given.headers);
    free(body);
}

static bool is_wait_reason(const char *reason)
{
    return str_starts(reason, "preconfigured_");
}

TEST(decisions_are_those_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *row;
    size_t listed = 0;

    cJSON_ArrayForEach(row, json_get(vectors, "retry"))
    {
        const char *label = json_str(row, "label");
        const cJSON *result = json_get(row, "result");
        const char *reason = json_str(result, "reason");
        bool retry = json_bool(result, "retry", false);
        int64_t wait_ms = 3000;
        struct retry_verdict verdict;
        bool skipped = false;

        json_i64(result, "wait", &wait_ms);
        for (size_t i = 0; i < sizeof differing / sizeof differing[0]; i++) {
            if (!str_eq(differing[i].label, label))
                continue;
            listed++;
            skipped = differing[i].reason == NULL;
            reason = differing[i].reason;
            retry = !skipped && !str_eq(reason, "not_retryable");
            wait_ms = differing[i].wait_ms;
        }
        if (skipped)
            continue;
        decide_row(row, &verdict);
        if (verdict.retry != retry)
            fail_msg("%s: retry %d", label, verdict.retry);
        if (!retry) {
            assert_string_equal(verdict.reason, "not_retryable");
            continue;
        }
        assert_string_equal(
            is_wait_reason(reason) ? verdict.wait_reason : verdict.reason, reason);
        if (verdict.wait_ms != wait_ms)
            fail_msg("%s: waits %lld ms", label, (long long)verdict.wait_ms);
    }
    assert_int_equal(listed, sizeof differing / sizeof differing[0]);
    cJSON_Delete(vectors);
}

TEST(the_wait_doubles_up_to_ten_minutes)
{
    static const int64_t want[] = {
        3000, 6000, 12000, 24000, 48000, 96000, 192000, 384000, 600000, 600000};
    struct given given;
    struct retry_verdict verdict;

    given_rules(&given, NULL);
    given.c.status = 500;
    for (int i = 0; i < 10; i++) {
        given.c.attempt = i;
        retry_decide(&given.c, &verdict);
        assert_int_equal(verdict.wait_ms, want[i]);
        assert_string_equal(verdict.wait_reason, "backoff");
    }
    given.c.attempt = 2;
    given.c.backoff_base_ms = 100;
    retry_decide(&given.c, &verdict);
    assert_int_equal(verdict.wait_ms, 400);
}

TEST(network_failures_are_told_apart)
{
    static const struct {
        enum up_failure failure;
        bool retry;
    } rows[] = {
        {UP_RESET, true},
        {UP_TIMEOUT, true},
        {UP_REFUSED, true},
        {UP_UNREACHABLE, true},
        {UP_DENIED, false},
        {UP_TLS, false},
        {UP_BAD_URL, false},
        {UP_TOO_LARGE, false},
    };
    struct given given;
    struct retry_verdict verdict;

    given_rules(&given, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        given.c.failure = rows[i].failure;
        retry_decide(&given.c, &verdict);
        assert_int_equal(verdict.retry, rows[i].retry);
    }
}

/* What a provider sends is not trusted: no value crashes, loops or gives a wait below 0.
 */
TEST(strange_header_values_fall_back)
{
    static const struct {
        const char *rule;
        const char *value;
        int64_t wait_ms;
    } rows[] = {
        {"{\"at\":[\"h\"]}", "Mon, 15 Jan 2024 12:36:00 GMT", 64000},
        {"{\"at\":[\"h\"]}", "1e300", 3000},
        {"{\"at\":[\"h\"]}", "-1e300", 3000},
        {"{\"at\":[\"h\"]}", "nan", 3000},
        {"{\"at\":[\"h\"]}", "inf", 3000},
        {"{\"at\":[\"h\"]}", "", 3000},
        {"{\"at\":[\"h\"]}", "soon", 3000},
        {"{\"after\":[\"h\"]}", "0.2", 200},
        {"{\"after\":[\"h\"]}", "0", 3000},
        {"{\"after\":[\"h\"]}", "-5", 3000},
        {"{\"after\":[\"h\"]}", "1e300", 3000},
        {"{\"after\":[\"h\"]}", " 5 ", 3000},
        {"{\"after\":[]}", "5", 3000},
        {"{\"after\":\"h\"}", "5", 3000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *rules = json_parse(rows[i].rule, strlen(rows[i].rule), NULL);
        struct given given;
        struct retry_verdict verdict;

        given_rules(&given, rules);
        http_headers_add(&given.headers, "h", rows[i].value);
        given.c.status = 429;
        retry_decide(&given.c, &verdict);
        assert_true(verdict.retry);
        if (verdict.wait_ms != rows[i].wait_ms)
            fail_msg("%s %s: waits %lld", rows[i].rule, rows[i].value,
                (long long)verdict.wait_ms);
        http_headers_finish(&given.headers);
        cJSON_Delete(rules);
    }
}

TEST(a_broken_body_does_not_matter)
{
    static const char rules_text[] = "{\"in_body\":{\"path\":\"e.m\",\"value\":\"after "
                                     "([0-9]+)\",\"strategy\":\"after\"}}";
    static const struct {
        const char *body;
        int64_t wait_ms;
    } rows[] = {
        {"{\"e\":{\"m\":\"after 5\"}}", 5000},
        {"{\"e\":{\"m\":\"before 5\"}}", 3000},
        {"{\"e\":{\"m\":7}}", 3000},
        {"{\"e\":", 3000},
        {"", 3000},
    };
    cJSON *rules = json_parse(rules_text, sizeof rules_text - 1, NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct given given;
        struct retry_verdict verdict;

        given_rules(&given, rules);
        given.c.status = 429;
        given.c.body = rows[i].body;
        given.c.body_len = strlen(rows[i].body);
        retry_decide(&given.c, &verdict);
        assert_int_equal(verdict.wait_ms, rows[i].wait_ms);
    }
    cJSON_Delete(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions_are_those_recorded),
        cmocka_unit_test(the_wait_doubles_up_to_ten_minutes),
        cmocka_unit_test(network_failures_are_told_apart),
        cmocka_unit_test(strange_header_values_fall_back),
        cmocka_unit_test(a_broken_body_does_not_matter),
    };

    return RUN(tests);
}
