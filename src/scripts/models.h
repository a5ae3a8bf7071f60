/* SPDX-License-Identifier: Apache-2.0 */
/* Input and output of an action, compared with the models that were deployed with it
 * (setting scripts.validate; contract http-api.md section 9.1). */
#ifndef SCRIPTS_MODELS_H
#define SCRIPTS_MODELS_H

#include <stdbool.h>

#include "scripts/run.h"
#include "store/store.h"

struct jsonschema;

struct script_models {
    char *schema; /* JSON; NULL = nothing is compared */
    char *input;  /* names of models; NULL = none was declared */
    char *output;
    struct jsonschema *compiled; /* from the first comparison on */
};
/* Copies what the script declares. */
void script_models_init(struct script_models *models, const struct script_row *script);
void script_models_finish(struct script_models *models); /* accepts a zeroed one */

enum script_model {
    MODEL_INPUT,
    MODEL_OUTPUT,
};
/* One thread at a time. Compares `json` (NULL = undefined, which counts as null) with the model. False: `out` is
 * a failure of type `invalid_action_input` or `invalid_action_output` with the payload
 * {model, validation: [{instancePath, schemaPath, keyword, params, message}]}. */
bool script_models_check(struct script_models *models, enum script_model which,
    const char *json, struct script_outcome *out);

#endif
