/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing: what comes back, what does not open, and turning keys. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "test.h"
#include "vault/vault.h"

static const uint8_t kek_a[VAULT_KEY_LEN] = {1, 2, 3};
static const uint8_t kek_b[VAULT_KEY_LEN] = {9, 9, 9};

#define CONTEXT "connection/1/2/u-1/credentials"
#define PLAIN "{\"type\":\"API_KEY\",\"apiKey\":\"k-123\"}"

/* A ring of keys 1..count wrapped by kek_a. */
static void given_ring(struct buf *wrapped, struct vault_ring_entry *ring, size_t count)
{
    struct err err = {0};

    for (size_t i = 0; i < count; i++) {
        buf_init(&wrapped[i], 0);
        assert_true(vault_new_key(kek_a, (uint32_t)i + 1, &wrapped[i], &err));
        ring[i] =
            (struct vault_ring_entry){(uint32_t)i + 1, wrapped[i].data, wrapped[i].len};
    }
}

static struct vault *given_vault(size_t keys)
{
    struct buf wrapped[4];
    struct vault_ring_entry ring[4];
    struct vault *vault = NULL;
    struct err err = {0};

    given_ring(wrapped, ring, keys);
    assert_true(vault_open(kek_a, ring, keys, &vault, &err));
    for (size_t i = 0; i < keys; i++)
        buf_finish(&wrapped[i]);
    return vault;
}

static void seal(struct vault *vault, const char *plain, struct buf *out)
{
    struct err err = {0};

    buf_init(out, 0);
    assert_true(vault_seal(vault, CONTEXT, plain, strlen(plain), out, &err));
}

static void expect_opens(struct vault *vault, const char *context, const void *sealed,
    size_t len, const char *plain)
{
    struct err err = {0};
    char *out = NULL;
    size_t out_len = 0;

    assert_true(vault_unseal(vault, context, sealed, len, &out, &out_len, &err));
    assert_int_equal(out_len, strlen(plain));
    assert_string_equal(out, plain);
    secret_free(out);
}

static void expect_refused(struct vault *vault, const char *context, const void *sealed,
    size_t len, const char *why)
{
    struct err err = {0};
    char *out = (char *)&err; /* anything that is not NULL */
    size_t out_len = 1;

    assert_false(vault_unseal(vault, context, sealed, len, &out, &out_len, &err));
    assert_null(out);
    assert_int_equal(out_len, 0);
    assert_non_null(strstr(err.message, why));
    assert_int_equal(err.status, 500);
}

TEST(what_is_sealed_opens_again)
{
    static const char *const plains[] = {"", "x", PLAIN};
    struct vault *vault = given_vault(1);

    for (size_t i = 0; i < sizeof plains / sizeof plains[0]; i++) {
        struct buf sealed;

        seal(vault, plains[i], &sealed);
        assert_int_equal(sealed.len, 1 + 4 + 12 + strlen(plains[i]) + 16);
        expect_opens(vault, CONTEXT, sealed.data, sealed.len, plains[i]);
        buf_finish(&sealed);
    }
    vault_free(vault);
}

TEST(large_values_and_zero_bytes_survive)
{
    struct vault *vault = given_vault(1);
    size_t len = 3 * 1024 * 1024 + 5;
    char *plain = mem_zalloc(len), *out = NULL;
    size_t out_len = 0;
    struct buf sealed;
    struct err err = {0};

    plain[1] = 'a';
    plain[len - 1] = 'z';
    buf_init(&sealed, 0);
    assert_true(vault_seal(vault, CONTEXT, plain, len, &sealed, &err));
    assert_true(
        vault_unseal(vault, CONTEXT, sealed.data, sealed.len, &out, &out_len, &err));
    assert_int_equal(out_len, len);
    assert_memory_equal(out, plain, len);
    assert_int_equal(out[len], '\0');
    secret_free(out);
    free(plain);
    buf_finish(&sealed);
    vault_free(vault);
}

TEST(sealing_appends_and_respects_the_bound_of_the_buffer)
{
    struct vault *vault = given_vault(1);
    struct err err = {0};
    struct buf out;

    buf_init(&out, 40);
    assert_true(buf_puts(&out, "head"));
    assert_true(vault_seal(vault, CONTEXT, "abc", 3, &out, &err));
    assert_memory_equal(out.data, "head", 4);
    expect_opens(vault, CONTEXT, out.data + 4, out.len - 4, "abc");
    assert_false(vault_seal(vault, CONTEXT, "abc", 3, &out, &err));
    assert_int_equal(out.len, 40);
    buf_finish(&out);
    vault_free(vault);
}

