/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "scripts/compile.h"

#define MAX_MESSAGES ((size_t)4 << 20)
#define MAX_META ((size_t)64 << 20)
#define MAX_SOURCE ((size_t)16 << 20)

extern char **environ;

/* What scripts may require() (runner/js/src/modules.js). */
static const char *const modules[] = {"nango", "zod", "zod/v4", "url", "crypto",
    "unzipper", "soap", "botbuilder", "buffer", "util", "@nangohq/runner-sdk"};

/* The caller frees; NULL and *err when there is none. */
static char *find_esbuild(struct err *err)
{
    char *program = compiler_find_esbuild(getenv("NANGO_ESBUILD"));

    if (program == NULL && access("/usr/bin/esbuild", X_OK) == 0)
        program = str_dup("/usr/bin/esbuild");
    if (program == NULL)
        err_set(err, 500, "no_esbuild",
            "esbuild is not installed: it is in Debian's package `esbuild` (apt install "
            "esbuild); NANGO_ESBUILD names another place");
    return program;
}

/* ---- what esbuild says ---- */

static size_t line_length(const char *line)
{
    return strcspn(line, "\n");
}

/* The place is on the next line that says something. */
static void tell_message(const char *kind, const char *text)
{
    size_t len = line_length(text), file = 0;
    const char *next = text + len + strspn(text + len, "\n ");
    int row, column;

    if (text[len] != '\0')
        file = compile_read_place(next, line_length(next), &row, &column);
    if (file > 0)
        fprintf(stderr, "%.*s:%d:%d: ", (int)file, next, row, column);
    fprintf(stderr, "%s: %.*s\n", kind, (int)len, text);
}

/* Of each message the first line and its place. Returns how many errors there are. */
static size_t tell_messages(const char *text)
{
    static const struct {
        const char *mark, *kind;
    } marks[] = {{" [ERROR] ", "error"}, {" [WARNING] ", "warning"}};
    size_t errors = 0;

    for (const char *line = text; *line != '\0';) {
        size_t len = line_length(line);

        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
            const char *mark = memmem(line, len, marks[i].mark, strlen(marks[i].mark));

            if (mark == NULL || mark - line > 4) /* after one sign */
                continue;
            tell_message(marks[i].kind, mark + strlen(marks[i].mark));
            errors += i == 0;
        }
        line += len + (line[len] == '\n');
    }
    return errors;
}

/* ---- running it ---- */

