/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as they should not be, redirects that lead astray, and arguments that do not fit. */
#include <stdlib.h>
#include <string.h>

#include "sdk/edges.h"
#include "test.h"

static int set_up(void **state)
{
    (void)state;
    rough_reset();
    client = client_at(host, SOON_MS);
    return client != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    nango_client_free(client);
    return 0;
}

TEST(a_header_is_no_status_line)
{
    nango_response *response;
    nango_error err;

    assert_int_equal(fetch("/status", &response, &err), NANGO_E_HTTP);
    assert_int_equal(err.http_status, 404);
    assert_int_equal(nango_response_status(response), 404);
    assert_string_equal(nango_response_header(response, "HTTP/x"), "200");
    nango_response_free(response);
}

TEST(what_has_no_end_is_cut_off)
{
    const nango_proxy_config config = {.endpoint = "/endless"};
    nango_error err;

    assert_int_equal(fetch("/endless", NULL, &err), NANGO_OK);
    assert_int_equal(nango_proxy_stream(client, &config, NULL, &err), NANGO_OK);
    assert_int_equal(fetch("/flood", NULL, &err), NANGO_E_TOO_LARGE);
    assert_int_equal(fetch("/hints", NULL, &err), NANGO_E_TOO_LARGE);
}

TEST(redirects_lead_the_key_nowhere_else)
{
    static const struct {
        const char *endpoint;
        bool key;
    } rows[] = {
        {"/out", false}, {"/climb", false}, {"/climb2", false}, {"/within", true}};
    nango_error err;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_response *response;

        assert_int_equal(fetch(rows[i].endpoint, &response, &err), NANGO_OK);
        assert_int_equal(
            nango_json_bool_at(nango_response_json(response), "/key", !rows[i].key),
            rows[i].key);
        nango_response_free(response);
    }
    assert_int_equal(fetch("/ftp", NULL, &err), NANGO_E_NETWORK);
}

TEST(answers_in_unusual_dress_are_understood)
{
    nango_response *response;
    nango_provider *provider;
    nango_error err;

    assert_int_equal(fetch("/capitals", &response, &err), NANGO_OK);
    assert_int_equal(nango_json_int_at(nango_response_json(response), "/a", 0), 1);
    nango_response_free(response);
    assert_int_equal(nango_get_provider(client, "bom", &provider, &err), NANGO_OK);
    assert_string_equal(nango_provider_name(provider), "x");
    nango_provider_free(provider);
    assert_int_equal(nango_get_provider(client, "later", NULL, &err), NANGO_E_HTTP);
    assert_int_equal(err.retry_after_s, 7);
}

TEST(each_look_begins_at_the_same_address)
{
    const nango_wait_options options = {
        .first_delay_ms = 1, .delay_ms = 1, .attempts = 3};
    nango_error err;

    assert_int_equal(nango_wait_for_connection(client, "k", "u", &options, NULL, &err),
        NANGO_E_TIMEOUT);
    assert_int_equal(rough_count(ROUGH_REQUESTS), 6);
}

TEST(counts_need_their_pointers)
{
    static const nango_proxy_config rows[] = {
        {.method = "POST", .data_kind = NANGO_DATA_JSON, .data_size = 40},
        {.method = "POST", .data_kind = NANGO_DATA_BYTES, .data_size = 40},
        {.method = "POST", .data_kind = NANGO_DATA_FORM, .form_count = 1},
        {.method = "POST", .data_kind = NANGO_DATA_MULTIPART, .part_count = 1},
        {.header_count = 1},
        {.param_count = 1},
        {.retry_on_count = 1},
    };
    const nango_client_options options = {.secret_key = "x", .header_count = 1};
    nango_client *none;
    nango_error err;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nango_proxy_config config = rows[i];

        config.endpoint = "/ok";
        assert_int_equal(nango_proxy(client, &config, NULL, &err), NANGO_E_ARGUMENT);
    }
    assert_int_equal(nango_client_new(&options, &none, &err), NANGO_E_ARGUMENT);
}

