/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/remote.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "net/upstream.h"

#define TIMEOUT_MS 30000
#define POST_TIMEOUT_MS 600000 /* a deploy loads every script */
#define MAX_ENV_FILE ((size_t)1 << 20)
#define MAX_ANSWER ((size_t)256 << 20)

/* A line `NANGO_NAME=VALUE`, with or without `export` and quotes. It is cut. */
static void read_env_line(char *line)
{
    char *value, *end;

    line = str_trim(line);
    if (str_starts(line, "export "))
        line = str_trim(line + strlen("export "));
    value = strchr(line, '=');
    if (!str_starts(line, "NANGO_") || value == NULL)
        return;
    *value++ = '\0';
    value = str_trim(value);
    end = value + strlen(value);
    if (end - value >= 2 && (*value == '"' || *value == '\'') && end[-1] == *value) {
        end[-1] = '\0';
        value++;
    }
    (void)setenv(str_trim(line), value, 0);
}

bool remote_read_env_file(const char *dir, struct err *err)
{
    char *path = str_printf("%s/.env", dir), *line;
    struct buf text;
    bool ok = true;

    if (access(path, F_OK) == 0) {
        ok = cmd_read_file(path, MAX_ENV_FILE, &text, err);
        for (line = ok ? text.data : NULL; line != NULL;) {
            char *end = strchr(line, '\n');

            if (end != NULL)
                *end = '\0';
            read_env_line(line);
            line = end != NULL ? end + 1 : NULL;
        }
        if (ok) {
            mem_wipe(text.data, text.len);
            buf_finish(&text);
        }
    }
    free(path);
    return ok;
}

/* NANGO_SECRET_KEY_DEV for `dev`: what is no letter or digit becomes `_`. */
static char *key_variable(const char *environment)
{
    char *name = str_printf("NANGO_SECRET_KEY_%s", environment);

    for (char *c = name; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
        else if (!((*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    return name;
}

static bool find_key(struct remote *remote, const char *environment, struct err *err)
{
    char *name = environment != NULL ? key_variable(environment) : NULL;

    remote->key = name != NULL ? getenv(name) : NULL;
    if (str_is_empty(remote->key))
        remote->key = getenv("NANGO_SECRET_KEY");
    if (str_is_empty(remote->key))
        err_set(err, 400, "usage",
            "%.100s%sNANGO_SECRET_KEY is not set: it must be a secret key of the "
            "environment",
            name != NULL ? name : "", name != NULL ? " or " : "");
    free(name);
    return !str_is_empty(remote->key);
}

bool remote_init(
    struct remote *remote, const char *host, const char *environment, struct err *err)
{
    size_t len;

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
    return find_key(remote, environment, err);
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

/* What the server says is wrong: its message, or the first of its issues; and where, when
 * that is a script. */
static void read_refusal(int status, const struct buf *body, struct err *err)
{
    cJSON *whole = json_parse(body->data != NULL ? body->data : "", body->len, NULL);
    const cJSON *error = json_get(whole, "error"), *payload = json_get(error, "payload");
    const cJSON *issue = cJSON_GetArrayItem(json_get(error, "errors"), 0);
    const char *message = json_str(error, "message"), *code = json_str(error, "code");
    const char *at = cJSON_GetStringValue(cJSON_GetArrayItem(json_get(issue, "path"), 0));
    const char *file = json_str(payload, "file");
    int64_t line;

    if (issue != NULL)
        err_set(err, status, code != NULL ? code : "", "%.100s%s%.300s",
            at != NULL ? at : "", at != NULL ? ": " : "", json_str(issue, "message"));
    else if (message != NULL)
        err_set(err, status, code != NULL ? code : "", "%.400s", message);
    else
        err_set(err, status, code != NULL ? code : "",
            "the server answered with status %d", status);
    if (file != NULL && json_i64(payload, "line", &line))
        err_context(err, "%.100s:%lld", file, (long long)line);
    cJSON_Delete(whole);
}

static cJSON *call(const struct remote *remote, const char *method, const char *path,
    const cJSON *body, struct err *err)
{
    char *url = str_printf("%s%s", remote->base, path);
    char *text = body != NULL ? json_print(body) : NULL;
    struct http_headers headers = {0};
    const struct up_request request = {
        .method = method,
        .url = url,
        .headers = &headers,
        .body_kind = text != NULL ? UP_BODY_BYTES : UP_BODY_NONE,
        .body = text,
        .body_len = text != NULL ? (int64_t)strlen(text) : 0,
    };
    const struct up_blocking blocking = {.request = &request,
        .timeout_ms = text != NULL ? POST_TIMEOUT_MS : TIMEOUT_MS,
        .max_body = MAX_ANSWER};
    struct up_answer answer = {0};
    cJSON *out = NULL;
    struct buf bearer;

    buf_init_secret(&bearer, 0);
    buf_printf(&bearer, "Bearer %s", remote->key);
    http_headers_add(&headers, "Authorization", bearer.data);
    http_headers_add(&headers, "User-Agent", "nangoctl/" NANGO_VERSION);
    if (text != NULL)
        http_headers_add(&headers, "Content-Type", "application/json");
    buf_finish(&bearer);
    if (!up_call_blocking(&blocking, &answer))
        err_set(err, 502, "unreachable", "%.200s: %.200s", remote->base, answer.message);
    else if (answer.status < 200 || answer.status >= 300)
        read_refusal(answer.status, &answer.body, err);
    else
        out = json_parse(
            answer.body.data != NULL ? answer.body.data : "", answer.body.len, err);
    up_answer_finish(&answer);
    http_headers_finish(&headers);
    free(text);
    free(url);
    return out;
}

cJSON *remote_get(const struct remote *remote, const char *path, struct err *err)
{
    return call(remote, "GET", path, NULL, err);
}

cJSON *remote_post(
    const struct remote *remote, const char *path, const cJSON *body, struct err *err)
{
    return call(remote, "POST", path, body, err);
}
