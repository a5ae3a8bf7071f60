/* SPDX-License-Identifier: Apache-2.0 */
/* What the logs of operations are told of a proxied call: an exchange for each try and each
 * hop, when its head came or it failed; at the end the operation, all at once. A caller
 * that names an operation (Nango-Activity-Log-Id) gets the exchanges in that one instead.
 *
 * Everything here must be told before the request is answered: the names of connection and
 * integration are the request's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "oplog/redact.h"
#include "proxy/forward_int.h"

void forward_log_begin(struct forward *f)
{
    struct forward_log *log = &f->log;
    int64_t id;

    log->to = f->proxy->auth->oplog;
    if (log->to == NULL)
        return;
    log->began_ms = clock_now_ms(f->proxy->auth->clock);
    log->began_us = clock_mono_us();
    if (oplog_id_parse(f->options.operation, &id))
        log->operation = oplog_op_of(log->to, f->environment_id, id);
}

void forward_log_found(struct forward *f)
{
    f->log.integration_id = f->integration.row->id;
    f->log.connection_id = f->row->id;
}

void forward_log_built(struct forward *f, const cJSON *credentials)
{
    const cJSON *secrets[] = {credentials, f->integration.settings};

    if (f->log.to == NULL)
        return;
    free(f->log.shown_url);
    f->log.shown_url = redact_url(f->built.url, secrets, 2);
}

void forward_log_sent(struct forward *f)
{
    if (f->log.to != NULL)
        f->log.sent_us = clock_mono_us();
}

/* Where a redirect led. What its query holds is the provider's affair: it may be all that
 * is needed to read a file. */
static char *hop_url(const char *url)
{
    char *bare = str_ndup(url, strcspn(url, "?#"));
    char *shown = redact_url(bare, NULL, 0);

    free(bare);
    return shown;
}

void forward_log_exchange(
    struct forward *f, int status, const struct http_headers *answer, const char *failure)
{
    struct forward_log *log = &f->log;
    char *hop = NULL;
    struct oplog_http http;

    if (log->to == NULL)
        return;
    if (f->url != NULL)
        hop = hop_url(f->url);
    http = (struct oplog_http){
        .method = f->method,
        .url = hop != NULL ? hop : log->shown_url,
        .status = status,
        .failure = failure,
        .attempt = f->attempt + 1,
        .began_ms = log->began_ms + (log->sent_us - log->began_us) / 1000,
        .took_ms = (clock_mono_us() - log->sent_us) / 1000,
        .request = &f->built.headers,
        .answer = answer,
    };
    log->exchange_failed = oplog_http_failed(&http);
    if (log->operation.id != 0)
        oplog_say_http(&log->operation, &http);
    else if (oplog_keeps_call(log->to, !log->exchange_failed))
        oplog_http_append(log->to, &http, &log->exchanges);
    free(hop);
}

void forward_log_held(struct forward *f, int64_t wait_ms)
{
    if (f->log.to != NULL && f->log.operation.id != 0)
        oplog_say(&f->log.operation, OPLOG_INFO, NULL,
            "Held back for %lld ms: the provider allows no more calls for now",
            (long long)wait_ms);
}

/* An exchange tells by itself what went wrong in it. */
static void tell_operation(struct forward *f, const struct oplog_error *error)
{
    if (error != NULL && !f->log.exchange_failed)
        oplog_say_error(&f->log.operation, error, error->message);
}

static void tell_call(struct forward *f, const struct oplog_error *error)
{
    struct forward_log *log = &f->log;
    const struct oplog_subject subject = {
        .environment_id = f->environment_id,
        .integration_id = log->integration_id,
        .integration = f->options.provider_config_key,
        .provider = f->provider != NULL ? f->provider->name : NULL,
        .connection_id = log->connection_id,
        .connection = f->options.connection_id,
    };

    oplog_call(log->to, &(struct oplog_call){
                            .subject = &subject,
                            .ok = error == NULL,
                            .began_ms = log->began_ms,
                            .took_ms = (clock_mono_us() - log->began_us) / 1000,
                            .error = error,
                            .exchanges = &log->exchanges,
                        });
}

static void tell(struct forward *f, const struct oplog_error *error)
{
    if (f->log.to == NULL)
        return;
    if (f->log.operation.id != 0)
        tell_operation(f, error);
    else
        tell_call(f, error);
    f->log.to = NULL; /* once */
}

void forward_log_failed(struct forward *f, const char *type, const char *message)
{
    const struct oplog_error error = {.type = type, .message = message};

    tell(f, &error);
}

void forward_log_answered(struct forward *f)
{
    char text[60];
    const struct oplog_error error = {.type = "provider_error", .message = text};

    if (f->log.to == NULL)
        return;
    (void)snprintf(text, sizeof text, "The provider answered with status %d", f->status);
    tell(f, f->status >= 400 ? &error : NULL);
}

void forward_log_finish(struct forward *f)
{
    free(f->log.shown_url);
    buf_finish(&f->log.exchanges);
}
