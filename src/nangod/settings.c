/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, and reading them from their four sources. */
#include "nangod/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"

extern char **environ;

enum kind {
    TEXT,
    SECRET,
    CHOICE, /* one of `accepted`, separated by | */
    NUMBER, /* min … max */
    BYTES,  /* a number with an optional k, m or g (1024-based) */
    FLAG,
};

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *initial; /* NULL = unset */
    int64_t min, max;
    const char *accepted; /* CHOICE */
    const char *also;     /* another environment variable, upstream's name for it */
    bool live;            /* takes effect on SIGHUP */
    const char *help;
};

#define AT(field) offsetof(struct settings, field)
#define DAY_MS 86400000
#define FILE_MAX ((size_t)1 << 20)
#define FILE_STEP ((size_t)4096)

// clang-format off
static const struct setting table[] = {
    {"data_dir", TEXT, AT(data_dir), "data", 0, 0, NULL, NULL, false,
        "Directory of the database and, unless given otherwise, of the encryption key."},
    {"listen", TEXT, AT(listen), "127.0.0.1:3003", 0, 0, NULL, NULL, false,
        "Address of the public API, ADDR:PORT or [ADDR]:PORT. Port 0 takes a free one."},
    {"admin_listen", TEXT, AT(admin_listen), "", 0, 0, NULL, NULL, false,
        "Address of /metrics, which then leaves the public one, and of /health and /ready, which are on both. Empty: all on the public address."},
    {"public_url", TEXT, AT(public_url), "", 0, 0, NULL, "NANGO_SERVER_URL", false,
        "How browsers and providers reach this server, for callbacks. Empty: http://<listen>."},
    {"connect_ui_url", TEXT, AT(connect_ui_url), "", 0, 0, NULL, "NANGO_PUBLIC_CONNECT_URL", false,
        "Base of connect_link. Empty: <public_url>/connect."},
    {"log.level", CHOICE, AT(log_level), "info", 0, 0, "debug|info|warn|error", NULL, true,
        "Events below this level are dropped. `debug` has one line for each request."},
    {"log.format", CHOICE, AT(log_format), "auto", 0, 0, "auto|json|text", NULL, false,
        "`auto`: text on a terminal, JSON otherwise. The log goes to standard error."},
    {"http.threads", NUMBER, AT(http_threads), "0", 0, 256, NULL, NULL, false,
        "Event loops. 0: one for each processor."},
    {"http.workers", NUMBER, AT(http_workers), "32", 1, 1024, NULL, NULL, false,
        "Threads for requests that write."},
    {"http.body_limit", BYTES, AT(http_body_limit), "75m", 1024, INT64_C(1) << 32, NULL, "NANGO_SERVER_PUBLIC_BODY_LIMIT", false,
        "Largest JSON body of a request. A larger one gets 413."},
    {"http.body_memory", BYTES, AT(http_body_memory), "256m", 1024, INT64_C(1) << 40, NULL, NULL, false,
        "Request bodies kept in memory at once, all together. A request beyond that gets 503 with Retry-After; a proxied body is then streamed where it may be."},
    {"http.head_limit", BYTES, AT(http_head_limit), "32k", 4096, 1 << 20, NULL, NULL, false,
        "Largest request line and header section together. A larger one gets 431."},
    {"http.idle_timeout_s", NUMBER, AT(http_idle_timeout_s), "60", 1, 86400, NULL, NULL, false,
        "Seconds until a silent client is disconnected."},
    {"http.min_body_rate", NUMBER, AT(http_min_body_rate), "100", 0, 1000000, NULL, NULL, false,
        "Bytes a second that a request's body must bring on average while the server is ready to take it; slower clients are disconnected. 0: any."},
    {"http.body_grace_s", NUMBER, AT(http_body_grace_s), "30", 1, 3600, NULL, NULL, false,
        "Seconds that a body may take before that is asked of it."},
    {"http.max_connections", NUMBER, AT(http_max_connections), "20000", 16, 1000000, NULL, NULL, false,
        "Clients connected at once, for each event loop. Above it, whoever was idle for longest gives way, or else a slow body; if there is neither, new clients wait."},
    {"http.drain_timeout_s", NUMBER, AT(http_drain_timeout_s), "30", 0, 3600, NULL, NULL, false,
        "Seconds that a stopping server waits for requests in progress."},
    {"vault.key", SECRET, AT(vault_key), NULL, 0, 0, NULL, "NANGO_ENCRYPTION_KEY", false,
        "Key-encryption key: 32 bytes as base64 or hex. Better given by vault.key_file or a systemd credential."},
    {"vault.key_file", TEXT, AT(vault_key_file), NULL, 0, 0, NULL, NULL, false,
        "File that holds the key-encryption key. Unset: systemd credential `nango-encryption-key`, else <data_dir>/encryption.key, which a server makes in a new directory."},
    {"catalog.file", TEXT, AT(catalog_file), NULL, 0, 0, NULL, NULL, true,
        "A providers.yaml in place of the built-in catalogue."},
    {"catalog.overlay_dir", TEXT, AT(catalog_overlay_dir), NULL, 0, 0, NULL, NULL, true,
        "Directory of *.yaml files with your own providers, laid over the catalogue."},
    {"outbound.allow_private", FLAG, AT(outbound_allow_private), "false", 0, 0, NULL, NULL, false,
        "Let calls reach loopback, private and link-local addresses. For tests and trusted networks."},
    {"outbound.policy", TEXT, AT(outbound_policy), NULL, 0, 0, NULL, "NANGO_OUTBOUND_URL_POLICY", false,
        "JSON {mode, denylist, allowlist, blockPrivateIps, blockLinkLocal, maxRedirects} laid over the default policy."},
    {"outbound.policy_oauth", TEXT, AT(outbound_policy_oauth), NULL, 0, 0, NULL, "NANGO_OUTBOUND_URL_POLICY_OAUTH", false,
        "The same, laid over it once more for token endpoints."},
    {"outbound.denylist", TEXT, AT(outbound_denylist), NULL, 0, 0, NULL, "NANGO_PROXY_BASE_URL_OVERRIDE_DENYLIST", false,
        "JSON list of hosts added to the built-in denylist; empty or [] denies none."},
    {"outbound.ca_file", TEXT, AT(outbound_ca_file), NULL, 0, 0, NULL, NULL, false,
        "PEM file of the authorities that providers' certificates are checked against. Unset: the system's."},
    {"outbound.connect_timeout_ms", NUMBER, AT(outbound_connect_timeout_ms), "30000", 1, DAY_MS, NULL, NULL, false,
        "Milliseconds to reach a provider."},
    {"outbound.idle_timeout_ms", NUMBER, AT(outbound_idle_timeout_ms), "300000", 1, DAY_MS, NULL, NULL, false,
        "Milliseconds without a byte until a proxied call is given up."},
    {"outbound.max_connections", NUMBER, AT(outbound_max_connections), "2000", 1, 100000, NULL, NULL, false,
        "Connections to providers kept open, for each event loop."},
    {"outbound.threads", NUMBER, AT(outbound_threads), "64", 1, 1024, NULL, NULL, false,
        "Threads for token calls and credential checks. One integration's refreshes, and one environment's checks, take at most half of those that the others leave."},
    {"proxy.base_url_override", FLAG, AT(proxy_base_url_override), "true", 0, 0, NULL, "NANGO_PROXY_BASE_URL_OVERRIDE_ENABLED", false,
        "Whether clients may send Base-Url-Override."},
    {"proxy.max_buffered_body", BYTES, AT(proxy_max_buffered_body), "256k", 0, INT64_C(1) << 30, NULL, NULL, false,
        "Request bodies up to this are kept for retries and redirects; larger ones are streamed once."},
    {"proxy.max_body", BYTES, AT(proxy_max_body), "0", 0, INT64_MAX, NULL, NULL, false,
        "Largest request body passed on. 0: no limit."},
    {"proxy.backoff_base_ms", NUMBER, AT(proxy_backoff_base_ms), "3000", 1, 600000, NULL, NULL, false,
        "Milliseconds before the first retry when the provider names none; doubled for each further one."},
    {"proxy.network_errors", TEXT, AT(proxy_network_errors), "", 0, 0, NULL, "NANGO_RETRYABLE_NETWORK_ERRORS", false,
        "Codes of network errors (ENOTFOUND,EPROTO,…) that Retries covers besides the usual ones."},
    {"proxy.refetch_after_ms", NUMBER, AT(proxy_refetch_after_ms), "60000", 0, DAY_MS, NULL, NULL, false,
        "Milliseconds after which a retry reads the connection again."},
    {"oauth.require_cookie", FLAG, AT(oauth_require_cookie), "true", 0, 0, NULL, NULL, false,
        "Whether a callback must come from the browser that began the flow."},
    {"refresh.token_timeout_ms", NUMBER, AT(refresh_token_timeout_ms), "30000", 100, 600000, NULL, NULL, false,
        "Milliseconds for one call of a token endpoint."},
    {"store.cache_entries", NUMBER, AT(store_cache_entries), "20000", 0, 10000000, NULL, NULL, false,
        "Connections kept in memory (sealed)."},
    {"store.check_at_start", CHOICE, AT(store_check_at_start), "always", 0, 0, "always|after_crash", NULL, false,
        "When the server looks for damage in the database before it serves from it: some 2 seconds for each GB. `after_crash`: only when the last server did not stop in order."},
    {"store.deleted_retention_days", NUMBER, AT(store_deleted_retention_days), "31", 0, 36500, NULL, NULL, false,
        "Days until a deleted connection's row is removed for good."},
    {"scripts.runner", TEXT, AT(scripts_runner), "", 0, 0, NULL, NULL, false,
        "The program nango-runner. Empty: beside nangod, or in ../libexec/nango. Where there is none, scripts are deployed but not run."},
    {"scripts.max_runners", NUMBER, AT(scripts_max_runners), "32", 1, 1000, NULL, NULL, false,
        "Scripts that run at once, each in a process of its own. One connection's take at most half of what the others leave."},
    {"scripts.spare_runners", NUMBER, AT(scripts_spare_runners), "2", 0, 100, NULL, NULL, false,
        "Processes that wait, warm, for a version that has none yet."},
    {"scripts.runs_per_runner", NUMBER, AT(scripts_runs_per_runner), "10000", 1, 1000000000, NULL, NULL, false,
        "Executions of one version after which its process is replaced. 1: a fresh process for each."},
    {"scripts.memory_mb", NUMBER, AT(scripts_memory_mb), "256", 16, 65536, NULL, NULL, false,
        "Memory of one execution, in MB beyond what a waiting process has."},
    {"scripts.cpu_s", NUMBER, AT(scripts_cpu_s), "60", 1, 86400, NULL, NULL, false,
        "Processor seconds of one execution."},
    {"scripts.load_timeout_s", NUMBER, AT(scripts_load_timeout_s), "3", 1, 600, NULL, NULL, false,
        "Processor seconds that a script's code may take to load when it is deployed; twice that on the clock."},
    {"scripts.esbuild", TEXT, AT(scripts_esbuild), "", 0, 0, NULL, NULL, false,
        "The program esbuild, which compiles what is posted to /functions/. Empty: in the PATH. Where there is none, such requests get 503."},
    {"scripts.code_limit", BYTES, AT(scripts_code_limit), "1m", 1024, INT64_C(1) << 24, NULL, NULL, false,
        "Largest TypeScript that is compiled. Larger code gets 413."},
    {"scripts.compile_timeout_s", NUMBER, AT(scripts_compile_timeout_s), "10", 1, 600, NULL, NULL, false,
        "Seconds that compiling may take."},
    {"scripts.compile_memory_mb", NUMBER, AT(scripts_compile_memory_mb), "512", 128, 65536, NULL, NULL, false,
        "Memory that compiling may take, in MB."},
    {"scripts.max_builds", NUMBER, AT(scripts_max_builds), "4", 1, 100, NULL, NULL, false,
        "Dry runs and deployments of functions that are compiled at once; others wait. One environment's take at most half of what the others leave."},
    {"scripts.dryrun_timeout_s", NUMBER, AT(scripts_dryrun_timeout_s), "300", 1, 86400, NULL, NULL, false,
        "Seconds after which a dry run is ended."},
    {"scripts.action_timeout_s", NUMBER, AT(scripts_action_timeout_s), "900", 1, 86400, NULL, NULL, false,
        "Seconds after which an action is ended."},
    {"scripts.action_start_s", NUMBER, AT(scripts_action_start_s), "30", 1, 86400, NULL, NULL, false,
        "Seconds within which an action, or a script that a connection waits for, must begin; one that waited longer fails."},
    {"scripts.event_timeout_s", NUMBER, AT(scripts_event_timeout_s), "300", 1, 86400, NULL, NULL, false,
        "Seconds after which the script of an event is ended."},
    {"scripts.input_limit", BYTES, AT(scripts_input_limit), "2m", 1024, INT64_C(1) << 26, NULL, NULL, false,
        "Largest input of an action, as JSON. A larger one gets 413."},
    {"scripts.output_limit", BYTES, AT(scripts_output_limit), "2m", 1024, INT64_C(1) << 24, NULL, NULL, false,
        "Largest output of an action, as JSON. One that returns more fails."},
    {"scripts.validate", FLAG, AT(scripts_validate), "false", 0, 0, NULL, NULL, false,
        "Whether the input and output of actions are compared with the models deployed with them. What differs gets 400 invalid_action_input or invalid_action_output."},
    {"scripts.log_limit", BYTES, AT(scripts_log_limit), "10m", 0, INT64_C(1) << 32, NULL, NULL, false,
        "Bytes that one execution may log; what is beyond that is dropped."},
    {"scripts.retry_ms", NUMBER, AT(scripts_retry_ms), "1000", 1, 3600000, NULL, NULL, false,
        "Milliseconds before an asynchronous action that failed is tried again, where retries were asked for; doubled for each further one."},
    {"scripts.async_retention_h", NUMBER, AT(scripts_async_retention_h), "24", 1, 87600, NULL, NULL, false,
        "Hours that the outcome of an asynchronous action, a dry run or a deployment of a function is kept."},
    {"syncs.timeout_s", NUMBER, AT(syncs_timeout_s), "86400", 1, 604800, NULL, NULL, false,
        "Seconds after which an execution of a sync is ended."},
    {"syncs.at_once", NUMBER, AT(syncs_at_once), "50", 1, 10000, NULL, NULL, false,
        "Syncs that run, or wait for a process, at one time; others that are due wait in the store."},
    {"syncs.retries", NUMBER, AT(syncs_retries), "0", 0, 10, NULL, NULL, false,
        "How often a sync that failed is tried again before its next time, after scripts.retry_ms, doubled for each further try."},
    {"records.max_bytes", BYTES, AT(records_max_bytes), "10m", 1024, INT64_C(1) << 28, NULL, NULL, false,
        "Largest record, as JSON. A batch with a larger one fails."},
    {"records.seal", FLAG, AT(records_seal), "true", 0, 0, NULL, NULL, false,
        "Whether records are encrypted at rest, as credentials always are. What was saved before stays as it is."},
    {"logs.enabled", FLAG, AT(logs_enabled), "true", 0, 0, NULL, NULL, false,
        "Whether logs of operations are kept (docs/logs.md), in <data_dir>/logs.db. Not the server's own log."},
    {"logs.level", CHOICE, AT(logs_level), "info", 0, 0, "debug|info|warn|error", NULL, true,
        "Messages of operations below this level are not kept; above `info`, nor are proxied calls that went well."},
    {"logs.retention_days", NUMBER, AT(logs_retention_days), "15", 1, 36500, NULL, NULL, false,
        "Days until logs of operations are deleted."},
    {"logs.max_size", BYTES, AT(logs_max_size), "2g", 0, INT64_C(1) << 50, NULL, NULL, false,
        "Largest size of logs.db; beyond it the oldest are deleted sooner. 0: no limit."},
    {"logs.queue_size", BYTES, AT(logs_queue_size), "16m", 65536, INT64_C(1) << 34, NULL, NULL, false,
        "Memory for logs that are not written yet. When the disk does not keep up, what does not fit is dropped and counted; nothing waits."},
    {"clock.offset_file", TEXT, AT(clock_offset_file), NULL, 0, 0, NULL, NULL, false,
        "For tests: a file of 8 bytes (milliseconds, native order) that is added to the time."},
};
// clang-format on
#define COUNT (sizeof table / sizeof table[0])

