/* SPDX-License-Identifier: Apache-2.0 */
/* Is it alive, is it ready, how is it doing (contract http-api.md section 2). */
#include "api/api_int.h"
#include "base/json.h"

static void reply_result(struct call *call, int status, const char *result)
{
    cJSON *body = cJSON_CreateObject();

    json_set_str(body, "result", result);
    reply_json(call, status, body);
}

void get_health(struct call *call)
{
    reply_result(call, 200, "ok");
}

void get_ready(struct call *call)
{
    bool ready = !call->server->stopping && store_is_ready(call_auth(call)->store);

    reply_result(call, ready ? 200 : 503, ready ? "ok" : "not ready");
}

void get_metrics(struct call *call)
{
    struct buf text;

    buf_init(&text, 0);
    metrics_write(call->server, &text);
    reply_plain(call, 200, "text/plain; version=0.0.4; charset=utf-8", text.data);
    buf_finish(&text);
}
