/* SPDX-License-Identifier: Apache-2.0 */
/* What is said (contract webhooks.md section 4). Members stand in the order of their names,
 * as the bytes that are signed must. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "webhooks/webhooks_int.h"

/* ---- the outbox ---- */

void webhook_outbox_finish(struct webhook_outbox *outbox)
{
    for (size_t i = 0; i < outbox->puts.count; i++) {
        struct webhook_put *put = &outbox->list[i];

        free(put->body.data);
        free(put->headers.data);
        free(put->integration);
        free(put->connection_id);
        free(put->urls[0]);
        free(put->urls[1]);
    }
    free(outbox->list);
    memset(outbox, 0, sizeof *outbox);
}

static bool seal(struct webhooks *webhooks, const char *uuid, const char *column,
    const struct buf *text, struct blob *out, struct err *err)
{
    char context[CONTEXT_SIZE];
    struct buf sealed;
    bool ok;

    webhook_context(context, uuid, column);
    buf_init(&sealed, 0);
    ok = vault_seal(webhooks->config.vault, context, text->data, text->len, &sealed, err);
    if (ok)
        out->data = (uint8_t *)buf_take(&sealed, &out->len);
    buf_finish(&sealed);
    return ok;
}

/* Takes over nothing. */
static bool add(struct webhooks *webhooks, const struct environment_row *environment,
    const struct webhook_subject *subject, const char *type, const struct buf *body,
    const struct buf *headers, struct webhook_outbox *outbox, struct err *err)
{
    bool overridden = !str_is_empty(subject->url_override);
    struct webhook_put *put;
    size_t count = outbox->puts.count;

    if ((count & (count - 1)) == 0)
        outbox->list = mem_resize_array(
            outbox->list, count > 0 ? 2 * count : 1, sizeof *outbox->list);
    put = &outbox->list[count];
    *put = (struct webhook_put){
        .environment_id = subject->environment_id,
        .type = type,
        .integration = str_dup(subject->integration),
        .connection_id = str_dup(subject->connection_id),
        .urls = {str_dup(overridden ? subject->url_override : environment->webhook_url),
            overridden ? NULL : str_dup(environment->webhook_url_secondary)},
    };
    outbox->puts.list = outbox->list;
    outbox->puts.count++;
    crypto_uuid_v4(put->uuid);
    return seal(webhooks, put->uuid, "body", body, &put->body, err) &&
           (headers == NULL ||
               seal(webhooks, put->uuid, "headers", headers, &put->headers, err));
}

/* The environment, if there is anywhere to send to; else NULL. */
static bool find_receiver(struct webhooks *webhooks,
    const struct webhook_subject *subject, struct environment_row **out, struct err *err)
{
    *out = NULL;
    if (webhooks == NULL)
        return true;
    if (!store_find_environment(
            webhooks->config.store, subject->environment_id, out, err))
        return false;
    if (*out != NULL && str_is_empty(subject->url_override) &&
        (*out)->webhook_url == NULL && (*out)->webhook_url_secondary == NULL) {
        environment_row_unref(*out);
        *out = NULL;
    }
    return true;
}

bool webhooks_wanted(
    struct webhooks *webhooks, int64_t environment_id, const char *url_override)
{
    const struct webhook_subject subject = {
        .environment_id = environment_id, .url_override = url_override};
    struct environment_row *environment;
    struct err ignored = {0};
    bool wanted;

    if (!find_receiver(webhooks, &subject, &environment, &ignored))
        return true;
    wanted = environment != NULL;
    environment_row_unref(environment);
    return wanted;
}

/* ---- pieces ---- */

static void append_sorted_text(struct buf *out, const char *name, const char *json)
{
    struct json_raw value;

    if (json == NULL || !json_raw_parse(json, strlen(json), &value, NULL))
        return;
    json_append_name(out, name);
    json_raw_append_sorted(value, out);
}

static void append_number(struct buf *out, const char *name, int64_t value)
{
    json_append_name(out, name);
    buf_printf(out, "%lld", (long long)value);
}

static void append_bool(struct buf *out, const char *name, bool value)
{
    json_append_name(out, name);
    buf_puts(out, value ? "true" : "false");
}

static void append_time(struct buf *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text_z(ms, text);
    json_append_text(out, name, text);
}

/* ---- sync ---- */

