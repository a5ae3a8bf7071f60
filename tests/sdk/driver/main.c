/* SPDX-License-Identifier: Apache-2.0 */
/* sdk-driver: calls any method of libnango from JSON, for the tests in tests/api.
 *
 *   sdk-driver [OPTION…] METHOD ARGS     one call: one line of JSON on standard output
 *   sdk-driver [OPTION…] --lines         a line "METHOD<tab>ARGS" in, a line out, and so on
 *   sdk-driver [OPTION…] --concurrent N METHOD ARGS
 *                                        N calls at once on one loop: one line about all
 *
 * METHOD is the official client's name of it, ARGS a JSON object. The line is {"code", …}:
 * after success `result`, the answer's content, and `typed`, what every getter of the
 * result gives; after a failure what the error says, and `answer`.
 *
 * Ends with 0 whatever the calls gave; 2 when it was called wrongly; 3 when the library broke
 * a promise of its headers, which is said on standard error; the sanitizers have codes of
 * their own. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "driver.h"

#define HEADERS_MAX 8

struct settings {
    nango_client_options client;
    nango_pair headers[HEADERS_MAX];
    bool async;
    bool adapter; /* the loop of nango/adapters/epoll.h */
    bool from_env;
    bool counted;       /* an allocator that counts */
    bool interruptible; /* SIGUSR1 interrupts the blocking call that runs */
    bool lines;
    int concurrent;
};

void fault(const char *fmt, ...)
{
    va_list args;

    fputs("sdk-driver: the library broke a promise: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(3);
}

void misuse(const char *fmt, ...)
{
    va_list args;

    fputs("sdk-driver: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(2);
}

void *must(void *p)
{
    if (p == NULL)
        fault("NULL instead of memory");
    return p;
}

/* ---- the command line ---- */

enum kind {
    TEXT,
    FLAG,
    MS,
    SIZE,
    COUNT,
    ERA,
    HEADER
};

/* clang-format off */
static const struct option {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct settings */
} option_rows[] = {
    {"--key",                 TEXT,   offsetof(struct settings, client.secret_key)},
    {"--api-key",             TEXT,   offsetof(struct settings, client.api_key)},
    {"--host",                TEXT,   offsetof(struct settings, client.host)},
    {"--webhook-signing-key", TEXT,   offsetof(struct settings, client.webhook_signing_key)},
    {"--connection-id",       TEXT,   offsetof(struct settings, client.connection_id)},
    {"--provider-config-key", TEXT,   offsetof(struct settings, client.provider_config_key)},
    {"--is-sync",             FLAG,   offsetof(struct settings, client.is_sync)},
    {"--is-script",           FLAG,   offsetof(struct settings, client.is_script)},
    {"--dry-run",             FLAG,   offsetof(struct settings, client.dry_run)},
    {"--activity-log-id",     TEXT,   offsetof(struct settings, client.activity_log_id)},
    {"--user-agent",          TEXT,   offsetof(struct settings, client.user_agent)},
    {"--era",                 ERA,    offsetof(struct settings, client.era)},
    {"--timeout",             MS,     offsetof(struct settings, client.timeout_ms)},
    {"--connect-timeout",     MS,     offsetof(struct settings, client.connect_timeout_ms)},
    {"--max-response-bytes",  SIZE,   offsetof(struct settings, client.max_response_bytes)},
    {"--ca-file",             TEXT,   offsetof(struct settings, client.ca_file)},
    {"--header",              HEADER, 0},
    {"--async",               FLAG,   offsetof(struct settings, async)},
    {"--adapter",             FLAG,   offsetof(struct settings, adapter)},
    {"--from-env",            FLAG,   offsetof(struct settings, from_env)},
    {"--allocator",           FLAG,   offsetof(struct settings, counted)},
    {"--interruptible",       FLAG,   offsetof(struct settings, interruptible)},
    {"--lines",               FLAG,   offsetof(struct settings, lines)},
    {"--concurrent",          COUNT,  offsetof(struct settings, concurrent)},
};
/* clang-format on */

static void add_header(struct settings *settings, char *text)
{
    char *colon = strchr(text, ':');

    if (colon == NULL || settings->client.header_count == HEADERS_MAX)
        misuse("--header wants NAME:VALUE, at most %d times", HEADERS_MAX);
    *colon = '\0';
    settings->headers[settings->client.header_count++] = (nango_pair){text, colon + 1};
    settings->client.headers = settings->headers;
}

static void set_option(
    struct settings *settings, const struct option *option, char *value)
{
    char *field = (char *)settings + option->offset;
    long long number = 0;

    if (option->kind == MS || option->kind == SIZE || option->kind == COUNT) {
        char *end;

        number = strtoll(value, &end, 10);
        if (*value == '\0' || *end != '\0')
            misuse("%s wants a number", option->name);
    }
    switch (option->kind) {
    case TEXT:
        memcpy(field, &value, sizeof value);
        break;
    case FLAG:
        memcpy(field, &(bool){true}, sizeof(bool));
        break;
    case MS:
        memcpy(field, &(int64_t){number}, sizeof(int64_t));
        break;
    case SIZE:
        memcpy(field, &(size_t){(size_t)number}, sizeof(size_t));
        break;
    case COUNT:
        memcpy(field, &(int){(int)number}, sizeof(int));
        break;
    case ERA:
        settings->client.era =
            strcmp(value, "2023") == 0 ? NANGO_ERA_2023 : NANGO_ERA_CURRENT;
        break;
    case HEADER:
        add_header(settings, value);
        break;
    }
}

/* Gives how many words were options. */
static int read_options(int argc, char **argv, struct settings *settings)
{
    int at = 1;

    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        const struct option *found = NULL;

        for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
            if (strcmp(argv[at], option_rows[i].name) == 0)
                found = &option_rows[i];
        }
        if (found == NULL)
            misuse("there is no option %s", argv[at]);
        if (found->kind != FLAG && at + 1 == argc)
            misuse("%s wants a value", argv[at]);
        set_option(settings, found, found->kind == FLAG ? NULL : argv[++at]);
    }
    return at;
}

