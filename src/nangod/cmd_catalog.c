/* SPDX-License-Identifier: Apache-2.0 */
/* `nangod catalog`: looking into the provider catalogue.
 *
 * - `check [--overlay DIR] [FILE…]` lays the files over the catalogue and prints every
 *   fault with its file and line; exit 1 if there is any
 * - `list [--json]` prints the entries
 * - `explain proxy|authurl|token CASES.json [--frozen]` prints what requests the entries
 *   make, one line of JSON a case, in their order
 *
 * `--catalog FILE` (or NANGO_PROVIDERS_FILE) takes a providers.yaml in place of the
 * built-in catalogue. */
#include "nangod/cmd_catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "catalog/catalog.h"
#include "catalog/fault.h"
#include "nangod/cmd.h"
#include "nangod/explain.h"

struct request {
    const char *file;
    const char *overlay_dir;
    bool json, frozen;
    const char **rest;
    int rest_count;
};

static bool read_request(struct request *request, int argc, char **argv)
{
    memset(request, 0, sizeof *request);
    request->file = getenv("NANGO_PROVIDERS_FILE");
    request->rest = mem_zalloc(((size_t)argc + 1) * sizeof *request->rest);
    for (int i = 0; i < argc; i++) {
        bool has_value = i + 1 < argc;

        if (str_eq(argv[i], "--catalog") && has_value)
            request->file = argv[++i];
        else if (str_eq(argv[i], "--overlay") && has_value)
            request->overlay_dir = argv[++i];
        else if (str_eq(argv[i], "--json"))
            request->json = true;
        else if (str_eq(argv[i], "--frozen"))
            request->frozen = true;
        else if (argv[i][0] == '-')
            return fprintf(stderr, "nangod catalog: unknown option %s\n", argv[i]), false;
        else
            request->rest[request->rest_count++] = argv[i];
    }
    return true;
}

static struct catalog *load(const struct request *request)
{
    struct catalog_source source = {
        .file = request->file, .overlay_dir = request->overlay_dir};
    struct catalog *catalog = NULL;
    struct err err = {0};

    if (!catalog_load(&source, &catalog, &err))
        cmd_fail(&err);
    return catalog;
}

static int check(const struct request *request)
{
    struct log log = {.fd = STDERR_FILENO, .level = LOG_WARN, .text = true};
    struct catalog_source source = {.file = request->file,
        .overlay_dir = request->overlay_dir,
        .overlay_files = request->rest + 1,
        .log = &log};
    struct catalog *catalog = NULL;
    struct faults faults = {0};
    bool ok = catalog_load_checked(&source, &catalog, &faults);

    for (size_t i = 0; i < faults.count; i++) {
        const struct fault *fault = &faults.items[i];

        if (fault->line > 0)
            printf("%s:%d: %s\n", fault->file, fault->line, fault->message);
        else
            printf("%s: %s\n", fault->file, fault->message);
    }
    if (ok)
        printf("ok, %zu providers\n", catalog_count(catalog));
    faults_finish(&faults);
    catalog_unref(catalog);
    return ok ? 0 : 1;
}

static cJSON *list_json(const struct catalog *catalog)
{
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < catalog_count(catalog); i++) {
        const struct provider *provider = catalog_at(catalog, i);
        cJSON *item = cJSON_CreateObject();

        json_set_str(item, "name", provider->name);
        json_set_str(item, "display_name", provider->display_name);
        json_set_str(item, "auth_mode", auth_mode_name(provider->mode));
        json_set_str(item, "origin", provider->origin);
        cJSON_AddItemToArray(out, item);
    }
    return out;
}

static int list(const struct request *request)
{
    struct catalog *catalog = load(request);

    if (catalog == NULL)
        return 1;
    if (request->json) {
        cJSON *all = list_json(catalog);
        char *text = json_print(all);

        puts(text);
        free(text);
        cJSON_Delete(all);
    }
    for (size_t i = 0; !request->json && i < catalog_count(catalog); i++) {
        const struct provider *provider = catalog_at(catalog, i);

        printf("%-40s %-20s %s\n", provider->name, auth_mode_name(provider->mode),
            provider->display_name);
    }
    catalog_unref(catalog);
    return 0;
}

static cJSON *read_cases(const char *path)
{
    FILE *file = fopen(path, "re");
    struct err err = {0};
    struct buf text;
    char piece[65536];
    size_t len;
    cJSON *cases = NULL;

    if (file == NULL) {
        fprintf(stderr, "nangod catalog: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    buf_init(&text, 0);
    while ((len = fread(piece, 1, sizeof piece, file)) > 0)
        buf_append(&text, piece, len);
    fclose(file);
    if (text.len > 0)
        cases = json_parse(text.data, text.len, &err);
    if (!cJSON_IsArray(cases)) {
        fprintf(stderr, "nangod catalog: %s: %s\n", path,
            cases == NULL ? err.message : "it must hold an array of cases");
        cJSON_Delete(cases);
        cases = NULL;
    }
    buf_finish(&text);
    return cases;
}

static int explain(const struct request *request)
{
    static const struct {
        const char *kind;
        cJSON *(*explain)(const struct catalog *catalog, const cJSON *one, bool frozen);
    } kinds[] = {
        {"proxy", explain_proxy},
        {"authurl", explain_authurl},
        {"token", explain_token},
    };
    const char *kind = request->rest_count > 1 ? request->rest[1] : "";
    struct catalog *catalog;
    cJSON *cases;
    const cJSON *one;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!str_eq(kind, kinds[i].kind) || request->rest_count != 3)
            continue;
        cases = read_cases(request->rest[2]);
        catalog = cases != NULL ? load(request) : NULL;
        if (catalog == NULL) {
            cJSON_Delete(cases);
            return 1;
        }
        cJSON_ArrayForEach(one, cases)
        {
            cJSON *line = cJSON_CreateObject();
            char *text;

            json_set_str(line, "name", json_str(one, "name"));
            json_set(line, "result", kinds[i].explain(catalog, one, request->frozen));
            text = json_print(line);
            puts(text);
            free(text);
            cJSON_Delete(line);
        }
        cJSON_Delete(cases);
        catalog_unref(catalog);
        return 0;
    }
    fputs("usage: nangod catalog explain proxy|authurl|token CASES.json [--frozen]\n",
        stderr);
    return EXIT_USAGE;
}

int cmd_catalog(int argc, char **argv)
{
    struct request request;
    int code = EXIT_USAGE;

    if (read_request(&request, argc, argv)) {
        const char *verb = request.rest_count > 0 ? request.rest[0] : "";

        if (str_eq(verb, "check"))
            code = check(&request);
        else if (str_eq(verb, "list") && request.rest_count == 1)
            code = list(&request);
        else if (str_eq(verb, "explain"))
            code = explain(&request);
        else
            fputs("usage: nangod catalog check|list|explain …\n", stderr);
    }
    free(request.rest);
    return code;
}