static void append_sync_success(struct buf *out, const struct sync_told *told)
{
    buf_putc(out, '{');
    if (told->checkpoint_from != NULL || told->checkpoint_to != NULL) {
        json_append_name(out, "checkpoints");
        buf_putc(out, '{');
        append_sorted_text(
            out, "from", told->checkpoint_from != NULL ? told->checkpoint_from : "null");
        append_sorted_text(
            out, "to", told->checkpoint_to != NULL ? told->checkpoint_to : "null");
        buf_putc(out, '}');
    }
    json_append_text(out, "connectionId", told->subject.connection_id);
    json_append_text(out, "from", "nango");
    json_append_text(out, "model", told->model);
    append_time(out, "modifiedAfter", told->began_ms);
    json_append_text(out, "providerConfigKey", told->subject.integration);
    append_time(out, "queryTimeStamp", told->began_ms);
    json_append_name(out, "responseResults");
    buf_putc(out, '{');
    append_number(out, "added", told->added);
    append_number(out, "deleted", told->deleted);
    append_number(out, "updated", told->updated);
    buf_putc(out, '}');
    append_bool(out, "success", true);
}

static void append_sync_failure(struct buf *out, const struct sync_told *told)
{
    const struct webhook_error *error = told->error;

    buf_puts(out, "{");
    json_append_text(out, "connectionId", told->subject.connection_id);
    json_append_name(out, "error");
    buf_putc(out, '{');
    json_append_name(out, "additional_properties");
    buf_puts(out, "{}");
    json_append_text(out, "description", error->description);
    json_append_name(out, "payload");
    if (json_raw_kind(error->payload) == JSON_RAW_ABSENT)
        buf_puts(out, "{}");
    else
        json_raw_append_sorted(error->payload, out);
    json_append_text(out, "type", error->type);
    buf_putc(out, '}');
    append_time(out, "failedAt", told->failed_ms);
    json_append_text(out, "from", "nango");
    json_append_text(out, "model", told->model);
    json_append_text(out, "providerConfigKey", told->subject.integration);
    append_time(out, "startedAt", told->began_ms);
    append_bool(out, "success", false);
}

static bool wants_sync(
    const struct environment_row *environment, const struct sync_told *told)
{
    if (!told->success)
        return (environment->webhook_kinds & WEBHOOK_SYNC_ERROR) != 0;
    return (environment->webhook_kinds & WEBHOOK_SYNC_ALWAYS) != 0 ||
           told->added + told->updated + told->deleted > 0;
}

bool webhooks_tell_sync(struct webhooks *webhooks, const struct sync_told *told,
    struct webhook_outbox *outbox, struct err *err)
{
    struct environment_row *environment;
    struct buf body;
    bool ok = true;

    if (!find_receiver(webhooks, &told->subject, &environment, err))
        return false;
    if (environment != NULL && wants_sync(environment, told)) {
        buf_init(&body, 0);
        if (told->success)
            append_sync_success(&body, told);
        else
            append_sync_failure(&body, told);
        json_append_text(&body, "syncName", told->sync);
        json_append_text(&body, "syncType", told->kind);
        json_append_text(&body, "syncVariant", told->variant);
        json_append_text(&body, "type", "sync");
        buf_putc(&body, '}');
        ok = add(webhooks, environment, &told->subject, "sync", &body, NULL, outbox, err);
        buf_finish(&body);
    }
    environment_row_unref(environment);
    return ok;
}

/* ---- auth ---- */

static void append_end_user(struct buf *out, const struct end_user_row *user)
{
    json_append_name(out, "endUser");
    buf_putc(out, '{');
    if (user->email != NULL)
        json_append_text(out, "endUserEmail", user->email);
    json_append_text(out, "endUserId", user->id);
    if (user->organization_id != NULL)
        json_append_text(out, "organizationId", user->organization_id);
    append_sorted_text(out, "tags", user->tags_json != NULL ? user->tags_json : "{}");
    buf_putc(out, '}');
}

static void append_auth(struct buf *out, const struct auth_told *told,
    const struct environment_row *environment)
{
    static const char *const operations[] = {"creation", "override", "refresh"};

    buf_putc(out, '{');
    json_append_text(out, "authMode", told->mode);
    json_append_text(out, "connectionId", told->subject.connection_id);
    if (told->end_user != NULL)
        append_end_user(out, told->end_user);
    json_append_text(out, "environment", environment->name);
    if (told->error != NULL) {
        json_append_name(out, "error");
        buf_putc(out, '{');
        json_append_text(out, "description", told->error->description);
        json_append_text(out, "type", told->error->type);
        buf_putc(out, '}');
    }
    json_append_text(out, "from", "nango");
    json_append_text(out, "operation", operations[told->operation]);
    json_append_text(out, "provider",
        told->subject.provider != NULL ? told->subject.provider : "unknown");
    json_append_text(out, "providerConfigKey", told->subject.integration);
    append_bool(out, "success", told->error == NULL);
    append_sorted_text(out, "tags", told->tags_json);
    json_append_text(out, "type", "auth");
    buf_putc(out, '}');
}

