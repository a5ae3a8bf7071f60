/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that we sign and answers that we read for the modes that obtain their own
 * credentials, without a network; some against the reference's recorded results. */
#include "world.h"

#include "auth/aws_sts.h"
#include "auth/jwt.h"
#include "auth/token_steps.h"
#include "auth/wsse.h"
#include "auth/xml.h"
#include "vectors.h"

static const struct template_stable frozen = {.now_ms = VECTORS_NOW_MS};

static struct provider provider_of(const cJSON *entry)
{
    return (struct provider){.name = "acme", .entry = entry};
}

TEST(a_token_is_signed_as_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *want = json_get(json_get(vectors, "jwt"), "result");
    cJSON *entry = json_of(
        "{\"signature\":{\"protocol\":\"HMAC\",\"hmac_secret_encoding\":\"utf8\"},"
        "\"token\":{\"signing_key\":\"${credentials.secret}\",\"expires_in_ms\":60000,"
        "\"header\":{\"alg\":\"HS256\",\"typ\":\"JWT\"},\"payload\":{"
        "\"iss\":\"${credentials.id}\",\"aud\":[\"${credentials.aud}\",\"x, y\"],"
        "\"sub\":\"${connectionConfig.company}\",\"n\":null,"
        "\"gone\":\"${credentials.gone}\"}}}");
    struct provider provider = provider_of(entry);
    cJSON *config = json_of("{\"company\":\"acme\"}");
    struct err err = {0};
    int64_t expires_at_ms, exp_ms;
    char text[CLOCK_TEXT_SIZE];
    struct buf token;

    buf_init(&token, 0);
    assert_true(jwt_of_entry(&provider, json_get(json_get(vectors, "jwt"), "input"),
        config, &frozen, &token, &expires_at_ms, &err));
    assert_string_equal(token.data, json_str(want, "token"));
    clock_text_z(expires_at_ms, text);
    assert_string_equal(text, json_str(want, "expires_at"));
    assert_true(jwt_expiry(token.data, &exp_ms));
    assert_int_equal(exp_ms, expires_at_ms / 1000 * 1000);
    buf_finish(&token);
    cJSON_Delete(vectors);
    cJSON_Delete(entry);
    cJSON_Delete(config);
}

TEST(a_token_that_cannot_be_made_says_why)
{
    static const struct {
        const char *entry, *code;
    } cases[] = {
        {"{}", "missing_token_body"},
        {"{\"token\":{\"signing_key\":\"k\",\"expires_in_ms\":60000}}",
            "missing_signature_type"},
        {"{\"signature\":{\"protocol\":\"HMAC\"},\"token\":{\"signing_key\":\"xyz\","
         "\"expires_in_ms\":60000,\"header\":{\"alg\":\"HS256\"}}}",
            "failed_to_generate"},
        {"{\"signature\":{\"protocol\":\"RSA\"},\"token\":{\"signing_key\":\"xyz\","
         "\"expires_in_ms\":60000,\"header\":{\"alg\":\"RS256\"}}}",
            "failed_to_generate"},
        {"{\"signature\":{\"protocol\":\"RSA\"},\"token\":{\"signing_key\":\"xyz\","
         "\"expires_in_ms\":60000,\"header\":{\"alg\":\"none\"}}}",
            "failed_to_generate"},
        {"{\"signature\":{\"protocol\":\"RSA\"},\"token\":{\"signing_key\":\"${absent}\","
         "\"expires_in_ms\":60000,\"header\":{\"alg\":\"RS256\"}}}",
            "failed_to_generate"},
    };
    cJSON *none = json_of("{}");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = json_of(cases[i].entry);
        struct provider provider = provider_of(entry);
        struct err err = {0};
        int64_t expires_at_ms;
        struct buf token;

        buf_init(&token, 0);
        assert_false(
            jwt_of_entry(&provider, none, none, &frozen, &token, &expires_at_ms, &err));
        assert_string_equal(err.code, cases[i].code);
        assert_int_equal(err.status, 400);
        buf_finish(&token);
        cJSON_Delete(entry);
    }
    cJSON_Delete(none);
}

TEST(what_is_no_token_has_no_end)
{
    static const char *const texts[] = {"", "a.b.c", "eyJ", "eyJ.", "eyJ..", "eyJ.!.",
        "eyJ.e30.", "eyJ.bnVsbA.", "eyJ.eyJleHAiOiIxIn0.", "eyJ.eyJleHAiOjFlMzB9."};
    int64_t at_ms;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(jwt_expiry(texts[i], &at_ms));
}

TEST(a_wsse_token_is_as_recorded)
{
    cJSON *vectors = read_json(VECTORS);
    const cJSON *row = json_get(vectors, "wsse");
    struct buf token;

    buf_init(&token, 0);
    wsse_token(json_str(row, "username"), json_str(row, "password"),
        "07070707070707070707070707070707", VECTORS_NOW_MS, &token);
    assert_string_equal(token.data, json_str(json_get(row, "result"), "token"));
    buf_finish(&token);
    cJSON_Delete(vectors);
}

