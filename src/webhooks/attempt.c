/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt to deliver: what is sent, and what the answer means.
 *
 *   2xx                        delivered
 *   429, 408, 425, 5xx, none   later: after the schedule's wait, or as Retry-After says
 *   anything else              dead: it would be no better the next time */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "net/upstream.h"
#include "oplog/redact.h"
#include "webhooks/webhooks_int.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

enum {
    ANSWER_MAX = 64 << 10, /* bytes read of it */
    ANSWER_KEPT = 500,     /* bytes kept of one that is no success */
};

void delivery_free(struct delivery *delivery)
{
    free(delivery->job.type);
    free(delivery->job.integration);
    free(delivery->job.connection_id);
    free(delivery->job.url);
    free(delivery->job.body.data);
    free(delivery->job.headers.data);
    free(delivery->error);
    free(delivery->answer);
    free(delivery);
}

/* ---- what is sent ---- */

static bool unseal(struct delivery *delivery, const char *column, struct blob sealed,
    char **text, size_t *len, struct err *err)
{
    char context[CONTEXT_SIZE];

    webhook_context(context, delivery->job.uuid, column);
    return vault_unseal(delivery->webhooks->config.vault, context, sealed.data,
        sealed.len, text, len, err);
}

static bool add_forwarded(
    struct delivery *delivery, struct http_headers *headers, struct err *err)
{
    const cJSON *pair;
    cJSON *list;
    char *text;
    size_t len;

    if (delivery->job.headers.data == NULL)
        return true;
    if (!unseal(delivery, "headers", delivery->job.headers, &text, &len, err))
        return false;
    list = json_parse(text, len, err);
    secret_free(text);
    cJSON_ArrayForEach(pair, list)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
        const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));

        if (name != NULL && value != NULL)
            http_headers_add(headers, name, value);
    }
    cJSON_Delete(list);
    return list != NULL;
}

static bool add_headers(struct delivery *delivery, const char *body, size_t len,
    struct http_headers *headers, struct err *err)
{
    const struct webhooks_config *config = &delivery->webhooks->config;
    char *key;
    size_t key_len;

    if (!add_forwarded(delivery, headers, err) ||
        !webhook_signing_key(config->store, config->vault, delivery->job.environment_id,
            &key, &key_len, err))
        return false;
    http_headers_set(headers, "Content-Type", "application/json");
    http_headers_set(headers, "User-Agent", delivery->webhooks->user_agent);
    if (key != NULL)
        webhook_sign(
            &(struct signing){
                .key = key,
                .key_len = key_len,
                .uuid = delivery->job.uuid,
                .now_ms = clock_now_ms(config->clock),
                .body = body,
                .body_len = len,
            },
            headers);
    secret_free(key);
    return true;
}

/* ---- what the answer means ---- */

static bool is_retried(int status)
{
    return status == 0 || status == 408 || status == 425 || status == 429 ||
           status >= 500;
}

/* RFC 9110 section 10.2.3: seconds, or a date. 0 = it says nothing. */
static int64_t retry_after_ms(const struct up_answer *answer, int64_t now_ms)
{
    const char *text = http_headers_find(&answer->headers, "Retry-After");
    int64_t value = 0;

    if (text == NULL)
        return 0;
    if (str_to_i64(text, &value))
        value = value > DAY_MS / 1000 ? DAY_MS : value * 1000;
    else if (clock_parse(text, &value))
        value -= now_ms;
    return value < 0 ? 0 : value > DAY_MS ? DAY_MS : value;
}

/* How it begins, if it is text. */
static char *beginning(const struct buf *body)
{
    size_t len = body->len < ANSWER_KEPT ? body->len : ANSWER_KEPT;

    for (int i = 0; i < 4 && len > 0; i++, len--) /* not within a character */
        if (str_is_utf8(body->data, len))
            return str_ndup(body->data, len);
    return NULL;
}

static void decide(struct delivery *delivery, const struct up_answer *answer)
{
    const struct webhooks *webhooks = delivery->webhooks;
    struct webhook_result *result = &delivery->result;
    int64_t now = clock_now_ms(webhooks->config.clock);
    size_t attempts = (size_t)delivery->job.attempts;
    int64_t after = retry_after_ms(answer, now);

    result->status = answer->status;
    if (answer->status >= 200 && answer->status < 300) {
        result->state = WEBHOOK_DELIVERED;
        return;
    }
    delivery->error =
        answer->status > 0
            ? str_printf("answered %d", answer->status)
            : str_printf("%s: %s", up_failure_code(answer->failure), answer->message);
    delivery->answer = beginning(&answer->body);
    result->state = WEBHOOK_DEAD;
    if (answer->failure == UP_DENIED || answer->failure == UP_BAD_URL ||
        !is_retried(answer->status) || attempts > webhooks->wait_count)
        return;
    result->state = WEBHOOK_WAITING;
    result->due_at_ms = now + webhooks->waits[attempts - 1];
    if (after > 0 && (answer->status == 429 || answer->status == 503))
        result->url_until_ms = now + after;
    if (result->due_at_ms < result->url_until_ms)
        result->due_at_ms = result->url_until_ms;
}