static bool is_text(enum kind kind)
{
    return kind == TEXT || kind == SECRET || kind == CHOICE;
}

static char **text_of(struct settings *settings, const struct setting *s)
{
    return (char **)(void *)((char *)settings + s->offset);
}

static const char *text_in(const struct settings *settings, const struct setting *s)
{
    return *(char *const *)(const void *)((const char *)settings + s->offset);
}

static int64_t number_in(const struct settings *settings, const struct setting *s)
{
    const void *at = (const char *)settings + s->offset;

    return s->kind == FLAG ? *(const bool *)at : *(const int64_t *)at;
}

/* What may stand for a value, for messages and the manual. */
static char *accepted(const struct setting *s)
{
    switch (s->kind) {
    case CHOICE: {
        char *text = str_dup(s->accepted);

        for (char *c = text; *c != '\0'; c++)
            *c = *c == '|' ? ' ' : *c;
        return text;
    }
    case NUMBER:
        return str_printf("%lld to %lld", (long long)s->min, (long long)s->max);
    case BYTES:
        return str_printf("bytes, or with k, m, g; at least %lld", (long long)s->min);
    case FLAG:
        return str_dup("true false");
    case TEXT:
    case SECRET:
        break;
    }
    return str_dup("text");
}

static bool in_choice(const char *list, const char *value)
{
    size_t len = strlen(value);

    for (const char *at = list; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, value, len) == 0 && (at[len] == '|' || at[len] == '\0') &&
            len > 0)
            return true;
    }
    return false;
}

