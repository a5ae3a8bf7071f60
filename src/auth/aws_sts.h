/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to AWS's Security Token Service, or to a broker in its place (contract auth.md
 * section 7.3). No I/O. */
#ifndef AUTH_AWS_STS_H
#define AUTH_AWS_STS_H

#include <cjson/cJSON.h>

#include "auth/auth.h"
#include "auth/integration.h"
#include "auth/token.h"

/* Temporary credentials for the role that `credentials` {role_arn, region, service,
 * external_id} names. False: 400 `missing_aws_sigv4_…`, `invalid_aws_sigv4_config`. */
bool aws_sts_assume(const struct integration *integration, const cJSON *credentials,
    int64_t now_ms, struct token_request *out, struct err *err);
/* Whose the temporary credentials are: answered with 200 when they are good. */
bool aws_sts_identity(const struct integration *integration, const cJSON *credentials,
    int64_t now_ms, struct token_request *out, struct err *err);
/* Of an answer to aws_sts_assume(), JSON or XML: adds access_key_id, secret_access_key,
 * session_token, expires_at and raw to `credentials`. False: 400
 * `aws_sigv4_sts_request_failed`. */
bool aws_sts_parse(
    const char *answer, size_t len, int64_t now_ms, cJSON *credentials, struct err *err);
/* `^[a-z0-9-]{1,64}$`: it becomes part of a host name. */
bool aws_region_is_valid(const char *region);

/* Asks GetCallerIdentity; blocking. Refused: 400 `connection_test_failed`. */
bool aws_verify(const struct auth *auth, const struct integration *integration,
    const cJSON *credentials, struct err *err);

#endif
