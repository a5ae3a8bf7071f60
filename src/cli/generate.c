/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/nangoyaml.h"
#include "cli/project.h"
#include "cli/templates.h"

/* The types of the SDK stand in the same file. */
static void check_names(const struct nango_yaml *yaml, struct faults *faults)
{
    for (const struct model *model = yaml->models.first; model != NULL;
         model = model->next) {
        char *interface = str_printf("export interface %s ", model->name),
             *generic = str_printf("export interface %s<", model->name),
             *type = str_printf("export type %s ", model->name);

        if (strstr(template_sdk, interface) != NULL ||
            strstr(template_sdk, generic) != NULL || strstr(template_sdk, type) != NULL)
            faults_add(faults, NANGO_YAML, model->node != NULL ? model->node->line : 0,
                "`%s` is a type of what scripts are called with: the model needs another "
                "name",
                model->name);
        free(interface);
        free(generic);
        free(type);
    }
}

static void append_json(struct buf *out, const cJSON *value)
{
    char *text = cJSON_Print(value);

    buf_puts(out, text);
    cJSON_free(text);
}

static void append_models(const struct nango_yaml *yaml, struct buf *out)
{
    buf_puts(out,
        "// Made by `nangoctl generate` of nango.yaml: change that file, and not "
        "this one.\n\n");
    models_append_ts(&yaml->models, out);
    buf_puts(out, template_sdk);
    buf_puts(out, "\nexport const NangoFlows = ");
    append_json(out, yaml->integrations);
    buf_puts(out, " as const;\n");
}

static bool write_json(
    const char *dir, const char *name, const cJSON *value, struct err *err)
{
    struct buf text;
    bool ok;

    buf_init(&text, 0);
    append_json(&text, value);
    buf_putc(&text, '\n');
    ok = cmd_write_file(dir, name, text.data, text.len, err);
    buf_finish(&text);
    return ok;
}

static bool write_all(const char *dir, const struct nango_yaml *yaml, struct err *err)
{
    cJSON *schema = models_schema(&yaml->models);
    struct buf text;
    bool ok;

    buf_init(&text, 0);
    append_models(yaml, &text);
    ok = cmd_write_file(dir, "models.ts", text.data, text.len, err) &&
         write_json(dir, ".nango/schema.json", schema, err) &&
         write_json(dir, ".nango/nango.json", yaml->integrations, err);
    buf_finish(&text);
    cJSON_Delete(schema);
    return ok;
}

bool generate_files(const char *dir, struct err *err)
{
    char *path = str_printf("%s/" NANGO_YAML, dir);
    struct faults faults = {0}, warnings = {0};
    struct nango_yaml yaml;
    struct buf text;
    bool ok = cmd_read_file(path, NANGO_YAML_MAX, &text, err);

    free(path);
    if (!ok)
        return false;
    if (nango_yaml_read(NANGO_YAML, text.len > 0 ? text.data : "", text.len, &yaml,
            &faults, &warnings))
        check_names(&yaml, &faults);
    ok = faults.count > 0
             ? err_set(err, 400, "faulty_project", "errors: %zu", faults.count)
             : write_all(dir, &yaml, err);
    project_tell(&warnings, "warning");
    project_tell(&faults, "error");
    nango_yaml_finish(&yaml);
    buf_finish(&text);
    return ok;
}