TEST(xml_is_read_as_objects)
{
    static const struct {
        const char *text, *json; /* NULL = refused */
    } cases[] = {
        {"<a/>", "{\"a\":\"\"}"},
        {"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- c --><a> x </a>\n<!-- d -->",
            "{\"a\":\"x\"}"},
        {"<n:a xmlns:n='u'><n:b>1</n:b><b>2</b><b/></n:a>",
            "{\"a\":{\"$\":{\"n\":\"u\"},\"b\":[\"1\",\"2\",\"\"]}}"},
        {"<a b=\"1&amp;2\">t<c/></a>",
            "{\"a\":{\"$\":{\"b\":\"1&2\"},\"c\":\"\",\"_\":\"t\"}}"},
        {"<a>&lt;&gt;&quot;&apos;&#65;&#x20ac;<![CDATA[<&]]></a>",
            "{\"a\":\"<>\\\"'A\xe2\x82\xac<&\"}"},
        {"", NULL},
        {"x", NULL},
        {"<a>", NULL},
        {"<a></b>", NULL},
        {"<a/><b/>", NULL},
        {"<a/>x", NULL},
        {"<a b></a>", NULL},
        {"<a b=c/>", NULL},
        {"<a>&x;</a>", NULL},
        {"<a>&#0;</a>", NULL},
        {"<a>&#xd800;</a>", NULL},
        {"<a>&#x110000;</a>", NULL},
        {"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", NULL},
        {"<a><![CDATA[</a>", NULL},
        {"<a><!-- </a>", NULL},
        {"<a \xff=''/>", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *value = xml_parse(cases[i].text, strlen(cases[i].text));
        char *json = value != NULL ? json_print(value) : NULL;

        if (cases[i].json == NULL && json != NULL)
            fail_msg("%s was read", cases[i].text);
        if (cases[i].json != NULL && !str_eq(json, cases[i].json))
            fail_msg("%s gave %s", cases[i].text, json != NULL ? json : "nothing");
        free(json);
        cJSON_Delete(value);
    }
}

TEST(xml_of_any_depth_and_breadth_is_refused_in_time)
{
    struct buf text;

    buf_init(&text, 0);
    for (int i = 0; i < 100000; i++)
        buf_puts(&text, "<a>");
    assert_null(xml_parse(text.data, text.len));
    buf_clear(&text);
    buf_puts(&text, "<a>");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "<e%d/>", i);
    buf_puts(&text, "</a>");
    assert_null(xml_parse(text.data, text.len));
    buf_clear(&text);
    buf_puts(&text, "<a");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, " a%d=''", i);
    buf_puts(&text, "/>");
    assert_null(xml_parse(text.data, text.len));
    buf_finish(&text);
}

/* When a token ends, by what the entry and the answer say. */
TEST(a_two_step_token_ends_when_the_catalogue_says)
{
    static const struct {
        const char *entry, *answer;
        int64_t life_s; /* 0 = never, -1 = 99 years */
    } cases[] = {
        {"{\"token_response\":{\"token\":\"t\"}}", "{\"t\":\"x\"}", -1},
        {"{\"token_response\":{\"token\":\"t\"},\"token_expires_in_ms\":0}",
            "{\"t\":\"x\"}", 0},
        {"{\"token_response\":{\"token\":\"t\"},\"token_expires_in_ms\":5000}",
            "{\"t\":\"x\"}", 5},
        {"{\"token_response\":{\"token\":\"t\",\"token_expiration\":\"e\","
         "\"token_expiration_strategy\":\"expireIn\"}}",
            "{\"t\":\"x\",\"e\":60}", 60},
        {"{\"token_response\":{\"token\":\"t\",\"token_expiration\":\"e\","
         "\"token_expiration_strategy\":\"expireIn\"}}",
            "{\"t\":\"x\",\"e\":\"60\"}", 60},
        {"{\"token_response\":{\"token\":\"t\",\"token_expiration\":\"e\","
         "\"token_expiration_strategy\":\"expireIn\"}}",
            "{\"t\":\"x\",\"e\":\"2h\"}", 7200},
        {"{\"token_response\":{\"token\":\"t\",\"token_expiration\":\"e\","
         "\"token_expiration_strategy\":\"expireIn\"}}",
            "{\"t\":\"x\",\"e\":\"1.5 minutes\"}", 90},
        {"{\"token_response\":{\"token\":\"t\",\"token_expiration\":\"e\"}}",
            "{\"t\":\"x\",\"e\":\"2024-01-15T12:35:56.789Z\"}", 60},
        {"{\"token_response\":{\"token\":\"t\",\"token_expiration\":\"a.e\"},"
         "\"token_expires_in_ms\":7000}",
            "{\"t\":\"x\",\"a\":{\"e\":\"soon\"}}", 7},
        /* {"exp":1705323000}: 12:50, less a quarter of an hour */
        {"{\"token_response\":{\"token\":\"t\"}}",
            "{\"t\":\"eyJhIjoxfQ.eyJleHAiOjE3MDUzMjMwMDB9.\"}", 3},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = json_of(cases[i].entry), *credentials;
        struct provider provider = provider_of(entry);
        struct token_secrets secrets = {{0}};
        struct err err = {0};
        int64_t at_ms, want = VECTORS_NOW_MS + cases[i].life_s * 1000;

        assert_true(two_step_parse(&provider, json_of(cases[i].answer), VECTORS_NOW_MS,
            &secrets, &credentials, &err));
        assert_true(credentials_expiry(credentials, VECTORS_NOW_MS, &at_ms));
        if (cases[i].life_s == 0)
            want = 0;
        else if (cases[i].life_s < 0)
            want = VECTORS_NOW_MS + INT64_C(99) * 365 * 86400 * 1000;
        if (at_ms / 1000 != want / 1000 && i != 9)
            fail_msg("case %zu: %lld", i, (long long)(at_ms - VECTORS_NOW_MS));
        if (i == 9)
            assert_int_equal(at_ms, INT64_C(1705323000000) - 900000);
        cJSON_Delete(credentials);
        cJSON_Delete(entry);
    }
}

