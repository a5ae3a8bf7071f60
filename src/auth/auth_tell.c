/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/auth_tell.h"

#include <stdlib.h>

#include "auth/auth_log.h"
#include "auth/refresh_int.h"
#include "base/str.h"

static struct webhook_subject subject_of(const struct connection_row *row)
{
    return (struct webhook_subject){
        .environment_id = row->environment_id,
        .integration = row->provider_config_key,
        .provider = row->provider,
        .connection_id = row->connection_id,
        .url_override = row->webhook_url_override,
    };
}

bool auth_tell_put(const struct auth *auth, const struct connection_row *row,
    struct webhook_outbox *if_new, struct webhook_outbox *if_old, struct err *err)
{
    struct connection_row *was = NULL;
    struct auth_told told = {
        .subject = subject_of(row),
        .operation = AUTH_CREATION,
        .mode = row->auth_type,
        .end_user = row->end_user,
        .tags_json = row->tags_json != NULL ? row->tags_json : "{}",
    };
    bool ok;

    if (auth->webhooks == NULL)
        return true;
    if (!store_find_connection(auth->store, row->environment_id, row->provider_config_key,
            row->connection_id, &was, err))
        return false;
    ok = webhooks_tell_auth(auth->webhooks, &told, if_new, err);
    told.operation = AUTH_OVERRIDE;
    /* What is put says nothing of, stays. */
    if (was != NULL && row->tags_json == NULL)
        told.tags_json = was->tags_json;
    if (was != NULL && row->end_user == NULL)
        told.end_user = was->end_user;
    if (was != NULL && str_is_empty(row->webhook_url_override))
        told.subject.url_override = was->webhook_url_override;
    ok = ok && webhooks_tell_auth(auth->webhooks, &told, if_old, err);
    connection_row_unref(was);
    return ok;
}

static void put(
    const struct auth *auth, const struct webhook_outbox *outbox, struct err *err)
{
    if (store_put_webhooks(auth->store, &outbox->puts, err))
        webhooks_wake(auth->webhooks);
    else
        log_event(auth->log, LOG_ERROR, "a webhook is not stored",
            LOG_STR("reason", err->message), LOG_END);
}

void auth_tell_failed(const struct auth *auth, const struct auth_tell_failure *failure,
    const struct err *why, const cJSON *const *secrets, size_t count)
{
    struct connection_row *was = NULL;
    struct webhook_outbox outbox = {0};
    struct err err = {0};
    char *reason;
    struct webhook_error error = {.type = why->code};
    struct auth_told told = {
        .subject =
            {
                .environment_id = failure->environment_id,
                .integration = failure->key,
                .provider = failure->provider,
                .connection_id = failure->connection,
            },
        .operation = AUTH_CREATION,
        .mode = failure->mode,
        .error = &error,
    };

    if (auth->webhooks == NULL)
        return;
    reason = auth_shown_reason(why, secrets, count);
    error.description = reason;
    if (failure->connection != NULL &&
        !store_find_connection(auth->store, failure->environment_id, failure->key,
            failure->connection, &was, &err))
        was = NULL; /* it is told as a new one */
    if (was != NULL) {
        told.subject = subject_of(was);
        told.operation = AUTH_OVERRIDE;
        told.end_user = was->end_user;
        told.tags_json = was->tags_json;
    }
    if (webhooks_tell_auth(auth->webhooks, &told, &outbox, &err))
        put(auth, &outbox, &err);
    webhook_outbox_finish(&outbox);
    connection_row_unref(was);
    free(reason);
}

bool auth_tell_refresh(const struct auth *auth, int64_t connection_id,
    const struct err *why, struct webhook_outbox *outbox, struct err *err)
{
    struct refresh_subject subject = {0};
    struct connection_row *row = NULL;
    struct webhook_error error = {.type = why->code};
    struct auth_told told = {.operation = AUTH_REFRESH, .error = &error};
    const cJSON *secrets[2];
    struct err ignored = {0};
    char *reason;
    bool ok, open;

    if (auth->webhooks == NULL)
        return true;
    if (!store_reload_connection(auth->store, connection_id, &row, err))
        return false;
    if (row == NULL || row->held) {
        connection_row_unref(row);
        return true;
    }
    connection_row_ref(row);
    open = refresh_subject_open(auth, row, &subject, &ignored);
    secrets[0] = open ? subject.connection.credentials : NULL;
    secrets[1] = open ? subject.integration.settings : NULL;
    /* Without them nothing that a provider said may be shown. */
    reason = open ? auth_shown_reason(why, secrets, 2)
                  : str_dup("The credentials could not be renewed");
    error.description = reason;
    told.subject = subject_of(row);
    told.mode = row->auth_type;
    told.end_user = row->end_user;
    told.tags_json = row->tags_json;
    ok = webhooks_tell_auth(auth->webhooks, &told, outbox, err);
    if (open)
        refresh_subject_finish(&subject);
    connection_row_unref(row);
    free(reason);
    return ok;
}
