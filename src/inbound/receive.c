/* SPDX-License-Identifier: Apache-2.0 */
/* One request: its body read, its handler asked, what came of that stored. */
#include <stdlib.h>
#include <string.h>

#include "auth/auth_log.h"
#include "base/json.h"
#include "base/str.h"
#include "inbound/inbound_int.h"
#include "inbound/route.h"

/* ---- the body ---- */

static bool is_form(const struct inbound_request *request)
{
    const char *type = http_headers_find(request->headers, "content-type");

    return type != NULL && str_starts(type, "application/x-www-form-urlencoded");
}

static bool is_json(const struct inbound_request *request)
{
    const char *type = http_headers_find(request->headers, "content-type");

    return type == NULL || strstr(type, "json") != NULL;
}

static cJSON *parse_form(const char *text, size_t len)
{
    cJSON *out = cJSON_CreateObject();
    const char *at = text, *end = text + len;

    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at)), *equals;
        struct buf name, value;

        stop = stop != NULL ? stop : end;
        equals = memchr(at, '=', (size_t)(stop - at));
        buf_init(&name, 0);
        buf_init(&value, 0);
        if (str_percent_decode(
                at, (size_t)((equals != NULL ? equals : stop) - at), true, &name) &&
            (equals == NULL || str_percent_decode(equals + 1, (size_t)(stop - equals) - 1,
                                   true, &value)) &&
            name.len > 0 && str_is_utf8(value.len > 0 ? value.data : "", value.len) &&
            str_is_utf8(name.data, name.len))
            json_set_str(out, name.data, value.len > 0 ? value.data : "");
        buf_finish(&name);
        buf_finish(&value);
        at = stop + 1;
    }
    return out;
}

/* JSON must be JSON; of other types only handlers know what they are. */
bool visit_read_body(struct visit *visit)
{
    const struct inbound_request *request = visit->request;
    struct err why = {0};

    if (request->len == 0) {
        visit->body = cJSON_CreateObject();
        return true;
    }
    if (is_form(request)) {
        visit->body = parse_form(request->body, request->len);
        return true;
    }
    visit->body = json_parse(request->body, request->len, &why);
    if (visit->body != NULL)
        return true;
    if (is_json(request))
        return err_set(visit->err, 400, "webhook_invalid_payload",
            "The body is not JSON: %s", why.message);
    visit->body = cJSON_CreateObject();
    return true;
}

/* ---- storing ---- */

/* What is routed: the events, and what is passed on. A whole body goes as it came: numbers
 * that JavaScript could not hold are no affair of ours. */
static void append_content(const struct visit *visit, struct buf *out)
{
    const struct inbound_request *request = visit->request;
    struct json_raw raw;

    buf_puts(out, "{\"events\":");
    json_append(out, visit->events);
    buf_puts(out, ",\"body\":");
    if (request->len > 0 && !is_form(request) &&
        json_raw_parse(request->body, request->len, &raw, NULL))
        buf_append(out, raw.text, raw.len);
    else
        json_append(out, visit->body);
    if (visit->forward != NULL) {
        buf_puts(out, ",\"forward\":");
        json_append(out, visit->forward);
    }
    buf_puts(out, ",\"headers\":[");
    for (size_t i = 0; i < request->headers->count; i++) {
        const struct http_header *header = &request->headers->items[i];

        if (!webhooks_may_forward(header->name) ||
            !str_is_utf8(header->value, strlen(header->value)))
            continue;
        if (out->data[out->len - 1] != '[')
            buf_putc(out, ',');
        buf_putc(out, '[');
        json_append_string(out, header->name);
        buf_putc(out, ',');
        json_append_string(out, header->value);
        buf_putc(out, ']');
    }
    buf_puts(out, "]}");
}

static bool store_event(struct inbound *inbound, const struct visit *visit,
    struct inbound_event *event, bool *repeated, struct err *err)
{
    char context[CONTEXT_SIZE];
    struct buf content, sealed;
    bool ok;