/* Its standard error; the wait status. */
static bool run(const char *program, char **argv, const char *dir, struct buf *messages,
    int *status, struct err *err)
{
    posix_spawn_file_actions_t actions;
    char piece[4096];
    int pair[2], failure;
    pid_t pid;
    ssize_t n;

    if (pipe2(pair, O_CLOEXEC) != 0)
        return err_internal(err, "pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addchdir_np(&actions, dir);
    failure = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    if (failure != 0) {
        close(pair[0]);
        return err_internal(err, "%s cannot be started: %s", program, strerror(failure));
    }
    /* What is beyond the bound is read all the same: else it would wait for us. */
    while ((n = read(pair[0], piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            (void)buf_append(messages, piece, (size_t)n);
    close(pair[0]);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
    return true;
}

/* ---- what the scripts import ---- */

static bool is_module(const char *name)
{
    if (str_starts(name, "node:"))
        name += strlen("node:");
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        if (strcmp(modules[i], name) == 0)
            return true;
    return false;
}

/* The line of the file where the module is named; 0 = not found. */
static int line_of(const struct project *project, const char *file, const char *module)
{
    char *path = project_path(project, file), *quoted = str_printf("'%s'", module);
    struct buf text;
    struct err err = {0};
    int line = 0;

    if (cmd_read_file(path, MAX_SOURCE, &text, &err)) {
        const char *data = text.data != NULL ? text.data : "";
        const char *at = strstr(data, quoted);

        if (at == NULL) {
            quoted[0] = quoted[strlen(quoted) - 1] = '"';
            at = strstr(data, quoted);
        }
        for (const char *from = data; at != NULL && from <= at; from++)
            line += from == data || from[-1] == '\n';
        buf_finish(&text);
    }
    free(quoted);
    free(path);
    return line;
}

static void check_file(
    const struct project *project, const cJSON *file, struct faults *faults)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, json_get(file, "imports"))
    {
        const char *module = json_str(one, "path");

        if (json_bool(one, "external", false) && module != NULL && !is_module(module))
            faults_add(faults, file->string, line_of(project, file->string, module),
                "the module `%s` cannot be used in scripts: there are nango, zod, "
                "crypto, "
                "url, buffer, util, unzipper, soap and botbuilder",
                module);
    }
}

/* `path`: where esbuild wrote which file imports what. */
static bool check_imports(
    const struct project *project, const char *path, struct err *err)
{
    struct faults faults = {0};
    const cJSON *file;
    struct buf text;
    size_t count;
    cJSON *meta;

    if (!cmd_read_file(path, MAX_META, &text, err))
        return false;
    meta = json_parse(text.data != NULL ? text.data : "", text.len, err);
    buf_finish(&text);
    if (meta == NULL)
        return err_context(err, "what esbuild wrote");
    cJSON_ArrayForEach(file, json_get(meta, "inputs"))
    {
        check_file(project, file, &faults);
    }
    cJSON_Delete(meta);
    count = faults.count;
    project_tell(&faults, "error");
    return count == 0 || err_set(err, 400, "compilation_error", "errors: %zu", count);
}

/* ---- all of it ---- */

static bool is_bundled_before(const struct project *project, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(project->scripts[i].built, project->scripts[index].built) == 0)
            return true;
    return false;
}

/* `NAME=./SOURCE` for each, where build/NAME.cjs is to be; the caller frees all. */
static char **arguments(const struct project *project, const struct project_script *only,
    const char *meta, size_t *count)
{
    /* The target is what the engine of the runner has. */
    static const char *const fixed[] = {"esbuild", "--bundle", "--format=cjs",
        "--platform=node", "--target=es2022", "--packages=external", "--sourcemap=inline",
        "--charset=utf8", "--outdir=build", "--out-extension:.js=.cjs",
        "--log-level=warning", "--log-limit=0", "--color=false"};
    size_t fixed_count = sizeof fixed / sizeof fixed[0];
    char **argv = mem_zalloc((fixed_count + project->count + 2) * sizeof *argv);

    *count = 0;
    for (size_t i = 0; i < fixed_count; i++)
        argv[(*count)++] = str_dup(fixed[i]);
    argv[(*count)++] = str_printf("--metafile=%s", meta);
    for (size_t i = 0; i < project->count; i++) {
        const struct project_script *script = &project->scripts[i];
        const char *name = script->built + strlen("build/");

        if ((only == NULL || only == script) && !is_bundled_before(project, i))
            argv[(*count)++] = str_printf(
                "%.*s=./%s", (int)(strlen(name) - strlen(".cjs")), name, script->source);
    }
    return argv;
}

static bool run_esbuild(const struct project *project, const struct project_script *only,
    const char *program, const char *meta, struct err *err)
{
    struct buf messages;
    size_t count, errors;
    char **argv = arguments(project, only, meta, &count);
    int status = 0;
    bool ok;

    buf_init(&messages, MAX_MESSAGES);
    ok = run(program, argv, project->dir, &messages, &status, err);
    if (ok) {
        errors = tell_messages(messages.len > 0 ? messages.data : "");
        if (errors > 0)
            ok = err_set(err, 400, "compilation_error", "errors: %zu", errors);
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            ok = err_set(err, 500, "compilation_error", "esbuild failed (%d): %.*s",
                WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                str_cut(messages.len > 0 ? messages.data : "", 300),
                messages.len > 0 ? messages.data : "");
    }
    buf_finish(&messages);
    for (size_t i = 0; i < count; i++)
        free(argv[i]);
    free(argv);
    return ok;
}

bool bundle_project(
    const struct project *project, const struct project_script *only, struct err *err)
{
    const char *temp = getenv("TMPDIR");
    char *program = find_esbuild(err), *meta;
    bool ok = false;
    int fd;

    if (program == NULL)
        return false;
    meta = str_printf("%s/nangoctl-XXXXXX", str_is_empty(temp) ? "/tmp" : temp);
    fd = mkstemp(meta);
    if (fd < 0) {
        err_internal(err, "%s: %s", meta, strerror(errno));
    } else {
        close(fd);
        ok = run_esbuild(project, only, program, meta, err) &&
             check_imports(project, meta, err);
        unlink(meta);
    }
    free(meta);
    free(program);
    return ok;
}