static bool read_bytes(const char *value, int64_t *out)
{
    static const char suffixes[] = "kmg";
    char *text = str_dup(value);
    size_t len = strlen(text);
    int shift = 0;
    bool ok;

    if (len > 1 && (text[len - 1] == 'b' || text[len - 1] == 'B'))
        text[--len] = '\0'; /* 75mb, as upstream writes it */
    if (len > 1) {
        const char *suffix = strchr(suffixes, text[len - 1] | 0x20);

        if (suffix != NULL && *suffix != '\0') {
            shift = 10 * (int)(suffix - suffixes + 1);
            text[len - 1] = '\0';
        }
    }
    ok = str_to_i64(text, out) && *out >= 0 && *out <= INT64_MAX >> shift;
    if (ok)
        *out = (int64_t)((uint64_t)*out << shift);
    free(text);
    return ok;
}

static bool set_value(struct settings *settings, const struct setting *s,
    const char *value, const char *source, struct err *err)
{
    void *at = (char *)settings + s->offset;
    int64_t number = 0;
    bool flag = false;
    bool ok = true;

    if (s->kind == CHOICE)
        ok = in_choice(s->accepted, value);
    else if (s->kind == NUMBER)
        ok = str_to_i64(value, &number) && number >= s->min && number <= s->max;
    else if (s->kind == BYTES)
        ok = read_bytes(value, &number) && number >= s->min && number <= s->max;
    else if (s->kind == FLAG)
        ok = str_to_bool(value, &flag);
    if (!ok) {
        char *what = accepted(s);

        err_set(err, 0, "invalid_setting", "%s: %s cannot be `%.100s`; accepted: %s",
            source, s->name, value, what);
        free(what);
        return false;
    }
    free(settings->sources[s - table]);
    settings->sources[s - table] = str_dup(source);
    if (is_text(s->kind)) {
        char **text = text_of(settings, s);

        if (s->kind == SECRET && *text != NULL)
            mem_wipe(*text, strlen(*text));
        free(*text);
        *text = str_dup(value);
    } else if (s->kind == FLAG) {
        *(bool *)at = flag;
    } else {
        *(int64_t *)at = number;
    }
    return true;
}

