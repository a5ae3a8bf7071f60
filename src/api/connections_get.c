/* SPDX-License-Identifier: Apache-2.0 */
/* GET /connections/:connectionId and its old path: one connection with fresh credentials
 * (contract http-api.md section 3.1, auth.md sections 8.1, 8.5 and 8.6).
 *
 * The busiest route. Credentials that need no refresh are answered where the request was
 * read: cached row, two unseals, and copying; refresh tokens are cut out of the text
 * (redact.h). A refresh runs on the refresher's threads, and the answer is given from
 * there.
 *
 * What can fail: 400 on the query, 400 `unknown_provider_config`, 404 `not_found`, and a
 * refresh, answered as `invalid_credentials` with the connection, without credentials, in
 * the payload. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "api/query.h"
#include "api/redact.h"
#include "auth/connection.h"
#include "auth/token_steps.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"

static const struct rule query_rules[] = {
    RULE_KEY_FIELD("provider_config_key"),
    {.name = "force_refresh", .kind = RULE_FLAG, .optional = true},
    {.name = "refresh_token", .kind = RULE_FLAG, .optional = true},
    {.name = "refresh_github_app_jwt_token", .kind = RULE_FLAG, .optional = true},
};
static const struct shape query_shape = SHAPE_STRICT(query_rules);

struct ask {
    char key[FIELD_MAX + 1];
    bool force;
    bool with_refresh_token;
    bool
        refresh_app_token; /* there is none to refresh here, but its right is asked for */
};

/* The query as every client writes it, read without building anything. False: not plain
 * enough, read it by the table. */
static bool read_plain_query(const char *text, struct ask *ask)
{
    struct query_pair pair;
    unsigned seen = 0;

    while (query_next(&text, &pair)) {
        unsigned field = 0;

        if (!query_pair_is_plain(&pair))
            return false;
        while (field < sizeof query_rules / sizeof query_rules[0] &&
               (strlen(query_rules[field].name) != pair.name_len ||
                   memcmp(query_rules[field].name, pair.name, pair.name_len) != 0))
            field++;
        if (field == sizeof query_rules / sizeof query_rules[0] ||
            (seen & (1u << field)) != 0)
            return false;
        seen |= 1u << field;
        if (field == 0) {
            if (pair.value_len > FIELD_MAX)
                return false;
            memcpy(ask->key, pair.value, pair.value_len);
            ask->key[pair.value_len] = '\0';
            if (!PATTERN_KEY.matches(ask->key))
                return false;
        } else {
            char flag[16];
            bool on;

            if (pair.value_len >= sizeof flag)
                return false;
            memcpy(flag, pair.value, pair.value_len);
            flag[pair.value_len] = '\0';
            if (!str_to_bool(flag, &on))
                return false;
            if (field == 1)
                ask->force = on;
            else if (field == 2)
                ask->with_refresh_token = on;
            else
                ask->refresh_app_token = on;
        }
    }
    return (seen & 1u) != 0;
}

/* False after a reply. */
static bool read_query(struct call *call, struct ask *ask)
{
    *ask = (struct ask){0};
    if (read_plain_query(http_query(call->req), ask))
        return true;
    *ask = (struct ask){0};
    if (!call_check_query(call, &query_shape))
        return false;
    str_copy(ask->key, sizeof ask->key, call_query_str(call, "provider_config_key"));
    ask->force = call_query_flag(call, "force_refresh");
    ask->with_refresh_token = call_query_flag(call, "refresh_token");
    ask->refresh_app_token = call_query_flag(call, "refresh_github_app_jwt_token");
    return true;
}

/* A two-step provider's entry says under which name its answer has the refresh token. */
static void hide_mapped(
    const struct call *call, const struct connection_row *row, cJSON *credentials)
{
    struct catalog *catalog = catalog_acquire(call_auth(call)->catalogs);
    const struct provider *provider = catalog_find(catalog, row->provider);

    if (provider != NULL)
        two_step_hide_refresh_token(provider, credentials);
    catalog_unref(catalog);
}

