/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "net/upstream.h"

#define TIMEOUT_MS 30000
#define MAX_ANSWER ((size_t)256 << 20)

bool remote_init(struct remote *remote, const char *host, struct err *err)
{
    size_t len;

    remote->key = getenv("NANGO_SECRET_KEY");
    if (host == NULL)
        host = getenv("NANGO_HOSTPORT");
    if (str_is_empty(host))
        host = "http://localhost:3003";
    remote->base = str_dup(host);
    for (len = strlen(host); len > 0 && remote->base[len - 1] == '/'; len--)
        remote->base[len - 1] = '\0';
    if (!str_starts_nocase(host, "http://") && !str_starts_nocase(host, "https://"))
        return err_set(err, 400, "usage",
            "%.100s is no address: it must begin with http:// or https://", host);
    if (str_is_empty(remote->key))
        return err_set(err, 400, "usage",
            "NANGO_SECRET_KEY is not set: it must be a secret key of the environment");
    return true;
}

void remote_finish(struct remote *remote)
{
    free(remote->base);
}

void remote_query(struct buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_putc(path, strchr(path->data, '?') == NULL ? '?' : '&');
    buf_puts(path, name);
    buf_putc(path, '=');
    str_uri_component(value, strlen(value), path);
}

/* What the server says is wrong: its message, or the first of its issues. */
static void read_refusal(int status, const struct buf *body, struct err *err)
{
    cJSON *whole = json_parse(body->data != NULL ? body->data : "", body->len, NULL);
    const cJSON *error = json_get(whole, "error");
    const cJSON *issue = cJSON_GetArrayItem(json_get(error, "errors"), 0);
    const char *message = json_str(error, "message"), *code = json_str(error, "code");
    const char *at = cJSON_GetStringValue(cJSON_GetArrayItem(json_get(issue, "path"), 0));

    if (issue != NULL)
        err_set(err, status, code != NULL ? code : "", "%.100s%s%.300s",
            at != NULL ? at : "", at != NULL ? ": " : "", json_str(issue, "message"));
    else if (message != NULL)
        err_set(err, status, code != NULL ? code : "", "%.400s", message);
    else
        err_set(err, status, code != NULL ? code : "",
            "the server answered with status %d", status);
    cJSON_Delete(whole);
}

cJSON *remote_get(const struct remote *remote, const char *path, struct err *err)
{
    char *url = str_printf("%s%s", remote->base, path);
    struct http_headers headers = {0};
    const struct up_request request = {
        .method = "GET", .url = url, .headers = &headers, .body_kind = UP_BODY_NONE};
    const struct up_blocking call = {
        .request = &request, .timeout_ms = TIMEOUT_MS, .max_body = MAX_ANSWER};
    struct up_answer answer = {0};
    cJSON *out = NULL;
    struct buf bearer;

    buf_init_secret(&bearer, 0);
    buf_printf(&bearer, "Bearer %s", remote->key);
    http_headers_add(&headers, "Authorization", bearer.data);
    buf_finish(&bearer);
    if (!up_call_blocking(&call, &answer))
        err_set(err, 502, "unreachable", "%.200s: %.200s", remote->base, answer.message);
    else if (answer.status < 200 || answer.status >= 300)
        read_refusal(answer.status, &answer.body, err);
    else
        out = json_parse(
            answer.body.data != NULL ? answer.body.data : "", answer.body.len, err);
    up_answer_finish(&answer);
    http_headers_finish(&headers);
    free(url);
    return out;
}
