/* SPDX-License-Identifier: Apache-2.0 */
/* Redaction: see redact.h. Values are kept in secret memory, in each spelling in which
 * they may show: as they are, within JSON, and percent-encoded. */
#include "oplog/redact.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"

enum {
    SECRET_MIN = 8, /* shorter ones would be found everywhere */
    VALUES_MAX = 1000,
    DEPTH_MAX = 64,
};

/* ---- names ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The letters of `name` alone, in lower case. */
static void letters_of(const char *name, size_t len, char *out, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < len && count + 1 < size; i++) {
        char c = lower(name[i]);

        if (c >= 'a' && c <= 'z')
            out[count++] = c;
    }
    out[count] = '\0';
}

bool redact_name(const char *name, size_t len)
{
    /* within a name, and whole names */
    static const char *const parts[] = {"token", "secret", "password", "passwd",
        "passphrase", "apikey", "accesskey", "privatekey", "signature", "credential",
        "authorization", "cookie", "assertion"};
    static const char *const wholes[] = {
        "key", "auth", "code", "sig", "pwd", "pass", "jwt", "bearer", "sessionid", "otp"};
    char letters[64];

    letters_of(name, len, letters, sizeof letters);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(letters, parts[i]) != NULL)
            return strcmp(letters, "tokentype") != 0 &&
                   strstr(letters, "pagetoken") == NULL;
    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++)
        if (strcmp(letters, wholes[i]) == 0)
            return true;
    return false;
}

bool redact_header_is_open(const char *name)
{
    static const char *const open[] = {"accept", "accept-encoding", "accept-language",
        "cache-control", "connection", "content-encoding", "content-length",
        "content-type", "date", "etag", "expect", "host", "if-modified-since",
        "if-none-match", "last-modified", "range", "retry-after", "server",
        "transfer-encoding", "user-agent", "vary", "via", "x-powered-by"};
    static const char *const parts[] = {
        "ratelimit", "rate-limit", "request-id", "requestid", "trace-id", "-version"};

    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (str_eq_nocase(name, open[i]))
            return true;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (str_contains_nocase(name, parts[i]))
            return true;
    return false;
}

/* Members of credentials that are no secrets. */
static bool is_plain_member(const char *name)
{
    static const char *const plain[] = {
        "type", "expires_at", "expires_in", "token_type", "scope", "scopes"};

    for (size_t i = 0; name != NULL && i < sizeof plain / sizeof plain[0]; i++)
        if (strcmp(name, plain[i]) == 0)
            return true;
    return false;
}

/* ---- URLs ---- */

/* Replaces `value` wherever it stands in *text. */
static void replace(char **text, const char *value, size_t len)
{
    const char *from = *text, *found;
    struct buf out;

    if (strlen(from) < len || strstr(from, value) == NULL)
        return;
    buf_init(&out, 0);
    while ((found = strstr(from, value)) != NULL) {
        buf_append(&out, from, (size_t)(found - from));
        buf_puts(&out, REDACTED);
        from = found + len;
    }
    buf_puts(&out, from);
    free(*text);
    *text = buf_take(&out, NULL);
}

static void replace_spellings(char **url, const char *value)
{
    size_t len = strlen(value);
    struct buf encoded;

    if (len < SECRET_MIN || len > strlen(*url))
        return;
    replace(url, value, len);
    if (str_all_alnum_or(value, "-_.!~*'()"))
        return;
    buf_init_secret(&encoded, 0);
    str_uri_component(value, len, &encoded);
    replace(url, encoded.data, encoded.len);
    buf_clear(&encoded);
    str_form_encode(value, len, &encoded);
    replace(url, encoded.data, encoded.len);
    buf_finish(&encoded);
}

static void replace_tree(char **url, const cJSON *tree, int depth)
{
    const cJSON *item;

    if (cJSON_IsString(tree))
        replace_spellings(url, tree->valuestring);
    if (depth < DEPTH_MAX && (cJSON_IsObject(tree) || cJSON_IsArray(tree)))
        cJSON_ArrayForEach(item, tree)
        {
            if (!is_plain_member(item->string))
                replace_tree(url, item, depth + 1);
        }
}

/* As redact_name(), of a name as it stands in a query. */
static bool redact_encoded_name(const char *name, size_t len)
{
    struct buf plain;
    bool redacted;

    if (memchr(name, '%', len) == NULL)
        return redact_name(name, len);
    buf_init(&plain, 0);
    redacted = !str_percent_decode(name, len, true, &plain) ||
               redact_name(plain.data, plain.len);
    buf_finish(&plain);
    return redacted;
}

/* Without user information and fragment; telling parameters without their values. */
static char *by_names(const char *url)
{
    const char *host = strstr(url, "://"), *at;
    size_t end;
    struct buf out;

    buf_init(&out, 0);
    if (host != NULL) {
        host += 3;
        end = strcspn(host, "/?#");
        buf_append(&out, url, (size_t)(host - url));
        for (at = host + end; at > host && at[-1] != '@'; at--)
            continue;
        url = at;
    }
    end = strcspn(url, "?#");
    buf_append(&out, url, end);
    url += end;
    while (*url == '?' || *url == '&') {
        size_t name = 1 + strcspn(url + 1, "=&#");
        size_t whole = 1 + strcspn(url + 1, "&#");

        if (name < whole && redact_encoded_name(url + 1, name - 1)) {
            buf_append(&out, url, name + 1);
            buf_puts(&out, REDACTED);
        } else {
            buf_append(&out, url, whole);
        }
        url += whole;
    }
    return buf_take(&out, NULL);
}

