/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"

#define INDEX_TS "index.ts"
#define EARLY_EVENT "post-connection-creation"

static const struct kind {
    const char *kind, *folder;
} kinds[] = {
    {"sync", "syncs"},
    {"action", "actions"},
    {"on-event", "on-events"},
};

char *project_path(const struct project *project, const char *name)
{
    return str_printf("%s/%s", project->dir, name);
}

static bool has_file(const struct project *project, const char *name)
{
    char *path = project_path(project, name);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found;
}

void project_tell(struct faults *faults, const char *what)
{
    faults_sort(faults);
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];

        if (fault->line > 0)
            fprintf(stderr, "%s:%d: %s: %s\n", fault->file, fault->line, what,
                fault->message);
        else
            fprintf(stderr, "%s: %s: %s\n", fault->file, what, fault->message);
    }
    faults_finish(faults);
    *faults = (struct faults){0};
}

/* `source` and the other texts are copied. */
static struct project_script *add_script(struct project *project, const struct kind *kind,
    const char *integration, const char *name, const char *source)
{
    struct project_script *script;

    project->scripts =
        mem_resize_array(project->scripts, project->count + 1, sizeof *project->scripts);
    script = &project->scripts[project->count++];
    *script = (struct project_script){
        .kind = kind->kind,
        .integration = str_dup(integration),
        .name = str_dup(name),
        .source = str_dup(source),
        .built = str_printf("build/%s_%s_%s.cjs", integration, kind->folder, name),
    };
    return script;
}

/* ---- index.ts ---- */

/* The path of a line `import './PATH';`; the caller frees. NULL for other lines. */
static char *imported(const char *line, size_t len)
{
    static const char start[] = "import ";
    const char *from = line + sizeof start - 1, *end;

    if (len < sizeof start + 3 || memcmp(line, start, sizeof start - 1) != 0 ||
        (*from != '\'' && *from != '"') || from[1] != '.' || from[2] != '/')
        return NULL;
    end = memchr(from + 1, *from, (size_t)(line + len - from - 1));
    return end != NULL && end > from + 3 ? str_ndup(from + 3, (size_t)(end - from - 3))
                                         : NULL;
}

/* KEY/FOLDER/NAME, with `.js` or not. */
static void add_import(
    struct project *project, const char *path, int line, struct faults *faults)
{
    const struct kind *kind = NULL;
    char *copy = str_dup(path), *folder = strchr(copy, '/'), *name = NULL, *source;
    size_t len;

    if (folder != NULL) {
        *folder++ = '\0';
        name = strchr(folder, '/');
    }
    if (name != NULL) {
        *name++ = '\0';
        len = strlen(name);
        if (str_ends(name, ".js") || str_ends(name, ".ts"))
            name[len - 3] = '\0';
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (strcmp(kinds[i].folder, folder) == 0)
                kind = &kinds[i];
    }
    if (kind == NULL || *copy == '\0' || strchr(copy, '=') != NULL || *name == '\0' ||
        !str_all_alnum_or(name, "_-")) {
        faults_add(faults, INDEX_TS, line,
            "./%s: a script is at ./INTEGRATION/FOLDER/NAME.js, where FOLDER is syncs, "
            "actions or on-events, and NAME has letters, digits, _ and -",
            path);
        free(copy);
        return;
    }
    source = str_printf("%s/%s/%s.ts", copy, folder, name);
    if (has_file(project, source))
        add_script(project, kind, copy, name, source);
    else
        faults_add(faults, INDEX_TS, line, "there is no %s", source);
    free(source);
    free(copy);
}

static bool read_index(struct project *project, struct faults *faults, struct err *err)
{
    char *path = project_path(project, INDEX_TS);
    struct buf text;
    bool ok = cmd_read_file(path, NANGO_YAML_MAX, &text, err);
    int number = 1;

    free(path);
    if (!ok)
        return false;
    for (const char *line = text.len > 0 ? text.data : ""; *line != '\0'; number++) {
        size_t len = strcspn(line, "\n");
        char *name = imported(line, len);

        if (name != NULL)
            add_import(project, name, number, faults);
        free(name);
        line += len + (line[len] == '\n');
    }
    buf_finish(&text);
    if (project->count == 0 && faults->count == 0)
        faults_add(faults, INDEX_TS, 0,
            "it imports no scripts: one is imported by import "
            "'./github/syncs/issues.js';");
    return true;
}

/* ---- nango.yaml ---- */

