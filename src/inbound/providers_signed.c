/* SPDX-License-Identifier: Apache-2.0 */
/* Providers that sign the body as a whole, and tell of one thing at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "inbound/inbound_int.h"

#define MINUTE_MS 60000

static bool autotask(struct visit *visit)
{
    if (!check_hmac(visit, &(struct hmac_check){.header = "x-hook-signature",
                               .prefix = "sha1=",
                               .digest = DIGEST_SHA1,
                               .base64 = true,
                               .key = visit_secret(visit)}))
        return false;
    event_add(visit, visit_text(visit, "EntityType"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "webhookGuid", NULL, "Guid");
    return true;
}

/* The connection's id comes in the URL, or in the body. */
static bool find_named(struct visit *visit)
{
    const char *id = visit_query(visit, "nangoConnectionId");

    if (id == NULL)
        id = visit_text(visit, "nangoConnectionId");
    event_find(visit, FIND_ID, NULL, id);
    return id != NULL;
}

static bool cal_com(struct visit *visit)
{
    if (!check_hmac_if_set(visit, (struct hmac_check){.header = "x-cal-signature-256"}))
        return false;
    event_add(visit, visit_text(visit, "triggerEvent"), NULL, NULL);
    return find_named(visit) ||
           visit_bad(visit, "webhook_missing_connection_id",
               "Put ?nangoConnectionId=… at the end of the webhook's URL");
}

/* `t=<seconds>,v1=<hex>`, over `<seconds>.<body>`. */
static bool calendly_signature(struct visit *visit, const char *secret)
{
    const char *header = visit_header(visit, "calendly-webhook-signature");
    const char *time, *given;
    char seconds[24] = "";
    struct buf text;
    int64_t at;
    bool ok;

    if (header == NULL)
        return visit_unsigned(visit);
    time = strstr(header, "t=");
    given = strstr(header, "v1=");
    if (time == NULL || given == NULL)
        return visit_forged(visit);
    (void)snprintf(
        seconds, sizeof seconds, "%.*s", (int)strcspn(time + 2, ","), time + 2);
    if (!str_to_i64(seconds, &at) || llabs(visit->now_ms - at * 1000) > 3 * MINUTE_MS)
        return visit_forged(visit);
    buf_init(&text, 0);
    buf_printf(&text, "%s.", seconds);
    if (visit->request->len > 0)
        buf_append(&text, visit->request->body, visit->request->len);
    ok = check_hmac(visit,
        &(struct hmac_check){
            .given = given + 3, .key = secret, .text = text.data, .text_len = text.len});
    buf_finish(&text);
    return ok;
}

static bool calendly(struct visit *visit)
{
    const char *secret = visit_secret(visit);

    if (secret != NULL && !calendly_signature(visit, secret))
        return false;
    event_add(visit, visit_text(visit, "event"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "owner", NULL, "created_by");
    return true;
}

/* Without a secret the header has to be there all the same, as upstream has it. */
static bool checkr_partner(struct visit *visit)
{
    if (visit_header(visit, "x-checkr-signature") == NULL)
        return visit_unsigned(visit);
    if (!check_hmac_if_set(visit, (struct hmac_check){.header = "x-checkr-signature"}))
        return false;
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "checkr_account_id", NULL, "account_id");
    return true;
}

static bool fathom(struct visit *visit)
{
    const char *secret = visit_secret(visit);

    if (secret != NULL && !check_svix(visit, secret, 5 * MINUTE_MS))
        return false;
    event_add(visit, NULL, NULL, NULL);
    event_find_at(visit, FIND_METADATA, "emailAddress", NULL, "recorded_by.email");
    return true;
}

static bool folk(struct visit *visit)
{
    const char *secret = visit_secret(visit);

    if (secret != NULL && !check_svix(visit, secret, 0))
        return false;
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    event_find(visit, FIND_ID, NULL, visit_query(visit, "nangoConnectionId"));
    return true;
}

/* Of a location, else of a company, else of everybody's. */
static bool highlevel(struct visit *visit)
{
    static const char *const names[] = {"locationId", "companyId"};
    const char *secret = visit_secret(visit);

    if (secret != NULL && !check_rsa(visit, "x-wh-signature", secret))
        return false;
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_get(visit->body, names[i]) != NULL) {
            event_find_at(visit, FIND_CONFIG, names[i], NULL, names[i]);
            return true;
        }
    return true;
}

/* Scheme, host and port. */
static char *origin_of(const char *url)
{
    const char *host = url != NULL ? strstr(url, "://") : NULL;

    return host != NULL
               ? str_ndup(url, (size_t)(host - url) + 3 + strcspn(host + 3, "/?#"))
               : NULL;
}

/* The first `self` link, wherever it is. */
static const char *first_self(const cJSON *value, int depth)
{
    const char *found = depth < 32 ? json_str(value, "self") : NULL;
    const cJSON *child;

    if (found != NULL || depth >= 32)
        return found;
    cJSON_ArrayForEach(child, value)
    {
        if (found == NULL && (cJSON_IsObject(child) || cJSON_IsArray(child)))
            found = first_self(child, depth + 1);
    }
    return found;
}

static bool jira(struct visit *visit)
{
    char *origin;

    if (!check_hmac_if_set(
            visit, (struct hmac_check){.header = "x-hub-signature", .prefix = "sha256="}))
        return false;
    origin = origin_of(first_self(visit->body, 0));
    event_add(visit, visit_text(visit, "webhookEvent"), NULL, NULL);
    event_find(visit, FIND_CONFIG, "baseUrl", origin);
    free(origin);
    return true;
}

