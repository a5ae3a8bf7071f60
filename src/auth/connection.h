/* SPDX-License-Identifier: Apache-2.0 */
/* A connection with its secrets opened, and the writing of one. */
#ifndef AUTH_CONNECTION_H
#define AUTH_CONNECTION_H

#include <cjson/cJSON.h>

#include "auth/auth.h"

struct connection {
    struct connection_row *row;
    cJSON *credentials; /* object as stored (contract http-api.md section 3.1); {} for
                           NONE */
    cJSON *config;      /* object */
};

/* As store_find_connection(). The row that is held back under `held_id` (0 = none) stands
 * for the live one of its name: whoever judges it is to see it. */
bool connection_find(const struct auth *auth, int64_t environment_id, int64_t held_id,
    const char *provider_config_key, const char *connection_id,
    struct connection_row **out, struct err *err);
/* Absence is an error: 404 `not_found`, "Failed to find connection". */
bool connection_load(const struct auth *auth, int64_t environment_id,
    const char *provider_config_key, const char *connection_id, struct connection *out,
    struct err *err);
/* As above from a row at hand; takes over the caller's reference, also on failure. */
/* The credentials alone, without their `raw`; the config stays NULL. */
bool connection_open_credentials(const struct auth *auth, struct connection_row *row,
    struct connection *out, struct err *err);
bool connection_open(const struct auth *auth, struct connection_row *row,
    struct connection *out, struct err *err);
void connection_finish(struct connection *connection); /* wipes the secrets */

/* What a new or overwritten connection is made of. Everything is borrowed. */
struct connection_put {
    int64_t environment_id;
    const struct integration_row *integration;
    const char *connection_id;
    const cJSON *credentials; /* with `type`; {} for NONE */
    const cJSON *config;      /* NULL = {} */
    const cJSON *metadata;    /* NULL = keep, or none */
    bool empty_metadata;      /* a new connection without metadata gets {}, not null */
    const cJSON *tags;        /* NULL = keep, or {} */
    const struct end_user_row *end_user; /* NULL = keep, or none */
    const char *webhook_url_override;
    bool keep_webhook_url; /* NULL above = keep, or none; else NULL clears */
    /* The row of the connection that is authorized again, 0 = none: it must still be
     * there (else 404 `unknown_connection`), and `config` is laid over its config. */
    int64_t reconnect_id;
};
/* Reads auth type, refresh token and expiry out of `credentials`, seals, stores.
 *
 *   put ──nobody judges──────────────────────► live ─► its event is ordered
 *    └──► held back ──► auth->gate judges ─ok──┘
 *                              └──refused──► dropped; what was live stays as it was
 *
 * Blocking where somebody judges: 400 `connection_validation_failed` when refused. */
bool connection_put(const struct auth *auth, const struct connection_put *put,
    bool *created, struct connection *out, struct err *err);

/* Copies the members of `over` into a config; an empty text yields to what is there
 * (contract auth.md section 3.3). */
void connection_config_lay(cJSON *into, const cJSON *over);

/* When do these credentials expire? 0 = never. `expires_at` may be ISO text, ms or
 * seconds (contract auth.md section 3.4). False when there is one and it cannot be read.
 */
bool credentials_expiry(const cJSON *credentials, int64_t now_ms, int64_t *expires_at_ms);
bool token_expiry_parse(const cJSON *value, int64_t now_ms, int64_t *out_ms);
/* Deletes every member whose name reads "refreshtoken" (letters only, any case, any
 * depth). */
void credentials_hide_refresh_token(cJSON *value);

#endif
