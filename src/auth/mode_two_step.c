/* SPDX-License-Identifier: Apache-2.0 */
/* TWO_STEP: a token for what the user entered, in as many requests as the provider's entry
 * has (contract auth.md section 5); renewed with the refresh token where the entry says
 * how, else by asking again.
 *
 * What obtain() hands over is one object, so that a restart between the provider's answer
 * and its publication loses nothing:
 *
 *   {"answers": [parsed, …], "headers": {name: value}, "assertion": text?}
 *
 * `answers`: one of each request; what is no JSON (or XML, where that is spoken) stays the
 * text that it is, as some providers answer with the token alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "auth/mode.h"
#include "auth/provider_entry.h"
#include "auth/token_int.h"
#include "auth/token_steps.h"
#include "auth/xml.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define CODE "two_step_credentials_fetch_error"
#define ASSERTION_MARGIN_MS 60000

/* Members of the stored credentials that were not submitted. */
static const char *const made[] = {
    "type", "token", "refresh_token", "expires_at", "raw", "assertionOption"};

/* One exchange under way. */
struct exchange {
    const struct auth *auth;
    const struct integration *integration;
    const struct connection *connection;
    struct template_stable stable;
    cJSON *fields;
    const char *refresh_token; /* NULL */
    cJSON *steps;              /* {step1: …} */
    cJSON *out;                /* see above */
};

/* The integration's values of `integration_config` win, and are not kept. */
static void settings_lay(const struct integration *integration, cJSON *fields)
{
    const cJSON *field, *custom = json_get(integration->settings, "custom");

    cJSON_ArrayForEach(
        field, json_get(integration->provider->entry, "integration_config"))
    {
        const char *value = json_str(custom, field->string);

        if (!str_is_empty(value))
            json_set_str(fields, field->string, value);
    }
}

/* Takes out again what the integration says. */
static void settings_drop(const struct integration *integration, cJSON *credentials)
{
    const cJSON *field, *custom = json_get(integration->settings, "custom");

    cJSON_ArrayForEach(
        field, json_get(integration->provider->entry, "integration_config"))
    {
        if (!str_is_empty(json_str(custom, field->string)))
            json_remove(credentials, field->string);
    }
}

static cJSON *fields_of(
    const struct integration *integration, const struct connection *connection)
{
    cJSON *fields = cJSON_Duplicate(connection->credentials, true);

    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        /* A field of one of these names may be submitted, but for the kind. */
        if (connection->row != NULL || i == 0 || str_eq(made[i], "assertionOption"))
            json_remove(fields, made[i]);
    }
    settings_lay(integration, fields);
    return fields;
}

/* ---- what is signed ---- */

static bool add_token(struct exchange *x, struct err *err)
{
    struct buf token;
    int64_t ends;
    bool ok;

    if (json_get(x->integration->provider->entry, "signature") == NULL)
        return true;
    buf_init_secret(&token, 0);
    ok = jwt_of_entry(x->integration->provider, x->fields, x->connection->config,
        &x->stable, &token, &ends, err);
    if (ok)
        json_set_str(x->fields, "token", token.data);
    buf_finish(&token);
    return ok;
}

static bool assertion_lives(const struct exchange *x)
{
    const char *assertion = json_str(x->fields, "assertion");
    int64_t ends;

    return !str_is_empty(assertion) && assertion_expiry(assertion, &ends) &&
           ends - ASSERTION_MARGIN_MS > x->stable.now_ms;
}

/* One that lives is used again: the key is often not kept. */
static bool add_assertion(struct exchange *x, struct err *err)
{
    struct buf assertion;
    bool ok;

    if (json_get(x->integration->provider->entry, "assertion") == NULL ||
        x->refresh_token != NULL)
        return true;
    if (!assertion_lives(x)) {
        buf_init_secret(&assertion, 0);
        ok =
            assertion_of_entry(x->integration->provider, x->fields, x->connection->config,
                json_get(x->connection->credentials, "assertionOption"), &x->stable,
                &assertion, err);
        if (ok)
            json_set_str(x->fields, "assertion", assertion.data);
        buf_finish(&assertion);
        if (!ok)
            return false;
    }
    json_set_str(x->out, "assertion", json_str(x->fields, "assertion"));
    return true;
}

