/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: the order of their sources, what is said of mistakes, and the manual's page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "nangod/settings.h"
#include "test.h"

static bool load(
    struct settings *out, const char *file_text, const char *set, struct err *err)
{
    char path[] = "/tmp/settings-XXXXXX";
    char *sets[] = {set != NULL ? str_dup(set) : NULL};
    struct settings_flags flags = {.sets = sets, .count = set != NULL};
    int fd = -1;
    bool ok;

    if (file_text != NULL) {
        fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, file_text, strlen(file_text)), strlen(file_text));
        flags.config = path;
    }
    ok = settings_load(out, &flags, err);
    free(sets[0]);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return ok;
}

TEST(defaults_stand_where_nothing_is_said)
{
    struct settings settings;
    struct err err = {0};

    assert_true(load(&settings, NULL, NULL, &err));
    assert_string_equal(settings.listen, "127.0.0.1:3003");
    assert_int_equal(settings.http_body_limit, 75 * 1024 * 1024);
    assert_true(settings.oauth_require_cookie);
    assert_null(settings.outbound_denylist);
    settings_finish(&settings);
}

TEST(flags_win_over_environment_over_file)
{
    struct settings settings;
    struct err err = {0};

    setenv("NANGOD_HTTP_WORKERS", "7", 1);
    assert_true(load(&settings, "http.workers = 5\nhttp.threads = 3 \n", NULL, &err));
    assert_int_equal(settings.http_workers, 7);
    assert_int_equal(settings.http_threads, 3);
    settings_finish(&settings);
    assert_true(load(&settings, "http.workers = 5\n", "http.workers=9", &err));
    assert_int_equal(settings.http_workers, 9);
    settings_finish(&settings);
    unsetenv("NANGOD_HTTP_WORKERS");
}

TEST(upstreams_names_of_variables_are_read_too)
{
    struct settings settings;
    struct err err = {0};

    setenv("NANGO_SERVER_PUBLIC_BODY_LIMIT", "1mb", 1);
    setenv("NANGO_PROXY_BASE_URL_OVERRIDE_DENYLIST", "", 1);
    assert_true(load(&settings, NULL, NULL, &err));
    assert_int_equal(settings.http_body_limit, 1024 * 1024);
    assert_string_equal(settings.outbound_denylist, "");
    settings_finish(&settings);
    unsetenv("NANGO_SERVER_PUBLIC_BODY_LIMIT");
    unsetenv("NANGO_PROXY_BASE_URL_OVERRIDE_DENYLIST");
}