static void add_named(struct project *project, const struct kind *kind,
    const char *folder, const char *integration, const char *name, const char *event,
    const cJSON *entry, struct faults *faults)
{
    char *nested = str_printf("%s/%s/%s.ts", integration, folder, name),
         *flat = str_printf("%s.ts", name);
    const char *source = has_file(project, nested) ? nested
                         : has_file(project, flat) ? flat
                                                   : NULL;
    struct project_script *script;

    if (!str_all_alnum_or(name, "_-")) {
        faults_add(faults, NANGO_YAML, 0,
            "the %s `%s`: a name has letters, digits, _ and -", kind->kind, name);
    } else if (strchr(integration, '=') != NULL || strchr(integration, '/') != NULL) {
        faults_add(faults, NANGO_YAML, 0,
            "`%s` is no name of an integration: / and = are not taken", integration);
    } else if (source == NULL) {
        faults_add(faults, NANGO_YAML, 0, "the %s %s of %s: there is neither %s nor %s",
            kind->kind, name, integration, nested, flat);
    } else {
        script = add_script(project, kind, integration, name, source);
        script->event = str_dup(event);
        script->entry = entry;
    }
    free(nested);
    free(flat);
}

static void add_integration(
    struct project *project, const cJSON *integration, struct faults *faults)
{
    static const char *const members[] = {"syncs", "actions"};
    const char *key = json_str(integration, "providerConfigKey");
    const cJSON *one, *event;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        cJSON_ArrayForEach(one, json_get(integration, members[i]))
        {
            add_named(project, &kinds[i], kinds[i].folder, key, json_str(one, "name"),
                NULL, one, faults);
        }
    cJSON_ArrayForEach(event, json_get(integration, "onEventScripts"))
    {
        cJSON_ArrayForEach(one, event)
        {
            add_named(project, &kinds[2], kinds[2].folder, key, one->valuestring,
                event->string, NULL, faults);
        }
    }
    cJSON_ArrayForEach(one, json_get(integration, "postConnectionScripts"))
    {
        add_named(project, &kinds[2], "post-connection-scripts", key, one->valuestring,
            EARLY_EVENT, NULL, faults);
    }
}

static bool read_yaml(struct project *project, struct faults *faults, struct err *err)
{
    char *path = project_path(project, NANGO_YAML);
    struct faults warnings = {0};
    bool ok = cmd_read_file(path, NANGO_YAML_MAX, &project->yaml_text, err);
    const cJSON *one;

    free(path);
    if (!ok)
        return false;
    if (nango_yaml_read(NANGO_YAML,
            project->yaml_text.len > 0 ? project->yaml_text.data : "",
            project->yaml_text.len, &project->yaml, faults, &warnings))
        cJSON_ArrayForEach(one, project->yaml.integrations)
        {
            add_integration(project, one, faults);
        }
    project_tell(&warnings, "warning");
    return true;
}

bool project_open(struct project *project, const char *dir, struct err *err)
{
    struct faults faults = {0};
    bool ok;

    *project = (struct project){.dir = str_dup(dir)};
    project->zero = has_file(project, INDEX_TS);
    if (!project->zero && !has_file(project, NANGO_YAML))
        return err_set(err, 400, "no_project",
            "%.200s has neither an index.ts nor a nango.yaml: `nangoctl init` makes a "
            "project",
            dir);
    ok = project->zero ? read_index(project, &faults, err)
                       : read_yaml(project, &faults, err);
    if (ok && faults.count > 0)
        ok = err_set(err, 400, "faulty_project", "errors: %zu", faults.count);
    project_tell(&faults, "error");
    return ok;
}

void project_finish(struct project *project)
{
    for (size_t i = 0; i < project->count; i++) {
        struct project_script *script = &project->scripts[i];

        free(script->integration);
        free(script->name);
        free(script->event);
        free(script->source);
        free(script->built);
    }
    free(project->scripts);
    nango_yaml_finish(&project->yaml);
    buf_finish(&project->yaml_text);
    free(project->dir);
    *project = (struct project){0};
}

const struct project_script *project_find(const struct project *project, const char *name,
    const char *integration, const char *kind, struct err *err)
{
    const struct project_script *found = NULL;

    for (size_t i = 0; i < project->count; i++) {
        const struct project_script *script = &project->scripts[i];

        if (!str_eq(script->name, name) ||
            (integration != NULL && !str_eq(script->integration, integration)) ||
            (kind != NULL && !str_eq(script->kind, kind)))
            continue;
        if (found != NULL) {
            err_set(err, 400, "usage",
                "there are several scripts `%.100s`, %.100s and %.100s: --integration "
                "says which",
                name, found->source, script->source);
            return NULL;
        }
        found = script;
    }
    if (found == NULL)
        err_set(err, 400, "usage", "there is no %s `%.100s`%s%.100s",
            kind != NULL ? kind : "script", name, integration != NULL ? " of " : "",
            integration != NULL ? integration : "");
    return found;
}
