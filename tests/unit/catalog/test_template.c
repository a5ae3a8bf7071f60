/* SPDX-License-Identifier: Apache-2.0 */
/* Interpolation, URLs from templates, PEM: against the recorded tables, and what we do
 * otherwise on purpose. */
#include "test.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "catalog/pem.h"
#include "catalog/template.h"
#include "vectors.h"

static const struct template_stable frozen = {
    .random = "00000000-0000-4000-8000-000000000001", .now_ms = VECTORS_NOW_MS};

/* Where we differ from the recorded column, and why. */
static const struct {
    const char *template_text;
    const char *column;
    const char *ours;
    const char *why;
} differing[] = {
    {"${o}", "interpolateString", "${o}",
        "an object has no text: the placeholder stays, in every variant"},
};

static const char *expected(const cJSON *row, const char *column)
{
    const char *text = json_str(row, "template");

    for (size_t i = 0; i < sizeof differing / sizeof differing[0]; i++) {
        if (str_eq(differing[i].template_text, text) &&
            str_eq(differing[i].column, column)) {
            assert_string_not_equal(differing[i].ours, json_str(row, column));
            return differing[i].ours;
        }
    }
    return json_str(row, column);
}

static void check(const char *text, const cJSON *values, int flags, const char *want)
{
    char *got = template_render(text, values, &frozen, flags);

    if (!str_eq(got, want))
        fail_msg("%s: got %s, want %s", text, got, want);
    free(got);
}

TEST(templates_give_the_recorded_texts)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *values = json_get(vectors, "replacers");
    const cJSON *row;

    cJSON_ArrayForEach(row, json_get(vectors, "interpolate"))
    {
        const char *text = json_str(row, "template");
        check(text, values, TEMPLATE_NO_ALTERNATIVES, expected(row, "interpolateString"));
        check(text, values, 0, expected(row, "interpolateStringFromObject"));
        if (strstr(text, "${")) /* else headers are left alone */
            check(text, values, 0, expected(row, "interpolateIfNeeded"));
    }
    cJSON_Delete(vectors);
}

TEST(formats_of_now_follow_dayjs)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"${now:YY/M/D H:m:s.SSS}", "24/1/15 12:34:56.789"},
        {"${now:MMMM Do, dddd dd d}", "January 15th, Monday Mo 1"},
        {"${now:hh:mm a A h k kk Q}", "12:34 pm PM 12 12 12 1"},
        {"${now:[at] Z ZZ [YYYY]}", "at +00:00 +0000 YYYY"},
        {"${now:YYYYMMDD}T${now:HHmmss}", "20240115T123456"},
        {"${now+1:minutes:X}", "1705322156"},
        {"${now+1:M:YYYY-MM-DD}", "2024-02-15"},
        {"${now+1:m:HH:mm}", "12:35"},
        {"${now-15:days:D MMM YYYY}", "31 Dec 2023"},
        {"${now+45:days:D MMM YYYY}", "29 Feb 2024"},
        {"${now+2:weeks:D}", "29"},
        {"${now-1:year:YYYY}", "2023"},
        {"${now+500:ms:x}", "1705322097289"},
        {"${now+1:quarter:MM}", "04"},
        {"${now+7:fortnights:D}", "${now+7:fortnights:D}"},
        {"${now+x:days:D}", "${now+x:days:D}"},
        {"${now+99999999999:days:D}", "${now+99999999999:days:D}"},
        {"${nowhere}", "${nowhere}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i].text, NULL, 0, rows[i].want);
}

TEST(a_month_later_stays_within_the_month)
{
    struct template_stable end_of_january = {
        .now_ms = INT64_C(1706659200000)}; /* 31 Jan 2024 */
    char *got = template_render("${now+1:month:YYYY-MM-DD}", NULL, &end_of_january, 0);

    assert_string_equal(got, "2024-02-29");
    free(got);
}

