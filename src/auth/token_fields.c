/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of token requests that several auth modes build in the same way. No I/O. */
#include <stdlib.h>
#include <string.h>

#include "auth/token_int.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/template.h"

/* `${credentials.x}` is `${x}` here, also where nothing fills it. The caller frees. */
static char *prefix_strip(const char *text)
{
    static const char prefix[] = "${credentials.";
    const char *found;
    struct buf out;

    buf_init(&out, 0);
    while ((found = strstr(text, prefix)) != NULL) {
        buf_append(&out, text, (size_t)(found - text) + 2);
        text = found + sizeof prefix - 1;
    }
    buf_puts(&out, text);
    return buf_take(&out, NULL);
}

char *token_values_text(
    const struct token_values *values, const char *text, bool *complete)
{
    char *stripped = prefix_strip(text);
    struct buf out;
    bool whole;

    buf_init_secret(&out, 0);
    whole = template_append(stripped, values->layers, values->count, values->stable,
        TEMPLATE_NO_ALTERNATIVES, &out);
    free(stripped);
    if (complete != NULL)
        *complete = whole;
    return buf_take(&out, NULL);
}

/* The depth is that of a catalogue entry, which its reader bounds. */
cJSON *token_values_render(const struct token_values *values, const cJSON *node)
{
    const cJSON *child;
    cJSON *out;

    if (cJSON_IsString(node)) {
        char *text = token_values_text(values, node->valuestring, NULL);

        out = cJSON_CreateString(text);
        mem_free_text(text);
        return out;
    }
    if (!cJSON_IsObject(node) && !cJSON_IsArray(node))
        return cJSON_Duplicate(node, true);
    out = cJSON_IsObject(node) ? cJSON_CreateObject() : cJSON_CreateArray();
    cJSON_ArrayForEach(child, node)
    {
        cJSON *value = token_values_render(values, child);

        if (cJSON_IsObject(node))
            cJSON_AddItemToObject(out, child->string, value);
        else
            cJSON_AddItemToArray(out, value);
    }
    return out;
}

static void header_default(
    struct http_headers *headers, const char *name, const char *value)
{
    if (value != NULL && http_headers_find(headers, name) == NULL)
        http_headers_add(headers, name, value);
}

void token_request_defaults(struct token_request *request, const char *content_type)
{
    header_default(&request->headers, "accept", "application/json, text/plain, */*");
    header_default(&request->headers, "user-agent", "Nango");
    header_default(&request->headers, "content-type", content_type);
}

static void secrets_add(struct token_request *request, const cJSON *value)
{
    const cJSON *child;

    cJSON_ArrayForEach(child, value) secrets_add(request, child);
    if (!cJSON_IsString(value) || strlen(value->valuestring) < TOKEN_SECRET_MIN)
        return;
    for (size_t i = 0; i < TOKEN_SECRETS; i++) {
        if (request->secrets[i] == NULL) {
            request->secrets[i] = str_dup(value->valuestring);
            return;
        }
    }
}

void token_request_keep_secrets(struct token_request *request, const cJSON *secrets)
{
    secrets_add(request, secrets);
}

void token_expiry_set(cJSON *credentials, int64_t expires_at_ms)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text_z(expires_at_ms, text);
    json_set_str(credentials, "expires_at", text);
}
