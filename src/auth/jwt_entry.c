/* SPDX-License-Identifier: Apache-2.0 */
/* The token that a provider's entry describes (contract auth.md section 7.2): claims made
 * from what the user entered, signed with a key that the user entered. No I/O.
 *
 * A claim whose placeholder nothing fills is left out, as those of optional fields are. */
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "auth/token_int.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define CODE "failed_to_generate"

/* A list: each text rendered, then split at its commas. */
static cJSON *render_list(const struct token_values *values, const cJSON *list)
{
    cJSON *out = cJSON_CreateArray();
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        char *text, *rest, *one;
        bool complete;

        if (!cJSON_IsString(item)) {
            cJSON_AddItemToArray(out, cJSON_Duplicate(item, true));
            continue;
        }
        text = token_values_text(values, item->valuestring, &complete);
        rest = text;
        while (complete && (one = strsep(&rest, ",")) != NULL) {
            one = str_trim(one);
            if (*one != '\0')
                cJSON_AddItemToArray(out, cJSON_CreateString(one));
        }
        mem_free_text(text);
    }
    if (list->child != NULL && out->child == NULL) {
        cJSON_Delete(out);
        return NULL;
    }
    return out;
}

/* NULL = left out. */
static cJSON *render_claim(const struct token_values *values, const cJSON *claim)
{
    cJSON *out = NULL;
    bool complete;
    char *text;

    if (cJSON_IsArray(claim))
        return render_list(values, claim);
    if (!cJSON_IsString(claim))
        return token_values_render(values, claim);
    text = token_values_text(values, claim->valuestring, &complete);
    if (complete)
        out = cJSON_CreateString(text);
    mem_free_text(text);
    return out;
}

static void render_claims(
    const struct token_values *values, const cJSON *claims, cJSON *out)
{
    const cJSON *claim;

    cJSON_ArrayForEach(claim, claims)
    {
        cJSON *value = render_claim(values, claim);

        if (value != NULL)
            json_set(out, claim->string, value);
    }
}

/* `id:secret` in one field, which ghost-admin's templates name apart. */
static void key_split(const struct provider *provider, cJSON *fields)
{
    const char *key = json_str(fields, "privateKey");
    const char *colon = key != NULL ? strchr(key, ':') : NULL;
    const char *template = json_str(json_get(provider->entry, "token"), "signing_key");
    cJSON *parts;
    char *id;

    if (colon == NULL || template == NULL || strstr(template, "privateKey.") == NULL)
        return;
    parts = cJSON_CreateObject();
    id = str_ndup(key, (size_t)(colon - key));
    json_set_str(parts, "id", id);
    json_set_str(parts, "secret", colon + 1);
    mem_free_text(id);
    json_set(fields, "privateKey", parts);
}

/* The bytes that `text` stands for: an HMAC secret in hex, or the text itself. */
static bool key_decode(
    const struct provider *provider, const char *text, struct buf *out, struct err *err)
{
    const cJSON *signature = json_get(provider->entry, "signature");
    size_t len = strlen(text);

    if (!str_eq(json_str(signature, "protocol"), "HMAC") ||
        str_eq(json_str(signature, "hmac_secret_encoding"), "utf8"))
        return buf_append(out, text, len);
    if (len == 0 || len % 2 != 0 || !str_unhex(text, buf_room(out, len / 2 + 1), len / 2))
        return err_set(err, 400, CODE, "The secret must be hexadecimal digits");
    buf_added(out, len / 2);
    return true;
}

static cJSON *header_of(const struct token_values *values, const cJSON *template)
{
    const char *alg = json_str(template, "alg");
    cJSON *header = cJSON_CreateObject();

    if (alg != NULL)
        json_set_str(header, "alg", alg);
    json_set_str(header, "typ", "JWT");
    render_claims(values, template, header);
    return header;
}

/* Claims from templates, their times, and the signature. */
static bool sign_claims(const struct token_values *values, const cJSON *header_template,
    const cJSON *claims, int64_t life_s, const struct buf *key, struct buf *token,
    int64_t *expires_at_ms, struct err *err)
{
    int64_t now_s = template_now_ms(values->stable) / 1000;
    cJSON *header = header_of(values, header_template);
    cJSON *payload = cJSON_CreateObject();
    bool ok;

    render_claims(values, claims, payload);
    json_set_i64(payload, "iat", now_s);
    json_set_i64(payload, "exp", now_s + life_s);
    *expires_at_ms = (now_s + life_s) * 1000;
    ok = jwt_sign(
        header, payload, key->data != NULL ? key->data : "", key->len, token, err);
    cJSON_Delete(header);
    cJSON_Delete(payload);
    return ok;
}

bool jwt_of_entry(const struct provider *provider, const cJSON *submitted,
    const cJSON *config, const struct template_stable *stable, struct buf *token,
    int64_t *expires_at_ms, struct err *err)
{
    const cJSON *rules = json_get(provider->entry, "token");
    const char *key_template = json_str(rules, "signing_key");
    cJSON *fields = cJSON_Duplicate(submitted, true);
    const struct token_values values = {
        .layers = {{.object = fields}, {.prefix = "connectionConfig", .object = config}},
        .count = 2,
        .stable = stable,
    };
    int64_t life_ms = 0;
    char *key_text = NULL;
    struct buf key;
    bool complete, ok = false;

    buf_init_secret(&key, 0);
    json_i64(rules, "expires_in_ms", &life_ms);
    key_split(provider, fields);
    if (key_template == NULL || life_ms < 1000) {
        err_set(err, 400, "missing_token_body", "provider %.60s has no token rules",
            provider->name);
        goto done;
    }
    if (json_str(json_get(provider->entry, "signature"), "protocol") == NULL) {
        err_set(err, 400, "missing_signature_type",
            "provider %.60s does not say how its token is signed", provider->name);
        goto done;
    }
    key_text = token_values_text(&values, key_template, &complete);
    if (!complete || key_text[0] == '\0') {
        err_set(err, 400, CODE, "The key to sign with is missing: %s", key_template);
        goto done;
    }
    if (!key_decode(provider, key_text, &key, err))
        goto done;
    ok = sign_claims(&values, json_get(rules, "header"), json_get(rules, "payload"),
        life_ms / 1000, &key, token, expires_at_ms, err);
    *expires_at_ms = template_now_ms(stable) + life_ms;

done:
    mem_free_text(key_text);
    buf_finish(&key);
    cJSON_Delete(fields);
    return ok;
}
