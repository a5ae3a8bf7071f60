/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's body: what the command line says of each function, as it is kept. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/bundle.h"
#include "scripts/deploy_int.h"
#include "scripts/schema.h"

/* All schemas of a bundle together, as they are kept. */
#define SCHEMA_BUDGET ((size_t)64 * 1024 * 1024)

#define REF "#/definitions/"

static bool refuse(struct deploy_fault *fault, const struct deploy_item *item,
    const char *code, const char *message)
{
    err_set(&fault->err, 400, code, "%s", message);
    return deploy_blame(fault, item);
}

/* The name that a reference into the schema's definitions ends with; NULL. */
static const char *name_of(const cJSON *artifact, const char *member)
{
    const char *ref = json_str(artifact, member);

    return ref != NULL && str_starts(ref, REF) ? ref + strlen(REF) : NULL;
}

/* What the newest command line refuses as well, but for what it may learn. */
static bool check_runnable(
    const cJSON *artifact, const struct deploy_item *item, struct deploy_fault *fault)
{
    const cJSON *requires = json_get(artifact, "requires");
    const cJSON *concurrency = json_get(json_get(artifact, "limits"), "concurrency");
    const char *kind = json_str(json_get(artifact, "trigger"), "kind");
    const char *why = NULL;

    if (!str_eq(kind, "none") && !str_eq(kind, "http"))
        why = "this server runs functions on demand only: a trigger of kind none or http";
    else if (json_get(json_get(artifact, "trigger"), "debounce") != NULL)
        why = "calls are not debounced here: leave trigger.debounce out";
    else if (!json_bool(requires, "connection", true))
        why = "a function runs for a connection here: requires.connection must be true";
    else if (json_bool(requires, "invoke", false))
        why = "functions do not invoke others here: requires.invoke must be false";
    else if (cJSON_GetArraySize(json_get(artifact, "model_schema_refs")) > 0)
        why = "functions have no records here: leave data.models out";
    else if (cJSON_IsNumber(json_get(concurrency, "perConnection")))
        why = "functions run side by side here: limits.concurrency.perConnection must "
              "be \"max\"";
    return why == NULL || refuse(fault, item, "functions_deployment_error", why);
}

/* Whatever was posted of it, in short. */
static char *version_of(const cJSON *artifact)
{
    char *text = json_print(artifact);
    uint8_t sha256[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    crypto_sha256(text, strlen(text), sha256);
    free(text);
    str_hex(sha256, SHA256_LEN, hex);
    return str_dup(hex);
}

static char *attributes_of(const cJSON *artifact)
{
    static const char *const members[] = {"trigger", "requires", "capabilities", "limits",
        "metadata_schema_ref", "checkpoint_schema_ref"};
    cJSON *out = cJSON_CreateObject();
    char *text;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const cJSON *value = json_get(artifact, members[i]);

        if (value != NULL)
            json_set(out, members[i], cJSON_Duplicate(value, true));
    }
    text = json_print(out);
    cJSON_Delete(out);
    return text;
}

/* What its references name, of the artifact's own schema. */
static bool pick_schema(const cJSON *artifact, struct deploy_item *item, size_t *budget,
    struct deploy_fault *fault)
{
    static const char *const members[] = {"input_schema_ref", "output_schema_ref",
        "metadata_schema_ref", "checkpoint_schema_ref"};
    const cJSON *schema = json_get(artifact, "json_schema");
    const char *names[sizeof members / sizeof members[0]];
    struct schema_index *index = schema_index_new(schema);
    size_t count = 0;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        names[count] = name_of(artifact, members[i]);
        count += names[count] != NULL;
    }
    item->spec.json_schema = schema_pick(index, names, count, budget, &fault->err);
    schema_index_free(index);
    return item->spec.json_schema != NULL || deploy_blame(fault, item);
}

static bool read_artifact(const cJSON *artifact, struct deploy_item *item, size_t *budget,
    struct deploy_fault *fault)
{
    const cJSON *file = json_get(artifact, "fileBody");
    const char *description = json_str(artifact, "description");
    const char *input = name_of(artifact, "input_schema_ref");
    const char *output = name_of(artifact, "output_schema_ref");

    item->kind = SCRIPT_FUNCTION;
    item->integration = json_str(artifact, "integrationId");
    item->name = json_str(artifact, "name");
    item->js = json_str(file, "js");
    item->ts = json_str(file, "ts");
    if (str_is_empty(item->integration) || str_is_empty(item->name)) {
        item->integration = item->name = "";
        return refuse(
            fault, item, "invalid_body", "a function has an integrationId and a name");
    }
    if (str_is_empty(item->js))
        return refuse(fault, item, "invalid_body", "it has no code (fileBody.js)");
    item->models = cJSON_CreateArray();
    if (output != NULL)
        cJSON_AddItemToArray(item->models, cJSON_CreateString(output));
    item->endpoints = cJSON_CreateArray();
    item->spec = (struct script_spec){
        .version = version_of(artifact),
        .description = str_dup(description != NULL ? description : ""),
        .models_json = json_print(item->models),
        .input = input != NULL ? str_dup(input) : NULL,
        .endpoints_json = str_dup("[]"),
        .scopes_json = str_dup("[]"),
        .webhook_subscriptions_json = str_dup("[]"),
        .attributes_json = attributes_of(artifact),
        .features_json = str_dup("[]"),
        .sdk_version = str_dup(SDK_VERSION_ZERO),
        .source = str_dup("repo"),
    };
    return check_runnable(artifact, item, fault) &&
           pick_schema(artifact, item, budget, fault);
}

static bool read_all(const cJSON *list, struct bundle *out, struct deploy_fault *fault)
{
    size_t count = (size_t)cJSON_GetArraySize(list), budget = SCHEMA_BUDGET;
    const cJSON *artifact;

    if (count > DEPLOY_MAX_SCRIPTS)
        return err_set(&fault->err, 413, "request_too_large",
            "a deploy has at most %d functions", DEPLOY_MAX_SCRIPTS);
    out->deploy.items = mem_zalloc((count + 1) * sizeof *out->deploy.items);
    cJSON_ArrayForEach(artifact, list)
    {
        struct deploy_item *item = &out->deploy.items[out->deploy.count++];

        if (!read_artifact(artifact, item, &budget, fault))
            return false;
        if (out->scope != NULL && strcmp(out->scope, item->integration) != 0)
            return refuse(fault, item, "invalid_body",
                "it is not of the integration that the deploy is of");
    }
    return deploy_check_unique(&out->deploy, fault);
}

bool bundle_parse(const cJSON *body, struct bundle *out, struct deploy_fault *fault)
{
    const cJSON *scope = json_get(body, "reconciliationScope");
    const cJSON *list = json_get(body, "functions");
    bool of_integration = str_eq(json_str(scope, "kind"), "integration");

    *out = (struct bundle){.deploy = {.source = "repo"}};
    if (of_integration)
        out->scope = json_str(scope, "integrationId");
    if (!cJSON_IsArray(list) || (of_integration && out->scope == NULL))
        return err_set(&fault->err, 400, "invalid_body",
            "a list of functions and a reconciliationScope are expected");
    if (read_all(list, out, fault))
        return true;
    bundle_finish(out);
    return false;
}

void bundle_finish(struct bundle *bundle)
{
    deploy_finish(&bundle->deploy);
}