/* Levenshtein's distance, for the nearest valid name. */
static size_t distance(const char *a, const char *b)
{
    size_t row[128];
    size_t len = strlen(b);

    if (len >= sizeof row / sizeof row[0])
        return SIZE_MAX;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len];
}

static const struct setting *find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

static const struct setting *find_nearest(const char *name)
{
    const struct setting *nearest = &table[0];

    for (size_t i = 1; i < COUNT; i++) {
        if (distance(name, table[i].name) < distance(name, nearest->name))
            nearest = &table[i];
    }
    return nearest;
}

/* Could it be the name of a setting? What is none may be a secret in a wrong place. */
static bool looks_like_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return len > 0 && len <= 40 && text[len] == '\0';
}

static bool unknown(const char *name, const char *source, struct err *err)
{
    if (!looks_like_name(name))
        return err_set(err, 0, "unknown_setting", "%s: unknown setting", source);
    return err_set(err, 0, "unknown_setting",
        "%s: unknown setting `%.80s`; the nearest is `%s`", source, name,
        find_nearest(name)->name);
}

static bool set_by_name(struct settings *settings, const char *name, const char *value,
    const char *source, struct err *err)
{
    const struct setting *s = find(name);

    if (s == NULL)
        return unknown(name, source, err);
    return set_value(settings, s, value, source, err);
}

