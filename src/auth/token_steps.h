/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the modes that ask for a token with what a user entered: client credentials
 * (contract auth.md section 4) and two-step (section 5). No I/O. The headers are those of
 * the catalogue; token_request_defaults() adds the customary ones before sending. */
#ifndef AUTH_TOKEN_STEPS_H
#define AUTH_TOKEN_STEPS_H

#include "auth/token.h"
#include "catalog/template.h"

struct cc_input {
    const struct provider *provider;
    const char *client_id;
    const char *client_secret; /* or NULL: */
    const char *private_key;   /* PEM with `certificate`, or a JWK to sign with; NULL */
    const char *certificate;   /* NULL */
    const char *scopes;        /* the integration's, when the config names none; NULL */
    const cJSON *config;
    const struct template_stable *stable;
};
/* False: 400 `missing_token_url`, `url_param_err`, `missing_client_id`,
 * `missing_client_secret`, `invalid_certificate_or_key_format`. */
bool cc_request(const struct cc_input *input, struct token_request *out, struct err *err);

struct two_step_input {
    const struct provider *provider;
    const cJSON *fields; /* the submitted ones and the integration's */
    const cJSON *config;
    const cJSON *steps; /* {step1: answer, …}; NULL */
    /* Asks with this one, if the provider has a way to; NULL = the first way. */
    const char *refresh_token;
    const struct template_stable *stable;
};
bool two_step_refreshes(const struct provider *provider, const char *refresh_token);
bool two_step_request(
    const struct two_step_input *input, struct token_request *out, struct err *err);
/* One of the entry's `additional_steps`. */
bool two_step_request_more(const struct two_step_input *input, const cJSON *step,
    struct token_request *out, struct err *err);

/* Makes credentials of the last answer, {type TWO_STEP, token, refresh_token?,
 * expires_at, raw}, without the fields. `raw` is taken over. False: 400
 * `incomplete_raw_credentials`. */
bool two_step_parse(const struct provider *provider, cJSON *raw, int64_t now_ms,
    const struct token_secrets *secrets, cJSON **credentials, struct err *err);
/* Takes the refresh token out of `raw`, where the provider's entry says that it is. */
void two_step_hide_refresh_token(const struct provider *provider, cJSON *credentials);

#endif
