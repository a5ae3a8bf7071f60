/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening of JSON objects. The plain text lives in wiped buffers only; the
 * parsed nodes are wiped by the allocator that secret_harden_process() gives to cJSON. */
#include "auth/sealed_json.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"

bool sealed_json_write(const struct auth *auth, const char *context, const cJSON *value,
    struct blob *out, struct err *err)
{
    struct buf plain, sealed;
    bool ok;

    out->data = NULL;
    out->len = 0;
    buf_init_secret(&plain, 0);
    buf_init(&sealed, 0);
    json_append(&plain, value);
    ok = vault_seal(auth->vault, context, plain.data, plain.len, &sealed, err);
    if (ok)
        out->data = (uint8_t *)buf_take(&sealed, &out->len);
    buf_finish(&plain);
    buf_finish(&sealed);
    return ok;
}

bool sealed_json_open(const struct auth *auth, const char *context,
    const struct blob *sealed, cJSON **out, struct err *err)
{
    char *plain = NULL;
    size_t len = 0;
    bool ok = false;

    *out = NULL;
    if (sealed->data == NULL) {
        *out = cJSON_CreateObject();
        return true;
    }
    if (!vault_unseal(auth->vault, context, sealed->data, sealed->len, &plain, &len, err))
        return false;
    /* What was sealed is our own writing: it needs no check of its syntax. */
    *out = cJSON_ParseWithLength(plain, len);
    ok = cJSON_IsObject(*out);
    if (!ok) {
        cJSON_Delete(*out);
        *out = NULL;
        err_internal(err, "sealed value is not a JSON object");
    }
    secret_free(plain);
    return ok;
}
