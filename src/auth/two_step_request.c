/* SPDX-License-Identifier: Apache-2.0 */
/* Two-step requests: whatever the catalogue's entry says, filled with what the user
 * entered. See token_steps.h. What nothing fills goes out as it stands, as optional
 * fields do; only the URL must be whole. */
#include <stdlib.h>
#include <string.h>

#include "auth/provider_entry.h"
#include "auth/token_int.h"
#include "auth/token_steps.h"
#include "auth/xml.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* Where the parts of one request come from. */
struct parts {
    const char *url;
    const cJSON *params;
    const cJSON *headers;
    const char *method;
    const char *format;
};

/* What a URL may name: the config, over it the fields, over those the answers of earlier
 * steps. */
static cJSON *url_values(const struct two_step_input *in, const cJSON *fields)
{
    cJSON *values = cJSON_CreateObject();

    if (in->config != NULL)
        json_merge(values, in->config);
    json_merge(values, fields);
    if (in->steps != NULL)
        json_merge(values, in->steps);
    return values;
}

static void body_set(cJSON *params, const char *format, struct token_request *out)
{
    struct buf text;

    if (str_eq(format, "query")) {
        if (params->child != NULL)
            token_query_add(out, params);
        return;
    }
    buf_init_secret(&text, 0);
    if (str_eq(format, "form")) {
        token_form_write(&text, params);
    } else if (str_eq(format, "xml")) {
        buf_puts(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        xml_write(params, &text);
        out->xml = cJSON_Duplicate(params, true);
    } else {
        json_append(&text, params);
    }
    out->body = buf_take(&text, NULL);
}

static void headers_set(
    const struct token_values *values, const cJSON *headers, struct token_request *out)
{
    const cJSON *header;

    cJSON_ArrayForEach(header, headers)
    {
        char *text;

        if (!cJSON_IsString(header))
            continue;
        text = token_values_text(values, header->valuestring, NULL);
        http_headers_set(&out->headers, header->string, text);
        mem_free_text(text);
    }
}

static bool build(const struct two_step_input *in, const struct parts *parts,
    struct token_request *out, struct err *err)
{
    cJSON *fields = cJSON_Duplicate(in->fields, true);
    const struct token_values values = {
        .layers = {{.object = fields},
            {.prefix = "connectionConfig", .object = in->config}, {.object = in->config},
            {.object = in->steps}},
        .count = 4,
        .stable = in->stable,
    };
    cJSON *params, *url;

    memset(out, 0, sizeof *out);
    if (in->refresh_token != NULL)
        json_set_str(fields, "refresh_token", in->refresh_token);
    if (str_is_empty(parts->url)) {
        cJSON_Delete(fields);
        return err_set(err, 400, "missing_token_url", "provider %.60s has no token URL",
            in->provider->name);
    }
    url = url_values(in, fields);
    out->url = template_url(parts->url, url,
        provider_skips_encoding(in->provider, "token_url_skip_encode"), in->stable, err);
    cJSON_Delete(url);
    if (out->url != NULL) {
        params = token_values_render(&values, parts->params);
        if (!cJSON_IsObject(params)) {
            cJSON_Delete(params);
            params = cJSON_CreateObject();
        }
        out->method = str_dup(str_eq(parts->method, "GET") ? "GET" : "POST");
        headers_set(&values, parts->headers, out);
        if (!str_eq(out->method, "GET"))
            body_set(params, parts->format, out);
        token_request_keep_secrets(out, fields);
        cJSON_Delete(params);
    }
    cJSON_Delete(fields);
    return out->url != NULL;
}

bool two_step_refreshes(const struct provider *provider, const char *refresh_token)
{
    return !str_is_empty(refresh_token) &&
           (json_get(provider->entry, "refresh_token_params") != NULL ||
               json_get(provider->entry, "refresh_token_headers") != NULL);
}

bool two_step_request(
    const struct two_step_input *in, struct token_request *out, struct err *err)
{
    const cJSON *entry = in->provider->entry;
    struct two_step_input input = *in;
    struct parts parts = {
        .url = provider_token_url(in->provider),
        .params = json_get(entry, "token_params"),
        .headers = json_get(entry, "token_headers"),
        .method = json_str(entry, "token_request_method"),
        .format = json_str(entry, "body_format"),
    };

    if (two_step_refreshes(in->provider, in->refresh_token)) {
        const char *url = json_str(entry, "refresh_url");
        const cJSON *headers = json_get(entry, "refresh_token_headers");

        parts.url = !str_is_empty(url) ? url : parts.url;
        parts.params = json_get(entry, "refresh_token_params");
        parts.headers = headers != NULL ? headers : parts.headers;
    } else {
        input.refresh_token = NULL;
    }
    return build(&input, &parts, out, err);
}

bool two_step_request_more(const struct two_step_input *in, const cJSON *step,
    struct token_request *out, struct err *err)
{
    const struct parts parts = {
        .url = json_str(step, "token_url"),
        .params = json_get(step, "token_params"),
        .headers = json_get(step, "token_headers"),
        .method = json_str(step, "token_request_method"),
        .format = json_str(step, "body_format"),
    };
    struct two_step_input input = *in;

    input.refresh_token = NULL;
    return build(&input, &parts, out, err);
}
