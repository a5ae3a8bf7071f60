/* SPDX-License-Identifier: Apache-2.0 */
/* GET /environment-variables (contract http-api.md section 11): a bare list, values
 * opened. */
#include <stdlib.h>

#include "api/api_int.h"
#include "base/json.h"
#include "base/secret.h"

static bool write_variable(struct call *call, const struct environment_row *environment,
    const struct variable_row *variable, struct buf *out, struct err *err)
{
    char context[CONTEXT_SIZE];
    char *value = NULL;
    size_t len;

    variable_context(context, environment->uuid, variable->name);
    if (!vault_unseal(call_auth(call)->vault, context, variable->value.data,
            variable->value.len, &value, &len, err))
        return err_context(err, "variable %s", variable->name);
    buf_puts(out, out->len > 1 ? ",{\"name\":" : "{\"name\":");
    json_append_string(out, variable->name);
    buf_puts(out, ",\"value\":");
    json_append_string(out, value);
    buf_putc(out, '}');
    secret_free(value);
    return true;
}

void list_variables(struct call *call)
{
    struct environment_row *environment;
    struct variable_row *rows = NULL;
    struct err err = {0};
    struct buf out;
    size_t count = 0;
    bool ok;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    environment = call_environment(call);
    if (environment == NULL)
        return;
    buf_init_secret(&out, 0);
    buf_putc(&out, '[');
    ok = store_list_variables(
        call_auth(call)->store, environment->id, &rows, &count, &err);
    for (size_t i = 0; ok && i < count; i++)
        ok = write_variable(call, environment, &rows[i], &out, &err);
    store_variables_free(rows, count);
    buf_putc(&out, ']');
    if (ok) {
        reply_text(call, 200, &out);
        return;
    }
    buf_finish(&out);
    reply_error(call, &err);
}
