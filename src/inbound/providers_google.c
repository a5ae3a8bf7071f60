/* SPDX-License-Identifier: Apache-2.0 */
/* Google: its push notifications say in their headers what changed, and have no body. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "inbound/google_token.h"
#include "inbound/inbound_int.h"

/* What scripts and customers get of a notification: its headers, in small letters. */
static cJSON *headers_json(const struct visit *visit)
{
    const struct http_headers *headers = visit->request->headers;
    cJSON *out = cJSON_CreateObject();

    for (size_t i = 0; i < headers->count; i++) {
        char *name = str_dup(headers->items[i].name);

        str_lower(name);
        if (!str_eq(name, "authorization") && !str_eq(name, "cookie") &&
            str_is_utf8(headers->items[i].value, strlen(headers->items[i].value)))
            json_set_str(out, name, headers->items[i].value);
        free(name);
    }
    return out;
}

/* `nango.emailAddressHash.v1:` and the address, trimmed and in small letters (contract
 * providers.md). */
static char *address_hash(const char *address)
{
    char *text, hex[2 * SHA256_LEN + 1], *trimmed = str_dup(address);
    uint8_t hash[SHA256_LEN];
    size_t from = strspn(trimmed, " \t\r\n"), len = strlen(trimmed + from);

    while (len > 0 && strchr(" \t\r\n", trimmed[from + len - 1]) != NULL)
        len--;
    trimmed[from + len] = '\0';
    str_lower(trimmed + from);
    text = str_printf("nango.emailAddressHash.v1:%s", trimmed + from);
    crypto_sha256(text, strlen(text), hash);
    str_hex(hash, sizeof hash, hex);
    free(text);
    free(trimmed);
    return str_dup(hex);
}

static void find_address(struct visit *visit, const char *address)
{
    char *hash = address != NULL ? address_hash(address) : NULL;

    event_find(visit, FIND_CONFIG, "emailAddressHash", hash);
    event_find(visit, FIND_METADATA, "emailAddress", address);
    event_find(visit, FIND_METADATA, "email", address);
    free(hash);
}

static void notification(struct visit *visit)
{
    visit->forward = headers_json(visit);
    event_add(visit, NULL, visit_header(visit, "x-goog-resource-state"), visit->forward);
}

static void find_resource(struct visit *visit)
{
    event_find(visit, FIND_METADATA, "googleCalendarWatchResourceUris",
        visit_header(visit, "x-goog-resource-uri"));
}

static bool google(struct visit *visit)
{
    notification(visit);
    find_resource(visit);
    return true;
}

/* The id of a person's own calendar is their address. */
static bool google_calendar(struct visit *visit)
{
    const char *uri = visit_header(visit, "x-goog-resource-uri");
    const char *at = uri != NULL ? strstr(uri, "/calendars/") : NULL;
    struct buf id;

    notification(visit);
    find_resource(visit);
    if (at == NULL)
        return true;
    buf_init(&id, 0);
    at += strlen("/calendars/");
    if (str_percent_decode(at, strcspn(at, "/?"), false, &id) && id.len > 0)
        find_address(visit, id.data);
    buf_finish(&id);
    return true;
}

static bool google_drive(struct visit *visit)
{
    notification(visit);
    event_find(visit, FIND_METADATA, "googleDriveWatchResourceIds",
        visit_header(visit, "x-goog-resource-id"));
    find_resource(visit);
    return true;
}

/* By Pub/Sub: the address is in base64 of JSON; the caller is Google when it has signed a
 * token for us. */
static bool gmail(struct visit *visit)
{
    const char *authorization = visit_header(visit, "authorization");
    const char *data = visit_text(visit, "message.data");
    cJSON *decoded = NULL;
    struct buf text;

    if (authorization != NULL && !google_token_check(visit, authorization))
        return false;
    buf_init(&text, 0);
    if (data != NULL && str_unbase64(data, strlen(data), &text))
        decoded = json_parse(text.data, text.len, NULL);
    buf_finish(&text);
    if (decoded == NULL)
        return visit_bad(visit, "webhook_invalid_payload",
            "message.data is not what Gmail sends by Pub/Sub");
    event_add(visit, "*", NULL, NULL);
    find_address(visit, json_str(decoded, "emailAddress"));
    visit->message = str_dup(visit_text(visit, "message.messageId"));
    cJSON_Delete(decoded);
    return true;
}

const struct handler handlers_google[] = {
    {.name = "gmail", .run = gmail, .asks_provider = true},
    {.name = "google", .run = google},
    {.name = "googleCalendar", .run = google_calendar},
    {.name = "googleDrive", .run = google_drive},
    {.name = NULL},
};
