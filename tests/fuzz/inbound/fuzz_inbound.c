/* SPDX-License-Identifier: Apache-2.0 */
/* What anyone may send to the address of a provider's webhooks: a byte that chooses the
 * handler, header lines, an empty line, the body. Handlers that ask the store or the
 * network have a token that they do not get. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "inbound/inbound_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct handler *const lists[] = {
    handlers_plain, handlers_signed, handlers_events, handlers_google, handlers_special};

/* NULL: one that needs more than a fuzzer has. */
static const struct handler *choose(uint8_t number)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct handler *handler = lists[i]; handler->name != NULL; handler++)
            if (number-- == 0)
                return handler->asks_provider || str_eq(handler->name, "gitlab") ||
                               str_eq(handler->name, "pagerduty")
                           ? NULL
                           : handler;
    return NULL;
}

static const char *read_headers(
    const char *at, const char *end, struct http_headers *headers)
{
    while (at < end && *at != '\n') {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *colon;

        stop = stop != NULL ? stop : end;
        colon = memchr(at, ':', (size_t)(stop - at));
        if (colon != NULL) {
            char *name = str_ndup(at, (size_t)(colon - at)),
                 *value = str_ndup(colon + 1, (size_t)(stop - colon) - 1);

            if (http_is_token(name) && http_is_field_value(value))
                http_headers_add(headers, name, value);
            free(name);
            free(value);
        }
        at = stop < end ? stop + 1 : end;
    }
    return at < end ? at + 1 : end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char settings_text[] =
        "{\"oauth_client_secret\":\"s\",\"custom\":{\"webhookSecret\":\"s\"}}";
    const struct handler *handler = size > 0 ? choose(data[0]) : NULL;
    const char *end = (const char *)data + size, *body;
    struct http_headers headers = {0};
    char key[] = "k", name[] = "p";
    struct integration_row row = {.unique_key = key, .provider = name};
    cJSON *entry = cJSON_CreateObject();
    struct environment_row environment = {.id = 1};
    struct provider provider = {.entry = entry};
    struct integration integration = {.row = &row, .provider = &provider};
    struct auth auth = {.public_url = "http://localhost"};
    struct err err = {0};
    struct inbound_request request = {
        .environment = &environment, .integration = &integration, .headers = &headers};
    struct visit visit = {
        .request = &request, .auth = &auth, .now_ms = 1700000000000, .err = &err};

    if (handler == NULL) {
        cJSON_Delete(entry);
        return 0;
    }
    integration.settings = json_parse(settings_text, sizeof settings_text - 1, NULL);
    body = read_headers((const char *)data + 1, end, &headers);
    request.body = body;
    request.len = (size_t)(end - body);
    visit.events = cJSON_CreateArray();
    if (visit_read_body(&visit) && handler->run(&visit)) {
        char *text = json_print(visit.events);
        cJSON *again = json_parse(text, strlen(text), NULL);

        assert(again != NULL); /* it can be stored and read */
        cJSON_Delete(again);
        free(text);
    } else {
        assert(err.status >= 400);
    }
    free(visit.answer.body);
    free(visit.message);
    cJSON_Delete(visit.body);
    cJSON_Delete(visit.events);
    cJSON_Delete(visit.forward);
    cJSON_Delete(integration.settings);
    cJSON_Delete(entry);
    http_headers_finish(&headers);
    return 0;
}