/* ---- the attempt ---- */

static struct oplog_op operation_of(const struct delivery *delivery)
{
    const struct webhook_job *job = &delivery->job;
    const struct oplog_subject subject = {
        .environment_id = job->environment_id,
        .type = "webhook",
        .action = job->type,
        .integration = job->integration,
        .connection = job->connection_id,
        .message = "Webhook",
        .durable = true,
        .expires_ms = 30 * DAY_MS,
    };

    return oplog_begin_as(delivery->webhooks->config.oplog,
        oplog_id_of(job->created_at_ms, (uint32_t)job->id), &subject, OPLOG_RUNNING);
}

static void tell(const struct delivery *delivery, const struct http_headers *headers,
    const struct up_answer *answer)
{
    const struct webhook_result *result = &delivery->result;
    struct oplog_op operation = operation_of(delivery);
    const struct oplog_error error = {"webhook_failed", delivery->error, NULL};
    char *url = redact_url(delivery->job.url, NULL, 0);

    oplog_say_http(&operation,
        &(struct oplog_http){
            .method = "POST",
            .url = url,
            .status = result->status,
            .failure = result->status == 0 ? up_failure_code(answer->failure) : NULL,
            .attempt = delivery->job.attempts,
            .began_ms = result->began_ms,
            .took_ms = result->took_ms,
            .request = headers,
            .answer = &answer->headers,
        });
    if (result->state == WEBHOOK_WAITING) {
        char time[CLOCK_TEXT_SIZE];

        clock_text_z(result->due_at_ms, time);
        oplog_say(
            &operation, OPLOG_WARN, NULL, "%s: tried again at %s", delivery->error, time);
        oplog_move(&operation, OPLOG_WAITING);
    } else if (result->state == WEBHOOK_DELIVERED) {
        oplog_end(&operation, OPLOG_SUCCESS, NULL);
    } else {
        oplog_say_error(&operation, &error, "Not delivered");
        oplog_end(&operation, OPLOG_FAILED, &error);
    }
    free(url);
}

static void call(struct delivery *delivery, const char *body, size_t len,
    const struct http_headers *headers)
{
    static const char *const ours[] = {"X-Nango-Signature", "X-Nango-Hmac-Sha256",
        "webhook-id", "webhook-timestamp", "webhook-signature", NULL};
    struct webhooks *webhooks = delivery->webhooks;
    const struct up_request request = {
        .method = "POST",
        .url = delivery->job.url,
        .headers = headers,
        .body_kind = UP_BODY_BYTES,
        .body = body,
        .body_len = (int64_t)len,
        .policy = webhooks->config.policy,
    };
    const struct up_blocking blocking = {
        .request = &request,
        .timeout_ms = webhooks->config.timeout_ms,
        .max_body = ANSWER_MAX,
        .follow = true,
        .drop_on_redirect = ours,
        .ca_file = webhooks->config.ca_file,
        .given_up = &webhooks->given_up,
    };
    struct up_answer answer;
    int64_t began = clock_mono_ms();

    delivery->result.began_ms = clock_now_ms(webhooks->config.clock);
    (void)up_call_blocking(&blocking, &answer);
    delivery->result.took_ms = clock_mono_ms() - began;
    if (answer.failure == UP_TOO_LARGE && answer.status > 0)
        answer.failure = UP_OK; /* the status says it all */
    if (answer.status == 0 && atomic_load(&webhooks->given_up)) {
        delivery->result.state = WEBHOOK_WAITING;
        delivery->result.unsent = true;
        delivery->result.due_at_ms = delivery->result.began_ms;
    } else {
        decide(delivery, &answer);
        tell(delivery, headers, &answer);
    }
    up_answer_finish(&answer);
}

void delivery_attempt(struct delivery *delivery)
{
    struct webhooks *webhooks = delivery->webhooks;
    struct http_headers headers = {0};
    struct err err = {0};
    char *body = NULL;
    size_t len;

    delivery->result.id = delivery->job.id;
    if (unseal(delivery, "body", delivery->job.body, &body, &len, &err) &&
        add_headers(delivery, body, len, &headers, &err)) {
        call(delivery, body, len, &headers);
    } else {
        /* A damaged row, or a store that fails: somebody has to look at it. */
        log_event(webhooks->config.log, LOG_ERROR, "a webhook cannot be sent",
            LOG_INT("delivery", delivery->job.id), LOG_STR("reason", err.message),
            LOG_END);
        delivery->error = str_dup(err.message);
        delivery->result.began_ms = clock_now_ms(webhooks->config.clock);
        delivery->result.state = WEBHOOK_DEAD;
    }
    delivery->result.error = delivery->error;
    delivery->result.answer = delivery->answer;
    http_headers_finish(&headers);
    secret_free(body);
}