TEST(the_plain_text_is_not_in_the_sealed_value_and_no_two_are_alike)
{
    struct vault *vault = given_vault(1);
    struct buf one, two;

    seal(vault, PLAIN, &one);
    seal(vault, PLAIN, &two);
    assert_null(memmem(one.data, one.len, "k-123", 5));
    assert_int_equal(one.len, two.len);
    assert_memory_not_equal(one.data + 5, two.data + 5, 12); /* nonces */
    assert_memory_not_equal(one.data + 17, two.data + 17, strlen(PLAIN));
    buf_finish(&one);
    buf_finish(&two);
    vault_free(vault);
}

TEST(a_value_with_any_bit_of_any_byte_changed_is_refused)
{
    struct vault *vault = given_vault(1);
    struct buf sealed;

    seal(vault, PLAIN, &sealed);
    for (size_t i = 0; i < sealed.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            sealed.data[i] = (char)(sealed.data[i] ^ (1 << bit));
            expect_refused(vault, CONTEXT, sealed.data, sealed.len,
                i == 0   ? "format"
                : i <= 4 ? "not in the key ring"
                         : "altered or belongs elsewhere");
            sealed.data[i] = (char)(sealed.data[i] ^ (1 << bit));
        }
    }
    expect_opens(vault, CONTEXT, sealed.data, sealed.len, PLAIN);
    buf_finish(&sealed);
    vault_free(vault);
}

TEST(a_value_cut_short_anywhere_is_refused)
{
    struct vault *vault = given_vault(1);
    struct buf sealed;

    seal(vault, PLAIN, &sealed);
    for (size_t len = 0; len < sealed.len; len++)
        expect_refused(vault, CONTEXT, sealed.data, len,
            len < 1 + 4 + 12 + 16 ? "cut short" : "altered");
    buf_finish(&sealed);
    vault_free(vault);
}

TEST(a_value_moved_to_another_row_or_column_is_refused)
{
    static const char *const elsewhere[] = {"", "connection/1/2/u-1/config",
        "connection/1/2/u-2/credentials", "connection/1/2/u-1/credentials ",
        "connection"};
    struct vault *vault = given_vault(1);
    struct buf sealed;

    seal(vault, PLAIN, &sealed);
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        expect_refused(vault, elsewhere[i], sealed.data, sealed.len, "belongs elsewhere");
    buf_finish(&sealed);
    vault_free(vault);
}

TEST(a_value_of_another_vault_is_refused)
{
    struct vault *mine = given_vault(1), *other = given_vault(1);
    struct buf sealed;

    seal(other, PLAIN, &sealed);
    expect_refused(
        mine, CONTEXT, sealed.data, sealed.len, "altered or belongs elsewhere");
    buf_finish(&sealed);
    vault_free(mine);
    vault_free(other);
}

TEST(the_newest_key_seals_and_older_ones_still_open)
{
    struct buf wrapped[2], old;
    struct vault_ring_entry ring[2], turned[2];
    struct vault *vault = NULL;
    struct err err = {0};
    struct buf fresh;

    given_ring(wrapped, ring, 2);
    assert_true(vault_open(kek_a, ring, 1, &vault, &err));
    seal(vault, PLAIN, &old);
    vault_free(vault);

    turned[0] = ring[1]; /* the order of the ring means nothing */
    turned[1] = ring[0];
    assert_true(vault_open(kek_a, turned, 2, &vault, &err));
    seal(vault, PLAIN, &fresh);
    assert_int_equal(old.data[4], 1);
    assert_int_equal(fresh.data[4], 2);
    expect_opens(vault, CONTEXT, old.data, old.len, PLAIN);
    expect_opens(vault, CONTEXT, fresh.data, fresh.len, PLAIN);
    vault_free(vault);

    /* Without the second key its values name the key that is missing. */
    assert_true(vault_open(kek_a, ring, 1, &vault, &err));
    expect_refused(vault, CONTEXT, fresh.data, fresh.len, "data key 2");
    vault_free(vault);
    for (size_t i = 0; i < 2; i++)
        buf_finish(&wrapped[i]);
    buf_finish(&old);
    buf_finish(&fresh);
}

TEST(a_ring_under_another_kek_says_what_to_do)
{
    struct buf wrapped[1];
    struct vault_ring_entry ring[1];
    struct vault *vault = (struct vault *)&wrapped;
    struct err err = {0};

    given_ring(wrapped, ring, 1);
    assert_false(vault_open(kek_b, ring, 1, &vault, &err));
    assert_null(vault);
    assert_non_null(strstr(err.message, "do not open with this encryption key"));
    assert_non_null(strstr(err.message, "NANGO_ENCRYPTION_KEY"));
    buf_finish(&wrapped[0]);
}