/* ---- answers ---- */

/* The answer as a value; NULL with *err when it is a page or empty. */
static cJSON *answer_read(
    const struct up_answer *answer, const char *format, struct err *err)
{
    const char *text = answer->body.data != NULL ? answer->body.data : "";
    bool xml = str_eq(format, "xml");
    cJSON *value = xml ? xml_parse(text, answer->body.len)
                       : json_parse_lenient(text, answer->body.len, NULL);
    char *copy;

    if (value != NULL)
        return value;
    if (xml || answer->body.len == 0 || token_answer_is_page(answer)) {
        err_set(err, 400, CODE, "the token endpoint %s",
            answer->body.len == 0 ? "answered with nothing"
            : xml                 ? "answered with something that is no XML"
                                  : "answered with a page, not with a token");
        return NULL;
    }
    copy = str_ndup(text, answer->body.len);
    if (strlen(copy) == answer->body.len && str_is_utf8(copy, answer->body.len))
        value = cJSON_CreateString(str_trim(copy));
    else
        err_set(
            err, 400, CODE, "the token endpoint answered with bytes that are no text");
    mem_free_text(copy);
    return value;
}

/* `a=1; Path=/` adds the member a and `a=1` to the list of cookies. */
static void cookie_add(const char *header, cJSON *headers, struct buf *cookies)
{
    size_t len = strcspn(header, ";"), name_len = strcspn(header, "=");
    char *name, *value;

    if (name_len == 0 || name_len >= len)
        return;
    name = str_ndup(header, name_len);
    value = str_ndup(header + name_len + 1, len - name_len - 1);
    json_set_str(headers, str_trim(name), str_trim(value));
    if (cookies->len > 0)
        buf_puts(cookies, "; ");
    buf_append(cookies, header, len);
    free(name);
    mem_free_text(value);
}

/* The headers that the entry wants kept. */
static void headers_keep(struct exchange *x, const struct http_headers *headers)
{
    const cJSON *name;
    struct buf cookies;
    cJSON *kept = json_get_mut(x->out, "headers");

    buf_init_secret(&cookies, 0);
    cJSON_ArrayForEach(
        name, json_get(x->integration->provider->entry, "token_response_headers"))
    {
        for (size_t i = 0; cJSON_IsString(name) && i < headers->count; i++) {
            if (!str_eq_nocase(headers->items[i].name, name->valuestring))
                continue;
            if (str_eq_nocase(name->valuestring, "set-cookie"))
                cookie_add(headers->items[i].value, kept, &cookies);
            else
                json_set_str(kept, name->valuestring, headers->items[i].value);
        }
    }
    if (cookies.len > 0)
        json_set_str(kept, "_cookies", cookies.data);
    buf_finish(&cookies);
}

/* ---- requests ---- */

static const char *type_of(const struct token_request *request, const char *format)
{
    if (request->body == NULL)
        return NULL;
    if (str_eq(format, "form"))
        return "application/x-www-form-urlencoded";
    return str_eq(format, "xml") ? "application/xml" : "application/json";
}

/* Sends, and notes the answer as that of step `number`. */
static bool ask(struct exchange *x, struct token_request *request, const char *format,
    int number, struct err *err)
{
    struct up_answer answer = {0};
    char code[60], name[20];
    cJSON *value = NULL;

    snprintf(name, sizeof name, "step%d", number);
    if (number == 1)
        str_copy(code, sizeof code, "invalid_two_step_credentials");
    else
        snprintf(code, sizeof code, "invalid_two_step_credentials_step_%d", number);
    token_request_defaults(request, type_of(request, format));
    if (!token_request_call(x->auth, request, CODE, &answer, err))
        goto done;
    if (answer.status != 200 && (answer.status != 201 || number > 1)) {
        token_status_failed(request, &answer, code, err);
        goto done;
    }
    value = answer_read(&answer, format, err);
    if (value == NULL)
        goto done;
    if (number == 1)
        headers_keep(x, &answer.headers);
    json_set(x->steps, name, cJSON_Duplicate(value, true));
    cJSON_AddItemToArray(json_get_mut(x->out, "answers"), value);

done:
    up_answer_finish(&answer);
    return value != NULL;
}