static bool wants_auth(
    const struct environment_row *environment, enum auth_operation operation)
{
    switch (operation) {
    case AUTH_CREATION:
        return (environment->webhook_kinds & WEBHOOK_AUTH_CREATION) != 0;
    case AUTH_REFRESH:
        return (environment->webhook_kinds & WEBHOOK_AUTH_REFRESH_ERROR) != 0;
    case AUTH_OVERRIDE:
        break;
    }
    return true;
}

bool webhooks_tell_auth(struct webhooks *webhooks, const struct auth_told *told,
    struct webhook_outbox *outbox, struct err *err)
{
    struct environment_row *environment;
    struct buf body;
    bool ok = true;

    if (!find_receiver(webhooks, &told->subject, &environment, err))
        return false;
    if (environment != NULL && wants_auth(environment, told->operation)) {
        buf_init(&body, 0);
        append_auth(&body, told, environment);
        ok = add(webhooks, environment, &told->subject, "auth", &body, NULL, outbox, err);
        buf_finish(&body);
    }
    environment_row_unref(environment);
    return ok;
}

/* ---- asynchronous actions ---- */

bool webhooks_tell_async_action(struct webhooks *webhooks,
    const struct webhook_subject *subject, const char *uuid,
    struct webhook_outbox *outbox, struct err *err)
{
    struct environment_row *environment;
    struct buf body;
    bool ok = true;

    if (!find_receiver(webhooks, subject, &environment, err))
        return false;
    if (environment != NULL && (environment->webhook_kinds & WEBHOOK_ASYNC_ACTION) != 0) {
        buf_init(&body, 0);
        buf_putc(&body, '{');
        json_append_text(&body, "connectionId", subject->connection_id);
        json_append_text(&body, "from", "nango");
        json_append_name(&body, "payload");
        buf_printf(&body, "{\"id\":\"%s\",\"statusUrl\":\"/action/%s\"}", uuid, uuid);
        json_append_text(&body, "providerConfigKey", subject->integration);
        json_append_text(&body, "type", "async_action");
        buf_putc(&body, '}');
        ok =
            add(webhooks, environment, subject, "async_action", &body, NULL, outbox, err);
        buf_finish(&body);
    }
    environment_row_unref(environment);
    return ok;
}

/* ---- passed on ---- */

bool webhooks_may_forward(const char *header)
{
    static const char *const ours[] = {"host", "authorization", "connection",
        "keep-alive", "content-length", "content-type", "content-encoding", "cookie",
        "set-cookie", "referer", "user-agent", "sec-", "proxy-", "www-authenticate",
        "server",
        /* what else belongs to one connection, and what the sender adds itself */
        "transfer-encoding", "te", "trailer", "upgrade", "expect", "accept-encoding",
        "x-nango-", "webhook-"};

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strncasecmp(header, ours[i], strlen(ours[i])) == 0)
            return false;
    return true;
}

static void append_headers(const struct http_headers *headers, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < headers->count; i++) {
        if (!webhooks_may_forward(headers->items[i].name))
            continue;
        if (out->data[out->len - 1] != '[')
            buf_putc(out, ',');
        buf_putc(out, '[');
        json_append_string(out, headers->items[i].name);
        buf_putc(out, ',');
        json_append_string(out, headers->items[i].value);
        buf_putc(out, ']');
    }
    buf_putc(out, ']');
}

bool webhooks_tell_forward(struct webhooks *webhooks,
    const struct webhook_subject *subject, struct json_raw payload,
    const struct http_headers *headers, struct webhook_outbox *outbox, struct err *err)
{
    struct environment_row *environment;
    struct buf body, passed;
    bool ok = true;

    if (!find_receiver(webhooks, subject, &environment, err))
        return false;
    if (environment != NULL) {
        buf_init(&body, 0);
        buf_init(&passed, 0);
        if (subject->connection_id != NULL) {
            buf_putc(&body, '{');
            json_append_text(&body, "connectionId", subject->connection_id);
            json_append_text(&body, "from", subject->provider);
            json_append_name(&body, "payload");
            json_raw_append_sorted(payload, &body);
            json_append_text(&body, "providerConfigKey", subject->integration);
            json_append_text(&body, "type", "forward");
            buf_putc(&body, '}');
        } else {
            json_raw_append_sorted(payload, &body);
        }
        append_headers(headers, &passed);
        ok = add(webhooks, environment, subject, "forward", &body, &passed, outbox, err);
        buf_finish(&body);
        buf_finish(&passed);
    }
    environment_row_unref(environment);
    return ok;
}