/* A text without `=`. Of it only a setting's name at the beginning is shown: the rest may
 * be a secret. */
static bool malformed(const char *text, const char *source, struct err *err)
{
    const struct setting *found = NULL;

    for (size_t i = 0; i < COUNT; i++) {
        if (str_starts(text, table[i].name) &&
            (found == NULL || strlen(table[i].name) > strlen(found->name)))
            found = &table[i];
    }
    return err_set(err, 0, "invalid_setting", "%s: expected `%s = value`", source,
        found != NULL ? found->name : "name");
}

/* One line of the file: `name = value`; the value may stand in double quotes. */
static bool read_line(
    struct settings *settings, char *line, const char *source, struct err *err)
{
    char *name = str_trim(line);
    char *value;
    size_t len;

    if (*name == '\0' || *name == '#')
        return true;
    value = strchr(name, '=');
    if (value == NULL)
        return malformed(name, source, err);
    *value++ = '\0';
    name = str_trim(name);
    value = str_trim(value);
    len = strlen(value);
    if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
        value[len - 1] = '\0';
        value++;
    }
    return set_by_name(settings, name, value, source, err);
}

/* Without stdio, whose buffers would keep vault.key. */
static bool read_whole(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = -1;
    bool ok = false;

    while (fd >= 0 && out->len < FILE_MAX) {
        got = read(fd, buf_room(out, FILE_STEP), FILE_STEP);
        if (got <= 0)
            break;
        buf_added(out, (size_t)got);
    }
    if (got < 0)
        err_set(err, 0, "invalid_setting", "%s: %s", path, strerror(errno));
    else if (got > 0)
        err_set(err, 0, "invalid_setting", "%s: too long for settings", path);
    else if (out->len > 0 && memchr(out->data, '\0', out->len) != NULL)
        err_set(err, 0, "invalid_setting", "%s: this is no text", path);
    else
        ok = true;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool read_file(struct settings *settings, const char *path, struct err *err)
{
    struct buf text;
    char *line, *next;
    bool ok;

    buf_init_secret(&text, 0);
    ok = read_whole(path, &text, err);
    line = text.data;
    for (int number = 1; ok && line != NULL; number++) {
        char *source = str_printf("%s:%d", path, number);

        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        ok = read_line(settings, line, source, err);
        free(source);
        line = next;
    }
    buf_finish(&text);
    return ok;
}

static char *variable_name(const struct setting *s)
{
    char *name = str_printf("NANGOD_%s", s->name);

    for (char *c = name; *c != '\0'; c++) {
        if (*c == '.')
            *c = '_';
        else if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return name;
}

/* What Kubernetes sets in every container for each service, here for those whose name
 * begins with ours: NANGOD_SERVICE_HOST, NANGOD_SERVICE_PORT, NANGOD_SERVICE_PORT_HTTP,
 * NANGOD_PORT, NANGOD_PORT_3003_TCP, NANGOD_PORT_3003_TCP_ADDR, …
 * (kubernetes.io/docs/concepts/containers/container-environment). */
static bool is_service_link(const char *name, size_t len, const char *value)
{
    char text[256];
    const char *at;

    if (len >= sizeof text)
        return false;
    memcpy(text, name, len);
    text[len] = '\0';
    if (str_ends(text, "_SERVICE_HOST") || str_ends(text, "_SERVICE_PORT") ||
        strstr(text, "_SERVICE_PORT_") != NULL)
        return true;
    if (str_ends(text, "_PORT"))
        return strstr(value, "://") != NULL || strstr(text, "_PORT_") != NULL;
    at = strstr(text, "_PORT_");
    if (at == NULL)
        return false;
    at += strlen("_PORT_");
    at += strspn(at, "0123456789");
    return str_starts(at, "_TCP") || str_starts(at, "_UDP") || str_starts(at, "_SCTP");
}

/* A variable of our prefix that names no setting is a mistake like any other. */
static bool refuse_unknown_variables(struct err *err)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        bool known = false;

        if (!str_starts(*entry, "NANGOD_") || equals == NULL)
            continue;
        for (size_t i = 0; i < COUNT && !known; i++) {
            char *name = variable_name(&table[i]);

            known = strlen(name) == (size_t)(equals - *entry) &&
                    strncmp(name, *entry, (size_t)(equals - *entry)) == 0;
            free(name);
        }
        if (!known && !is_service_link(*entry, (size_t)(equals - *entry), equals + 1)) {
            char *name = str_ndup(*entry + 7, (size_t)(equals - *entry) - 7);
            const struct setting *nearest;

            str_lower(name);
            nearest = find_nearest(name);
            err_set(err, 0, "unknown_setting",
                "environment variable %.*s: there is no such setting; the nearest is "
                "`%s`",
                (int)(equals - *entry), *entry, nearest->name);
            free(name);
            return false;
        }
    }
    return true;
}