char *redact_url(const char *url, const cJSON *const *secrets, size_t count)
{
    char *out;

    if (strpbrk(url, "?#@") == NULL)
        out = str_dup(url);
    else
        out = by_names(url);
    for (size_t i = 0; i < count; i++)
        replace_tree(&out, secrets[i], 0);
    return out;
}

/* ---- values ---- */

struct redactor {
    pthread_mutex_t lock;
    char **values; /* secret */
    size_t *lens;
    size_t count, capacity;
};

struct redactor *redactor_new(void)
{
    struct redactor *redactor = MEM_NEW(struct redactor);

    pthread_mutex_init(&redactor->lock, NULL);
    return redactor;
}

void redactor_free(struct redactor *redactor)
{
    if (redactor == NULL)
        return;
    for (size_t i = 0; i < redactor->count; i++)
        secret_free(redactor->values[i]);
    free(redactor->values);
    free(redactor->lens);
    pthread_mutex_destroy(&redactor->lock);
    free(redactor);
}

/* The lock is held. */
static void add_spelling(struct redactor *redactor, const char *value, size_t len)
{
    for (size_t i = 0; i < redactor->count; i++)
        if (redactor->lens[i] == len && memcmp(redactor->values[i], value, len) == 0)
            return;
    if (redactor->count == VALUES_MAX)
        return;
    if (redactor->count == redactor->capacity) {
        redactor->capacity = redactor->capacity > 0 ? 2 * redactor->capacity : 8;
        redactor->values = mem_resize_array(
            redactor->values, redactor->capacity, sizeof *redactor->values);
        redactor->lens =
            mem_resize_array(redactor->lens, redactor->capacity, sizeof *redactor->lens);
    }
    redactor->values[redactor->count] = secret_strndup(value, len);
    redactor->lens[redactor->count++] = len;
}

static void add_value(struct redactor *redactor, const char *value)
{
    size_t len = strlen(value);
    struct buf other;

    if (len < SECRET_MIN)
        return;
    buf_init_secret(&other, 0);
    pthread_mutex_lock(&redactor->lock);
    add_spelling(redactor, value, len);
    if (!str_all_alnum_or(value, "-_.!~*'()")) {
        json_append_string(&other, value);
        add_spelling(redactor, other.data + 1, other.len - 2);
        buf_clear(&other);
        str_uri_component(value, len, &other);
        add_spelling(redactor, other.data, other.len);
    }
    pthread_mutex_unlock(&redactor->lock);
    buf_finish(&other);
}

static void add_tree(struct redactor *redactor, const cJSON *tree, int depth)
{
    const cJSON *item;

    if (cJSON_IsString(tree))
        add_value(redactor, tree->valuestring);
    if (depth < DEPTH_MAX && (cJSON_IsObject(tree) || cJSON_IsArray(tree)))
        cJSON_ArrayForEach(item, tree)
        {
            if (!is_plain_member(item->string))
                add_tree(redactor, item, depth + 1);
        }
}

void redactor_add_tree(struct redactor *redactor, const cJSON *tree)
{
    add_tree(redactor, tree, 0);
}

void redactor_add_json(struct redactor *redactor, struct json_raw value)
{
    cJSON *tree;

    if (value.text == NULL)
        return;
    tree = json_parse(value.text, value.len, NULL);
    redactor_add_tree(redactor, tree);
    cJSON_Delete(tree);
}

/* Appends `len` bytes of text without the values. */
static void append_without(
    struct redactor *redactor, const char *text, size_t len, struct buf *out)
{
    size_t run = 0;

    pthread_mutex_lock(&redactor->lock);
    for (size_t at = 0; at < len;) {
        size_t longest = 0;

        for (size_t i = 0; i < redactor->count; i++)
            if (redactor->values[i][0] == text[at] && redactor->lens[i] <= len - at &&
                redactor->lens[i] > longest &&
                memcmp(redactor->values[i], text + at, redactor->lens[i]) == 0)
                longest = redactor->lens[i];
        if (longest == 0) {
            at++;
            continue;
        }
        buf_append(out, text + run, at - run);
        buf_puts(out, REDACTED);
        at += longest;
        run = at;
    }
    pthread_mutex_unlock(&redactor->lock);
    buf_append(out, text + run, len - run);
}

char *redactor_text(struct redactor *redactor, const char *text)
{
    struct buf out;

    buf_init(&out, 0);
    append_without(redactor, text, strlen(text), &out);
    return buf_take(&out, NULL);
}

static void put_json(
    struct redactor *redactor, struct json_raw value, int depth, struct buf *out)
{
    enum json_raw_kind kind = json_raw_kind(value);
    struct json_raw_iter iter;
    struct json_raw key, item;
    bool first = true;

    if (kind != JSON_RAW_OBJECT && kind != JSON_RAW_ARRAY) {
        append_without(redactor, value.text, value.len, out);
        return;
    }
    if (depth == DEPTH_MAX) {
        buf_puts(out, "\"…\"");
        return;
    }
    buf_putc(out, kind == JSON_RAW_OBJECT ? '{' : '[');
    json_raw_begin(value, &iter);
    while (json_raw_next(&iter, &key, &item)) {
        if (!first)
            buf_putc(out, ',');
        first = false;
        if (key.text != NULL) {
            append_without(redactor, key.text, key.len, out);
            buf_putc(out, ':');
        }
        if (key.text != NULL && json_raw_kind(item) == JSON_RAW_STRING &&
            redact_name(key.text, key.len))
            buf_puts(out, "\"" REDACTED "\"");
        else
            put_json(redactor, item, depth + 1, out);
    }
    buf_putc(out, kind == JSON_RAW_OBJECT ? '}' : ']');
}

void redactor_json(struct redactor *redactor, struct json_raw value, struct buf *out)
{
    put_json(redactor, value, 0, out);
}
