/* SPDX-License-Identifier: Apache-2.0 */
/* Reading token answers (RFC 6749 section 5.1, contract auth.md section 3.4). Providers
 * answer 200 with an error inside, with HTML, with nothing: each is a failure with a text
 * that says which. The content type is not judged, as some send JSON under another name,
 * and characters that are none are replaced: the token that was spent for the answer may
 * be good once only. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "auth/token.h"
#include "auth/token_int.h"
#include "base/json.h"
#include "base/str.h"

/* A hundred years: more is a provider's way of saying never. */
#define LIFE_MAX_S 3153600000.0

bool token_life_parse(const cJSON *value, int64_t *out_ms)
{
    double seconds;

    if (cJSON_IsNumber(value))
        seconds = trunc(value->valuedouble);
    else if (cJSON_IsString(value))
        seconds = (double)strtoll(value->valuestring, NULL, 10);
    else
        return false;
    if (seconds == 0 || !isfinite(seconds))
        return false;
    if (seconds > LIFE_MAX_S)
        seconds = LIFE_MAX_S;
    if (seconds < -LIFE_MAX_S)
        seconds = -LIFE_MAX_S;
    *out_ms = (int64_t)seconds * 1000;
    return true;
}

/* Where the token is: the answer itself, or what the catalogue's other path leads to. */
static const cJSON *token_holder(
    const struct provider *provider, const cJSON *raw, const char **access_token)
{
    const char *path = json_str(provider->entry, "alternate_access_token_response_path");
    const cJSON *other;

    *access_token = json_str(raw, "access_token");
    if (!str_is_empty(*access_token) || path == NULL)
        return raw;
    other = json_path(raw, path);
    if (cJSON_IsString(other)) {
        *access_token = other->valuestring;
        return raw;
    }
    *access_token = json_str(other, "access_token");
    return other;
}

bool token_answer_refused(const char *answer, size_t len, const cJSON *raw,
    const struct token_secrets *secrets, struct err *err)
{
    char text[400];
    size_t space = strspn(answer, " \t\r\n");

    if (raw == NULL && len > space && answer[space] == '<')
        return err_set(err, 400, "token_parsing_error",
            "the token endpoint answered with a page, not with JSON");
    if (raw == NULL)
        return err_set(err, 400, "token_parsing_error",
            len == 0 ? "the token endpoint's answer is empty"
                     : "the token endpoint's answer is not JSON");
    token_error_text(answer, len, secrets, text, sizeof text);
    return err_set(err, 400, "incomplete_raw_credentials",
        "the token endpoint's answer has no access token%s%s",
        text[0] != '\0' ? ": " : "", text);
}

/* 0 = never. */
static int64_t token_expires_at(const cJSON *holder, int64_t now_ms)
{
    int64_t at_ms, life_ms;

    if (credentials_expiry(holder, now_ms, &at_ms) && at_ms != 0)
        return at_ms;
    if (token_life_parse(json_get(holder, "expires_in"), &life_ms))
        return now_ms + life_ms;
    return 0;
}

bool token_parse_oauth2(const struct provider *provider, const char *answer, size_t len,
    const cJSON *previous, const struct token_secrets *secrets, int64_t now_ms,
    cJSON **credentials, struct err *err)
{
    cJSON *raw = len > 0 ? json_parse_lenient(answer, len, NULL) : NULL;
    const char *access_token = NULL, *refresh_token;
    const cJSON *holder = NULL, *override = json_get(previous, "config_override");
    char text[CLOCK_TEXT_SIZE];
    int64_t expires_at_ms;
    cJSON *out;

    *credentials = NULL;
    if (cJSON_IsObject(raw))
        holder = token_holder(provider, raw, &access_token);
    if (str_is_empty(access_token)) {
        token_answer_refused(answer != NULL ? answer : "", len, raw, secrets, err);
        cJSON_Delete(raw);
        return false;
    }
    refresh_token = json_str(holder, "refresh_token");
    if (str_is_empty(refresh_token))
        refresh_token = json_str(previous, "refresh_token");
    expires_at_ms = token_expires_at(holder, now_ms);

    out = cJSON_CreateObject();
    json_set_str(out, "type", "OAUTH2");
    json_set_str(out, "access_token", access_token);
    if (refresh_token != NULL)
        json_set_str(out, "refresh_token", refresh_token);
    if (expires_at_ms != 0) {
        clock_text_z(expires_at_ms, text);
        json_set_str(out, "expires_at", text);
        if (json_get(raw, "expires_at") == NULL && json_get(raw, "expires_in") != NULL)
            json_set_str(raw, "expires_at", text);
    }
    json_set(out, "raw", raw);
    if (cJSON_IsObject(override))
        json_set(out, "config_override", cJSON_Duplicate(override, true));
    *credentials = out;
    return true;
}

void token_response_metadata(
    const struct provider *provider, const cJSON *raw, cJSON *config)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, json_get(provider->entry, "token_response_metadata"))
    {
        const cJSON *value =
            cJSON_IsString(name) ? json_path(raw, name->valuestring) : NULL;

        if (cJSON_IsString(value) || cJSON_IsBool(value))
            json_set(config, name->valuestring, cJSON_Duplicate(value, true));
    }
}
