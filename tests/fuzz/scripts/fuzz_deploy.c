/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of deploys, and of bundles of functions: whatever JSON comes, it is read into scripts whose texts are what
 * they are kept as, or refused in words that can be sent. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/bundle_shape.h"
#include "api/deploy_shape.h"
#include "base/json.h"
#include "base/str.h"
#include "scripts/bundle.h"
#include "scripts/deploy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_json(const char *text, bool object)
{
    struct err err = {0};
    cJSON *value;

    assert(text != NULL);
    value = json_parse(text, strlen(text), &err);
    assert(object ? cJSON_IsObject(value) : cJSON_IsArray(value));
    cJSON_Delete(value);
}

static void expect_script(const struct deploy_item *item)
{
    const struct script_spec *spec = &item->spec;

    assert(!str_is_empty(item->name) && !str_is_empty(item->integration));
    assert(!str_is_empty(item->js));
    assert((item->kind == SCRIPT_SYNC) == (spec->runs != NULL));
    assert((item->kind == SCRIPT_ON_EVENT) == (item->event != NULL));
    assert(spec->description != NULL && spec->source != NULL);
    expect_json(spec->models_json, false);
    expect_json(spec->endpoints_json, false);
    expect_json(spec->scopes_json, false);
    expect_json(spec->features_json, false);
    expect_json(spec->webhook_subscriptions_json, false);
    expect_json(spec->attributes_json, true);
    if (spec->json_schema != NULL)
        expect_json(spec->json_schema, true);
    if (spec->model_schema_json != NULL)
        expect_json(spec->model_schema_json, false);
}

static void expect_deploy(
    bool read, const struct deploy *deploy, const struct deploy_fault *fault)
{
    if (!read) {
        assert(fault->err.status >= 400 && fault->err.code[0] != '\0');
        assert(str_is_utf8(fault->err.message, strlen(fault->err.message)));
        assert(deploy->count == 0 && deploy->items == NULL);
    }
    for (size_t i = 0; i < deploy->count; i++)
        expect_script(&deploy->items[i]);
}

static void read_deploy(const cJSON *body)
{
    struct deploy_fault fault = {0};
    struct deploy deploy;
    bool read = deploy_parse(body, &deploy, &fault);

    expect_deploy(read, &deploy, &fault);
    if (read)
        deploy_finish(&deploy);
}

static void read_bundle(const cJSON *body)
{
    struct deploy_fault fault = {0};
    struct bundle bundle;
    bool read = bundle_parse(body, &bundle, &fault);

    expect_deploy(read, &bundle.deploy, &fault);
    if (read)
        bundle_finish(&bundle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    cJSON *body = json_parse((const char *)data, size, &err);

    if (body != NULL) {
        cJSON_Delete(validate(deploy_shape(body, size % 2 == 0), body, NULL));
        read_deploy(body);
        cJSON_Delete(validate(bundle_shape(body), body, NULL));
        read_bundle(body);
    }
    cJSON_Delete(body);
    return 0;
}
