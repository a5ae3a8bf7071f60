/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the last answer of a two-step exchange (contract auth.md section 5, step 9). No
 * I/O. The catalogue says where the token, its refresh token and its end stand. */
#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "auth/jwt.h"
#include "auth/token_int.h"
#include "auth/token_steps.h"
#include "base/json.h"
#include "base/str.h"

#define YEARS_99_MS (INT64_C(99) * 365 * 86400 * 1000)
#define JWT_MARGIN_MS (INT64_C(15) * 60 * 1000)

/* A number, or `90`, `1h`, `1.5 days`: milliseconds; a bare number is seconds. */
static bool duration_parse(const cJSON *value, int64_t *out_ms)
{
    static const struct {
        const char *letter;
        double ms;
    } units[] = {{"ms", 1}, {"mo", 2592e6}, {"s", 1e3}, {"m", 6e4}, {"h", 36e5},
        {"d", 864e5}, {"w", 6048e5}, {"y", 315576e5}};
    double number;
    char *unit;

    if (!cJSON_IsString(value))
        return token_life_parse(value, out_ms);
    number = strtod(value->valuestring, &unit);
    if (unit == value->valuestring)
        return false;
    unit += strspn(unit, " ");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_starts_nocase(unit, units[i].letter)) {
            number *= units[i].ms;
            if (!(number > 0) || number > (double)YEARS_99_MS)
                return false;
            *out_ms = (int64_t)number;
            return true;
        }
    }
    return token_life_parse(value, out_ms);
}

/* The value at a path; an empty path is the whole answer. */
static const cJSON *value_at(const cJSON *raw, const char *path)
{
    if (path == NULL)
        return NULL;
    return path[0] == '\0' ? raw : json_path(raw, path);
}

/* A text, or what is none as its JSON. NULL when there is nothing there. */
static char *text_of(const cJSON *value)
{
    if (cJSON_IsString(value))
        return value->valuestring[0] != '\0' ? str_dup(value->valuestring) : NULL;
    if (value == NULL || cJSON_IsNull(value) || cJSON_IsBool(value))
        return NULL;
    return json_print(value);
}

/* The end that the answer tells, or false. */
static bool told_expiry(
    const cJSON *rules, const cJSON *raw, int64_t now_ms, int64_t *at_ms)
{
    const cJSON *value = value_at(raw, json_str(rules, "token_expiration"));
    int64_t life_ms;

    if (value == NULL)
        return false;
    if (!str_eq(json_str(rules, "token_expiration_strategy"), "expireIn"))
        return token_expiry_parse(value, now_ms, at_ms);
    if (!duration_parse(value, &life_ms))
        return false;
    *at_ms = now_ms + life_ms;
    return true;
}

static void shorten_by_jwt(const char *token, int64_t *at_ms)
{
    int64_t exp_ms;

    if (token != NULL && jwt_expiry(token, &exp_ms) && exp_ms - JWT_MARGIN_MS < *at_ms)
        *at_ms = exp_ms - JWT_MARGIN_MS;
}

/* 0 = never. */
static int64_t expires_at(const struct provider *provider, const cJSON *raw,
    const char *token, const char *refresh_token, int64_t now_ms)
{
    const cJSON *rules = json_get(provider->entry, "token_response");
    int64_t at_ms, fixed_ms;

    if (told_expiry(rules, raw, now_ms, &at_ms))
        return at_ms;
    at_ms = now_ms + YEARS_99_MS;
    if (json_i64(provider->entry, "token_expires_in_ms", &fixed_ms)) {
        if (fixed_ms <= 0)
            return 0;
        at_ms = now_ms + fixed_ms;
    }
    shorten_by_jwt(token, &at_ms);
    shorten_by_jwt(refresh_token, &at_ms);
    return at_ms;
}

bool two_step_parse(const struct provider *provider, cJSON *raw, int64_t now_ms,
    const struct token_secrets *secrets, cJSON **credentials, struct err *err)
{
    const cJSON *rules = json_get(provider->entry, "token_response");
    char *token = text_of(value_at(raw, json_str(rules, "token")));
    char *refresh_token = text_of(value_at(raw, json_str(rules, "refresh_token")));
    int64_t at_ms;
    cJSON *out;

    *credentials = NULL;
    if (token == NULL) {
        char *answer = json_print(raw);

        free(refresh_token);
        token_answer_refused(answer, strlen(answer), raw, secrets, err);
        free(answer);
        cJSON_Delete(raw);
        return false;
    }
    at_ms = expires_at(provider, raw, token, refresh_token, now_ms);
    out = cJSON_CreateObject();
    json_set_str(out, "type", "TWO_STEP");
    json_set_str(out, "token", token);
    if (refresh_token != NULL)
        json_set_str(out, "refresh_token", refresh_token);
    if (at_ms != 0)
        token_expiry_set(out, at_ms);
    json_set(out, "raw", raw);
    free(token);
    free(refresh_token);
    *credentials = out;
    return true;
}

void two_step_hide_refresh_token(const struct provider *provider, cJSON *credentials)
{
    const char *path =
        json_str(json_get(provider->entry, "token_response"), "refresh_token");
    cJSON *holder = json_get_mut(credentials, "raw");
    char *copy, *rest, *name;

    if (str_is_empty(path) || holder == NULL)
        return;
    json_remove(holder, path); /* a flat key, which wins when it is read */
    copy = str_dup(path);
    rest = copy;
    name = strsep(&rest, ".");
    while (rest != NULL && holder != NULL) {
        holder = json_get_mut(holder, name);
        name = strsep(&rest, ".");
    }
    if (holder != NULL)
        json_remove(holder, name);
    free(copy);
}