/* The opened text of a column, refresh tokens taken out unless asked for; "{}" when there
 * is nothing. Free with secret_free(). NULL on failure. */
static char *open_column(const struct call *call, const struct connection_row *row,
    const char *column, const struct blob *sealed, bool keep_refresh_token,
    struct err *err)
{
    char context[CONTEXT_SIZE];
    bool mapped = str_eq(row->auth_type, "TWO_STEP") && str_eq(column, "credentials");
    char *text = NULL;
    size_t len;
    cJSON *value;
    struct buf out;

    if (sealed->data == NULL)
        return secret_strndup("{}", 2);
    connection_context(
        context, row->environment_id, row->integration_id, row->connection_id, column);
    if (!vault_unseal(
            call_auth(call)->vault, context, sealed->data, sealed->len, &text, &len, err))
        return NULL;
    if (keep_refresh_token || (!mapped && redact_refresh_tokens(text)))
        return text;
    if (!mapped) { /* a rare spelling: by the tree, from the start */
        secret_free(text);
        if (!vault_unseal(call_auth(call)->vault, context, sealed->data, sealed->len,
                &text, &len, err))
            return NULL;
    }
    value = json_parse(text, len, NULL);
    secret_free(text);
    if (value == NULL) {
        err_internal(
            err, "%s of connection row %lld is no JSON", column, (long long)row->id);
        return NULL;
    }
    if (mapped)
        hide_mapped(call, row, value);
    credentials_hide_refresh_token(value);
    buf_init_secret(&out, 0);
    json_append(&out, value);
    cJSON_Delete(value);
    text = secret_strndup(out.data, out.len);
    buf_finish(&out);
    return text;
}

static bool may_read_credentials(const struct call *call)
{
    return scopes_allow(call->key->scopes, "environment:connections:read_credentials");
}

/* Appends the connection as the caller may see it. */
static bool write_connection(const struct call *call, const struct connection_row *row,
    bool with_credentials, bool with_refresh_token, struct buf *out, struct err *err)
{
    const struct auth *auth = call_auth(call);
    int64_t now = clock_now_ms(auth->clock);
    char *credentials = NULL, *config = NULL;
    bool ok = false;

    config = open_column(call, row, "config", &row->config, with_refresh_token, err);
    if (config == NULL)
        goto done;
    if (with_credentials && may_read_credentials(call)) {
        credentials = open_column(
            call, row, "credentials", &row->credentials, with_refresh_token, err);
        if (credentials == NULL)
            goto done;
    } else if (with_credentials) {
        credentials = secret_strndup("{}", 2);
    }
    connection_json(out, &(struct connection_view){
                             .row = row,
                             .credentials = credentials,
                             .config = config,
                             .times = TIMES_OFFSET,
                             .last_fetched_ms = now,
                             .legacy = call_is_legacy_client(call),
                         });
    ok = true;

done:
    secret_free(credentials);
    secret_free(config);
    return ok;
}

static void reply_connection(
    struct call *call, const struct connection_row *row, bool with_refresh_token)
{
    struct err err = {0};
    struct buf out;

    buf_init_secret(&out, 0);
    if (write_connection(call, row, true, with_refresh_token, &out, &err)) {
        reply_text(call, 200, &out);
        return;
    }
    buf_finish(&out);
    reply_error(call, &err);
}

/* The credentials are no good: why, and the connection without them. */
static void reply_invalid_credentials(
    struct call *call, const struct connection_row *row, const struct err *why)
{
    struct err err = {0};
    struct buf out;