static bool read_environment(struct settings *settings, struct err *err)
{
    for (size_t i = 0; i < COUNT; i++) {
        char *name = variable_name(&table[i]);
        const char *used = table[i].also;
        const char *value = used != NULL ? getenv(used) : NULL;
        char *source;
        bool ok = true;

        if (getenv(name) != NULL) {
            used = name;
            value = getenv(name);
        }
        if (value != NULL) {
            source = str_printf("environment variable %s", used);
            ok = set_value(settings, &table[i], value, source, err);
            free(source);
        }
        free(name);
        if (!ok)
            return false;
    }
    return refuse_unknown_variables(err);
}

static bool refuse_secret(const struct setting *s, struct err *err)
{
    char *variable;

    if (s == NULL || s->kind != SECRET)
        return true;
    variable = variable_name(s);
    err_set(err, 0, "invalid_setting",
        "command line: %s is not taken from there, as every user of the machine can see "
        "it; accepted: the configuration file, or the environment variable %s",
        s->name, variable);
    free(variable);
    return false;
}

static bool read_flags(
    struct settings *settings, const struct settings_flags *flags, struct err *err)
{
    for (int i = 0; i < flags->count; i++) {
        const char *equals = strchr(flags->sets[i], '=');
        char *name;
        bool ok;

        if (equals == NULL)
            return malformed(flags->sets[i], "command line", err);
        name = str_ndup(flags->sets[i], (size_t)(equals - flags->sets[i]));
        ok = refuse_secret(find(name), err) &&
             set_by_name(settings, name, equals + 1, "command line", err);
        free(name);
        if (!ok)
            return false;
    }
    return true;
}

