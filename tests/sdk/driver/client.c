/* SPDX-License-Identifier: Apache-2.0 */
/* What is about the client itself and sends nothing: its functions, webhooks, constants. */
#include <string.h>

#include "driver.h"

static void begin(struct run *run)
{
    run->ended++;
    put_open(&run->out, NULL, '{');
    put_text(&run->out, "code", "NANGO_OK");
}

static void verify_incoming_webhook_request(struct run *run)
{
    size_t len;
    size_t count;
    const void *body = get_bytes(run, arg(run, "body"), &len);
    const nango_pair *headers = get_pairs(run, run->args, "headers", &count);

    begin(run);
    put_bool(&run->out, "result",
        nango_verify_incoming_webhook_request(run->client, body, len, headers, count));
    run_end(run);
}

static void verify_webhook_signature(struct run *run)
{
    const char *json = arg_text(run, "json");

    begin(run);
    put_bool(&run->out, "result",
        nango_verify_webhook_signature(run->client, arg_text(run, "signature"), json,
            json != NULL ? strlen(json) : 0));
    run_end(run);
}

static void client_host(struct run *run)
{
    begin(run);
    put_text(&run->out, "result", nango_client_host(run->client));
    run_end(run);
}

static void set_timeout(struct run *run)
{
    nango_client_set_timeout(run->client, arg_int(run, "ms"));
    begin(run);
    run_end(run);
}

/* The next call fails with NANGO_E_CANCELLED. */
static void interrupt(struct run *run)
{
    nango_interrupt(run->client);
    begin(run);
    run_end(run);
}

static void constants(struct run *run)
{
    begin(run);
    put_open(&run->out, "result", '{');
    put_text(&run->out, "version", nango_version());
    put_open(&run->out, "codes", '[');
    for (int code = NANGO_OK; code <= NANGO_E_PARSE; code++)
        put_text(&run->out, NULL, nango_code_name((nango_code)code));
    put_text(&run->out, NULL, nango_code_name((nango_code)4711));
    put_close(&run->out, ']');
    put_open(&run->out, "auth_types", '[');
    for (int type = NANGO_AUTH_UNKNOWN; type <= NANGO_AUTH_NONE; type++)
        put_text(&run->out, NULL, nango_auth_type_name((nango_auth_type)type));
    put_close(&run->out, ']');
    put_close(&run->out, '}');
    run_end(run);
}

const struct method client_methods[] = {
    {"verifyIncomingWebhookRequest", verify_incoming_webhook_request},
    {"verifyWebhookSignature", verify_webhook_signature},
    {"clientHost", client_host},
    {"setTimeout", set_timeout},
    {"interrupt", interrupt},
    {"constants", constants},
    {NULL, NULL},
};
