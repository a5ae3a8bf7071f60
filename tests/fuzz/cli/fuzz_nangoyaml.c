/* SPDX-License-Identifier: Apache-2.0 */
/* A nango.yaml as anybody may write it. One that is read becomes TypeScript and a JSON schema
 * that has every model, and every model that one of them refers to; one that is not says
 * where it is wrong. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/nangoyaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refers_to_what_is_there(const cJSON *part, const cJSON *definitions)
{
    const char *ref = json_str(part, "$ref");
    const cJSON *one;

    if (ref != NULL && str_starts(ref, "#/definitions/") && cJSON_GetArraySize(part) == 1)
        assert(json_get(definitions, ref + strlen("#/definitions/")) != NULL);
    cJSON_ArrayForEach(one, part)
    {
        refers_to_what_is_there(one, definitions);
    }
}

static void is_used(const struct nango_yaml *yaml, const cJSON *scripts)
{
    const cJSON *script, *name;

    cJSON_ArrayForEach(script, scripts)
    {
        assert(json_str(script, "name") != NULL);
        cJSON_ArrayForEach(name, json_get(script, "usedModels"))
        {
            assert(models_find(&yaml->models, name->valuestring) != NULL);
        }
    }
}

static void becomes_something(const struct nango_yaml *yaml)
{
    cJSON *schema = models_schema(&yaml->models), *again;
    const cJSON *definitions = json_get(schema, "definitions"), *one;
    char *text = json_print(schema);
    struct buf out;

    again = json_parse(text, strlen(text), NULL);
    assert(again != NULL);
    buf_init(&out, 0);
    models_append_ts(&yaml->models, &out);
    for (const struct model *model = yaml->models.first; model != NULL;
         model = model->next) {
        assert(json_get(definitions, model->name) != NULL);
        assert(strstr(out.data, model->name) != NULL);
    }
    refers_to_what_is_there(definitions, definitions);
    cJSON_ArrayForEach(one, yaml->integrations)
    {
        is_used(yaml, json_get(one, "syncs"));
        is_used(yaml, json_get(one, "actions"));
    }
    buf_finish(&out);
    free(text);
    cJSON_Delete(again);
    cJSON_Delete(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faults faults = {0}, warnings = {0};
    struct nango_yaml yaml;
    bool ok =
        nango_yaml_read(NANGO_YAML, (const char *)data, size, &yaml, &faults, &warnings);

    assert(ok == (faults.count == 0));
    if (ok)
        becomes_something(&yaml);
    else
        assert(faults.items[0].message[0] != '\0');
    nango_yaml_finish(&yaml);
    faults_finish(&faults);
    faults_finish(&warnings);
    return 0;
}
