/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, with values that a customer may have typed: the text before the first line
 * break is the template, the rest one value.
 *
 * Whatever the value, it stays in its place: it is not read as a template, and it does
 * not choose another host than the template means. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "catalog/pem.h"
#include "catalog/template.h"
#include "catalog/weburl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct template_stable stable = {
    .random = "00000000-0000-4000-8000-000000000001", .now_ms = INT64_C(1705322096789)};

static void stays_in_its_place(const cJSON *config, const char *value)
{
    static const char suffix[] = ".x.test";
    size_t len = strlen(value);
    struct err err = {0};
    char *text = template_render("<${sub}>", config, &stable, 0);
    char *url;
    struct weburl parts;

    assert(text[0] == '<' && strncmp(text + 1, value, len) == 0 &&
           str_eq(text + 1 + len, ">"));
    free(text);
    url = template_url(
        "https://${connectionConfig.sub}.x.test/a", config, false, &stable, &err);
    if (url != NULL) {
        assert(weburl_parse(url, &parts) && str_ends(parts.host, suffix));
        assert(str_eq(parts.text + parts.path, "/a"));
        weburl_finish(&parts);
    }
    free(url);
    url =
        template_url("https://x.test/${credentials.sub}/b", config, false, &stable, &err);
    if (url != NULL) {
        assert(weburl_parse(url, &parts) && str_eq(parts.host, "x.test") &&
               !parts.has_query);
        weburl_finish(&parts);
    }
    free(url);
}

/* A URL in its normal form is its own normal form. */
static void is_normal(const char *text)
{
    struct weburl one, two;

    if (!weburl_parse(text, &one))
        return;
    assert(weburl_parse(one.text, &two));
    assert(str_eq(one.text, two.text) && str_eq(one.host, two.host));
    weburl_finish(&one);
    weburl_finish(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = str_ndup((const char *)data, size);
    char *value = strchr(text, '\n');
    cJSON *values = cJSON_CreateObject();
    struct err err = {0};
    cJSON *config;

    if (value != NULL)
        *value++ = '\0';
    else
        value = text + strlen(text);
    json_set_str(values, "a", value);
    json_set_i64(values, "n", 5);
    config = cJSON_AddObjectToObject(values, "connectionConfig");
    json_set_str(config, "sub", value);
    free(template_render(text, values, &stable, 0));
    free(template_render(
        text, values, &stable, TEMPLATE_STRIP_CREDENTIALS | TEMPLATE_NO_ALTERNATIVES));
    free(template_url(text, config, false, &stable, &err));
    free(template_url(text, config, true, &stable, &err));
    free(pem_format(value, "PRIVATE KEY", &err));
    stays_in_its_place(config, value);
    is_normal(text);
    cJSON_Delete(values);
    free(text);
    return 0;
}