TEST(one_request_has_one_random_and_another_request_another)
{
    struct template_stable stable = {.random = "11111111-2222-4333-8444-555555555555"};
    char *same = template_render("${random} ${random}", NULL, &stable, 0);
    char *fresh = template_render("${random} ${random}", NULL, NULL, 0);

    assert_string_equal(same,
        "11111111-2222-4333-8444-555555555555 11111111-2222-4333-8444-555555555555");
    assert_int_equal(strlen(fresh), 73);
    assert_memory_not_equal(fresh, fresh + 37, 36);
    free(same);
    free(fresh);
}

TEST(a_value_is_never_read_as_a_template)
{
    cJSON *values = cJSON_CreateObject();

    json_set_str(values, "a", "${secret}");
    json_set_str(values, "secret", "s3cr3t");
    json_set_str(values, "comma", "a,b)}c");
    check("${a}", values, 0, "${secret}");
    check("${a} || b", values, 0, "${secret}");
    check("${base64(${comma})}", values, 0, "YSxiKX1j");
    /* HMAC-SHA1 of "m" under "a,b)}c": the comma of the key is not a separator. */
    check("${hmacSha1Hex(m, ${comma})}", values, 0,
        "d9adca35bcc174d5da9488180fe624414252ea0c");
    cJSON_Delete(values);
}

TEST(prefixes_are_deleted_where_asked)
{
    cJSON *values = cJSON_CreateObject();

    json_set_str(values, "user", "u");
    check("${credentials.user}", values, 0, "${credentials.user}");
    check("${credentials.user}", values, TEMPLATE_STRIP_CREDENTIALS, "u");
    check("${connectionConfig.user}", values, TEMPLATE_STRIP_CONFIG, "u");
    check("${connectionConfig.user}", values, TEMPLATE_STRIP_CREDENTIALS,
        "${connectionConfig.user}");
    cJSON_Delete(values);
}

static cJSON *parse(const char *text)
{
    return json_parse(text, strlen(text), NULL);
}

TEST(only_texts_and_numbers_are_inserted)
{
    cJSON *values = parse("{\"t\":true,\"n\":null,\"l\":[1],\"d\":1.5,\"i\":12}");

    assert_non_null(values);
    check("${t} ${n} ${l} ${d} ${i} ${l[0]}", values, 0, "${t} ${n} ${l} 1.5 12 1");
    cJSON_Delete(values);
}

TEST(the_first_layer_that_knows_a_name_wins)
{
    cJSON *config = cJSON_CreateObject();
    cJSON *credentials = cJSON_CreateObject();
    struct buf out;

    json_set_str(config, "x", "from config");
    json_set_str(credentials, "x", "from credentials");
    buf_init(&out, 0);
    {
        const struct template_layer layers[] = {
            {.prefix = "token", .text = "T"},
            {.prefix = "connectionConfig", .object = config},
            {.object = credentials},
        };
        assert_true(template_append(
            "${token} ${connectionConfig.x} ${x}", layers, 3, &frozen, 0, &out));
        assert_string_equal(out.data, "T from config from credentials");
        buf_clear(&out);
        assert_false(
            template_append("${connectionConfig.y}", layers, 3, &frozen, 0, &out));
        assert_string_equal(out.data, "${connectionConfig.y}");
    }
    buf_finish(&out);
    cJSON_Delete(config);
    cJSON_Delete(credentials);
}

TEST(a_function_without_good_arguments_stays_whole)
{
    cJSON *values = cJSON_CreateObject();

    json_set_str(values, "key", "no key");
    check("${ed25519Sign(m, ${key})}", values, 0, "${ed25519Sign(m, ${key})}");
    check("${fingerprint(${key})}", values, 0, "${fingerprint(${key})}");
    check("${hmacSha1Hex(nocomma)}", values, 0, "${hmacSha1Hex(nocomma)}");
    check("${awsSigV4(a, b, c, d, e, f)}", values, 0, "${awsSigV4(a, b, c, d, e, f)}");
    check("${awsSigV4(${none}, b, c, d)}", values, 0, "${awsSigV4(${none}, b, c, d)}");
    check("${base64(${key}", values, 0, "${base64(no key");
    check("${unknown(x)}", values, 0, "${unknown(x)}");
    cJSON_Delete(values);
}