    buf_init(&content, 0);
    buf_init(&sealed, 0);
    append_content(visit, &content);
    inbound_context(context, event->uuid);
    ok = vault_seal(visit->auth->vault, context, content.data, content.len, &sealed, err);
    event->content = (struct blob){(uint8_t *)sealed.data, sealed.len};
    ok =
        ok && store_put_inbound(visit->auth->store, event, visit->message, repeated, err);
    buf_finish(&content);
    buf_finish(&sealed);
    if (ok && !*repeated)
        inbound_wake(inbound);
    return ok;
}

/* ---- the request ---- */

static struct oplog_op begin_operation(
    const struct visit *visit, const struct inbound_event *event)
{
    const struct integration_row *row = visit->request->integration->row;
    const struct oplog_subject subject = {
        .environment_id = event->environment_id,
        .type = "webhook",
        .action = "incoming",
        .message = "A provider sent a webhook",
        .integration_id = row->id,
        .integration = row->unique_key,
        .provider = row->provider,
        .durable = true,
    };

    return oplog_begin_as(
        visit->auth->oplog, inbound_operation_id(event), &subject, OPLOG_RUNNING);
}

static bool answer_as(
    const struct visit *visit, struct inbound_answer *answer, int status)
{
    *answer = visit->answer;
    if (answer->status == 0)
        *answer = (struct inbound_answer){
            status, "application/json", str_dup("{\"status\":\"success\"}")};
    return true;
}

static bool take(
    struct inbound *inbound, struct visit *visit, struct inbound_answer *answer)
{
    const struct integration_row *row = visit->request->integration->row;
    struct inbound_event event = {
        .environment_id = row->environment_id,
        .integration_id = row->id,
        .received_at_ms = visit->now_ms,
    };
    struct oplog_op operation;
    bool repeated = false;

    if (cJSON_GetArraySize(visit->events) == 0 && !visit->passes_on)
        return answer_as(visit, answer, 200); /* a question of the provider's */
    crypto_uuid_v4(event.uuid);
    operation = begin_operation(visit, &event);
    if (!store_event(inbound, visit, &event, &repeated, visit->err)) {
        oplog_end(&operation, OPLOG_FAILED,
            &(struct oplog_error){visit->err->code, "It could not be stored", NULL});
        return false;
    }
    if (repeated) {
        oplog_say(&operation, OPLOG_INFO, NULL,
            "It came before: its id was seen, and nothing is done again");
        oplog_end(&operation, OPLOG_CANCELLED, NULL);
    }
    return answer_as(visit, answer, 200);
}

static void tell_refused(const struct visit *visit)
{
    const cJSON *secrets[] = {visit->request->integration->settings};
    struct inbound_event event = {
        .environment_id = visit->request->environment->id,
        .received_at_ms = visit->now_ms,
    };
    struct oplog_op operation;

    crypto_uuid_v4(event.uuid);
    operation = begin_operation(visit, &event);
    auth_log_failed(&operation, visit->err, secrets, 1);
}

bool inbound_receive(struct inbound *inbound, const struct inbound_request *request,
    struct inbound_answer *answer, struct err *err)
{
    const struct handler *handler = handler_find(request->integration);
    const struct auth *auth = inbound_auth(inbound);
    struct visit visit = {
        .request = request,
        .auth = auth,
        .now_ms = clock_now_ms(auth->clock),
        .passes_on = true,
        .err = err,
    };
    bool ok;

    *answer = (struct inbound_answer){0};
    if (handler == NULL || (request->len == 0 && request->headers->count == 0)) {
        answer->status = 204;
        return true;
    }
    visit.events = cJSON_CreateArray();
    ok = visit_read_body(&visit) && handler->run(&visit);
    if (!ok)
        tell_refused(&visit);
    ok = ok && take(inbound, &visit, answer);
    if (!ok)
        free(visit.answer.body);
    cJSON_Delete(visit.body);
    cJSON_Delete(visit.events);
    cJSON_Delete(visit.forward);
    free(visit.message);
    return ok;
}
