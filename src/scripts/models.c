/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/models.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "jsonschema/jsonschema.h"

/* The first of a JSON list of names; NULL. */
static char *first_name(const char *list_json)
{
    cJSON *list =
        list_json != NULL ? json_parse(list_json, strlen(list_json), NULL) : NULL;
    const cJSON *first = list != NULL ? list->child : NULL;
    char *name = cJSON_IsString(first) ? str_dup(first->valuestring) : NULL;

    cJSON_Delete(list);
    return name;
}

void script_models_init(struct script_models *models, const struct script_row *script)
{
    *models = (struct script_models){0};
    if (script->kind != SCRIPT_ACTION || script->spec.json_schema == NULL)
        return;
    models->schema = str_dup(script->spec.json_schema);
    models->input = str_is_empty(script->spec.input) ? NULL : str_dup(script->spec.input);
    models->output = first_name(script->spec.models_json);
}

void script_models_finish(struct script_models *models)
{
    free(models->schema);
    free(models->input);
    free(models->output);
    jsonschema_free(models->compiled);
}

static bool compile(struct script_models *models, struct err *err)
{
    cJSON *document;

    if (models->compiled != NULL)
        return true;
    document = json_parse(models->schema, strlen(models->schema), err);
    models->compiled = document != NULL ? jsonschema_compile(document, err) : NULL;
    return models->compiled != NULL;
}

/* What is wrong, appended as a list to `errors`; the first of it in words, for free().
 * NULL: nothing is. */
static char *compare(
    struct script_models *models, const char *model, const char *json, struct buf *errors)
{
    struct err err = {0};
    cJSON *value, *list;
    enum jsonschema_verdict verdict;
    char *words;

    if (!compile(models, &err))
        return str_printf(
            "the models that were deployed are no JSON schema: %s", err.message);
    if (!jsonschema_has(
            models->compiled, model)) /* a name of TypeScript's own, as `string` */
        return NULL;
    value = json != NULL ? json_parse(json, strlen(json), &err) : cJSON_CreateNull();
    if (value == NULL)
        return str_dup(err.message);
    verdict = jsonschema_check(models->compiled, model, value, errors);
    cJSON_Delete(value);
    if (verdict == JSONSCHEMA_VALID)
        return NULL;
    if (verdict == JSONSCHEMA_UNDECIDED)
        return str_dup("it would take too long to compare, or is nested too deeply");
    list = json_parse(errors->data, errors->len, NULL);
    words = str_printf("%s %s",
        str_is_empty(json_str(list->child, "instancePath"))
            ? "it"
            : json_str(list->child, "instancePath"),
        json_str(list->child, "message"));
    cJSON_Delete(list);
    return words;
}

bool script_models_check(struct script_models *models, enum script_model which,
    const char *json, struct script_outcome *out)
{
    const char *model = which == MODEL_INPUT ? models->input : models->output;
    struct buf errors, payload;
    char *words;

    if (models->schema == NULL || model == NULL)
        return true;
    buf_init(&errors, 0);
    words = compare(models, model, json, &errors);
    if (words != NULL) {
        script_outcome_finish(out);
        buf_init(&payload, 0);
        buf_puts(&payload, "{\"model\":");
        json_append_string(&payload, model);
        buf_printf(&payload, ",\"validation\":%s}", errors.len > 0 ? errors.data : "[]");
        out->type = str_dup(
            which == MODEL_INPUT ? "invalid_action_input" : "invalid_action_output");
        out->message = str_printf("The %s is not as the model '%s' says: %s",
            which == MODEL_INPUT ? "input" : "output", model, words);
        out->payload = buf_take(&payload, NULL);
    }
    buf_finish(&errors);
    if (words == NULL)
        return true;
    free(words);
    return false;
}