/* ---- calls ---- */

static const struct method *find_method(const char *name)
{
    const struct method *const areas[] = {connection_methods, integration_methods,
        proxy_methods, record_methods, sync_methods, client_methods};

    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++) {
        for (const struct method *row = areas[i]; row->name != NULL; row++) {
            if (strcmp(row->name, name) == 0)
                return row;
        }
    }
    misuse("there is no method %s", name);
}

static void print_line(const struct run *run)
{
    fwrite(run->line, 1, run->line_len, stdout);
    putchar('\n');
    fflush(stdout);
}

static void call_one(struct run *run, const char *method, const char *args)
{
    run_start(run, find_method(method), args);
    if (run->loop != NULL)
        run_wait(run);
    else if (run->ended == 0)
        fault("%s ended without an answer", method);
    if (run->loop != NULL && nango_calls_active(run->client) != 0)
        fault("%s has ended and is still active", method);
    print_line(run);
    run_finish(run);
}

static void call_lines(struct run *run)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;

    while ((len = getline(&line, &capacity, stdin)) > 0) {
        char *tab;

        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        tab = strchr(line, '\t');
        if (tab == NULL)
            misuse("a line is METHOD<tab>ARGS");
        *tab = '\0';
        call_one(run, line, tab + 1);
    }
    free(line);
}

static int64_t count_threads(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long long threads = -1;

    if (status == NULL)
        return -1;
    while (fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "Threads: %lld", &threads) == 1)
            break;
    }
    fclose(status);
    return threads;
}

/* Each call needs a descriptor or two; the usual limit of 1024 is for select(). */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void put_codes(struct out *out, const struct run *runs, int count)
{
    put_open(out, "codes", '{');
    for (int code = NANGO_OK; code <= NANGO_E_PARSE; code++) {
        char member[64];
        int n = 0;

        snprintf(
            member, sizeof member, "{\"code\":\"%s\"", nango_code_name((nango_code)code));
        for (int i = 0; i < count; i++)
            n += strncmp(runs[i].line, member, strlen(member)) == 0;
        if (n > 0)
            put_int(out, nango_code_name((nango_code)code), n);
    }
    put_close(out, '}');
}