TEST(a_bad_ring_is_refused)
{
    struct buf wrapped[2];
    struct vault_ring_entry ring[2], bad[2];
    struct vault *vault = NULL;
    struct err err = {0};

    given_ring(wrapped, ring, 2);

    assert_false(vault_open(kek_a, ring, 0, &vault, &err));
    assert_non_null(strstr(err.message, "empty"));

    bad[0] = bad[1] = ring[0];
    assert_false(vault_open(kek_a, bad, 2, &vault, &err));
    assert_non_null(strstr(err.message, "twice"));

    bad[0].wrapped_len--;
    assert_false(vault_open(kek_a, bad, 1, &vault, &err));
    assert_non_null(strstr(err.message, "damaged"));

    /* An entry under another's number does not pose as it. */
    bad[0] = ring[0];
    bad[0].number = 2;
    assert_false(vault_open(kek_a, bad, 1, &vault, &err));
    assert_non_null(strstr(err.message, "data key 2"));

    for (size_t i = 0; i < wrapped[0].len; i++) {
        wrapped[0].data[i] ^= 0x10;
        assert_false(vault_open(kek_a, ring, 2, &vault, &err));
        assert_null(vault);
        wrapped[0].data[i] ^= 0x10;
    }
    assert_true(vault_open(kek_a, ring, 2, &vault, &err));
    vault_free(vault);
    buf_finish(&wrapped[0]);
    buf_finish(&wrapped[1]);
}

TEST(rewrapping_turns_the_kek_and_leaves_values_as_they_are)
{
    struct buf wrapped[2], again[2], sealed;
    struct vault_ring_entry ring[2];
    struct vault *vault = NULL, *turned = NULL;
    struct err err = {0};

    given_ring(wrapped, ring, 2);
    assert_true(vault_open(kek_a, ring, 2, &vault, &err));
    seal(vault, PLAIN, &sealed);
    buf_init(&again[0], 0);
    buf_init(&again[1], 0);
    assert_true(vault_rewrap(vault, kek_b, again, 2, &err));

    for (size_t i = 0; i < 2; i++) {
        ring[i].wrapped = again[i].data;
        ring[i].wrapped_len = again[i].len;
    }
    assert_false(vault_open(kek_a, ring, 2, &turned, &err));
    assert_true(vault_open(kek_b, ring, 2, &turned, &err));
    expect_opens(turned, CONTEXT, sealed.data, sealed.len, PLAIN);

    vault_free(vault);
    vault_free(turned);
    for (size_t i = 0; i < 2; i++) {
        buf_finish(&wrapped[i]);
        buf_finish(&again[i]);
    }
    buf_finish(&sealed);
}

struct crowd {
    struct vault *vault;
    int id;
    bool ok;
};

static void *seal_and_open(void *arg)
{
    struct crowd *one = arg;
    char context[32], plain[64];
    struct err err = {0};

    one->ok = true;
    for (int i = 0; one->ok && i < 2000; i++) {
        char *out = NULL;
        size_t out_len = 0, len;
        struct buf sealed;

        (void)snprintf(context, sizeof context, "row/%d/%d", one->id, i);
        (void)snprintf(plain, sizeof plain, "secret %d of %d", i, one->id);
        len = strlen(plain);
        buf_init(&sealed, 0);
        one->ok = vault_seal(one->vault, context, plain, len, &sealed, &err) &&
                  vault_unseal(one->vault, context, sealed.data, sealed.len, &out,
                      &out_len, &err) &&
                  out_len == len && memcmp(out, plain, len) == 0;
        secret_free(out);
        buf_finish(&sealed);
    }
    return NULL;
}

TEST(many_threads_share_one_vault)
{
    struct crowd crowd[8];
    pthread_t threads[8];
    struct vault *vault = given_vault(2);

    for (int i = 0; i < 8; i++) {
        crowd[i] = (struct crowd){.vault = vault, .id = i};
        assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open, &crowd[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(crowd[i].ok);
    }
    vault_free(vault);
    vault_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_opens_again),
        cmocka_unit_test(large_values_and_zero_bytes_survive),
        cmocka_unit_test(sealing_appends_and_respects_the_bound_of_the_buffer),
        cmocka_unit_test(the_plain_text_is_not_in_the_sealed_value_and_no_two_are_alike),
        cmocka_unit_test(a_value_with_any_bit_of_any_byte_changed_is_refused),
        cmocka_unit_test(a_value_cut_short_anywhere_is_refused),
        cmocka_unit_test(a_value_moved_to_another_row_or_column_is_refused),
        cmocka_unit_test(a_value_of_another_vault_is_refused),
        cmocka_unit_test(the_newest_key_seals_and_older_ones_still_open),
        cmocka_unit_test(a_ring_under_another_kek_says_what_to_do),
        cmocka_unit_test(a_bad_ring_is_refused),
        cmocka_unit_test(rewrapping_turns_the_kek_and_leaves_values_as_they_are),
        cmocka_unit_test(many_threads_share_one_vault),
    };

    return RUN(tests);
}
