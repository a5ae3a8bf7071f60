/* SPDX-License-Identifier: Apache-2.0 */
/* Where the key-encryption key comes from: forms, order, and files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "test.h"
#include "vault/vault.h"

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* A directory of its own, and a log that can be read back. */
static struct {
    char dir[32];
    char path[64];
    char log_path[64];
    struct log log;
    struct clock clock;
} given;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(given.dir, sizeof given.dir, "/tmp/kek-XXXXXX");
    assert_non_null(mkdtemp(given.dir));
    (void)snprintf(given.path, sizeof given.path, "%s/key", given.dir);
    (void)snprintf(given.log_path, sizeof given.log_path, "%s/log", given.dir);
    given.log = (struct log){.level = LOG_DEBUG, .clock = &given.clock};
    given.log.fd = open(given.log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(given.log.fd >= 0);
    unsetenv("CREDENTIALS_DIRECTORY");
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "key", "log", "encryption.key", "nango-encryption-key"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];

        (void)snprintf(path, sizeof path, "%s/%s", given.dir, names[i]);
        unlink(path);
    }
    close(given.log.fd);
    return rmdir(given.dir); /* fails when anything else was left behind */
}

static void given_file(const char *path, const void *data, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static bool logged(const char *text)
{
    char all[4096];
    ssize_t n = pread(given.log.fd, all, sizeof all - 1, 0);

    assert_true(n >= 0);
    all[n] = '\0';
    return strstr(all, text) != NULL;
}

static void expect_counting_key(const struct kek_source *source)
{
    uint8_t kek[VAULT_KEY_LEN];
    struct err err = {0};

    if (!kek_load(source, kek, &err))
        fail_msg("%s", err.message);
    for (uint8_t i = 0; i < VAULT_KEY_LEN; i++)
        assert_int_equal(kek[i], i);
}

static void expect_refused(const struct kek_source *source, const char *why)
{
    uint8_t kek[VAULT_KEY_LEN];
    struct err err = {0};

    assert_false(kek_load(source, kek, &err));
    if (strstr(err.message, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

TEST(a_key_text_is_hex_or_base64)
{
    static const char *const texts[] = {HEX,
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", BASE64,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "  " HEX "\n", "\t" BASE64 "\r\n"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect_counting_key(&(struct kek_source){.key_text = texts[i]});
}

TEST(a_bad_key_text_says_what_is_accepted_and_not_what_was_given)
{
    static const char *const texts[] = {"hunter2-hunter2", " ", "00ff", HEX "00",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "AAECAwQFBgcICQoL DA0ODxAREhMUFRYXGBkaGxwdHh8="};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct kek_source source = {.key_text = texts[i], .data_dir = given.dir};
        struct err err = {0};
        uint8_t kek[VAULT_KEY_LEN];

        expect_refused(&source, "64 hexadecimal digits or as base64");
        assert_false(kek_load(&source, kek, &err));
        if (strlen(texts[i]) > 4)
            assert_null(strstr(err.message, texts[i]));
    }
}

TEST(a_key_file_holds_text_or_raw_bytes)
{
    uint8_t raw[VAULT_KEY_LEN];
    struct kek_source source = {.key_file = given.path, .log = &given.log};

    given_file(given.path, HEX "\n", strlen(HEX) + 1, 0600);
    expect_counting_key(&source);
    given_file(given.path, BASE64, strlen(BASE64), 0600);
    expect_counting_key(&source);
    for (uint8_t i = 0; i < VAULT_KEY_LEN; i++)
        raw[i] = i;
    given_file(given.path, raw, sizeof raw, 0400);
    expect_counting_key(&source);
    assert_false(logged("open to other users"));
}

TEST(a_key_file_that_others_can_read_is_used_with_a_warning)
{
    given_file(given.path, HEX, strlen(HEX), 0644);
    expect_counting_key(&(struct kek_source){.key_file = given.path, .log = &given.log});
    assert_true(logged("open to other users"));
    assert_true(logged("chmod 600"));
    assert_false(logged("00010203"));
}

TEST(a_bad_key_file_is_an_error_and_no_reason_to_look_elsewhere)
{
    char big[5000];
    struct kek_source source = {.key_file = given.path, .data_dir = given.dir};

    expect_refused(&source, "there is no encryption key file");
    given_file(given.path, "", 0, 0600);
    expect_refused(&source, "64 hexadecimal digits or as base64");
    memset(big, 'a', sizeof big);
    given_file(given.path, big, sizeof big, 0600);
    expect_refused(&source, "cannot be read");
    source.key_file = given.dir;
    expect_refused(&source, "cannot be read");
}

TEST(the_systemd_credential_is_found)
{
    char path[64];
    struct kek_source source = {.data_dir = given.dir, .log = &given.log};

    (void)snprintf(path, sizeof path, "%s/nango-encryption-key", given.dir);
    given_file(path, BASE64 "\n", strlen(BASE64) + 1, 0400);
    setenv("CREDENTIALS_DIRECTORY", given.dir, 1);
    expect_counting_key(&source);
    assert_false(logged("kept beside the data"));
}

TEST(text_comes_before_file_before_credential_before_data_directory)
{
    char credential[64], beside[64];
    struct kek_source source = {
        .key_text = HEX, .key_file = given.path, .data_dir = given.dir};

    (void)snprintf(credential, sizeof credential, "%s/nango-encryption-key", given.dir);
    (void)snprintf(beside, sizeof beside, "%s/encryption.key", given.dir);
    setenv("CREDENTIALS_DIRECTORY", given.dir, 1);
    given_file(given.path, "bad", 3, 0600);
    given_file(credential, "bad", 3, 0600);
    given_file(beside, "bad", 3, 0600);
    expect_counting_key(&source);

    source.key_text = "";
    expect_refused(&source, given.path);
    given_file(given.path, HEX, strlen(HEX), 0600);
    expect_counting_key(&source);

    source.key_file = "";
    expect_refused(&source, credential);
    given_file(credential, HEX, strlen(HEX), 0600);
    expect_counting_key(&source);

    unlink(credential);
    expect_refused(&source, beside);
    given_file(beside, HEX, strlen(HEX), 0600);
    expect_counting_key(&source);

    source.data_dir = NULL;
    expect_refused(&source, "no encryption key is given");
}

TEST(beside_secrets_no_key_is_invented)
{
    struct kek_source source = {.data_dir = given.dir, .log = &given.log};
    char path[64];
    struct stat st;

    expect_refused(&source, "NANGO_ENCRYPTION_KEY");
    expect_refused(&source, "encryption.key");
    (void)snprintf(path, sizeof path, "%s/encryption.key", given.dir);
    assert_int_equal(stat(path, &st), -1);
}

TEST(without_any_source_a_key_is_made_beside_the_data_once)
{
    struct kek_source source = {
        .data_dir = given.dir, .may_create = true, .log = &given.log};
    uint8_t first[VAULT_KEY_LEN], second[VAULT_KEY_LEN], zero[VAULT_KEY_LEN] = {0};
    char path[64], text[64] = "";
    struct err err = {0};
    struct stat st;
    int fd;

    assert_true(kek_load(&source, first, &err));
    assert_memory_not_equal(first, zero, sizeof zero);
    assert_true(logged("kept beside the data"));

    (void)snprintf(path, sizeof path, "%s/encryption.key", given.dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    source.may_create = false; /* it is there now */
    assert_true(kek_load(&source, second, &err));
    assert_memory_equal(first, second, sizeof first);

    /* The key itself is in the file and not in the log. */
    fd = open(path, O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) > 40);
    close(fd);
    str_trim(text);
    assert_false(logged(text));
}

TEST(a_data_directory_that_cannot_be_written_is_an_error)
{
    struct kek_source source = {.data_dir = "/proc/nothing/here", .may_create = true};

    expect_refused(&source, "/proc/nothing/here");
}

TEST(a_key_is_made_into_a_new_file_only)
{
    uint8_t made[VAULT_KEY_LEN], read[VAULT_KEY_LEN];
    struct err err = {0};
    struct stat st;

    assert_true(kek_generate(given.path, made, &err));
    assert_int_equal(stat(given.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(kek_load(&(struct kek_source){.key_file = given.path}, read, &err));
    assert_memory_equal(made, read, sizeof made);
    assert_false(kek_generate(given.path, read, &err));
    assert_non_null(strstr(err.message, "there already"));
    assert_true(kek_load(&(struct kek_source){.key_file = given.path}, read, &err));
    assert_memory_equal(made, read, sizeof made); /* as it was */
    assert_false(kek_generate("/proc/nothing/here", read, &err));
}

TEST(a_credential_of_another_name_is_found)
{
    struct kek_source source = {.credential = "key"};

    setenv("CREDENTIALS_DIRECTORY", given.dir, 1);
    expect_refused(&source, "no encryption key is given");
    given_file(given.path, HEX, strlen(HEX), 0400);
    expect_counting_key(&source);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_key_text_is_hex_or_base64),
        CASE(a_bad_key_text_says_what_is_accepted_and_not_what_was_given),
        CASE(a_key_file_holds_text_or_raw_bytes),
        CASE(a_key_file_that_others_can_read_is_used_with_a_warning),
        CASE(a_bad_key_file_is_an_error_and_no_reason_to_look_elsewhere),
        CASE(the_systemd_credential_is_found),
        CASE(text_comes_before_file_before_credential_before_data_directory),
        CASE(beside_secrets_no_key_is_invented),
        CASE(without_any_source_a_key_is_made_beside_the_data_once),
        CASE(a_data_directory_that_cannot_be_written_is_an_error),
        CASE(a_key_is_made_into_a_new_file_only),
        CASE(a_credential_of_another_name_is_found),
    };

    return RUN(tests);
}