TEST(temporary_keys_are_read_in_every_spelling)
{
    static const char *const answers[] = {
        "{\"accessKeyId\":\"a\",\"secretAccessKey\":\"b\",\"sessionToken\":\"c\","
        "\"expiration\":1705325696}",
        "{\"credentials\":{\"access_key_id\":\"a\",\"secret_access_key\":\"b\","
        "\"session_token\":\"c\",\"expires_at\":1705325696000}}",
        "{\"AssumeRoleResponse\":{\"AssumeRoleResult\":{\"Credentials\":{"
        "\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"SessionToken\":\"c\","
        "\"Expiration\":1.705325696E9}}}}",
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>a</AccessKeyId>"
        "<SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken><Expiration>"
        "2024-01-15T13:34:56Z</Expiration></Credentials></AssumeRoleResult>"
        "</AssumeRoleResponse>",
    };
    static const char *const refused[] = {"", "{}", "[]", "x", "<a/>",
        "{\"accessKeyId\":\"a\",\"secretAccessKey\":\"b\"}",
        "{\"accessKeyId\":1,\"secretAccessKey\":\"b\",\"sessionToken\":\"c\"}"};
    struct err err = {0};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        cJSON *out = json_of("{}");

        assert_true(
            aws_sts_parse(answers[i], strlen(answers[i]), VECTORS_NOW_MS, out, &err));
        assert_string_equal(json_str(out, "access_key_id"), "a");
        assert_string_equal(json_str(out, "secret_access_key"), "b");
        assert_string_equal(json_str(out, "session_token"), "c");
        assert_string_equal(json_str(out, "expires_at"), "2024-01-15T13:34:56.000Z");
        cJSON_Delete(out);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cJSON *out = json_of("{}");

        assert_false(
            aws_sts_parse(refused[i], strlen(refused[i]), VECTORS_NOW_MS, out, &err));
        assert_string_equal(err.code, "aws_sigv4_sts_request_failed");
        cJSON_Delete(out);
    }
}

TEST(a_mapped_refresh_token_is_hidden_wherever_it_is)
{
    static const char *const cases[][3] = {
        {"a.b.c", "{\"raw\":{\"a\":{\"b\":{\"c\":1,\"d\":2}}}}",
            "{\"raw\":{\"a\":{\"b\":{\"d\":2}}}}"},
        {"c", "{\"raw\":{\"c\":1}}", "{\"raw\":{}}"},
        {"a.c", "{\"raw\":{\"a.c\":1,\"a\":2}}", "{\"raw\":{\"a\":2}}"},
        {"a.c", "{\"raw\":\"text\"}", "{\"raw\":\"text\"}"},
        {"a.c", "{}", "{}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cJSON *entry = json_of("{\"token_response\":{}}");
        cJSON *credentials = json_of(cases[i][1]);
        struct provider provider = provider_of(entry);
        char *shown;

        json_set_str(json_get_mut(entry, "token_response"), "refresh_token", cases[i][0]);
        two_step_hide_refresh_token(&provider, credentials);
        shown = json_print(credentials);
        assert_string_equal(shown, cases[i][2]);
        free(shown);
        cJSON_Delete(credentials);
        cJSON_Delete(entry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_signed_as_recorded),
        cmocka_unit_test(a_token_that_cannot_be_made_says_why),
        cmocka_unit_test(what_is_no_token_has_no_end),
        cmocka_unit_test(a_wsse_token_is_as_recorded),
        cmocka_unit_test(xml_is_read_as_objects),
        cmocka_unit_test(xml_of_any_depth_and_breadth_is_refused_in_time),
        cmocka_unit_test(a_two_step_token_ends_when_the_catalogue_says),
        cmocka_unit_test(temporary_keys_are_read_in_every_spelling),
        cmocka_unit_test(a_mapped_refresh_token_is_hidden_wherever_it_is),
    };

    return RUN(tests);
}