    buf_init_secret(&out, 0);
    buf_puts(&out, "{\"error\":{\"message\":");
    json_append_string(&out, why->message);
    buf_puts(&out, ",\"code\":\"invalid_credentials\",\"payload\":{\"code\":");
    json_append_string(&out, why->code);
    buf_puts(&out, ",\"connection\":");
    if (!write_connection(call, row, false, false, &out, &err)) {
        buf_finish(&out);
        reply_error(call, &err);
        return;
    }
    buf_puts(&out, "}}}");
    reply_text(call, why->status, &out);
}

/* ---- the refresh ---- */

struct waiting {
    struct call *call;
    struct connection_row *row;
    bool with_refresh_token;
};

static void on_refreshed(void *arg, const struct refresh_result *result)
{
    struct waiting *waiting = arg;
    struct call *call = waiting->call;
    const struct connection_row *row = result->row != NULL ? result->row : waiting->row;

    if (result->ok)
        reply_connection(call, row, waiting->with_refresh_token);
    else if (err_is_internal(&result->err))
        reply_error(call, &result->err);
    else
        reply_invalid_credentials(call, row, &result->err);
    connection_row_unref(waiting->row);
    free(waiting);
    call_free(call);
}

static void refresh_first(
    struct call *call, struct connection_row *row, const struct ask *ask)
{
    struct waiting *waiting = MEM_NEW(struct waiting);

    waiting->call = call;
    waiting->row = row;
    waiting->with_refresh_token = ask->with_refresh_token;
    connection_row_ref(row);
    call_keep(call);
    refresher_run(call->server->refresher, row, ask->force, on_refreshed, waiting);
}

static enum refresh_need need_of(
    const struct call *call, const struct connection_row *row, bool force)
{
    const struct auth *auth = call_auth(call);
    enum refresh_need need;
    struct catalog *catalog;

    /* the provider only says how early a token counts as expired */
    if (row->expires_at_ms == 0 && !force)
        return refresh_needed(call->server->refresher, row, NULL, false);
    catalog = catalog_acquire(auth->catalogs);
    need = refresh_needed(
        call->server->refresher, row, catalog_find(catalog, row->provider), force);
    catalog_unref(catalog);
    return need;
}

static void answer(struct call *call, struct connection_row *row, const struct ask *ask)
{
    enum refresh_need need = need_of(call, row, ask->force);
    struct err err = {0};

    store_touch_connection(
        call_auth(call)->store, row->id, clock_now_ms(call_auth(call)->clock));
    switch (need) {
    case REFRESH_FRESH:
        reply_connection(call, row, ask->with_refresh_token);
        break;
    case REFRESH_WANTED:
        refresh_first(call, row, ask);
        break;
    case REFRESH_BACKOFF:
    case REFRESH_EXHAUSTED:
        refresh_refusal(need, &err);
        reply_invalid_credentials(call, row, &err);
        break;
    }
}

/* No such connection: which part of the name is unknown? */
static void reply_absent(struct call *call, const char *key)
{
    struct integration_row *integration = NULL;
    struct err err = {0};

    if (!store_find_integration(
            call_auth(call)->store, call->environment_id, key, &integration, &err))
        reply_error(call, &err);
    else if (integration == NULL)
        reply_fault(call, 400, "unknown_provider_config", "Provider does not exists");
    else
        reply_fault(call, 404, "not_found", "Failed to find connection");
    integration_row_unref(integration);
}

void get_connection(struct call *call)
{
    struct connection_row *row = NULL;
    struct err err = {0};
    struct ask ask;
    const char *id;

    if (!read_query(call, &ask))
        return;
    id = call_param_checked(call, 0, &PATTERN_CONNECTION_ID);
    if (id == NULL)
        return;
    if ((ask.force || ask.with_refresh_token || ask.refresh_app_token) &&
        !may_read_credentials(call)) {
        call_needs_scope(call, "environment:connections:read_credentials", NULL);
        return;
    }
    if (!connection_find(call_auth(call), call->environment_id, call->held_id, ask.key,
            id, &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_absent(call, ask.key);
    else
        answer(call, row, &ask);
    connection_row_unref(row);
}