TEST(a_mistake_is_told_with_its_place_and_what_is_accepted)
{
    static const struct {
        const char *file, *set, *place, *rest;
    } rows[] = {
        {"\nhttp.worker = 3\n", NULL,
            ":2: ", "unknown setting `http.worker`; the nearest is `http.workers`"},
        {"http.workers = many\n", NULL,
            ":1: ", "http.workers cannot be `many`; accepted: 1 to 1024"},
        {"just words\n", NULL, ":1: ", "expected `name = value`"},
        {NULL, "log.level=loud", "command line: ",
            "log.level cannot be `loud`; accepted: debug info warn error"},
        {NULL, "oauth.require_cookie=perhaps", "command line: ", "accepted: true false"},
        {NULL, "lissten=x", "command line: ", "the nearest is `listen`"},
        {NULL, "http.body_limit=12q", "command line: ", "accepted: bytes"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings settings;
        struct err err = {0};

        assert_false(load(&settings, rows[i].file, rows[i].set, &err));
        assert_non_null(strstr(err.message, rows[i].place));
        assert_non_null(strstr(err.message, rows[i].rest));
        settings_finish(&settings);
    }
}

TEST(no_message_shows_what_may_be_a_secret)
{
    static const struct {
        const char *file, *set, *said;
    } rows[] = {
        {"vault.key s3cret\n", NULL, ":1: expected `vault.key = value`"},
        {"vault.key: s3cret\n", NULL, ":1: expected `vault.key = value`"},
        {"s3cret\n", NULL, ":1: expected `name = value`"},
        {"S3cret=\n", NULL, ":1: unknown setting"},
        {"s3cret0123456789abcdef0123456789abcdef0123456789=\n", NULL,
            ":1: unknown setting"},
        {NULL, "vault.key:s3cret", "command line: expected `vault.key = value`"},
        {NULL, "vault.key=s3cret", "NANGOD_VAULT_KEY"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings settings;
        struct err err = {0};

        assert_false(load(&settings, rows[i].file, rows[i].set, &err));
        assert_non_null(strstr(err.message, rows[i].said));
        assert_null(strstr(err.message, "3cret"));
        settings_finish(&settings);
    }
}

TEST(a_variable_of_ours_that_names_nothing_is_a_mistake)
{
    struct settings settings;
    struct err err = {0};

    setenv("NANGOD_LISTNE", "x", 1);
    assert_false(load(&settings, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "environment variable NANGOD_LISTNE: "));
    assert_non_null(strstr(err.message, "the nearest is `listen`"));
    settings_finish(&settings);
    unsetenv("NANGOD_LISTNE");
}

TEST(the_variables_of_kubernetes_services_are_none_of_ours)
{
    static const struct {
        const char *name, *value;
        bool ignored;
    } rows[] = {
        {"NANGOD_SERVICE_HOST", "10.0.0.1", true},
        {"NANGOD_SERVICE_PORT", "3003", true},
        {"NANGOD_SERVICE_PORT_HTTP", "3003", true},
        {"NANGOD_PORT", "tcp://10.0.0.1:3003", true},
        {"NANGOD_PORT_3003_TCP", "tcp://10.0.0.1:3003", true},
        {"NANGOD_PORT_3003_TCP_PROTO", "tcp", true},
        {"NANGOD_PORT_3003_TCP_PORT", "3003", true},
        {"NANGOD_PORT_3003_TCP_ADDR", "10.0.0.1", true},
        {"NANGOD_ADMIN_PORT_53_UDP_ADDR", "10.0.0.1", true},
        {"NANGOD_ADMIN_SERVICE_HOST", "10.0.0.1", true},
        {"NANGOD_PORT", "3003", false},
        {"NANGOD_PORT_NUMBER", "3003", false},
        {"NANGOD_SERVICE", "x", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings settings;
        struct err err = {0};

        setenv(rows[i].name, rows[i].value, 1);
        if (load(&settings, NULL, NULL, &err) != rows[i].ignored)
            fail_msg("%s=%s: %s", rows[i].name, rows[i].value, err.message);
        settings_finish(&settings);
        unsetenv(rows[i].name);
    }
}

TEST(what_needs_a_restart_is_named)
{
    struct settings before, now;
    struct err err = {0};
    char *changed;

    assert_true(load(&before, NULL, NULL, &err));
    assert_true(load(&now, "http.workers = 3\nlog.level = debug\n", NULL, &err));
    changed = settings_changed(&before, &now);
    assert_string_equal(changed, "http.workers");
    free(changed);
    settings_finish(&before);
    settings_finish(&now);
}

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER_KEY "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void expect_changed(
    const struct settings *before, const struct settings_flags *flags, const char *names)
{
    struct settings now;
    struct err err = {0};
    char *changed;

    assert_true(settings_load(&now, flags, &err));
    changed = settings_changed(before, &now);
    assert_string_equal(changed, names);
    free(changed);
    settings_finish(&now);
}

TEST(a_secret_is_forgotten_wherever_it_stood_and_still_told_from_another)
{
    static const char *const variables[] = {"NANGO_ENCRYPTION_KEY", "NANGOD_VAULT_KEY"};
    struct settings settings;
    struct settings_flags none = {0};
    struct err err = {0};

    for (size_t i = 0; i < 2; i++) {
        char *stood;

        setenv(variables[i], KEY, 1);
        stood = getenv(variables[i]);
        assert_true(settings_load(&settings, &none, &err));
        assert_string_equal(settings.vault_key, KEY);
        settings_forget_secrets(&settings);
        assert_null(strstr(settings.vault_key, "AAECAwQF"));
        assert_true(stood != NULL && memmem(stood, sizeof KEY, "AAECAwQF", 8) == NULL);
        assert_true(stood != NULL && memmem(stood, sizeof KEY, "HR4f", 4) == NULL);
        expect_changed(&settings, &none, ""); /* SIGHUP reads what was left behind */
        settings_forget_secrets(&settings);
        expect_changed(&settings, &none, "");
        setenv(variables[i], OTHER_KEY, 1);
        expect_changed(&settings, &none, "vault.key");
        unsetenv(variables[i]);
        expect_changed(&settings, &none, "vault.key");
        settings_finish(&settings);
    }
}

TEST(a_file_is_compared_with_the_secret_that_was)
{
    struct settings settings, now;
    struct err err = {0};
    char *changed;

    assert_true(load(&settings, "vault.key = " KEY "\n", NULL, &err));
    settings_forget_secrets(&settings);
    assert_true(load(&now, "vault.key = " KEY "\n", NULL, &err));
    changed = settings_changed(&settings, &now);
    assert_string_equal(changed, "");
    free(changed);
    settings_finish(&now);
    settings_finish(&settings);
}

TEST(the_manuals_page_is_the_tables)
{
    char *made = NULL, *kept;
    size_t made_len = 0, len;
    FILE *to = open_memstream(&made, &made_len);
    FILE *page = fopen(DOCS_DIR "/settings.md", "re");

    assert_non_null(page);
    settings_write_markdown(to);
    fclose(to);
    kept = calloc(1, made_len + 4096);
    len = fread(kept, 1, made_len + 4095, page);
    fclose(page);
    assert_int_equal(len, made_len);
    assert_string_equal(kept, made);
    free(kept);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_where_nothing_is_said),
        cmocka_unit_test(flags_win_over_environment_over_file),
        cmocka_unit_test(upstreams_names_of_variables_are_read_too),
        cmocka_unit_test(a_mistake_is_told_with_its_place_and_what_is_accepted),
        cmocka_unit_test(no_message_shows_what_may_be_a_secret),
        cmocka_unit_test(a_variable_of_ours_that_names_nothing_is_a_mistake),
        cmocka_unit_test(the_variables_of_kubernetes_services_are_none_of_ours),
        cmocka_unit_test(what_needs_a_restart_is_named),
        cmocka_unit_test(
            a_secret_is_forgotten_wherever_it_stood_and_still_told_from_another),
        cmocka_unit_test(a_file_is_compared_with_the_secret_that_was),
        cmocka_unit_test(the_manuals_page_is_the_tables),
    };

    return RUN(tests);
}