/* The key of the recorded streamline-ai case: 32 bytes of 0x09. */
TEST(ed25519_signs_and_fingerprints)
{
    cJSON *values = cJSON_CreateObject();
    char *got;

    json_set_str(values, "pem",
        "-----BEGIN PRIVATE "
        "KEY-----\\nMC4CAQAwBQYDK2VwBCIEIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ"
        "CQkJCQkJ\\n-----END PRIVATE KEY-----");
    got = template_render("${ed25519Sign(message, ${pem})}", values, &frozen, 0);
    assert_int_equal(strlen(got), 88);
    free(got);
    got = template_render("${fingerprint(${pem})}", values, &frozen, 0);
    assert_true(str_starts(got, "SHA256:"));
    assert_int_equal(strlen(got), 7 + 44);
    free(got);
    cJSON_Delete(values);
}

/* ---- URLs ---- */

/* Recorded results that we do not copy. */
static const char breaks_out[] =
    "https://${connectionConfig.sub}.x.test/a"; /* with a/b c */

TEST(urls_come_out_as_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *row;

    cJSON_ArrayForEach(row, json_get(vectors, "makeUrl"))
    {
        const cJSON *config = json_get(row, "config");
        const char *text = json_str(row, "template");
        const char *want = json_str(row, "result");
        struct err err = {0};
        char *got = template_url(text, config, false, &frozen, &err);

        if (str_eq(text, breaks_out) && str_eq(json_str(config, "sub"), "a/b c")) {
            /* Trap of the contract: the value would choose the host. */
            assert_null(got);
            assert_string_equal(err.code, "url_param_err");
        } else if (want) {
            assert_non_null(got);
            assert_string_equal(got, want);
        } else {
            assert_null(got);
            assert_string_equal(err.message, json_str(json_get(row, "result"), "error"));
        }
        free(got);
    }
    cJSON_Delete(vectors);
}

static void url_is(const char *text, const char *name, const char *value,
    bool skip_encode, const char *want)
{
    cJSON *config = cJSON_CreateObject();
    struct err err = {0};
    char *got;

    json_set_str(config, name, value);
    got = template_url(text, config, skip_encode, &frozen, &err);
    if (!str_eq(got, want))
        fail_msg("%s with %s=%s: got %s (%s), want %s", text, name, value,
            got ? got : "none", err.message, want ? want : "none");
    free(got);
    cJSON_Delete(config);
}

TEST(a_value_cannot_leave_its_place_in_a_url)
{
    static const char host[] = "https://${connectionConfig.h}.x.test/a";

    url_is(host, "h", "acme-1.eu", false, "https://acme-1.eu.x.test/a");
    url_is(host, "h", "evil.test/", false, NULL);
    url_is(host, "h", "evil.test?", false, NULL);
    url_is(host, "h", "evil.test#", false, NULL);
    url_is(host, "h", "me@evil.test", false, NULL);
    url_is(host, "h", "evil.test\\", false, NULL);
    url_is(host, "h", "evil%2etest", false, NULL);
    url_is(host, "h", "evil.test/", true, NULL); /* nor when encoding is switched off */
    url_is("https://${connectionConfig.h}/a", "h", "x.test:8443", false,
        "https://x.test:8443/a");
    url_is("https://${connectionConfig.h}/a", "h", "x.test:8443/b", false,
        "https://x.test:8443/b/a");
    url_is("https://${connectionConfig.h}", "h", "x.test/b/c-d_e.~1", false,
        "https://x.test/b/c-d_e.~1");
    url_is("https://${connectionConfig.h}/a", "h", "x.test/b/../c", false, NULL);
    url_is("https://${connectionConfig.h}/a", "h", "x.test/b?c", false, NULL);
    url_is("https://${connectionConfig.h}/a", "h", "x@y.test/b", false, NULL);
    url_is("https://a.${connectionConfig.h}/a", "h", "x.test/b", false, NULL);
    url_is("https://${connectionConfig.h}.x.test/a", "h", "y.test/b", false, NULL);
    url_is("https://${connectionConfig.h}/a", "h", "x.test:", false, NULL);
    url_is("https://x.test/${credentials.p}/b", "p", "../../c?d#e", false,
        "https://x.test/..%2F..%2Fc%3Fd%23e/b");
    url_is("https://x.test/${credentials.p}/b", "p", "c/d", true, "https://x.test/c/d/b");
    url_is("${connectionConfig.u}", "u", "not a url", false, NULL);
    url_is("${connectionConfig.u}", "u", "javascript:alert(1)", false, NULL);
    url_is(
        "${connectionConfig.u}/x", "u", "http://H.Test:80/p", false, "http://h.test/p/x");
}

