/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl deploy: compiles a project, asks the server what deploying it would change, shows
 * that, and deploys it once somebody said yes: at a terminal when asked, else by --yes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/bundle.h"
#include "cli/cmd.h"
#include "cli/flows.h"
#include "cli/remote.h"

struct options {
    const char *dir, *environment, *host;
    struct flows_choice choice;
    bool yes, no_prompt, allow_destructive;
};

/* ---- what would change ---- */

static const struct {
    const char *kind, *made, *changed, *removed;
} told[] = {
    {"sync", "newSyncs", "updatedSyncs", "deletedSyncs"},
    {"action", "newActions", "updatedActions", "deletedActions"},
    {"on-event", "newOnEventScripts", "updatedOnEventScripts", "deletedOnEventScripts"},
};

static void tell_list(
    const cJSON *answer, const char *list, char sign, const char *kind, bool counts)
{
    const cJSON *one;
    int64_t connections;

    cJSON_ArrayForEach(one, json_get(answer, list))
    {
        const char *integration = json_str(one, "providerConfigKey"),
                   *name = json_str(one, "name");

        printf("  %c %s %s %s", sign, kind, integration != NULL ? integration : "",
            name != NULL ? name : "");
        if (counts && json_i64(one, "connections", &connections))
            printf(" (connections: %lld)", (long long)connections);
        putchar('\n');
    }
}

/* Does it remove records that somebody may have? */
static bool is_destructive(const cJSON *answer)
{
    const cJSON *one;
    int64_t connections;

    cJSON_ArrayForEach(one, json_get(answer, "deletedSyncs"))
    {
        if (json_i64(one, "connections", &connections) && connections > 0)
            return true;
    }
    return cJSON_GetArraySize(json_get(answer, "deletedModels")) > 0;
}

static void tell_plan(
    const struct remote *remote, const struct options *options, const cJSON *answer)
{
    const cJSON *one;

    printf("To %s at %s:\n", options->environment, remote->base);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        tell_list(answer, told[i].made, '+', told[i].kind, i == 0);
        tell_list(answer, told[i].changed, '~', told[i].kind, false);
        tell_list(answer, told[i].removed, '-', told[i].kind, i == 0);
    }
    cJSON_ArrayForEach(one, json_get(answer, "deletedModels"))
    {
        printf("  - all records of the model %s\n",
            one->valuestring != NULL ? one->valuestring : "");
    }
    fflush(stdout);
}

/* ---- yes or no ---- */

static bool asks(const struct options *options)
{
    return !options->no_prompt && str_is_empty(getenv("CI")) && isatty(STDIN_FILENO) &&
           isatty(STDERR_FILENO);
}

static bool is_confirmed(
    const struct options *options, const cJSON *answer, struct err *err)
{
    bool destructive = is_destructive(answer);
    char line[16];

    if (options->yes && (!destructive || options->allow_destructive))
        return true;
    if (asks(options)) {
        fputs("Deploy that? [y/N] ", stderr);
        if (fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y'))
            return true;
        return err_set(err, 400, "not_confirmed", "nothing was deployed");
    }
    return err_set(err, 400, "not_confirmed", "nothing was deployed: %s",
        options->yes ? "it removes records, which needs --allow-destructive besides --yes"
        : destructive ? "without a terminal --yes says yes, and as it removes records, "
                        "--allow-destructive"
                      : "without a terminal --yes says yes");
}

/* ---- deploying ---- */

static bool deploy(const struct remote *remote, const struct project *project,
    cJSON *body, struct err *err)
{
    const cJSON *one, *events;
    cJSON *answer;
    int count = 0;

    json_set_bool(body, "reconcile", true);
    json_set_str(
        body, "nangoYamlBody", project->yaml_text.len > 0 ? project->yaml_text.data : "");
    json_set_str(body, "source", "repo");
    answer = remote_post(remote, "/sync/deploy", body, err);
    if (answer == NULL)
        return false;
    cJSON_ArrayForEach(one, answer)
    {
        printf("deployed %s %s %s, version %s\n", json_str(one, "type"),
            json_str(one, "providerConfigKey"), json_str(one, "name"),
            json_str(one, "version"));
    }
    cJSON_ArrayForEach(events, json_get(body, "onEventScriptsByProvider"))
    {
        count += cJSON_GetArraySize(json_get(events, "scripts"));
    }
    if (count > 0)
        printf("deployed scripts of events: %d\n", count);
    cJSON_Delete(answer);
    return true;
}

static bool run(const struct options *options, const struct remote *remote,
    const struct project *project, struct err *err)
{
    cJSON *body, *answer = NULL;
    bool ok = false;

    if (!bundle_project(project, NULL, err))
        return false;
    body = flows_body(project, &options->choice, err);
    if (body != NULL)
        answer = remote_post(remote, "/sync/deploy/confirmation", body, err);
    if (answer != NULL) {
        tell_plan(remote, options, answer);
        ok = is_confirmed(options, answer, err) && deploy(remote, project, body, err);
    }
    cJSON_Delete(answer);
    cJSON_Delete(body);
    return ok;
}

static int code_of(const struct err *err)
{
    return str_eq(err->code, "usage")           ? EXIT_USAGE
           : str_eq(err->code, "not_confirmed") ? EXIT_NOT_CONFIRMED
                                                : 1;
}

int cmd_deploy(int argc, char **argv)
{
    struct options options = {.dir = ".", .environment = "dev"};
    const struct cmd_option table[] = {
        {.name = "--env", .value = &options.environment},
        {.name = "-e", .value = &options.environment},
        {.name = "--integration", .value = &options.choice.integration},
        {.name = "--sync", .value = &options.choice.sync},
        {.name = "--action", .value = &options.choice.action},
        {.name = "--host", .value = &options.host},
        {.name = "--yes", .flag = &options.yes},
        {.name = "--no-prompt", .flag = &options.no_prompt},
        {.name = "--allow-destructive", .flag = &options.allow_destructive},
        {.name = NULL},
    };
    struct project project = {0};
    struct remote remote = {0};
    struct err err = {0};
    bool ok;

    if (!cmd_read_line("deploy", table, &options.dir, 1, argc, argv))
        return EXIT_USAGE;
    ok = remote_read_env_file(options.dir, &err) &&
         remote_init(&remote, options.host, options.environment, &err) &&
         project_open(&project, options.dir, &err) &&
         run(&options, &remote, &project, &err);
    project_finish(&project);
    remote_finish(&remote);
    if (!ok)
        return cmd_fail("deploy", &err, code_of(&err));
    return fflush(stdout) == 0 ? 0 : 1;
}