static bool ask_all(struct exchange *x, struct err *err)
{
    const cJSON *entry = x->integration->provider->entry, *step;
    struct two_step_input input = {
        .provider = x->integration->provider,
        .fields = x->fields,
        .config = x->connection->config,
        .refresh_token = x->refresh_token,
        .stable = &x->stable,
    };
    struct token_request request;
    int number = 1;
    bool ok;

    if (!two_step_request(&input, &request, err))
        return false;
    ok = ask(x, &request, json_str(entry, "body_format"), number, err);
    token_request_finish(&request);
    input.steps = x->steps;
    cJSON_ArrayForEach(step, json_get(entry, "additional_steps"))
    {
        if (!ok || !two_step_request_more(&input, step, &request, err))
            return false;
        ok = ask(x, &request, json_str(step, "body_format"), ++number, err);
        token_request_finish(&request);
    }
    return ok;
}

static bool obtain(const struct auth *auth, const struct integration *integration,
    const struct connection *connection, struct buf *answer, struct err *err)
{
    const char *refresh_token = connection->row != NULL
                                    ? json_str(connection->credentials, "refresh_token")
                                    : NULL;
    struct exchange x = {
        .auth = auth,
        .integration = integration,
        .connection = connection,
        .stable = {.clock = auth->clock, .now_ms = clock_now_ms(auth->clock)},
        .fields = fields_of(integration, connection),
        .steps = cJSON_CreateObject(),
        .out = cJSON_CreateObject(),
    };
    bool ok;

    crypto_uuid_v4(x.stable.random);
    if (two_step_refreshes(integration->provider, refresh_token))
        x.refresh_token = refresh_token;
    json_set(x.out, "answers", cJSON_CreateArray());
    json_set(x.out, "headers", cJSON_CreateObject());
    ok = add_token(&x, err) && add_assertion(&x, err) && ask_all(&x, err);
    if (ok)
        json_append(answer, x.out);
    cJSON_Delete(x.fields);
    cJSON_Delete(x.steps);
    cJSON_Delete(x.out);
    return ok;
}

/* ---- credentials ---- */

static bool parse(const struct integration *integration,
    const struct connection *connection, const char *answer, size_t len,
    int64_t received_at_ms, cJSON **credentials, struct err *err)
{
    cJSON *envelope = json_parse(answer, len, err),
          *fresh = NULL; /* of our own writing */
    const cJSON *answers = json_get(envelope, "answers");
    const cJSON *raw = cJSON_GetArrayItem(answers, cJSON_GetArraySize(answers) - 1);
    struct token_secrets secrets = {{0}};
    const cJSON *field;
    size_t count = 0;

    *credentials = NULL;
    cJSON_ArrayForEach(field, connection->credentials)
    {
        if (cJSON_IsString(field) && count < TOKEN_SECRETS &&
            strlen(field->valuestring) >= TOKEN_SECRET_MIN)
            secrets.items[count++] = field->valuestring;
    }
    if (raw != NULL && two_step_parse(integration->provider, cJSON_Duplicate(raw, true),
                           received_at_ms, &secrets, &fresh, err)) {
        *credentials = cJSON_Duplicate(connection->credentials, true);
        json_remove(*credentials, "assertionOption");
        json_remove(*credentials, "expires_at");
        settings_drop(integration, *credentials);
        if (connection->row == NULL)
            json_remove(*credentials, "refresh_token");
        if (json_str(envelope, "assertion") != NULL)
            json_set_str(*credentials, "assertion", json_str(envelope, "assertion"));
        json_merge(*credentials, json_get(envelope, "headers"));
        json_merge(*credentials, fresh);
    }
    cJSON_Delete(fresh);
    cJSON_Delete(envelope);
    return *credentials != NULL;
}

/* From the last answer, then from those before it. */
static void learn(
    const struct provider *provider, const char *answer, size_t len, cJSON *config)
{
    cJSON *envelope = json_parse(answer, len, NULL);
    const cJSON *each;

    cJSON_ArrayForEach(each, json_get(envelope, "answers"))
        token_response_metadata(provider, each, config);
    cJSON_Delete(envelope);
}

const struct mode mode_two_step = {
    .credentials_type = "TWO_STEP",
    .can_renew = mode_renews_always,
    .obtain = obtain,
    .parse = parse,
    .learn = learn,
};