bool settings_load(
    struct settings *out, const struct settings_flags *flags, struct err *err)
{
    memset(out, 0, sizeof *out);
    out->sources = mem_zalloc(COUNT * sizeof *out->sources);
    for (size_t i = 0; i < COUNT; i++) {
        if (table[i].initial != NULL &&
            !set_value(out, &table[i], table[i].initial, "default", err))
            return false;
    }
    if (flags->config != NULL && !read_file(out, flags->config, err))
        return false;
    return read_environment(out, err) && read_flags(out, flags, err);
}

const char *settings_source(const struct settings *settings, const char *name)
{
    const char *source = settings->sources[find(name) - table];

    return source != NULL ? source : "default";
}

void settings_finish(struct settings *settings)
{
    for (size_t i = 0; settings->sources != NULL && i < COUNT; i++)
        free(settings->sources[i]);
    free(settings->sources);
    settings->sources = NULL;
    for (size_t i = 0; i < COUNT; i++) {
        if (!is_text(table[i].kind))
            continue;
        char **text = text_of(settings, &table[i]);

        if (*text != NULL && table[i].kind == SECRET)
            mem_wipe(*text, strlen(*text));
        free(*text);
        *text = NULL;
    }
}

/* ---- forgetting secrets ---- */

/* What stands in a wiped secret's place: short enough to fit where a key stood, long
 * enough to tell another key from it. */
#define MARK "wiped:"
#define MARK_DIGEST 16
#define MARK_SIZE (sizeof MARK + 2 * (size_t)MARK_DIGEST)