TEST(the_error_of_a_url_does_not_show_the_value)
{
    cJSON *config = cJSON_CreateObject();
    struct err err = {0};

    json_set_str(config, "h", "s3cr3t/?");
    assert_null(
        template_url("https://${connectionConfig.h}/", config, false, &frozen, &err));
    assert_null(strstr(err.message, "s3cr3t"));
    cJSON_Delete(config);
}

/* ---- PEM, paths ---- */

TEST(keys_are_tidied_as_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *row;

    cJSON_ArrayForEach(row, json_get(vectors, "formatPem"))
    {
        struct err err = {0};
        char *got = pem_format(json_str(row, "pem"), "PRIVATE KEY", &err);
        const char *want = json_str(row, "result");

        if (want)
            assert_string_equal(got, want);
        else
            assert_string_equal(err.message, json_str(json_get(row, "result"), "error"));
        free(got);
    }
    cJSON_Delete(vectors);
}

TEST(long_keys_are_wrapped_and_keep_their_label)
{
    char *got =
        pem_format("-----BEGIN RSA PRIVATE KEY----- "
                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                   " -----END RSA PRIVATE KEY-----",
            "PRIVATE KEY", NULL);

    assert_string_equal(got,
        "-----BEGIN RSA PRIVATE KEY-----\n"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        "AAAA\n"
        "-----END RSA PRIVATE KEY-----\n");
    free(got);
    assert_null(pem_format("", "PRIVATE KEY", NULL));
}

TEST(paths_find_what_was_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *row;

    cJSON_ArrayForEach(row, json_get(vectors, "extractValueByPath"))
    {
        const cJSON *got = json_path(json_get(row, "object"), json_str(row, "path"));
        const cJSON *want = json_get(row, "result");

        if (cJSON_IsNull(want))
            assert_null(got);
        else
            assert_true(cJSON_Compare(got, want, true));
    }
    cJSON_Delete(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_give_the_recorded_texts),
        cmocka_unit_test(formats_of_now_follow_dayjs),
        cmocka_unit_test(a_month_later_stays_within_the_month),
        cmocka_unit_test(one_request_has_one_random_and_another_request_another),
        cmocka_unit_test(a_value_is_never_read_as_a_template),
        cmocka_unit_test(prefixes_are_deleted_where_asked),
        cmocka_unit_test(only_texts_and_numbers_are_inserted),
        cmocka_unit_test(the_first_layer_that_knows_a_name_wins),
        cmocka_unit_test(a_function_without_good_arguments_stays_whole),
        cmocka_unit_test(ed25519_signs_and_fingerprints),
        cmocka_unit_test(urls_come_out_as_recorded),
        cmocka_unit_test(a_value_cannot_leave_its_place_in_a_url),
        cmocka_unit_test(the_error_of_a_url_does_not_show_the_value),
        cmocka_unit_test(keys_are_tidied_as_recorded),
        cmocka_unit_test(long_keys_are_wrapped_and_keep_their_label),
        cmocka_unit_test(paths_find_what_was_recorded),
    };

    return RUN(tests);
}
