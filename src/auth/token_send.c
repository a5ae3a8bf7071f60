/* SPDX-License-Identifier: Apache-2.0 */
/* Sending a request to a token endpoint, blocking. The outbound policy judges the URL and
 * every address and redirect; an answer is read up to 1 MiB. Whatever goes wrong is one
 * error whose text says what happened without quoting more of the answer than
 * token_error_text() allows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/token.h"
#include "auth/token_int.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/upstream.h"

#define TOKEN_ANSWER_MAX ((size_t)1 << 20)

bool token_answer_is_page(const struct up_answer *answer)
{
    const char *type = http_headers_find(&answer->headers, "content-type");

    return type != NULL && str_starts_nocase(type, "text/html");
}

static bool transport_failed(const struct auth *auth, const struct up_answer *answer,
    const char *code, struct err *err)
{
    switch (answer->failure) {
    case UP_TIMEOUT:
        return err_set(err, 400, code, "the token endpoint did not answer within %lld ms",
            (long long)auth->token_timeout_ms);
    case UP_TOO_LARGE:
        return err_set(
            err, 400, code, "the token endpoint's answer is larger than 1 MiB");
    case UP_DENIED:
        return err_set(err, 400, code,
            "the token endpoint is refused by the outbound policy: %s", answer->message);
    default:
        return err_set(err, 400, code, "the token endpoint could not be reached (%s): %s",
            up_failure_code(answer->failure), answer->message);
    }
}

bool token_status_failed(const struct token_request *request,
    const struct up_answer *answer, const char *code, struct err *err)
{
    struct token_secrets secrets;
    char text[400];

    if (token_answer_is_page(answer))
        return err_set(err, 400, code, "the token endpoint answered %d with an HTML page",
            answer->status);
    token_request_secrets(request, &secrets);
    token_error_text(answer->body.data, answer->body.len, &secrets, text, sizeof text);
    return err_set(err, 400, code, "the token endpoint answered %d%s%s", answer->status,
        text[0] != '\0' ? ": " : "", text);
}

/* What does not follow a request to another site: the catalogue puts keys into any header
 * but these. The array ends with NULL and is the caller's, its names are not. */
static const char **names_of(const struct http_headers *headers)
{
    const char **names = mem_resize_array(NULL, headers->count + 1, sizeof *names);
    size_t count = 0;

    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->items[i].name;

        if (!str_in_list("accept,user-agent,content-type", name))
            names[count++] = name;
    }
    names[count] = NULL;
    return names;
}

bool token_request_call(const struct auth *auth, const struct token_request *request,
    const char *failure_code, struct up_answer *answer, struct err *err)
{
    struct up_request up = {
        .method = request->method,
        .url = request->url,
        .headers = &request->headers,
        .body_kind = request->body != NULL ? UP_BODY_BYTES : UP_BODY_NONE,
        .body = request->body,
        .body_len = request->body != NULL ? (int64_t)strlen(request->body) : 0,
        .decompress = true,
        .policy = auth->policy,
        .client_certificate_pem = request->certificate,
        .client_key_pem = request->key,
    };
    const char **names = names_of(&request->headers);
    struct up_blocking call = {
        .request = &up,
        .timeout_ms = auth->token_timeout_ms,
        .max_body = TOKEN_ANSWER_MAX,
        .follow = true,
        .drop_on_redirect = names,
        .ca_file = auth->ca_file,
    };
    bool ok = up_call_blocking(&call, answer) && answer->failure == UP_OK;

    free(names);
    return ok || transport_failed(auth, answer, failure_code, err);
}

bool token_request_send(const struct auth *auth, const struct token_request *request,
    const char *failure_code, struct buf *answer, struct err *err)
{
    struct up_answer got = {0};
    bool ok = token_request_call(auth, request, failure_code, &got, err);

    if (ok && (got.status < 200 || got.status > 299))
        ok = token_status_failed(request, &got, failure_code, err);
    else if (ok)
        ok = buf_append(answer, got.body.data, got.body.len) ||
             err_set(err, 400, failure_code, "the token endpoint's answer is too large");
    up_answer_finish(&got);
    return ok;
}