static void call_many(
    const struct run *model, int count, const char *method, const char *args)
{
    struct run *runs = must(calloc((size_t)count, sizeof *runs));
    struct out out = {.file = stdout};
    size_t active;
    int64_t threads = 0;
    int ended = 0;

    if (model->loop == NULL)
        misuse("--concurrent goes with --async");
    raise_descriptors();
    for (int i = 0; i < count; i++) {
        runs[i] = *model;
        run_start(&runs[i], find_method(method), args);
    }
    active = nango_calls_active(model->client);
    while (ended < count) {
        int64_t now;

        loop_turn(model->loop);
        now = count_threads();
        threads = now > threads ? now : threads;
        for (ended = 0; ended < count && runs[ended].ended > 0;)
            ended++;
    }
    put_open(&out, NULL, '{');
    put_text(&out, "code", "NANGO_OK");
    put_int(&out, "calls", count);
    put_int(&out, "active", (int64_t)active);
    put_int(&out, "active_after", (int64_t)nango_calls_active(model->client));
    put_int(&out, "threads", threads);
    put_codes(&out, runs, count);
    put_close(&out, '}');
    putchar('\n');
    printf("%s\n", runs[0].line);
    for (int i = 0; i < count; i++)
        run_finish(&runs[i]);
    free(runs);
}

/* ---- SIGUSR1 becomes nango_interrupt(), called by a thread as it must be ---- */

static void *interrupter(void *client)
{
    sigset_t set;
    int signal;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    while (sigwait(&set, &signal) == 0 && signal == SIGUSR1)
        nango_interrupt(client);
    return NULL;
}

static pthread_t start_interrupter(nango_client *client)
{
    pthread_t thread = 0;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (pthread_create(&thread, NULL, interrupter, client) != 0)
        fault("no thread");
    return thread;
}

static void stop_interrupter(pthread_t thread)
{
    pthread_kill(thread, SIGUSR2);
    pthread_join(thread, NULL);
}

/* ---- the client ---- */

static void refused(const nango_client *client, const nango_error *error)
{
    struct out out = {.file = stdout};

    if (client != NULL)
        fault("a client together with a failure");
    put_open(&out, NULL, '{');
    put_text(&out, "code", nango_code_name(error->code));
    put_text(&out, "message", error->message);
    put_bool(&out, "no_client", true);
    put_close(&out, '}');
    putchar('\n');
}

static void serve(
    struct run *run, const struct settings *settings, int words, char **word)
{
    if (settings->lines) {
        if (words != 0)
            misuse("--lines takes no method");
        call_lines(run);
        return;
    }
    if (words != 2)
        misuse("METHOD and ARGS are wanted");
    if (settings->concurrent > 0)
        call_many(run, settings->concurrent, word[0], word[1]);
    else
        call_one(run, word[0], word[1]);
}

int main(int argc, char **argv)
{
    struct settings settings = {0};
    int words = read_options(argc, argv, &settings);
    struct heap heap = {0};
    struct run run = {0};
    nango_error error;
    nango_code code;
    pthread_t thread = 0;

    heap_init(&heap);
    if (settings.counted)
        settings.client.allocator = &heap.allocator;
    code = settings.from_env
               ? nango_client_new_from_env(&settings.client, &run.client, &error)
               : nango_client_new(&settings.client, &run.client, &error);
    if (code != NANGO_OK) {
        refused(run.client, &error);
        return 0;
    }
    run.heap = settings.counted ? &heap : NULL;
    if (settings.async) {
        run.loop = loop_new();
        loop_attach(run.loop, run.client, settings.adapter);
    }
    if (settings.interruptible)
        thread = start_interrupter(run.client);
    serve(&run, &settings, argc - words, argv + words);
    if (settings.interruptible)
        stop_interrupter(thread);
    nango_client_free(run.client);
    loop_free(run.loop);
    if (heap.live != 0)
        fault("%lld allocations were not given back", (long long)heap.live);
    return 0;
}
