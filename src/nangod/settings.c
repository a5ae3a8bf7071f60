/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the settings of the table from their four sources. */
#include "nangod/settings_int.h"

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

#define FILE_MAX ((size_t)1 << 20)
#define FILE_STEP ((size_t)4096)

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
    free(settings->sources[s - settings_table]);
    settings->sources[s - settings_table] = str_dup(source);
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
    for (size_t i = 0; i < settings_count; i++) {
        if (strcmp(settings_table[i].name, name) == 0)
            return &settings_table[i];
    }
    return NULL;
}

static const struct setting *find_nearest(const char *name)
{
    const struct setting *nearest = &settings_table[0];

    for (size_t i = 1; i < settings_count; i++) {
        if (distance(name, settings_table[i].name) < distance(name, nearest->name))
            nearest = &settings_table[i];
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

    for (size_t i = 0; i < settings_count; i++) {
        if (str_starts(text, settings_table[i].name) &&
            (found == NULL || strlen(settings_table[i].name) > strlen(found->name)))
            found = &settings_table[i];
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
        for (size_t i = 0; i < settings_count && !known; i++) {
            char *name = variable_name(&settings_table[i]);

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
    for (size_t i = 0; i < settings_count; i++) {
        char *name = variable_name(&settings_table[i]);
        const char *used = settings_table[i].also;
        const char *value = used != NULL ? getenv(used) : NULL;
        char *source;
        bool ok = true;

        if (getenv(name) != NULL) {
            used = name;
            value = getenv(name);
        }
        if (value != NULL) {
            source = str_printf("environment variable %s", used);
            ok = set_value(settings, &settings_table[i], value, source, err);
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
    out->sources = mem_zalloc(settings_count * sizeof *out->sources);
    for (size_t i = 0; i < settings_count; i++) {
        if (settings_table[i].initial != NULL &&
            !set_value(
                out, &settings_table[i], settings_table[i].initial, "default", err))
            return false;
    }
    if (flags->config != NULL && !read_file(out, flags->config, err))
        return false;
    return read_environment(out, err) && read_flags(out, flags, err);
}

const char *settings_source(const struct settings *settings, const char *name)
{
    const char *source = settings->sources[find(name) - settings_table];

    return source != NULL ? source : "default";
}

void settings_finish(struct settings *settings)
{
    for (size_t i = 0; settings->sources != NULL && i < settings_count; i++)
        free(settings->sources[i]);
    free(settings->sources);
    settings->sources = NULL;
    for (size_t i = 0; i < settings_count; i++) {
        if (!is_text(settings_table[i].kind))
            continue;
        char **text = text_of(settings, &settings_table[i]);

        if (*text != NULL && settings_table[i].kind == SECRET)
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
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *s = &settings_table[i];
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
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *s = &settings_table[i];
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
    for (size_t i = 0; i < settings_count; i++) {
        char *what = accepted(&settings_table[i]);

        fprintf(to, "\n# %s\n# Accepted: %s.%s\n#%s = %s\n", settings_table[i].help, what,
            settings_table[i].live ? " Takes effect on reload." : "",
            settings_table[i].name,
            settings_table[i].initial != NULL ? settings_table[i].initial : "");
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
    for (size_t i = 0; i < settings_count; i++) {
        char *what = accepted(&settings_table[i]);
        char *name = variable_name(&settings_table[i]);

        fprintf(to, "| `%s` | %s%s%s | %s | `%s`%s%s%s | %s%s |\n",
            settings_table[i].name, str_is_empty(settings_table[i].initial) ? "" : "`",
            settings_table[i].initial != NULL ? settings_table[i].initial : "",
            str_is_empty(settings_table[i].initial) ? "" : "`", what, name,
            settings_table[i].also != NULL ? ", `" : "",
            settings_table[i].also != NULL ? settings_table[i].also : "",
            settings_table[i].also != NULL ? "`" : "", settings_table[i].help,
            settings_table[i].live ? " *reload*" : "");
        free(name);
        free(what);
    }
}
