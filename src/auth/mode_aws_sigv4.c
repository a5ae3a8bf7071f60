/* SPDX-License-Identifier: Apache-2.0 */
/* AWS_SIGV4: temporary keys for a role of the user's, with which the proxy signs (contract
 * auth.md section 7.3); renewed by assuming the role again. */
#include "auth/aws_sts.h"
#include "auth/mode.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"

#define CODE "aws_sigv4_sts_request_failed"

static const char *const kept[] = {"role_arn", "region", "service", "external_id"};

static const char *first_of(const char *a, const char *b)
{
    return !str_is_empty(a) ? a : b;
}

/* Region, service and external id are settled once; the provider's URL names them. */
static bool prepare(const struct integration *integration, cJSON *submitted,
    cJSON *config, struct err *err)
{
    const cJSON *custom = json_get(integration->settings, "custom");
    const char *region =
        first_of(json_str(submitted, "region"), json_str(config, "region"));
    const char *external = json_str(submitted, "external_id");
    char uuid[UUID_TEXT_SIZE];

    region = first_of(region, json_str(custom, "defaultRegion"));
    if (str_is_empty(external))
        external = json_str(config, "external_id");
    if (!str_is_empty(external) && !str_is_uuid(external))
        return err_set(
            err, 400, "invalid_aws_sigv4_config", "external_id must be a UUID");
    crypto_uuid_v4(uuid);
    if (str_is_empty(external))
        external = uuid;
    json_set_str(submitted, "external_id", external);
    json_set_str(submitted, "service", json_str(custom, "service"));
    json_set_str(submitted, "region", region);
    for (size_t i = 1; i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = json_str(submitted, kept[i]);

        if (value != NULL)
            json_set_str(config, kept[i], value);
    }
    return true;
}

static bool obtain(const struct auth *auth, const struct integration *integration,
    const struct connection *connection, struct buf *answer, struct err *err)
{
    struct token_request request;
    bool ok;

    if (!aws_sts_assume(integration, connection->credentials, clock_now_ms(auth->clock),
            &request, err))
        return false;
    ok = token_request_send(auth, &request, CODE, answer, err);
    token_request_finish(&request);
    return ok;
}

static bool parse(const struct integration *integration,
    const struct connection *connection, const char *answer, size_t len,
    int64_t received_at_ms, cJSON **credentials, struct err *err)
{
    cJSON *out = cJSON_CreateObject();

    (void)integration;
    json_set_str(out, "type", "AWS_SIGV4");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        json_set_str(out, kept[i], json_str(connection->credentials, kept[i]));
    *credentials = NULL;
    if (!aws_sts_parse(answer, len, received_at_ms, out, err)) {
        cJSON_Delete(out);
        return false;
    }
    *credentials = out;
    return true;
}

const struct mode mode_aws_sigv4 = {
    .credentials_type = "AWS_SIGV4",
    .can_renew = mode_renews_always,
    .obtain = obtain,
    .parse = parse,
    .prepare = prepare,
};