TEST(lists_need_their_pointers)
{
    const nango_connections_query by_id = {.integration_id_count = 1},
                                  by_tag = {.tag_count = 1};
    const nango_records_query records = {
        .provider_config_key = "k", .connection_id = "u", .model = "Item", .id_count = 1};
    const nango_connect_session_config allowed = {.allowed_integration_count = 1},
                                       tagged = {.tag_count = 1};
    const nango_connection_patch patch = {.tag_count = 1};
    nango_record_iterator *iterator = NULL;

    assert_int_equal(
        nango_list_connections(client, &by_id, NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(
        nango_list_connections(client, &by_tag, NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(nango_list_records(client, &records, NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(
        nango_iterate_records(client, &records, &iterator, NULL), NANGO_E_ARGUMENT);
    assert_null(iterator);
    assert_int_equal(
        nango_create_connect_session(client, &allowed, NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(
        nango_create_connect_session(client, &tagged, NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(
        nango_patch_connection(client, "k", "u", &patch, NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(
        nango_start_sync(client, "k", NULL, 1, NULL, NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(
        nango_set_metadata(client, "k", NULL, 1, "{}", NULL, NULL), NANGO_E_ARGUMENT);
    assert_int_equal(rough_count(ROUGH_REQUESTS), 0);
}

/* A program that lost its client hears of it, where it can, and does not fall. */
TEST(no_client_is_borne)
{
    const nango_client_options options = {.secret_key = "x"},
                               era = {.secret_key = "x", .era = 7};
    const nango_loop operations = {0};
    nango_client *none = NULL;
    nango_error err;

    assert_int_equal(nango_client_new(&options, NULL, &err), NANGO_E_ARGUMENT);
    assert_int_equal(nango_client_new_from_env(&options, NULL, &err), NANGO_E_ARGUMENT);
    assert_int_equal(nango_client_new(&era, &none, &err), NANGO_E_ARGUMENT);
    assert_null(none);
    assert_int_equal(nango_attach(NULL, &operations, NULL, &err), NANGO_E_ARGUMENT);
    assert_int_equal(nango_attach(client, NULL, NULL, &err), NANGO_E_ARGUMENT);
    assert_int_equal(nango_attach(client, &operations, NULL, &err), NANGO_E_ARGUMENT);
    assert_null(nango_client_host(NULL));
    assert_null(nango_client_last_answer(NULL));
    assert_int_equal(nango_calls_active(NULL), 0);
    nango_client_set_timeout(NULL, 5);
    nango_interrupt(NULL);
    nango_detach(NULL);
    nango_call_cancel(NULL);
    nango_call_pause(NULL);
    nango_call_resume(NULL);
    nango_client_free(NULL);
}

/* ---- memory ---- */

static size_t held_bytes, most_bytes;

static void *take(size_t size, void *user)
{
    size_t *block = malloc(size + 16); /* as aligned as malloc() */

    (void)user;
    if (block == NULL)
        return NULL;
    *block = size;
    held_bytes += size;
    if (held_bytes > most_bytes)
        most_bytes = held_bytes;
    return (char *)block + 16;
}

static void give(void *p, void *user)
{
    size_t *block = (size_t *)(void *)((char *)p - 16);

    (void)user;
    held_bytes -= *block;
    free(block);
}

/* A million numbers of one digit: a value each, and the body's two million bytes, kept as they
 * came and as they are read, with the room that a growing body has. */
TEST(json_takes_so_much_memory_and_no_more)
{
    static const nango_allocator allocator = {take, give, NULL};
    const nango_client_options options = {
        .secret_key = "x", .host = host, .allocator = &allocator};
    nango_client *counted;
    nango_response *response;

    assert_int_equal(nango_client_new(&options, &counted, NULL), NANGO_OK);
    assert_int_equal(
        nango_get_async_action_result(counted, NULL, "/action/array", &response, NULL),
        NANGO_OK);
    assert_int_equal(nango_json_count(nango_response_json(response)), 1000000);
    nango_response_free(response);
    nango_client_free(counted);
    assert_true(most_bytes < 40 * 1000000 + 4 * 2000000);
    assert_int_equal(held_bytes, 0);
}

#define EDGE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EDGE(a_header_is_no_status_line),
        EDGE(what_has_no_end_is_cut_off),
        EDGE(redirects_lead_the_key_nowhere_else),
        EDGE(answers_in_unusual_dress_are_understood),
        EDGE(each_look_begins_at_the_same_address),
        EDGE(counts_need_their_pointers),
        EDGE(lists_need_their_pointers),
        EDGE(no_client_is_borne),
        EDGE(json_takes_so_much_memory_and_no_more),
    };

    if (!rough_start(host, sizeof host))
        return 1;
    return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
