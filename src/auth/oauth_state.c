/* SPDX-License-Identifier: Apache-2.0 */
/* One-time states of the redirect flow. The store knows their digest only. */
#include "auth/oauth_state.h"

#include <stdlib.h>
#include <string.h>

#include "auth/sealed_json.h"
#include "base/str.h"

static void state_digest(
    const char *state, uint8_t digest[SHA256_LEN], char context[CONTEXT_SIZE])
{
    crypto_sha256(state, strlen(state), digest);
    token_context(context, "oauth_state", digest);
}

bool oauth_state_put(const struct auth *auth, int64_t environment_id, const char *state,
    const cJSON *payload, struct err *err)
{
    struct oauth_state_row row = {.environment_id = environment_id};
    uint8_t digest[SHA256_LEN];
    char context[CONTEXT_SIZE];
    bool ok;

    state_digest(state, digest, context);
    row.expires_at_ms = clock_now_ms(auth->clock) + OAUTH_STATE_LIFE_MS;
    ok = sealed_json_write(auth, context, payload, &row.payload, err) &&
         store_insert_oauth_state(auth->store, digest, &row, err);
    free(row.payload.data);
    return ok;
}

bool oauth_state_find(const struct auth *auth, const char *state, int64_t *environment_id)
{
    uint8_t digest[SHA256_LEN];

    *environment_id = 0;
    if (str_is_empty(state))
        return false;
    crypto_sha256(state, strlen(state), digest);
    return store_find_oauth_state(
               auth->store, digest, clock_now_ms(auth->clock), environment_id, NULL) &&
           *environment_id != 0;
}

bool oauth_state_take(const struct auth *auth, const char *state, int64_t *environment_id,
    cJSON **payload, struct err *err)
{
    struct oauth_state_row *row = NULL;
    uint8_t digest[SHA256_LEN];
    char context[CONTEXT_SIZE];
    bool ok;

    *payload = NULL;
    if (str_is_empty(state))
        return err_set(err, 400, "state_err", "The callback came without a state");
    state_digest(state, digest, context);
    if (!store_take_oauth_state(
            auth->store, digest, clock_now_ms(auth->clock), &row, err))
        return false;
    if (row == NULL)
        return err_set(err, 400, "state_err",
            "No authorization is under way for this state: it is unknown, was used "
            "before, "
            "or is older than an hour");
    *environment_id = row->environment_id;
    ok = sealed_json_open(auth, context, &row->payload, payload, err);
    oauth_state_row_free(row);
    return ok;
}