static void mark_of(const char *secret, char out[MARK_SIZE])
{
    uint8_t digest[SHA256_LEN];

    if (str_starts(secret, MARK)) {
        str_copy(out, MARK_SIZE, secret);
        return;
    }
    crypto_sha256(secret, strlen(secret), digest);
    memcpy(out, MARK, strlen(MARK));
    str_hex(digest, MARK_DIGEST, out + strlen(MARK));
}

static void forget_text(char *text)
{
    char mark[MARK_SIZE];
    size_t len = strlen(text);

    mark_of(text, mark);
    mem_wipe(text, len);
    if (len >= MARK_SIZE - 1) /* shorter than any key: it was not used */
        memcpy(text, mark, MARK_SIZE);
}

static void forget_variable(const char *name)
{
    char *value = name != NULL ? getenv(name) : NULL;

    if (value != NULL)
        forget_text(value); /* in place: /proc/PID/environ shows this memory */
}

void settings_forget_secrets(struct settings *settings)
{
    for (size_t i = 0; i < COUNT; i++) {
        const struct setting *s = &table[i];
        char *name;

        if (s->kind != SECRET)
            continue;
        if (*text_of(settings, s) != NULL)
            forget_text(*text_of(settings, s));
        name = variable_name(s);
        forget_variable(name);
        forget_variable(s->also);
        free(name);
    }
}

bool settings_is_forgotten(const char *secret)
{
    return str_starts(secret, MARK);
}

static bool is_same_secret(const char *a, const char *b)
{
    char mark_a[MARK_SIZE], mark_b[MARK_SIZE];

    if (str_is_empty(a) || str_is_empty(b))
        return str_is_empty(a) && str_is_empty(b);
    mark_of(a, mark_a);
    mark_of(b, mark_b);
    return strcmp(mark_a, mark_b) == 0;
}

char *settings_changed(const struct settings *before, const struct settings *now)
{
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT; i++) {
        const struct setting *s = &table[i];
        bool same = s->kind == SECRET
                        ? is_same_secret(text_in(before, s), text_in(now, s))
                    : is_text(s->kind) ? str_eq(text_in(before, s), text_in(now, s))
                                       : number_in(before, s) == number_in(now, s);

        if (!same && !s->live)
            buf_printf(&out, "%s%s", out.len > 0 ? ", " : "", s->name);
    }
    return buf_take(&out, NULL);
}

void settings_write_sample(FILE *to)
{
    fputs("# Settings of nangod, with their defaults. Lines: name = value.\n", to);
    for (size_t i = 0; i < COUNT; i++) {
        char *what = accepted(&table[i]);

        fprintf(to, "\n# %s\n# Accepted: %s.%s\n#%s = %s\n", table[i].help, what,
            table[i].live ? " Takes effect on reload." : "", table[i].name,
            table[i].initial != NULL ? table[i].initial : "");
        free(what);
    }
}

void settings_write_markdown(FILE *to)
{
    fputs(
        "# Settings\n\n"
        "Later wins: default, configuration file (`--config FILE`, lines `name = "
        "value`),\n"
        "environment, command line (`--set name=value`, but no secret). An unknown name "
        "or "
        "a value that is not\n"
        "accepted stops the start; `nangod -t` checks without starting. Settings marked "
        "*reload*\n"
        "take effect on SIGHUP. Variables that Kubernetes sets for a service "
        "(NANGOD_PORT, "
        "…) are not\n"
        "looked at. This page is printed by `nangod settings --markdown`.\n\n"
        "| Setting | Default | Accepted | Environment | |\n|---|---|---|---|---|\n",
        to);
    for (size_t i = 0; i < COUNT; i++) {
        char *what = accepted(&table[i]);
        char *name = variable_name(&table[i]);

        fprintf(to, "| `%s` | %s%s%s | %s | `%s`%s%s%s | %s%s |\n", table[i].name,
            str_is_empty(table[i].initial) ? "" : "`",
            table[i].initial != NULL ? table[i].initial : "",
            str_is_empty(table[i].initial) ? "" : "`", what, name,
            table[i].also != NULL ? ", `" : "",
            table[i].also != NULL ? table[i].also : "", table[i].also != NULL ? "`" : "",
            table[i].help, table[i].live ? " *reload*" : "");
        free(name);
        free(what);
    }
}