static bool jobber(struct visit *visit)
{
    const cJSON *event = json_path(visit->body, "data.webHookEvent");

    if (!check_hmac(visit, &(struct hmac_check){.header = "x-jobber-hmac-sha256",
                               .base64 = true,
                               .key = visit_setting(visit, "oauth_client_secret")}))
        return false;
    event_add(visit, json_str(event, "topic"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "accountId", event, "accountId");
    return true;
}

static bool jobdiva(struct visit *visit)
{
    const char *type = visit_text(visit, "type"),
               *operation = visit_text(visit, "operation");
    char *both;

    if (!check_hmac_if_set(visit,
            (struct hmac_check){.header = "x-hub-signature", .digest = DIGEST_SHA1}))
        return false;
    both = type != NULL && operation != NULL ? str_printf("%s %s", type, operation)
                                             : str_dup(type);
    event_add(visit, both, NULL, NULL);
    free(both);
    return true;
}

static bool linear(struct visit *visit)
{
    if (!check_hmac(visit, &(struct hmac_check){
                               .header = "linear-signature", .key = visit_secret(visit)}))
        return false;
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "organizationId", NULL, "organizationId");
    return true;
}

/* Its first message brings the secret that signs the others. */
static bool notion(struct visit *visit)
{
    if (visit_text(visit, "verification_token") == NULL &&
        !check_hmac_if_set(visit,
            (struct hmac_check){.header = "x-notion-signature", .prefix = "sha256="}))
        return false;
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "workspace_id", NULL, "workspace_id");
    return true;
}

/* What an event is called is put together from three members. */
static char *sellsy_type(const struct visit *visit)
{
    const char *parts[] = {visit_text(visit, "relatedtype"),
        visit_text(visit, "thirdtype"), visit_text(visit, "event")};
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (str_is_empty(parts[i]))
            continue;
        if (out.len > 0)
            buf_putc(&out, '.');
        buf_puts(&out, parts[i]);
    }
    return buf_take(&out, NULL);
}

static bool sellsy_signature(struct visit *visit, const char *secret)
{
    const char *given = visit_header(visit, "x-webhook-signature");
    uint8_t hash[20];
    char hex[41];
    struct buf text;

    if (given == NULL)
        return visit_unsigned(visit);
    buf_init_secret(&text, 0);
    buf_puts(&text, secret);
    if (visit->request->len > 0)
        buf_append(&text, visit->request->body, visit->request->len);
    crypto_sha1(text.data, text.len, hash);
    buf_finish(&text);
    str_hex(hash, sizeof hash, hex);
    return check_equal(given, hex) || visit_forged(visit);
}

static bool sellsy(struct visit *visit)
{
    const char *secret = visit_secret(visit);
    char *type;

    if (secret != NULL && !sellsy_signature(visit, secret))
        return false;
    type = sellsy_type(visit);
    event_add(visit, type, NULL, NULL);
    event_find_at(visit, FIND_CONFIG, "corpid", NULL, "corpid");
    free(type);
    return true;
}

/* `x.myshopify.com` is `x`. */
static bool shopify(struct visit *visit)
{
    const char *secret = visit_setting(visit, "oauth_client_secret");
    const char *shop = visit_header(visit, "x-shopify-shop-domain");
    char *name = shop != NULL ? str_ndup(shop, strcspn(shop, ".")) : NULL;
    bool ok;

    if (secret == NULL)
        secret = visit_secret(visit);
    ok = secret == NULL ||
         check_hmac(visit,
             &(struct hmac_check){
                 .header = "x-shopify-hmac-sha256", .base64 = true, .key = secret});
    if (ok) {
        event_add(visit, NULL, visit_header(visit, "x-shopify-topic"), NULL);
        event_find(visit, FIND_CONFIG, "subdomain", name);
        visit->message = str_dup(visit_header(visit, "x-shopify-webhook-id"));
    }
    free(name);
    return ok;
}

static bool videoask(struct visit *visit)
{
    const char *secret = visit_secret(visit),
               *given = visit_header(visit, "nango-webhook-secret");

    if (secret != NULL && given == NULL)
        return visit_unsigned(visit);
    if (secret != NULL && !check_equal(secret, given))
        return visit_forged(visit);
    event_add(visit, visit_text(visit, "type"), NULL, NULL);
    event_find(visit, FIND_ID, NULL, visit_header(visit, "nango-connection-id"));
    return true;
}

const struct handler handlers_signed[] = {
    {.name = "autotask", .run = autotask},
    {.name = "calCom", .run = cal_com},
    {.name = "calendly", .run = calendly},
    {.name = "checkrPartner", .run = checkr_partner},
    {.name = "fathom", .run = fathom},
    {.name = "folk", .run = folk},
    {.name = "highlevel", .run = highlevel},
    {.name = "jira", .run = jira},
    {.name = "jobber", .run = jobber},
    {.name = "jobdiva", .run = jobdiva},
    {.name = "linear", .run = linear},
    {.name = "notion", .run = notion},
    {.name = "sellsy", .run = sellsy},
    {.name = "shopify", .run = shopify},
    {.name = "videoask", .run = videoask},
    {.name = NULL},
};
