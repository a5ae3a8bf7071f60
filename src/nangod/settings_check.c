/* SPDX-License-Identifier: Apache-2.0 */
/* What the table of settings cannot say of a value: whether it is an address, a URL, a
 * key, a policy, or a file that can be used. The same for `nangod -t`, the start and a
 * reload, and nothing is made or changed. Each fault names where the value came from; a
 * secret's value is in none. */
#include "nangod/settings_check.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "base/str.h"
#include "catalog/weburl.h"
#include "net/http_server.h"
#include "net/policy.h"
#include "vault/vault.h"
#include "webhooks/webhooks.h"

static bool refuse(const struct settings *settings, const char *name, const char *value,
    const char *accepted, struct err *err)
{
    return err_set(err, 0, "invalid_setting", "%s: %s cannot be `%.100s`; accepted: %s",
        settings_source(settings, name), name, value, accepted);
}

/* The message of whoever looked at the value, with its place before it. */
static bool in_setting(const struct settings *settings, const char *name, struct err *err)
{
    err->status = 0;
    str_copy(err->code, sizeof err->code, "invalid_setting");
    return err_context(err, "%s: %s", settings_source(settings, name), name);
}

static bool check_address(
    const struct settings *settings, const char *name, const char *value, struct err *err)
{
    return http_address_is_good(value) || refuse(settings, name, value,
                                              "ADDR:PORT or [ADDR]:PORT with a numeric "
                                              "ADDR",
                                              err);
}

static bool check_url(
    const struct settings *settings, const char *name, const char *value, struct err *err)
{
    struct weburl url;
    bool ok;

    if (str_is_empty(value))
        return true;
    ok = weburl_parse(value, &url) && !url.has_query;
    weburl_finish(&url);
    return ok ||
           refuse(settings, name, value, "an http or https URL without a query", err);
}

static bool check_key(const struct settings *s, const struct log *log, struct err *err)
{
    bool is_text = !str_is_empty(s->vault_key);
    struct kek_source source = {.log = log};
    uint8_t kek[VAULT_KEY_LEN];
    bool ok;

    if (is_text && settings_is_forgotten(s->vault_key)) /* looked at, and used, before */
        return true;
    if (!is_text && str_is_empty(s->vault_key_file))
        return true; /* found or made in the data directory, not looked at here */
    if (is_text)
        source.key_text = s->vault_key;
    else
        source.key_file = s->vault_key_file;
    ok = kek_load(&source, kek, err);
    mem_wipe(kek, sizeof kek);
    return ok || in_setting(s, is_text ? "vault.key" : "vault.key_file", err);
}

static bool check_waits(const struct settings *s, struct err *err)
{
    int64_t waits[WEBHOOKS_WAITS_MAX];
    size_t count;

    return webhooks_parse_waits(s->webhooks_retry_waits, waits, &count, err) ||
           in_setting(s, "webhooks.retry_waits", err);
}

static bool check_authorities(const struct settings *s, struct err *err)
{
    const char *path = s->outbound_ca_file;
    X509_STORE *store;
    bool ok;

    if (path == NULL)
        return true;
    store = X509_STORE_new();
    ok = store != NULL && X509_STORE_load_file(store, path) == 1;
    X509_STORE_free(store);
    ERR_clear_error();
    return ok || refuse(s, "outbound.ca_file", path,
                     "a readable file of certificates in PEM form", err);
}

static bool check_policies(const struct settings *s, struct err *err)
{
    struct policy policy;
    bool ok = false;

    policy_init(&policy, s->outbound_allow_private);
    if (s->outbound_policy != NULL &&
        !policy_apply_json(&policy, s->outbound_policy, err))
        in_setting(s, "outbound.policy", err);
    else if (!policy_apply_denylist(&policy, s->outbound_denylist, err))
        in_setting(s, "outbound.denylist", err);
    else if (s->outbound_policy_oauth != NULL &&
             !policy_apply_json(&policy, s->outbound_policy_oauth, err))
        in_setting(s, "outbound.policy_oauth", err);
    else
        ok = true;
    policy_finish(&policy);
    return ok;
}

bool settings_check(const struct settings *s, const struct log *log, struct err *err)
{
    return check_address(s, "listen", s->listen, err) &&
           (str_is_empty(s->admin_listen) ||
               check_address(s, "admin_listen", s->admin_listen, err)) &&
           check_url(s, "public_url", s->public_url, err) &&
           check_url(s, "connect_ui_url", s->connect_ui_url, err) &&
           check_key(s, log, err) && check_authorities(s, err) &&
           check_policies(s, err) && check_waits(s, err);
}
